/* SPDX-License-Identifier: Apache-2.0 */
#include "watched.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the windows of an operator may take. */
#define MOST_BYTES ((size_t)64 << 20)

static void drop(watched_window *w)
{
    dxt_window_free(w->window);
    dxt_findings_free(w->findings);
    *w = (watched_window){0};
}

static void forget_run(watched_group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        for (size_t k = 0; k < g->operators[i].count; k++) drop(&g->operators[i].windows[k]);
        free(g->operators[i].phase);
    }
    g->count = 0;
}

static void free_group(watched_group *g)
{
    forget_run(g);
    for (size_t i = 0; i < g->waiting_count; i++) dxt_window_free(g->waiting[i]);
    dxt_history_destroy(g->history);
    free(g->instance);
    free(g->key);
    free(g);
}

void watched_free(watched *w)
{
    for (size_t i = 0; i < w->count; i++) free_group(w->groups[i]);
    for (size_t i = 0; i < WATCHED_GROUPS; i++) free(w->recorded[i]);
    memset(w->recorded, 0, sizeof w->recorded);
    w->count = w->recorded_count = 0;
}

/* ---- groups ---- */

static char *key_of(const dxt_window *window)
{
    char *key = NULL;
    const char *a = window->instance, *b = window->group, *c = window->case_name;
    if (asprintf(&key, "%s\n%s\n%s\n%" PRIu32, a ? a : "", b ? b : "", c ? c : "", window->ranks) <
        0)
        return NULL;
    return key;
}

static void name_group(watched_group *g, const char *path, const dxt_window *window)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (window->group && window->group[0]) name = window->group;
    if (window->case_name && window->case_name[0])
        snprintf(g->name, sizeof g->name, "%.60s, %.60s", name, window->case_name);
    else
        snprintf(g->name, sizeof g->name, "%.120s", name);
    dxt_make_printable(g->name);
}

static void drop_group(watched *w, size_t i)
{
    free_group(w->groups[i]);
    memmove(&w->groups[i], &w->groups[i + 1], (--w->count - i) * sizeof w->groups[0]);
}

/* The one that has not been heard of for longest goes. */
static void make_room(watched *w)
{
    size_t oldest = 0;
    for (size_t i = 1; i < w->count; i++)
        if (w->groups[i]->heard < w->groups[oldest]->heard) oldest = i;
    drop_group(w, oldest);
}

static watched_group *find_group(watched *w, size_t file, const char *path, bool log,
                                 const dxt_window *window)
{
    char *key = key_of(window), *instance = NULL;
    for (size_t i = 0; key && i < w->count; i++) {
        if (w->groups[i]->file != file || strcmp(w->groups[i]->key, key) != 0) continue;
        free(key);
        return w->groups[i];
    }
    if (w->count == WATCHED_GROUPS) make_room(w);
    dxt_history_options options = {.struct_size = sizeof options,
                                   .min_share = w->analysis->min_share};
    watched_group *g = calloc(1, sizeof *g);
    if (window->instance) instance = strdup(window->instance);
    if (!key || !g || (window->instance && !instance) ||
        dxt_history_create(&options, &g->history) != DXT_OK) {
        free(instance);
        free(key);
        free(g);
        return NULL;
    }
    g->file = file;
    g->key = key;
    g->instance = instance;
    g->log = log;
    name_group(g, path, window);
    w->groups[w->count++] = g;
    return g;
}

/* ---- windows ---- */

static size_t windows_that_fit(const dxt_window *window)
{
    size_t cells = (size_t)window->ranks * window->ranks;
    size_t fit = MOST_BYTES / (cells * sizeof(int64_t) * (window->samples ? 2 : 1) + 1);
    return fit < 2 ? 2 : fit > WATCHED_WINDOWS ? WATCHED_WINDOWS : fit;
}

static watched_operator *find_operator(watched_group *g, const char *phase)
{
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->operators[i].phase, phase) == 0) return &g->operators[i];
    if (g->count == DXT_HISTORY_OPERATORS) return NULL;
    watched_operator *o = &g->operators[g->count];
    *o = (watched_operator){.phase = strdup(phase)};
    if (o->phase) g->count++;
    return o->phase ? o : NULL;
}

static void keep_ways(watched_operator *o, const watched_window *kept)
{
    const dxt_findings *findings = kept->findings;
    for (size_t i = 0, named = 0; i < findings->finding_count && named < TRACK_STRIPS; i++) {
        watched_way *way = &o->ways[o->way_count % WATCHED_WAYS];
        const dxt_finding *finding = &findings->findings[i];
        if (!track_name_way(findings->ranks, finding, way->name, sizeof way->name)) continue;
        way->index = kept->window->index;
        way->wait = finding->wait;
        o->way_count++;
        named++;
    }
}

