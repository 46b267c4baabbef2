/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/slow_links.h"

#include <assert.h>
#include <math.h>

#include "analysis/arrive/rails.h"
#include "analysis/arrive/roster.h"
#include "analysis/tuning.h"
#include "numeric/columns.h"
#include "numeric/normal.h"
#include "numeric/select.h"
#include "numeric/skew.h"
#include "numeric/spread.h"

/* The partners of a node's ranks: some ranks of other nodes, the same for all of them. */
struct partners {
    uint32_t count;
    uint32_t member[DXT_PARTNERS];
    uint32_t others;           /* how many there are to choose from, and … */
    uint32_t at[DXT_PARTNERS]; /* … which of them are chosen */
};

static void choose_partners(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                            struct partners *partners)
{
    uint32_t begin = roster->begin[node], own = roster->begin[node + 1] - begin;
    uint32_t others = fit->count - own;
    uint32_t most = fit->count > DXT_PARTNERS_MANY_RANKS ? DXT_PARTNERS_OF_MANY : DXT_PARTNERS;
    partners->count = others < most ? others : most;
    /* Mostly the node before has as many ranks. */
    for (uint32_t k = 0; k < partners->count && partners->others != others; k++)
        partners->at[k] = (uint32_t)dxt_spread_index(k, partners->count, others);
    partners->others = others;
    for (uint32_t k = 0; k < partners->count; k++) {
        uint32_t at = partners->at[k];
        partners->member[k] = roster->list[at < begin ? at : at + own];
    }
}

/* Members of one node that are looked at together. */
struct abreast {
    const uint32_t *of_node; /* all members of the node … */
    uint32_t own;            /* … and their number */
    uint32_t first, count;   /* those that are looked at */
};

/* How much longer than the ordinary wait their waits inside the node are; 0 if there are none. */
static void extra_within(const dxt_fit *fit, const struct abreast *members, bool out, double *extra)
{
    double waits[DXT_PARTNERS][DXT_LANES] = {{0}};
    uint32_t others = members->own - 1, rows = others < DXT_PARTNERS ? others : DXT_PARTNERS;
    for (uint32_t t = 0; t < rows; t++)
        for (uint32_t c = 0; c < members->count; c++) {
            uint32_t k = members->first + c, other = t < k ? t : t + 1;
            waits[t][c] = dxt_fit_wait_on(fit, members->of_node[k], members->of_node[other], out);
        }
    dxt_medians(waits, rows, extra);
    for (uint32_t c = 0; c < members->count; c++)
        extra[c] = rows > 0 ? fmax(0, extra[c] - fit->base) : 0;
}

/* How many of the shortest waits are kept; the longest of these is the one that counts. */
#define KEPT (DXT_PARTNERS / DXT_SHORTEST_ONE_IN + 1)

/* Insert each wait among the shortest ones of its column. */
static void keep_shortest(double (*restrict shortest)[DXT_LANES], uint32_t kept, uint32_t count,
                          double *restrict wait)
{
    for (uint32_t s = 0; s < kept; s++)
        for (uint32_t c = 0; c < count; c++) {
            double before = shortest[s][c], now = wait[c];
            shortest[s][c] = now < before ? now : before;
            wait[c] = now > before ? now : before;
        }
}

/* Take the waits over the links of some members to a partner. */
static void take_waits(const dxt_fit *fit, const uint32_t *member, uint32_t count, uint32_t partner,
                       bool out, double *wait)
{
    const dxt_window *window = fit->window;
    const int64_t *to = window->wait + (size_t)fit->rank[partner] * window->ranks;
    const int64_t *from = window->wait + fit->rank[partner];
    for (uint32_t c = 0; c < count && !window->samples; c++) {
        uint32_t k = member[c], rank = fit->rank[k];
        int64_t counter = out ? to[rank] : from[(size_t)rank * window->ranks];
        wait[c] = (double)dxt_without_timeout(window, counter) * fit->factor[out ? partner : k];
    }
    for (uint32_t c = 0; c < count && window->samples; c++)
        wait[c] = dxt_fit_wait_on(fit, member[c], partner, out);
}

/* Fetch the cells of the next node's members early: they are scattered over the matrix. */
static void ask_for_next(const dxt_fit *fit, const dxt_roster *roster,
                         const struct partners *partners, uint32_t node)
{
    if (node == fit->nodes) return;
    for (uint32_t m = roster->begin[node]; m < roster->begin[node + 1]; m++) {
        const dxt_window *window = fit->window;
        const int64_t *row = window->wait + (size_t)fit->rank[roster->list[m]] * window->ranks;
        for (uint32_t p = 0; p < partners->count; p++)
            __builtin_prefetch(row + fit->rank[partners->member[p]]);
    }
}

