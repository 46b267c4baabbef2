/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

#include "commands.h"
#include "files.h"
#include "heatmap.h"
#include "input.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "page.h"
#include "timeline.h"

/** An operator met in the input. */
struct slot {
    char *phase;
    uint64_t seen;        /**< its windows so far */
    uint64_t first, last; /**< least and largest of their numbers */
    dxt_window *window;   /**< the chosen one; NULL = none yet */
    dxt_findings *findings;
};

/** One run of the command. */
struct heatmap {
    analysis_options analysis;
    const char *input;
    file_groups files;     /**< of which one is read */
    bool strict;           /**< stop at the first window that cannot be read */
    const char *phase;     /**< NULL = all */
    const char *case_name; /**< NULL = any */
    uint64_t number;
    bool numbered; /**< --window was given */
    bool timeline;
    const char *output;
    int format; /**< dxt_format; −1 = from the name */
    bool force;
    int color; /**< index into color_choices */
    struct slot slots[DRAW_PANELS];
    size_t count;
};

static const char *const formats[] = {"terminal", "svg", "html", "png", "pdf", NULL};

static bool parse_window(const char *text, void *value, char *why, size_t why_size)
{
    struct heatmap *run = value;
    run->numbered = cli_parse_count(text, 0, INT64_MAX, &run->number, why, why_size);
    return run->numbered;
}

/* ---- choosing windows ---- */

static struct slot *find_slot(struct heatmap *run, const char *phase)
{
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->slots[i].phase, phase) == 0) return &run->slots[i];
    if (run->count == DRAW_PANELS) return NULL;
    struct slot *slot = &run->slots[run->count];
    slot->phase = strdup(phase);
    if (!slot->phase) return NULL;
    run->count++;
    return slot;
}

/* Keep or release one window; later ones take the place of earlier ones. */
static outcome consider(struct heatmap *run, dxt_window *window)
{
    struct slot *slot = find_slot(run, window->phase);
    if (!slot) {
        dxt_window_free(window);
        if (run->count < DRAW_PANELS) return complain_memory("heatmap");
        return complain("heatmap", "%s has more than %u operators; choose one with --phase",
                        run->input, DRAW_PANELS);
    }
    uint64_t number = window->index >= 0 ? (uint64_t)window->index : slot->seen;
    if (slot->seen == 0 || number < slot->first) slot->first = number;
    if (slot->seen == 0 || number > slot->last) slot->last = number;
    slot->seen++;
    if ((run->numbered && number != run->number) ||
        (run->case_name &&
         (!window->case_name || strcmp(window->case_name, run->case_name) != 0))) {
        dxt_window_free(window);
        return GO_ON;
    }
    dxt_window_free(slot->window);
    slot->window = window;
    return GO_ON;
}

static outcome read_windows(struct heatmap *run)
{
    cli_input input;
    dxt_window *window;
    dxt_status status = DXT_OK;
    outcome result = input_open(&input, "heatmap", run->files.groups->paths,
                                run->files.groups->count, run->strict);
    if (result != GO_ON) return result;
    while (result == GO_ON && (status = input_next(&input, &window)) == DXT_OK)
        result = consider(run, window);
    if (result == GO_ON) result = input_end(&input, status);
    input_close(&input);
    return result;
}

static outcome nothing_chosen(const struct heatmap *run)
{
    char which[32] = "", there[512] = "";
    size_t used = 0;
    if (run->numbered) snprintf(which, sizeof which, " %" PRIu64, run->number);
    for (size_t i = 0; i < run->count && used < sizeof there; i++) {
        const struct slot *slot = &run->slots[i];
        used += (size_t)snprintf(there + used, sizeof there - used,
                                 slot->first == slot->last ? "%s%s (window %" PRIu64 ")"
                                                           : "%s%s (windows %" PRIu64 " to %" PRIu64
                                                             ")",
                                 i ? ", " : "", slot->phase, slot->first, slot->last);
    }
    return complain("heatmap", "%s: no window%s%s%s%s%s; there are: %s", run->input, which,
                    run->phase ? " of phase " : "", run->phase ? run->phase : "",
                    run->case_name ? " in case " : "", run->case_name ? run->case_name : "", there);
}

/* The first of each that belongs to slot i, which has a window. */
static related_windows related_to(const struct heatmap *run, size_t i)
{
    related_windows related = {0};
    for (size_t j = 0; j < run->count; j++) {
        const dxt_window *own = run->slots[i].window, *other = run->slots[j].window;
        if (!other || i == j) continue;
        dxt_relation found =
            i < j ? dxt_window_relation(own, other) : dxt_window_relation(other, own);
        if (found == DXT_RELATION_COMPANION && !related.companion) related.companion = other;
        if (found == DXT_RELATION_ADJACENT && !related.adjacent) related.adjacent = other;
    }
    return related;
}

