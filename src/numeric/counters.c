/* SPDX-License-Identifier: Apache-2.0 */
/* Medians of counters in a matrix, block by block. */
#include <assert.h>
#include <stdbool.h>

#include "numeric/columns.h"
#include "numeric/networks.h"
#include "numeric/vectors.h"

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
    double values[DXT_THREE_THREES][DXT_LANES];
    bool same = are_same(factor, DXT_THREE_THREES);
    const double *before = same ? NULL : factor;
    double after = same ? factor[0] : 1;
    int64_t bits = 0;
    for (uint32_t b = 0; b < blocks; b++, offset += DXT_LANES * apart, median += DXT_LANES) {
        bits |= scale_by_distance(first, offset, apart, before, DXT_THREE_THREES, values);
        dxt_middle_of_nine(values, median);
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
    if (rows == DXT_THREE_THREES && !counts)
        return middles_of_nine_counters(first, offset, apart, factor, blocks, median);
    for (uint32_t b = 0; b < blocks; b++, offset += DXT_LANES * apart, median += DXT_LANES) {
        bits |= scale_counters(first, offset, apart, factor, rows, values);
        if (counts) divide(counts, offset, apart, rows, values);
        dxt_medians(values, rows, median);
    }
    return bits;
}
