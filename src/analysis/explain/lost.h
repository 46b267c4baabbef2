/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the time is lost by ranks that wait for each other, whoever it is for. */
#ifndef DXT_EXPLAIN_LOST_H
#define DXT_EXPLAIN_LOST_H

#include "analysis/case.h"

/** How much later than the mean of all the last rank is, were arrivals normal, where two ranks wait
 *  for each other `beyond` the transfer; no more than what ranks differ by allows: a transfer
 *  that all pairs have alike looks like such a wait. */
double dxt_cost_of_variation(const dxt_fit *fit, double beyond);

/**
 * The share of the step that ranks likely lose by waiting for each other: what the last of so many
 * costs by arrivals that vary evenly, and by those that come in lumps, as when another rank is late
 * in each operation or paths stall. In lumps what a rank waits and is waited for together, which no
 * lateness touches, differs from rank to rank by more than even variation makes it differ: by how
 * much says how large a lump is, and what two ranks wait for each other how often there is one.
 * What single ranks, links and nodes cause is left out.
 *
 * @return Share; 0 = below DXT_LOST_SHARE, not known, or of fewer than DXT_SURE_RANKS ranks.
 *
 * Cost: O(ranks) at most, and only where all waits of a row add up to as much.
 */
double dxt_share_lost(const dxt_case *c);

/**
 * The share of the step that it takes, in the mean of both ways, between two nodes beyond what
 * it takes inside them. Nothing in a window tells whether they are so far apart, or whether the
 * uplink of one is slow both ways.
 *
 * @return Share; 0 = below DXT_APART_SHARE, not known, or nodes are not two.
 */
double dxt_share_apart(const dxt_case *c);

#endif
