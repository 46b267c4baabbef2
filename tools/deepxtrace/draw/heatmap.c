/* SPDX-License-Identifier: Apache-2.0 */
#include "heatmap.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/report.h>

#include "explained.h"
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

static void write_caption(const dxt_diagnosis *diagnoses, size_t count, size_t panel, char *caption)
{
    const dxt_diagnosis *diagnosis = &diagnoses[panel];
    const dxt_findings *findings = diagnosis->findings;
    char line[512], explained[EXPLAINED_LINES];
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
    explained_lines(diagnoses, count, panel, explained);
    used = append(caption, used, explained);
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
        if (status == DXT_OK && !explained_numbers(&diagnoses[i], &marks[i], &panels[i].mark_count))
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
