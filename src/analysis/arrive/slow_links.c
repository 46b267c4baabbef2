/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/slow_links.h"

#include <assert.h>
#include <math.h>

#include "analysis/arrive/rails.h"
#include "analysis/arrive/roster.h"
#include "analysis/tuning.h"
#include "numeric/normal.h"
#include "numeric/select.h"
#include "numeric/skew.h"
#include "numeric/spread.h"

/* What the shortest of some waits take; NaN of none. */
static double shortest(double *waits, uint32_t count)
{
    return count > 0 ? dxt_select(waits, count, count / DXT_SHORTEST_ONE_IN) : NAN;
}

/* ---- towards other nodes ---- */

/* Ranks of other nodes, the same for all ranks of a node. */
struct partners {
    uint32_t count;
    uint32_t member[DXT_PARTNERS];
};

static void choose_partners(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                            struct partners *partners)
{
    uint32_t begin = roster->begin[node], own = roster->begin[node + 1] - begin;
    uint32_t others = fit->count - own;
    uint32_t most = fit->count > DXT_PARTNERS_MANY_RANKS ? DXT_PARTNERS_OF_MANY : DXT_PARTNERS;
    partners->count = others < most ? others : most;
    for (uint32_t k = 0; k < partners->count; k++) {
        uint32_t at = (uint32_t)dxt_spread_index(k, partners->count, others);
        partners->member[k] = roster->list[at < begin ? at : at + own];
    }
}

/* How much longer than ordinary the waits inside its node are; 0 where there are none. */
static double extra_within(const dxt_fit *fit, const dxt_roster *roster, uint32_t k, bool out)
{
    uint32_t first = roster->begin[fit->node[k]], end = roster->begin[fit->node[k] + 1];
    double waits[DXT_PARTNERS];
    uint32_t used = 0;
    for (uint32_t m = first; m < end && used < DXT_PARTNERS; m++)
        if (roster->list[m] != k) waits[used++] = dxt_fit_wait_on(fit, k, roster->list[m], out);
    return used > 0 ? fmax(0, dxt_median(waits, used) - fit->base) : 0;
}

/* What passes one rank's link to partners of other nodes. @return How many there are that tell. */
static uint32_t waits_between(const dxt_fit *fit, const struct partners *partners, uint32_t k,
                              bool out, double *waits)
{
    uint32_t used = 0;
    if (fit->sparse > 0) return dxt_rail_waits(fit, k, out, waits);
    for (uint32_t p = 0; p < partners->count; p++)
        if (dxt_tells(fit, partners->member[p], out))
            waits[used++] = dxt_fit_wait_on(fit, k, partners->member[p], out);
    return used;
}

/* The same at the least, above what it takes inside. A wait cannot be less than none. */
static double least_between(const dxt_fit *fit, const dxt_roster *roster,
                            const struct partners *partners, uint32_t k, bool out)
{
    double waits[DXT_PARTNERS];
    uint32_t used = waits_between(fit, partners, k, out, waits);
    double extra = extra_within(fit, roster, k, out);
    /* What is slow inside as well is not the link between nodes. */
    return used > 0 && extra <= fit->limit[k] ? fmax(0, shortest(waits, used) - extra) : NAN;
}

/* The links of one node, one way. */
static void compare_links(dxt_fit *fit, const dxt_roster *roster, const struct partners *partners,
                          uint32_t node, bool out, double uneven)
{
    double *extra = out ? fit->nic_out : fit->nic_in, best = INFINITY;
    for (uint32_t m = roster->begin[node]; m < roster->begin[node + 1]; m++) {
        uint32_t k = roster->list[m];
        extra[k] = dxt_fit_is_ordinary(fit, k) ? least_between(fit, roster, partners, k, out) : NAN;
        if (extra[k] < best) best = extra[k];
    }
    for (uint32_t m = roster->begin[node]; m < roster->begin[node + 1]; m++) {
        uint32_t k = roster->list[m];
        double limit = DXT_LINK_LIMITS * fit->limit[k] + uneven * best;
        extra[k] = extra[k] - best > limit ? extra[k] - best : 0;
    }
}

/* How much some waits inside nodes differ, as a standard deviation in ordinary ones. */
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
    struct partners partners;
    for (uint32_t k = 0; k < fit->count; k++) fit->nic_in[k] = fit->nic_out[k] = 0;
    if (fit->nodes < 2) return;
    dxt_list_members(fit, &roster);
    double uneven = fmax(DXT_NIC_UNEVENNESS, DXT_NIC_SPREADS * spread_within(fit, &roster));
    for (uint32_t node = 0; node < fit->nodes; node++) {
        if (roster.begin[node + 1] - roster.begin[node] < 2) continue;
        choose_partners(fit, &roster, node, &partners);
        compare_links(fit, &roster, &partners, node, false, uneven);
        compare_links(fit, &roster, &partners, node, true, uneven);
    }
    if (fit->sparse > 0) dxt_leave_rails(fit);
}

