/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/nodes.h"

#include <math.h>
#include <string.h>

#include "analysis/arrive/group.h"
#include "analysis/arrive/levels.h"
#include "analysis/arrive/links.h"
#include "analysis/arrive/shifts.h"
#include "analysis/arrive/slow_links.h"
#include "numeric/skew.h"
#include "numeric/spread.h"

static void node_waits(const void *context, uint32_t a, const uint32_t *others, uint32_t count,
                       double *wait)
{
    const dxt_fit *fit = context;
    for (uint32_t k = 0; k < count; k++) wait[k] = fit->link[(size_t)a * fit->nodes + others[k]];
}

/* The sum of deviations from the fit over the cells between two nodes. */
static double misfit_between(const dxt_fit *fit)
{
    size_t cells = (size_t)fit->count * fit->count;
    size_t taken = cells < DXT_BLOCK_SAMPLES ? cells : DXT_BLOCK_SAMPLES;
    double sum = 0;
    for (size_t k = 0; k < taken; k++) {
        size_t cell = dxt_spread_index(k, taken, cells);
        uint32_t i = (uint32_t)(cell / fit->count), j = (uint32_t)(cell % fit->count);
        if (fit->node[i] != fit->node[j])
            sum += fabs(dxt_fit_wait(fit, i, j) - dxt_fit_expected(fit, i, j));
    }
    return sum;
}

/* With two nodes, a late node and a slow path from it both raise its columns for the other node.
 * They differ where its ranks wait for a rank that is later still. Keep what fits better. */
static void settle_two_nodes(dxt_fit *fit, double limit, dxt_ways *ways)
{
    double level[2 * 2], late[2] = {fit->node_late[0], fit->node_late[1]};
    memcpy(level, fit->link, sizeof level);
    double as_node = misfit_between(fit);
    fit->node_late[0] = fit->node_late[1] = 0;
    dxt_levels_to_links(fit, limit, false, ways);
    ways->counted = false;
    if (misfit_between(fit) < DXT_TWO_NODES_BETTER * as_node) {
        fit->node_role[0] = fit->node_role[1] = DXT_ROLE_ORDINARY;
    } else {
        fit->linked = false;
        fit->node_late[0] = late[0];
        fit->node_late[1] = late[1];
    }
    memcpy(fit->level, level, sizeof level);
}

/* Correct the lateness of nodes for the longer path between them, since the group was fitted as if
 * that path were no longer than the one inside a node. While two nodes are no further apart than
 * the path is long, both wait, and their waits differ by twice the time that they are apart. */
static double without_way(const dxt_fit *fit, const dxt_lateness_scale *scale, double late)
{
    double size = fabs(late), differ = dxt_expected_wait(fit->transfer + size, fit->skew) -
                                       dxt_expected_wait(fit->transfer - size, fit->skew);
    return copysign(dxt_lateness_read(scale, differ), late);
}

/* Correct all nodes; not of two, where one may be late or a path slow. @return The limit of a
 * lateness. */
static double leave_way_out(dxt_fit *fit, double limit)
{
    dxt_lateness_scale scale;
    if (fit->nodes == 2) return limit;
    dxt_lateness_scale_make(&scale, fit->between, fit->skew);
    for (uint32_t a = 0; a < fit->nodes; a++)
        fit->node_late[a] = without_way(fit, &scale, fit->node_late[a]);
    return without_way(fit, &scale, limit);
}

/* The limit of two nodes' lateness: no smaller than that of a rank's in the worse of them. Where
 * the ranks of a node differ for reasons unknown, it is unknown when the node came. */
static double limit_of_two(const dxt_fit *fit, double limit)
{
    double inside = 0;
    for (uint32_t a = 0; a < 2; a++) {
        double least = INFINITY;
        for (uint32_t k = 0; k < fit->count; k++)
            if (fit->node[k] == a) least = fmin(least, fit->limit[k]);
        if (isfinite(least)) inside = fmax(inside, least);
    }
    return fmax(limit, inside);
}

void dxt_fit_between(dxt_fit *fit)
{
    uint32_t n = fit->nodes;
    bool any_late = false;
    dxt_take_levels(fit);
    if (n == 2) memcpy(fit->node_path, &fit->link[1], sizeof fit->node_path);
    dxt_group group;
    dxt_ways ways;
    dxt_group_input input = dxt_fit_group_input(fit, n);
    input.waits = node_waits;
    input.context = fit;
    dxt_group_fit(&input, fit->node_late, &group);
    fit->between = fmax(fit->transfer, dxt_shift_of_wait(group.base, fit->skew));
    double limit = leave_way_out(fit, n == 2 ? limit_of_two(fit, group.limit) : group.limit);
    for (uint32_t a = 0; a < n; a++) {
        bool late = fit->node_late[a] > limit;
        any_late = any_late || late;
        fit->node_limit[a] = limit;
        fit->node_role[a] = late ? DXT_ROLE_LATE : DXT_ROLE_ORDINARY;
    }
    dxt_links_of_nodes(fit, group.limit);
    if (n == 2 && any_late) {
        settle_two_nodes(fit, group.limit, &ways);
    } else {
        dxt_levels_to_links(fit, group.limit, true, &ways);
    }
    dxt_drop_untold(fit, group.limit, &ways);
    /* Too small to report, but the paths were judged against it. */
    for (uint32_t a = 0; a < n; a++)
        if (fabs(fit->node_late[a]) <= limit) fit->node_late[a] = 0;
}

void dxt_fold_nodes(dxt_fit *fit)
{
    for (uint32_t a = 0; a < fit->nodes; a++) {
        uint32_t members = 0, among_others = 0;
        if (fit->node_late[a] == 0) continue;
        for (uint32_t k = 0; k < fit->count; k++) {
            if (fit->node[k] != a) continue;
            members++;
            among_others += !dxt_fit_is_ordinary(fit, k) &&
                            fabs(fit->late[k] + fit->node_late[a]) <= fit->limit[k];
        }
        if (members > 1 && among_others == 0) continue;
        for (uint32_t b = 0; b < fit->nodes; b++) dxt_settle(fit, b);
        /* The ordinary ranks are the same, and what was measured between them still holds. */
        for (uint32_t b = 0; b < fit->nodes; b++) {
            fit->level[(size_t)a * fit->nodes + b] += fit->node_late[a];
            fit->level[(size_t)b * fit->nodes + a] -= fit->node_late[a];
        }
        for (uint32_t k = 0; k < fit->count; k++)
            if (fit->node[k] == a) fit->late[k] += fit->node_late[a];
        fit->node_late[a] = 0;
        fit->node_role[a] = DXT_ROLE_ORDINARY;
        fit->folded[a] = true;
    }
}
