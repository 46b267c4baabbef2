/* SPDX-License-Identifier: Apache-2.0 */
#include "session/assemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

/* Enough for "2025-09-15T16:28:53.686Z" in any year that gmtime_r() knows. */
#define TIME_SIZE 64

/* What an operator has room for, whether it is in use or not. */
struct cells {
    int64_t *plane[DXT_MAIL_PLANES];
    /* In this interval: waits always, the rest if anybody ever did. */
    bool counted[DXT_MAIL_PLANES];
};

struct dxt_assembler {
    uint32_t ranks, operators;
    dxt_window *windows;
    struct cells *cells;
    /* of all operators */
    uint8_t *missing;
    double *rates;
    int32_t *nodes;
    char **hosts;
    char begin[TIME_SIZE];
    int64_t *ops; /* scratch */
};

static bool allocate(dxt_assembler *a)
{
    size_t cells = (size_t)a->ranks * a->ranks;
    a->windows = calloc(a->operators, sizeof *a->windows);
    a->cells = calloc(a->operators, sizeof *a->cells);
    a->missing = malloc(a->ranks * sizeof *a->missing);
    a->rates = malloc(a->ranks * sizeof *a->rates);
    a->nodes = malloc(a->ranks * sizeof *a->nodes);
    a->hosts = malloc(a->ranks * sizeof *a->hosts);
    a->ops = malloc(a->ranks * sizeof *a->ops);
    if (!a->windows || !a->cells || !a->missing || !a->rates || !a->nodes || !a->hosts || !a->ops)
        return false;
    /* A plane that nobody counts is never touched, and takes no memory but its addresses. */
    for (uint32_t o = 0; o < a->operators; o++) {
        int64_t *all = malloc(DXT_MAIL_PLANES * cells * sizeof *all);
        if (!all) return false;
        for (size_t p = 0; p < DXT_MAIL_PLANES; p++) a->cells[o].plane[p] = all + p * cells;
    }
    return true;
}

dxt_status dxt_assembler_create(uint32_t ranks, uint32_t operators, dxt_assembler **assembler)
{
    dxt_assembler *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    made->ranks = ranks;
    made->operators = operators;
    if (!allocate(made)) {
        dxt_assembler_destroy(made);
        return dxt_fail_memory(DXT_MAIL_PLANES * (size_t)ranks * ranks * sizeof(int64_t));
    }
    *assembler = made;
    return DXT_OK;
}

void dxt_assembler_destroy(dxt_assembler *a)
{
    if (!a) return;
    for (uint32_t o = 0; a->cells && o < a->operators; o++) free(a->cells[o].plane[0]);
    free(a->windows);
    free(a->cells);
    free(a->missing);
    free(a->rates);
    free(a->nodes);
    free(a->hosts);
    free(a->ops);
    free(a);
}

/* ---- what all operators share ---- */

/* Differences of one row of a plane. Backwards wraps around to a difference above INT64_MAX, which
 * is also more than a window can hold. @return All bits that were set in any. */
static uint64_t subtract(const uint64_t *restrict old, const uint64_t *restrict new, uint32_t count,
                         int64_t *restrict cells)
{
    uint64_t bits = 0;
    for (uint32_t c = 0; c < count; c++) {
        uint64_t difference = new[c] - old[c];
        bits |= difference;
        cells[c] = (int64_t)difference;
    }
    return bits;
}

static bool is_zero(const uint64_t *values, uint32_t count)
{
    uint64_t bits = 0;
    for (uint32_t c = 0; c < count; c++) bits |= values[c];
    return bits == 0;
}

/* Take over what a rank counted in one plane. One that nobody has counted so far is not touched:
 * rows before this are made when the first does. @return As subtract(). */
static uint64_t take_plane(struct cells *cells, const dxt_assembly *a, uint32_t rank,
                           uint32_t index, enum dxt_mail_plane plane)
{
    const uint64_t *old = dxt_mail_plane(a->before[rank], a->ranks, index, plane);
    const uint64_t *new = dxt_mail_plane(a->after[rank], a->ranks, index, plane);
    int64_t *all = cells->plane[plane];
    size_t first = (size_t)rank * a->ranks;
    if (!cells->counted[plane]) {
        if (is_zero(new, a->ranks)) return is_zero(old, a->ranks) ? 0 : UINT64_MAX;
        cells->counted[plane] = true;
        memset(all, 0, first * sizeof *all);
    }
    return subtract(old, new, a->ranks, all + first);
}

/* Whether the second mail of a rank can be what the first has grown to; if so it is taken over. Not
 * so when the rank was restarted in between. */
static bool take_rank(dxt_assembler *to, const dxt_assembly *a, uint32_t rank)
{
    dxt_mail_head from, until;
    uint64_t bits = 0;
    if (!a->before[rank] || !a->after[rank]) return false;
    dxt_mail_get_head(a->before[rank], &from);
    dxt_mail_get_head(a->after[rank], &until);
    if (until.ticks_per_second != from.ticks_per_second || until.time_ns < from.time_ns)
        return false;
    for (uint32_t o = 0; o < a->operators && bits <= INT64_MAX; o++) {
        bits |= *dxt_mail_operator(a->after[rank], a->ranks, o) -
                *dxt_mail_operator(a->before[rank], a->ranks, o);
        for (int p = 0; p < DXT_MAIL_PLANES && bits <= INT64_MAX; p++)
            bits |= take_plane(&to->cells[o], a, rank, o, p);
    }
    return bits <= INT64_MAX;
}

static void clear_row(dxt_assembler *to, uint32_t rank)
{
    for (uint32_t o = 0; o < to->operators; o++)
        for (int p = 0; p < DXT_MAIL_PLANES; p++)
            if (to->cells[o].counted[p])
                memset(to->cells[o].plane[p] + (size_t)rank * to->ranks, 0,
                       to->ranks * sizeof(int64_t));
}

