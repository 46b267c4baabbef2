/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/glance.h"

#include "matrix/fields.h"
#include "numeric/screen.h"

/* From this many ranks on the matrix has left the cache when it is read again. */
#define MANY_RANKS 256u
/* Below this, the sum of a row's counters is exact in a double. */
#define MOST_EXACT ((UINT64_C(1) << 53) / DXT_MAX_RANKS)

/* Rows that are read together; the last few may be fewer. */
static size_t peak_rows(uint32_t ranks)
{
    return ranks / DXT_SCREEN_ROWS;
}

size_t dxt_glance_size(uint32_t ranks)
{
    size_t n = ranks;
    if (ranks < MANY_RANKS) return 0;
    return (peak_rows(ranks) * n + n) * sizeof(int64_t);
}

/* @return All counters combined by OR. */
static uint64_t look_at_all(const dxt_window *window, int64_t *peak, uint64_t *sum)
{
    size_t n = window->ranks, row = 0;
    uint64_t bits = 0;
    for (; row + DXT_SCREEN_ROWS <= n; row += DXT_SCREEN_ROWS, peak += n)
        bits |= dxt_screen_look(window->wait + row * n, n, window->ranks, peak, sum + row);
    for (; row < n; row++) {
        sum[row] = 0;
        for (size_t j = 0; j < n; j++) {
            bits |= (uint64_t)window->wait[row * n + j];
            sum[row] += (uint64_t)window->wait[row * n + j];
        }
    }
    return bits;
}

dxt_status dxt_glance_over(const dxt_window *window, dxt_block *block, dxt_glance *glance,
                           bool *observed)
{
    *glance = (dxt_glance){.peak = NULL, .sum = NULL};
    /* Of two faults report the one in the waits, as dxt_window_check() does. */
    if (dxt_window_look_around(window) != DXT_OK || dxt_glance_size(window->ranks) == 0)
        return dxt_window_look(window, observed);
    size_t n = window->ranks;
    int64_t *peak = dxt_block_fit(block, dxt_glance_size(window->ranks));
    if (!peak) return DXT_ERR_NO_MEMORY;
    uint64_t *sum = (uint64_t *)(void *)(peak + peak_rows(window->ranks) * n);
    uint64_t bits = look_at_all(window, peak, sum);
    if (bits > INT64_MAX) return dxt_window_look(window, observed);
    *observed = true;
    *glance = (dxt_glance){.peak = peak, .sum = bits < MOST_EXACT ? sum : NULL};
    return DXT_OK;
}

double dxt_glance_mean(const dxt_glance *glance, const dxt_window *window, uint32_t rank)
{
    size_t n = window->ranks;
    double sum = glance->sum ? (double)glance->sum[rank]
                             : dxt_screen_sum(window->wait + rank * n, window->ranks);
    return sum / (double)n;
}
