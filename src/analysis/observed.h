/* SPDX-License-Identifier: Apache-2.0 */
/* Check a window, and fill its holes: cells that were not observed get an ordinary wait. */
#ifndef DXT_ANALYSIS_OBSERVED_H
#define DXT_ANALYSIS_OBSERVED_H

#include <deepxtrace/matrix.h>

#include "analysis/glance.h"
#include "base/block.h"

/** What to write into cells that were not observed. */
typedef enum dxt_instead {
    DXT_INSTEAD_NOTHING, /**< 0: for rules that know nothing of unobserved cells */
    DXT_INSTEAD_ORDINARY /**< the ordinary wait of the row, which makes nobody stand out */
} dxt_instead;

/** Value in `missing` of the view: the row is empty, but the rank is not silent. */
#define DXT_ROW_BLANK 2

/** Bytes that dxt_observed() needs in its block. */
size_t dxt_observed_size(uint32_t ranks);

/**
 * Check a window, and make a view of it in which every cell can be read. A row with no observed
 * cell is marked DXT_ROW_BLANK in the view's `missing`.
 *
 * @param block  Memory of the view's cells; must live as long as it. Untouched if every cell was
 *               observed.
 * @param view   Receives the window itself, or a copy that shares all but waits and samples.
 * @param sparse Receives the block size if cells are missing in the pattern of a hybrid mode
 *               (blocks.h), otherwise 0. With that pattern a pair of zeros counts as missing, too.
 * @param look   What the check collects in passing: a glance, empty if a cell was not observed.
 *               NULL: not wanted.
 * @return DXT_OK; DXT_ERR_NO_MEMORY; what dxt_window_check() says.
 *
 * Cost: as dxt_window_check(); if a cell is missing also a copy, and one selection per row.
 */
dxt_status dxt_observed(const dxt_window *window, dxt_instead instead, dxt_block *block,
                        dxt_window *view, uint32_t *sparse, const dxt_looking *look);

#endif
