/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <deepxtrace/deepxtrace.h>

#include "about.h"
#include "changes.h"
#include "commands.h"
#include "describe.h"
#include "files.h"
#include "input.h"
#include "jobs.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "since.h"

/** One run of the command. */
struct analyze {
    analysis_options analysis;
    bool json;
    bool exit_code;
    bool no_history;
    bool summary;             /**< also with --json */
    bool summary_only;        /**< and no windows */
    bool every;               /**< the windows that say the same as those before, too */
    since_time since;         /**< no windows that began before */
    int64_t newest_ns;        /**< with --since: when the newest window began, … */
    char newest[40];          /**< … in its own words, … */
    char newest_in[256];      /**< … and the file that has it */
    const char *file;         /**< under way */
    uint64_t rank;            /**< only what concerns this one; UINT64_MAX = all */
    int32_t node;             /**< of that rank, in the newest window; -1 = not known */
    uint32_t most_ranks;      /**< of a window so far, in all files */
    bool strict;              /**< stop at the first window that cannot be read */
    bool many;                /**< several files: name each */
    uint64_t limit;           /**< of windows that are told, and of findings of each; 0 = none */
    uint64_t told, kept_back; /**< windows of the file under way */
    jobs all;                 /**< of the file under way */
    job *job;                 /**< of the window under way */
    bool found;
};

/* Of several jobs that share a file, say whose lines follow. */
static dxt_status name_job(struct analyze *run, const job *of)
{
    bool same = run->all.last == of;
    run->all.last = of;
    if (same || !run->all.several) return DXT_OK;
    char name[256] = "without a name";
    if (of->instance) snprintf(name, sizeof name, "%s", of->instance);
    dxt_make_printable(name);
    return stdout_printf("job %s:\n", name);
}

static dxt_status write_summary(const struct analyze *run, const dxt_history *history)
{
    if (run->rank != UINT64_MAX)
        return dxt_report_summary_of_rank(history, (uint32_t)run->rank, run->node, run->json,
                                          stdout_write, NULL);
    return run->json ? dxt_report_summary_json(history, stdout_write, NULL)
                     : dxt_report_summary_text(history, stdout_text, NULL);
}

/* Sum up the run that has ended, if there is more to it than its last window. */
static outcome report_summary(struct analyze *run, job *of)
{
    uint64_t windows = dxt_history_windows(of->history);
    bool asked = run->summary || run->summary_only;
    dxt_status status = changes_end(&of->told);
    if (status != DXT_OK) return EXIT_FAILED;
    if (windows == 0 || (run->json ? !asked : windows == 1 && !asked)) return GO_ON;
    if (!run->json) status = name_job(run, of);
    if (status != DXT_OK) return EXIT_FAILED;
    status = write_summary(run, of->history);
    if (status == DXT_OK) status = stdout_flush();
    if (status == DXT_ERR_IO) return EXIT_FAILED;
    return status == DXT_OK ? GO_ON : complain_status("analyze", status);
}

/* What the window says alone, then in the light of those before it. */
static dxt_status judge(struct analyze *run, const dxt_window *window, related_windows related,
                        dxt_findings **findings)
{
    dxt_findings *alone;
    dxt_history *history = run->job->history;
    dxt_status status = analyze_window(&run->analysis, window, related, history, &alone);
    if (status != DXT_OK || !history) {
        if (status == DXT_OK) *findings = alone;
        return status;
    }
    status = dxt_history_judge(history, window, alone, findings);
    dxt_findings_free(alone);
    return status;
}

/* Whether a window began too early to be looked at. One that does not say when is an error. */
static bool too_early(struct analyze *run, const dxt_window *window, outcome *result)
{
    int64_t begin_ns;
    if (run->since.ns == 0) return false;
    if (window->begin && since_parse_date(window->begin, &begin_ns)) {
        if (begin_ns > run->newest_ns) {
            run->newest_ns = begin_ns;
            snprintf(run->newest, sizeof run->newest, "%s", window->begin);
            snprintf(run->newest_in, sizeof run->newest_in, "%s", run->file);
        }
        return begin_ns < run->since.ns;
    }
    *result = complain("analyze", "a window has no time (\"begin\"); leave out --since");
    return true;
}

