/* SPDX-License-Identifier: Apache-2.0 */
/* Links that are slow to all ranks of the node (slow_links.h). */
#include "analysis/arrive/slow_links.h"

#include <math.h>
#include <string.h>

#include "analysis/arrive/roster.h"
#include "analysis/arrive/within.h"
#include "analysis/tuning.h"
#include "numeric/columns.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* The peers that others are compared with: the ordinary ranks of a node; of many, a sample. */
static uint32_t choose_peers(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                             uint32_t *peer)
{
    uint32_t begin = roster->begin[node], own = dxt_roster_size(roster, node), used = 0;
    uint32_t most = own < DXT_PARTNERS                     ? own
                    : fit->count > DXT_PARTNERS_MANY_RANKS ? DXT_PARTNERS_OF_MANY
                                                           : DXT_PARTNERS;
    for (uint32_t t = 0; t < most; t++) {
        uint32_t k = roster->list[begin + (uint32_t)dxt_spread_index(t, most, own)];
        if (fabs(fit->late[k]) <= fit->limit[k]) peer[used++] = k;
    }
    return used;
}

/* Whether all waits over a link, apart from a few, exceed a level. Few links do. */
static bool all_exceed(const dxt_fit *fit, const uint32_t *peer, uint32_t count, uint32_t k,
                       bool out, double level)
{
    uint32_t below = 0;
    for (uint32_t p = 0; p < count; p++) {
        if (peer[p] == k) continue;
        below += !(dxt_wait_within_on(fit, k, peer[p], out) > level);
        if (below > (count - 1) / DXT_SHORTEST_ONE_IN) return false;
    }
    return true;
}

static double typical_within(const dxt_fit *fit, const uint32_t *peer, uint32_t count, uint32_t k,
                             bool out)
{
    double waits[DXT_PARTNERS];
    uint32_t used = 0;
    for (uint32_t p = 0; p < count; p++)
        if (peer[p] != k) waits[used++] = dxt_wait_within_on(fit, k, peer[p], out);
    return used > 0 ? dxt_select(waits, used, (used - 1) / 2) : 0;
}

/* typical_within() of each peer, first in, then out, many at once. */
static void typical_of_peers(const dxt_fit *fit, const uint32_t *peer, uint32_t count,
                             double *typical)
{
    double said[DXT_PARTNERS][DXT_LANES] = {{0}};
    for (uint32_t first = 0; first < 2 * count; first += DXT_LANES) {
        uint32_t lanes = 2 * count - first < DXT_LANES ? 2 * count - first : DXT_LANES;
        for (uint32_t c = 0; c < lanes; c++) {
            bool out = first + c >= count;
            uint32_t own = out ? first + c - count : first + c;
            for (uint32_t p = 0; p < count; p++)
                said[p][c] = own == p ? INFINITY : dxt_wait_within_on(fit, peer[own], peer[p], out);
        }
        dxt_cautious_medians(said, count, lanes, typical + first);
    }
}

/* The ordinary wait, even if many links are slow: half of a typical rank's waits both ways added
 * up, since its lateness does not change that sum. */
static double ordinary_within(const dxt_fit *fit, const uint32_t *peer, uint32_t count)
{
    double typical[2 * DXT_PARTNERS];
    typical_of_peers(fit, peer, count, typical);
    for (uint32_t p = 0; p < count; p++) typical[p] = (typical[p] + typical[count + p]) / 2;
    return dxt_select(typical, count, (count - 1) / 2);
}

static double unevenness(uint32_t count)
{
    return count <= DXT_LINK_FEW ? DXT_LINK_UNEVENNESS_OF_FEW : DXT_LINK_UNEVENNESS;
}

static bool both_exceed(const dxt_fit *fit, const uint32_t *peer, uint32_t count, uint32_t k,
                        double level)
{
    /* Row by row: the peers' rows stay in the cache for all members. */
    return all_exceed(fit, peer, count, k, true, level) &&
           all_exceed(fit, peer, count, k, false, level);
}

static bool is_slow(const dxt_fit *fit, const uint32_t *peer, uint32_t count, uint32_t k,
                    double base)
{
    /* Slow links may have raised the limit: take it from the ordinary waits alone. */
    double chance = fit->limit[k];
    if (base < fit->base / 2)
        chance = DXT_LIMIT_ERRORS * base * DXT_ARRIVALS_OF_WAIT / sqrt(fmax(fit->ops, 1));
    double limit = fmax(DXT_LINK_LIMITS * fmax(fit->floor, chance), unevenness(count) * base);
    return both_exceed(fit, peer, count, k, base + limit);
}

/* Whether any link of a node may be slow, compared with the shortest wait of all instead of the
 * ordinary one, which takes longer to find. Mostly none may. */
static bool may_be_slow(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                        const uint32_t *peer, uint32_t count)
{
    double least = INFINITY;
    for (uint32_t a = 0; a < count; a++)
        for (uint32_t b = 0; b < count; b++) {
            double wait = a == b ? INFINITY : dxt_wait_within(fit, peer[a], peer[b]);
            least = wait < least ? wait : least;
        }
    double level = least + fmax(DXT_LINK_LIMITS * fit->floor, unevenness(count) * least);
    for (uint32_t m = roster->begin[node]; m < roster->begin[node + 1]; m++)
        if (both_exceed(fit, peer, count, roster->list[m], level)) return true;
    return false;
}

/* With three ranks on more than one node, two may simply be nearer to each other. */
static void take_link(dxt_fit *fit, const uint32_t *peer, uint32_t count, uint32_t k, double base)
{
    if (count == DXT_LINK_LEAST && !fit->same_node) {
        fit->unsure = true;
        return;
    }
    fit->role[k] = DXT_ROLE_LINK;
    fit->receive[k] = typical_within(fit, peer, count, k, false) - base;
    fit->send[k] = typical_within(fit, peer, count, k, true) - base;
}

void dxt_links_within(dxt_fit *fit)
{
    dxt_roster roster;
    dxt_list_members(fit, &roster);
    for (uint32_t node = 0; node < fit->nodes; node++) {
        uint32_t peer[DXT_PARTNERS], count = choose_peers(fit, &roster, node, peer);
        if (count < DXT_LINK_LEAST || !may_be_slow(fit, &roster, node, peer, count)) continue;
        double base = ordinary_within(fit, peer, count);
        for (uint32_t m = roster.begin[node]; m < roster.begin[node + 1]; m++) {
            uint32_t k = roster.list[m];
            bool late = fit->role[k] == DXT_ROLE_LATE || fit->role[k] == DXT_ROLE_EARLY;
            if (!late && is_slow(fit, peer, count, k, base)) take_link(fit, peer, count, k, base);
        }
    }
}
