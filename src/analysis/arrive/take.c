/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/take.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "analysis/arrive/within.h"
#include "analysis/raw.h"
#include "base/base.h"

#define NS_PER_SECOND 1e9

/* ---- memory ---- */

/* Make room for n members of `ranks` ranks. */
static size_t lay_out(dxt_fit *fit, size_t n, size_t ranks, size_t nodes, char *block)
{
    size_t used = 0;
    fit->scratch = dxt_cut(block, &used, 1, sizeof *fit->scratch);
    fit->values = dxt_cut(block, &used, ranks, sizeof(double));
    fit->least = dxt_cut(block, &used, ranks, sizeof(double));
    fit->bar = dxt_cut(block, &used, ranks, sizeof(double));
    fit->seen = dxt_cut(block, &used, ranks, sizeof(double));
    fit->carried = dxt_cut(block, &used, n, sizeof(double));
    fit->carried_node = dxt_cut(block, &used, nodes, sizeof(double));
    fit->within = dxt_cut(block, &used, dxt_within_cells(n, nodes), sizeof(double));
    fit->place = dxt_cut(block, &used, n, sizeof(uint32_t));
    fit->factor = dxt_cut(block, &used, n, sizeof(double));
    fit->late = dxt_cut(block, &used, n, sizeof(double));
    fit->receive = dxt_cut(block, &used, n, sizeof(double));
    fit->send = dxt_cut(block, &used, n, sizeof(double));
    fit->nic_in = dxt_cut(block, &used, n, sizeof(double));
    fit->nic_out = dxt_cut(block, &used, n, sizeof(double));
    fit->limit = dxt_cut(block, &used, n, sizeof(double));
    fit->error = dxt_cut(block, &used, n, sizeof(double));
    fit->passing = dxt_cut(block, &used, n, sizeof(bool));
    fit->rank = dxt_cut(block, &used, n, sizeof(uint32_t));
    fit->role = dxt_cut(block, &used, n, sizeof(dxt_role));
    fit->node = dxt_cut(block, &used, n, sizeof(uint32_t));
    fit->node_id = dxt_cut(block, &used, nodes, sizeof(int32_t));
    fit->node_late = dxt_cut(block, &used, nodes, sizeof(double));
    fit->node_limit = dxt_cut(block, &used, nodes, sizeof(double));
    fit->node_in = dxt_cut(block, &used, nodes, sizeof(double));
    fit->node_out = dxt_cut(block, &used, nodes, sizeof(double));
    fit->node_role = dxt_cut(block, &used, nodes, sizeof(dxt_role));
    fit->folded = dxt_cut(block, &used, nodes, sizeof(bool));
    fit->settled = dxt_cut(block, &used, nodes, sizeof(bool));
    fit->tier = dxt_cut(block, &used, nodes * nodes, sizeof(double));
    fit->link = dxt_cut(block, &used, nodes * nodes, sizeof(double));
    fit->level = dxt_cut(block, &used, nodes * nodes, sizeof(double));
    fit->nothing = dxt_cut(block, &used, nodes, sizeof(double));
    fit->least_level = dxt_cut(block, &used, nodes, sizeof(double));
    return used;
}

