/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/slow_links.h"

#include <assert.h>
#include <math.h>

#include "analysis/arrive/levels.h"
#include "analysis/arrive/rails.h"
#include "analysis/arrive/roster.h"
#include "analysis/arrive/together.h"
#include "analysis/arrive/within.h"
#include "analysis/tuning.h"
#include "numeric/columns.h"
#include "numeric/skew.h"
#include "numeric/vectors.h"

/* How much longer than the ordinary wait their waits inside the node are; 0 if there are none. */
static void extra_within(const dxt_fit *fit, const dxt_together *nodes, const dxt_seats *members,
                         bool out, double *extra)
{
    double waits[DXT_PARTNERS][DXT_LANES];
    uint32_t others = nodes->own - 1, rows = others < DXT_PARTNERS ? others : DXT_PARTNERS;
    for (uint32_t t = 0; t < rows; t++) {
        for (uint32_t c = 0; c < members->count; c++) {
            uint32_t other = members->of_node[c][t < members->place[c] ? t : t + 1];
            waits[t][c] = dxt_wait_within_on(fit, members->member[c], other, out);
        }
        for (uint32_t c = members->count; c < DXT_LANES; c++) waits[t][c] = 0;
    }
    dxt_medians(waits, rows, extra);
    for (uint32_t c = 0; c < members->count; c++)
        extra[c] = rows > 0 ? fmax(0, extra[c] - fit->base) : 0;
}

/* How many of the shortest waits are kept; the longest of these is the one that counts. */
#define KEPT (DXT_PARTNERS / DXT_SHORTEST_ONE_IN + 1)

/* Insert each wait of some rows among the shortest ones of its column. */
DXT_VECTORS static void keep_shortest(double (*restrict shortest)[DXT_LANES], uint32_t kept,
                                      double (*restrict waits)[DXT_LANES], uint32_t rows)
{
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t s = 0; s < kept; s++)
            for (uint32_t c = 0; c < DXT_LANES; c++) {
                double before = shortest[s][c], now = waits[row][c];
                shortest[s][c] = now < before ? now : before;
                waits[row][c] = now > before ? now : before;
            }
}

/* Multiply neighbouring counters by the factors of their rows. @return All combined by OR. */
DXT_VECTORS static int64_t scale(const int64_t *restrict counter, uint32_t count,
                                 const double *restrict factor, double *restrict wait)
{
    int64_t bits = 0;
    for (uint32_t c = 0; c < count; c++) {
        bits |= counter[c];
        wait[c] = (double)counter[c] * factor[c];
    }
    return bits;
}

/* Take the waits over the links of members from k on, whose ranks are neighbours, to a partner.
 * @param counter  For each rank, if they wait for the partner; NULL = the partner waits for them.
 * @return Whether that was possible: it is not where a counter holds a time-out. */
static bool take_neighbours(const dxt_fit *fit, uint32_t k, uint32_t count, uint32_t partner,
                            const int64_t *counter, double *wait)
{
    const dxt_window *window = fit->window;
    const int64_t *from =
        counter ? counter : window->wait + (size_t)fit->rank[partner] * window->ranks;
    double same[DXT_LANES];
    for (uint32_t c = 0; c < DXT_LANES && !counter; c++) same[c] = fit->factor[partner];
    int64_t bits = scale(from + fit->rank[k], count, counter ? fit->factor + k : same, wait);
    return dxt_counters_tell(window, bits);
}

/* Whether members and their ranks follow each other. Those of several nodes need not, though the
 * first and the last are as far apart: ranks of nodes may take turns. */
static bool are_neighbours(const dxt_fit *fit, const uint32_t *member, uint32_t count)
{
    bool near = fit->rank[member[count - 1]] - fit->rank[member[0]] == count - 1;
    for (uint32_t c = 1; c < count && near; c++) near = member[c] == member[0] + c;
    return near;
}

/* Take the waits over the links of some members to a partner. */
static void take_waits(const dxt_fit *fit, const uint32_t *member, uint32_t count, uint32_t partner,
                       bool out, const int64_t *counter, double *wait)
{
    uint32_t k = member[0];
    if ((out || counter) && !fit->window->samples && are_neighbours(fit, member, count) &&
        take_neighbours(fit, k, count, partner, out ? NULL : counter, wait))
        return;
    for (uint32_t c = 0; c < count; c++) wait[c] = dxt_fit_wait_on(fit, member[c], partner, out);
}

/* The counters for partner number p of a node's ranks, if they were kept when the window was first
 * read. */
static const int64_t *early_counters(const dxt_fit *fit, const dxt_together *nodes, uint32_t t,
                                     uint32_t p)
{
    const dxt_early_data *early = &fit->early;
    if (early->nodes != fit->nodes || fit->count != early->ranks || p >= early->partners)
        return NULL;
    uint32_t partner = nodes->partners[t].member[p];
    if (dxt_early_partner(early, p, nodes->first + t) != fit->rank[partner]) return NULL;
    return early->counter + (size_t)p * early->ranks;
}

