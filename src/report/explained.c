/* SPDX-License-Identifier: Apache-2.0 */
/* Say why ranks stand out in a heat map although no finding names them there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/report.h>

#include "report/words.h"

/* Of more stretches of ranks than these the rest is counted. */
#define NAMED 6u
/* So many times the next longest column, one stands out. */
#define STANDS_OUT 3

/* ---- which ---- */

/* Mean wait of the others for each rank; −1: nobody has observed any. NULL: no memory. */
static double *column_means(const dxt_window *window)
{
    double *row = malloc(window->ranks * sizeof *row);
    double *means = calloc(window->ranks, sizeof *means);
    uint32_t *counts = calloc(window->ranks, sizeof *counts);
    for (uint32_t i = 0; row && means && counts && i < window->ranks; i++) {
        dxt_window_row(window, i, row);
        for (uint32_t column = 0; column < window->ranks; column++) {
            if (column == i || isnan(row[column])) continue;
            means[column] += row[column];
            counts[column]++;
        }
    }
    for (uint32_t i = 0; means && counts && i < window->ranks; i++)
        means[i] = counts[i] ? means[i] / counts[i] : -1;
    if (!row || !counts) free(means), means = NULL;
    free(row);
    free(counts);
    return means;
}

/* The column that is waited for longest, and the mean of the next longest one. @return Whether
 * there was memory. */
static bool find_longest(const dxt_window *window, uint32_t *longest, double *most, double *next)
{
    double *means = column_means(window);
    *longest = DXT_NO_RANK;
    *most = *next = -1;
    if (!means) return false;
    for (uint32_t column = 0; column < window->ranks; column++) {
        if (means[column] <= *most) {
            *next = fmax(*next, means[column]);
            continue;
        }
        *next = *most;
        *most = means[column];
        *longest = column;
    }
    free(means);
    return true;
}

/* Leave out who is marked by a finding. @return Whether there was memory. */
static bool leave_marked(const dxt_window *window, const dxt_findings *findings,
                         unsigned char *ranks)
{
    dxt_mark *marks;
    size_t count;
    if (dxt_report_marks(window, findings, &marks, &count) != DXT_OK) return false;
    for (size_t i = 0; i < count; i++)
        if (marks[i].kind == DXT_MARK_COLUMN) ranks[marks[i].column] = 0;
    free(marks);
    return true;
}

/* Ranks whose lateness, times `sign`, is at least half of the largest, where that is worth telling.
 * Those that are 0 in `ranks` are left out. */
static void keep_largest(const dxt_findings *findings, int sign, unsigned char *ranks)
{
    double largest = findings->floor;
    for (uint32_t rank = 0; rank < findings->ranks; rank++)
        if (ranks[rank]) largest = fmax(largest, sign * findings->lateness[rank]);
    for (uint32_t rank = 0; rank < findings->ranks; rank++)
        ranks[rank] = ranks[rank] && largest > findings->floor &&
                      sign * findings->lateness[rank] >= largest / 2;
}

static uint32_t count_of(const unsigned char *ranks, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t rank = 0; rank < count; rank++) sum += ranks[rank];
    return sum;
}

/* Who is no later than is worth telling was held up by nobody, however long others wait for it.
 * These return whether there was memory. */
static bool find_held_up(const dxt_window *window, const dxt_findings *findings,
                         unsigned char *ranks)
{
    if (!findings->inherited || !findings->lateness) return true;
    memset(ranks, 1, window->ranks);
    if (!leave_marked(window, findings, ranks)) return false;
    keep_largest(findings, 1, ranks);
    return true;
}

static bool find_silent(const dxt_window *window, unsigned char *ranks)
{
    double most, next;
    uint32_t column;
    if (!window->missing) return true;
    if (!find_longest(window, &column, &most, &next)) return false;
    if (column != DXT_NO_RANK && window->missing[column] && most >= STANDS_OUT * next && most > 0)
        ranks[column] = 1;
    return true;
}

/* Who comes earlier than most. What holds the others up is not known here: the other operator's
 * findings are not at hand. */
static bool find_ahead(const dxt_findings *findings, unsigned char *ranks)
{
    if (findings->inherited || findings->finding_count > 0 || !findings->lateness) return true;
    memset(ranks, 1, findings->ranks);
    keep_largest(findings, -1, ranks);
    /* Of so many the others would be the late ones. */
    if (2 * count_of(ranks, findings->ranks) > findings->ranks) memset(ranks, 0, findings->ranks);
    return true;
}

/* ---- words ---- */

/* Neighbours as one: "0–7, 12"; of many stretches the rest is counted. */
static void put_stretches(dxt_text *text, const unsigned char *ranks, uint32_t count)
{
    uint32_t stretches = 0, left = 0;
    for (uint32_t rank = 0, end; rank < count; rank = end + 1) {
        end = rank;
        if (!ranks[rank]) continue;
        while (end + 1 < count && ranks[end + 1]) end++;
        if (stretches++ >= NAMED) {
            left += end - rank + 1;
            continue;
        }
        dxt_text_printf(text, "%s%u", stretches > 1 ? ", " : "", rank);
        if (end > rank) dxt_text_printf(text, "–%u", end);
    }
    if (left > 0) dxt_text_printf(text, " and %u more", left);
}

static void put_words(dxt_text *text, dxt_explained why, const unsigned char *ranks, uint32_t all,
                      uint32_t count)
{
    dxt_text_puts(text, why == DXT_EXPLAINED_AHEAD ? "row" : "column");
    dxt_text_puts(text, count > 1 ? "s " : " ");
    put_stretches(text, ranks, all);
    if (why == DXT_EXPLAINED_SILENT) {
        dxt_text_puts(text, ": the others wait for rank ");
        put_stretches(text, ranks, all);
        dxt_text_puts(text, ", which is silent");
        return;
    }
    dxt_text_puts(text, count > 1 ? " are no findings of their own" : " is no finding of its own");
}

static bool find(const dxt_window *window, const dxt_findings *findings, dxt_explained why,
                 unsigned char *ranks)
{
    memset(ranks, 0, window->ranks);
    if (findings->method == DXT_METHOD_RATIO && why != DXT_EXPLAINED_SILENT) return true;
    switch (why) {
    case DXT_EXPLAINED_HELD_UP: return find_held_up(window, findings, ranks);
    case DXT_EXPLAINED_SILENT: return find_silent(window, ranks);
    case DXT_EXPLAINED_AHEAD: return find_ahead(findings, ranks);
    }
    return true;
}

uint32_t dxt_words_explained(dxt_text *text, const dxt_window *window, const dxt_findings *findings,
                             dxt_explained why, unsigned char *ranks)
{
    bool known = find(window, findings, why, ranks);
    uint32_t count = known ? count_of(ranks, window->ranks) : 0;
    if (!text) return count;
    text->failed = text->failed || !known;
    if (count > 0) put_words(text, why, ranks, window->ranks, count);
    return text->failed ? 0 : count;
}

uint32_t dxt_report_explained(const dxt_window *window, const dxt_findings *findings,
                              dxt_explained why, unsigned char *ranks, char *buffer, size_t size)
{
    bool wanted = buffer && size > 0;
    if (wanted) buffer[0] = '\0';
    if (!window || !findings || !ranks || window->ranks != findings->ranks) return 0;
    dxt_text text = {0};
    uint32_t count = dxt_words_explained(wanted ? &text : NULL, window, findings, why, ranks);
    if (count == 0) memset(ranks, 0, window->ranks);
    if (wanted && count > 0) snprintf(buffer, size, "%s", text.data);
    free(text.data);
    return count;
}
