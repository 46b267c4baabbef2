/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/links.h"

#include <math.h>

#include "numeric/skew.h"

/* Mean shift between two nodes by their lateness and the topology. */
static double between_nodes(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    return fit->between + fit->tier[(size_t)a * fit->nodes + b] + fit->node_late[b] -
           fit->node_late[a] + fit->node_in[a] + fit->node_out[b];
}

void dxt_levels_to_shifts(dxt_fit *fit, double limit)
{
    for (uint32_t a = 0; a < fit->nodes; a++)
        for (uint32_t b = 0; b < fit->nodes; b++) {
            size_t pair = (size_t)a * fit->nodes + b;
            double wait = fit->level[pair], shift = between_nodes(fit, a, b);
            double excess = wait - dxt_expected_wait(shift + fit->link[pair], fit->skew);
            /* Of two nodes either is late, or a way slow: both ways are as measured. */
            bool fits = fit->nodes == 2 || excess <= limit;
            bool told = wait > fit->skew / DXT_FAR_APART && fits;
            fit->level[pair] = told ? dxt_shift_of_wait(wait, fit->skew) : NAN;
        }
}

/* What node a waits for node b above what the fit expects, tiers included; 0 where it is ordinary.
 */
static double link_excess(const dxt_fit *fit, double level, double limit, uint32_t a, uint32_t b)
{
    double shift = between_nodes(fit, a, b);
    double way = fit->between + fit->tier[(size_t)a * fit->nodes + b];
    /* Skew only adds to what is expected: almost every way is done. */
    if (a == b || level <= fmax(0, shift) + fmax(limit, way)) return 0;
    double expected = dxt_expected_wait(shift, fit->skew);
    double usual = dxt_expected_wait(way, fit->skew);
    return level > expected + fmax(limit, usual) ? level - expected : 0;
}

static size_t count_slow_links(const dxt_fit *fit, double limit)
{
    size_t slow = 0;
    for (uint32_t a = 0; a < fit->nodes; a++)
        for (uint32_t b = 0; b < fit->nodes; b++)
            slow += link_excess(fit, fit->link[(size_t)a * fit->nodes + b], limit, a, b) > 0;
    return slow;
}

/* Where many ways are slow, and in both directions, it is how the machine is built. */
static void take_tiers(dxt_fit *fit, double limit)
{
    uint32_t n = fit->nodes;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = a + 1; b < n; b++) {
            size_t there = (size_t)a * n + b, back = (size_t)b * n + a;
            double both = fmin(link_excess(fit, fit->link[there], limit, a, b),
                               link_excess(fit, fit->link[back], limit, b, a));
            fit->tier[there] = fit->tier[back] = both;
        }
    }
}

void dxt_levels_to_links(dxt_fit *fit, double limit)
{
    uint32_t n = fit->nodes;
    size_t pairs = (size_t)n * (n - 1), most = 2 + (size_t)(DXT_MOST_LINKS_SHARE * (double)pairs);
    if (count_slow_links(fit, limit) > most) take_tiers(fit, limit);
    fit->tangled = count_slow_links(fit, limit) > most;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < n; b++) {
            double *cell = &fit->link[(size_t)a * n + b];
            *cell = fit->tangled ? 0 : link_excess(fit, *cell, limit, a, b);
        }
    }
}
