/* SPDX-License-Identifier: Apache-2.0 */
#include "session/assemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

bool dxt_mail_follows(const uint64_t *before, const uint64_t *after, uint32_t ranks,
                      uint32_t operators)
{
    dxt_mail_head from, to;
    dxt_mail_get_head(before, &from);
    dxt_mail_get_head(after, &to);
    if (to.ticks_per_second != from.ticks_per_second || to.time_ns < from.time_ns) return false;
    const uint64_t *old = dxt_mail_operator(before, ranks, 0);
    const uint64_t *new = dxt_mail_operator(after, ranks, 0);
    uint64_t outside = 0;
    /* Backwards wraps around to a difference above INT64_MAX. */
    for (size_t w = 0; w < operators * dxt_mail_operator_words(ranks); w++)
        outside |= new[w] - old[w];
    return outside <= INT64_MAX;
}

static bool copy_text(const char *from, char **to)
{
    if (!from || !from[0]) return true;
    *to = strdup(from);
    return *to != NULL;
}

static bool set_begin(dxt_window *window, int64_t realtime_ns)
{
    time_t seconds = (time_t)(realtime_ns / 1000000000);
    struct tm utc;
    char text[64];
    if (!gmtime_r(&seconds, &utc)) return true;
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + size, sizeof text - size, ".%03dZ", (int)(realtime_ns / 1000000 % 1000));
    return copy_text(text, &window->begin);
}

/* Rates of all ranks; of one that has an empty row, and is not known, that of any other. */
static bool set_rates(const dxt_assembly *a, const bool *present, dxt_window *window)
{
    uint64_t any = 0;
    for (uint32_t r = 0; r < a->ranks; r++) {
        uint64_t rate = a->identities[r].ticks_per_second;
        if (present[r] && rate == 0) return true;
        if (any == 0) any = rate;
    }
    if (any == 0) return true;
    window->ticks_per_second = malloc(a->ranks * sizeof *window->ticks_per_second);
    if (!window->ticks_per_second) return false;
    for (uint32_t r = 0; r < a->ranks; r++) {
        uint64_t rate = a->identities[r].ticks_per_second;
        window->ticks_per_second[r] = (double)(rate > 0 ? rate : any);
    }
    return true;
}

/* Nodes as the ranks say; where not all do, but all say their host, the ranks of a host are a node.
 * @return false if that is not known either, or says nothing because each has a host of its own. */
static bool find_nodes(const dxt_assembly *a, int32_t *nodes)
{
    bool by_node = true, by_host = true;
    int32_t hosts = 0;
    for (uint32_t r = 0; r < a->ranks; r++) {
        const dxt_identity *identity = &a->identities[r];
        by_node = by_node && identity->known && identity->node >= 0;
        by_host = by_host && identity->known && identity->host[0];
    }
    for (uint32_t r = 0; r < a->ranks && by_node; r++) nodes[r] = a->identities[r].node;
    if (by_node || !by_host) return by_node;
    for (uint32_t r = 0; r < a->ranks; r++) {
        const char *host = a->identities[r].host;
        uint32_t same = r > 0 && strcmp(a->identities[r - 1].host, host) == 0 ? r - 1 : 0;
        while (strcmp(a->identities[same].host, host) != 0) same++;
        nodes[r] = same < r ? nodes[same] : hosts++;
    }
    return (uint32_t)hosts < a->ranks;
}

static bool set_nodes(const dxt_assembly *a, dxt_window *window)
{
    int32_t *nodes = malloc(a->ranks * sizeof *nodes);
    if (!nodes) return false;
    if (find_nodes(a, nodes))
        window->nodes = nodes;
    else
        free(nodes);
    return true;
}

static bool set_hosts(const dxt_assembly *a, dxt_window *window)
{
    for (uint32_t r = 0; r < a->ranks; r++)
        if (!a->identities[r].known || !a->identities[r].host[0]) return true;
    window->hosts = calloc(a->ranks, sizeof *window->hosts);
    if (!window->hosts) return false;
    for (uint32_t r = 0; r < a->ranks; r++)
        if (!copy_text(a->identities[r].host, &window->hosts[r])) return false;
    return true;
}

/* Whether anybody has ever counted this. Foreign counters hold waits alone. */
static bool is_counted(const dxt_assembly *a, const bool *present, uint32_t index,
                       enum dxt_mail_plane plane)
{
    for (uint32_t r = 0; r < a->ranks; r++) {
        if (!present[r]) continue;
        const uint64_t *totals = dxt_mail_plane(a->after[r], a->ranks, index, plane);
        for (uint32_t c = 0; c < a->ranks; c++)
            if (totals[c] != 0) return true;
    }
    return false;
}