/* Analyse the chosen windows into `diagnoses`. */
static outcome diagnose(struct heatmap *run, dxt_diagnosis *diagnoses, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < run->count; i++) {
        struct slot *slot = &run->slots[i];
        if (!slot->window || (run->phase && strcasecmp(run->phase, slot->phase) != 0)) continue;
        dxt_status status =
            analyze_window(&run->analysis, slot->window, related_to(run, i), NULL, &slot->findings);
        if (status != DXT_OK) return complain_status("heatmap", status);
        diagnoses[(*count)++] = (dxt_diagnosis){slot->window, slot->findings};
    }
    return *count ? GO_ON : nothing_chosen(run);
}

/* ---- drawing ---- */

static outcome find_format(struct heatmap *run)
{
    dxt_format format;
    if (run->format >= 0) return GO_ON;
    run->format = DXT_FORMAT_TERMINAL;
    if (!run->output) return GO_ON;
    run->format = DXT_FORMAT_SVG;
    if (strcmp(run->output, "-") == 0) return GO_ON;
    if (dxt_format_from_name(run->output, &format) != DXT_OK)
        return complain("heatmap",
                        "%s: the name must end in .svg, .png, .pdf or .html (or give --format)",
                        run->output);
    run->format = (int)format;
    return GO_ON;
}

static outcome choose_format(struct heatmap *run)
{
    outcome result = find_format(run);
    bool binary = run->format == DXT_FORMAT_PNG || run->format == DXT_FORMAT_PDF;
    if (result == GO_ON && binary && output_is_terminal(run->output))
        return complain("heatmap", "a terminal shows no PNG or PDF; give -o FILE");
    return result;
}

/* The matrices, or with a timeline that. */
static outcome draw(struct heatmap *run, const dxt_diagnosis *diagnoses, size_t count,
                    const draw_timeline *timeline)
{
    output_file output;
    outcome result = output_open(&output, "heatmap", run->output ? run->output : "-", run->force);
    if (result != GO_ON) return result;
    int fd = output.file ? fileno(output.file) : STDOUT_FILENO;
    dxt_color color = color_when(run->color, fd);
    uint32_t columns = terminal_columns(fd);
    dxt_status status = timeline ? timeline_draw(timeline, (dxt_format)run->format, color, columns,
                                                 output_write, &output)
                                 : draw_heatmaps(diagnoses, count, (dxt_format)run->format,
                                                 diagnoses[0].window->source, color, columns,
                                                 output_write, &output);
    return output_end(&output, status);
}

static outcome run_timeline(struct heatmap *run)
{
    draw_timeline timeline = {.input = run->input,
                              .files = run->files.groups,
                              .strict = run->strict,
                              .phase = run->phase,
                              .case_name = run->case_name,
                              .analysis = &run->analysis};
    outcome result = GO_ON;
    if (run->numbered)
        result = complain("heatmap", "--timeline shows all windows; leave out --window");
    if (result == GO_ON) result = timeline_read(&timeline);
    if (result == GO_ON) result = draw(run, NULL, 0, &timeline);
    timeline_free(&timeline);
    return result;
}

static outcome write_page(struct heatmap *run, draw_page *page)
{
    output_file output;
    outcome result = output_open(&output, "heatmap", run->output ? run->output : "-", run->force);
    if (result != GO_ON) return result;
    dxt_status status = dxt_page_write(page->page, output_write, &output);
    return output_end(&output, status);
}

/* All windows, with what a browser makes of them. */
static outcome run_page(struct heatmap *run)
{
    draw_page page = {.command = "heatmap",
                      .files = run->files.groups,
                      .strict = run->strict,
                      .phase = run->phase,
                      .case_name = run->case_name,
                      .analysis = &run->analysis,
                      .options = {.title = run->files.groups->name,
                                  .start = (int64_t)run->number,
                                  .has_start = run->numbered,
                                  .timeline = run->timeline}};
    if (run->timeline && run->numbered)
        return complain("heatmap", "--timeline shows all windows; leave out --window");
    outcome result = page_read(&page);
    if (result == GO_ON && run->numbered && !page.started)
        result = complain("heatmap",
                          "%s: no window %" PRIu64 "; leave out --window to see which there are",
                          run->input, run->number);
    if (result == GO_ON) result = write_page(run, &page);
    page_free(&page);
    return result;
}

