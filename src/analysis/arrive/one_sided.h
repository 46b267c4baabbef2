/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lateness of another rank in each operation. If arrivals vary to both sides, a rank that was later
 * by chance makes its column higher and its row lower by the same amount. If each rank is on time
 * but for a few operations, in which all others wait for it, columns differ and rows do not: a cell
 * holds what its column's rank cost, the same for every waiting rank.
 */
#ifndef DXT_ARRIVE_ONE_SIDED_H
#define DXT_ARRIVE_ONE_SIDED_H

#include "analysis/arrive/model.h"

/**
 * Look for it among the ranks of each node, and write fit->one_sided. If it is found, columns
 * differ by chance, and a lateness must exceed that: limits and errors move out.
 *
 * Cost: O(ranks).
 */
void dxt_look_one_sided(dxt_fit *fit);

/**
 * Bounds of the time that the group loses in a step because ranks wait for each other, no matter
 * for which: at least the largest mean wait of a typical rank, at most the sum of its mean waits.
 * The transfer, and what single causes explain, are left out.
 *
 * Cost: O(ranks).
 */
void dxt_bound_loss(const dxt_fit *fit, double *least, double *most);

/** Whether another rank is late in each operation, so that much of the time may be lost. */
bool dxt_rotates(const dxt_fit *fit);

/** Whether that cannot be ruled out while most of the time may be lost. Among few ranks, whose rows
 * and columns say nothing, much of the time is enough; without a clock, any such lateness. */
bool dxt_may_rotate(const dxt_fit *fit);

#endif
