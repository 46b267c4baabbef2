/* SPDX-License-Identifier: Apache-2.0 */
/* Passes over a whole matrix, written so that the compiler uses vectors. */
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

/** The limit of a cell: the shift, at least 0, plus the excess that is allowed. */
static inline double dxt_screen_bound(double shift, double least)
{
    return (shift > 0 ? shift : 0) + least;
}

/** Rows of dxt_screen_rows(). */
#define DXT_SCREEN_ROWS 4u

/** The same over several rows together, @p stride cells apart: the values of the columns are read
 *  only once. factor, shift: one for each row. */
uint32_t dxt_screen_rows(const int64_t *wait, size_t stride, const double *factor,
                         const double *shift, const double *late, const double *least, uint32_t n);

/** dxt_screen_row() without samples, where the lateness of all is later by @p path. */
uint32_t dxt_screen_path(const int64_t *wait, double factor, double shift, double path,
                         const double *late, const double *least, uint32_t n);

/** The same for the largest counters of dxt_screen_look(). */
uint32_t dxt_screen_peaks(const float *peak, double factor, double shift, double path,
                          const double *late, const double *least, uint32_t n);

/** A chunk of so many columns … */
#define DXT_CHUNK 128u
/** … has so many classes: columns that are as many apart are of one. */
#define DXT_CHUNK_CLASSES 16u

/** The largest value of each class of some chunks; values ≥ 0.
 *  @param most  [chunks × DXT_CHUNK_CLASSES] */
void dxt_screen_most_of_classes(const float *values, uint32_t chunks, float *most);

/** Likewise, the least; NaN does not count. */
void dxt_screen_least_of_classes(const double *values, uint32_t chunks, double *least);

/** dxt_screen_peaks() for the classes of some chunks.
 *  @return How many chunks stand before the first one that exceeds anything. */
uint32_t dxt_screen_chunks(const float *most, double factor, double shift, double path,
                           const double *late, const double *least, uint32_t chunks);

/**
 * Take figures of DXT_SCREEN_ROWS rows of counters, @p stride cells apart.
 *
 * @param peak  [n] Receives the largest counter of each column, or a little more: as floats they
 *              take half the room.
 * @param sum   [DXT_SCREEN_ROWS] Receives the sum of each row, modulo 2^64.
 * @return All counters combined by OR.
 */
uint64_t dxt_screen_look(const int64_t *wait, size_t stride, uint32_t n, float *peak,
                         uint64_t *sum);

/** The least of n values without number @p except, which is below @p n; NaN does not count.
 *  INFINITY if none is left. */
double dxt_screen_least(const double *values, uint32_t except, uint32_t n);

/** The largest counter of a row without number @p except; @p n = leave none out. */
int64_t dxt_screen_max(const int64_t *wait, uint32_t except, uint32_t n);

/** Sum of a row. */
double dxt_screen_sum(const int64_t *wait, uint32_t n);

#endif