/* Keep a window, and what was found in it. */
static void keep(watched *w, watched_group *g, watched_window kept)
{
    watched_operator *o = find_operator(g, kept.window->phase);
    w->windows++;
    if (!o) {
        if (w->told) w->told(w->context, g, &kept);
        drop(&kept);
        return;
    }
    while (o->count >= windows_that_fit(kept.window)) {
        drop(&o->windows[0]);
        memmove(&o->windows[0], &o->windows[1], --o->count * sizeof o->windows[0]);
    }
    keep_ways(o, &kept);
    o->windows[o->count++] = kept;
    if (w->told) w->told(w->context, g, &o->windows[o->count - 1]);
}

static related_windows related_to(const watched_group *g, size_t i)
{
    related_windows related = {0};
    for (size_t k = 0; k < g->waiting_count; k++) {
        if (k == i) continue;
        dxt_relation found = i < k ? dxt_window_relation(g->waiting[i], g->waiting[k])
                                   : dxt_window_relation(g->waiting[k], g->waiting[i]);
        if (found == DXT_RELATION_COMPANION) related.companion = g->waiting[k];
        if (found == DXT_RELATION_ADJACENT) related.adjacent = g->waiting[k];
    }
    return related;
}

static dxt_status judge_one(const watched *w, watched_group *g, size_t i, dxt_findings **judged)
{
    dxt_findings *alone;
    const dxt_window *window = g->waiting[i];
    if (!dxt_history_continues(g->history, window)) forget_run(g);
    dxt_status status = analyze_window(w->analysis, window, related_to(g, i), g->history, &alone);
    if (status != DXT_OK) return status;
    status = dxt_history_judge(g->history, window, alone, judged);
    dxt_findings_free(alone);
    return status;
}

/* Judge an interval: all its windows, then they are kept. */
static dxt_status judge(watched *w, watched_group *g)
{
    dxt_findings *judged[WATCHED_INTERVAL] = {0};
    dxt_status status = DXT_OK;
    for (size_t i = 0; i < g->waiting_count && status == DXT_OK; i++)
        status = judge_one(w, g, i, &judged[i]);
    for (size_t i = 0; i < g->waiting_count; i++) {
        if (judged[i])
            keep(w, g, (watched_window){g->waiting[i], judged[i]});
        else
            dxt_window_free(g->waiting[i]);
    }
    g->waiting_count = 0;
    return status;
}

static bool belongs(const watched_group *g, const dxt_window *window)
{
    bool related = g->waiting_count == 0;
    for (size_t i = 0; i < g->waiting_count; i++) {
        if (strcmp(g->waiting[i]->phase, window->phase) == 0) return false;
        related = related || dxt_window_relation(g->waiting[i], window) != DXT_RELATION_NONE;
    }
    return related && g->waiting_count < WATCHED_INTERVAL;
}

static bool is_whole(const watched_group *g)
{
    bool pair = g->waiting_count == 2 &&
                dxt_window_relation(g->waiting[0], g->waiting[1]) == DXT_RELATION_COMPANION;
    return pair || g->waiting_count == WATCHED_INTERVAL;
}

/* ---- instances that write a recording beside their log ---- */

static bool is_recorded(const watched *w, const char *instance)
{
    size_t count = w->recorded_count < WATCHED_GROUPS ? w->recorded_count : WATCHED_GROUPS;
    for (size_t i = 0; i < count; i++)
        if (strcmp(w->recorded[i], instance) == 0) return true;
    return false;
}

static dxt_status note_recorded(watched *w, const char *instance)
{
    if (is_recorded(w, instance)) return DXT_OK;
    char *name = strdup(instance);
    if (!name) return DXT_ERR_NO_MEMORY;
    char **slot = &w->recorded[w->recorded_count % WATCHED_GROUPS];
    if (w->recorded_count >= WATCHED_GROUPS) free(*slot);
    *slot = name;
    w->recorded_count++;
    /* Its log came first. */
    for (size_t i = w->count; i-- > 0;) {
        const watched_group *g = w->groups[i];
        if (g->log && g->instance && strcmp(g->instance, instance) == 0) drop_group(w, i);
    }
    return DXT_OK;
}

dxt_status watched_take(watched *w, size_t file, const char *path, bool log, dxt_window *window)
{
    const char *instance = window->instance;
    dxt_status status = DXT_OK;
    if (instance && log && is_recorded(w, instance)) {
        dxt_window_free(window);
        return DXT_OK;
    }
    if (instance && !log) status = note_recorded(w, instance);
    watched_group *g = status == DXT_OK ? find_group(w, file, path, log, window) : NULL;
    if (!g) {
        dxt_window_free(window);
        return DXT_ERR_NO_MEMORY;
    }
    g->heard = ++w->clock;
    status = belongs(g, window) ? DXT_OK : judge(w, g);
    g->waiting[g->waiting_count++] = window;
    if (status == DXT_OK && is_whole(g)) status = judge(w, g);
    return status;
}

dxt_status watched_rest(watched *w)
{
    dxt_status status = DXT_OK;
    for (size_t i = 0; i < w->count && status == DXT_OK; i++)
        if (w->groups[i]->waiting_count > 0) status = judge(w, w->groups[i]);
    return status;
}
