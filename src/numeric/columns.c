/* SPDX-License-Identifier: Apache-2.0 */
#include "numeric/columns.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "numeric/vectors.h"

/* Compare two rows column by column, and put the smaller value into `upper`. Copies first: a
 * compiler would store each value only if it has changed. */
static inline __attribute__((always_inline)) void exchange(double *restrict upper,
                                                           double *restrict lower)
{
    double a[DXT_LANES], b[DXT_LANES];
    for (uint32_t c = 0; c < DXT_LANES; c++) {
        a[c] = upper[c];
        b[c] = lower[c];
    }
    for (uint32_t c = 0; c < DXT_LANES; c++) {
        upper[c] = a[c] < b[c] ? a[c] : b[c];
        lower[c] = a[c] < b[c] ? b[c] : a[c];
    }
}

/* Batcher's sorting network for any number of rows: the same exchanges whatever the values. Step p
 * exchanges up to p rows at a time, after which rows p apart are in order. Runs the steps from
 * `begin`, a power of two, to `end`. */
DXT_VECTORS static void sort_columns(double (*values)[DXT_LANES], uint32_t rows, uint32_t begin,
                                     uint32_t end)
{
    uint32_t top = 1;
    while (2 * top < rows) top *= 2;
    for (uint32_t p = begin < top ? begin : top; p >= end; p /= 2) {
        uint32_t apart = p, first = 0;
        for (uint32_t q = top;; q /= 2) {
            for (uint32_t i = first; i + apart < rows; i += 2 * p) {
                uint32_t together = rows - apart - i < p ? rows - apart - i : p;
                for (uint32_t row = i; row < i + together; row++)
                    exchange(values[row], values[row + apart]);
            }
            if (q == p) break;
            apart = q - p;
            first = p;
        }
    }
}

/* Find the middle two values of columns whose even rows are sorted and whose odd rows are sorted:
 * those that would stand in row rows ÷ 2 and in the row before it if all rows were sorted. */
DXT_VECTORS static void merge_to_middle(double (*restrict values)[DXT_LANES], uint32_t rows,
                                        double *restrict before, double *restrict at)
{
    uint32_t half = rows / 2;
    for (uint32_t c = 0; c < DXT_LANES; c++) {
        before[c] = -INFINITY;
        at[c] = 2 * half < rows ? values[2 * half][c] : INFINITY;
    }
    /* The i smallest values of the even rows, and the rest from the odd rows, are half of all. */
    for (uint32_t i = 0; i < half; i++)
        for (uint32_t c = 0; c < DXT_LANES; c++) {
            double even = values[2 * i][c], odd = values[2 * (half - i) - 1][c];
            double less = even < odd ? even : odd, more = even < odd ? odd : even;
            before[c] = less > before[c] ? less : before[c];
            at[c] = more < at[c] ? more : at[c];
        }
}

/* Sort only until the middle can be found. */
static void sort_to_middle(double (*values)[DXT_LANES], uint32_t rows, double *before, double *at)
{
    sort_columns(values, rows, UINT32_MAX, 2);
    merge_to_middle(values, rows, before, at);
}

/* The one of the middle two that is nearer 0. */
static double cautious(double low, double high)
{
    return fabs(low) < fabs(high) ? low : high;
}

/* Count the missing values of each column. @return Whether any of the first `count` columns lacks
 * more than one. */
DXT_VECTORS static bool count_missing(double (*values)[DXT_LANES], uint32_t rows, uint32_t count,
                                      int64_t *missing)
{
    bool many = false;
    for (uint32_t c = 0; c < DXT_LANES; c++) missing[c] = 0;
    for (uint32_t k = 0; k < rows; k++)
        for (uint32_t c = 0; c < DXT_LANES; c++) missing[c] += values[k][c] == INFINITY;
    for (uint32_t c = 0; c < count; c++) many = many || missing[c] > 1;
    return many;
}

/* Put the smaller of two first. */
#define ORDER(x, y)                             \
    do {                                        \
        double smaller = (x) < (y) ? (x) : (y); \
        (y) = (x) > (y) ? (x) : (y);            \
        (x) = smaller;                          \
    } while (0)

/* Three rows, of which any may be missing: members of a node of four. */
#define THREE 3u

DXT_VECTORS static void cautious_of_three(double (*restrict values)[DXT_LANES],
                                          double *restrict median)
{
    for (uint32_t l = 0; l < DXT_LANES; l++) {
        double a = values[0][l], b = values[1][l], c = values[2][l];
        ORDER(a, b);
        ORDER(b, c);
        ORDER(a, b);
        double nearer = fabs(a) < fabs(b) ? a : b, first = a < INFINITY ? a : 0;
        double low = b < INFINITY ? nearer : first;
        median[l] = c < INFINITY ? b : low;
    }
}

