/* SPDX-License-Identifier: Apache-2.0 */
/* Figures that the check of a window collects, so that later steps need not read the matrix. */
#ifndef DXT_ANALYSIS_GLANCE_H
#define DXT_ANALYSIS_GLANCE_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

#include "analysis/arrive/early_data.h"
#include "base/block.h"
#include "numeric/screen.h"

/** All fields NULL: nothing was collected. */
typedef struct dxt_glance {
    float *peak; /**< [ranks / DXT_SCREEN_ROWS][ranks] largest counters of so many rows, or a little
                    more; NULL = nothing was seen */
    float *coarse; /**< [ranks / DXT_SCREEN_ROWS][ranks / DXT_CHUNK × DXT_CHUNK_CLASSES] largest of
                      each class of peaks, if the peaks were seen */
    const uint64_t *sum;  /**< [ranks] of the counters of each row, as exact as doubles add them in
                            any order; NULL = not */
    dxt_early_data early; /**< levels between nodes, if the peaks were seen, too */
} dxt_glance;

/** Classes of the chunks of a row. */
static inline uint32_t dxt_glance_classes(uint32_t ranks)
{
    return ranks / DXT_CHUNK * DXT_CHUNK_CLASSES;
}

/** Where a glance goes. */
typedef struct dxt_looking {
    uint32_t ranks_per_node; /**< where the window does not say it; 0 = not known */
    dxt_block *block;        /**< memory of the glance; must live as long as it */
    dxt_glance *glance;      /**< receives it */
} dxt_looking;

/** Bytes that a glance needs, whatever the nodes are; 0 where ranks are so few that it is not worth
 *  its cost. */
size_t dxt_glance_size(uint32_t ranks);

/**
 * Check a window as dxt_window_check() does, and collect the figures of a glance.
 *
 * @param look      Where the figures go.
 * @param observed  Receives whether every cell was observed; if not, the glance is empty.
 * @return DXT_OK; DXT_ERR_NO_MEMORY; what dxt_window_check() says.
 */
dxt_status dxt_glance_over(const dxt_window *window, const dxt_looking *look, bool *observed);

/** Mean of a row's counters; they are added as dxt_screen_sum() adds them. */
double dxt_glance_mean(const dxt_glance *glance, const dxt_window *window, uint32_t rank);

#endif