/* ---- of whole nodes ---- */

/* Nodes that are looked at, but for the ways to and from the one that is judged. */
#define NO_NODE UINT32_MAX

/* Whether node b is not early, or late, itself, so that what it is waited for (waits) is told. */
static bool tells(const dxt_fit *fit, uint32_t b, bool out)
{
    return (out ? fit->node_late[b] : -fit->node_late[b]) <= fit->node_limit[b];
}

/* What a node waits at least for the others, or these for it; not those that are early, or late, of
 * whom it cannot be told, unless `any` will do. NaN where fewer than two are left: that would be
 * the way between two. Two that are not judged are compared with by their way. */
static double least_of_node(const dxt_fit *fit, uint32_t a, bool out, uint32_t without, bool any)
{
    uint32_t n = fit->nodes, used = 0, enough = without == NO_NODE ? 2 : 1;
    for (uint32_t b = 0; b < n; b++)
        if (b != a && b != without && (any || tells(fit, b, out)))
            fit->values[used++] = fit->link[out ? (size_t)b * n + a : (size_t)a * n + b];
    return used < enough ? NAN : shortest(fit->values, used);
}

static double median_least(const dxt_fit *fit, bool out, uint32_t without, double *least)
{
    uint32_t used = 0;
    for (uint32_t a = 0; a < fit->nodes; a++)
        least[a] = a == without ? NAN : least_of_node(fit, a, out, without, false);
    for (uint32_t a = 0; a < fit->nodes; a++)
        if (!isnan(least[a])) fit->values[used++] = least[a];
    return used ? dxt_median(fit->values, used) : NAN;
}

/* Whether a node that is waited for (or waits) as long as `otherwise` is by far not as early (late)
 * as the `size` of its waits in the other direction would have it. */
static bool is_hardly_apart(const dxt_fit *fit, double otherwise, double size)
{
    if (!(otherwise > DXT_CELL_FLOOR * fit->floor) || !(fit->skew > 0)) return false;
    double apart = fit->between - dxt_shift_of_wait(otherwise, fit->skew);
    return apart < size / 2;
}

/* Who is late waits for nobody; behind a slow uplink a node waits for the others as anybody does.
 * Who is early is there before anybody looks for it; a node that receives slowly is not.
 * @return Whether it is the uplink. */
static bool judge_uplink(dxt_fit *fit, uint32_t a, double in, double out, double base, double limit)
{
    if (!(in > limit || out > limit)) return false;
    double size = fmax(in, out), shift = fit->between;
    double otherwise = base + fmin(in, out);
    double if_apart = dxt_expected_wait(shift - size, fit->skew);
    if (fmin(in, out) <= limit && otherwise <= (if_apart + base) / 2 &&
        !is_hardly_apart(fit, otherwise, size))
        return false;
    fit->node_in[a] = in > limit ? in : 0;
    fit->node_out[a] = out > limit ? out : 0;
    fit->node_late[a] = 0;
    fit->node_role[a] = DXT_ROLE_ORDINARY;
    return true;
}

/* Of few nodes its own ways may be the least of all others. */
static double base_without(const dxt_fit *fit, uint32_t a, double base)
{
    if (fit->nodes > DXT_SHORTEST_ONE_IN) return base;
    double least[DXT_SHORTEST_ONE_IN];
    double in = median_least(fit, false, a, least), out = median_least(fit, true, a, least);
    return isnan(in) || isnan(out) ? base : fmin(in, out);
}

void dxt_links_of_nodes(dxt_fit *fit, double limit)
{
    if (fit->nodes < DXT_LINK_LEAST) return;
    double *all_in = fit->seen, *all_out = fit->bar;
    double base = median_least(fit, false, NO_NODE, all_in);
    base = fmin(base, median_least(fit, true, NO_NODE, all_out));
    bool moved = false;
    for (uint32_t a = 0; a < fit->nodes; a++) {
        /* Who turned out to be on time tells of the others from then on. */
        double in = moved ? least_of_node(fit, a, false, NO_NODE, false) : all_in[a];
        double out = moved ? least_of_node(fit, a, true, NO_NODE, false) : all_out[a];
        /* Of few nodes it may be the uplink itself that makes the others early or late. */
        if (isnan(in) && out - base > limit) in = least_of_node(fit, a, false, NO_NODE, true);
        if (isnan(out) && in - base > limit) out = least_of_node(fit, a, true, NO_NODE, true);
        if (isnan(in) || isnan(out) || fmax(in, out) - base <= limit) continue;
        double others = base_without(fit, a, base);
        double least = fmax(limit, DXT_LINK_UNEVENNESS * others);
        if (judge_uplink(fit, a, in - others, out - others, others, least)) moved = true;
    }
}
