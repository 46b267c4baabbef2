/* SPDX-License-Identifier: Apache-2.0 */
#include "truth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sim_pairs_add(sim_pairs *pairs, uint32_t waiting, uint32_t awaited)
{
    size_t at = pairs->count;
    while (at > 0 && (pairs->items[at - 1][0] > waiting ||
                      (pairs->items[at - 1][0] == waiting && pairs->items[at - 1][1] > awaited)))
        at--;
    if (at > 0 && pairs->items[at - 1][0] == waiting && pairs->items[at - 1][1] == awaited)
        return true;
    if (pairs->count == SIM_MAX_FAULTS) return false;
    memmove(pairs->items[at + 1], pairs->items[at], (pairs->count - at) * sizeof pairs->items[0]);
    pairs->items[at][0] = waiting;
    pairs->items[at][1] = awaited;
    pairs->count++;
    return true;
}

/* Links are put where they belong when all are there. */
static void add(sim_truth *truth, const sim_fault *fault, int phase)
{
    if (fault->kind == SIM_HOT) {
        if (phase == DXT_DISPATCH) truth->rows[fault->rank] = 1;
        if (phase == DXT_COMBINE) truth->cols[fault->rank] = 1;
        return;
    }
    if (fault->phase != phase) return;
    switch (fault->kind) {
    case SIM_LATE: truth->cols[fault->rank] = 1; break;
    case SIM_EARLY: truth->rows[fault->rank] = 1; break;
    case SIM_NIC_IN: truth->links[fault->rank] |= SIM_IN; break;
    case SIM_NIC_OUT: truth->links[fault->rank] |= SIM_OUT; break;
    case SIM_NODE: truth->nodes[fault->rank] = 1; break;
    case SIM_PATH: sim_pairs_add(&truth->points, fault->rank, fault->source); break;
    case SIM_NODE_PATH: sim_pairs_add(&truth->node_points, fault->rank, fault->source); break;
    case SIM_STALLS: truth->stalls = fault->factor > 0; break;
    default: break; /* rotating lateness is skew */
    }
}

/* All links of a node are its uplink; with two nodes, the path between them. */
static void fold_uplink(sim_truth *truth, uint32_t node, uint32_t nodes, uint8_t direction)
{
    if (nodes > 2) truth->node_links[node] = direction;
    if (nodes > 2) return;
    if (direction & SIM_IN) sim_pairs_add(&truth->node_points, node, 1 - node);
    if (direction & SIM_OUT) sim_pairs_add(&truth->node_points, 1 - node, node);
}

/* With several nodes a slow link is that to other nodes. With one, what is slow in one direction
 * only looks like a late rank or a slow receiver. */
static void sort_links(const sim_config *config, sim_truth *truth)
{
    uint32_t n = config->ranks, size = config->ranks_per_node ? config->ranks_per_node : n;
    uint32_t nodes = (n + size - 1) / size;
    for (uint32_t node = 0; node < nodes; node++) {
        uint32_t end = (node + 1) * size < n ? (node + 1) * size : n, begin = node * size;
        uint8_t common = nodes > 1 && end - begin > 1 ? SIM_BOTH : 0;
        for (uint32_t i = begin; i < end; i++) common &= truth->links[i];
        if (common) fold_uplink(truth, node, nodes, common);
        for (uint32_t i = begin; i < end; i++) {
            truth->links[i] &= (uint8_t)~common;
            if (truth->links[i] & SIM_IN) truth->rows[i] = 1;
            if (truth->links[i] & SIM_OUT) truth->cols[i] = 1;
            if (nodes < 2 && truth->links[i] != SIM_BOTH) truth->links[i] = 0;
        }
    }
}

void sim_truth_of(const sim_config *config, int phase, uint64_t window, sim_truth *truth)
{
    memset(truth, 0, sizeof *truth);
    truth->skew_ns = NAN;
    if (window < config->from) return;
    for (size_t f = 0; f < config->fault_count && f < SIM_MAX_FAULTS; f++)
        add(truth, &config->faults[f], phase);
    sort_links(config, truth);
}

static bool any(const uint8_t *set)
{
    for (uint32_t i = 0; i < SIM_MAX_RANKS; i++)
        if (set[i]) return true;
    return false;
}

bool sim_truth_is_empty(const sim_truth *truth)
{
    return !any(truth->cols) && !any(truth->rows) && !any(truth->nodes) &&
           !any(truth->node_links) && !truth->stalls && truth->points.count == 0 &&
           truth->node_points.count == 0;
}

static void print_set(FILE *file, const char *name, const uint8_t *set)
{
    const char *comma = "";
    fprintf(file, "\"%s\":[", name);
    for (uint32_t i = 0; i < SIM_MAX_RANKS; i++)
        if (set[i]) {
            fprintf(file, "%s%u", comma, i);
            comma = ",";
        }
    fputc(']', file);
}

static void print_pairs(FILE *file, const char *name, const sim_pairs *pairs)
{
    fprintf(file, "\"%s\":[", name);
    for (size_t k = 0; k < pairs->count; k++)
        fprintf(file, "%s[%u,%u]", k ? "," : "", pairs->items[k][0], pairs->items[k][1]);
    fputc(']', file);
}

/* Links as [rank, direction]. */
static void print_links(FILE *file, const char *name, const uint8_t *links)
{
    static const char *const words[] = {[SIM_IN] = "in", [SIM_OUT] = "out", [SIM_BOTH] = "both"};
    const char *comma = "";
    if (!any(links)) return;
    fprintf(file, ",\"%s\":[", name);
    for (uint32_t i = 0; i < SIM_MAX_RANKS; i++)
        if (links[i]) {
            fprintf(file, "%s[%u,\"%s\"]", comma, i, words[links[i]]);
            comma = ",";
        }
    fputc(']', file);
}

dxt_status sim_label(const sim_truth *truth, dxt_window *window)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file) return DXT_ERR_NO_MEMORY;
    fputs("{\"label\":{", file);
    print_set(file, "cols", truth->cols);
    fputc(',', file);
    print_set(file, "rows", truth->rows);
    fputc(',', file);
    print_pairs(file, "points", &truth->points);
    if (window->nodes || any(truth->nodes)) {
        fputc(',', file);
        print_set(file, "nodes", truth->nodes);
    }
    if (window->nodes || truth->node_points.count) {
        fputc(',', file);
        print_pairs(file, "node_points", &truth->node_points);
    }
    print_links(file, "links", truth->links);
    print_links(file, "node_links", truth->node_links);
    if (truth->stalls) fputs(",\"stalls\":true", file);
    if (!isnan(truth->skew_ns)) fprintf(file, ",\"skew_ns\":%.0f", truth->skew_ns);
    fputs("}}", file);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed) {
        free(text);
        return DXT_ERR_NO_MEMORY;
    }
    free(window->extra);
    window->extra = text;
    return DXT_OK;
}
