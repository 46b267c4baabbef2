/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a window belongs to the interval of a run. */
static bool belongs(const judge_run *run, const dxt_window *window)
{
    bool related = run->count == 0;
    for (size_t i = 0; i < run->count; i++) {
        const dxt_window *other = run->interval[i].window;
        if (strcmp(other->phase, window->phase) == 0) return false;
        related = related || dxt_window_relation(other, window) != DXT_RELATION_NONE;
    }
    return related;
}

/* Whether the interval is complete: the two operators without transfers, or all four. */
static bool is_complete(const judge_run *run)
{
    bool pair =
        run->count == 2 && dxt_window_relation(run->interval[0].window, run->interval[1].window) ==
                               DXT_RELATION_COMPANION;
    return pair || run->count == JUDGE_OPERATORS;
}

static void forget_interval(judge_run *run)
{
    for (size_t i = 0; i < run->count; i++) dxt_window_free(run->interval[i].window);
    run->count = run->judged = 0;
}

static void end_run(judge_run *run)
{
    forget_interval(run);
    dxt_history_destroy(run->history);
    free(run->key);
    *run = (judge_run){0};
}

static judge_run *oldest(judge *j)
{
    judge_run *found = &j->runs[0];
    for (size_t i = 1; i < j->count; i++)
        if (j->runs[i].heard < found->heard) found = &j->runs[i];
    return found;
}

static dxt_status judge_window(judge *j, judge_run *run, const judged_window *w)
{
    dxt_analysis_options options = {.struct_size = sizeof options, .min_share = j->min_share};
    for (size_t i = 0; i < run->count; i++) {
        const dxt_window *other = run->interval[i].window;
        dxt_relation relation = &run->interval[i] < w ? dxt_window_relation(other, w->window)
                                                      : dxt_window_relation(w->window, other);
        if (relation == DXT_RELATION_COMPANION) options.companion = other;
        if (relation == DXT_RELATION_ADJACENT) options.adjacent = other;
    }
    dxt_findings *alone = NULL, *judged = NULL;
    dxt_status status = dxt_history_prior(run->history, w->window, &options);
    if (status == DXT_OK) status = dxt_analyze(w->window, &options, &alone);
    if (status == DXT_OK) status = dxt_history_judge(run->history, w->window, alone, &judged);
    dxt_findings_free(alone);
    if (status == DXT_OK && !j->told(j->context, w, judged)) status = DXT_ERR_IO;
    dxt_findings_free(judged);
    return status;
}

/* Judge the windows of an interval that are not judged yet. */
static dxt_status judge_interval(judge *j, judge_run *run)
{
    dxt_status status = DXT_OK;
    for (; run->judged < run->count && status == DXT_OK; run->judged++)
        status = judge_window(j, run, &run->interval[run->judged]);
    return status;
}

/* The run of a window; NULL if out of memory. */
static judge_run *find(judge *j, const dxt_window *window, dxt_status *status)
{
    char *key = NULL;
    const char *instance = window->instance ? window->instance : "";
    *status = DXT_OK;
    if (asprintf(&key, "%s\n%s", instance, window->group ? window->group : "") < 0) key = NULL;
    for (size_t i = 0; key && i < j->count; i++) {
        if (strcmp(j->runs[i].key, key) != 0) continue;
        free(key);
        return &j->runs[i];
    }
    judge_run *run = &j->runs[j->count];
    if (key && j->count == JUDGE_RUNS) {
        run = oldest(j);
        *status = judge_interval(j, run);
        end_run(run);
        j->count--;
    }
    dxt_history_options options = {.struct_size = sizeof options, .min_share = j->min_share};
    if (!key || dxt_history_create(&options, &run->history) != DXT_OK) {
        free(key);
        *status = DXT_ERR_NO_MEMORY;
        if (run != &j->runs[j->count]) j->runs[run - j->runs] = j->runs[j->count];
        return NULL;
    }
    run->key = key;
    j->count++;
    return run;
}

dxt_status judge_take(judge *j, dxt_window *window, int64_t ordinal)
{
    dxt_status status;
    judge_run *run = find(j, window, &status);
    if (run && !belongs(run, window)) {
        if (status == DXT_OK) status = judge_interval(j, run);
        forget_interval(run);
    }
    if (!run || status != DXT_OK) {
        dxt_window_free(window);
        return status;
    }
    run->heard = ++j->clock;
    run->interval[run->count++] = (judged_window){.window = window, .ordinal = ordinal};
    if (!is_complete(run)) return DXT_OK;
    status = judge_interval(j, run);
    forget_interval(run);
    return status;
}

dxt_status judge_rest(judge *j)
{
    dxt_status status = DXT_OK;
    for (size_t i = 0; status == DXT_OK && i < j->count; i++)
        status = judge_interval(j, &j->runs[i]);
    return status;
}

int64_t judge_waiting(const judge *j)
{
    int64_t first = -1;
    for (size_t i = 0; i < j->count; i++) {
        const judge_run *run = &j->runs[i];
        if (run->judged == run->count) continue;
        int64_t ordinal = run->interval[run->judged].ordinal;
        if (first < 0 || ordinal < first) first = ordinal;
    }
    return first;
}

void judge_free(judge *j)
{
    for (size_t i = 0; i < j->count; i++) end_run(&j->runs[i]);
    j->count = 0;
}
