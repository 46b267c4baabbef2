/* SPDX-License-Identifier: Apache-2.0 */
/* The passes over a whole matrix, written so that the compiler makes vectors of them. */
#ifndef DXT_NUMERIC_SCREEN_H
#define DXT_NUMERIC_SCREEN_H

#include <stddef.h>
#include <stdint.h>

/**
 * How many cells of a row exceed max(0, shift + late[j]) + least[j].
 *
 * @param wait, samples  [n] raw counters; with samples a cell is wait × factor ÷ samples, and one
 *                       without samples never exceeds. samples may be NULL.
 * @param late, least    [n]
 */
uint32_t dxt_screen_row(const int64_t *wait, const int64_t *samples, double factor, double shift,
                        const double *late, const double *least, uint32_t n);

/** What a cell may be: the shift cut off at 0, and as much as it may exceed that. */
static inline double dxt_screen_bound(double shift, double least)
{
    return (shift > 0 ? shift : 0) + least;
}

/** Rows of dxt_screen_rows(). */
#define DXT_SCREEN_ROWS 4u

/** The same over so many rows together, @p stride cells apart: what belongs to the columns is read
 *  once for all. factor, shift: one for each row. */
uint32_t dxt_screen_rows(const int64_t *wait, size_t stride, const double *factor,
                         const double *shift, const double *late, const double *least, uint32_t n);

/** dxt_screen_row() without samples, where the lateness of all is later by @p path. */
uint32_t dxt_screen_path(const int64_t *wait, double factor, double shift, double path,
                         const double *late, const double *least, uint32_t n);

/**
 * Look over DXT_SCREEN_ROWS rows of counters, @p stride cells apart.
 *
 * @param peak  [n] Receives the largest counter of each column.
 * @param sum   [DXT_SCREEN_ROWS] Receives the sum of each row, modulo 2^64.
 * @return The bits that any counter has.
 */
uint64_t dxt_screen_look(const int64_t *wait, size_t stride, uint32_t n, int64_t *peak,
                         uint64_t *sum);

/** Least of some values, the @p except-th left out, below @p n; NaN is none of them. INFINITY of
 *  none. */
double dxt_screen_least(const double *values, uint32_t except, uint32_t n);

/** Largest counter of a row, its @p except-th left out; of @p n, none is. */
int64_t dxt_screen_max(const int64_t *wait, uint32_t except, uint32_t n);

/** Sum of a row. */
double dxt_screen_sum(const int64_t *wait, uint32_t n);

#endif
