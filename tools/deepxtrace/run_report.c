/* SPDX-License-Identifier: Apache-2.0 */
#include "run_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include "tool_heatmap.h"

/* Keep the first failure; the job goes on to its end or is asked to stop. */
static void keep_failure(dxt_run_report *report, dxt_status status, const char *what)
{
    if (status >= DXT_OK || report->status != DXT_OK) return;
    report->status = status;
    snprintf(report->error, sizeof report->error, "%s: %s", what, dxt_error());
    dxt_run_stop(report->run->control);
}

/* ---- the sum of all windows ---- */

static dxt_status append(void *context, const void *data, size_t size)
{
    return fwrite(data, 1, size, context) == size ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* A copy of a window, by way of the recording format. */
static dxt_status copy_window(const dxt_window *window, dxt_window **copy)
{
    char *line = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&line, &size);
    if (!memory) return DXT_ERR_NO_MEMORY;
    dxt_status status = dxt_window_write(window, append, memory);
    if (fclose(memory) != 0 && status == DXT_OK) status = DXT_ERR_NO_MEMORY;
    dxt_reader *reader = NULL;
    if (status == DXT_OK) status = dxt_reader_open_memory(line, size, "window", &reader);
    if (status == DXT_OK) status = dxt_reader_next(reader, copy);
    dxt_reader_close(reader);
    free(line);
    return status;
}

static dxt_status add_to_sum(dxt_run_report *report, size_t index, const dxt_window *window)
{
    if (report->sum[index]) return dxt_window_add(report->sum[index], window);
    dxt_status status = copy_window(window, &report->sum[index]);
    if (status == DXT_OK) report->sum[index]->index = -1;
    return status;
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
    dxt_stdout_printf("%-*s", HEAD - 1, head);
    int column = HEAD - 1;
    for (const char *at = text; *at; at += strspn(at, " ")) {
        size_t bytes = strcspn(at, " ");
        int length = length_of(at, bytes);
        if (column >= HEAD && column + 1 + length > WIDTH) {
            dxt_stdout_printf("\n%*s", HEAD - 1, "");
            column = HEAD - 1;
        }
        dxt_stdout_printf(" %.*s", (int)bytes, at);
        column += 1 + length;
        at += bytes;
    }
    dxt_stdout_printf("\n");
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

void dxt_run_report_windows(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    dxt_run_report *report = context;
    const dxt_run *run = report->run;
    for (size_t d = 0; d < count && d < DXT_EP_OPERATORS; d++) {
        keep_failure(report, add_to_sum(report, d, diagnoses[d].window), "the sum of the windows");
        keep_failure(report, dxt_named_add(&report->named[d], diagnoses[d].findings),
                     "what the windows name");
        if (run->recording)
            dxt_window_write(diagnoses[d].window, dxt_output_write, &report->record);
        if (run->json)
            dxt_report_json(diagnoses[d].window, diagnoses[d].findings, dxt_stdout_write, NULL);
    }
    if (run->text) say_window(diagnoses, count);
    /* A full disk or a reader that has gone ends the job: nobody would see the rest. */
    if (dxt_stdout_flush() != DXT_OK) dxt_run_stop(run->control);
    if (run->recording && dxt_output_flush(&report->record) != DXT_OK) dxt_run_stop(run->control);
    if (++report->windows == run->windows) dxt_run_stop(run->control);
}

/* ---- the whole run ---- */

/* What one operator of the whole run comes to. */
typedef struct verdict {
    dxt_findings *all;      /* in the sum of the windows */
    dxt_findings confirmed; /* of those, what the windows bear out */
} verdict;

static dxt_status judge(dxt_run_report *report, size_t index, verdict *v)
{
    dxt_analysis_options options = {
        .struct_size = sizeof options,
        .companion = report->sum[1 - index],
        .min_share = report->run->min_share,
    };
    dxt_status status = dxt_analyze(report->sum[index], &options, &v->all);
    if (status != DXT_OK) return status;
    return dxt_named_confirm(&report->named[index], v->all, &v->confirmed);
}

static dxt_status say_whole(const dxt_run_report *report, const dxt_diagnosis *whole)
{
    const dxt_run *run = report->run;
    if (run->json) {
        dxt_status status = DXT_OK;
        for (size_t d = 0; d < DXT_EP_OPERATORS && status == DXT_OK; d++)
            status = dxt_report_json(whole[d].window, whole[d].findings, dxt_stdout_write, NULL);
        return status;
    }
    if (!run->text) return DXT_OK;
    dxt_stdout_printf("\n");
    dxt_status status =
        dxt_draw_heatmaps(whole, DXT_EP_OPERATORS, DXT_FORMAT_TERMINAL, NULL, run->color,
                          dxt_terminal_columns(STDOUT_FILENO), dxt_stdout_write, NULL);
    if (status != DXT_OK) return status;
    dxt_stdout_printf("\nThe whole run, %u ranks, %llu window%s, %lld steps:\n", run->shape.ranks,
                      (unsigned long long)report->windows, report->windows == 1 ? "" : "s",
                      (long long)whole[0].window->ops);
    for (size_t d = 0; d < DXT_EP_OPERATORS && status == DXT_OK; d++)
        status = dxt_report_text(whole[d].window, whole[d].findings, dxt_stdout_write, NULL);
    return status;
}

static dxt_status draw_whole(dxt_run_report *report, const dxt_diagnosis *whole)
{
    const dxt_run *run = report->run;
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < run->picture_count && status == DXT_OK; p++)
        status =
            dxt_draw_heatmaps(whole, DXT_EP_OPERATORS, run->picture_formats[p], "deepxtrace run",
                              run->color, 0, dxt_output_write, &report->pictures[p]);
    return status;
}

