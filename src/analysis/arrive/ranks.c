/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/ranks.h"

#include <math.h>

#include "analysis/arrive/group.h"
#include "analysis/arrive/roster.h"
#include "numeric/spread.h"

/* The members of one node, for the group fit. */
struct members {
    const dxt_fit *fit;
    uint32_t count;
    const uint32_t *index;
    double late[DXT_MAX_RANKS];
};

static void member_waits(const void *context, uint32_t i, const uint32_t *others, uint32_t count,
                         double *wait)
{
    const struct members *members = context;
    for (uint32_t k = 0; k < count; k++)
        wait[k] = dxt_fit_wait(members->fit, members->index[i], members->index[others[k]]);
}

/* Fit the members of one node among themselves; a skew of NaN is to be found, and, where there are
 * more nodes, only what is ordinary: then they are fitted once more. @return Their number. */
static uint32_t fit_node(dxt_fit *fit, const dxt_roster *roster, uint32_t node, double skew,
                         dxt_group *group)
{
    struct members members;
    members.fit = fit;
    members.count = roster->begin[node + 1] - roster->begin[node];
    members.index = roster->list + roster->begin[node];
    dxt_group_input input = {.waits = member_waits,
                             .context = &members,
                             .skew = skew,
                             .count = members.count,
                             .population = fit->count,
                             .ranks = true,
                             .level_only = isnan(skew) && fit->nodes > 1,
                             .cell_spread = fit->known_spread,
                             .floor = fit->floor,
                             .step = fit->step,
                             .timed = !isnan(fit->step),
                             .ops = fit->ops,
                             .scratch = &fit->scratch->group,
                             .sorted = fit->values};
    dxt_group_fit(&input, members.late, group);
    for (uint32_t k = 0; k < members.count && !input.level_only; k++) {
        fit->late[members.index[k]] = members.late[k];
        fit->limit[members.index[k]] = group->limit;
        fit->error[members.index[k]] = group->error;
    }
    return members.count;
}

void dxt_fit_ordinary(dxt_fit *fit)
{
    dxt_roster roster;
    uint32_t told = 0, taken = fit->nodes < DXT_TELLING_NODES ? fit->nodes : DXT_TELLING_NODES;
    fit->skew = fit->base = fit->transfer = fit->cell_spread = 0;
    dxt_list_members(fit, &roster);
    for (uint32_t k = 0; k < taken; k++) {
        dxt_group group;
        uint32_t node = (uint32_t)dxt_spread_index(k, taken, fit->nodes);
        if (fit_node(fit, &roster, node, NAN, &group) < 2) continue;
        told++;
        fit->base += (group.base - fit->base) / told;
        fit->skew += (group.skew - fit->skew) / told;
        fit->transfer += (group.transfer - fit->transfer) / told;
        if (!isnan(group.cell_spread)) fit->cell_spread = fmax(fit->cell_spread, group.cell_spread);
    }
}

void dxt_fit_ranks(dxt_fit *fit)
{
    dxt_roster roster;
    dxt_group group;
    dxt_list_members(fit, &roster);
    for (uint32_t node = 0; node < fit->nodes; node++)
        fit_node(fit, &roster, node, fit->skew, &group);
}
