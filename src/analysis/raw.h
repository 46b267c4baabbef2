/* SPDX-License-Identifier: Apache-2.0 */
/* Raw counters: who sent them, and their means for the lists of abnormal columns, rows, points. */
#ifndef DXT_ANALYSIS_RAW_H
#define DXT_ANALYSIS_RAW_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

#include "analysis/tuning.h"

/** Whether a rank sent its counters. */
static inline bool dxt_is_there(const dxt_window *window, uint32_t rank)
{
    return !window->missing || !window->missing[rank];
}

double dxt_raw_mean(const dxt_window *window);
double dxt_raw_mean_of_column(const dxt_window *window, uint32_t rank);
double dxt_raw_mean_of_row(const dxt_window *window, uint32_t rank);

/** x ÷ (mean + 1e-8), the established normalisation. */
static inline double dxt_normalise(double x, double mean)
{
    return x / (mean + DXT_RATIO_GUARD);
}

#endif
