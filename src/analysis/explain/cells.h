/* SPDX-License-Identifier: Apache-2.0 */
/* How far single cells are from the fit when their paths are healthy. */
#ifndef DXT_EXPLAIN_CELLS_H
#define DXT_EXPLAIN_CELLS_H

#include "analysis/arrive/model.h"

/** Take a sample of the cells of a fit, each with the wait that the fit expects. */
void dxt_cells_take(const dxt_fit *fit, dxt_cell_sample *sample);

/** Standard deviation of the sample from the fit, from the median absolute deviation. */
double dxt_cells_deviation(dxt_cell_sample *sample);

/** How many deviations the cell of a slow path must exceed. They are fewer if the sample is large
 *  enough to show that its tails are no longer than chance makes them. @param deviation
 *  dxt_cells_deviation() of the same sample. */
double dxt_cells_outlier(dxt_cell_sample *sample, double deviation);

/** The factor over the expected wait that a path must exceed, from the spread of the logarithms of
 * wait over expected; cells where either is too short do not count. 1 where cells have no long
 * tails. Turns the waits of the sample into ratios. */
double dxt_cells_least_ratio(const dxt_fit *fit, dxt_cell_sample *sample);

#endif
