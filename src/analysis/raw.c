/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/raw.h"

#include "numeric/screen.h"

double dxt_raw_mean(const dxt_window *window)
{
    size_t n = window->ranks;
    double mean = 0;
    for (size_t i = 0; i < n; i++)
        mean += dxt_screen_sum(window->wait + i * n, window->ranks) / (double)n / (double)n;
    return mean;
}

/* So many rows of a column are fetched while they are waited for. */
#define ROWS_AHEAD 16

double dxt_raw_mean_of_column(const dxt_window *window, uint32_t rank)
{
    size_t n = window->ranks;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        /* The processor does not fetch by itself what is a row apart. */
        __builtin_prefetch(window->wait + (i + ROWS_AHEAD < n ? i + ROWS_AHEAD : i) * n + rank);
        sum += (double)window->wait[i * n + rank];
    }
    return sum / (double)n;
}

double dxt_raw_mean_of_row(const dxt_window *window, uint32_t rank)
{
    size_t n = window->ranks;
    return dxt_screen_sum(window->wait + rank * n, window->ranks) / (double)n;
}