void dxt_cautious_medians(double (*values)[DXT_LANES], uint32_t rows, uint32_t count,
                          double *median)
{
    double before[DXT_LANES], at[DXT_LANES];
    int64_t missing[DXT_LANES];
    if (rows == THREE) {
        cautious_of_three(values, at);
        memcpy(median, at, count * sizeof *median);
        return;
    }
    bool many = count_missing(values, rows, count, missing);
    sort_to_middle(values, rows, before, at);
    if (many) sort_columns(values, rows, 1, 1);
    for (uint32_t c = 0; c < count; c++) {
        uint32_t half = rows / 2, used = rows - (uint32_t)missing[c];
        if (used == 0)
            median[c] = 0;
        else if (many)
            median[c] = cautious(values[(used - 1) / 2][c], values[used / 2][c]);
        else
            median[c] = cautious((used - 1) / 2 == half ? at[c] : before[c],
                                 used / 2 == half ? at[c] : before[c]);
    }
}

/* This many rows have a network of their own: sort three groups of three, then the smallest, the
 * middle and the largest values of the groups again, until one value is left. */
#define THREE_THREES 9u

static inline __attribute__((always_inline)) void nine(double (*restrict values)[DXT_LANES],
                                                       double *restrict median)
{
    for (uint32_t c = 0; c < DXT_LANES; c++) {
        double a0 = values[0][c], a1 = values[1][c], a2 = values[2][c];
        double b0 = values[3][c], b1 = values[4][c], b2 = values[5][c];
        double c0 = values[6][c], c1 = values[7][c], c2 = values[8][c];
        ORDER(a1, a2);
        ORDER(b1, b2);
        ORDER(c1, c2);
        ORDER(a0, a1);
        ORDER(b0, b1);
        ORDER(c0, c1);
        ORDER(a1, a2);
        ORDER(b1, b2);
        ORDER(c1, c2);
        ORDER(a0, b0);
        ORDER(b2, c2);
        ORDER(b1, c1);
        ORDER(b0, c0);
        ORDER(a1, b1);
        ORDER(a2, b2);
        ORDER(b1, c1);
        ORDER(b1, a2);
        ORDER(c0, b1);
        ORDER(b1, a2);
        median[c] = b1;
    }
}

/* So many rows have a network, too: the pairs of a node of four. */
#define SIX 6u

DXT_VECTORS static void middles_of_six(double (*restrict values)[DXT_LANES],
                                       double *restrict median)
{
    for (uint32_t l = 0; l < DXT_LANES; l++) {
        double a = values[0][l], b = values[1][l], c = values[2][l];
        double d = values[3][l], e = values[4][l], f = values[5][l];
        ORDER(a, f);
        ORDER(b, d);
        ORDER(c, e);
        ORDER(b, c);
        ORDER(d, e);
        ORDER(a, d);
        ORDER(c, f);
        ORDER(a, b);
        ORDER(c, d);
        ORDER(e, f);
        ORDER(b, c);
        ORDER(d, e);
        median[l] = c + (d - c) / 2;
    }
}

DXT_VECTORS static void middles_of_nine(double (*values)[DXT_LANES], double *median)
{
    nine(values, median);
}

void dxt_medians(double (*values)[DXT_LANES], uint32_t rows, double *median)
{
    if (rows == THREE_THREES) {
        middles_of_nine(values, median);
        return;
    }
    if (rows == SIX) {
        middles_of_six(values, median);
        return;
    }
    double before[DXT_LANES], at[DXT_LANES];
    sort_to_middle(values, rows, before, at);
    for (uint32_t c = 0; c < DXT_LANES; c++) {
        double low = rows % 2 == 0 ? before[c] : at[c];
        median[c] = rows > 0 ? low + (at[c] - low) / 2 : 0;
    }
}

/* Distances with loops of their own, which shuffle whole vectors. */
#define APART 8u
#define HALF_APART (APART / 2)

/* Multiply counters by the factor of their row. @return All counters combined by OR. */
static inline __attribute__((always_inline)) int64_t scale(const int64_t *const *first,
                                                           size_t offset, size_t apart,
                                                           const double *factor, uint32_t rows,
                                                           double (*restrict values)[DXT_LANES])
{
    int64_t bits = 0;
    for (uint32_t k = 0; k < rows; k++) {
        const int64_t *from = first[k] + offset;
        int64_t counter[DXT_LANES];
        for (uint32_t c = 0; c < DXT_LANES; c++) counter[c] = from[c * apart];
        for (uint32_t c = 0; c < DXT_LANES; c++) {
            bits |= counter[c];
            values[k][c] = (double)counter[c] * (factor ? factor[k] : 1);
        }
    }
    return bits;
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAS_SHUFFLES
#endif
#endif

#ifdef HAS_SHUFFLES
#define VECTOR_BYTES 64
#define WIDE (VECTOR_BYTES / sizeof(int64_t))
/* Places in two vectors, one after the other: of every fourth counter, of the same where the second
 * vector begins three counters earlier, and of the first half of one and the second half of the
 * other, which is the fastest way to put halves together. */
#define FOURTHS 0, 4, 8, 12
#define FOURTHS_EARLIER 0, 4, 11, 15
#define HALVES 0, 1, 2, 3, 12, 13, 14, 15

typedef int64_t counters
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(int64_t)), may_alias));
typedef double waits __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(double)), may_alias));

