/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/ranks.h"

#include <math.h>

#include "analysis/arrive/abreast.h"
#include "analysis/arrive/group.h"
#include "analysis/arrive/many_sides.h"
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

/* The same without what slow sides add to the waits. */
static void waits_without_sides(const void *context, uint32_t i, const uint32_t *others,
                                uint32_t count, double *wait)
{
    const struct members *members = context;
    const dxt_fit *fit = members->fit;
    member_waits(context, i, others, count, wait);
    for (uint32_t k = 0; k < count; k++)
        if (others[k] != i)
            wait[k] = fmax(0, wait[k] - fit->receive[members->index[i]] -
                                  fit->send[members->index[others[k]]]);
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

/* How many of `left` nodes, from the first on, can be fitted side by side. */
static uint32_t count_alike(const dxt_roster *roster, const uint32_t *node, uint32_t left)
{
    uint32_t size = dxt_roster_size(roster, *node), count = 1;
    if (size > DXT_ABREAST_MEMBERS) return 1;
    while (count < left && count < DXT_ABREAST && dxt_roster_size(roster, node[count]) == size)
        count++;
    return count;
}

/* Fit the members of each of some nodes among themselves. If the skew is NaN it is found; with
 * several nodes only the ordinary wait is then found, since the nodes are fitted once more. */
static void fit_nodes(dxt_fit *fit, const dxt_roster *roster, const uint32_t *node, uint32_t count,
                      double skew, struct side_by_side *nodes)
{
    uint32_t size = dxt_roster_size(roster, *node);
    bool level_only = isnan(skew) && fit->nodes > 1;
    nodes->count = count;
    for (uint32_t t = 0; t < count; t++) {
        nodes->members[t] = (struct members){fit, roster->list + roster->begin[node[t]]};
        nodes->late[t] = nodes->room + (size_t)t * size;
        dxt_group_input *input = &nodes->input[t];
        *input = dxt_fit_group_input(fit, size);
        input->waits = fit->many_sides ? waits_without_sides : member_waits;
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

/* Base, skew and transfer by some nodes. */
static void find_ordinary(dxt_fit *fit, const dxt_roster *roster, const uint32_t *node,
                          uint32_t taken)
{
    struct side_by_side nodes;
    uint32_t told = 0, count;
    fit->skew = fit->base = fit->transfer = fit->cell_spread = 0;
    for (uint32_t k = 0; k < taken; k += count) {
        count = count_alike(roster, node + k, taken - k);
        fit_nodes(fit, roster, node + k, count, NAN, &nodes);
        take_ordinary(fit, &nodes, &told);
    }
}

void dxt_fit_ordinary(dxt_fit *fit)
{
    dxt_roster roster;
    uint32_t node[DXT_MAX_RANKS];
    uint32_t taken = fit->nodes < DXT_TELLING_NODES ? fit->nodes : DXT_TELLING_NODES;
    dxt_list_members(fit, &roster);
    for (uint32_t k = 0; k < taken; k++) node[k] = (uint32_t)dxt_spread_index(k, taken, fit->nodes);
    find_ordinary(fit, &roster, node, taken);
    if (fit->nodes > 1 || !dxt_many_sides(fit)) return;
    fit->many_sides = true;
    find_ordinary(fit, &roster, node, taken);
}

/* What the ranks of other nodes say of a rank and its mate, as medians. */
struct said {
    double waited;  /* how much longer they wait for the one than for the other */
    double waiting; /* how much longer the other waits for them than the one does */
    double both;    /* the two together */
};

static bool ask_others(const dxt_fit *fit, uint32_t late, uint32_t mate, struct said *said)
{
    double waited[DXT_WITNESSES], waiting[DXT_WITNESSES], both[DXT_WITNESSES];
    uint32_t taken = fit->count < DXT_WITNESSES ? fit->count : DXT_WITNESSES, used = 0;
    for (uint32_t k = 0; k < taken; k++) {
        uint32_t other = (uint32_t)dxt_spread_index(k, taken, fit->count);
        if (fit->node[other] == fit->node[late]) continue;
        waited[used] = dxt_fit_wait(fit, other, late) - dxt_fit_wait(fit, other, mate);
        waiting[used] = dxt_fit_wait(fit, mate, other) - dxt_fit_wait(fit, late, other);
        both[used] = waited[used] + waiting[used];
        used++;
    }
    if (used == 0) return false;
    said->waited = dxt_select(waited, used, (used - 1) / 2);
    said->waiting = dxt_select(waiting, used, (used - 1) / 2);
    said->both = dxt_select(both, used, (used - 1) / 2);
    return true;
}

/* In a node of two one wait tells who is late, and a slow path between them looks the same: if the
 * one comes later by some time, others wait that much longer for it, or its mate for them, or both
 * in part. It is no lateness if nobody else sees half of it. If others do not wait for it, and its
 * mate waits for all of them as well, it is the mate that comes early, or receives slowly.
 * @return Whether one of the two is off, so that they say nothing of the ordinary: what only adds
 * to one of their waits, as a slow side does, looks like a large skew. */
static bool doubt_pair(dxt_fit *fit, const uint32_t *pair)
{
    uint32_t late = pair[fit->late[pair[1]] > fit->late[pair[0]]], mate = pair[0] + pair[1] - late;
    double by = fit->late[late] - fit->late[mate];
    struct said said;
    if (fit->late[late] <= fit->limit[late] || !ask_others(fit, late, mate, &said)) return false;
    if (said.both < by / 2) {
        fit->late[late] = fit->late[mate] = 0;
        return true;
    }
    if (said.waited < by / 2 && said.waiting >= by / 2) {
        fit->late[late] = 0;
        fit->late[mate] = -by;
    }
    return true;
}

static void fit_all(dxt_fit *fit, const dxt_roster *roster)
{
    struct side_by_side nodes;
    uint32_t node[DXT_MAX_RANKS], count;
    for (uint32_t k = 0; k < fit->nodes; k++) node[k] = k;
    for (uint32_t k = 0; k < fit->nodes; k += count) {
        count = count_alike(roster, node + k, fit->nodes - k);
        fit_nodes(fit, roster, node + k, count, fit->skew, &nodes);
    }
}

/* Doubt each node of two. @return How many nodes tell what is ordinary, in `good`. */
static uint32_t doubt_pairs(dxt_fit *fit, const dxt_roster *roster, uint32_t *good)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < fit->nodes; k++)
        if (dxt_roster_size(roster, k) != 2 || !doubt_pair(fit, roster->list + roster->begin[k]))
            good[count++] = k;
    return count;
}

/* How long on-time ranks of other nodes wait for each other, across nodes; NaN where they are too
 * few to tell. Their number is left in `used`, they themselves in `other`. */
static double level_of_others(const dxt_fit *fit, uint32_t node, uint32_t *other, uint32_t *used)
{
    double waits[DXT_WITNESSES];
    uint32_t taken = fit->count < DXT_WITNESSES ? fit->count : DXT_WITNESSES, told = 0;
    *used = 0;
    for (uint32_t t = 0; t < taken; t++) {
        uint32_t k = (uint32_t)dxt_spread_index(t, taken, fit->count);
        if (fit->node[k] != node && dxt_fit_is_ordinary(fit, k)) other[(*used)++] = k;
    }
    for (uint32_t t = 0; t < *used; t++) {
        uint32_t i = other[t], j = other[(t + *used / 2) % *used];
        if (fit->node[i] != fit->node[j]) waits[told++] = dxt_fit_wait(fit, i, j);
    }
    return told > 0 ? dxt_median(waits, told) : NAN;
}

/* Whether member k and the others wait for each other as they do among themselves. */
static bool is_on_time(const dxt_fit *fit, uint32_t k, const uint32_t *other, uint32_t used,
                       double level)
{
    for (int out = 0; out < 2; out++) {
        double waits[DXT_WITNESSES];
        for (uint32_t t = 0; t < used; t++) waits[t] = dxt_fit_wait_on(fit, k, other[t], out);
        if (!(fabs(dxt_median(waits, used) - level) <= fit->limit[k])) return false;
    }
    return true;
}

/* Where no two ranks of a small node come at the same time, half of them are no cluster, and their
 * middle is nobody's time. Then who is on time for the other nodes is ordinary; if nobody is, as
 * behind a slow uplink, the earliest. Where no others tell the time, the middle stays: one early
 * rank would make its mates late. */
static void find_on_time(dxt_fit *fit, const dxt_roster *roster, uint32_t node, double limit)
{
    const uint32_t *own = roster->list + roster->begin[node];
    uint32_t size = dxt_roster_size(roster, node), ref = own[0], other[DXT_WITNESSES], used;
    bool told = false;
    for (uint32_t m = 0; m < size; m++) {
        if (fabs(fit->late[own[m]]) <= fmin(limit, fit->limit[own[m]])) return;
        if (fit->late[own[m]] < fit->late[ref]) ref = own[m];
    }
    double level = level_of_others(fit, node, other, &used);
    if (isnan(level)) return;
    /* That they come apart has widened their own limit. */
    for (uint32_t m = 0; m < size; m++) fit->limit[own[m]] = fmin(limit, fit->limit[own[m]]);
    for (uint32_t m = 0; m < size && !told; m++) {
        told = is_on_time(fit, own[m], other, used, level);
        if (told) ref = own[m];
    }
    double by = fit->late[ref];
    for (uint32_t m = 0; m < size; m++) fit->late[own[m]] -= by;
}

static void find_all_on_time(dxt_fit *fit, const dxt_roster *roster)
{
    double limits[DXT_WITNESSES];
    uint32_t taken = fit->count < DXT_WITNESSES ? fit->count : DXT_WITNESSES;
    for (uint32_t t = 0; t < taken; t++)
        limits[t] = fit->limit[dxt_spread_index(t, taken, fit->count)];
    double limit = dxt_median(limits, taken);
    for (uint32_t node = 0; node < fit->nodes; node++) {
        uint32_t size = dxt_roster_size(roster, node);
        if (size > 2 && size < DXT_SPREAD_MEMBERS) find_on_time(fit, roster, node, limit);
    }
}

void dxt_fit_ranks(dxt_fit *fit)
{
    dxt_roster roster;
    uint32_t good[DXT_MAX_RANKS], count;
    dxt_list_members(fit, &roster);
    fit_all(fit, &roster);
    /* In a hybrid mode not all of the waits that the rest takes are there. */
    if (fit->sparse) return;
    find_all_on_time(fit, &roster);
    count = doubt_pairs(fit, &roster, good);
    if (count == fit->nodes || count == 0) return;
    /* Of few nodes one in which something is off was much of what is ordinary. */
    find_ordinary(fit, &roster, good, count < DXT_TELLING_NODES ? count : DXT_TELLING_NODES);
    fit_all(fit, &roster);
    find_all_on_time(fit, &roster);
    doubt_pairs(fit, &roster, good);
}
