/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics of many columns at once, side by side as vectors have them. None allocates. */
#ifndef DXT_NUMERIC_COLUMNS_H
#define DXT_NUMERIC_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "numeric/vectors.h"

/** Cautious medians of the first @p count columns of up to @p rows values each: of the middle two,
 *  the one nearer to 0, so that half of the witnesses cannot raise it. A missing value is INFINITY.
 *  Overwrites the values. */
void dxt_cautious_medians(double (*values)[DXT_LANES], uint32_t rows, uint32_t count,
                          double *median);

/** Medians of columns of @p rows values each, as dxt_median(). Overwrites the values. */
void dxt_medians(double (*values)[DXT_LANES], uint32_t rows, double *median);

/** Most rows of counters. */
#define DXT_COUNTER_ROWS 64u

/**
 * Medians of counters in a matrix, times a factor of the row; of blocks of DXT_LANES columns.
 *
 * @param first   [rows] The beginning of each row …
 * @param counts  [rows] Likewise, the numbers of waits that the counters are divided by; a counter
 *                without waits gives 0. NULL = do not divide.
 * @param offset  … and how many cells further on the counter of the first column is.
 * @param apart   Cells from a column to the next.
 * @param median  [blocks × DXT_LANES]
 * @return All counters combined by OR.
 */
int64_t dxt_medians_of_counters(const int64_t *const *first, const int64_t *const *counts,
                                size_t offset, size_t apart, const double *factor, uint32_t rows,
                                uint32_t blocks, double *median);

#endif