/* scale() for counters that are HALF_APART apart, in a way that compilers do not find: read all
 * cells, and pick every fourth of them. The last vector begins earlier, so that none goes beyond
 * the last counter. */
static inline __attribute__((always_inline)) int64_t pick(const int64_t *const *first,
                                                          size_t offset, const double *factor,
                                                          uint32_t rows,
                                                          double (*restrict values)[DXT_LANES])
{
    counters bits = {0};
    for (uint32_t k = 0; k < rows; k++)
        for (uint32_t c = 0; c < DXT_LANES; c += WIDE) {
            const int64_t *from = first[k] + offset + c * HALF_APART;
            const counters *cells = (const counters *)from;
            const counters *last = (const counters *)(from + (HALF_APART - 1) * (WIDE - 1));
            counters low = __builtin_shufflevector(cells[0], cells[1], FOURTHS, FOURTHS);
            counters high =
                __builtin_shufflevector(cells[2], *last, FOURTHS_EARLIER, FOURTHS_EARLIER);
            counters all = __builtin_shufflevector(low, high, HALVES);
            bits |= all;
            *(waits *)&values[k][c] =
                __builtin_convertvector(all, waits) * (factor ? factor[k] : 1);
        }
    int64_t any = 0;
    for (uint32_t c = 0; c < WIDE; c++) any |= bits[c];
    return any;
}
#endif

static inline __attribute__((always_inline)) int64_t
scale_by_distance(const int64_t *const *first, size_t offset, size_t apart, const double *factor,
                  uint32_t rows, double (*restrict values)[DXT_LANES])
{
    if (apart == APART) return scale(first, offset, APART, factor, rows, values);
#ifdef HAS_SHUFFLES
    if (apart == HALF_APART) return pick(first, offset, factor, rows, values);
#endif
    if (apart == HALF_APART) return scale(first, offset, HALF_APART, factor, rows, values);
    return scale(first, offset, apart, factor, rows, values);
}

DXT_VECTORS static int64_t scale_counters(const int64_t *const *first, size_t offset, size_t apart,
                                          const double *factor, uint32_t rows,
                                          double (*restrict values)[DXT_LANES])
{
    return scale_by_distance(first, offset, apart, factor, rows, values);
}

static bool are_same(const double *factor, uint32_t rows)
{
    for (uint32_t k = 1; k < rows; k++)
        if (!(factor[k] == factor[0])) return false;
    return true;
}

/* Medians of nine rows, one block of columns after the other. A factor that all rows have does not
 * change which wait is the median. */
DXT_VECTORS static int64_t middles_of_nine_counters(const int64_t *const *first, size_t offset,
                                                    size_t apart, const double *factor,
                                                    uint32_t blocks, double *median)
{
    double values[THREE_THREES][DXT_LANES];
    bool same = are_same(factor, THREE_THREES);
    const double *before = same ? NULL : factor;
    double after = same ? factor[0] : 1;
    int64_t bits = 0;
    for (uint32_t b = 0; b < blocks; b++, offset += DXT_LANES * apart, median += DXT_LANES) {
        bits |= scale_by_distance(first, offset, apart, before, THREE_THREES, values);
        nine(values, median);
        for (uint32_t c = 0; c < DXT_LANES; c++) median[c] *= after;
    }
    return bits;
}

DXT_VECTORS static void divide(const int64_t *const *counts, size_t offset, size_t apart,
                               uint32_t rows, double (*restrict values)[DXT_LANES])
{
    for (uint32_t k = 0; k < rows; k++) {
        const int64_t *from = counts[k] + offset;
        for (uint32_t c = 0; c < DXT_LANES; c++) {
            double count = (double)from[c * apart];
            values[k][c] = count > 0 ? values[k][c] / count : 0;
        }
    }
}

int64_t dxt_medians_of_counters(const int64_t *const *first, const int64_t *const *counts,
                                size_t offset, size_t apart, const double *factor, uint32_t rows,
                                uint32_t blocks, double *median)
{
    double values[DXT_COUNTER_ROWS][DXT_LANES];
    int64_t bits = 0;
    assert(rows <= DXT_COUNTER_ROWS);
    if (rows == THREE_THREES && !counts)
        return middles_of_nine_counters(first, offset, apart, factor, blocks, median);
    for (uint32_t b = 0; b < blocks; b++, offset += DXT_LANES * apart, median += DXT_LANES) {
        bits |= scale_counters(first, offset, apart, factor, rows, values);
        if (counts) divide(counts, offset, apart, rows, values);
        dxt_medians(values, rows, median);
    }
    return bits;
}