/* In words. */
static dxt_status say(struct analyze *run, const dxt_window *window, const dxt_findings *findings,
                      change_state *state, size_t more)
{
    dxt_status status = name_job(run, run->job);
    if (status == DXT_OK) status = changes_tell(state, window);
    return status == DXT_OK ? describe(window, findings, more, stdout_text, NULL) : status;
}

/* Say it later, if the run ends here. */
static dxt_status keep(change_state *state, const dxt_window *window, const dxt_findings *findings,
                       size_t more)
{
    char *text = describe_text(window, findings, more);
    changes_keep(state, text);
    return text ? DXT_OK : DXT_ERR_NO_MEMORY;
}

static dxt_status tell(struct analyze *run, const dxt_window *window, const dxt_findings *findings)
{
    change_state *state = NULL;
    dxt_findings view = *findings;
    bool enough = run->limit > 0 && run->told >= run->limit;
    if (run->summary_only) return DXT_OK;
    if (enough) changes_enough(&run->job->told);
    if (run->limit > 0 && view.finding_count > run->limit) view.finding_count = run->limit;
    size_t more = findings->finding_count - view.finding_count;
    if (!run->json && !run->every && !changes_look(&run->job->told, window, findings, &state)) {
        bool kept = !enough && changes_wants(state);
        return kept ? keep(state, window, &view, more) : DXT_OK;
    }
    if (enough) {
        run->kept_back++;
        return run->json ? DXT_OK : changes_close(state);
    }
    run->told++;
    if (run->json) return dxt_report_json(window, &view, stdout_write, NULL);
    return say(run, window, &view, state, more);
}

/* The same of what concerns one rank; a window that has nothing of the kind is not told. */
static dxt_status tell_about(struct analyze *run, const dxt_window *window,
                             const dxt_findings *findings)
{
    dxt_findings view;
    bool slow = findings->verdict == DXT_VERDICT_SLOW;
    if (run->rank == UINT64_MAX) {
        run->found |= slow;
        return tell(run, window, findings);
    }
    dxt_status status = about_rank(findings, (uint32_t)run->rank, &view);
    if (status != DXT_OK) return status;
    if (view.finding_count + view.col_count + view.row_count + view.point_count > 0) {
        run->found |= slow;
        status = tell(run, window, &view);
    }
    about_free(&view);
    return status;
}

/* The job of a window, which may be its first one. */
static outcome find_job(struct analyze *run, const dxt_window *window)
{
    dxt_history_options options = {.struct_size = sizeof options,
                                   .min_share = run->analysis.min_share};
    bool alone = run->no_history || run->analysis.method == DXT_METHOD_RATIO;
    run->job = jobs_find(&run->all, window);
    if (run->job) return GO_ON;
    job *over = jobs_oldest(&run->all);
    outcome result = over ? report_summary(run, over) : GO_ON;
    if (result != GO_ON) return result;
    dxt_status status = jobs_begin(&run->all, over, window, alone ? NULL : &options, &run->job);
    return status == DXT_OK ? GO_ON : complain_status("analyze", status);
}

