/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/observed.h"

#include <math.h>
#include <string.h>

#include "analysis/blocks.h"
#include "matrix/fields.h"
#include "numeric/select.h"

/* Mean wait of an observed cell, in the unit of its row. */
static double mean_of(const dxt_window *window, size_t cell)
{
    double wait = (double)window->wait[cell];
    if (!window->samples) return wait;
    return window->samples[cell] > 0 ? wait / (double)window->samples[cell] : 0;
}

/* The ordinary wait of a row: the median of its observed cells off the diagonal. */
static double ordinary(const dxt_window *window, uint32_t row, double *scratch)
{
    size_t count = 0, first = (size_t)row * window->ranks;
    /* No branch: a cell that does not count is written, and overwritten by the next one. */
    for (uint32_t j = 0; j < window->ranks; j++) {
        scratch[count] = mean_of(window, first + j);
        count += (j != row) & (window->wait[first + j] != DXT_NOT_OBSERVED);
    }
    return dxt_median(scratch, count);
}

size_t dxt_observed_size(uint32_t ranks)
{
    size_t cells = (size_t)ranks * ranks;
    return 2 * cells * sizeof(int64_t) + ranks * (2 * sizeof(double) + sizeof(uint8_t));
}

/* Whether no wait of a rank for another one was observed. */
static bool is_blank(const dxt_window *window, uint32_t row)
{
    const int64_t *wait = window->wait + (size_t)row * window->ranks;
    for (uint32_t j = 0; j < window->ranks; j++)
        if (j != row && wait[j] != DXT_NOT_OBSERVED) return false;
    return true;
}

/* The median wait of the observed cells between the blocks of i and j. */
static double ordinary_between(const dxt_window *window, uint32_t i, uint32_t j, uint32_t size,
                               double *scratch)
{
    size_t count = 0;
    for (uint32_t k = 0; k < size; k++) {
        size_t row = i / size * size + k, column = j / size * size + k;
        if (window->missing && window->missing[row]) continue;
        if (window->wait[row * window->ranks + column] == DXT_NOT_OBSERVED) continue;
        scratch[count++] = mean_of(window, row * window->ranks + column);
    }
    return dxt_median(scratch, count);
}

/* Ordinary waits of one block of a sparse pattern for the others, computed at their first use. */
struct between {
    uint32_t size;  /* ranks of a block; 0 = the pattern is not there */
    uint32_t block; /* the block whose waits are in `usual` */
    double *usual;  /* [blocks] NaN = not computed yet */
    double *scratch;
};

static double usual_between(const dxt_window *window, struct between *between, uint32_t i,
                            uint32_t j)
{
    uint32_t size = between->size, block = i / size;
    if (between->block != block) {
        between->block = block;
        for (uint32_t b = 0; b < window->ranks / size; b++) between->usual[b] = NAN;
    }
    double *known = &between->usual[j / size];
    if (isnan(*known)) *known = ordinary_between(window, i, j, size, between->scratch);
    return *known;
}

/* Fill `count` cells of row i from column j on: those that were not observed, and, in another block
 * of a sparse pattern, all but the one at the row's own place.
 * @return The wait to fill the next cells with. */
static double fill_cells(const dxt_window *window, uint32_t i, uint32_t j, uint32_t count,
                         struct between *between, double usual, dxt_window *view, int64_t *samples)
{
    bool other = between->size > 0 && j / between->size != i / between->size, met = false;
    uint32_t own = other ? i % between->size : 0;
    for (uint32_t k = 0; k < count; k++) {
        size_t cell = (size_t)i * window->ranks + j + k;
        bool sparse = other && k != own;
        if (!sparse && view->wait[cell] != DXT_NOT_OBSERVED) continue;
        if (sparse && !met) usual = usual_between(window, between, i, j);
        met = met || sparse;
        /* INT64_MAX is not exact as a double. */
        view->wait[cell] = usual < (double)INT64_MAX ? (int64_t)usual : INT64_MAX;
        if (window->samples) samples[cell] = 1;
    }
    return usual;
}

static void fill_row(const dxt_window *window, uint32_t i, struct between *between, double usual,
                     dxt_window *view, int64_t *samples)
{
    uint32_t step = between->size > 0 ? between->size : window->ranks;
    for (uint32_t j = 0; j < window->ranks; j += step)
        usual = fill_cells(window, i, j, step, between, usual, view, samples);
}

/* Whether any cell of a row was not observed. */
static bool has_holes(const dxt_window *window, uint32_t row)
{
    const int64_t *wait = window->wait + (size_t)row * window->ranks;
    uint64_t bits = 0;
    for (uint32_t j = 0; j < window->ranks; j++) bits |= (uint64_t)wait[j];
    return bits > INT64_MAX;
}

dxt_status dxt_observed(const dxt_window *window, dxt_instead instead, dxt_block *block,
                        dxt_window *view, uint32_t *sparse, const dxt_looking *look)
{
    bool observed;
    dxt_status status =
        look ? dxt_glance_over(window, look, &observed) : dxt_window_look(window, &observed);
    if (status != DXT_OK) return status;
    *view = *window;
    *sparse = instead == DXT_INSTEAD_ORDINARY ? dxt_sparse_block(window) : 0;
    if (observed && *sparse == 0) return DXT_OK;
    if (look) *look->glance = (dxt_glance){.peak = NULL};
    size_t n = window->ranks, cells = n * n;
    int64_t *wait = dxt_block_fit(block, dxt_observed_size(window->ranks));
    if (!wait) return DXT_ERR_NO_MEMORY;
    int64_t *samples = wait + cells;
    double *scratch = (double *)(void *)(samples + cells);
    uint8_t *missing = (uint8_t *)(scratch + 2 * n);
    struct between none = {.size = 0}, between = {.size = *sparse,
                                                  .block = UINT32_MAX,
                                                  .usual = scratch + n,
                                                  .scratch = scratch};
    memcpy(wait, window->wait, cells * sizeof *wait);
    if (window->samples) memcpy(samples, window->samples, cells * sizeof *samples);
    view->wait = wait;
    view->missing = missing;
    for (uint32_t i = 0; i < n; i++) {
        missing[i] = window->missing && window->missing[i] ? 1 : 0;
        if (!missing[i] && is_blank(window, i)) missing[i] = DXT_ROW_BLANK;
        if (missing[i] == 1) continue;
        if (*sparse == 0 && !has_holes(window, i)) continue;
        double usual =
            instead == DXT_INSTEAD_ORDINARY && !missing[i] ? ordinary(window, i, scratch) : 0;
        fill_row(window, i, missing[i] ? &none : &between, usual, view, samples);
    }
    if (window->samples) view->samples = samples;
    return DXT_OK;
}
