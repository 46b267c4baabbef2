/* SPDX-License-Identifier: Apache-2.0 */
#include "truth.h"

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

static void add(sim_truth *truth, const sim_fault *fault, int phase)
{
    if (fault->kind == SIM_HOT) {
        if (phase == DXT_DISPATCH) truth->rows[fault->rank] = 1;
        if (phase == DXT_COMBINE) truth->cols[fault->rank] = 1;
        return;
    }
    if (fault->phase != phase) return;
    switch (fault->kind) {
    case SIM_LATE:
    case SIM_NIC_OUT: truth->cols[fault->rank] = 1; break;
    case SIM_EARLY:
    case SIM_NIC_IN: truth->rows[fault->rank] = 1; break;
    case SIM_NODE: truth->nodes[fault->rank] = 1; break;
    case SIM_PATH: sim_pairs_add(&truth->points, fault->rank, fault->source); break;
    default: sim_pairs_add(&truth->node_points, fault->rank, fault->source); break;
    }
}

void sim_truth_of(const sim_config *config, int phase, uint64_t window, sim_truth *truth)
{
    memset(truth, 0, sizeof *truth);
    if (window < config->from) return;
    for (size_t f = 0; f < config->fault_count && f < SIM_MAX_FAULTS; f++)
        add(truth, &config->faults[f], phase);
}

static bool any(const uint8_t *set)
{
    return memchr(set, 1, SIM_MAX_RANKS) != NULL;
}

bool sim_truth_is_empty(const sim_truth *truth)
{
    return !any(truth->cols) && !any(truth->rows) && !any(truth->nodes) &&
           truth->points.count == 0 && truth->node_points.count == 0;
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
