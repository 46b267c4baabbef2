/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that stand out from the fitted arrivals: slow paths. */
#include <math.h>
#include <stdlib.h>

#include "analysis/fit.h"
#include "analysis/select.h"
#include "analysis/skew.h"
#include "base/base.h"

/* A path must exceed this many typical deviations of a cell … */
#define OUTLIER_SPREADS 8.0
/* … this part of what is expected of it … */
#define RELATIVE_EXCESS 0.3
/* … and the ordinary wait this many times: pairs are uneven by nature. */
#define ORDINARY_EXCESS 1.0
/* Where more cells than this part deviate, it is not the paths. */
#define MOST_PATHS_SHARE 0.1

/* 1.4826 × median absolute deviation of a sample of cells off the diagonal from the fit. */
static double typical_deviation(const dxt_fit *fit)
{
    uint32_t n = fit->count;
    size_t cells = (size_t)n * (n - 1);
    size_t taken = cells < DXT_LEVEL_SAMPLE ? cells : DXT_LEVEL_SAMPLE;
    for (size_t k = 0; k < taken; k++) {
        size_t cell = taken == cells ? k : (size_t)(k * UINT64_C(0x9E3779B97F4A7C15) % cells);
        uint32_t i = (uint32_t)(cell / (n - 1)), j = (uint32_t)(cell % (n - 1));
        if (j >= i) j++;
        fit->scratch[k] = fabs(fit->value[(size_t)i * n + j] - dxt_fit_expected(fit, i, j));
    }
    return 1.4826 * dxt_median(fit->scratch, taken);
}

/* Excess of one cell over the fit when it is abnormal, otherwise 0. */
static double excess_of(const dxt_fit *fit, double spread, uint32_t i, uint32_t j)
{
    double value = fit->value[(size_t)i * fit->count + j];
    double least = fmax(fmax(fit->limit[i], fit->limit[j]), ORDINARY_EXCESS * fit->base);
    least = fmax(least, OUTLIER_SPREADS * spread);
    /* The cut at 0 and the skew only add to the shift: most cells are settled without them. */
    if (value - fmax(0, dxt_fit_shift(fit, i, j)) <= least) return 0;
    double expected = dxt_fit_expected(fit, i, j);
    double excess = value - expected;
    return excess > fmax(least, RELATIVE_EXCESS * expected) ? excess : 0;
}

static int by_excess(const void *a, const void *b)
{
    const dxt_slow_path *x = a, *y = b;
    if (x->excess != y->excess) return x->excess < y->excess ? 1 : -1;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

dxt_status dxt_fit_paths(const dxt_fit *fit, dxt_slow_path **paths, size_t *count)
{
    uint32_t n = fit->count;
    *paths = NULL;
    *count = 0;
    /* Between two ranks a slow path and a late rank are the same. */
    if (n < 3) return DXT_OK;
    double spread = typical_deviation(fit);
    size_t most = 1 + (size_t)(MOST_PATHS_SHARE * n * (n - 1)), found = 0, capacity = 0;
    dxt_slow_path *list = NULL;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            double excess = i == j ? 0 : excess_of(fit, spread, i, j);
            if (excess <= 0) continue;
            if (found == most) {
                free(list);
                *count = SIZE_MAX;
                return DXT_OK;
            }
            if (found == capacity) {
                capacity = capacity ? 2 * capacity : 16;
                dxt_slow_path *grown = realloc(list, capacity * sizeof *list);
                if (!grown) {
                    free(list);
                    return dxt_fail_memory(capacity * sizeof *list);
                }
                list = grown;
            }
            list[found++] = (dxt_slow_path){i, j, excess, spread};
        }
    }
    if (found > 1) qsort(list, found, sizeof *list, by_excess);
    *paths = list;
    *count = found;
    return DXT_OK;
}