static bool set_arrays(const dxt_assembly *a, const bool *present, uint32_t index,
                       dxt_window *window)
{
    static const enum dxt_mail_plane planes[] = {DXT_MAIL_SAMPLES, DXT_MAIL_BYTES, DXT_MAIL_LAST};
    int64_t **const arrays[] = {&window->samples, &window->bytes, &window->last};
    for (size_t i = 0; i < sizeof planes / sizeof planes[0]; i++) {
        if (!is_counted(a, present, index, planes[i])) continue;
        *arrays[i] = calloc((size_t)a->ranks * a->ranks, sizeof **arrays[i]);
        if (!*arrays[i]) return false;
    }
    window->missing = calloc(a->ranks, sizeof *window->missing);
    return window->missing != NULL;
}

/* Everything but the counters. @return false if memory ran out. */
static bool describe(const dxt_assembly *a, const bool *present, uint32_t index, dxt_window *window)
{
    window->unit = DXT_UNIT_CYCLES;
    window->index = a->index;
    if (!copy_text(a->instance, &window->instance) || !copy_text(a->source, &window->source) ||
        !set_rates(a, present, window) || !set_nodes(a, window) || !set_hosts(a, window) ||
        !set_arrays(a, present, index, window))
        return false;
    if (!a->before[0] || !a->after[0]) return true;
    dxt_mail_head begin, end;
    dxt_mail_get_head(a->before[0], &begin);
    dxt_mail_get_head(a->after[0], &end);
    if (end.time_ns > begin.time_ns) window->elapsed_ns = end.time_ns - begin.time_ns;
    return set_begin(window, begin.realtime_ns);
}

static void fill_row(const dxt_assembly *a, uint32_t index, uint32_t row, dxt_window *window)
{
    int64_t *const planes[DXT_MAIL_PLANES] = {[DXT_MAIL_WAIT] = window->wait,
                                              [DXT_MAIL_SAMPLES] = window->samples,
                                              [DXT_MAIL_BYTES] = window->bytes,
                                              [DXT_MAIL_LAST] = window->last};
    for (int p = 0; p < DXT_MAIL_PLANES; p++) {
        if (!planes[p]) continue;
        const uint64_t *old = dxt_mail_plane(a->before[row], a->ranks, index, p);
        const uint64_t *new = dxt_mail_plane(a->after[row], a->ranks, index, p);
        int64_t *out = planes[p] + (size_t)row * a->ranks;
        for (uint32_t c = 0; c < a->ranks; c++) out[c] = (int64_t)(new[c] - old[c]);
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* `present` and `ops` have room for all ranks; `ops` is scratch. */
static void fill(const dxt_assembly *a, uint32_t index, const bool *present, int64_t *ops,
                 dxt_window *window)
{
    uint32_t count = 0;
    for (uint32_t r = 0; r < a->ranks; r++) {
        window->missing[r] = !present[r];
        if (!present[r]) continue;
        fill_row(a, index, r, window);
        ops[count++] = (int64_t)(*dxt_mail_operator(a->after[r], a->ranks, index) -
                                 *dxt_mail_operator(a->before[r], a->ranks, index));
    }
    if (count == 0) return;
    qsort(ops, count, sizeof *ops, compare);
    window->ops = ops[count / 2];
}

static dxt_status make(const dxt_assembly *a, uint32_t index, const bool *present, int64_t *ops,
                       dxt_window **window)
{
    dxt_window *made;
    dxt_status status = dxt_window_create(a->ranks, a->names[index], &made);
    if (status != DXT_OK) return status;
    if (!describe(a, present, index, made)) {
        dxt_window_free(made);
        return dxt_fail_memory(0);
    }
    fill(a, index, present, ops, made);
    *window = made;
    return DXT_OK;
}

dxt_status dxt_assemble(const dxt_assembly *a, dxt_window **windows)
{
    dxt_window *made[DXT_MAX_OPERATORS] = {NULL};
    bool *present = malloc(a->ranks * sizeof *present);
    int64_t *ops = malloc(a->ranks * sizeof *ops);
    dxt_status status = present && ops ? DXT_OK : dxt_fail_memory(a->ranks * sizeof *ops);
    for (uint32_t r = 0; r < a->ranks && status == DXT_OK; r++)
        present[r] = a->before[r] && a->after[r] &&
                     dxt_mail_follows(a->before[r], a->after[r], a->ranks, a->operators);
    for (uint32_t o = 0; o < a->operators && status == DXT_OK; o++)
        status = make(a, o, present, ops, &made[o]);
    free(present);
    free(ops);
    for (uint32_t o = 0; o < a->operators; o++) {
        if (status == DXT_OK)
            windows[o] = made[o];
        else
            dxt_window_free(made[o]);
    }
    return status;
}
