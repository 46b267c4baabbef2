/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lateness in turns: another rank is late in each operation. If arrivals vary evenly, a rank that
 * was later by chance has a higher column, and a row that is lower by as much. If each rank is late
 * in a few operations only, and all others wait for it then, columns differ and rows do not: a cell
 * holds the cost of its column's rank, the same for every rank that waits.
 */
#ifndef DXT_ARRIVE_ONE_SIDED_H
#define DXT_ARRIVE_ONE_SIDED_H

#include "analysis/arrive/model.h"

/**
 * Look for lateness in turns among the ranks of each node, and write fit->one_sided. If it is
 * found, columns differ by chance, so limits and errors of a lateness are raised.
 *
 * Cost: O(ranks).
 */
void dxt_look_one_sided(dxt_fit *fit);

/**
 * Bounds of the time that the group loses in a step because ranks wait for each other, whoever they
 * wait for: at least the largest mean wait of a typical rank, at most the sum of its mean waits.
 * The transfer and the cost of single causes are left out.
 *
 * Cost: O(ranks).
 */
void dxt_bound_loss(const dxt_fit *fit, double *least, double *most);

/** Whether lateness in turns is found, and much of the time may be lost to it. */
bool dxt_rotates(const dxt_fit *fit);

/** Whether lateness in turns cannot be ruled out, and most of the time may be lost. Among few
 * ranks, whose rows and columns show nothing, much of the time is enough; without a clock, any
 * lateness in turns is. */
bool dxt_may_rotate(const dxt_fit *fit);

#endif