/* How many nodes from number t on have the same partner number p. */
static uint32_t count_same(const dxt_together *nodes, uint32_t t, uint32_t p)
{
    uint32_t count = 1;
    while (t + count < nodes->nodes &&
           nodes->partners[t + count].member[p] == nodes->partners[t].member[p])
        count++;
    return count;
}

/* Fetch the cells of the next nodes' members early: they are scattered over the matrix. */
static void ask_for_next(const dxt_fit *fit, const dxt_roster *roster, const dxt_together *nodes)
{
    const dxt_partners *partners = &nodes->partners[0];
    if (early_counters(fit, nodes, 0, 0)) return;
    uint32_t begin = nodes->first + nodes->nodes, end = begin + nodes->nodes;
    if (end > fit->nodes) return;
    for (uint32_t m = roster->begin[begin]; m < roster->begin[end]; m++) {
        const dxt_window *window = fit->window;
        const int64_t *row = window->wait + (size_t)fit->rank[roster->list[m]] * window->ranks;
        for (uint32_t p = 0; p < partners->count; p++)
            __builtin_prefetch(row + fit->rank[partners->member[p]]);
    }
}

/* The shortest waits over their links to partners of other nodes, as dxt_shortest(). */
static void shortest_between(const dxt_fit *fit, const dxt_together *nodes,
                             const dxt_seats *members, bool out, double *least)
{
    double shortest[KEPT][DXT_LANES], waits[DXT_PARTNERS][DXT_LANES];
    uint32_t used[DXT_TOGETHER], most = 0, rows = nodes->partners[0].count;
    bool tell[DXT_TOGETHER][DXT_PARTNERS];
    for (uint32_t t = 0; t < nodes->nodes; t++) {
        used[t] = 0;
        for (uint32_t p = 0; p < rows; p++)
            used[t] += tell[t][p] = dxt_tells(fit, nodes->partners[t].member[p], out);
        most = used[t] > most ? used[t] : most;
    }
    uint32_t each = members->count / nodes->nodes;
    uint32_t kept = most / DXT_SHORTEST_ONE_IN + 1;
    assert(kept <= KEPT);
    for (uint32_t s = 0; s < kept; s++)
        for (uint32_t c = 0; c < DXT_LANES; c++) shortest[s][c] = INFINITY;
    /* All are taken first: a vector cannot be read right after its parts were written. */
    for (uint32_t p = 0; p < rows; p++) {
        for (uint32_t c = 0; c < DXT_LANES; c++) waits[p][c] = INFINITY;
        for (uint32_t t = 0, same; t < nodes->nodes; t += same) {
            same = count_same(nodes, t, p);
            if (!tell[t][p]) continue;
            take_waits(fit, members->member + t * each, same * each, nodes->partners[t].member[p],
                       out, early_counters(fit, nodes, t, p), &waits[p][t * each]);
        }
    }
    keep_shortest(shortest, kept, waits, rows);
    for (uint32_t c = 0; c < members->count; c++) {
        uint32_t telling = used[members->slot[c]];
        least[c] = telling > 0 ? shortest[telling / DXT_SHORTEST_ONE_IN][c] : NAN;
    }
}

/* The same in a hybrid mode, where each member has other partners. */
static void shortest_of_rails(const dxt_fit *fit, const dxt_seats *members, bool out, double *least)
{
    double waits[DXT_PARTNERS];
    dxt_rail_ways ways = {.own = DXT_NO_BLOCK};
    for (uint32_t c = 0; c < members->count; c++) {
        uint32_t k = members->member[c];
        least[c] = dxt_shortest(waits, dxt_rail_waits(fit, &ways, k, out, waits));
    }
}

/* What a member that is late in its node adds to such a wait, NaN if its waits do not tell. A slow
 * link may have made it late in the other operator: it waits so much less for others, and they so
 * much longer for it. A rank that is merely late waits for nobody. */
static double link_of_late(const dxt_fit *fit, uint32_t k, double least, double within, bool out)
{
    double late = fit->late[k], limit = fit->limit[k];
    bool healthy = fabs(out ? within - late : within) <= DXT_LINK_LIMITS * limit;
    if (fit->sparse > 0 || !(late > limit) || !healthy) return NAN;
    if (!(least > fmax(fit->skew, fit->base))) return NAN;
    return out ? least - late : least + late;
}

/* The same, less the extra wait inside the node: what is slow inside as well is not the link
 * between nodes. NaN for a member that is early, or not healthy inside its node. */
