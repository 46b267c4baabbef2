/* SPDX-License-Identifier: Apache-2.0 */
/* The ordinary ranks of each node. */
#ifndef DXT_ARRIVE_ROSTER_H
#define DXT_ARRIVE_ROSTER_H

#include "analysis/arrive/model.h"

/** Members of a fit, node by node: those of node a are list[begin[a]] … list[begin[a + 1] − 1]. */
typedef struct dxt_roster {
    uint32_t begin[DXT_MAX_RANKS + 1];
    uint32_t list[DXT_MAX_RANKS];
} dxt_roster;

/** How many of a node's are listed. */
static inline uint32_t dxt_roster_size(const dxt_roster *roster, uint32_t node)
{
    return roster->begin[node + 1] - roster->begin[node];
}

/** List the members whose lateness is within its limit and whose link to other nodes is good. */
void dxt_call_roster(const dxt_fit *fit, dxt_roster *roster);

/** List all members. */
void dxt_list_members(const dxt_fit *fit, dxt_roster *roster);

#endif
