/* SPDX-License-Identifier: Apache-2.0 */
/* Who leaves one operator late, through no fault of its own, enters the next late. */
#ifndef DXT_EXPLAIN_INHERIT_H
#define DXT_EXPLAIN_INHERIT_H

#include "analysis/arrive/fit.h"

/** What the members of a fit brought along from another operator over the same interval. */
typedef struct dxt_inherited {
    double *rank; /**< [n] how much later than the ordinary of its node each comes for that reason,
                       where lateness is told so; negative = earlier */
    double *node; /**< [nodes] likewise for the nodes */
} dxt_inherited;

/**
 * Take it from the other operator's fit.
 *
 * @param other      Its scratch will hold the result.
 * @param inherited  Overwritten; valid as long as nothing else uses that scratch.
 *
 * Cost: O(ranks²).
 */
void dxt_inherit(const dxt_fit *fit, const dxt_fit *other, dxt_inherited *inherited);

#endif
