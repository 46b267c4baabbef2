/* SPDX-License-Identifier: Apache-2.0 */
/* Slow links of whole nodes (slow_links.h). */
#include "analysis/arrive/slow_links.h"

#include <math.h>

#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/skew.h"

/* In place of a node that is left out: none is. */
#define NO_NODE UINT32_MAX

/* Whether the waits for node b (@p out: its waits) say anything of a link: not if b is early
 * (late). */
static bool tells(const dxt_fit *fit, uint32_t b, bool out)
{
    return (out ? fit->node_late[b] : -fit->node_late[b]) <= fit->node_limit[b];
}

/* The short end of a node's waits for the others, or of theirs for it. Nodes that say nothing (see
 * tells()) count only if `any` is set. Without a node left out, two others are needed, since one
 * would be the path between two nodes; otherwise one is enough. NaN if they are fewer. */
static double least_of_node(const dxt_fit *fit, uint32_t a, bool out, uint32_t without, bool any)
{
    uint32_t n = fit->nodes, used = 0, enough = without == NO_NODE ? 2 : 1;
    for (uint32_t b = 0; b < n; b++)
        if (b != a && b != without && (any || tells(fit, b, out)))
            fit->values[used++] = fit->link[out ? (size_t)b * n + a : (size_t)a * n + b];
    return used < enough ? NAN : dxt_shortest(fit->values, used);
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

/* Whether a node is by far not as early (late) as the `size` of its waits in one direction
 * suggests, given the wait `otherwise` in the other direction. */
static bool is_hardly_apart(const dxt_fit *fit, double otherwise, double size)
{
    if (!(otherwise > DXT_CELL_FLOOR * fit->floor) || !(fit->skew > 0)) return false;
    double apart = fit->between - dxt_shift_of_wait(otherwise, fit->skew);
    return apart < size / 2;
}

/* Tell a slow uplink from lateness. A late node waits for nobody; behind a slow uplink a node waits
 * for the others like any node. Nobody waits for an early node; for one that receives slowly the
 * others wait like for any node.
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

/* The shortest level between two different nodes. */
static double shortest_way(const dxt_fit *fit)
{
    double shortest = INFINITY;
    for (uint32_t a = 0; a < fit->nodes; a++) shortest = fmin(shortest, fit->least_level[a]);
    return shortest;
}

/* Whether no level between a node and some others exceeds the shortest one of all by more than the
 * limit. */
static bool are_short(const dxt_fit *fit, uint32_t a, const uint32_t *others, uint32_t count,
                      bool out, double shortest, double limit)
{
    for (uint32_t t = 0; t < count; t++) {
        uint32_t b = others[t];
        double way = fit->link[out ? (size_t)b * fit->nodes + a : (size_t)a * fit->nodes + b];
        if (a != b && !(way - shortest <= limit)) return false;
    }
    return true;
}

/* Whether certainly no uplink is slow. The base is no shorter than the shortest level, and the
 * short end of a node's levels is no longer than the longest of as many of them as are looked at.
 */
static bool none_is_slow(const dxt_fit *fit, double limit)
{
    uint32_t telling[DXT_MAX_RANKS], n = fit->nodes;
    double shortest = shortest_way(fit);
    for (int out = 0; out < 2; out++) {
        uint32_t used = 0;
        for (uint32_t b = 0; b < n; b++)
            if (tells(fit, b, out)) telling[used++] = b;
        if (used < DXT_LINK_LEAST) return false;
        /* One more, since a node may be among them itself. */
        uint32_t enough = used / DXT_SHORTEST_ONE_IN + 2;
        for (uint32_t a = 0; a < n; a++)
            if (!are_short(fit, a, telling, enough, out, shortest, limit)) return false;
    }
    return true;
}

/* Leave a node's own levels out of the base: where nodes are few they may be the short end of all
 * the others. */
static double base_without(const dxt_fit *fit, uint32_t a, double base)
{
    if (fit->nodes > DXT_SHORTEST_ONE_IN) return base;
    double least[DXT_SHORTEST_ONE_IN];
    double in = median_least(fit, false, a, least), out = median_least(fit, true, a, least);
    return isnan(in) || isnan(out) ? base : fmin(in, out);
}

void dxt_links_of_nodes(dxt_fit *fit, double limit)
{
    if (fit->nodes < DXT_LINK_LEAST || none_is_slow(fit, limit)) return;
    double *all_in = fit->seen, *all_out = fit->bar;
    double base = median_least(fit, false, NO_NODE, all_in);
    base = fmin(base, median_least(fit, true, NO_NODE, all_out));
    bool moved = false;
    for (uint32_t a = 0; a < fit->nodes; a++) {
        /* A node that turned out to be on time counts for those that follow. */
        double in = moved ? least_of_node(fit, a, false, NO_NODE, false) : all_in[a];
        double out = moved ? least_of_node(fit, a, true, NO_NODE, false) : all_out[a];
        /* Where nodes are few, the uplink itself may make the others look early or late. */
        if (isnan(in) && out - base > limit) in = least_of_node(fit, a, false, NO_NODE, true);
        if (isnan(out) && in - base > limit) out = least_of_node(fit, a, true, NO_NODE, true);
        if (isnan(in) || isnan(out) || fmax(in, out) - base <= limit) continue;
        double others = base_without(fit, a, base);
        double least = fmax(limit, DXT_LINK_UNEVENNESS * others);
        if (judge_uplink(fit, a, in - others, out - others, others, least)) moved = true;
    }
}
