/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heatmap.h"
#include "options.h"
#include "outcome.h"

/* Keep the first failure; the job goes on to its end or is asked to stop. */
static void keep_failure(job_report *report, dxt_status status, const char *what)
{
    if (status >= DXT_OK || report->status != DXT_OK) return;
    report->status = status;
    snprintf(report->error, sizeof report->error, "%s: %s", what, dxt_error());
    job_stop(report->run->control);
}

/* ---- windows as they come ---- */

#define HEAD 12
#define WIDTH 80

/* Characters of UTF-8 text. */
static int length_of(const char *text, size_t bytes)
{
    int length = 0;
    for (size_t i = 0; i < bytes; i++) length += ((unsigned char)text[i] & 0xc0) != 0x80;
    return length;
}

/* A paragraph behind its head, broken at blanks. */
static void say(const char *head, const char *text)
{
    stdout_printf("%-*s", HEAD - 1, head);
    int column = HEAD - 1;
    for (const char *at = text; *at; at += strspn(at, " ")) {
        size_t bytes = strcspn(at, " ");
        int length = length_of(at, bytes);
        if (column >= HEAD && column + 1 + length > WIDTH) {
            stdout_printf("\n%*s", HEAD - 1, "");
            column = HEAD - 1;
        }
        stdout_printf(" %.*s", (int)bytes, at);
        column += 1 + length;
        at += bytes;
    }
    stdout_printf("\n");
}

static void say_window(const dxt_diagnosis *diagnoses, size_t count)
{
    char head[32], text[512];
    snprintf(head, sizeof head, "window %lld", (long long)diagnoses[0].window->index);
    size_t said = 0;
    for (size_t d = 0; d < count; d++) {
        const dxt_findings *findings = diagnoses[d].findings;
        for (size_t f = 0; f < findings->finding_count; f++) {
            /* Who is silent is so in every operator. */
            if (d > 0 && findings->findings[f].kind == DXT_SILENT_RANK) continue;
            dxt_report_sentence(diagnoses[d].window, findings, f, text, sizeof text);
            say(said++ ? "" : head, text);
        }
        if (findings->finding_count > 0 || findings->verdict == DXT_VERDICT_HEALTHY) continue;
        snprintf(text, sizeof text, "%s: %s", diagnoses[d].window->phase,
                 dxt_verdict_name(findings->verdict));
        say(said++ ? "" : head, text);
    }
    if (!said) say(head, dxt_verdict_name(DXT_VERDICT_HEALTHY));
}

void job_report_windows(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    job_report *report = context;
    const job *run = report->run;
    for (size_t d = 0; run->recording && d < count && d < DXT_EP_OPERATORS; d++)
        dxt_window_write(diagnoses[d].window, output_write, &report->record);
    if (run->recording && output_flush(&report->record) != DXT_OK) job_stop(run->control);
    for (size_t d = 0; d < count && d < DXT_EP_OPERATORS; d++) {
        keep_failure(report, job_sum_add(&report->sums[d], diagnoses[d].window),
                     "cannot add the windows");
        if (run->json)
            dxt_report_json(diagnoses[d].window, diagnoses[d].findings, stdout_write, NULL);
    }
    if (run->text) say_window(diagnoses, count);
    /* A full disk or a reader that has gone ends the job: nobody would see the rest. */
    if (stdout_flush() != DXT_OK) job_stop(run->control);
    if (++report->windows == run->windows) job_stop(run->control);
}

/* ---- the whole run ---- */

/* What one operator of the whole run comes to. */
typedef struct verdict {
    dxt_findings *all;      /* in the sum of the windows */
    dxt_findings confirmed; /* of those, what the windows bear out */
} verdict;

static dxt_status judge(job_report *report, size_t index, verdict *v)
{
    dxt_analysis_options options = {
        .struct_size = sizeof options,
        .companion = report->sums[1 - index].window,
        .min_share = report->run->min_share,
    };
    /* That ranks waited for cores explains no more than the windows bear out. */
    dxt_window sum = *report->sums[index].window;
    sum.run_delay_ns = NULL;
    dxt_status status = dxt_analyze(&sum, &options, &v->all);
    if (status != DXT_OK) return status;
    return job_confirm(report->history, report->sums[index].window->phase, v->all, &v->confirmed);
}

