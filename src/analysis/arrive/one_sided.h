/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lateness of another rank in each operation. Where arrivals vary to both sides, a rank that was
 * later by chance makes its column higher and its row lower by the same. Where ranks are on time
 * but for a few operations each, in which all wait for the one, columns differ and rows do not: a
 * cell holds what its column's rank cost, whoever waited.
 */
#ifndef DXT_ARRIVE_ONE_SIDED_H
#define DXT_ARRIVE_ONE_SIDED_H

#include "analysis/arrive/model.h"

/**
 * Look for it among the ranks of each node, and write fit->one_sided. Then how far columns differ
 * is chance, and what a lateness must exceed: limits and errors move out.
 *
 * Cost: O(ranks).
 */
void dxt_look_one_sided(dxt_fit *fit);

/**
 * What of the step the group loses because ranks wait for each other, whoever it is for: at least
 * the largest mean wait of a typical rank, at most the sum of its mean waits; transfer and what
 * single causes explain left out.
 *
 * Cost: O(ranks).
 */
void dxt_bound_loss(const dxt_fit *fit, double *least, double *most);

/** Whether another rank is late in each operation, so that much of the time may be lost. */
bool dxt_rotates(const dxt_fit *fit);

/** Whether that cannot be ruled out, and most of the time may be lost; among few ranks, whose rows
 *  and columns say nothing, much of it; without a clock whether another rank is late at all. */
bool dxt_may_rotate(const dxt_fit *fit);

#endif