/* Report one window. */
static outcome report(void *context, const dxt_window *window, related_windows related)
{
    struct analyze *run = context;
    dxt_findings *findings;
    outcome early = GO_ON;
    if (window->ranks > run->most_ranks) run->most_ranks = window->ranks;
    if (run->rank < window->ranks)
        run->node = about_node(window, (uint32_t)run->rank, run->analysis.ranks_per_node);
    if (too_early(run, window, &early)) return early;
    outcome result = find_job(run, window);
    if (result != GO_ON) return result;
    if (run->job->history && !dxt_history_continues(run->job->history, window)) {
        result = report_summary(run, run->job);
        if (result != GO_ON) return result;
    }
    dxt_status status = judge(run, window, related, &findings);
    if (status != DXT_OK) return complain_status("analyze", status);
    status = tell_about(run, window, findings);
    dxt_findings_free(findings);
    /* Whoever reads a pipe sees each window when it is done. */
    if (status == DXT_OK) status = stdout_flush();
    /* What went wrong with standard output is said at the end, once. */
    if (status == DXT_ERR_IO) return EXIT_FAILED;
    return status == DXT_OK ? GO_ON : complain_status("analyze", status);
}

/* What is left to say of a file: how much was kept back, and the summary of each job. */
static outcome end_log(struct analyze *run)
{
    outcome result = GO_ON;
    for (size_t i = 0; i < run->all.count && result == GO_ON; i++) {
        job *of = &run->all.list[i];
        bool more = changes_left(&of->told);
        if ((more && name_job(run, of) != DXT_OK) || changes_end(&of->told) != DXT_OK)
            result = EXIT_FAILED;
    }
    if (run->kept_back > 0 && !run->json &&
        stdout_printf("and %" PRIu64 " windows more (--limit)\n", run->kept_back) != DXT_OK)
        result = EXIT_FAILED;
    for (size_t i = 0; i < run->all.count && result == GO_ON; i++)
        result = report_summary(run, &run->all.list[i]);
    jobs_free(&run->all);
    run->told = run->kept_back = 0;
    return result;
}

static outcome analyze_log(struct analyze *run, const file_group *log)
{
    cli_input input;
    run->file = strcmp(log->name, "-") == 0 ? "standard input" : log->name;
    outcome result = input_open(&input, "analyze", log->paths, log->count, run->strict);
    if (result != GO_ON) return result;
    if (run->many && !run->json) {
        char name[1024];
        snprintf(name, sizeof name, "%s", log->name);
        dxt_make_printable(name);
        stdout_printf("%s:\n", name);
    }
    result = input_each(&input, report, run);
    /* A file that breaks off has a beginning worth summing up. */
    if (result != EXIT_FAILED) {
        outcome summed = end_log(run);
        if (result == GO_ON) result = summed;
    }
    jobs_free(&run->all);
    input_close(&input);
    return result;
}

/* All logs, even if one of them cannot be read. */
static outcome analyze_all(struct analyze *run, char **operands, int count)
{
    file_groups logs;
    outcome result = files_find("analyze", operands, (size_t)count, &logs);
    run->many = logs.count > 1;
    for (size_t i = 0; i < logs.count && (result == GO_ON || result == EXIT_USAGE); i++) {
        outcome status = analyze_log(run, &logs.groups[i]);
        if (status != GO_ON) result = status;
        if (status != GO_ON && run->strict) break;
    }
    files_free(&logs);
    return result;
}

/* Silence would read as health. */
static outcome check_summary(const struct analyze *run)
{
    bool ratio = run->analysis.method == DXT_METHOD_RATIO;
    if (!run->summary_only || !(run->no_history || ratio)) return GO_ON;
    return complain("analyze", "--summary-only: there is no summary with %s; leave one of them out",
                    ratio ? "--method ratio" : "--no-history");
}

/* A rank that no window has was typed wrongly. */
static outcome check_rank(const struct analyze *run)
{
    if (run->rank == UINT64_MAX || run->most_ranks == 0 || run->rank < run->most_ranks)
        return GO_ON;
    return complain("analyze", "--rank: there is no rank %" PRIu64 " (the ranks are 0 to %u)",
                    run->rank, run->most_ranks - 1);
}

