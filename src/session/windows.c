/* SPDX-License-Identifier: Apache-2.0 */
#include "session/assembler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

/* ---- what all operators share ---- */

/* Subtract one row of a plane from a later one. A counter that ran backwards wraps around to more
 * than INT64_MAX, which is also more than a window can hold. @return All differences combined by
 * OR. */
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

/* Take over a rank's row of one plane. A plane that no rank has counted so far is not touched; its
 * earlier rows are filled in when the first rank counts. @return As subtract(). */
static uint64_t take_plane(dxt_cells *cells, const dxt_assembly *a, uint32_t rank, uint32_t index,
                           enum dxt_mail_plane plane)
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

/* Take over the difference of a rank's two mails. @return Whether the second can have grown from
 * the first; not if the rank was restarted in between. */
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
        bits |= dxt_mail_get_counts(a->after[rank], a->ranks, o).ops -
                dxt_mail_get_counts(a->before[rank], a->ranks, o).ops;
        for (int p = 0; p < DXT_MAIL_PLANES && bits <= INT64_MAX; p++)
            bits |= take_plane(&to->cells[o], a, rank, o, p);
    }
    return bits <= INT64_MAX;
}

/* Empty a row. @param wait  The value of its waits: 0, or DXT_NOT_OBSERVED. */
static void clear_row(dxt_assembler *to, uint32_t rank, int64_t wait)
{
    for (uint32_t o = 0; o < to->operators; o++) {
        for (int p = 0; p < DXT_MAIL_PLANES; p++)
            if (to->cells[o].counted[p])
                memset(to->cells[o].plane[p] + (size_t)rank * to->ranks, 0,
                       to->ranks * sizeof(int64_t));
        for (uint32_t c = 0; c < to->ranks; c++)
            to->cells[o].plane[DXT_MAIL_WAIT][(size_t)rank * to->ranks + c] = wait;
    }
}

/* Fill all rows in one pass: with many ranks, memory access takes most of the time. */
static void take_rows(dxt_assembler *to, const dxt_assembly *a)
{
    bool counted[DXT_MAX_OPERATORS][DXT_MAIL_PLANES];
    for (uint32_t o = 0; o < a->operators; o++)
        for (int p = 0; p < DXT_MAIL_PLANES; p++) to->cells[o].counted[p] = p == DXT_MAIL_WAIT;
    for (uint32_t r = 0; r < a->ranks; r++) {
        for (uint32_t o = 0; o < a->operators; o++)
            memcpy(counted[o], to->cells[o].counted, sizeof counted[o]);
        to->missing[r] = !take_rank(to, a, r);
        /* A rank whose mail came but does not cover this window is not silent. */
        to->silent[r] = !a->after[r] && !(a->excused && a->excused[r]);
        if (!to->missing[r]) continue;
        /* It counted nothing. */
        for (uint32_t o = 0; o < a->operators; o++)
            memcpy(to->cells[o].counted, counted[o], sizeof counted[o]);
        clear_row(to, r, to->silent[r] ? 0 : DXT_NOT_OBSERVED);
    }
}

/* The clock rates of all ranks; a rank with an empty row and no known rate gets that of another.
 * @return NULL if a rate is unknown. */
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

/* Fill in the nodes as the ranks name them. If not all ranks do, but all name their host, the ranks
 * of a host are a node. @return false if hosts are unknown too, or each rank has its own. */
static bool find_nodes(const dxt_assembly *a, int32_t *nodes)
{
    bool by_node = true, by_host = true;
    int32_t hosts = 0;
    for (uint32_t r = 0; r < a->ranks; r++) {
        const dxt_identity *identity = &a->identities[r];
        by_node = by_node && identity->known && identity->node >= 0;
        by_host = by_host && identity->known && identity->device.host[0];
    }
    for (uint32_t r = 0; r < a->ranks && by_node; r++) nodes[r] = a->identities[r].node;
    if (by_node || !by_host) return by_node;
    for (uint32_t r = 0; r < a->ranks; r++) {
        const char *host = a->identities[r].device.host;
        uint32_t same = r > 0 && strcmp(a->identities[r - 1].device.host, host) == 0 ? r - 1 : 0;
        while (strcmp(a->identities[same].device.host, host) != 0) same++;
        nodes[r] = same < r ? nodes[same] : hosts++;
    }
    return (uint32_t)hosts < a->ranks;
}

