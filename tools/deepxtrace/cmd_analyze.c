/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>

#include <deepxtrace/deepxtrace.h>

#include "commands.h"
#include "input.h"
#include "options.h"
#include "outcome.h"
#include "output.h"

/** One run of the command. */
struct analyze {
    analysis_options analysis;
    bool json;
    bool exit_code;
    bool no_history;
    bool summary;         /**< also with --json */
    bool many;            /**< several files: name each */
    dxt_history *history; /**< of the file under way; NULL = windows are judged alone */
    bool found;
};

/* Sum up the run that has ended, if there is more to it than its last window. */
static outcome report_summary(struct analyze *run)
{
    uint64_t windows = run->history ? dxt_history_run(run->history).windows : 0;
    if (windows == 0 || (run->json ? !run->summary : windows == 1 && !run->summary)) return GO_ON;
    dxt_status status = run->json ? dxt_report_summary_json(run->history, stdout_write, NULL)
                                  : dxt_report_summary_text(run->history, stdout_write, NULL);
    if (status == DXT_OK) status = stdout_flush();
    if (status == DXT_ERR_IO) return EXIT_FAILED;
    return status == DXT_OK ? GO_ON : complain_status("analyze", status);
}

/* What the window says alone, then in the light of those before it. */
static dxt_status judge(struct analyze *run, const dxt_window *window, const dxt_window *companion,
                        dxt_findings **findings)
{
    dxt_findings *alone;
    dxt_status status = analyze_window(&run->analysis, window, companion, run->history, &alone);
    if (status != DXT_OK || !run->history) {
        if (status == DXT_OK) *findings = alone;
        return status;
    }
    status = dxt_history_judge(run->history, window, alone, findings);
    dxt_findings_free(alone);
    return status;
}

/* Report one window. */
static outcome report(struct analyze *run, const dxt_window *window, const dxt_window *companion)
{
    dxt_findings *findings;
    if (run->history && !dxt_history_continues(run->history, window)) {
        outcome result = report_summary(run);
        if (result != GO_ON) return result;
    }
    dxt_status status = judge(run, window, companion, &findings);
    if (status != DXT_OK) return complain_status("analyze", status);
    if (findings->verdict == DXT_VERDICT_SLOW) run->found = true;
    status = run->json ? dxt_report_json(window, findings, stdout_write, NULL)
                       : dxt_report_text(window, findings, stdout_write, NULL);
    dxt_findings_free(findings);
    /* Whoever reads a pipe sees each window when it is done. */
    if (status == DXT_OK) status = stdout_flush();
    /* What went wrong with standard output is said at the end, once. */
    if (status == DXT_ERR_IO) return EXIT_FAILED;
    return status == DXT_OK ? GO_ON : complain_status("analyze", status);
}

/*
 * Windows in order, each with the other operator of the same interval if that is its neighbour. A
 * window whose companion came before it is reported at once; any other waits for the next line.
 */
static outcome analyze_windows(struct analyze *run, dxt_reader *reader)
{
    dxt_window *before = NULL, *window = NULL, *after = NULL;
    outcome result = GO_ON;
    dxt_status status = dxt_reader_next(reader, &window);
    while (window && result == GO_ON) {
        const dxt_window *companion = before && is_pair(before, window) ? before : NULL;
        if (!companion) {
            status = dxt_reader_next(reader, &after);
            if (after && is_pair(window, after)) companion = after;
        }
        result = report(run, window, companion);
        /* With the pair complete, neither half can be another window's companion. */
        bool complete = before && companion == before;
        dxt_window_free(before);
        before = complete ? NULL : window;
        if (complete) dxt_window_free(window);
        window = after;
        after = NULL;
        if (!window && status == DXT_OK) status = dxt_reader_next(reader, &window);
    }
    dxt_window_free(before);
    dxt_window_free(window);
    if (result == GO_ON && status != DXT_END) result = complain_status("analyze", status);
    return result;
}

static dxt_status begin_history(struct analyze *run)
{
    dxt_history_options options = {.struct_size = sizeof options,
                                   .min_share = run->analysis.min_share};
    if (run->no_history || run->analysis.method == DXT_METHOD_RATIO) return DXT_OK;
    return dxt_history_create(&options, &run->history);
}

static outcome analyze_file(struct analyze *run, const char *path)
{
    dxt_reader *reader;
    outcome result = input_open("analyze", path, &reader);
    if (result != GO_ON) return result;
    if (run->many && !run->json) stdout_printf("%s:\n", path);
    dxt_status status = begin_history(run);
    result = status == DXT_OK ? analyze_windows(run, reader) : complain_status("analyze", status);
    /* A file that breaks off has a beginning worth summing up. */
    if (result != EXIT_FAILED) {
        outcome summed = report_summary(run);
        if (result == GO_ON) result = summed;
    }
    dxt_history_destroy(run->history);
    run->history = NULL;
    dxt_reader_close(reader);
    return result;
}

outcome cmd_analyze(int argc, char **argv)
{
    struct analyze run = {0};
    cli_option options[4 + ANALYSIS_OPTIONS] = {
        {.name = "json", .value = &run.json, .help = "one line of JSON per window"},
        {.name = "exit-code", .value = &run.exit_code, .help = "exit with 1 if a window is slow"},
        {.name = "no-history",
         .value = &run.no_history,
         .help = "judge every window alone, and sum nothing up"},
        {.name = "summary",
         .value = &run.summary,
         .help = "sum up each run behind its last window, with --json as well"},
    };
    analysis_options_of(&run.analysis, options + 4);
    const cli_command command = {
        .name = "analyze",
        .summary = "Name what is slow in recorded wait matrices, and what it costs.",
        .operands = "FILE...|-",
        .min_operands = 1,
        .max_operands = -1,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .notes =
            "Reads recordings (JSON Lines), diagnosis logs, and plain matrices; '-' is\n"
            "standard input. Windows are reported in their order, as they come. A dispatch\n"
            "and a combine of the same window that follow each other are judged together, and\n"
            "numbered windows of a run with those before them; a run of several windows ends\n"
            "with a summary.\n\n"
            "Exit status: 0 done, 1 something is slow (--exit-code), 2 bad usage or input,\n"
            "3 failed.\n",
        .examples = "  deepxtrace analyze recording.jsonl\n"
                    "  deepxtrace analyze --json --method ratio recording.jsonl | jq .verdict\n"
                    "  deepxtrace analyze --exit-code --min-share 5% - < recording.jsonl\n",
    };
    int count;
    outcome result = command_line(&command, argc, argv, &count);
    run.many = result == GO_ON && count > 1;
    for (int i = 1; result == GO_ON && i <= count; i++) result = analyze_file(&run, argv[i]);
    if (result != GO_ON) return result;
    return run.exit_code && run.found ? EXIT_FINDINGS : EXIT_DONE;
}