static const char notes[] =
    "Reads recordings (JSON Lines), diagnosis logs with any prefix, and matrices,\n"
    "printed or stored (.npy), also packed (.gz, .zst, .npz). '-' is standard input.\n"
    "Parts of a rotated log are put in order of time. A window that cannot be read\n"
    "is left out, and standard error says so.\n"
    "\n"
    "A dispatch and a combine of one window are judged together if they follow each\n"
    "other, and a numbered window with those before it in its run. A run of several\n"
    "windows ends with a summary. After 20 windows, only changes are printed.\n"
    "\n"
    "Exit status: 0 done, 1 something is slow (--exit-code), 2 bad usage or input,\n"
    "3 failed.\n";

/* Nothing said because nothing was recorded is not health. A job that has been quiet of late is no
 * wrong time. */
static outcome check_since(struct analyze *run)
{
    if (run->newest_ns == 0 || run->newest_ns >= run->since.ns) return GO_ON;
    dxt_make_printable(run->newest_in);
    outcome result =
        complain("analyze",
                 "--since %s: no window began then or later; the newest one, in %s, began %s; "
                 "to begin with it, write --since '%s'",
                 run->since.text, run->newest_in, run->newest, run->newest);
    return run->since.ago ? GO_ON : result;
}

enum { OWN = 10 };

outcome cmd_analyze(int argc, char **argv)
{
    struct analyze run = {.rank = UINT64_MAX, .node = -1};
    cli_option options[OWN + ANALYSIS_OPTIONS] = {
        {.name = "json", .value = &run.json, .help = "print one line of JSON per window"},
        {.name = "exit-code", .value = &run.exit_code, .help = "exit with 1 if a window is slow"},
        {.name = "no-history",
         .value = &run.no_history,
         .help = "judge every window alone, without a summary"},
        {.name = "summary",
         .value = &run.summary,
         .help = "sum up every run at its end, also under --json"},
        {.name = "strict",
         .value = &run.strict,
         .help = "stop at the first window that cannot be read"},
        {.name = "summary-only",
         .value = &run.summary_only,
         .help = "print the summary and no windows"},
        {.name = "all",
         .value = &run.every,
         .help = "print all windows of a long run, not only changes"},
        {.name = "since",
         .type = OPTION_CUSTOM,
         .value = &run.since,
         .argument = "TIME",
         .parse = since_option,
         .help = "leave out earlier windows: 03:00, 2026-11-26T03:00, or 90m (that long ago)"},
        {.name = "limit",
         .type = OPTION_COUNT,
         .value = &run.limit,
         .argument = "N",
         .min = 1,
         .max = UINT32_MAX,
         .help = "print at most N windows and N findings of each, and count the others"},
        {.name = "rank",
         .type = OPTION_COUNT,
         .value = &run.rank,
         .argument = "R",
         .max = DXT_MAX_RANKS - 1,
         .help = "print only windows, findings and episodes in which this rank has a part"},
    };
    analysis_options_of(&run.analysis, options + OWN);
    const cli_command command = {
        .name = "analyze",
        .summary = "Name what is slow in recorded wait matrices, and what it costs.",
        .operands = "FILE|FOLDER...|-",
        .min_operands = 1,
        .max_operands = -1,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .notes = notes,
        .examples = "  deepxtrace analyze recording.jsonl\n"
                    "  deepxtrace analyze /var/log/diagnose\n"
                    "  deepxtrace analyze --summary-only --since 03:00 recording.jsonl\n"
                    "  kubectl logs decode-0 --timestamps | deepxtrace analyze -\n"
                    "  deepxtrace analyze --json --method ratio recording.jsonl | jq .verdict\n"
                    "  deepxtrace analyze --exit-code --min-share 5% - < recording.jsonl\n",
    };
    int count;
    outcome result = command_line(&command, argc, argv, &count);
    if (result == GO_ON) result = check_summary(&run);
    if (result == GO_ON) result = analyze_all(&run, argv + 1, count);
    if (result == GO_ON) result = check_rank(&run);
    if (result == GO_ON) result = check_since(&run);
    if (result != GO_ON) return result;
    return run.exit_code && run.found ? EXIT_FINDINGS : EXIT_DONE;
}
