/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/early.h"

#include <assert.h>

#include "analysis/arrive/levels.h"
#include "analysis/arrive/take.h"
#include "analysis/arrive/together.h"
#include "analysis/arrive/within.h"
#include "numeric/screen.h"
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

void dxt_early_begin(const dxt_window *window, uint32_t nodes, const dxt_early_room *room,
                     dxt_early_pass *pass)
{
    *pass = (dxt_early_pass){.window = window,
                             .nodes = nodes,
                             .level = room->level,
                             .counter = room->counter,
                             .within = room->within,
                             .sample = room->sample};
    if (nodes == 0) return;
    uint32_t others = window->ranks - window->ranks / nodes;
    dxt_early_data *found = &pass->found;
    *found = (dxt_early_data){
        .nodes = nodes, .level = room->level, .ranks = window->ranks, .counter = room->counter};
    found->partners = dxt_partners_of(window->ranks, others);
    for (uint32_t p = 0; p < found->partners; p++)
        found->at[p] = (uint32_t)dxt_spread_index(p, found->partners, others);
    uint32_t size = pass->size = window->ranks / nodes;
    size_t cells = (size_t)size * size, most = dxt_level_cells(nodes);
    pass->taken = (uint32_t)(cells < most ? cells : most);
    assert(pass->taken <= DXT_COUNTER_ROWS);
    if (size <= DXT_WITHIN_MEMBERS) found->within = room->within;
    pass->spread = dxt_cells_begin(window->ranks * (window->ranks - 1));
    pass->next = (uint32_t)dxt_spread_next(&pass->spread);
    pass->sample->count = 0;
    found->sample = pass->sample;
    found->least = room->least;
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

/* Find the cells in the rows of node a that tell its levels. */
static void turn_to(dxt_early_pass *pass, uint32_t a)
{
    const dxt_window *window = pass->window;
    if (pass->turned && pass->node == a) return;
    pass->turned = true;
    pass->node = a;
    for (uint32_t k = 0; k < pass->taken; k++) {
        uint32_t rank = a * pass->size + pass->row[k];
        pass->first[k] = window->wait + (size_t)rank * window->ranks + pass->column[k];
        pass->factor[k] = dxt_factor_of(window, rank);
    }
}

/* Find the levels of node a for nodes from `begin` to before `end`, which are blocks of DXT_LANES,
 * but for the last of all. */
static void take_node(dxt_early_pass *pass, uint32_t a, uint32_t begin, uint32_t end)
{
    double *level = pass->level + (size_t)a * pass->nodes;
    uint32_t blocks = (end - begin) / DXT_LANES, rest = end - DXT_LANES;
    size_t offset = (size_t)begin * pass->size;
    turn_to(pass, a);
    pass->bits |= dxt_medians_of_counters(pass->first, NULL, offset, pass->size, pass->factor,
                                          pass->taken, blocks, level + begin);
    if (begin + blocks * DXT_LANES == end) return;
    /* The last nodes together with some that are done. */
    offset = (size_t)rest * pass->size;
    pass->bits |= dxt_medians_of_counters(pass->first, NULL, offset, pass->size, pass->factor,
                                          pass->taken, 1, level + rest);
}

static void take_within(dxt_early_pass *pass, uint32_t a)
{
    const dxt_window *window = pass->window;
    uint32_t size = pass->size, first = a * size;
    for (uint32_t i = first; i < first + size; i++) {
        const int64_t *from = window->wait + (size_t)i * window->ranks + first;
        double *to = pass->within + (size_t)i * DXT_WITHIN_MEMBERS,
               factor = dxt_factor_of(window, i);
        for (uint32_t b = 0; b < size; b++)
            to[b] = (double)dxt_without_timeout(window, from[b]) * factor;
    }
}

/* Take what later steps want of rows that were just read: it is scattered over the matrix. */
static void keep_cells(dxt_early_pass *pass, uint32_t rows)
{
    const dxt_window *window = pass->window;
    uint32_t others = window->ranks - 1;
    for (uint32_t a = pass->done; a < rows / pass->size; a++) {
        const double *level = pass->level + (size_t)a * pass->nodes;
        pass->found.least[a] = dxt_screen_least(level, a, pass->nodes);
        take_partners(pass, a);
        if (pass->found.within) take_within(pass, a);
    }
    dxt_early_sample *sample = pass->sample;
    uint32_t i = pass->done * pass->size, begin = i * others;
    while (sample->count < pass->spread.taken && pass->next < rows * others) {
        for (; pass->next - begin >= others; begin += others) i++;
        uint32_t j = pass->next - begin, column = j + (j >= i);
        sample->row[sample->count] = (uint16_t)i;
        sample->column[sample->count] = (uint16_t)column;
        sample->counter[sample->count++] = window->wait[(size_t)i * window->ranks + column];
        pass->next = (uint32_t)dxt_spread_next(&pass->spread);
    }
}

void dxt_early_take(dxt_early_pass *pass, uint32_t rows, uint32_t columns)
{
    if (pass->nodes == 0) return;
    uint32_t end = rows / pass->size, to = columns / pass->size;
    to = to < pass->nodes ? to / DXT_LANES * DXT_LANES : to;
    if (pass->done == end || pass->reached == to) return;
    for (uint32_t a = pass->done; a < end; a++) take_node(pass, a, pass->reached, to);
    pass->reached = to;
    if (to < pass->nodes) return;
    keep_cells(pass, rows);
    pass->reached = 0;
    pass->done = end;
}

dxt_early_data dxt_early_end(const dxt_early_pass *pass)
{
    bool tells = dxt_counters_tell(pass->window, pass->bits);
    assert(pass->done == pass->nodes);
    if (pass->nodes == 0 || !tells) return (dxt_early_data){.nodes = 0};
    return pass->found;
}
