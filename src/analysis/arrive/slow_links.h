/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow links: the time that a rank or a node loses at its own link, on what comes in, on what goes
 * out, or on both. A link that is slow both ways adds as much to both waits of a pair, so it shows
 * in rows and columns, and not as lateness. A link is slow if nothing passes it fast, so its
 * shortest waits count. They are compared with those of the best links, since many may be slow.
 */
#ifndef DXT_ARRIVE_SLOW_LINKS_H
#define DXT_ARRIVE_SLOW_LINKS_H

#include "analysis/arrive/model.h"
#include "numeric/select.h"

/** The short end of some waits: one in DXT_SHORTEST_ONE_IN is shorter. NaN of none. Reorders them.
 */
static inline double dxt_shortest(double *waits, uint32_t count)
{
    return count > 0 ? dxt_select(waits, count, count / DXT_SHORTEST_ONE_IN) : NAN;
}

/**
 * Find ranks whose link to other nodes is slow: all their waits for ranks of other nodes (or of
 * these for them) are longer than those of the best rank of their node, and by more than their
 * waits inside the node are. At least one rank of each node is taken to be healthy. Writes
 * fit->nic_in, fit->nic_out. Call it after the ranks of each node are fitted among themselves.
 * Cost: O(ranks).
 */
void dxt_links_between(dxt_fit *fit);

/**
 * Find nodes, of three or more, whose uplink is slow. Needs the levels between nodes in fit->link
 * and the lateness of nodes. Writes fit->node_in, fit->node_out, and sets the lateness of such a
 * node to 0.
 *
 * @param limit  Lateness of a node beyond which it is abnormal.
 *
 * Cost: O(nodes²).
 */
void dxt_links_of_nodes(dxt_fit *fit, double limit);

/**
 * Find ranks that are on time, and whose link to all ranks of their node is slow both ways: they
 * become DXT_ROLE_LINK. Cost: O(ranks).
 */
void dxt_links_within(dxt_fit *fit);

#endif
