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
/* So many times the next longest column, one stands out. */
#define STANDS_OUT 3
/* An operator, a window number and a case. */
#define TITLE_SIZE 640u

/* Append to a caption; what does not fit is cut. */
static size_t append(char *caption, size_t used, const char *text)
{
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

/* Mean wait of the others for a rank; −1: nobody has observed any. */
static double mean_of_column(const dxt_window *window, uint32_t column)
{
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t row = 0; row < window->ranks; row++) {
        double value = dxt_window_value(window, row, column);
        if (isnan(value) || row == column) continue;
        sum += value;
        count++;
    }
    return count > 0 ? sum / count : -1;
}

/* @param next  Receives the mean of the next longest one. */
static uint32_t find_longest(const dxt_window *window, double *most, double *next)
{
    uint32_t longest = 0;
    *most = *next = -1;
    for (uint32_t column = 0; column < window->ranks; column++) {
        double mean = mean_of_column(window, column);
        if (mean <= *most) {
            *next = fmax(*next, mean);
            continue;
        }
        *next = *most;
        *most = mean;
        longest = column;
    }
    return longest;
}

/* Neighbours as one: "0–7, 12"; of more stretches than some the rest is counted. */
static void put_ranks(const bool *held, uint32_t ranks, char *text, size_t size)
{
    uint32_t stretches = 0, left = 0;
    int used = 0;
    for (uint32_t rank = 0, end; rank < ranks; rank = end + 1) {
        end = rank;
        if (!held[rank]) continue;
        while (end + 1 < ranks && held[end + 1]) end++;
        if (stretches++ >= NAMED) {
            left += end - rank + 1;
            continue;
        }
        used += snprintf(text + used, size - (size_t)used, "%s%u", stretches > 1 ? ", " : "", rank);
        if (end > rank) used += snprintf(text + used, size - (size_t)used, "–%u", end);
    }
    if (left > 0) snprintf(text + used, size - (size_t)used, " and %u more", left);
}

/* Whether the longest column stands out since its rank is silent. */
static bool is_for_silent(const dxt_window *window, uint32_t column, double most, double next)
{
    return window->missing[column] && most >= STANDS_OUT * next && most > 0;
}

/* Whose columns show what is named in the other operator. @param held  [ranks], all false.
 * @return How many. */
static uint32_t find_held_up(const dxt_window *window, const dxt_findings *findings, bool *held)
{
    const double *lateness = findings->lateness;
    double latest = 0, most, next;
    uint32_t count = 0;
    for (uint32_t rank = 0; lateness && rank < window->ranks; rank++)
        latest = fmax(latest, lateness[rank]);
    for (uint32_t rank = 0; latest > findings->floor && rank < window->ranks; rank++)
        count += held[rank] = lateness[rank] >= latest / 2;
    if (count > 1) return count;
    for (uint32_t rank = 0; rank < window->ranks; rank++) held[rank] = false;
    held[find_longest(window, &most, &next)] = true;
    return 1;
}

void draw_held_up(const dxt_window *window, const dxt_findings *findings, char *text, size_t size)
{
    char ranks[200] = "";
    bool *held = calloc(window->ranks, sizeof *held);
    uint32_t count = held ? find_held_up(window, findings, held) : 0;
    if (held) put_ranks(held, window->ranks, ranks, sizeof ranks);
    snprintf(text, size,
             count > 1 ? "columns %s are no findings of their own"
                       : "column %s is no finding of its own",
             ranks);
    free(held);
}

/* The columns that the caption explains have their numbers. @return false: no memory. */
static bool number_explained(const dxt_diagnosis *diagnosis, dxt_mark **marks, size_t *count)
{
    const dxt_window *window = diagnosis->window;
    double most, next;
    bool *held = calloc(window->ranks, sizeof *held);
    dxt_mark *grown = realloc(*marks, (*count + window->ranks) * sizeof *grown);
    if (grown) *marks = grown;
    if (held && diagnosis->findings->inherited) find_held_up(window, diagnosis->findings, held);
    if (held && window->missing) {
        uint32_t column = find_longest(window, &most, &next);
        held[column] = held[column] || is_for_silent(window, column, most, next);
    }
    for (uint32_t rank = 0; held && grown && rank < window->ranks; rank++)
        if (held[rank]) grown[(*count)++] = (dxt_mark){.kind = DXT_MARK_NUMBER, .column = rank};
    bool well = held && grown;
    free(held);
    return well;
}

/* A silent rank is waited for, which no finding says. */
static size_t append_silent(char *caption, size_t used, const dxt_diagnosis *diagnosis)
{
    const dxt_window *window = diagnosis->window;
    double most, next;
    char line[128];
    if (!window->missing) return used;
    uint32_t column = find_longest(window, &most, &next);
    if (!is_for_silent(window, column, most, next)) return used;
    snprintf(line, sizeof line, "column %u: the others wait for rank %u, which is silent", column,
             column);
    return append(caption, used, line);
}

/* What holds a rank up in the other operator is seen here as well: say where it comes from. Where
 * the other one names nobody, what is found here is the cause, and is said already. */
static size_t append_cause(char *caption, size_t used, const dxt_diagnosis *diagnoses, size_t count,
                           size_t panel)
{
    char sentence[512], held[256], line[800];
    bool found = diagnoses[panel].findings->finding_count > 0;
    if (!diagnoses[panel].findings->inherited) return used;
    draw_held_up(diagnoses[panel].window, diagnoses[panel].findings, held, sizeof held);
    for (size_t i = 0; i < count; i++) {
        const dxt_findings *cause = diagnoses[i].findings;
        if (i == panel || cause->finding_count == 0 || (found && cause->inherited)) continue;
        dxt_report_sentence(diagnoses[i].window, cause, 0, sentence, sizeof sentence);
        snprintf(line, sizeof line, "%s; the cause: %s", held, sentence);
        return append(caption, used, line);
    }
    if (found) return used;
    snprintf(line, sizeof line, "%s; the cause is what the other operator's findings name", held);
    return append(caption, used, line);
}

static void write_caption(const dxt_diagnosis *diagnoses, size_t count, size_t panel, char *caption)
{
    const dxt_diagnosis *diagnosis = &diagnoses[panel];
    const dxt_findings *findings = diagnosis->findings;
    char line[512];
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
    used = append_silent(caption, used, diagnosis);
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