static outcome run_heatmap(struct heatmap *run)
{
    dxt_diagnosis diagnoses[DRAW_PANELS];
    size_t count;
    outcome result = read_windows(run);
    if (result == GO_ON) result = diagnose(run, diagnoses, &count);
    if (result == GO_ON) result = draw(run, diagnoses, count, NULL);
    for (size_t i = 0; i < run->count; i++) {
        dxt_findings_free(run->slots[i].findings);
        dxt_window_free(run->slots[i].window);
        free(run->slots[i].phase);
    }
    return result;
}

/* Options of its own, before those of the analysis. */
#define OWN_OPTIONS 9

static void options_of(struct heatmap *run, cli_option *options)
{
    const cli_option table[OWN_OPTIONS] = {
        {.name = "output",
         .letter = 'o',
         .type = OPTION_FILE,
         .value = &run->output,
         .argument = "FILE",
         .help = "write a picture: .svg, .png, .pdf, or .html with all windows; '-' is standard "
                 "output (default: draw on the terminal)"},
        {.name = "format",
         .type = OPTION_CHOICE,
         .value = &run->format,
         .argument = "NAME",
         .choices = formats,
         .help = "write terminal, svg, html, png or pdf, whatever FILE ends in; '-o -' is svg by "
                 "default"},
        {.name = "force", .letter = 'f', .value = &run->force, .help = "replace FILE if it exists"},
        {.name = "color",
         .type = OPTION_CHOICE,
         .value = &run->color,
         .argument = "WHEN",
         .choices = color_choices,
         .help = "colour the terminal's picture: auto, always or never"},
        {.name = "phase",
         .type = OPTION_TEXT,
         .value = &run->phase,
         .argument = "NAME",
         .help = "draw only this operator, e.g. dispatch (default: all)"},
        {.name = "window",
         .type = OPTION_CUSTOM,
         .value = run,
         .argument = "K",
         .parse = parse_window,
         .help = "draw window number K (default: the last of each operator)"},
        {.name = "case",
         .type = OPTION_TEXT,
         .value = &run->case_name,
         .argument = "NAME",
         .help = "draw only windows of this case of the recording"},
        {.name = "timeline",
         .value = &run->timeline,
         .help = "draw instead how late each rank was in the windows of the last run"},
        {.name = "strict",
         .value = &run->strict,
         .help = "draw nothing if a window cannot be read"},
    };
    memcpy(options, table, sizeof table);
    analysis_options_of(&run->analysis, options + OWN_OPTIONS);
}

outcome cmd_heatmap(int argc, char **argv)
{
    static const char *const pictures[] = {".svg", ".png", ".pdf", ".html", NULL};
    struct heatmap run = {.format = -1};
    cli_option options[OWN_OPTIONS + ANALYSIS_OPTIONS];
    options_of(&run, options);
    const cli_command command = {
        .name = "heatmap",
        .summary = "Draw a recorded wait matrix: rows wait, columns are waited for; findings are\n"
                   "marked, and named below.",
        .operands = "FILE|FOLDER...|-",
        .min_operands = 1,
        .max_operands = -1,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .notes =
            "Parts of a rotated log are put in order of time. A window that cannot be read is\n"
            "left out, and standard error says so. Colours follow TERM and COLORTERM; under\n"
            "NO_COLOR and in a pipe there are none.\n\n"
            "Exit status: 0 done, 2 bad usage or input, 3 failed.\n",
        .examples =
            "  deepxtrace heatmap recording.jsonl\n"
            "  deepxtrace heatmap recording.jsonl --phase dispatch --window 3 -o waits.svg\n"
            "  deepxtrace heatmap recording.jsonl -o waits.png --force\n"
            "  deepxtrace heatmap recording.jsonl --timeline -o lateness.svg\n",
    };
    int count;
    outcome result = command_line(&command, argc, argv, &count);
    if (result != GO_ON) return result;
    run.input = argv[1];
    result = files_find_one("heatmap", argv + 1, (size_t)count, run.output ? NULL : pictures,
                            &run.files);
    if (result == GO_ON)
        result =
            output_spare("heatmap", run.output, run.files.groups->paths, run.files.groups->count);
    if (result == GO_ON && run.timeline && run.analysis.method == DXT_METHOD_RATIO)
        result = complain("heatmap", "--timeline shows lateness, which the ratio method does not "
                                     "measure; leave out --method");
    if (result == GO_ON) result = choose_format(&run);
    if (result == GO_ON)
        result = run.format == DXT_FORMAT_HTML ? run_page(&run)
                 : run.timeline                ? run_timeline(&run)
                                               : run_heatmap(&run);
    files_free(&run.files);
    return result;
}
