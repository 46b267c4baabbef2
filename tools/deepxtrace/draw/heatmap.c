/* SPDX-License-Identifier: Apache-2.0 */
#include "heatmap.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/report.h>

#include "output.h"

/* A caption names this many findings, and how many more there are. */
#define NAMED 6u
/* An operator, a window number and a case. */
#define TITLE_SIZE 640u

/* Append a line to a caption, unless it is empty; what does not fit is cut. */
static size_t append(char *caption, size_t used, const char *text)
{
    if (!*text) return used;
    int length = snprintf(caption + used, DRAW_CAPTION - used, "%s%s", used ? "\n" : "", text);
    size_t next = used + (length > 0 ? (size_t)length : 0);
    return next < DRAW_CAPTION ? next : DRAW_CAPTION - 1;
}

static size_t append_axes(char *caption, size_t used, const char *what,
                          const dxt_abnormal_axis *axes, size_t count)
{
    char line[256];
    int length = snprintf(line, sizeof line, "abnormal %s%s:", what, count == 1 ? "" : "s");
    for (size_t i = 0; i < count && i < NAMED; i++)
        length += snprintf(line + length, sizeof line - (size_t)length, "%s %u", i ? "," : "",
                           axes[i].rank);
    if (count > NAMED)
        snprintf(line + length, sizeof line - (size_t)length, " and %zu more", count - NAMED);
    return count ? append(caption, used, line) : used;
}

static size_t append_points(char *caption, size_t used, const dxt_findings *findings)
{
    char line[512];
    size_t count = findings->point_count;
    int length = snprintf(line, sizeof line, "abnormal point%s:", count == 1 ? "" : "s");
    for (size_t i = 0; i < count && i < NAMED; i++)
        length += snprintf(line + length, sizeof line - (size_t)length, "%s rank %u waits for %u",
                           i ? "," : "", findings->points[i].row, findings->points[i].column);
    if (count > NAMED)
        snprintf(line + length, sizeof line - (size_t)length, " and %zu more", count - NAMED);
    return count ? append(caption, used, line) : used;
}

size_t draw_lists(const dxt_findings *findings, char *caption, size_t used)
{
    if (findings->method != DXT_METHOD_RATIO) return used;
    used = append_axes(caption, used, "column", findings->cols, findings->col_count);
    used = append_axes(caption, used, "row", findings->rows, findings->row_count);
    return append_points(caption, used, findings);
}

/* Whose columns the caption explains have their numbers. @return false: no memory. */
static bool number_explained(const dxt_diagnosis *diagnosis, dxt_mark **marks, size_t *count)
{
    static const dxt_explained whys[] = {DXT_EXPLAINED_HELD_UP, DXT_EXPLAINED_SILENT};
    const dxt_window *window = diagnosis->window;
    unsigned char *ranks = malloc(window->ranks);
    dxt_mark *grown = realloc(*marks, (*count + 2 * (size_t)window->ranks) * sizeof *grown);
    if (grown) *marks = grown;
    for (size_t i = 0; ranks && grown && i < 2; i++) {
        dxt_report_explained(window, diagnosis->findings, whys[i], ranks, NULL, 0);
        for (uint32_t rank = 0; rank < window->ranks; rank++)
            if (ranks[rank])
                grown[(*count)++] = (dxt_mark){.kind = DXT_MARK_NUMBER, .column = rank};
    }
    bool well = ranks && grown;
    free(ranks);
    return well;
}

/* Who stands out for a reason, in words; empty: nobody does, or there is no memory. */
static const char *name_explained(const dxt_diagnosis *diagnosis, dxt_explained why,
                                  char words[DXT_EXPLAINED_SIZE])
{
    unsigned char *ranks = malloc(diagnosis->window->ranks);
    words[0] = '\0';
    if (ranks)
        dxt_report_explained(diagnosis->window, diagnosis->findings, why, ranks, words,
                             DXT_EXPLAINED_SIZE);
    free(ranks);
    return words;
}

/* What holds a rank up in the other operator is seen here as well: say where it comes from. Where
 * the other one names nobody, what is found here is the cause. */
