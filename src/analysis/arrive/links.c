/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/links.h"

#include <math.h>
#include <string.h>

#include "analysis/arrive/roster.h"
#include "analysis/arrive/slow_links.h"
#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/skew.h"
#include "numeric/vectors.h"

/* The mean shift that two nodes' lateness and the topology explain. */
static double between_nodes(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    return fit->between + dxt_fit_tiers(fit, a)[b] + fit->node_late[b] - fit->node_late[a] +
           fit->node_in[a] + fit->node_out[b];
}

/* Set the levels of a row that are too short to tell a shift to NaN.
 * @param untold  Receives how many.
 * @return How many of the others exceed the bare shift by more than the limit. Skew may still
 * explain these, since it only adds to the expected wait. */
DXT_VECTORS static int64_t drop_untold(const dxt_fit *fit, uint32_t a, double limit,
                                       int64_t *untold)
{
    const double *link = dxt_fit_links(fit, a), *late = fit->node_late;
    const double *tier = dxt_fit_tiers(fit, a), *out = fit->node_out;
    double *restrict level = fit->level + (size_t)a * fit->nodes;
    double between = fit->between, own = late[a], in = fit->node_in[a];
    double least = fit->skew / DXT_FAR_APART;
    int64_t above = 0, short_ones = 0;
    for (uint32_t b = 0; b < fit->nodes; b++) {
        double shift = between + tier[b] + late[b] - own + in + out[b] + link[b];
        double bare = shift > 0 ? shift : 0;
        above += (level[b] > least) & !(level[b] - bare <= limit);
        short_ones += (b != a) & !(level[b] > least);
        level[b] = level[b] > least ? level[b] : NAN;
    }
    *untold = short_ones;
    return above;
}

void dxt_drop_untold(dxt_fit *fit, double limit, const dxt_ways *ways)
{
    uint32_t n = fit->nodes;
    for (uint32_t a = 0; a < n; a++) {
        double *level = fit->level + (size_t)a * n;
        const double *link = dxt_fit_links(fit, a);
        int64_t untold = 0, above = 0;
        if (!ways->counted || ways->short_or_long[a]) above = drop_untold(fit, a, limit, &untold);
        fit->settled[a] = false;
        if (untold > 0) fit->least_level[a] = NAN;
        /* With two nodes, one is late or a path is slow: both paths are as measured. */
        if (above == 0 || n == 2) continue;
        fit->least_level[a] = NAN;
        for (uint32_t b = 0; b < n; b++) {
            double expected = dxt_expected_wait(between_nodes(fit, a, b) + link[b], fit->skew);
            if (!(level[b] - expected <= limit)) level[b] = NAN;
        }
    }
}

/* What node a waits for node b above what the fit expects, tiers included; 0 where it is ordinary.
 */
static double link_excess(const dxt_fit *fit, double level, double limit, uint32_t a, uint32_t b)
{
    double shift = between_nodes(fit, a, b);
    double path = fit->between + dxt_fit_tiers(fit, a)[b];
    /* Skew only adds to the expected wait: almost every path ends here. */
    if (a == b || level <= fmax(0, shift) + fmax(limit, path)) return 0;
    double expected = dxt_expected_wait(shift, fit->skew);
    double usual = dxt_expected_wait(path, fit->skew);
    return level > expected + fmax(limit, usual) ? level - expected : 0;
}

/* Find paths into node a that may be slow, many at once: mostly there is none.
 * @param other  Receives how many are not, but need a look in dxt_drop_untold(). */
DXT_VECTORS static int64_t count_open(const dxt_fit *fit, uint32_t a, double limit, int64_t *other)
{
    const double *level = fit->link + (size_t)a * fit->nodes, *late = fit->node_late;
    const double *tier = dxt_fit_tiers(fit, a), *out = fit->node_out;
    double between = fit->between, own = late[a], in = fit->node_in[a];
    double least = fit->skew / DXT_FAR_APART;
    int64_t open = 0, others = 0;
    for (uint32_t b = 0; b < fit->nodes; b++) {
        double shift = between + tier[b] + late[b] - own + in + out[b], path = between + tier[b];
        double bare = shift > 0 ? shift : 0, bound = bare + (limit > path ? limit : path);
        open += !(level[b] <= bound);
        others += !(level[b] > least) | !(level[b] - bare <= limit);
    }
    *other = others;
    return open;
}

/* @param ways  Receives which rows dxt_drop_untold() must look at if none is slow. */
static size_t count_slow_links(const dxt_fit *fit, double limit, dxt_ways *ways)
{
    size_t slow = 0;
    int64_t other;
    for (uint32_t a = 0; a < fit->nodes; a++) {
        bool none = count_open(fit, a, limit, &other) == 0;
        ways->short_or_long[a] = other > 0;
        if (none) continue;
        for (uint32_t b = 0; b < fit->nodes; b++)
            slow += link_excess(fit, fit->link[(size_t)a * fit->nodes + b], limit, a, b) > 0;
    }
    return slow;
}

/* If many paths are slow in both directions, the machine is built that way. */
static void take_tiers(dxt_fit *fit, double limit)
{
    uint32_t n = fit->nodes;
    for (uint32_t a = 0; a < n; a++) {
        fit->tier[(size_t)a * n + a] = 0;
        for (uint32_t b = a + 1; b < n; b++) {
            size_t there = (size_t)a * n + b, back = (size_t)b * n + a;
            double both = fmin(link_excess(fit, fit->link[there], limit, a, b),
                               link_excess(fit, fit->link[back], limit, b, a));
            fit->tier[there] = fit->tier[back] = both;
        }
    }
    fit->tiered = true;
}

