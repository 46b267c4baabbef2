/* SPDX-License-Identifier: Apache-2.0 */
/* The established rule on a matrix of float64, in NumPy's order of summing up (numeric/numpy.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/ratio.h>

#include "analysis/raw.h"
#include "analysis/tuning.h"
#include "base/base.h"
#include "numeric/numpy.h"

/* A matrix, its means, and the cells that are flagged. */
struct flags {
    const double *values;
    size_t rows, columns;
    dxt_ratio_rule rule;
    double *row, *col; /* means, then normalised ones: [rows], [columns] */
    double *row_mean, *col_mean;
    double mean; /* cells are divided by it */
    dxt_ratio_place *places;
    size_t count;
    bool fill; /* write the flagged cells down; otherwise only count them */
};

/* Sum up a run in pieces of NumPy's buffer size, although nothing has to be converted. */
static double sum(const double *values, size_t n)
{
    double all = 0;
    for (size_t k = 0; k < n; k += DXT_NUMPY_BUFFER)
        all += dxt_numpy_sum(values + k, n - k < DXT_NUMPY_BUFFER ? n - k : DXT_NUMPY_BUFFER);
    return all;
}

/* As mean(axis=0): row after row; where a row is a single value, pairwise. */
static void take_columns(struct flags *f)
{
    if (f->columns == 1) {
        f->col_mean[0] = sum(f->values, f->rows) / (double)f->rows;
        return;
    }
    memset(f->col_mean, 0, f->columns * sizeof *f->col_mean);
    for (size_t i = 0; i < f->rows; i++)
        for (size_t j = 0; j < f->columns; j++) f->col_mean[j] += f->values[i * f->columns + j];
    for (size_t j = 0; j < f->columns; j++) f->col_mean[j] /= (double)f->rows;
}

static void normalise(const double *means, size_t n, double *normalised)
{
    double mean = sum(means, n) / (double)n;
    for (size_t k = 0; k < n; k++) normalised[k] = dxt_normalise(means[k], mean);
}

/* Mean of the cells, or of those that are not 0; 0 if there is none. */
static dxt_status take_mean(struct flags *f)
{
    size_t n = f->rows * f->columns, used = 0;
    if (!f->rule.excluding_zeros) {
        f->mean = sum(f->values, n) / (double)n;
        return DXT_OK;
    }
    double *counted = malloc(n * sizeof *counted);
    if (!counted) return dxt_fail_memory(n * sizeof *counted);
    for (size_t k = 0; k < n; k++)
        if (f->values[k] != 0) counted[used++] = f->values[k];
    f->mean = used ? sum(counted, used) / (double)used : 0;
    free(counted);
    return DXT_OK;
}

static dxt_status take_means(struct flags *f)
{
    size_t n = 2 * (f->rows + f->columns);
    f->row = calloc(n, sizeof *f->row);
    if (!f->row) return dxt_fail_memory(n * sizeof *f->row);
    f->col = f->row + f->rows;
    f->row_mean = f->col + f->columns;
    f->col_mean = f->row_mean + f->rows;
    for (size_t i = 0; i < f->rows; i++)
        f->row_mean[i] = sum(f->values + i * f->columns, f->columns) / (double)f->columns;
    take_columns(f);
    normalise(f->row_mean, f->rows, f->row);
    normalise(f->col_mean, f->columns, f->col);
    return take_mean(f);
}

static void flag(struct flags *f, size_t row, size_t column, double value, double normalised)
{
    if (f->fill)
        f->places[f->count] = (dxt_ratio_place){(uint32_t)row, (uint32_t)column, value, normalised};
    f->count++;
}

static void flag_points(struct flags *f, size_t row)
{
    bool keep = f->rule.keep_points;
    if (!keep && f->row[row] > f->rule.threshold_row) return;
    for (size_t j = 0; j < f->columns; j++) {
        double value = f->values[row * f->columns + j];
        double normalised = dxt_normalise(value, f->mean);
        if (!(normalised > f->rule.threshold_point)) continue;
        if (keep || !(f->col[j] > f->rule.threshold_col)) flag(f, row, j, value, normalised);
    }
}

static void flag_all(struct flags *f)
{
    f->count = 0;
    for (size_t j = 0; j < f->columns; j++)
        if (f->col[j] > f->rule.threshold_col)
            flag(f, DXT_RATIO_WHOLE, j, f->col_mean[j], f->col[j]);
    for (size_t i = 0; i < f->rows; i++)
        if (f->row[i] > f->rule.threshold_row)
            flag(f, i, DXT_RATIO_WHOLE, f->row_mean[i], f->row[i]);
    for (size_t i = 0; i < f->rows; i++) flag_points(f, i);
}

static dxt_status check(const double *values, size_t rows, size_t columns)
{
    size_t cells, bytes;
    if (!values || rows == 0 || columns == 0)
        return dxt_fail(DXT_ERR_INVALID,
                        "values must not be NULL, and rows and columns must be above 0");
    if (rows > INT32_MAX || columns > INT32_MAX || __builtin_mul_overflow(rows, columns, &cells) ||
        __builtin_mul_overflow(cells, sizeof(dxt_ratio_place), &bytes))
        return dxt_fail(DXT_ERR_LIMIT,
                        "a matrix of %zu x %zu does not fit memory; an axis has at most %d", rows,
                        columns, INT32_MAX);
    return DXT_OK;
}

dxt_status dxt_ratio_matrix(const double *values, size_t rows, size_t columns,
                            const dxt_ratio_rule *rule, dxt_ratio_place **places, size_t *count)
{
    struct flags f = {.values = values,
                      .rows = rows,
                      .columns = columns,
                      .rule = {.struct_size = sizeof f.rule,
                               .threshold_col = DXT_RATIO_AXIS,
                               .threshold_row = DXT_RATIO_AXIS,
                               .threshold_point = DXT_RATIO_POINT}};
    if (!places || !count) return dxt_fail(DXT_ERR_INVALID, "places and count must not be NULL");
    if (rule && !dxt_take_struct(&f.rule, sizeof f.rule, rule,
                                 DXT_SIZE_UP_TO(dxt_ratio_rule, excluding_zeros)))
        return dxt_fail_size("rule", "dxt_ratio_rule", rule->struct_size);
    dxt_status status = check(values, rows, columns);
    if (status == DXT_OK) status = take_means(&f);
    if (status == DXT_OK) flag_all(&f);
    if (status == DXT_OK && f.count) {
        f.places = calloc(f.count, sizeof *f.places);
        if (!f.places) status = dxt_fail_memory(f.count * sizeof *f.places);
        f.fill = true;
        if (status == DXT_OK) flag_all(&f);
    }
    free(f.row);
    if (status != DXT_OK) return status;
    *places = f.places;
    *count = f.count;
    return DXT_OK;
}
