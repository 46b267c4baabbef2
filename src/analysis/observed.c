/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/observed.h"

#include <string.h>

#include "matrix/fields.h"
#include "numeric/select.h"

/* Mean wait of a cell that was observed, in whatever the row is counted. */
static double mean_of(const dxt_window *window, size_t cell)
{
    double wait = (double)window->wait[cell];
    if (!window->samples) return wait;
    return window->samples[cell] > 0 ? wait / (double)window->samples[cell] : 0;
}

/* The ordinary wait of a row: the median of what was observed off the diagonal. */
static double ordinary(const dxt_window *window, uint32_t row, double *scratch)
{
    size_t count = 0, first = (size_t)row * window->ranks;
    for (uint32_t j = 0; j < window->ranks; j++)
        if (j != row && window->wait[first + j] != DXT_NOT_OBSERVED)
            scratch[count++] = mean_of(window, first + j);
    return dxt_median(scratch, count);
}

dxt_status dxt_observed(const dxt_window *window, dxt_instead instead, dxt_block *block,
                        dxt_window *view)
{
    bool observed;
    dxt_status status = dxt_window_look(window, &observed);
    if (status != DXT_OK) return status;
    *view = *window;
    if (observed) return DXT_OK;
    size_t n = window->ranks, cells = n * n;
    int64_t *wait = dxt_block_fit(block, 2 * cells * sizeof *wait + n * sizeof(double));
    if (!wait) return DXT_ERR_NO_MEMORY;
    int64_t *samples = wait + cells;
    double *scratch = (double *)(void *)(samples + cells);
    memcpy(wait, window->wait, cells * sizeof *wait);
    if (window->samples) memcpy(samples, window->samples, cells * sizeof *samples);
    for (uint32_t i = 0; i < n; i++) {
        double usual = instead == DXT_INSTEAD_ORDINARY ? ordinary(window, i, scratch) : 0;
        for (size_t c = i * n; c < (i + 1) * n; c++) {
            if (wait[c] != DXT_NOT_OBSERVED) continue;
            /* The largest counter is no double. */
            wait[c] = usual < (double)INT64_MAX ? (int64_t)usual : INT64_MAX;
            samples[c] = 1;
        }
    }
    view->wait = wait;
    if (window->samples) view->samples = samples;
    return DXT_OK;
}