/* How much longer than expected the paths into node a take, or those out of it: the lower median,
 * since one slow path of two says nothing of the other. 0 unless a path is slow and at most one of
 * DXT_SHORTEST_ONE_IN is fast. */
static double typical_path(const dxt_fit *fit, double limit, uint32_t a, bool out)
{
    uint32_t n = fit->nodes, slow = 0, known = 0;
    for (uint32_t b = 0; b < n && slow == 0; b++) {
        uint32_t to = out ? b : a, from = out ? a : b;
        slow += link_excess(fit, fit->link[(size_t)to * n + from], limit, to, from) > 0;
    }
    if (slow == 0) return 0;
    for (uint32_t b = 0; b < n; b++) {
        uint32_t to = out ? b : a, from = out ? a : b;
        double level = fit->link[(size_t)to * n + from];
        if (a == b || isnan(level)) continue;
        fit->values[known++] = level - dxt_expected_wait(between_nodes(fit, to, from), fit->skew);
    }
    bool any_fast = dxt_select(fit->values, known, known / DXT_SHORTEST_ONE_IN) <= limit / 2;
    return any_fast ? 0 : dxt_select(fit->values, known, (known - 1) / 2);
}

/* If all paths of a node are slow, its uplink is, provided that few nodes are like that. */
static void take_uplinks(dxt_fit *fit, double limit)
{
    uint32_t n = fit->nodes, found = 0;
    double in[DXT_MAX_RANKS], out[DXT_MAX_RANKS];
    if (n < DXT_LINK_LEAST) return;
    for (uint32_t a = 0; a < n; a++) {
        in[a] = typical_path(fit, limit, a, false);
        out[a] = typical_path(fit, limit, a, true);
        found += in[a] > 0 || out[a] > 0;
    }
    if (found > n / DXT_LINK_LEAST) return;
    for (uint32_t a = 0; a < n; a++) {
        fit->node_in[a] += in[a];
        fit->node_out[a] += out[a];
    }
}

/* Whether a quarter of the pairs of ranks have a fast way from node b to node a, though its level
 * is longer by `excess`: then single pairs are slow, or stalled, and not the path between the
 * nodes. Where cells vary much, a few of many pairs are fast by chance. */
static bool many_are_fast(const dxt_fit *fit, const dxt_roster *roster, uint32_t a, uint32_t b,
                          double excess)
{
    double *waits = fit->scratch->cells.work;
    uint32_t used = 0;
    for (uint32_t m = roster->begin[a]; m < roster->begin[a + 1]; m++)
        for (uint32_t t = roster->begin[b]; t < roster->begin[b + 1]; t++) {
            uint32_t i = roster->list[m], j = roster->list[t];
            bool seen =
                fit->sparse == 0 || fit->rank[i] % fit->sparse == fit->rank[j] % fit->sparse;
            if (seen && used < DXT_LEVEL_SAMPLE) waits[used++] = dxt_fit_wait(fit, i, j);
        }
    if (used < 2) return false;
    double middle = dxt_median(waits, used);
    return dxt_select(waits, used, (used - 1) / 2 / 2) < middle - excess / 2;
}

/* Leave paths out over which only some ranks hear late. With two nodes one may be late instead. */
static void drop_mixed(dxt_fit *fit)
{
    dxt_roster roster;
    if (!fit->linked || fit->nodes == 2) return;
    dxt_call_roster(fit, &roster);
    fit->linked = false;
    for (uint32_t a = 0; a < fit->nodes; a++) {
        double *link = fit->link + (size_t)a * fit->nodes;
        for (uint32_t b = 0; b < fit->nodes; b++) {
            if (link[b] > 0 && many_are_fast(fit, &roster, a, b, link[b])) link[b] = 0;
            fit->linked = fit->linked || link[b] > 0;
        }
    }
}

void dxt_levels_to_links(dxt_fit *fit, double limit, bool keep, dxt_ways *ways)
{
    uint32_t n = fit->nodes;
    int64_t other;
    fit->linked = fit->tangled = false;
    ways->counted = count_slow_links(fit, limit, ways) == 0;
    if (ways->counted) {
        double *level = fit->link;
        fit->link = keep ? fit->level : level;
        fit->level = keep ? level : fit->level;
        return;
    }
    if (keep) memcpy(fit->level, fit->link, (size_t)n * n * sizeof *fit->level);
    take_uplinks(fit, limit);
    size_t pairs = (size_t)n * (n - 1), most = 2 + (size_t)(DXT_MOST_LINKS_SHARE * (double)pairs);
    fit->tangled = count_slow_links(fit, limit, ways) > most;
    if (fit->tangled) {
        take_tiers(fit, limit);
        fit->tangled = count_slow_links(fit, limit, ways) > most;
    }
    for (uint32_t a = 0; a < n; a++) {
        double *link = fit->link + (size_t)a * n;
        bool none = fit->tangled || count_open(fit, a, limit, &other) == 0;
        for (uint32_t b = 0; b < n; b++)
            link[b] = none ? 0 : link_excess(fit, link[b], limit, a, b);
        for (uint32_t b = 0; b < n; b++) fit->linked = fit->linked || link[b] > 0;
    }
    drop_mixed(fit);
}
