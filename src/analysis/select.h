/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics. Each reorders its input; none allocates. */
#ifndef DXT_ANALYSIS_SELECT_H
#define DXT_ANALYSIS_SELECT_H

#include <stddef.h>

/** k-th smallest, from 0; k < n. O(n) on average. Values must not be NaN. */
double dxt_select(double *values, size_t n, size_t k);

/** Median; the mean of the middle two when n is even; 0 when n is 0. */
double dxt_median(double *values, size_t n);

/** Median; of the middle two the one nearer to 0, so that half the witnesses are not enough. */
double dxt_cautious_median(double *values, size_t n);

/** Sort in ascending order, in place: qsort() may allocate. */
void dxt_sort(double *values, size_t n);

#endif
