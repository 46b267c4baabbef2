/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/within.h"

#include <assert.h>
#include <math.h>

#include "analysis/arrive/levels.h"
#include "analysis/arrive/roster.h"
#include "analysis/tuning.h"
#include "numeric/normal.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* Nodes whose cells are fetched before they are read. */
#define NODES_AHEAD 8u

static void ask_for(const dxt_fit *fit, const dxt_roster *roster, uint32_t node)
{
    const dxt_window *window = fit->window;
    if (node >= fit->nodes) return;
    uint32_t first = roster->list[roster->begin[node]];
    for (uint32_t m = roster->begin[node]; m < roster->begin[node + 1]; m++)
        __builtin_prefetch(window->wait + (size_t)fit->rank[roster->list[m]] * window->ranks +
                           fit->rank[first]);
}

static bool are_small(const dxt_fit *fit, const dxt_roster *roster)
{
    for (uint32_t node = 0; node < fit->nodes; node++)
        if (roster->begin[node + 1] - roster->begin[node] > DXT_WITHIN_MEMBERS) return false;
    return true;
}

/* Those that were kept when the window was first read. */
static bool take_early(dxt_fit *fit)
{
    const dxt_early_data *early = &fit->early;
    if (!early->within || early->nodes != fit->nodes || early->ranks != fit->count) return false;
    fit->within = early->within;
    uint32_t size = fit->count / fit->nodes;
    for (uint32_t k = 0, place = 0; k < fit->count; k++) {
        fit->place[k] = place++;
        place = place < size ? place : 0;
    }
    return true;
}

void dxt_take_within(dxt_fit *fit)
{
    dxt_roster roster;
    double *within = fit->within;
    if (take_early(fit)) return;
    fit->within = NULL;
    if (dxt_within_cells(fit->count, fit->nodes) == 0) return;
    dxt_list_members(fit, &roster);
    if (!are_small(fit, &roster)) return;
    for (uint32_t node = 0; node < NODES_AHEAD; node++) ask_for(fit, &roster, node);
    for (uint32_t node = 0; node < fit->nodes; node++) {
        const uint32_t *list = roster.list + roster.begin[node];
        uint32_t size = roster.begin[node + 1] - roster.begin[node];
        ask_for(fit, &roster, node + NODES_AHEAD);
        for (uint32_t a = 0; a < size; a++) {
            double *row = within + (size_t)list[a] * DXT_WITHIN_MEMBERS;
            fit->place[list[a]] = a;
            for (uint32_t b = 0; b < size; b++) row[b] = dxt_fit_wait(fit, list[a], list[b]);
        }
    }
    fit->within = within;
}

double dxt_spread_within(const dxt_fit *fit, const dxt_roster *roster)
{
    double *off = fit->scratch->cells.work;
    uint32_t used = 0;
    assert(DXT_SPREAD_CELLS <= DXT_LEVEL_SAMPLE);
    for (uint32_t t = 0; t < DXT_SPREAD_CELLS; t++) {
        uint32_t k = (uint32_t)dxt_spread_index(t % fit->count, DXT_SPREAD_CELLS, fit->count);
        uint32_t begin = roster->begin[fit->node[k]], own = roster->begin[fit->node[k] + 1] - begin;
        uint32_t other = roster->list[begin + (t + t / fit->count) % own];
        if (other == k || !dxt_fit_is_ordinary(fit, k) || !dxt_fit_is_ordinary(fit, other))
            continue;
        off[used++] = fabs(dxt_wait_within(fit, k, other) - fit->base);
    }
    return fit->base > 0 ? DXT_MAD_TO_DEVIATION * dxt_median(off, used) / fit->base : 0;
}
