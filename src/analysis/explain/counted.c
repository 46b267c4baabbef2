/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/counted.h"

#include "analysis/arrive/model.h"
#include "analysis/raw.h"
#include "analysis/tuning.h"
#include "numeric/spread.h"

/* Whether a cell has a wait or at least a sample. */
static bool counts(const dxt_window *window, uint32_t row, uint32_t column)
{
    size_t cell = (size_t)row * window->ranks + column;
    return window->wait[cell] > 0 || (window->samples && window->samples[cell] > 0);
}

/* Whether the cells between the other ranks count; of many cells a sample is read. */
static bool others_count(const dxt_window *window, uint32_t rank)
{
    uint32_t n = window->ranks, looked = 0, counted = 0;
    size_t cells = (size_t)n * n, taken = cells < DXT_COUNTED_CELLS ? cells : DXT_COUNTED_CELLS;
    for (size_t t = 0; t < taken; t++) {
        size_t cell = dxt_spread_index(t, taken, cells);
        uint32_t i = (uint32_t)(cell / n), j = (uint32_t)(cell % n);
        if (i == j || i == rank || j == rank || !dxt_is_there(window, i) ||
            !dxt_is_there(window, j))
            continue;
        looked++;
        counted += counts(window, i, j);
    }
    return looked > 0 && counted >= DXT_COUNTED_PART * looked;
}

bool dxt_takes_no_part(const dxt_window *window, uint32_t rank)
{
    uint32_t n = window->ranks;
    if (!dxt_is_there(window, rank)) return false;
    /* The column first: it is in the cache while ranks are judged one after the other. */
    for (uint32_t i = 0; i < n; i++)
        if (i != rank && dxt_is_there(window, i) && counts(window, i, rank)) return false;
    for (uint32_t j = 0; j < n; j++)
        if (j != rank && counts(window, rank, j)) return false;
    return others_count(window, rank);
}

bool dxt_is_behind(const dxt_window *window, uint32_t rank)
{
    const int64_t *issued = window->issued;
    if (!issued || issued[rank] < 0) return false;
    for (uint32_t r = 0; r < window->ranks; r++)
        if (issued[r] > issued[rank]) return true;
    return false;
}

bool dxt_timed_out(const dxt_window *window, uint32_t rank)
{
    uint32_t others = 0, gave_up = 0;
    if (window->unit != DXT_UNIT_CYCLES) return false; /* a time-out is a number of cycles */
    for (uint32_t i = 0; i < window->ranks; i++) {
        if (i == rank || !dxt_is_there(window, i)) continue;
        int64_t wait = window->wait[(size_t)i * window->ranks + rank];
        others++;
        gave_up += dxt_without_timeout(window, wait) != wait;
        if (others == DXT_TIMEOUT_LOOKS && gave_up == 0) return false;
    }
    return gave_up > 0 && 2 * gave_up >= others && (gave_up > 1 || others == 1);
}

bool dxt_nothing_completed(const dxt_window *window)
{
    uint32_t n = window->ranks;
    size_t cells = 0, empty = 0;
    if (!window->samples || window->ops > 0) return false;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            if (i == j || !dxt_is_there(window, i) || !dxt_is_there(window, j)) continue;
            cells++;
            empty += window->samples[(size_t)i * n + j] == 0;
        }
    return (double)empty > DXT_EMPTY_PART * (double)cells;
}

double dxt_typical_samples(const dxt_window *window)
{
    uint32_t n = window->ranks;
    if (window->ops > 0) return (double)window->ops;
    if (!window->samples) return (double)window->samples_each;
    int64_t most = 0;
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t i = 0; i < n && i < DXT_TIMEOUT_LOOKS; i++)
            if (window->samples[(size_t)i * n + j] > most)
                most = window->samples[(size_t)i * n + j];
    return (double)most;
}