/* All rows, each looked at once: at many ranks memory is what takes time. */
static void take_rows(dxt_assembler *to, const dxt_assembly *a)
{
    bool counted[DXT_MAX_OPERATORS][DXT_MAIL_PLANES];
    for (uint32_t o = 0; o < a->operators; o++)
        for (int p = 0; p < DXT_MAIL_PLANES; p++) to->cells[o].counted[p] = p == DXT_MAIL_WAIT;
    for (uint32_t r = 0; r < a->ranks; r++) {
        for (uint32_t o = 0; o < a->operators; o++)
            memcpy(counted[o], to->cells[o].counted, sizeof counted[o]);
        to->missing[r] = !take_rank(to, a, r);
        if (!to->missing[r]) continue;
        /* It counted nothing. */
        for (uint32_t o = 0; o < a->operators; o++)
            memcpy(to->cells[o].counted, counted[o], sizeof counted[o]);
        clear_row(to, r);
    }
}

/* Rates of all ranks; of one that has an empty row, and is not known, that of any other. @return
 * NULL when one is unknown. */
static double *rates(dxt_assembler *to, const dxt_assembly *a)
{
    uint64_t any = 0;
    for (uint32_t r = 0; r < a->ranks; r++) {
        uint64_t rate = a->identities[r].ticks_per_second;
        if (!to->missing[r] && rate == 0) return NULL;
        if (any == 0) any = rate;
    }
    if (any == 0) return NULL;
    for (uint32_t r = 0; r < a->ranks; r++) {
        uint64_t rate = a->identities[r].ticks_per_second;
        to->rates[r] = (double)(rate > 0 ? rate : any);
    }
    return to->rates;
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

static int32_t *nodes(dxt_assembler *to, const dxt_assembly *a)
{
    return find_nodes(a, to->nodes) ? to->nodes : NULL;
}

/* Windows are for reading, whatever the type of their texts. */
static char *text(const char *from)
{
    return from && from[0] ? (char *)from : NULL;
}

static char **hosts(dxt_assembler *to, const dxt_assembly *a)
{
    for (uint32_t r = 0; r < a->ranks; r++) {
        to->hosts[r] = text(a->identities[r].host);
        if (!a->identities[r].known || !to->hosts[r]) return NULL;
    }
    return to->hosts;
}

static char *begin(dxt_assembler *to, int64_t realtime_ns)
{
    time_t seconds = (time_t)(realtime_ns / 1000000000);
    struct tm utc;
    if (!gmtime_r(&seconds, &utc)) return NULL;
    size_t size = strftime(to->begin, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(to->begin + size, TIME_SIZE - size, ".%03dZ", (int)(realtime_ns / 1000000 % 1000));
    return to->begin;
}

/* A window of all that is not counted. */
static dxt_window describe(dxt_assembler *to, const dxt_assembly *a)
{
    dxt_window window = {.struct_size = sizeof window,
                         .ranks = a->ranks,
                         .unit = DXT_UNIT_CYCLES,
                         .index = a->index,
                         .missing = to->missing,
                         .ticks_per_second = rates(to, a),
                         .nodes = nodes(to, a),
                         .hosts = hosts(to, a),
                         .instance = text(a->instance),
                         .source = text(a->source)};
    if (!a->before[0] || !a->after[0]) return window;
    dxt_mail_head from, until;
    dxt_mail_get_head(a->before[0], &from);
    dxt_mail_get_head(a->after[0], &until);
    if (until.time_ns > from.time_ns) window.elapsed_ns = until.time_ns - from.time_ns;
    window.begin = begin(to, from.realtime_ns);
    return window;
}

/* ---- one operator ---- */

/* The upper median of values ≥ 0, by halving the range: qsort() may allocate. 0 of none. */
static int64_t middle(const int64_t *values, uint32_t count)
{
    int64_t low = 0, high = count > 0 ? INT64_MAX : 0;
    while (low < high) {
        int64_t guess = low + (high - low) / 2;
        uint32_t below = 0;
        for (uint32_t k = 0; k < count; k++) below += values[k] <= guess;
        if (below > count / 2)
            high = guess;
        else
            low = guess + 1;
    }
    return low;
}

static int64_t operations(dxt_assembler *to, const dxt_assembly *a, uint32_t index)
{
    uint32_t count = 0;
    for (uint32_t r = 0; r < a->ranks; r++)
        if (!to->missing[r])
            to->ops[count++] = (int64_t)(*dxt_mail_operator(a->after[r], a->ranks, index) -
                                         *dxt_mail_operator(a->before[r], a->ranks, index));
    return middle(to->ops, count);
}

void dxt_assemble(dxt_assembler *to, const dxt_assembly *a, const dxt_window **windows)
{
    take_rows(to, a);
    const dxt_window common = describe(to, a);
    for (uint32_t o = 0; o < a->operators; o++) {
        dxt_window *window = &to->windows[o];
        *window = common;
        window->phase = (char *)a->names[o];
        int64_t **const planes[DXT_MAIL_PLANES] = {[DXT_MAIL_WAIT] = &window->wait,
                                                   [DXT_MAIL_SAMPLES] = &window->samples,
                                                   [DXT_MAIL_BYTES] = &window->bytes,
                                                   [DXT_MAIL_LAST] = &window->last};
        /* Foreign counters hold waits alone. */
        for (int p = 0; p < DXT_MAIL_PLANES; p++)
            if (to->cells[o].counted[p]) *planes[p] = to->cells[o].plane[p];
        window->ops = operations(to, a, o);
        windows[o] = window;
    }
}