static int32_t *nodes(dxt_assembler *to, const dxt_assembly *a)
{
    return find_nodes(a, to->nodes) ? to->nodes : NULL;
}

/* Cast a constant text for a window, which is only read. */
static char *text(const char *from)
{
    return from && from[0] ? (char *)from : NULL;
}

static char **hosts(dxt_assembler *to, const dxt_assembly *a)
{
    for (uint32_t r = 0; r < a->ranks; r++) {
        to->hosts[r] = text(a->identities[r].device.host);
        if (!a->identities[r].known || !to->hosts[r]) return NULL;
    }
    return to->hosts;
}

static dxt_place *devices(dxt_assembler *to, const dxt_assembly *a)
{
    static const dxt_place nowhere = {.rank = -1, .gpu = -1};
    bool known = false;
    for (uint32_t r = 0; r < a->ranks; r++) {
        const dxt_identity *identity = &a->identities[r];
        to->devices[r] = identity->known ? identity->device : nowhere;
        known = known || identity->known;
    }
    return known ? to->devices : NULL;
}

/* Whether two mails of a rank are consecutive. */
static bool follow_each_other(const dxt_mail_head *from, const dxt_mail_head *until)
{
    return until->sequence == from->sequence + 1;
}

/* The mix of work that all ranks with a row did; NULL if one of them does not know it. */
static char *mix(dxt_assembler *to, const dxt_assembly *a)
{
    uint64_t all = 0;
    for (uint32_t r = 0; r < a->ranks; r++) {
        dxt_mail_head from, until;
        if (to->missing[r]) continue;
        dxt_mail_get_head(a->before[r], &from);
        dxt_mail_get_head(a->after[r], &until);
        if (until.mix == 0 || !follow_each_other(&from, &until)) return NULL;
        all = (all ^ until.mix) * UINT64_C(0x9e3779b97f4a7c15) + r;
    }
    if (all == 0) return NULL;
    snprintf(to->mix, sizeof to->mix, "%016llx", (unsigned long long)all);
    return to->mix;
}

/* Fill in a rank's row of @p columns tokens. @return false if it knows fewer. */
static bool take_tokens(const dxt_assembly *a, uint32_t rank, uint32_t columns, int64_t *row)
{
    dxt_mail_head from, until;
    dxt_mail_get_head(a->before[rank], &from);
    dxt_mail_get_head(a->after[rank], &until);
    if (from.tokens_count != columns || until.tokens_count != columns) return false;
    const uint64_t *old = dxt_mail_tokens(a->before[rank], a->ranks, a->operators);
    const uint64_t *new = dxt_mail_tokens(a->after[rank], a->ranks, a->operators);
    return subtract(old, new, columns, row) <= INT64_MAX;
}

static uint32_t most_tokens(const dxt_assembler *to, const dxt_assembly *a)
{
    uint64_t most = 0;
    for (uint32_t r = 0; r < a->ranks; r++) {
        dxt_mail_head until;
        if (to->missing[r]) continue;
        dxt_mail_get_head(a->after[r], &until);
        if (until.tokens_count > most) most = until.tokens_count;
    }
    return (uint32_t)most;
}

static void find_tokens(dxt_assembler *to, const dxt_assembly *a, dxt_window *window)
{
    uint32_t columns = most_tokens(to, a);
    bool known = false;
    for (uint32_t r = 0; r < a->ranks && columns > 0; r++) {
        int64_t *row = to->tokens + (size_t)r * columns;
        if (!to->missing[r] && take_tokens(a, r, columns, row)) {
            known = true;
            continue;
        }
        for (uint32_t t = 0; t < columns; t++) row[t] = DXT_NOT_OBSERVED;
    }
    if (!known) return;
    window->tokens = to->tokens;
    window->local_experts = columns;
}

/* The number of operations that each rank has issued; NULL if no rank counts them. */
static int64_t *issued(dxt_assembler *to, const dxt_assembly *a)
{
    bool known = false;
    for (uint32_t r = 0; r < a->ranks; r++) {
        uint64_t all = 0;
        for (uint32_t o = 0; !to->missing[r] && o < a->operators; o++)
            all += dxt_mail_get_counts(a->after[r], a->ranks, o).issued;
        bool counts = all > 0 && all <= INT64_MAX;
        to->issued[r] = counts ? (int64_t)all : DXT_NOT_OBSERVED;
        known = known || counts;
    }
    return known ? to->issued : NULL;
}

