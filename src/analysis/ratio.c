/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The established rule: column mean ÷ mean of column means above a threshold, rows alike, points ÷
 * overall mean, points inside a flagged row or column dropped.
 *
 * Programs compare its figures exactly, so sums run in NumPy's order (numeric/numpy.h).
 */
#include "analysis/ratio.h"

#include <math.h>
#include <string.h>

#include "analysis/raw.h"
#include "analysis/tuning.h"
#include "numeric/numpy.h"
#include "numeric/screen.h"
#include "numeric/vectors.h"

DXT_VECTORS static void add_row(double *restrict col, const int64_t *restrict cells, size_t n)
{
    for (size_t j = 0; j < n; j++) col[j] += (double)cells[j];
}

/* Means of the raw counters, equal to those of NumPy's mean() over int64. */
struct means {
    double *col, *row;            /* [N] each */
    double of_cols, of_rows, all; /* mean of the column means, of the row means, of all cells */
};

/* Take all means in one pass, while the rows are in the cache. */
static dxt_status take_means(const dxt_window *window, dxt_block *block, struct means *means)
{
    size_t n = window->ranks, summed = 0;
    double *col = dxt_block_fit(block, 2 * n * sizeof *col), all = 0;
    if (!col) return DXT_ERR_NO_MEMORY;
    memset(col, 0, 2 * n * sizeof *col);
    double *row = col + n;
    for (size_t i = 0; i < n; i++) {
        const int64_t *cells = window->wait + i * n;
        add_row(col, cells, n);
        row[i] = dxt_numpy_sum_i64(cells, n) / (double)n;
        for (; summed + DXT_NUMPY_BUFFER <= (i + 1) * n; summed += DXT_NUMPY_BUFFER)
            all += dxt_numpy_sum_i64(window->wait + summed, DXT_NUMPY_BUFFER);
    }
    if (summed < n * n) all += dxt_numpy_sum_i64(window->wait + summed, n * n - summed);
    for (size_t j = 0; j < n; j++) col[j] /= (double)n;
    means->col = col;
    means->row = row;
    means->of_cols = dxt_numpy_sum(col, n) / (double)n;
    means->of_rows = dxt_numpy_sum(row, n) / (double)n;
    means->all = all / (double)(n * n);
    return DXT_OK;
}

/* Mean of the non-zero cells; NaN when there is none. */
static double mean_of_nonzero(const dxt_window *window)
{
    size_t used, n = window->ranks;
    double sum = dxt_numpy_nonzero_sum(window->wait, n * n, &used);
    return used ? sum / (double)used : NAN;
}

/* The largest counter of a row decides whether the row needs a look. */
static bool row_has_points(const int64_t *cells, uint32_t n, double mean, double limit)
{
    return dxt_normalise((double)dxt_screen_max(cells, n, n), mean) > limit;
}

static double or_default(double value, double fallback)
{
    return value > 0 ? value : fallback;
}

size_t dxt_ratio_most_points(uint32_t ranks)
{
    return (size_t)ranks * ranks / (size_t)DXT_RATIO_POINT;
}

static void take_axes(const struct means *means, uint32_t n, double col_limit, double row_limit,
                      dxt_draft *draft)
{
    for (uint32_t j = 0; j < n; j++) {
        double normalised = dxt_normalise(means->col[j], means->of_cols);
        if (normalised > col_limit) dxt_draft_col(draft, j, means->col[j], normalised);
    }
    for (uint32_t i = 0; i < n; i++) {
        double normalised = dxt_normalise(means->row[i], means->of_rows);
        if (normalised > row_limit) dxt_draft_row(draft, i, means->row[i], normalised);
    }
}

/* The abnormal cells of one row; those in flagged columns only if all are wanted. */
static void take_points(const int64_t *cells, uint32_t row, uint32_t n, double mean, double limit,
                        bool keep, dxt_draft *draft)
{
    size_t next_col = 0;
    for (uint32_t j = 0; j < n; j++) {
        bool in_col = next_col < draft->col_count && draft->cols[next_col].rank == j;
        if (in_col) next_col++;
        if (in_col && !keep) continue;
        double value = (double)cells[j];
        double normalised = dxt_normalise(value, mean);
        if (normalised > limit) dxt_draft_point(draft, row, j, value, normalised);
    }
}

dxt_status dxt_ratio(const dxt_window *window, const dxt_analysis_options *options,
                     dxt_block *memory, dxt_draft *draft)
{
    double limit = or_default(options->threshold_point, DXT_RATIO_POINT);
    struct means means = {0};
    dxt_status status = take_means(window, memory, &means);
    if (status != DXT_OK) return status;

    uint32_t n = window->ranks;
    take_axes(&means, n, or_default(options->threshold_col, DXT_RATIO_AXIS),
              or_default(options->threshold_row, DXT_RATIO_AXIS), draft);
    /* Where every cell is 0 the mean is NaN, and every comparison with it is false. */
    double mean = options->excluding_zeros ? mean_of_nonzero(window) : means.all;
    size_t next_row = 0;
    for (uint32_t i = 0; i < n; i++) {
        const int64_t *cells = window->wait + (size_t)i * n;
        bool in_row = next_row < draft->row_count && draft->rows[next_row].rank == i;
        if (in_row) next_row++;
        if (in_row && !options->keep_points) continue;
        if (row_has_points(cells, n, mean, limit))
            take_points(cells, i, n, mean, limit, options->keep_points, draft);
    }
    if (draft->col_count + draft->row_count + draft->point_count > 0)
        draft->verdict = DXT_VERDICT_SLOW;
    return DXT_OK;
}
