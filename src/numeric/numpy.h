/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums in the order of NumPy, to the last bit. NumPy adds a contiguous run of float64 in pairs: up
 * to 128 values with eight interleaved accumulators, longer runs split in halves at a multiple of
 * eight. int64 input is converted through a buffer of 8192 values, and each full buffer is summed
 * on its own.
 */
#ifndef DXT_NUMERIC_NUMPY_H
#define DXT_NUMERIC_NUMPY_H

#include <stddef.h>
#include <stdint.h>

/** Values of int64 that are converted together. */
#define DXT_NUMPY_BUFFER 8192

/** Sum of a run of float64. */
double dxt_numpy_sum(const double *values, size_t n);

/** Sum of at most one buffer of int64. */
double dxt_numpy_sum_i64(const int64_t *values, size_t n);

/** Sum of the values that are not 0, as if they had been gathered into an array first.
 *  @param used  Receives their number. */
double dxt_numpy_nonzero_sum(const int64_t *values, size_t n, size_t *used);

#endif
