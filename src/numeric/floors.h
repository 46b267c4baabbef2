/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lower bounds of the shifts that explain waits, for many at once and cheaply. The expected wait is
 * a convex function of the shift, so the shift is a concave function of the wait, and lies above
 * its chords.
 */
#ifndef DXT_NUMERIC_FLOORS_H
#define DXT_NUMERIC_FLOORS_H

#include <stddef.h>

/** Chords from a wait of 0 to DXT_FLOORS_END skews, where the shift is the wait. */
#define DXT_FLOORS_CHORDS 64u
#define DXT_FLOORS_END 8.0

/** Knots for one skew. */
typedef struct dxt_floors {
    double skew;
    double knots_per_wait;                /**< 0 where the skew is 0 */
    double shift[DXT_FLOORS_CHORDS + 1u]; /**< of a wait of 0, 1/8, 2/8 … skews */
} dxt_floors;

/** Lay out the chords for a skew ≥ 0. */
void dxt_floors_make(dxt_floors *floors, double skew);

/**
 * Find lower bounds of dxt_shift_of_wait() for waits ≥ 0.
 *
 * @param wait   [n] For NaN the bound is any number.
 * @param least  [n] Receives the bounds. For waits of more than a quarter of the skew they are too
 *               low by at most 2 % of it.
 */
void dxt_floors_of(const dxt_floors *floors, const double *wait, size_t n, double *least);

#endif
