/* SPDX-License-Identifier: Apache-2.0 */
#include "numeric/columns.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "numeric/networks.h"

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

/* Three rows, of which any may be missing: members of a node of four. */
#define THREE 3u

DXT_VECTORS static void cautious_of_three(double (*restrict values)[DXT_LANES],
                                          double *restrict median)
{
    for (uint32_t l = 0; l < DXT_LANES; l++) {
        double a = values[0][l], b = values[1][l], c = values[2][l];
        DXT_ORDER(a, b);
        DXT_ORDER(b, c);
        DXT_ORDER(a, b);
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

/* So many rows have a network, too: the pairs of a node of four. */
#define SIX 6u

DXT_VECTORS static void middles_of_six(double (*restrict values)[DXT_LANES],
                                       double *restrict median)
{
    for (uint32_t l = 0; l < DXT_LANES; l++) {
        double a = values[0][l], b = values[1][l], c = values[2][l];
        double d = values[3][l], e = values[4][l], f = values[5][l];
        DXT_ORDER(a, f);
        DXT_ORDER(b, d);
        DXT_ORDER(c, e);
        DXT_ORDER(b, c);
        DXT_ORDER(d, e);
        DXT_ORDER(a, d);
        DXT_ORDER(c, f);
        DXT_ORDER(a, b);
        DXT_ORDER(c, d);
        DXT_ORDER(e, f);
        DXT_ORDER(b, c);
        DXT_ORDER(d, e);
        median[l] = c + (d - c) / 2;
    }
}

DXT_VECTORS static void middles_of_nine(double (*values)[DXT_LANES], double *median)
{
    dxt_middle_of_nine(values, median);
}

void dxt_medians(double (*values)[DXT_LANES], uint32_t rows, double *median)
{
    if (rows == DXT_THREE_THREES) {
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
