/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The established rule: column mean ÷ mean of column means above a threshold, rows alike, points ÷
 * overall mean, points inside a flagged row or column dropped.
 *
 * Programs compare its figures exactly, so sums run in NumPy's order. NumPy adds a contiguous run
 * of float64 in pairs: up to 128 values with eight interleaved accumulators, longer runs split in
 * halves at a multiple of eight. A mean over axis 0 adds row after row. int64 input is converted
 * through a buffer of 8192 values, and each full buffer is summed on its own.
 */
#include "analysis/method.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

#define PAIRWISE_RUN 128
#define CAST_BUFFER 8192

static double pairwise_sum(const double *values, size_t n)
{
    if (n < 8) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += values[i];
        return sum;
    }
    if (n > PAIRWISE_RUN) {
        size_t half = n / 2;
        half -= half % 8;
        return pairwise_sum(values, half) + pairwise_sum(values + half, n - half);
    }
    double part[8];
    for (size_t k = 0; k < 8; k++) part[k] = values[k];
    size_t i = 8;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++) part[k] += values[i + k];
    double sum =
        ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < n; i++) sum += values[i];
    return sum;
}

/* Sum of a contiguous run of int64 as float64, buffer by buffer. With `skip_zeros`, of its non-zero
 * values as if they had been gathered into an array first; `used` receives their number. */
static double integer_sum(const int64_t *values, size_t n, bool skip_zeros, size_t *used)
{
    double buffer[CAST_BUFFER];
    double sum = 0;
    size_t filled = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        if (skip_zeros && values[i] == 0) continue;
        buffer[filled++] = (double)values[i];
        count++;
        if (filled == CAST_BUFFER) {
            sum += pairwise_sum(buffer, filled);
            filled = 0;
        }
    }
    if (filled > 0) sum += pairwise_sum(buffer, filled);
    *used = count;
    return sum;
}

/* Means of the raw counters, as NumPy's mean() over int64 gives them. */
struct means {
    double *col, *row;            /* [N] each */
    double of_cols, of_rows, all; /* mean of the column means, of the row means, of all cells */
    double nonzero;               /* mean of the non-zero cells; NaN when there is none */
};

double dxt_normalise(double x, double mean)
{
    return x / (mean + 1e-8);
}

static dxt_status take_means(const dxt_window *window, dxt_block *block, struct means *means)
{
    size_t n = window->ranks, used;
    double *col = dxt_block_fit(block, 2 * n * sizeof *col);
    if (!col) return DXT_ERR_NO_MEMORY;
    memset(col, 0, 2 * n * sizeof *col);
    double *row = col + n;
    for (size_t i = 0; i < n; i++) {
        const int64_t *cells = window->wait + i * n;
        for (size_t j = 0; j < n; j++) col[j] += (double)cells[j];
        row[i] = integer_sum(cells, n, false, &used) / (double)n;
    }
    for (size_t j = 0; j < n; j++) col[j] /= (double)n;
    means->col = col;
    means->row = row;
    means->of_cols = pairwise_sum(col, n) / (double)n;
    means->of_rows = pairwise_sum(row, n) / (double)n;
    means->all = integer_sum(window->wait, n * n, false, &used) / (double)(n * n);
    double sum = integer_sum(window->wait, n * n, true, &used);
    means->nonzero = used ? sum / (double)used : NAN;
    return DXT_OK;
}

static double or_default(double value, double fallback)
{
    return value > 0 ? value : fallback;
}

dxt_status dxt_ratio(const dxt_window *window, const dxt_analysis_options *options,
                     dxt_workspace *workspace)
{
    dxt_draft *draft = &workspace->draft;
    double col_limit = or_default(options->threshold_col, 3.0);
    double row_limit = or_default(options->threshold_row, 3.0);
    double point_limit = or_default(options->threshold_point, 5.0);
    struct means means = {0};
    dxt_status status = take_means(window, &workspace->means, &means);
    if (status != DXT_OK) return status;

    uint32_t n = window->ranks;
    for (uint32_t j = 0; j < n; j++) {
        double normalised = dxt_normalise(means.col[j], means.of_cols);
        if (normalised > col_limit) dxt_draft_col(draft, j, means.col[j], normalised);
    }
    for (uint32_t i = 0; i < n; i++) {
        double normalised = dxt_normalise(means.row[i], means.of_rows);
        if (normalised > row_limit) dxt_draft_row(draft, i, means.row[i], normalised);
    }
    /* NaN, where every cell is zero, flags nothing: every comparison with it is false. */
    double mean = options->excluding_zeros ? means.nonzero : means.all;
    size_t next_row = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool in_row = next_row < draft->row_count && draft->rows[next_row].rank == i;
        if (in_row) next_row++;
        if (in_row && !options->keep_points) continue;
        size_t next_col = 0;
        for (uint32_t j = 0; j < n; j++) {
            bool in_col = next_col < draft->col_count && draft->cols[next_col].rank == j;
            if (in_col) next_col++;
            if (in_col && !options->keep_points) continue;
            double value = (double)window->wait[(size_t)i * n + j];
            double normalised = dxt_normalise(value, mean);
            if (normalised > point_limit) dxt_draft_point(draft, i, j, value, normalised);
        }
    }
    if (draft->col_count + draft->row_count + draft->point_count > 0)
        draft->verdict = DXT_VERDICT_SLOW;
    return DXT_OK;
}