static void least_between(const dxt_fit *fit, const dxt_together *nodes, const dxt_seats *members,
                          bool out, double *extra)
{
    double least[DXT_LANES], within[DXT_LANES];
    extra_within(fit, nodes, members, out, within);
    if (fit->sparse > 0)
        shortest_of_rails(fit, members, out, least);
    else
        shortest_between(fit, nodes, members, out, least);
    for (uint32_t c = 0; c < members->count; c++) {
        uint32_t k = members->member[c];
        bool tells = dxt_fit_is_ordinary(fit, k) && within[c] <= fit->limit[k];
        extra[k] = tells && !isnan(least[c]) ? fmax(0, least[c] - within[c])
                                             : link_of_late(fit, k, least[c], within[c], out);
    }
}

/* The quickest way of the ordinary members of a node over their links. */
static double quickest(const dxt_fit *fit, const uint32_t *member, uint32_t own,
                       const double *extra)
{
    double best = INFINITY;
    for (uint32_t m = 0; m < own; m++)
        if (dxt_fit_is_ordinary(fit, member[m])) best = fmin(best, extra[member[m]]);
    return best;
}

/* Judge the links of one node in one direction.
 * @param best   The quickest way in it.
 * @param back   That of the other direction.
 * @param other  The links in that direction if they are judged, else NULL. */
static void judge_links(const dxt_fit *fit, const uint32_t *member, uint32_t own, double uneven,
                        double best, double back, const double *other, double *extra)
{
    /* Partners whose whole node is late wait for nobody, and hide how long the ways to them are:
     * no shorter than those inside. */
    double least = fmax(best, fit->base), way = fmax(fmin(best, back), fit->base);
    double hidden = best < fit->base && isfinite(back) ? fmax(0, back - 2 * way) : 0;
    for (uint32_t m = 0; m < own; m++) {
        uint32_t k = member[m];
        bool ordinary = dxt_fit_is_ordinary(fit, k);
        double limit = DXT_LINK_LIMITS * fit->limit[k] + uneven * (ordinary ? least : way);
        double beyond = extra[k] - best;
        /* A link that receives slowly made it late in the other operator, by no more than it adds
         * here: it waits for the others as long as anybody at least. A rank that is late once in a
         * while does so, too, most of the time, but not longer than the way takes. */
        double waits = extra[k] - fit->late[k];
        if (!ordinary && !other && waits < fmax(best - fit->limit[k], way + fit->limit[k]))
            beyond = 0;
        /* They wait for a late member all the same, though they are as late, or their node has a
         * slow path to its own. It is their lateness if its link is slow the other way. */
        if (!ordinary && other && other[k] > 0) beyond += hidden;
        extra[k] = beyond > limit ? beyond : 0;
    }
}

static void take_links(const dxt_fit *fit, const dxt_roster *roster, const dxt_together *nodes,
                       bool out, double *extra)
{
    dxt_seats members;
    for (uint32_t begin = 0; begin < nodes->own; begin += DXT_LANES) {
        dxt_take_seats(roster, nodes, begin, &members);
        least_between(fit, nodes, &members, out, extra);
    }
}

static void compare_links(dxt_fit *fit, const dxt_roster *roster, const dxt_together *nodes,
                          double uneven)
{
    take_links(fit, roster, nodes, false, fit->nic_in);
    take_links(fit, roster, nodes, true, fit->nic_out);
    for (uint32_t t = 0; t < nodes->nodes; t++) {
        const uint32_t *member = roster->list + roster->begin[nodes->first + t];
        double in = quickest(fit, member, nodes->own, fit->nic_in);
        double out = quickest(fit, member, nodes->own, fit->nic_out);
        judge_links(fit, member, nodes->own, uneven, in, out, NULL, fit->nic_in);
        judge_links(fit, member, nodes->own, uneven, out, in, fit->nic_in, fit->nic_out);
    }
}

void dxt_links_between(dxt_fit *fit)
{
    dxt_roster roster;
    dxt_together nodes;
    for (uint32_t k = 0; k < fit->count; k++) fit->nic_in[k] = fit->nic_out[k] = 0;
    if (fit->nodes < 2) return;
    dxt_list_members(fit, &roster);
    double uneven = fmax(DXT_NIC_UNEVENNESS, DXT_NIC_SPREADS * dxt_spread_within(fit, &roster));
    for (uint32_t t = 0; t < DXT_TOGETHER; t++) nodes.partners[t].others = 0;
    for (uint32_t node = 0; node < fit->nodes; node += nodes.nodes) {
        dxt_choose_together(fit, &roster, node, &nodes);
        if (nodes.own < 2) continue;
        ask_for_next(fit, &roster, &nodes);
        compare_links(fit, &roster, &nodes, uneven);
    }
    if (fit->sparse > 0) dxt_leave_rails(fit);
}