static int conclude(dxt_run_report *report)
{
    verdict verdicts[DXT_EP_OPERATORS] = {{NULL, {0}}};
    dxt_diagnosis whole[DXT_EP_OPERATORS];
    bool slow = false;
    for (size_t d = 0; d < DXT_EP_OPERATORS && report->status == DXT_OK; d++) {
        keep_failure(report, judge(report, d, &verdicts[d]), "analysis");
        whole[d] = (dxt_diagnosis){report->sum[d], &verdicts[d].confirmed};
        slow |= verdicts[d].confirmed.verdict == DXT_VERDICT_SLOW;
    }
    if (report->status == DXT_OK) keep_failure(report, say_whole(report, whole), "report");
    if (report->status == DXT_OK) keep_failure(report, draw_whole(report, whole), "heat map");
    for (size_t d = 0; d < DXT_EP_OPERATORS; d++) {
        dxt_confirmed_free(&verdicts[d].confirmed);
        dxt_findings_free(verdicts[d].all);
    }
    return slow && report->run->exit_code ? DXT_EXIT_FINDINGS : DXT_EXIT_DONE;
}

/* What was written must reach the file here: the parent, which names the file, holds none of it. */
static int finish_file(dxt_output *output)
{
    if (dxt_output_flush(output) == DXT_OK || !output->file) return -1;
    dxt_complain("run", "%s: %s", output->path, strerror(output->error));
    return DXT_EXIT_FAILED;
}

int dxt_run_report_end(dxt_run_report *report)
{
    const dxt_run *run = report->run;
    int result = DXT_EXIT_DONE;
    if (report->windows > 0 && report->sum[0] && report->sum[1])
        result = conclude(report);
    else if (report->status == DXT_OK)
        dxt_complain("run", "ended before the first window was complete");
    for (size_t d = 0; d < DXT_EP_OPERATORS; d++) {
        dxt_window_free(report->sum[d]);
        dxt_named_free(&report->named[d]);
    }
    int file = run->recording ? finish_file(&report->record) : -1;
    for (size_t p = 0; p < run->picture_count && file < 0; p++)
        file = finish_file(&report->pictures[p]);
    if (file >= 0) return file;
    if (report->status == DXT_OK || report->status == DXT_ERR_IO) return result;
    dxt_complain("run", "%s", report->error);
    return DXT_EXIT_FAILED;
}
