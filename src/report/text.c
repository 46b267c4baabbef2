/* SPDX-License-Identifier: Apache-2.0 */
/* The report for people: a verdict line, then one line per finding, wrapped at words. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/report.h>

#include "report/words.h"

#define WIDTH 80
/* Lines of findings: nobody reads more. */
#define MOST_LINES 10u

dxt_status dxt_report_check(const dxt_window *window, const dxt_findings *findings)
{
    if (!window || !findings)
        return dxt_fail(DXT_ERR_INVALID, "window and findings must not be NULL");
    if (window->ranks != findings->ranks)
        return dxt_fail(DXT_ERR_INVALID, "the findings are of %u ranks, but the window has %u",
                        findings->ranks, window->ranks);
    return DXT_OK;
}

static size_t width(const char *bytes, size_t size)
{
    size_t characters = 0;
    for (size_t i = 0; i < size; i++) characters += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return characters;
}

/* Length of the word at `at`; a figure and its unit are one word, and so is a time. */
static size_t word(const char *at)
{
    static const char *const units[] = {"ns", "µs", "ms", "s", "%", "cycles"};
    size_t length = strcspn(at, " ");
    bool date = length == 10 && at[4] == '-' && at[7] == '-';
    /* "2026-11-26 03:12:40 UTC" */
    for (int more = 0; date && more < 2 && at[length] == ' '; more++)
        length += 1 + strcspn(at + length + 1, " ");
    if (date) return length;
    if (at[length] == '\0' || strcspn(at, "0123456789") >= length) return length;
    const char *next = at + length + 1;
    size_t unit = strcspn(next, " ,;:)");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strlen(units[i]) == unit && memcmp(next, units[i], unit) == 0)
            return length + 1 + strcspn(next, " ");
    return length;
}

/* Blanks at the beginning of the line stay. */
void dxt_words_wrap(dxt_text *text, dxt_text *line, size_t indent)
{
    const char *at = line->data;
    size_t column = 0;
    if (line->failed) text->failed = true;
    while (!text->failed && at && *at) {
        size_t blanks = strspn(at, " ");
        size_t length = word(at + blanks);
        size_t wide = width(at + blanks, length);
        if (column > indent && column + blanks + wide > WIDTH) {
            dxt_text_printf(text, "\n%*s", (int)indent, "");
            column = indent;
        } else {
            dxt_text_append(text, at, blanks);
            column += blanks;
        }
        dxt_text_append(text, at + blanks, length);
        column += wide;
        at += blanks + length;
    }
    dxt_text_puts(text, "\n");
    free(line->data);
    *line = (dxt_text){0};
}

/* The longest wait of one rank for another; NaN if there is none. */
static dxt_status longest_wait(const dxt_window *window, double *longest)
{
    double *row = malloc(window->ranks * sizeof *row);
    if (!row) return dxt_fail_memory(window->ranks * sizeof *row);
    double most = NAN;
    for (uint32_t i = 0; i < window->ranks; i++) {
        dxt_window_row(window, i, row);
        for (uint32_t j = 0; j < window->ranks; j++)
            if (i != j && isfinite(row[j]) && !(row[j] <= most)) most = row[j];
    }
    free(row);
    *longest = most;
    return DXT_OK;
}

static void count_noun(dxt_text *line, const char **lead, size_t count, const char *noun)
{
    if (count == 0) return;
    dxt_text_printf(line, "%s%zu %s%s", *lead, count, noun, count == 1 ? "" : "s");
    *lead = ", ";
}

static void why_slow(dxt_text *line, const dxt_findings *findings)
{
    const char *lead = " — ";
    if (findings->method == DXT_METHOD_RATIO) {
        count_noun(line, &lead, findings->col_count, "abnormal column");
        count_noun(line, &lead, findings->row_count, "abnormal row");
        count_noun(line, &lead, findings->point_count, "abnormal point");
    }
    count_noun(line, &lead, findings->finding_count, "finding");
}

/* "healthy — nobody waits more than 12 µs per operation for anybody" */
static void why_healthy(dxt_text *line, const dxt_window *window, const dxt_findings *findings,
                        double longest)
{
    if (findings->method == DXT_METHOD_RATIO) {
        dxt_text_puts(line, " — no column, row or point above its threshold");
    } else if (findings->inherited) {
        dxt_text_puts(line, " — its waits come from what the other operator's findings name");
    } else if (isfinite(longest)) {
        dxt_text_puts(line, " — nobody waits more than ");
        dxt_words_wait(line, dxt_window_measure(window), longest);
        dxt_text_puts(line, " for anybody");
    }
}

/* An idle server looks like one that hangs. */
static void why_still(dxt_text *line, const dxt_findings *findings)
{
    dxt_text_puts(line, " — nothing completed since ");
    if (findings->still_since[0])
        dxt_words_time(line, findings->still_since);
    else
        dxt_text_printf(line, "%" PRIu64 " windows", findings->still_windows);
    dxt_text_puts(line, ", not known who holds it up (an idle server looks the same)");
}

/* What would be named may be no more than this. */
static void why_delayed(dxt_text *line, const dxt_window *window, const dxt_findings *findings)
{
    dxt_text_puts(line, " — ");
    dxt_words_rank(line, window, findings->delayed_rank);
    dxt_text_puts(line, " waited ");
    dxt_words_amount(line, DXT_MEASURE_NS, (double)findings->delayed_ns);
    dxt_text_puts(line, " for a CPU core, which may be all there is to it");
}

