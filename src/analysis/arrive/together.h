/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks whose links to other nodes are judged together, and the ranks that judge them. */
#ifndef DXT_ARRIVE_TOGETHER_H
#define DXT_ARRIVE_TOGETHER_H

#include "analysis/arrive/roster.h"
#include "numeric/columns.h"

/** How many ranks of other nodes judge the links of a node's ranks, where there are so many ranks
 *  and others. */
static inline uint32_t dxt_partners_of(uint32_t ranks, uint32_t others)
{
    uint32_t most = ranks > DXT_PARTNERS_MANY_RANKS ? DXT_PARTNERS_OF_MANY : DXT_PARTNERS;
    return others < most ? others : most;
}

/** The partners of a node's ranks: some ranks of other nodes, the same for all of them. */
typedef struct dxt_partners {
    uint32_t count;
    uint32_t member[DXT_PARTNERS];
    uint32_t others;           /**< how many there are to choose from, and … */
    uint32_t at[DXT_PARTNERS]; /**< … which of them are chosen */
} dxt_partners;

/** Most nodes that are looked at together, each with at least two members. */
#define DXT_TOGETHER (DXT_LANES / 2)

/** Nodes of the same size that are looked at together: several small ones, or a large one. */
typedef struct dxt_together {
    uint32_t first, nodes, own; /**< node, number of nodes, members of each */
    dxt_partners partners[DXT_TOGETHER];
} dxt_together;

/** Members of these nodes that are looked at together, one a lane. */
typedef struct dxt_seats {
    uint32_t count;
    uint32_t member[DXT_LANES];
    uint32_t place[DXT_LANES];          /**< … in its node, … */
    const uint32_t *of_node[DXT_LANES]; /**< … all members of which these are, … */
    uint32_t slot[DXT_LANES];           /**< … the number of its node among those together */
} dxt_seats;

/** Zero the partners' `others` to begin. */
void dxt_choose_together(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                         dxt_together *nodes);

/** Take the members from number @p begin of each node on, as many as there are lanes. */
void dxt_take_seats(const dxt_roster *roster, const dxt_together *nodes, uint32_t begin,
                    dxt_seats *members);

#endif
