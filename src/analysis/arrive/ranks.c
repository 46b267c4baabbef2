/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/ranks.h"

#include <math.h>

#include "analysis/arrive/abreast.h"
#include "analysis/arrive/group.h"
#include "analysis/arrive/roster.h"
#include "analysis/arrive/within.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* The members of one node, for the group fit. */
struct members {
    const dxt_fit *fit;
    const uint32_t *index;
};

static void member_waits(const void *context, uint32_t i, const uint32_t *others, uint32_t count,
                         double *wait)
{
    const struct members *members = context;
    for (uint32_t k = 0; k < count; k++)
        wait[k] = dxt_wait_within(members->fit, members->index[i], members->index[others[k]]);
}

/* Nodes of the same size that are fitted side by side. */
struct side_by_side {
    uint32_t count;
    struct members members[DXT_ABREAST];
    dxt_group_input input[DXT_ABREAST];
    dxt_group group[DXT_ABREAST];
    double *late[DXT_ABREAST];
    double room[DXT_MAX_RANKS]; /* what `late` points into */
};

static uint32_t size_of(const dxt_roster *roster, uint32_t node)
{
    return roster->begin[node + 1] - roster->begin[node];
}

/* How many of `left` nodes, from the first on, can be fitted side by side. */
static uint32_t count_alike(const dxt_roster *roster, const uint32_t *node, uint32_t left)
{
    uint32_t size = size_of(roster, *node), count = 1;
    if (size > DXT_ABREAST_MEMBERS) return 1;
    while (count < left && count < DXT_ABREAST && size_of(roster, node[count]) == size) count++;
    return count;
}

/* Fit the members of each of some nodes among themselves. If the skew is NaN it is found; with
 * several nodes only the ordinary wait is then found, since the nodes are fitted once more. */
static void fit_nodes(dxt_fit *fit, const dxt_roster *roster, const uint32_t *node, uint32_t count,
                      double skew, struct side_by_side *nodes)
{
    uint32_t size = size_of(roster, *node);
    bool level_only = isnan(skew) && fit->nodes > 1;
    nodes->count = count;
    for (uint32_t t = 0; t < count; t++) {
        nodes->members[t] = (struct members){fit, roster->list + roster->begin[node[t]]};
        nodes->late[t] = nodes->room + (size_t)t * size;
        dxt_group_input *input = &nodes->input[t];
        *input = dxt_fit_group_input(fit, size);
        input->waits = member_waits;
        input->context = &nodes->members[t];
        input->skew = skew;
        input->population = fit->count;
        input->ranks = true;
        input->level_only = level_only;
        input->cell_spread = fit->known_spread;
    }
    dxt_groups_fit(nodes->input, count, nodes->late, nodes->group);
    for (uint32_t t = 0; t < count && !level_only; t++)
        for (uint32_t k = 0; k < size; k++) {
            uint32_t member = nodes->members[t].index[k];
            fit->late[member] = nodes->late[t][k];
            fit->limit[member] = nodes->group[t].limit;
            fit->error[member] = nodes->group[t].error;
        }
}

/* Take base, skew and transfer of some nodes into the means over all nodes so far. */
static void take_ordinary(dxt_fit *fit, const struct side_by_side *nodes, uint32_t *told)
{
    if (nodes->input[0].count < 2) return;
    for (uint32_t t = 0; t < nodes->count; t++) {
        const dxt_group *group = &nodes->group[t];
        ++*told;
        fit->base += (group->base - fit->base) / *told;
        fit->skew += (group->skew - fit->skew) / *told;
        fit->transfer += (group->transfer - fit->transfer) / *told;
        if (!isnan(group->cell_spread))
            fit->cell_spread = fmax(fit->cell_spread, group->cell_spread);
    }
}

void dxt_fit_ordinary(dxt_fit *fit)
{
    dxt_roster roster;
    struct side_by_side nodes;
    uint32_t node[DXT_MAX_RANKS], told = 0, count;
    uint32_t taken = fit->nodes < DXT_TELLING_NODES ? fit->nodes : DXT_TELLING_NODES;
    fit->skew = fit->base = fit->transfer = fit->cell_spread = 0;
    dxt_list_members(fit, &roster);
    for (uint32_t k = 0; k < taken; k++) node[k] = (uint32_t)dxt_spread_index(k, taken, fit->nodes);
    for (uint32_t k = 0; k < taken; k += count) {
        count = count_alike(&roster, node + k, taken - k);
        fit_nodes(fit, &roster, node + k, count, NAN, &nodes);
        take_ordinary(fit, &nodes, &told);
    }
}

/* How much longer ranks of other nodes wait for @p late than for its mate, and its mate for them
 * than it does, together: if it comes later than its mate by some time, either is as much, or the
 * two together are, where the other rank comes between. */
static double seen_outside(const dxt_fit *fit, uint32_t late, uint32_t mate)
{
    double seen[DXT_WITNESSES];
    uint32_t taken = fit->count < DXT_WITNESSES ? fit->count : DXT_WITNESSES, used = 0;
    for (uint32_t k = 0; k < taken; k++) {
        uint32_t other = (uint32_t)dxt_spread_index(k, taken, fit->count);
        if (fit->node[other] == fit->node[late]) continue;
        seen[used++] = dxt_fit_wait(fit, other, late) - dxt_fit_wait(fit, other, mate) +
                       dxt_fit_wait(fit, mate, other) - dxt_fit_wait(fit, late, other);
    }
    return used > 0 ? dxt_select(seen, used, (used - 1) / 2) : INFINITY;
}

/* In a node of two one wait tells who is late, and a slow path between them looks the same. It is
 * no lateness if nobody else sees half of it. */
static void doubt_pair(dxt_fit *fit, const uint32_t *pair)
{
    uint32_t late = pair[fit->late[pair[1]] > fit->late[pair[0]]], mate = pair[0] + pair[1] - late;
    double by = fit->late[late] - fit->late[mate];
    if (fit->late[late] <= fit->limit[late] || seen_outside(fit, late, mate) >= by / 2) return;
    fit->late[late] = fit->late[mate] = 0;
}

void dxt_fit_ranks(dxt_fit *fit)
{
    dxt_roster roster;
    struct side_by_side nodes;
    uint32_t node[DXT_MAX_RANKS], count;
    dxt_list_members(fit, &roster);
    for (uint32_t k = 0; k < fit->nodes; k++) node[k] = k;
    for (uint32_t k = 0; k < fit->nodes; k += count) {
        count = count_alike(&roster, node + k, fit->nodes - k);
        fit_nodes(fit, &roster, node + k, count, fit->skew, &nodes);
    }
    /* In a hybrid mode not all of the waits that it takes are there. */
    for (uint32_t k = 0; k < fit->nodes && !fit->sparse; k++)
        if (size_of(&roster, k) == 2) doubt_pair(fit, roster.list + roster.begin[k]);
}
