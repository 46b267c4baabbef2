/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow links: what a rank or a node loses at its own link, in what comes in, in what goes out, or
 * in both. A link that is slow both ways adds the same to both waits of each pair, so that no
 * lateness shows it; it shows in rows and columns. A link is slow when nothing that passes it is
 * fast: its shortest waits count, and what is ordinary is what the best links have, since many may
 * be bad.
 */
#ifndef DXT_ARRIVE_SLOW_LINKS_H
#define DXT_ARRIVE_SLOW_LINKS_H

#include "analysis/arrive/model.h"
#include "numeric/select.h"

/** What the shortest of some waits take; NaN of none. Reorders them. */
static inline double dxt_shortest(double *waits, uint32_t count)
{
    return count > 0 ? dxt_select(waits, count, count / DXT_SHORTEST_ONE_IN) : NAN;
}

/**
 * Find ranks whose link to other nodes is slow, among the ranks of their nodes: those whose waits
 * for (or from) ranks of other nodes are all longer than the best of their node has, and by more
 * than their waits inside the node are. At least one rank of each node is taken to be well.
 * Writes fit->nic_in, fit->nic_out; to be called when the ranks of each node are fitted among
 * themselves. Cost: O(ranks).
 */
void dxt_links_between(dxt_fit *fit);

/**
 * Find nodes, of three or more, whose uplink is slow. Needs the levels between nodes in fit->link
 * and the lateness of nodes. Writes fit->node_in, fit->node_out; a node whose uplink it is, is on
 * time.
 *
 * @param limit  Lateness of a node beyond which it is abnormal.
 *
 * Cost: O(nodes²).
 */
void dxt_links_of_nodes(dxt_fit *fit, double limit);

/**
 * Find ranks whose link to all ranks of their node is slow both ways, among those on time: they
 * become DXT_ROLE_LINK. Cost: O(ranks).
 */
void dxt_links_within(dxt_fit *fit);

#endif