/* How long each rank waited for a core in this interval; NULL if no rank knows. */
static int64_t *delays(dxt_assembler *to, const dxt_assembly *a)
{
    bool known = false;
    for (uint32_t r = 0; r < a->ranks; r++) {
        to->delays[r] = DXT_NOT_OBSERVED;
        if (to->missing[r]) continue;
        dxt_mail_head from, until;
        dxt_mail_get_head(a->before[r], &from);
        dxt_mail_get_head(a->after[r], &until);
        if (from.run_delay_ns < 0 || until.run_delay_ns < from.run_delay_ns) continue;
        to->delays[r] = until.run_delay_ns - from.run_delay_ns;
        known = true;
    }
    return known ? to->delays : NULL;
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

/* Fill in the parts of a window that are no counters. */
static dxt_window describe(dxt_assembler *to, const dxt_assembly *a)
{
    dxt_window window = {.struct_size = sizeof window,
                         .ranks = a->ranks,
                         .unit = DXT_UNIT_CYCLES,
                         .index = a->index,
                         .missing = to->silent,
                         .ticks_per_second = rates(to, a),
                         .nodes = nodes(to, a),
                         .hosts = hosts(to, a),
                         .devices = devices(to, a),
                         .min_share = a->min_share,
                         .origin = a->origin,
                         .mix = mix(to, a),
                         .issued = issued(to, a),
                         .run_delay_ns = delays(to, a),
                         .group = text(a->group),
                         .instance = text(a->instance),
                         .source = text(a->source)};
    find_tokens(to, a, &window);
    if (!a->before[0] || !a->after[0]) return window;
    dxt_mail_head from, until;
    dxt_mail_get_head(a->before[0], &from);
    dxt_mail_get_head(a->after[0], &until);
    if (until.time_ns > from.time_ns) window.elapsed_ns = until.time_ns - from.time_ns;
    window.begin = begin(to, from.realtime_ns);
    return window;
}

/* ---- all of it ---- */

/* Multiply each clock rate by the number of waits side by side, so that their sum becomes the time
 * of one. @return The rates; NULL if one is beyond what a clock can have. */
static double *speed_up(dxt_assembler *to, const dxt_assembly *a, double *rates)
{
    int64_t any = 1;
    for (uint32_t r = 0; r < a->ranks; r++)
        if (to->experts[r] > 0) any = to->experts[r];
    for (uint32_t r = 0; r < a->ranks; r++) {
        rates[r] = to->rates[r] * (double)(to->experts[r] > 0 ? to->experts[r] : any);
        if (!(rates[r] <= DXT_MAX_TICKS_PER_SECOND)) return NULL;
    }
    return rates;
}

static void put_planes(const dxt_cells *cells, dxt_window *window)
{
    int64_t **const planes[DXT_MAIL_PLANES] = {[DXT_MAIL_WAIT] = &window->wait,
                                               [DXT_MAIL_SAMPLES] = &window->samples,
                                               [DXT_MAIL_BYTES] = &window->bytes,
                                               [DXT_MAIL_LAST] = &window->last};
    /* Foreign counters hold waits alone. */
    for (int p = 0; p < DXT_MAIL_PLANES; p++)
        if (cells->counted[p]) *planes[p] = cells->plane[p];
}

void dxt_assemble(dxt_assembler *to, const dxt_assembly *a, const dxt_window **windows)
{
    take_rows(to, a);
    bool experts = dxt_assembler_find_experts(to, a);
    const dxt_window common = describe(to, a);
    int64_t stood_ns = 0;
    for (uint32_t o = 0; o < a->operators; o++) {
        dxt_window *window = &to->windows[o];
        *window = common;
        window->phase = (char *)a->names[o];
        stood_ns += dxt_assembler_take_out(to, a, o);
        put_planes(&to->cells[o], window);
        dxt_assembler_count(to, a, o, experts, window);
        if (experts && window->ops == 0 && !window->samples && window->ticks_per_second)
            window->ticks_per_second = speed_up(to, a, to->fast_rates);
        dxt_assembler_use_durations(to, a, o, window);
        windows[o] = window;
    }
    for (uint32_t o = 0; o < a->operators; o++)
        if (to->windows[o].elapsed_ns > stood_ns) to->windows[o].elapsed_ns -= stood_ns;
}
