/* SPDX-License-Identifier: Apache-2.0 */
#include "numeric/numpy.h"

#include "numeric/vectors.h"

#define PAIRWISE_RUN 128
#define LANES 8

double dxt_numpy_sum(const double *values, size_t n)
{
    if (n < LANES) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += values[i];
        return sum;
    }
    if (n > PAIRWISE_RUN) {
        size_t half = n / 2;
        half -= half % LANES;
        return dxt_numpy_sum(values, half) + dxt_numpy_sum(values + half, n - half);
    }
    double part[LANES];
    for (size_t k = 0; k < LANES; k++) part[k] = values[k];
    size_t i = LANES;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) part[k] += values[i + k];
    double sum =
        ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < n; i++) sum += values[i];
    return sum;
}

/* The same order for int64, each converted on its way; at most one buffer. */
static inline __attribute__((always_inline)) double integer_run(const int64_t *values, size_t n)
{
    double part[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) part[k] += (double)values[i + k];
    double sum =
        ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < n; i++) sum += (double)values[i];
    return sum;
}

DXT_VECTORS static double integer_buffer(const int64_t *values, size_t n)
{
    if (n <= PAIRWISE_RUN) return integer_run(values, n);
    size_t half = n / 2;
    half -= half % LANES;
    return integer_buffer(values, half) + integer_buffer(values + half, n - half);
}

double dxt_numpy_sum_i64(const int64_t *values, size_t n)
{
    return integer_buffer(values, n);
}

double dxt_numpy_nonzero_sum(const int64_t *values, size_t n, size_t *used)
{
    double buffer[DXT_NUMPY_BUFFER];
    double sum = 0;
    size_t filled = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        if (values[i] == 0) continue;
        buffer[filled++] = (double)values[i];
        count++;
        if (filled == DXT_NUMPY_BUFFER) {
            sum += dxt_numpy_sum(buffer, filled);
            filled = 0;
        }
    }
    if (filled > 0) sum += dxt_numpy_sum(buffer, filled);
    *used = count;
    return sum;
}
