/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics of many columns at once, side by side as vectors have them. None allocates. */
#ifndef DXT_NUMERIC_COLUMNS_H
#define DXT_NUMERIC_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

/** Columns of a block. */
#define DXT_LANES 16u

/** Cautious medians of the first @p count columns of up to @p rows values each: of the middle two
 *  the one nearer to 0, so that half the witnesses are not enough. What is missing is INFINITY.
 *  Overwrites the values. */
void dxt_cautious_medians(double (*values)[DXT_LANES], uint32_t rows, uint32_t count,
                          double *median);

/** Medians of columns of @p rows values each, as dxt_median(). Overwrites the values. */
void dxt_medians(double (*values)[DXT_LANES], uint32_t rows, double *median);

/** Rows of counters at most. */
#define DXT_COUNTER_ROWS 64u

/**
 * The same of counters in a matrix, DXT_LANES in each row, times a factor of the row.
 *
 * @param first   [rows] Where the counters of each row are …
 * @param counts  [rows] The same of how many waits are in each of them, by which they are divided:
 *                of none it is 0. NULL = not divided.
 * @param offset  … and so many cells on the one in the first column.
 * @param apart   Cells from a column to the next.
 * @param median  [DXT_LANES]
 * @return The bits that any of the counters has.
 */
int64_t dxt_medians_of_counters(const int64_t *const *first, const int64_t *const *counts,
                                size_t offset, size_t apart, const double *factor, uint32_t rows,
                                double *median);

#endif
