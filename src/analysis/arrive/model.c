/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/model.h"

#include "numeric/screen.h"

/* Vectors where all cells of a row have the same factor; otherwise cell by cell. */
double dxt_fit_longest(const dxt_fit *fit, uint32_t i)
{
    const dxt_window *window = fit->window;
    size_t first = (size_t)fit->rank[i] * window->ranks;
    double longest = 0;
    if (!window->samples && fit->count == window->ranks) {
        int64_t most = dxt_screen_max(window->wait + first, i, window->ranks);
        if (dxt_without_timeout(window, most) == most) return (double)most * fit->factor[i];
    }
    for (uint32_t j = 0; j < fit->count; j++) {
        double wait = i == j ? 0 : dxt_fit_wait(fit, i, j);
        longest = wait > longest ? wait : longest;
    }
    return longest;
}

double dxt_fit_longest_of_all(const dxt_fit *fit)
{
    double longest = 0;
    for (uint32_t i = 0; i < fit->count; i++) {
        double wait = dxt_fit_longest(fit, i);
        longest = wait > longest ? wait : longest;
    }
    return longest;
}
