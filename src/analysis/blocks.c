/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/blocks.h"

#include <math.h>

#include "analysis/raw.h"
#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* Take pair t of `taken` pairs that are spread over the matrix.
 * @return Whether it is a pair: two different ranks, and both sent their row. */
static bool sample_pair(const dxt_window *window, uint32_t t, uint32_t taken, uint32_t *i,
                        uint32_t *j)
{
    uint32_t n = window->ranks, cells = n * n;
    uint32_t cell = (uint32_t)dxt_spread_index(t, taken, cells);
    *i = cell / n;
    *j = cell % n;
    return *i != *j && dxt_is_there(window, *i) && dxt_is_there(window, *j);
}

static uint32_t sample_size(const dxt_window *window)
{
    uint32_t cells = window->ranks * window->ranks;
    return cells < DXT_BLOCK_PAIRS ? cells : DXT_BLOCK_PAIRS;
}

static bool was_observed(const dxt_window *window, uint32_t i, uint32_t j)
{
    int64_t there = window->wait[(size_t)i * window->ranks + j];
    int64_t back = window->wait[(size_t)j * window->ranks + i];
    return there != DXT_NOT_OBSERVED && (there > 0 || back > 0);
}

/* Whether nearly all pairs that blocks of that size allow are observed, and no others. */
static bool is_sparse(const dxt_window *window, uint32_t size)
{
    uint32_t taken = sample_size(window), within = 0, seen = 0, beyond = 0;
    for (uint32_t t = 0; t < taken; t++) {
        uint32_t i, j;
        if (!sample_pair(window, t, taken, &i, &j)) continue;
        bool observed = was_observed(window, i, j);
        if (dxt_in_sparse_block(i, j, size)) {
            within++;
            seen += observed;
        } else {
            if (observed) return false;
            beyond++;
        }
    }
    return beyond > 0 && within > 0 && seen >= DXT_BLOCK_SEEN * within;
}

uint32_t dxt_sparse_block(const dxt_window *window)
{
    for (uint32_t size = window->ranks / 2; size >= 2; size--)
        if (window->ranks % size == 0 && is_sparse(window, size)) return size;
    return 0;
}

/* Whether all counters have the same measure, so that they can be compared as they are. */
static bool is_plain(const dxt_window *window)
{
    return !window->samples && !window->ticks_per_second && !window->rank_ops;
}

/* The sum of the two waits of a pair, in a measure that is the same for all pairs. */
static double both(const dxt_window *window, uint32_t i, uint32_t j)
{
    size_t n = window->ranks;
    if (is_plain(window)) return (double)window->wait[i * n + j] + (double)window->wait[j * n + i];
    return dxt_window_value(window, i, j) + dxt_window_value(window, j, i);
}

/* A sample of pairs, used for every block size. */
struct pairs {
    uint32_t count;
    uint32_t number[DXT_BLOCK_PAIRS], i[DXT_BLOCK_PAIRS], j[DXT_BLOCK_PAIRS];
    double both[DXT_BLOCK_PAIRS];
};

/* The cells are scattered over a large matrix: fetch them before they are needed. */
static void ask_for_both(const dxt_window *window, uint32_t i, uint32_t j)
{
    __builtin_prefetch(window->wait + (size_t)i * window->ranks + j);
    __builtin_prefetch(window->wait + (size_t)j * window->ranks + i);
}

static void take_pairs(const dxt_window *window, struct pairs *pairs)
{
    uint32_t taken = sample_size(window), i, j;
    pairs->count = 0;
    for (uint32_t t = 0; t < taken; t++) {
        if (!sample_pair(window, t, taken, &i, &j)) continue;
        uint32_t k = pairs->count++;
        pairs->number[k] = t;
        pairs->i[k] = i;
        pairs->j[k] = j;
        ask_for_both(window, i, j);
    }
    for (uint32_t k = 0; k < pairs->count; k++)
        pairs->both[k] = both(window, pairs->i[k], pairs->j[k]);
}

static uint32_t part_inside(uint32_t count)
{
    return (uint32_t)(DXT_BLOCK_INSIDE * count);
}

/* Another rank in the block of the first rank of pair k; that rank itself if there is none. */
static uint32_t mate_of(const dxt_window *window, const struct pairs *pairs, uint32_t k,
                        uint32_t size)
{
    uint32_t i = pairs->i[k], block = i / size * size;
    uint32_t other = block + (i - block + 1 + pairs->number[k] % (size - 1)) % size;
    return other < window->ranks && dxt_is_there(window, other) ? other : i;
}

/* Whether most pairs inside blocks wait much less than `outside`. Where blocks are many, few pairs
 * of the sample are inside one, so this takes pairs of its own. It stops as soon as too many of
 * them wait too long. */
static bool is_less_inside(const dxt_window *window, const struct pairs *pairs, uint32_t size,
                           double outside)
{
    double within[DXT_BLOCK_PAIRS];
    uint32_t in = 0, above = 0, most = pairs->count - part_inside(pairs->count);
    uint32_t mate[DXT_BLOCK_PAIRS];
    for (uint32_t k = 0; k < pairs->count; k++) {
        mate[k] = mate_of(window, pairs, k, size);
        if (k <= most) ask_for_both(window, pairs->i[k], mate[k]);
    }
    for (uint32_t k = 0; k < pairs->count; k++) {
        uint32_t i = pairs->i[k], other = mate[k];
        if (other == i) continue;
        within[in] = both(window, i, other);
        above += !(outside > DXT_BLOCK_APART * within[in++]);
        if (above >= most) return false;
    }
    if (in == 0) return false;
    double inside = dxt_select(within, in, part_inside(in));
    return outside > DXT_BLOCK_APART * inside && inside > 0;
}

static bool is_apart(const dxt_window *window, const struct pairs *pairs, uint32_t size)
{
    double beyond[DXT_BLOCK_PAIRS];
    uint32_t out = 0;
    for (uint32_t k = 0; k < pairs->count; k++)
        if (pairs->i[k] / size != pairs->j[k] / size) beyond[out++] = pairs->both[k];
    if (out == 0) return false;
    double outside = dxt_select(beyond, out, (uint32_t)(DXT_BLOCK_OUTSIDE * out));
    return is_less_inside(window, pairs, size, outside);
}

/* Whether blocks of some size may be apart; needs a sample of all pairs. At least half of all pairs
 * lie between blocks, and most of these must wait longer than the shortest pair by
 * DXT_BLOCK_APART. */
static bool may_be_apart(const struct pairs *pairs, uint32_t ranks)
{
    double least = INFINITY, longer = 0, half = (double)ranks * ranks / 2;
    if (pairs->count < ranks * (ranks - 1)) return true;
    for (uint32_t k = 0; k < pairs->count; k++)
        least = pairs->both[k] < least ? pairs->both[k] : least;
    for (uint32_t k = 0; k < pairs->count; k++) longer += pairs->both[k] > DXT_BLOCK_APART * least;
    return longer >= (1 - DXT_BLOCK_OUTSIDE) * half;
}

uint32_t dxt_likely_block(const dxt_window *window)
{
    struct pairs pairs;
    uint32_t there = 0;
    for (uint32_t r = 0; r < window->ranks; r++) there += dxt_is_there(window, r);
    if (there < DXT_BLOCK_RANKS) return 0;
    take_pairs(window, &pairs);
    if (!may_be_apart(&pairs, window->ranks)) return 0;
    for (uint32_t size = window->ranks / 2; size >= 2; size--)
        if (window->ranks % size == 0 && is_apart(window, &pairs, size)) return size;
    return 0;
}
