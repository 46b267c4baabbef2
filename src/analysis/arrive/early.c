/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/early.h"

#include <assert.h>

#include "analysis/arrive/levels.h"
#include "analysis/arrive/take.h"
#include "analysis/arrive/together.h"
#include "numeric/spread.h"

/* Ranks of each node if all have as many and stand in order, each node behind those with a smaller
 * number; otherwise 0. */
static uint32_t even_size(const dxt_window *window)
{
    const int32_t *nodes = window->nodes;
    uint32_t size = 1;
    while (size < window->ranks && nodes[size] == nodes[0]) size++;
    for (uint32_t r = size; r < window->ranks; r++) {
        bool first = r % size == 0;
        if (first ? nodes[r] <= nodes[r - 1] : nodes[r] != nodes[r - 1]) return 0;
    }
    return size;
}

static bool has_all_rows(const dxt_window *window)
{
    for (uint32_t r = 0; window->missing && r < window->ranks; r++)
        if (window->missing[r]) return false;
    return true;
}

uint32_t dxt_early_nodes(const dxt_window *window, uint32_t ranks_per_node)
{
    uint32_t size = window->nodes ? even_size(window) : ranks_per_node;
    if (size < 2 || window->ranks % size != 0 || window->samples) return 0;
    uint32_t nodes = window->ranks / size;
    if (nodes < DXT_LANES || dxt_level_cells(nodes) > DXT_COUNTER_ROWS) return 0;
    return has_all_rows(window) ? nodes : 0;
}

void dxt_early_begin(const dxt_window *window, uint32_t nodes, double *level, int64_t *counter,
                     dxt_early_pass *pass)
{
    *pass = (dxt_early_pass){.window = window, .nodes = nodes, .level = level, .counter = counter};
    if (nodes == 0) return;
    uint32_t others = window->ranks - window->ranks / nodes;
    dxt_early_levels *found = &pass->found;
    *found = (dxt_early_levels){
        .nodes = nodes, .level = level, .ranks = window->ranks, .counter = counter};
    found->partners = dxt_partners_of(window->ranks, others);
    for (uint32_t p = 0; p < found->partners; p++)
        found->at[p] = (uint32_t)dxt_spread_index(p, found->partners, others);
    uint32_t size = pass->size = window->ranks / nodes;
    size_t cells = (size_t)size * size, most = dxt_level_cells(nodes);
    pass->taken = (uint32_t)(cells < most ? cells : most);
    assert(pass->taken <= DXT_COUNTER_ROWS);
    for (uint32_t k = 0; k < pass->taken; k++) {
        size_t cell = dxt_spread_index(k, pass->taken, cells);
        pass->row[k] = (uint32_t)(cell / size);
        pass->column[k] = (uint32_t)(cell % size);
    }
}

static void take_partners(dxt_early_pass *pass, uint32_t a)
{
    const dxt_window *window = pass->window;
    size_t n = window->ranks, first = (size_t)a * pass->size;
    for (uint32_t p = 0; p < pass->found.partners; p++) {
        const int64_t *from = window->wait + first * n + dxt_early_partner(&pass->found, p, a);
        int64_t *to = pass->counter + p * n + first;
        for (uint32_t k = 0; k < pass->size; k++) to[k] = from[k * n];
    }
}

static void take_node(dxt_early_pass *pass, uint32_t a)
{
    const dxt_window *window = pass->window;
    const int64_t *counter[DXT_COUNTER_ROWS];
    double factor[DXT_COUNTER_ROWS], *level = pass->level + (size_t)a * pass->nodes;
    for (uint32_t k = 0; k < pass->taken; k++) {
        uint32_t rank = a * pass->size + pass->row[k];
        counter[k] = window->wait + (size_t)rank * window->ranks + pass->column[k];
        factor[k] = dxt_factor_of(window, rank);
    }
    pass->bits |= dxt_medians_of_counters(counter, NULL, 0, pass->size, factor, pass->taken,
                                          pass->nodes / DXT_LANES, level);
    if (pass->nodes % DXT_LANES == 0) return;
    /* The last nodes together with some that are done. */
    uint32_t b = pass->nodes - DXT_LANES;
    pass->bits |= dxt_medians_of_counters(counter, NULL, (size_t)b * pass->size, pass->size, factor,
                                          pass->taken, 1, level + b);
}

void dxt_early_take(dxt_early_pass *pass, uint32_t rows)
{
    while (pass->done < pass->nodes && (pass->done + 1) * pass->size <= rows) {
        take_partners(pass, pass->done);
        take_node(pass, pass->done++);
    }
}

dxt_early_levels dxt_early_end(const dxt_early_pass *pass)
{
    bool tells = dxt_counters_tell(pass->window, pass->bits);
    assert(pass->done == pass->nodes);
    if (pass->nodes == 0 || !tells) return (dxt_early_levels){.nodes = 0};
    return pass->found;
}
