/* SPDX-License-Identifier: Apache-2.0 */
/* Lateness that is carried over: a rank that leaves one operator late, because it waited there,
 * enters the next one late. */
#ifndef DXT_EXPLAIN_CARRIED_H
#define DXT_EXPLAIN_CARRIED_H

#include "analysis/arrive/model.h"

/** How much lateness the members of a fit carried over from the other operator of the window. */
typedef struct dxt_carried {
    double *rank; /**< [n] by how much each comes later than the healthy ranks of its node for that
                       reason; negative = earlier */
    double *node; /**< [nodes] likewise for the nodes */
} dxt_carried;

/**
 * Compute it from the other operator's fit.
 *
 * @param carried  Overwritten; lives in the fit's `carried` and `carried_node`.
 *
 * Cost: O(ranks²).
 */
void dxt_carry_over(const dxt_fit *fit, const dxt_fit *other, dxt_carried *carried);

/** How much later than on average the last of the others arrives at the operator of a fit. */
double dxt_last_beyond_mean(const dxt_fit *fit);

/** The part of @p amount that is left after @p carried of it was carried over. 0 if the carried
 *  part, with an error of @p doubt times itself, explains all that is above @p limit. */
double dxt_left_over(double amount, double carried, double limit, double doubt);

#endif
