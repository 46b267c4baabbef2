/* SPDX-License-Identifier: Apache-2.0 */
/* Find blocks of ranks in the waits where the window does not name the nodes. */
#ifndef DXT_ANALYSIS_BLOCKS_H
#define DXT_ANALYSIS_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include <deepxtrace/matrix.h>

/**
 * Find the pattern of hybrid modes: each rank waits only for its own block and for the ranks at
 * its own place in the other blocks. The other cells were not observed, or both cells of a pair
 * are exactly 0.
 *
 * @return Ranks of a block; 0 = the pattern is not there. Cost: a sample of the cells.
 */
uint32_t dxt_sparse_block(const dxt_window *window);

/** Whether that pattern lets a cell be observed. */
static inline bool dxt_in_sparse_block(uint32_t row, uint32_t column, uint32_t size)
{
    return row / size == column / size || row % size == column % size;
}

/**
 * Find the block size G for which ranks 0 … G − 1, G … 2 G − 1, and so on, wait clearly less for
 * each other than for ranks of other blocks. The two waits of a pair are added up, since lateness
 * does not change their sum.
 *
 * @return The largest such G; 0 = there is none, or fewer than eight ranks. Cost: a sample of the
 * cells.
 */
uint32_t dxt_likely_block(const dxt_window *window);

#endif
