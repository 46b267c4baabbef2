/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/lost.h"

#include <math.h>

#include "analysis/arrive/roster.h"
#include "analysis/explain/links.h"
#include "analysis/tuning.h"
#include "numeric/normal.h"
#include "numeric/select.h"
#include "numeric/skew.h"
#include "numeric/spread.h"

/* The most that arrivals may vary from operation to operation. The means of ranks over all
 * operations differ by that variation divided by the root of the number of operations, and by
 * lasting differences. The last factors make up for chance, which is larger where members are few.
 */
static double most_variation(const dxt_fit *fit)
{
    double squares = 0;
    uint32_t used = 0;
    for (uint32_t k = 0; k < fit->count; k++) {
        if (fit->role[k] != DXT_ROLE_ORDINARY) continue;
        squares += fit->late[k] * fit->late[k];
        used++;
    }
    if (used < DXT_SPREAD_MEMBERS || fit->ops <= 0) return INFINITY;
    double times = used > DXT_ROTATING_RANKS / 2 ? 1 : DXT_FEW_VARIATION;
    return times * sqrt(squares / used * fit->ops) * (1 + 1 / sqrt((double)used - 1));
}

double dxt_cost_of_variation(const dxt_fit *fit, double beyond)
{
    double skew = dxt_skew_of_wait(beyond + fit->transfer, fit->transfer);
    double deviation = fmin(skew / DXT_ROOT_OF_2, most_variation(fit));
    return deviation * dxt_expected_last(fit->count);
}

/* The mean, over some peers of its node, of member k's wait for a peer plus the peer's wait for k.
 * @return How many peers. */
static uint32_t both_ways(const dxt_fit *fit, const dxt_roster *roster, uint32_t k, double *mean)
{
    uint32_t begin = roster->begin[fit->node[k]], end = roster->begin[fit->node[k] + 1], used = 0;
    uint32_t own = end - begin, most = own < DXT_LOSS_ROWS ? own : DXT_LOSS_ROWS;
    double sum = 0;
    for (uint32_t t = 0; t < most; t++) {
        uint32_t i = roster->list[begin + (uint32_t)dxt_spread_index(t, most, own)];
        if (i == k) continue;
        sum += dxt_fit_wait(fit, k, i) + dxt_fit_wait(fit, i, k);
        used++;
    }
    *mean = used > 0 ? sum / used : 0;
    return used;
}

/* The variance of these sums from rank to rank, less the part that comes from uneven pairs and from
 * few peers. */
static double variance_of_sums(const dxt_fit *fit)
{
    double sum[DXT_WITNESSES], off[DXT_WITNESSES], peers = 0, squares = 0;
    uint32_t most = fit->count < DXT_WITNESSES ? fit->count : DXT_WITNESSES, used = 0;
    dxt_roster roster;
    dxt_call_roster(fit, &roster);
    for (uint32_t t = 0; t < most; t++) {
        uint32_t k = (uint32_t)dxt_spread_index(t, most, fit->count);
        if (fit->role[k] != DXT_ROLE_ORDINARY || !dxt_fit_stands_for_node(fit, k)) continue;
        uint32_t of = both_ways(fit, &roster, k, &sum[used]);
        /* Who neither waits nor is waited for takes no part. */
        if (of == 0 || !(sum[used] > 0)) continue;
        peers += of;
        used++;
    }
    if (used < 2) return 0;
    for (uint32_t m = 0; m < used; m++) off[m] = sum[m];
    double middle = dxt_median(off, used);
    for (uint32_t m = 0; m < used; m++) squares += (sum[m] - middle) * (sum[m] - middle);
    double of_pairs = DXT_HISTORY_UNEVENNESS * fit->transfer;
    peers /= used;
    return fmax(0, squares / used / (1 + 1 / peers) - 2 * of_pairs * of_pairs / peers);
}

/* The cost of the largest lump of lateness, or stall, in an operation for all other ranks. */
static double cost_of_lumps(const dxt_fit *fit, double beyond)
{
    double size = fit->ops > 0 ? variance_of_sums(fit) * fit->ops / beyond : 0;
    double chance = fmin(1, beyond / fmax(size, DXT_TINY));
    return size * (1 - pow(1 - chance, (double)fit->count - 1));
}

double dxt_share_lost(const dxt_case *c)
{
    const dxt_fit *fit = &c->fit;
    if (fit->count < DXT_SURE_RANKS || !(c->spent > 0)) return 0;
    double beyond = dxt_wait_without_links(c) - fit->transfer;
    if (!(beyond * (fit->count - 1) >= DXT_LOST_SHARE * c->spent)) return 0;
    double lost = dxt_cost_of_variation(fit, beyond) + cost_of_lumps(fit, beyond);
    return lost >= DXT_LOST_SHARE * c->spent ? fmin(1, lost / c->spent) : 0;
}

double dxt_share_apart(const dxt_case *c)
{
    const dxt_fit *fit = &c->fit;
    if (fit->nodes != 2 || c->likely || !(c->spent > 0)) return 0;
    /* The lateness of a node adds to the wait in one direction and takes as much from the other. */
    double apart = (fit->node_path[0] + fit->node_path[1]) / 2 - fit->transfer;
    return apart >= DXT_APART_SHARE * c->spent ? fmin(1, apart / c->spent) : 0;
}
