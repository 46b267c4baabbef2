/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* "dispatch" and "combine", or these behind the same words. */
static bool are_phases(const char *dispatch, const char *combine)
{
    size_t before = strlen(dispatch), end = strlen("dispatch");
    if (before < end || strcmp(dispatch + before - end, "dispatch") != 0) return false;
    before -= end;
    return strncmp(dispatch, combine, before) == 0 && strcmp(combine + before, "combine") == 0;
}

/* Of one run they are already. */
static bool are_pair(const dxt_window *first, const dxt_window *second)
{
    if (first->ranks != second->ranks || first->index != second->index) return false;
    if (!same_text(first->case_name, second->case_name)) return false;
    bool forward = are_phases(first->phase, second->phase);
    return forward || (are_phases(second->phase, first->phase) && first->index >= 0);
}

static void forget(judged_window *window)
{
    dxt_window_free(window->window);
    *window = (judged_window){0};
}

static void end_run(judge_run *run)
{
    forget(&run->before);
    forget(&run->waiting);
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

static dxt_status judge_window(judge *j, judge_run *run, const judged_window *w,
                               const dxt_window *companion)
{
    dxt_analysis_options options = {
        .struct_size = sizeof options, .min_share = j->min_share, .companion = companion};
    dxt_findings *alone = NULL, *judged = NULL;
    dxt_status status = dxt_history_prior(run->history, w->window, &options);
    if (status == DXT_OK) status = dxt_analyze(w->window, &options, &alone);
    if (status == DXT_OK) status = dxt_history_judge(run->history, w->window, alone, &judged);
    dxt_findings_free(alone);
    if (status == DXT_OK && !j->told(j->context, w, judged)) status = DXT_ERR_IO;
    dxt_findings_free(judged);
    return status;
}

/* The run of a window; NULL if there is no memory. */
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
        if (run->waiting.window) *status = judge_window(j, run, &run->waiting, NULL);
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

/* Both halves are known: neither can be another window's companion. */
static dxt_status judge_pair(judge *j, judge_run *run, judged_window *window)
{
    dxt_status status = judge_window(j, run, &run->waiting, window->window);
    if (status == DXT_OK) status = judge_window(j, run, window, run->waiting.window);
    forget(&run->waiting);
    forget(window);
    return status;
}

dxt_status judge_take(judge *j, dxt_window *window, int64_t ordinal)
{
    judged_window next = {.window = window, .ordinal = ordinal};
    dxt_status status;
    judge_run *run = find(j, window, &status);
    if (!run) {
        forget(&next);
        return status;
    }
    run->heard = ++j->clock;
    if (run->waiting.window && are_pair(run->waiting.window, window)) {
        forget(&run->before);
        return judge_pair(j, run, &next);
    }
    if (status == DXT_OK && run->waiting.window) {
        status = judge_window(j, run, &run->waiting, NULL);
        forget(&run->before);
        run->before = run->waiting;
        run->waiting = (judged_window){0};
    }
    if (status == DXT_OK && run->before.window && are_pair(run->before.window, window)) {
        status = judge_window(j, run, &next, run->before.window);
        forget(&run->before);
        forget(&next);
        return status;
    }
    run->waiting = next;
    return status;
}

dxt_status judge_rest(judge *j)
{
    dxt_status status = DXT_OK;
    for (size_t i = 0; status == DXT_OK && i < j->count; i++) {
        judge_run *run = &j->runs[i];
        if (!run->waiting.window) continue;
        status = judge_window(j, run, &run->waiting, NULL);
        forget(&run->before);
        run->before = run->waiting;
        run->waiting = (judged_window){0};
    }
    return status;
}

int64_t judge_waiting(const judge *j)
{
    int64_t first = -1;
    for (size_t i = 0; i < j->count; i++) {
        const judged_window *w = &j->runs[i].waiting;
        if (w->window && (first < 0 || w->ordinal < first)) first = w->ordinal;
    }
    return first;
}

void judge_free(judge *j)
{
    for (size_t i = 0; i < j->count; i++) end_run(&j->runs[i]);
    j->count = 0;
}
