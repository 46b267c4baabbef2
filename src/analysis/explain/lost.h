/* SPDX-License-Identifier: Apache-2.0 */
/* How much time ranks lose by waiting for each other, whoever they wait for. */
#ifndef DXT_EXPLAIN_LOST_H
#define DXT_EXPLAIN_LOST_H

#include "analysis/case.h"

/** By how much the last rank is later than the mean of all if arrivals are normally distributed and
 *  two ranks wait for each other by `beyond` more than the transfer takes. Bounded by how much
 * ranks differ, since a transfer that is equally long for all pairs looks like such a wait. */
double dxt_cost_of_variation(const dxt_fit *fit, double beyond);

/**
 * The share of the step that ranks likely lose by waiting for each other: the cost of the last
 * arrival if arrivals vary evenly, and if lateness comes in lumps, as when another rank is late in
 * each operation or paths stall. The wait of a rank plus the wait for it does not depend on its
 * lateness. If this sum differs from rank to rank by more than even variation explains, there are
 * lumps: the difference gives their size, and the wait of two ranks for each other their number.
 * The cost of single ranks, links and nodes is left out.
 *
 * @return Share; 0 = below DXT_LOST_SHARE, not known, or of fewer than DXT_SURE_RANKS ranks.
 *
 * Cost: O(ranks) at most, and only where all waits of a row add up to as much.
 */
double dxt_share_lost(const dxt_case *c);

/**
 * By which share of the step a transfer between two nodes takes longer than one inside them, as the
 * mean of both directions. A window does not show whether the nodes are so far apart, or whether
 * the uplink of one is slow both ways.
 *
 * @return Share; 0 = below DXT_APART_SHARE, not known, or there are not exactly two nodes.
 */
double dxt_share_apart(const dxt_case *c);

#endif