/* The shortest waits over their links to partners of other nodes, as dxt_shortest(). */
static void shortest_between(const dxt_fit *fit, const struct partners *partners,
                             const struct abreast *members, bool out, double *least)
{
    double shortest[KEPT][DXT_LANES], waits[DXT_PARTNERS][DXT_LANES];
    const uint32_t *member = members->of_node + members->first;
    uint32_t used = 0;
    for (uint32_t p = 0; p < partners->count; p++) used += dxt_tells(fit, partners->member[p], out);
    uint32_t kept = used / DXT_SHORTEST_ONE_IN + 1;
    assert(kept <= KEPT);
    for (uint32_t s = 0; s < kept; s++)
        for (uint32_t c = 0; c < DXT_LANES; c++) shortest[s][c] = INFINITY;
    /* All are taken first: a vector cannot be read right after its parts were written. */
    for (uint32_t p = 0, row = 0; p < partners->count; p++)
        if (dxt_tells(fit, partners->member[p], out))
            take_waits(fit, member, members->count, partners->member[p], out, waits[row++]);
    for (uint32_t row = 0; row < used; row++)
        keep_shortest(shortest, kept, members->count, waits[row]);
    for (uint32_t c = 0; c < DXT_LANES; c++) least[c] = used > 0 ? shortest[kept - 1][c] : NAN;
}

/* The same in a hybrid mode, where each member has other partners. */
static void shortest_of_rails(const dxt_fit *fit, const struct abreast *members, bool out,
                              double *least)
{
    double waits[DXT_PARTNERS];
    dxt_rail_ways ways = {.own = DXT_NO_BLOCK};
    for (uint32_t c = 0; c < members->count; c++) {
        uint32_t k = members->of_node[members->first + c];
        least[c] = dxt_shortest(waits, dxt_rail_waits(fit, &ways, k, out, waits));
    }
}

/* The same, less the extra wait inside the node: what is slow inside as well is not the link
 * between nodes. NaN for a member that is not on time, or not healthy inside its node. */
static void least_between(const dxt_fit *fit, const struct partners *partners,
                          const struct abreast *members, bool out, double *extra)
{
    double least[DXT_LANES], within[DXT_LANES];
    extra_within(fit, members, out, within);
    if (fit->sparse > 0)
        shortest_of_rails(fit, members, out, least);
    else
        shortest_between(fit, partners, members, out, least);
    for (uint32_t c = 0; c < members->count; c++) {
        uint32_t k = members->of_node[members->first + c];
        bool tells = dxt_fit_is_ordinary(fit, k) && within[c] <= fit->limit[k];
        extra[k] = tells && !isnan(least[c]) ? fmax(0, least[c] - within[c]) : NAN;
    }
}

/* Judge the links of one node in one direction. */
static void compare_links(dxt_fit *fit, const dxt_roster *roster, const struct partners *partners,
                          uint32_t node, bool out, double uneven)
{
    double *extra = out ? fit->nic_out : fit->nic_in, best = INFINITY;
    struct abreast members = {.of_node = roster->list + roster->begin[node],
                              .own = roster->begin[node + 1] - roster->begin[node]};
    for (; members.first < members.own; members.first += DXT_LANES) {
        uint32_t left = members.own - members.first;
        members.count = left < DXT_LANES ? left : DXT_LANES;
        least_between(fit, partners, &members, out, extra);
    }
    for (uint32_t m = 0; m < members.own; m++) best = fmin(best, extra[members.of_node[m]]);
    /* Partners whose whole node is late wait for nobody, and hide how long the ways to them are:
     * no shorter than those inside. */
    double least = fmax(best, fit->base);
    for (uint32_t m = roster->begin[node]; m < roster->begin[node + 1]; m++) {
        uint32_t k = roster->list[m];
        double limit = DXT_LINK_LIMITS * fit->limit[k] + uneven * least;
        extra[k] = extra[k] - best > limit ? extra[k] - best : 0;
    }
}

/* The standard deviation of some waits inside nodes, in ordinary waits. */
static double spread_within(const dxt_fit *fit, const dxt_roster *roster)
{
    double *off = fit->scratch->cells.work;
    uint32_t used = 0;
    assert(DXT_SPREAD_CELLS <= DXT_LEVEL_SAMPLE);
    for (uint32_t t = 0; t < DXT_SPREAD_CELLS; t++) {
        uint32_t k = (uint32_t)dxt_spread_index(t % fit->count, DXT_SPREAD_CELLS, fit->count);
        uint32_t begin = roster->begin[fit->node[k]], own = roster->begin[fit->node[k] + 1] - begin;
        uint32_t other = roster->list[begin + (t + t / fit->count) % own];
        if (other == k || !dxt_fit_is_ordinary(fit, k) || !dxt_fit_is_ordinary(fit, other))
            continue;
        off[used++] = fabs(dxt_fit_wait(fit, k, other) - fit->base);
    }
    return fit->base > 0 ? DXT_MAD_TO_DEVIATION * dxt_median(off, used) / fit->base : 0;
}

void dxt_links_between(dxt_fit *fit)
{
    dxt_roster roster;
    struct partners partners = {.count = 0};
    for (uint32_t k = 0; k < fit->count; k++) fit->nic_in[k] = fit->nic_out[k] = 0;
    if (fit->nodes < 2) return;
    dxt_list_members(fit, &roster);
    double uneven = fmax(DXT_NIC_UNEVENNESS, DXT_NIC_SPREADS * spread_within(fit, &roster));
    for (uint32_t node = 0; node < fit->nodes; node++) {
        if (roster.begin[node + 1] - roster.begin[node] < 2) continue;
        choose_partners(fit, &roster, node, &partners);
        ask_for_next(fit, &roster, &partners, node + 1);
        compare_links(fit, &roster, &partners, node, false, uneven);
        compare_links(fit, &roster, &partners, node, true, uneven);
    }
    if (fit->sparse > 0) dxt_leave_rails(fit);
}