dxt_status dxt_fit_reserve(dxt_block *block, uint32_t ranks)
{
    dxt_fit fit;
    /* Nodes with fewer than two ranks on average are ignored. */
    size_t size = lay_out(&fit, ranks, ranks, ranks / 2, NULL);
    return dxt_block_fit(block, size) ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* ---- what the window says itself ---- */

/* Number the nodes of the ranks with a row, in order of appearance. Neighbours mostly share a node,
 * and mostly a new node has a larger id than all before.
 * @param number  [ranks] Receives the number of each rank's node.
 * @param id      Receives which node each number is.
 * @return How many nodes there are. */
static uint32_t number_all(const dxt_window *window, const int32_t *nodes, uint32_t *number,
                           int32_t *id)
{
    uint32_t known = 0, node = 0;
    int32_t most = 0;
    for (uint32_t r = 0; r < window->ranks; r++) {
        if (!dxt_is_there(window, r)) continue;
        if (known == 0 || id[node] != nodes[r]) {
            bool larger = known == 0 || nodes[r] > most;
            node = larger ? known : 0;
            while (node < known && id[node] != nodes[r]) node++;
            if (node == known) id[known++] = nodes[r];
            most = larger ? nodes[r] : most;
        }
        number[r] = node;
    }
    return known;
}

/* The nodes of a window, if they are of use: several, but clearly fewer than ranks. */
struct numbering {
    uint32_t nodes; /* otherwise 1 */
    uint32_t number[DXT_MAX_RANKS];
    int32_t id[DXT_MAX_RANKS];
};

static void number_nodes(const dxt_window *window, const int32_t *nodes, uint32_t ranks,
                         struct numbering *numbering)
{
    uint32_t different = nodes ? number_all(window, nodes, numbering->number, numbering->id) : 1;
    numbering->nodes = different >= 2 && ranks >= 2 * different ? different : 1;
    if (numbering->nodes > 1) return;
    memset(numbering->number, 0, window->ranks * sizeof *numbering->number);
    numbering->id[0] = -1;
}

static bool all_alike(const dxt_window *window, const int32_t *nodes)
{
    for (uint32_t r = 1; r < window->ranks; r++)
        if (nodes[r] != nodes[0]) return false;
    return true;
}

double dxt_factor_of(const dxt_window *window, uint32_t rank)
{
    bool ticks = window->unit == DXT_UNIT_CYCLES && window->ticks_per_second;
    double waits = 1;
    if (!window->samples && window->samples_each > 0)
        waits = (double)window->samples_each;
    else if (!window->samples && window->ops > 0)
        waits = (double)dxt_window_ops(window, rank);
    double factor = ticks ? NS_PER_SECOND / window->ticks_per_second[rank] : 1;
    return waits > 0 ? factor / waits : 0;
}

/* Time of one step in the window's measure; NaN when it is not known. The time is that of rank 0.
 */
static double step_of(const dxt_window *window)
{
    if (window->elapsed_ns <= 0) return NAN;
    int64_t own = dxt_window_ops(window, 0);
    double ops = (double)(own > 0 ? own : window->ops);
    switch (dxt_window_measure(window)) {
    case DXT_MEASURE_NS: return (double)window->elapsed_ns;
    case DXT_MEASURE_NS_PER_OP: return ops > 0 ? (double)window->elapsed_ns / ops : NAN;
    default: return NAN;
    }
}

/* Take the members: which ranks have a row, on which node, in which unit. */
static void take_members(const struct numbering *numbering, dxt_fit *fit)
{
    const dxt_window *window = fit->window;
    for (uint32_t r = 0, k = 0; r < window->ranks; r++) {
        if (!dxt_is_there(window, r)) continue;
        fit->node[k] = numbering->number[r];
        fit->rank[k++] = r;
    }
    memcpy(fit->node_id, numbering->id, fit->nodes * sizeof *fit->node_id);
    for (uint32_t k = 0; k < fit->count; k++) fit->factor[k] = dxt_factor_of(window, fit->rank[k]);
}

/* The operations that were measured, which may be fewer than took place. */
static double operations_of(const dxt_window *window)
{
    int64_t most = window->samples ? 0 : window->samples_each;
    uint32_t n = window->ranks;
    for (uint32_t i = 0; window->samples && i < n && i < DXT_TIMEOUT_LOOKS; i++)
        for (uint32_t j = 0; j < n; j++)
            if (window->samples[(size_t)i * n + j] > most)
                most = window->samples[(size_t)i * n + j];
    return (double)(most > 0 && most < window->ops ? most : window->ops);
}

dxt_status dxt_fit_take(dxt_block *block, const dxt_window *window, const dxt_known *known,
                        dxt_fit *out)
{
    const int32_t *nodes = known->nodes;
    dxt_fit fit = {.window = window,
                   .known_spread = known->cell_spread,
                   .sparse = known->sparse,
                   .early = known->early};
    struct numbering numbering;
    for (uint32_t r = 0; r < window->ranks; r++) fit.count += dxt_is_there(window, r);
    number_nodes(window, nodes, fit.count, &numbering);
    fit.nodes = numbering.nodes;
    assert(fit.nodes == 1 || 2 * fit.nodes <= fit.count);
    fit.same_node = nodes && (numbering.nodes > 1 || all_alike(window, nodes));
    char *memory = dxt_block_fit(block, lay_out(&fit, fit.count, window->ranks, fit.nodes, NULL));
    if (!memory) return DXT_ERR_NO_MEMORY;
    lay_out(&fit, fit.count, window->ranks, fit.nodes, memory);
    take_members(&numbering, &fit);
    dxt_take_within(&fit);
    fit.step = step_of(window);
    fit.ops = operations_of(window);
    fit.floor = isnan(fit.step) ? DXT_RELATIVE_FLOOR * dxt_fit_longest_of_all(&fit)
                                : known->min_share * fit.step;
    fit.floor = fmax(fit.floor, known->least);
    *out = fit;
    return DXT_OK;
}