static void say_headline(const job_report *report, int64_t steps)
{
    const job *run = report->run;
    char text[128], left_out[64] = "";
    int length = snprintf(text, sizeof text, "The whole run, %u ranks, %llu window%s, %lld steps",
                          run->shape.ranks, (unsigned long long)report->windows,
                          report->windows == 1 ? "" : "s", (long long)steps);
    if (run->warmup_windows == 1)
        snprintf(left_out, sizeof left_out, "(the first window is left out)");
    else if (run->warmup_windows > 1)
        snprintf(left_out, sizeof left_out, "(the first %llu windows are left out)",
                 (unsigned long long)run->warmup_windows);
    const char *gap = length + (int)strlen(left_out) + 2 > WIDTH ? "\n" : " ";
    stdout_printf("\n%s%s%s:\n", text, *left_out ? gap : "", left_out);
    if (run->min_share_raised)
        stdout_printf("ranks share processors: no findings below %g %% of the step "
                      "(--min-share)\n",
                      100 * run->min_share);
}

static dxt_status say_whole(const job_report *report, const dxt_diagnosis *whole)
{
    const job *run = report->run;
    if (run->json) {
        dxt_status status = DXT_OK;
        for (size_t d = 0; d < DXT_EP_OPERATORS && status == DXT_OK; d++)
            status = dxt_report_json(whole[d].window, whole[d].findings, stdout_write, NULL);
        if (status == DXT_OK && run->summary)
            status = dxt_report_summary_json(report->history, stdout_write, NULL);
        return status;
    }
    if (!run->text) return DXT_OK;
    stdout_printf("\n");
    dxt_status status =
        draw_heatmaps(whole, DXT_EP_OPERATORS, DXT_FORMAT_TERMINAL, NULL, run->color,
                      terminal_columns(STDOUT_FILENO), stdout_write, NULL);
    if (status != DXT_OK) return status;
    say_headline(report, whole[0].window->ops);
    for (size_t d = 0; d < DXT_EP_OPERATORS && status == DXT_OK; d++)
        status = dxt_report_text(whole[d].window, whole[d].findings, stdout_text, NULL);
    /* Who, since when, how often: of one window there is no more to tell. */
    bool several = dxt_history_windows(report->history) > 1;
    if (status == DXT_OK && (several || run->summary))
        status = dxt_report_summary_text(report->history, stdout_text, NULL);
    return status;
}

static dxt_status draw_whole(job_report *report, const dxt_diagnosis *whole)
{
    const job *run = report->run;
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < run->picture_count && status == DXT_OK; p++)
        status = draw_heatmaps(whole, DXT_EP_OPERATORS, run->picture_formats[p], "deepxtrace job",
                               run->color, 0, output_write, &report->pictures[p]);
    return status;
}

static outcome conclude(job_report *report)
{
    verdict verdicts[DXT_EP_OPERATORS] = {{NULL, {0}}};
    dxt_diagnosis whole[DXT_EP_OPERATORS];
    bool slow = false;
    for (size_t d = 0; d < DXT_EP_OPERATORS; d++)
        keep_failure(report, job_sum_end(&report->sums[d]), "cannot add the windows");
    for (size_t d = 0; d < DXT_EP_OPERATORS && report->status == DXT_OK; d++) {
        keep_failure(report, judge(report, d, &verdicts[d]), "cannot analyze the sum");
        whole[d] = (dxt_diagnosis){report->sums[d].window, &verdicts[d].confirmed};
        slow |= verdicts[d].confirmed.verdict == DXT_VERDICT_SLOW;
    }
    if (report->status == DXT_OK)
        keep_failure(report, say_whole(report, whole), "cannot write the report");
    if (report->status == DXT_OK)
        keep_failure(report, draw_whole(report, whole), "cannot draw the heat map");
    for (size_t d = 0; d < DXT_EP_OPERATORS; d++) {
        confirmed_free(&verdicts[d].confirmed);
        dxt_findings_free(verdicts[d].all);
    }
    return slow && report->run->exit_code ? EXIT_FINDINGS : EXIT_DONE;
}

/* What was written must reach the file here: the parent, which names the file, holds none of it. */
static outcome finish_file(output_file *output)
{
    if (output_flush(output) == DXT_OK || !output->file) return GO_ON;
    complain("job", "%s: %s", output->path, strerror(output->error));
    return EXIT_FAILED;
}

outcome job_report_end(job_report *report)
{
    const job *run = report->run;
    outcome result = EXIT_FAILED;
    if (report->sums[0].window && report->sums[1].window)
        result = conclude(report);
    else if (report->status == DXT_OK)
        complain("job", report->windows
                            ? "no operation was completed in any window"
                            : "the job ended before its first window; let it run longer");
    for (size_t d = 0; d < DXT_EP_OPERATORS; d++) dxt_window_free(report->sums[d].window);
    dxt_history_destroy(report->history);
    outcome file = run->recording ? finish_file(&report->record) : GO_ON;
    for (size_t p = 0; p < run->picture_count && file == GO_ON; p++)
        file = finish_file(&report->pictures[p]);
    if (file != GO_ON) return file;
    if (report->status == DXT_OK || report->status == DXT_ERR_IO) return result;
    complain("job", "%s", report->error);
    return EXIT_FAILED;
}
