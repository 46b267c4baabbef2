/* SPDX-License-Identifier: Apache-2.0 */
/* A window that is checked, and has no holes: what nobody observed is taken to be ordinary. */
#ifndef DXT_ANALYSIS_OBSERVED_H
#define DXT_ANALYSIS_OBSERVED_H

#include <deepxtrace/matrix.h>

#include "analysis/glance.h"
#include "base/block.h"

/** What stands for the cells of a window that nobody observed. */
typedef enum dxt_instead {
    DXT_INSTEAD_NOTHING, /**< no wait at all: for rules that know no cells that are not there */
    DXT_INSTEAD_ORDINARY /**< what is ordinary in the row: such a cell speaks for nobody */
} dxt_instead;

/** In `missing` of the view: there is no row, but the rank is not silent. */
#define DXT_ROW_BLANK 2

/** Bytes that the block of dxt_observed() takes. */
size_t dxt_observed_size(uint32_t ranks);

/**
 * Check a window, and make one of it in which every cell can be read. A row of which nothing was
 * observed is missing there, as DXT_ROW_BLANK.
 *
 * @param block  Holds the view's cells, and must live as long; untouched if all was observed.
 * @param glance Receives what the check sees, of the window alone: nothing if a cell is missing.
 *               NULL: not wanted. @param seen  Holds that, and must live as long.
 * @param view   Receives the window, or one that shares everything but the waits and samples.
 * @param sparse Receives the size of the blocks if cells are missing in the pattern of a hybrid
 * mode (blocks.h), otherwise 0; then also what is exactly 0 both ways counts as missing.
 * @return DXT_OK; DXT_ERR_NO_MEMORY; what dxt_window_check() says.
 *
 * Cost: as dxt_window_check(); a copy of it, and a selection per row, if a cell is missing.
 */
dxt_status dxt_observed(const dxt_window *window, dxt_instead instead, dxt_block *block,
                        dxt_window *view, uint32_t *sparse, dxt_glance *glance, dxt_block *seen);

#endif
