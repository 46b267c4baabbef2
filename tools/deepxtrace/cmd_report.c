/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <deepxtrace/deepxtrace.h>

#include "commands.h"
#include "files.h"
#include "input.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "page.h"
#include "redact.h"
#include "unpack.h"

/* Bytes of a page: what is looked at, and the recording that it carries. */
#define MOST_SHOWN ((size_t)4 << 20)
#define MOST_RAW ((size_t)20 << 20)

struct report {
    analysis_options analysis;
    const char *output;
    bool force, strict, extract, redact;
    file_groups files;
};

static outcome write_report(struct report *run)
{
    redaction names = {0};
    output_file output;
    const char *slash = strrchr(run->files.groups->name, '/');
    draw_page page = {
        .command = "report",
        .files = run->files.groups,
        .strict = run->strict,
        .analysis = &run->analysis,
        .summary = true,
        .change = run->redact ? redact_window : NULL,
        .change_context = &names,
        .options = {.title = run->redact ? "report"
                             : slash     ? slash + 1
                                         : run->files.groups->name,
                    .most_bytes = MOST_SHOWN,
                    .most_raw = MOST_RAW - MOST_SHOWN},
    };
    outcome result = page_read(&page);
    if (result == GO_ON) result = output_open(&output, "report", run->output, run->force);
    if (result == GO_ON)
        result = output_end(&output, dxt_page_write(page.page, output_write, &output));
    page_free(&page);
    redact_free(&names);
    return result;
}

/* ---- the way back ---- */

static outcome copy_out(unpack *files, output_file *output, bool *any)
{
    char *buffer = malloc(1 << 16);
    size_t got = 1;
    dxt_status status = buffer ? DXT_OK : DXT_ERR_NO_MEMORY;
    while (status == DXT_OK && got > 0) {
        status = unpack_read(files, buffer, 1 << 16, &got);
        *any |= got > 0;
        if (status == DXT_OK && got > 0 && output_write(output, buffer, got) != DXT_OK) break;
    }
    free(buffer);
    if (status == DXT_ERR_NO_MEMORY) return complain_memory("report");
    if (status == DXT_OK) return GO_ON;
    return complain("report", "%s is damaged or cut short; copy the page again",
                    unpack_name(files));
}

static outcome extract(struct report *run)
{
    unpack *files;
    output_file output;
    char why[1200];
    bool any = false;
    const file_group *group = run->files.groups;
    if (group->count > 1) return complain("report", "--extract takes one page; name one FILE");
    dxt_status status = unpack_open(group->paths, 1, &files, why, sizeof why);
    if (status == DXT_ERR_NO_MEMORY) return complain_memory("report");
    if (status != DXT_OK) return complain("report", "%s", why);
    outcome result = GO_ON;
    if (!unpack_is_page(files))
        result =
            complain("report", "%s is not a page made by deepxtrace report", unpack_name(files));
    if (result == GO_ON) result = output_open(&output, "report", run->output, run->force);
    if (result != GO_ON) {
        unpack_close(files);
        return result;
    }
    result = copy_out(files, &output, &any);
    if (result == GO_ON && !any)
        result =
            complain("report", "%s has no recording inside; only pages of deepxtrace report have",
                     unpack_name(files));
    unpack_close(files);
    if (result == GO_ON) return output_end(&output, DXT_OK);
    output_abandon(&output);
    return result;
}

/* ---- the command line ---- */

enum { OWN = 5 };

static void options_of(struct report *run, cli_option *options)
{
    const cli_option table[OWN] = {
        {.name = "output",
         .letter = 'o',
         .type = OPTION_FILE,
         .value = &run->output,
         .argument = "FILE",
         .help = "write the page to FILE (with --extract: the recording); '-' is standard output"},
        {.name = "force", .letter = 'f', .value = &run->force, .help = "replace FILE if it exists"},
        {.name = "redact",
         .value = &run->redact,
         .help = "put numbers in place of hosts, paths, and UUIDs and PCI addresses of GPUs"},
        {.name = "extract", .value = &run->extract, .help = "take the recording out of a page"},
        {.name = "strict",
         .value = &run->strict,
         .help = "make nothing if a window cannot be read"},
    };
    memcpy(options, table, sizeof table);
    analysis_options_of(&run->analysis, options + OWN);
}

static outcome run_report(struct report *run, char **operands, size_t count)
{
    static const char *const pictures[] = {".svg", ".png", ".pdf", NULL};
    static const char *const pages[] = {".html", NULL};
    if (!run->extract && run->output && file_has_ending(run->output, pictures))
        return complain("report", "%s: the page is HTML; `deepxtrace heatmap` draws pictures",
                        run->output);
    if (run->extract && run->redact)
        return complain("report", "--redact is for making a page; leave out --extract");
    outcome result =
        files_find_one("report", operands, count, run->output ? NULL : pages, &run->files);
    if (result == GO_ON && !run->output)
        result = complain("report", "-o FILE is missing (-o - is standard output)");
    if (result == GO_ON)
        result =
            output_spare("report", run->output, run->files.groups->paths, run->files.groups->count);
    if (result == GO_ON) result = run->extract ? extract(run) : write_report(run);
    files_free(&run->files);
    return result;
}

outcome cmd_report(int argc, char **argv)
{
    struct report run = {0};
    cli_option options[OWN + ANALYSIS_OPTIONS];
    options_of(&run, options);
    const cli_command command = {
        .name = "report",
        .summary = "Make one page for the ticket: what is slow, since when, what to do, the\n"
                   "matrices, and the recording itself inside it.",
        .operands = "FILE|FOLDER...|-",
        .min_operands = 1,
        .max_operands = -1,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .notes = "The page opens in any browser, without network. It has at most 20 MB: of a "
                 "long\n"
                 "recording, the windows around changes, and others at even distances. "
                 "analyze,\n"
                 "heatmap and report read the page as they read the recording.\n"
                 "\n"
                 "Exit status: 0 done, 2 bad usage or input, 3 failed.\n",
        .examples = "  deepxtrace report recording.jsonl -o incident.html\n"
                    "  deepxtrace report --redact logs/ -o incident.html\n"
                    "  deepxtrace report --extract incident.html -o recording.jsonl\n"
                    "  deepxtrace analyze incident.html\n",
    };
    int count;
    outcome result = command_line(&command, argc, argv, &count);
    return result == GO_ON ? run_report(&run, argv + 1, (size_t)count) : result;
}
