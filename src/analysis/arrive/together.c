/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/together.h"

#include "numeric/spread.h"

static void choose_partners(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                            dxt_partners *partners)
{
    uint32_t begin = roster->begin[node], own = roster->begin[node + 1] - begin;
    uint32_t others = fit->count - own;
    partners->count = dxt_partners_of(fit->count, others);
    /* Mostly the node before has as many ranks. */
    for (uint32_t k = 0; k < partners->count && partners->others != others; k++)
        partners->at[k] = (uint32_t)dxt_spread_index(k, partners->count, others);
    partners->others = others;
    for (uint32_t k = 0; k < partners->count; k++) {
        uint32_t at = partners->at[k];
        partners->member[k] = roster->list[at < begin ? at : at + own];
    }
}

/* How many nodes from one on are looked at together. */
static uint32_t count_together(const dxt_fit *fit, const dxt_roster *roster, uint32_t node)
{
    uint32_t own = roster->begin[node + 1] - roster->begin[node], count = 1;
    while (node + count < fit->nodes && (count + 1) * own <= DXT_LANES && count < DXT_TOGETHER &&
           roster->begin[node + count + 1] - roster->begin[node + count] == own)
        count++;
    return count;
}

void dxt_choose_together(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                         dxt_together *nodes)
{
    nodes->first = node;
    nodes->nodes = count_together(fit, roster, node);
    nodes->own = roster->begin[node + 1] - roster->begin[node];
    for (uint32_t t = 0; t < nodes->nodes && nodes->own > 1; t++)
        choose_partners(fit, roster, node + t, &nodes->partners[t]);
}

void dxt_take_seats(const dxt_roster *roster, const dxt_together *nodes, uint32_t begin,
                    dxt_seats *members)
{
    members->count = 0;
    for (uint32_t t = 0; t < nodes->nodes; t++) {
        const uint32_t *list = roster->list + roster->begin[nodes->first + t];
        for (uint32_t m = begin; m < nodes->own && members->count < DXT_LANES; m++) {
            uint32_t lane = members->count++;
            members->member[lane] = list[m];
            members->place[lane] = m;
            members->of_node[lane] = list;
            members->slot[lane] = t;
        }
    }
}
