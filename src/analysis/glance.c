/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/glance.h"

#include "analysis/arrive/early.h"
#include "analysis/arrive/within.h"
#include "matrix/fields.h"

/* From this many ranks on the matrix has left the cache when it is read again. */
#define MANY_RANKS 256u
/* Below this, the sum of a row's counters is exact in a double. */
#define MOST_EXACT ((UINT64_C(1) << 53) / DXT_MAX_RANKS)

/* Rows that are read together; the last few may be fewer. */
static size_t peak_rows(uint32_t ranks)
{
    return ranks / DXT_SCREEN_ROWS;
}

/* Cut the figures from a block; with a NULL block, only count the bytes. */
static size_t lay_out(uint32_t ranks, uint32_t nodes, char *block, float **peak, float **coarse,
                      uint64_t **sum, dxt_early_room *room)
{
    size_t used = 0;
    *peak = dxt_cut(block, &used, peak_rows(ranks) * ranks, sizeof **peak);
    *coarse = dxt_cut(block, &used, peak_rows(ranks) * dxt_glance_classes(ranks), sizeof **coarse);
    *sum = dxt_cut(block, &used, ranks, sizeof **sum);
    if (nodes == 0) return used;
    room->level = dxt_cut(block, &used, (size_t)nodes * nodes, sizeof *room->level);
    room->least = dxt_cut(block, &used, nodes, sizeof *room->least);
    room->counter = dxt_cut(block, &used, (size_t)DXT_PARTNERS * ranks, sizeof *room->counter);
    room->within = dxt_cut(block, &used, (size_t)DXT_WITHIN_MEMBERS * ranks, sizeof *room->within);
    room->sample = dxt_cut(block, &used, 1, sizeof *room->sample);
    return used;
}

size_t dxt_glance_size(uint32_t ranks)
{
    float *peak, *coarse;
    uint64_t *sum;
    dxt_early_room room;
    if (ranks < MANY_RANKS) return 0;
    return lay_out(ranks, ranks / 2, NULL, &peak, &coarse, &sum, &room);
}

/* Columns that are read before levels are taken from them: they are still in the nearest cache. */
#define COLUMNS 256u

/* Look at DXT_SCREEN_ROWS rows. @return All their counters combined by OR. */
static uint64_t look_at_rows(const dxt_window *window, uint32_t row, float *peak, uint64_t *sum,
                             dxt_early_pass *early)
{
    size_t n = window->ranks;
    const int64_t *wait = window->wait + row * n;
    uint64_t bits = 0;
    for (uint32_t k = 0; k < DXT_SCREEN_ROWS; k++) sum[k] = 0;
    for (uint32_t j = 0, end; j < n; j = end) {
        uint64_t part[DXT_SCREEN_ROWS];
        end = n - j < 2 * COLUMNS ? window->ranks : j + COLUMNS;
        bits |= dxt_screen_look(wait + j, n, end - j, peak + j, part);
        for (uint32_t k = 0; k < DXT_SCREEN_ROWS; k++) sum[k] += part[k];
        dxt_early_take(early, row + DXT_SCREEN_ROWS, end);
    }
    return bits;
}

/* @return All counters combined by OR. */
static uint64_t look_at_all(const dxt_window *window, float *peak, float *coarse, uint64_t *sum,
                            dxt_early_pass *early)
{
    size_t n = window->ranks, classes = dxt_glance_classes(window->ranks);
    uint32_t row = 0;
    uint64_t bits = 0;
    for (; row + DXT_SCREEN_ROWS <= n; row += DXT_SCREEN_ROWS, peak += n, coarse += classes) {
        bits |= look_at_rows(window, row, peak, sum + row, early);
        dxt_screen_most_of_classes(peak, window->ranks / DXT_CHUNK, coarse);
    }
    for (; row < n; row++) {
        sum[row] = 0;
        for (size_t j = 0; j < n; j++) {
            bits |= (uint64_t)window->wait[row * n + j];
            sum[row] += (uint64_t)window->wait[row * n + j];
        }
    }
    dxt_early_take(early, window->ranks, window->ranks);
    return bits;
}

dxt_status dxt_glance_over(const dxt_window *window, const dxt_looking *look, bool *observed)
{
    dxt_glance *glance = look->glance;
    *glance = (dxt_glance){.peak = NULL};
    /* Of two faults report the one in the waits, as dxt_window_check() does. */
    if (dxt_window_look_around(window) != DXT_OK || dxt_glance_size(window->ranks) == 0)
        return dxt_window_look(window, observed);
    float *peak, *coarse;
    uint64_t *sum;
    dxt_early_room room = {.level = NULL};
    dxt_early_pass early;
    uint32_t nodes = dxt_early_nodes(window, look->ranks_per_node);
    /* All that may be needed: who makes room for other nodes later must not move this. */
    char *memory = dxt_block_fit(look->block, dxt_glance_size(window->ranks));
    if (!memory) return DXT_ERR_NO_MEMORY;
    lay_out(window->ranks, nodes, memory, &peak, &coarse, &sum, &room);
    dxt_early_begin(window, nodes, &room, &early);
    uint64_t bits = look_at_all(window, peak, coarse, sum, &early);
    if (bits > INT64_MAX) return dxt_window_look(window, observed);
    *observed = true;
    *glance = (dxt_glance){.peak = peak, .coarse = coarse, .sum = bits < MOST_EXACT ? sum : NULL};
    glance->early = dxt_early_end(&early);
    return DXT_OK;
}

double dxt_glance_mean(const dxt_glance *glance, const dxt_window *window, uint32_t rank)
{
    size_t n = window->ranks;
    double sum = glance->sum ? (double)glance->sum[rank]
                             : dxt_screen_sum(window->wait + rank * n, window->ranks);
    return sum / (double)n;
}
