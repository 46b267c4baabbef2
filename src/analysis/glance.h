/* SPDX-License-Identifier: Apache-2.0 */
/* What the check of a window sees in passing, so that no later step reads the whole matrix. */
#ifndef DXT_ANALYSIS_GLANCE_H
#define DXT_ANALYSIS_GLANCE_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

#include "base/block.h"

/** Zero: nothing was seen. */
typedef struct dxt_glance {
    int64_t *peak;       /**< [ranks / DXT_SCREEN_ROWS][ranks] largest counters of so many rows;
                            NULL = nothing was seen */
    const uint64_t *sum; /**< [ranks] of the counters of each row, as exact as doubles add them in
                            any order; NULL = not */
} dxt_glance;

/** Bytes of the block of a glance; 0 where there are so few ranks that it is not worth it. */
size_t dxt_glance_size(uint32_t ranks);

/**
 * As dxt_window_check(), and take a glance.
 *
 * @param block     Holds what was seen, and must live as long.
 * @param observed  Receives whether every cell was; otherwise nothing was seen.
 * @return DXT_OK; DXT_ERR_NO_MEMORY; what dxt_window_check() says.
 */
dxt_status dxt_glance_over(const dxt_window *window, dxt_block *block, dxt_glance *glance,
                           bool *observed);

/** Mean of a row's counters, as dxt_screen_sum() adds them. */
double dxt_glance_mean(const dxt_glance *glance, const dxt_window *window, uint32_t rank);

#endif
