/* SPDX-License-Identifier: Apache-2.0 */
/* The established rule (FIELD notes: ratio to the mean), as NumPy computes it, to the last bit. */
#ifndef DXT_ANALYSIS_RATIO_H
#define DXT_ANALYSIS_RATIO_H

#include <deepxtrace/analysis.h>

#include "analysis/draft.h"
#include "base/block.h"

/**
 * Fill a draft with the columns, rows and points of a window.
 *
 * @param means  Memory for its means.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_ratio(const dxt_window *window, const dxt_analysis_options *options,
                     dxt_block *means, dxt_draft *draft);

/** Most points at the usual threshold: at most every fifth cell is five times the mean. */
size_t dxt_ratio_most_points(uint32_t ranks);

#endif
