/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics. Each reorders its input; none allocates. */
#ifndef DXT_NUMERIC_SELECT_H
#define DXT_NUMERIC_SELECT_H

#include <stddef.h>
#include <stdint.h>

/** Find the k-th smallest value, from 0; k < n. Afterwards the values before place k are no larger.
 * O(n) on average. Values must not be NaN. */
double dxt_select(double *values, size_t n, size_t k);

/** Median; the mean of the middle two when n is even; 0 when n is 0. Overwrites the values. */
double dxt_median(double *values, size_t n);

/** Sort in ascending order, in place: qsort() may allocate. */
void dxt_sort(double *values, size_t n);

#endif
