/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that nobody told: blocks of ranks that show in the waits. */
#ifndef DXT_ANALYSIS_BLOCKS_H
#define DXT_ANALYSIS_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include <deepxtrace/matrix.h>

/**
 * Whether ranks hear only from their own block and from the ranks of the same place in others, as
 * in hybrid modes: the other cells were not observed, or both of a pair are exactly 0.
 *
 * @return Ranks of a block; 0 = there is no such pattern. Cost: a sample of the cells.
 */
uint32_t dxt_sparse_block(const dxt_window *window);

/** Whether a cell of a window with that pattern can be observed at all. */
static inline bool dxt_in_sparse_block(uint32_t row, uint32_t column, uint32_t size)
{
    return row / size == column / size || row % size == column % size;
}

/**
 * Whether ranks 0 … G − 1, and so on, wait for each other clearly less than for others: the two
 * waits of a pair together, which no lateness touches.
 *
 * @return G, the largest for which it is so; 0 = for none, or fewer than eight ranks. Cost: a
 * sample of the cells.
 */
uint32_t dxt_likely_block(const dxt_window *window);

#endif
