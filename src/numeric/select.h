/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics. Each reorders its input; none allocates. */
#ifndef DXT_NUMERIC_SELECT_H
#define DXT_NUMERIC_SELECT_H

#include <stddef.h>
#include <stdint.h>

/** k-th smallest, from 0; k < n. Those before place k are no larger then. O(n) on average. Values
 * must not be NaN. */
double dxt_select(double *values, size_t n, size_t k);

/** Median; the mean of the middle two when n is even; 0 when n is 0. Overwrites the values. */
double dxt_median(double *values, size_t n);

/** Columns of dxt_cautious_medians(). */
#define DXT_LANES 16u

/** Cautious medians of columns of up to @p rows values each: of the middle two the one nearer to 0,
 *  so that half the witnesses are not enough. What is missing is INFINITY. Overwrites the values.
 */
void dxt_cautious_medians(double (*values)[DXT_LANES], uint32_t rows, double *median);

/** Medians of columns of @p rows values each, as dxt_median(). Overwrites the values. */
void dxt_medians(double (*values)[DXT_LANES], uint32_t rows, double *median);

/** Sort in ascending order, in place: qsort() may allocate. */
void dxt_sort(double *values, size_t n);

#endif
