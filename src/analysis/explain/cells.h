/* SPDX-License-Identifier: Apache-2.0 */
/* What single cells are like when nothing is wrong with their paths. */
#ifndef DXT_EXPLAIN_CELLS_H
#define DXT_EXPLAIN_CELLS_H

#include "analysis/arrive/model.h"

/** Take a sample of the cells of a fit, with what it expects of them. */
void dxt_cells_take(const dxt_fit *fit, dxt_cell_sample *sample);

/** Standard deviation of the sample from the fit, by the median absolute deviation. */
double dxt_cells_deviation(dxt_cell_sample *sample);

/** How many such deviations no ordinary cell exceeds: fewer where many cells tell that their tails
 *  are no longer than chance makes them. `deviation` is dxt_cells_deviation() of the same
 *  sample. */
double dxt_cells_outlier(dxt_cell_sample *sample, double deviation);

/** The deviation of the logarithm of wait over expected, where both are worth a ratio, as the
 * factor that a path must exceed. 1 where cells have no long tails. Waits become ratios. */
double dxt_cells_least_ratio(const dxt_fit *fit, dxt_cell_sample *sample);

#endif
