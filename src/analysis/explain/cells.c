/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/cells.h"

#include <math.h>
#include <string.h>

#include "analysis/arrive/early.h"
#include "analysis/arrive/rails.h"
#include "analysis/arrive/shifts.h"
#include "analysis/tuning.h"
#include "numeric/normal.h"
#include "numeric/select.h"
#include "numeric/spread.h"

_Static_assert(DXT_MAX_RANKS <= UINT16_MAX + 1, "a member is told by 16 bits below");

/* Choose the cells, and fetch all of them before the first is read, since they are scattered over a
 * large matrix. In a hybrid mode only observed cells count: the others are filled in, and never
 * deviate. */
static uint32_t choose(const dxt_fit *fit, uint16_t *row, uint16_t *column)
{
    const dxt_window *window = fit->window;
    uint32_t each = fit->sparse > 0 ? dxt_rail_partners(fit) : fit->count - 1, used = 0;
    dxt_spread spread = dxt_cells_begin(fit->count * each);
    for (uint32_t k = 0; k < spread.taken; k++) {
        uint32_t cell = (uint32_t)dxt_spread_next(&spread);
        uint32_t i = cell / each, j = cell % each;
        j = fit->sparse > 0 ? dxt_rail_partner(fit, i, j) : j + (j >= i);
        if (j == fit->count) continue;
        row[used] = (uint16_t)i;
        column[used++] = (uint16_t)j;
        __builtin_prefetch(window->wait + (size_t)fit->rank[i] * window->ranks + fit->rank[j]);
    }
    return used;
}

/* The cells that choose() finds, if they were kept when the window was first read; otherwise NULL.
 */
static const dxt_early_sample *early_sample(const dxt_fit *fit)
{
    const dxt_early_data *early = &fit->early;
    return early->ranks == fit->count && fit->sparse == 0 ? early->sample : NULL;
}

void dxt_cells_take(const dxt_fit *fit, dxt_cell_sample *sample)
{
    uint16_t rows[DXT_LEVEL_SAMPLE], columns[DXT_LEVEL_SAMPLE];
    const dxt_early_sample *early = early_sample(fit);
    uint32_t used = sample->count = early ? early->count : choose(fit, rows, columns);
    const uint16_t *row = early ? early->row : rows, *column = early ? early->column : columns;
    double *path = sample->expected;
    dxt_paths_of_pairs(fit, row, column, used, path, sample->work);
    for (uint32_t k = 0; k < used; k++) {
        sample->wait[k] = early ? dxt_fit_counted(fit, row[k], early->counter[k])
                                : dxt_fit_wait(fit, row[k], column[k]);
        sample->expected[k] = dxt_fit_most_shift(fit, row[k], column[k], path[k]);
    }
    dxt_waits_of(sample->expected, used, fit->skew);
    for (uint32_t k = 0; k < used; k++)
        sample->expected[k] = dxt_fit_by_sides(fit, row[k], column[k], sample->expected[k]);
}

/* Into `work`. */
static void take_deviations(dxt_cell_sample *sample)
{
    for (uint32_t k = 0; k < sample->count; k++)
        sample->work[k] = fabs(sample->wait[k] - sample->expected[k]);
}

double dxt_cells_deviation(dxt_cell_sample *sample)
{
    take_deviations(sample);
    return DXT_MAD_TO_DEVIATION * dxt_median(sample->work, sample->count);
}

/* The tails are judged by the width that holds 49 of 50 cells, which a few slow paths do not
 * change. */
double dxt_cells_outlier(dxt_cell_sample *sample, double deviation)
{
    uint32_t n = sample->count;
    if (n < DXT_OUTLIER_CELLS || !(deviation > 0)) return DXT_OUTLIER_SPREADS;
    take_deviations(sample);
    double wide = dxt_select(sample->work, n, n - 1 - n / DXT_OUTLIER_PART);
    double tails = wide / (DXT_WIDTH_OF_49_IN_50 * deviation);
    double spreads = DXT_OUTLIER_SPREADS_KNOWN * fmax(1, tails * tails);
    return fmin(spreads, DXT_OUTLIER_SPREADS);
}

/* Take the logarithm after the median: it is the median of the logarithms. */
double dxt_cells_least_ratio(const dxt_fit *fit, dxt_cell_sample *sample)
{
    double *ratio = sample->wait, *work = sample->work;
    size_t used = 0;
    for (uint32_t k = 0; k < sample->count; k++) {
        double wait = sample->wait[k], expected = sample->expected[k];
        ratio[used] = wait / expected;
        used += !(wait <= 0 || expected < DXT_RATIO_LEAST * fit->base);
    }
    if (used == 0) return 1;
    memcpy(work, ratio, used * sizeof *work);
    double typical = dxt_median(work, used), middle = log(typical);
    for (size_t k = 0; k < used; k++)
        work[k] = ratio[k] > typical ? ratio[k] / typical : typical / ratio[k];
    double spread = DXT_MAD_TO_DEVIATION * log(dxt_median(work, used));
    bool known = used >= DXT_LONG_TAILS_CELLS && spread >= DXT_LONG_TAILS_KNOWN;
    spread = fmin(spread * (1 + DXT_FEW_CELLS_TAIL / sqrt((double)used)), DXT_WILDEST);
    double cells = (double)fit->count * (fit->count - 1);
    double spreads = sqrt(2 * log(DXT_ONE_IN * cells));
    if (!known && spread < DXT_LONG_TAILS) return 1;
    return exp(fmin(middle + spreads * spread, DXT_MOST_EXPONENT));
}
