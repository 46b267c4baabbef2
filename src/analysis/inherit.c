/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/inherit.h"

#include <math.h>

#include "analysis/select.h"
#include "analysis/skew.h"

/* When member k reached the operator. Who is late waits for nobody: one whose own waits are those
 * of the others was on time, and only what it sent came late. */
static double arrival_time(const dxt_fit *fit, uint32_t k, double *scratch)
{
    double late = fit->late[k] + fit->node_late[fit->node[k]];
    size_t used = 0;
    if (fit->role[k] != DXT_ROLE_LATE) return late;
    for (uint32_t j = 0; j < fit->count; j++)
        if (fit->node[j] == fit->node[k] && fit->role[j] == DXT_ROLE_ORDINARY)
            scratch[used++] = dxt_fit_wait(fit, k, j);
    double waited = dxt_median(scratch, used);
    double if_late = dxt_expected_wait(fit->transfer - fit->late[k], fit->skew);
    return used > 0 && waited > (if_late + fit->base) / 2 ? late - fit->late[k] : late;
}

/* When member k left the operator: its arrival and the longest of its mean waits. */
static double leaving_time(const dxt_fit *fit, uint32_t k, double *scratch)
{
    double longest = 0;
    for (uint32_t j = 0; j < fit->count; j++)
        if (j != k) longest = fmax(longest, dxt_fit_wait(fit, k, j));
    return arrival_time(fit, k, scratch) + longest;
}

/* What the ordinary of `used` ranks or nodes did; of two, the earlier is the ordinary one. */
static double ordinary(double *values, size_t used)
{
    return used == 2 ? fmin(values[0], values[1]) : dxt_median(values, used);
}

/* Leaving times of the ranks of one node, or of all for a node of UINT32_MAX, gathered in `known`.
 */
static size_t gather(const dxt_fit *fit, const double *leaving, uint32_t node, double *known)
{
    size_t used = 0;
    for (uint32_t k = 0; k < fit->count; k++)
        if ((node == UINT32_MAX || fit->node[k] == node) && !isnan(leaving[k]))
            known[used++] = leaving[k];
    return used;
}

/* The two fits may lack different ranks: those that only one of them has brought nothing along. */
static void take_leaving(const dxt_fit *fit, const dxt_fit *other, double *leaving)
{
    for (uint32_t k = 0, o = 0; k < fit->count; k++) {
        while (o < other->count && other->rank[o] < fit->rank[k]) o++;
        bool there = o < other->count && other->rank[o] == fit->rank[k];
        leaving[k] = there ? leaving_time(other, o, fit->scratch) : NAN;
    }
}

void dxt_inherit(const dxt_fit *fit, const dxt_fit *other, dxt_inherited *inherited)
{
    uint32_t n = fit->count;
    double *leaving = other->scratch, *node = leaving + n, *known = node + fit->nodes;
    take_leaving(fit, other, leaving);
    double all = ordinary(known, gather(fit, leaving, UINT32_MAX, known));
    for (uint32_t a = 0; a < fit->nodes; a++) {
        size_t used = gather(fit, leaving, a, known);
        node[a] = used > 0 ? ordinary(known, used) : all;
    }
    for (uint32_t k = 0; k < n; k++) {
        bool apart = fit->nodes > 1 && !fit->folded[fit->node[k]];
        leaving[k] = isnan(leaving[k]) ? 0 : leaving[k] - (apart ? node[fit->node[k]] : all);
    }
    for (uint32_t a = 0; a < fit->nodes; a++) known[a] = node[a];
    double level = ordinary(known, fit->nodes);
    for (uint32_t a = 0; a < fit->nodes; a++) node[a] -= level;
    *inherited = (dxt_inherited){.rank = leaving, .node = node};
}