static size_t append_cause(char *caption, size_t used, const dxt_diagnosis *diagnoses, size_t count,
                           size_t panel)
{
    char sentence[512], words[DXT_EXPLAINED_SIZE], line[800];
    bool found = diagnoses[panel].findings->finding_count > 0;
    bool held = *name_explained(&diagnoses[panel], DXT_EXPLAINED_HELD_UP, words);
    if (!held && !*name_explained(&diagnoses[panel], DXT_EXPLAINED_AHEAD, words)) return used;
    for (size_t i = 0; i < count; i++) {
        const dxt_findings *cause = diagnoses[i].findings;
        if (i == panel || cause->finding_count == 0 || (found && cause->inherited)) continue;
        dxt_report_sentence(diagnoses[i].window, cause, 0, sentence, sizeof sentence);
        snprintf(line, sizeof line, "%s; the cause: %s", words, sentence);
        return append(caption, used, line);
    }
    if (!held) return used;
    snprintf(line, sizeof line, "%s; the cause is what %s findings name", words,
             found ? "the" : "the other operator's");
    return append(caption, used, line);
}

static void write_caption(const dxt_diagnosis *diagnoses, size_t count, size_t panel, char *caption)
{
    const dxt_diagnosis *diagnosis = &diagnoses[panel];
    const dxt_findings *findings = diagnosis->findings;
    char line[512], words[DXT_EXPLAINED_SIZE];
    size_t used = 0;
    for (size_t i = 0; i < findings->finding_count && i < NAMED; i++) {
        dxt_report_sentence(diagnosis->window, findings, i, line, sizeof line);
        used = append(caption, used, line);
    }
    if (findings->finding_count > NAMED) {
        snprintf(line, sizeof line, "and %zu more", findings->finding_count - NAMED);
        used = append(caption, used, line);
    }
    used = draw_lists(findings, caption, used);
    used = append_cause(caption, used, diagnoses, count, panel);
    used = append(caption, used, name_explained(diagnosis, DXT_EXPLAINED_SILENT, words));
    if (used == 0)
        append(caption, 0,
               findings->verdict == DXT_VERDICT_INCONCLUSIVE && findings->delayed_ns > 0
                   ? "inconclusive: ranks waited for CPU cores"
               : findings->verdict == DXT_VERDICT_INCONCLUSIVE
                   ? "inconclusive: too thin or too noisy to tell"
                   : "healthy: nobody stands out");
}

/* As the report has it. @return NULL where the renderer's own title says it all. */
static const char *write_title(const dxt_window *window, char *title)
{
    char number[32] = "";
    if (!window->case_name) return NULL;
    if (window->index >= 0) snprintf(number, sizeof number, ", window %" PRId64, window->index);
    snprintf(title, TITLE_SIZE, "%s%s, case %s", window->phase, number, window->case_name);
    return title;
}

dxt_status draw_heatmaps(const dxt_diagnosis *diagnoses, size_t count, dxt_format format,
                         const char *heading, dxt_color color, uint32_t columns, dxt_write_fn write,
                         void *context)
{
    if (count == 0 || count > DRAW_PANELS) return DXT_ERR_INVALID;
    dxt_status status = DXT_ERR_NO_MEMORY;
    dxt_heatmap_panel *panels = calloc(count, sizeof *panels);
    dxt_mark **marks = calloc(count, sizeof *marks);
    char *captions = calloc(count, DRAW_CAPTION), *titles = calloc(count, TITLE_SIZE);
    if (!panels || !marks || !captions || !titles) goto done;
    for (size_t i = 0; i < count; i++) {
        panels[i].window = diagnoses[i].window;
        panels[i].title = write_title(diagnoses[i].window, titles + i * TITLE_SIZE);
        panels[i].caption = captions + i * DRAW_CAPTION;
        write_caption(diagnoses, count, i, captions + i * DRAW_CAPTION);
        status = dxt_report_marks(diagnoses[i].window, diagnoses[i].findings, &marks[i],
                                  &panels[i].mark_count);
        if (status == DXT_OK && !number_explained(&diagnoses[i], &marks[i], &panels[i].mark_count))
            status = DXT_ERR_NO_MEMORY;
        if (status != DXT_OK) goto done;
        panels[i].marks = marks[i];
    }
    dxt_heatmap_options options = {.struct_size = sizeof options,
                                   .ascii = terminal_ascii(),
                                   .color = color,
                                   .columns = columns,
                                   .heading = heading};
    status = dxt_heatmap_write(panels, count, format, &options, write, context);
done:
    for (size_t i = 0; marks && i < count; i++) free(marks[i]);
    free(marks);
    free(captions);
    free(titles);
    free(panels);
    return status;
}
