/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/carried.h"

#include <math.h>

#include "numeric/normal.h"
#include "numeric/select.h"
#include "numeric/skew.h"

double dxt_last_beyond_mean(const dxt_fit *fit)
{
    return fit->skew / DXT_ROOT_OF_2 * dxt_expected_last(fit->count - 1);
}

/* When member k left the operator: its arrival plus the longest of its mean waits. A slow link
 * delays even the data of the rank that arrives last; mean waits do not show that, so it is added.
 */
static double leaving_time(const dxt_fit *fit, uint32_t k)
{
    double last = fit->role[k] == DXT_ROLE_LINK ? dxt_last_beyond_mean(fit) : 0;
    return fit->late[k] + fit->node_late[fit->node[k]] + dxt_fit_longest(fit, k) + last;
}

/* Median leaving time of the ordinary ranks of one node; of all nodes for UINT32_MAX. Lateness on
 * leaving is measured from it. NaN where none is known. */
static double ordinary_leaving(const dxt_fit *fit, const double *leaving, uint32_t node,
                               double *known)
{
    size_t used = 0;
    for (uint32_t k = 0; k < fit->count; k++)
        if ((node == UINT32_MAX || fit->node[k] == node) && fit->role[k] == DXT_ROLE_ORDINARY &&
            !isnan(leaving[k]))
            known[used++] = leaving[k];
    return used > 0 ? dxt_median(known, used) : NAN;
}

/* The same for the ordinary nodes. */
static double ordinary_node(const dxt_fit *fit, const double *node, double *known)
{
    size_t used = 0;
    for (uint32_t a = 0; a < fit->nodes; a++)
        if (fit->node_role[a] == DXT_ROLE_ORDINARY && !isnan(node[a])) known[used++] = node[a];
    return used > 0 ? dxt_median(known, used) : NAN;
}

static double less(double leaving, double level)
{
    return isnan(leaving) || isnan(level) ? 0 : leaving - level;
}

/* The two fits may lack different ranks. A rank that only one of them has carried nothing over. */
static void take_leaving(const dxt_fit *fit, const dxt_fit *other, double *leaving)
{
    for (uint32_t k = 0, o = 0; k < fit->count; k++) {
        while (o < other->count && other->rank[o] < fit->rank[k]) o++;
        bool there = o < other->count && other->rank[o] == fit->rank[k];
        leaving[k] = there ? leaving_time(other, o) : NAN;
    }
}

/* In a hybrid mode a rank's waits are those for its node and its rail, but it leaves only when it
 * has heard from all, by way of others. A node that hears from a late rank over the network leaves
 * later than that rank's own by the longer way. */
static void hear_last(const dxt_fit *fit, const dxt_fit *other, double *node)
{
    uint32_t last = 0;
    for (uint32_t k = 1; k < other->count; k++)
        if (dxt_fit_all_lateness(other, k) > dxt_fit_all_lateness(other, last)) last = k;
    if (!(dxt_fit_all_lateness(other, last) > other->limit[last])) return;
    double heard = dxt_fit_all_lateness(other, last) + other->between;
    int32_t own = other->node_id[other->node[last]];
    for (uint32_t a = 0; a < fit->nodes; a++)
        if (fit->node_id[a] != own && !isnan(node[a])) node[a] = fmax(node[a], heard);
}

void dxt_carry_over(const dxt_fit *fit, const dxt_fit *other, dxt_carried *carried)
{
    double *leaving = fit->carried, *node = fit->carried_node, *known = fit->values;
    take_leaving(fit, other, leaving);
    double all = ordinary_leaving(fit, leaving, UINT32_MAX, known);
    for (uint32_t a = 0; a < fit->nodes; a++) node[a] = ordinary_leaving(fit, leaving, a, known);
    for (uint32_t k = 0; k < fit->count; k++) {
        bool apart = fit->nodes > 1 && !fit->folded[fit->node[k]];
        leaving[k] = less(leaving[k], apart ? node[fit->node[k]] : all);
    }
    if (fit->sparse > 0) hear_last(fit, other, node);
    double level = ordinary_node(fit, node, known);
    for (uint32_t a = 0; a < fit->nodes; a++) node[a] = less(node[a], level);
    *carried = (dxt_carried){.rank = leaving, .node = node};
}

double dxt_left_over(double amount, double carried, double limit, double doubt)
{
    double own = amount - fmax(0, carried);
    return own > fmax(limit, doubt * carried) ? own : 0;
}
