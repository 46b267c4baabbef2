/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/standing.h"

#include <math.h>

#include "analysis/tuning.h"
#include "numeric/skew.h"

/* How much later than the other one node a is, by what the two wait for each other. */
static double offset_of(const dxt_fit *fit, uint32_t a)
{
    return (fit->node_path[1 - a] - fit->node_path[a]) / 2;
}

/* The wait of the earlier node for the later one. */
static double longer(const dxt_fit *fit)
{
    return fmax(fit->node_path[0], fit->node_path[1]);
}

/* The wait of the later node for the earlier one, in ordinary waits inside nodes: nearly 0 if the
 * earlier one had arrived long before. */
static double shorter(const dxt_fit *fit)
{
    return fmin(fit->node_path[0], fit->node_path[1]) / fmax(fit->base, DXT_TINY);
}

/* Node A waits long for B in one operator, and B for A in the other. A late node causes only one of
 * these waits, a slow path both. In the operator of the slow path, the node that waits less was no
 * later than the other one left the operator before. @return The operator in which a path is slow:
 * this one, the other one, or unknown. */
static dxt_slow_side where_slow(const dxt_case *c, double more, double there)
{
    double here = shorter(&c->fit), back = shorter(&c->other);
    if (fabs(more) >= DXT_NODE_PATH_BOTH * 2 * there) return DXT_PATH_SLOW_UNTOLD;
    if (here > DXT_NODE_PATH_WAITS * back) return DXT_PATH_SLOW_HERE;
    return back > DXT_NODE_PATH_WAITS * here ? DXT_PATH_SLOW_THERE : DXT_PATH_SLOW_UNTOLD;
}

/* Whether both nodes were late, each in one of the operators, whose long waits differ by `more`.
 * Nobody waits for a node that came earlier by more than the way takes. A slow path keeps the wait
 * in the other direction as it is, unless the node behind it was late by that much besides; then
 * the long waits differ by as much. */
static bool both_late(const dxt_case *c, double more)
{
    double ordinary = fmax(c->fit.base, c->other.base);
    /* The waits inside small nodes tell little. */
    if (c->fit.count <= DXT_SURE_RANKS || c->other.count <= DXT_SURE_RANKS) return false;
    return fabs(more) < ordinary && fmax(shorter(&c->fit), shorter(&c->other)) < DXT_NODE_PATH_NONE;
}

/* Whether each node waits for the other one in most operations: even the shorter of the two waits
 * is more than twice what the transfer inside a node and varying arrivals explain. */
static bool both_wait(const dxt_fit *fit)
{
    return fmin(fit->node_path[0], fit->node_path[1]) >
           2 * dxt_expected_wait(fit->transfer, fit->skew);
}

/* Whether any rank of a fit holds others up because it is late or has a slow link. */
static bool ranks_hold_up(const dxt_fit *fit)
{
    for (uint32_t k = 0; k < fit->count; k++) {
        bool on_time = fit->role[k] == DXT_ROLE_ORDINARY || fit->role[k] == DXT_ROLE_EARLY;
        if (!on_time || fit->nic_in[k] > 0 || fit->nic_out[k] > 0) return true;
    }
    return false;
}

dxt_standing dxt_node_stands(const dxt_case *c, uint32_t a)
{
    const dxt_fit *fit = &c->fit, *other = &c->other;
    dxt_standing all = {.own = NAN}, nothing = {.own = 0};
    if (fit->nodes != 2 || !c->companion || other->nodes != 2) return all;
    double here = offset_of(fit, a), limit = fit->node_limit[a];
    double there = -offset_of(other, other->node_id[a] == fit->node_id[a] ? a : 1 - a);
    if (!(there > 0)) return all;
    bool left = dxt_left_over(here, there, limit, DXT_NODE_DOUBT) > 0;
    if (ranks_hold_up(fit) || ranks_hold_up(other))
        return left ? all : (dxt_standing){.own = 0, .carried = true};
    /* If each waits for the other here, no wait has reached 0, so half their difference is all of
     * the offset; and the paths take long both ways here, as distance does. A node is then named by
     * what it did not carry over, or not at all. Which operator's paths are slow is not asked: if
     * one node is late and the paths of both operators are slow, the window may be inconclusive. */
    if (both_wait(fit)) return left ? all : nothing;
    double more = longer(fit) - fit->base - (longer(other) - other->base);
    if (there > limit && both_late(c, more)) return all;
    dxt_slow_side slow =
        here > limit && there > limit ? where_slow(c, more, there) : DXT_PATH_SLOW_UNTOLD;
    if (slow == DXT_PATH_SLOW_THERE) return (dxt_standing){.own = 0, .carried = true};
    if (slow == DXT_PATH_SLOW_HERE) return (dxt_standing){.own = NAN, .path = true};
    if (there <= limit || fabs(more) <= fmax(limit, fit->skew)) return all;
    return more > 0 ? (dxt_standing){.own = more} : nothing;
}

double dxt_limit_of_node(const dxt_case *c, uint32_t a)
{
    double limit = c->fit.node_limit[a];
    bool held_up = c->companion && ranks_hold_up(&c->other);
    return held_up ? fmax(limit, c->other.skew) : limit;
}
