/* SPDX-License-Identifier: Apache-2.0 */
/* Lateness that is carried over: a rank that leaves one operator late, through no fault of its own,
 * enters the next one late. */
#ifndef DXT_EXPLAIN_CARRIED_H
#define DXT_EXPLAIN_CARRIED_H

#include "analysis/arrive/model.h"

/** What the members of a fit carried over from another operator over the same interval. */
typedef struct dxt_carried {
    double *rank; /**< [n] by how much each comes later than the healthy ranks of its node for that
                       reason; negative = earlier */
    double *node; /**< [nodes] likewise for the nodes */
} dxt_carried;

/**
 * Take it from the other operator's fit.
 *
 * @param carried  Overwritten; lives in the fit's `carried` and `carried_node`.
 *
 * Cost: O(ranks²).
 */
void dxt_carry_over(const dxt_fit *fit, const dxt_fit *other, dxt_carried *carried);

/** What is left of @p amount when @p carried of it was carried over, which is known to a part
 *  @p doubt of it; 0 when that explains what is above @p limit. */
double dxt_left_over(double amount, double carried, double limit, double doubt);

#endif
