/* SPDX-License-Identifier: Apache-2.0 */
/* The two methods, as dxt_analyze() calls them. Both fill a draft and report failures through it or
 * by status. */
#ifndef DXT_ANALYSIS_METHOD_H
#define DXT_ANALYSIS_METHOD_H

#include "analysis/draft.h"

/** The established rule (FIELD notes: ratio to the mean), as NumPy computes it, to the last bit. */
dxt_status dxt_ratio(const dxt_window *window, const dxt_analysis_options *options,
                     dxt_draft *draft);

/** The arrival model. @p nodes: node of each rank, or NULL. */
dxt_status dxt_robust(const dxt_window *window, const dxt_analysis_options *options,
                      const int32_t *nodes, dxt_draft *draft);

/** Means of the raw counters, as NumPy's mean() over int64 gives them. */
typedef struct dxt_raw_means {
    double *col, *row;            /**< [N] each */
    double of_cols, of_rows, all; /**< mean of the column means, of the row means, of all cells */
    double nonzero;               /**< mean of the non-zero cells; NaN when there is none */
} dxt_raw_means;

/** Compute them; release with dxt_raw_means_free(). Untouched on error. */
dxt_status dxt_raw_means_get(const dxt_window *window, dxt_raw_means *means);
void dxt_raw_means_free(dxt_raw_means *means);

/** x ÷ (mean + 1e-8), the established normalisation. */
double dxt_normalise(double x, double mean);

#endif