/* "about 28 % of the step is lost by ranks that wait for each other, and nothing says for whom" */
static void why_lost(dxt_text *line, const dxt_findings *findings)
{
    if (findings->apart_share > findings->lost_share)
        dxt_text_printf(
            line,
            " — the path between the two nodes takes %.0f %% of the step, in either "
            "direction. Distance and an uplink that is slow both ways look alike: if it took less "
            "before, or takes less between other nodes, it is an uplink. Test the link "
            "(ib_write_bw, iperf3)",
            100 * findings->apart_share);
    else
        dxt_text_printf(line,
                        " — about %.0f %% of the step is lost by ranks that wait for each other, "
                        "and nothing says for whom",
                        100 * findings->lost_share);
}

static dxt_status verdict(dxt_text *line, const dxt_window *window, const dxt_findings *findings)
{
    double longest = NAN;
    dxt_status status = longest_wait(window, &longest);
    if (status != DXT_OK) return status;
    dxt_text_puts(line, dxt_verdict_name(findings->verdict));
    switch (findings->verdict) {
    case DXT_VERDICT_HEALTHY: why_healthy(line, window, findings, longest); break;
    case DXT_VERDICT_INCONCLUSIVE:
        if (findings->still_windows > 1) {
            why_still(line, findings);
            break;
        }
        if (findings->delayed_ns > 0) {
            why_delayed(line, window, findings);
            break;
        }
        if (findings->lost_share > 0 || findings->apart_share > 0) {
            why_lost(line, findings);
            break;
        }
        dxt_text_puts(line, longest > 0 ? " — too short or too noisy to tell, or something that "
                                          "happened once"
                                        : " — nothing was counted");
        break;
    default: why_slow(line, findings); break;
    }
    return DXT_OK;
}

static void heading(dxt_text *line, const dxt_window *window)
{
    dxt_words_name(line, window->phase);
    if (window->index >= 0) dxt_text_printf(line, ", window %" PRId64, window->index);
    int64_t begin_ns;
    if (dxt_parse_time(window->begin, &begin_ns)) {
        dxt_text_puts(line, ", ");
        dxt_words_time(line, window->begin);
    }
    if (window->case_name) {
        dxt_text_puts(line, ", case ");
        dxt_words_name(line, window->case_name);
    }
    dxt_text_printf(line, ", %u ranks: ", window->ranks);
}

static void axis_lines(dxt_text *text, const char *what, const dxt_abnormal_axis *axes,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dxt_text line = {0};
        dxt_text_printf(&line, "  %s %u: mean ", what, axes[i].rank);
        dxt_words_figure(&line, axes[i].mean);
        dxt_text_printf(&line, ", %.2f times the mean of all %ss", axes[i].normalised, what);
        dxt_words_wrap(text, &line, 4);
    }
}

static void point_lines(dxt_text *text, const dxt_findings *findings)
{
    for (size_t i = 0; i < findings->point_count; i++) {
        const dxt_abnormal_point *point = &findings->points[i];
        dxt_text line = {0};
        dxt_text_printf(&line, "  point: rank %u waits for rank %u: ", point->row, point->column);
        dxt_words_figure(&line, point->value);
        dxt_text_printf(&line, ", %.2f times the mean", point->normalised);
        dxt_words_wrap(text, &line, 4);
    }
}

static void finding_lines(dxt_text *text, const dxt_window *window, const dxt_findings *findings)
{
    dxt_text line = {0};
    size_t count = findings->finding_count, lines = count < MOST_LINES ? count : MOST_LINES;
    for (size_t i = 0; i < lines; i++) {
        const dxt_finding *finding = &findings->findings[i];
        dxt_text_printf(&line, "  %-8s  ", dxt_severity_name(finding->severity));
        dxt_words_finding(&line, window, findings, i);
        dxt_text_printf(&line, " (confidence %.0f %%)",
                        isfinite(finding->confidence) ? floor(finding->confidence * 100) : 0);
        dxt_words_wrap(text, &line, 12);
    }
    if (count > lines)
        dxt_text_printf(text, "  and %zu more that cost less (--json has them all)\n",
                        count - lines);
    if (findings->waits_beside > 0 && count > 0) {
        dxt_text_printf(
            &line,
            "  at least %u waits at a time were added up (experts of a rank): the number "
            "of operations is not known, nor the share of the step",
            findings->waits_beside);
        dxt_words_wrap(text, &line, 4);
    }
    uint32_t size = findings->likely_node_size;
    if (size == 0) return;
    dxt_text_printf(
        &line,
        "  hint: ranks %u–%u, and so on, behave as a block each: if these are nodes, try "
        "--ranks-per-node %u",
        size, 2 * size - 1, size);
    dxt_words_wrap(text, &line, 4);
}

dxt_status dxt_report_text(const dxt_window *window, const dxt_findings *findings,
                           dxt_write_fn write, void *context)
{
    if (!window || !findings || !write)
        return dxt_fail(DXT_ERR_INVALID, "window, findings and write must not be NULL");
    dxt_text text = {0}, line = {0};
    dxt_status status = dxt_report_check(window, findings);
    if (status != DXT_OK) return status;
    heading(&line, window);
    status = verdict(&line, window, findings);
    if (status != DXT_OK) {
        free(line.data);
        return status;
    }
    dxt_words_wrap(&text, &line, 4);
    finding_lines(&text, window, findings);
    if (findings->method == DXT_METHOD_RATIO) {
        axis_lines(&text, "column", findings->cols, findings->col_count);
        axis_lines(&text, "row", findings->rows, findings->row_count);
        point_lines(&text, findings);
    }
    return dxt_text_flush(&text, write, context);
}
