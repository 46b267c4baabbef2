/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/sides.h"
#include "analysis/arrive/slow_links.h"

#include <math.h>

#include "analysis/arrive/roster.h"
#include "analysis/arrive/within.h"
#include "numeric/select.h"
#include "numeric/skew.h"

/* The typical wait of member k for the ordinary ranks of its node, or theirs for k: a median, of
 * two the smaller; NaN where there are none. */
static double typical_wait(const dxt_fit *fit, const dxt_roster *roster, uint32_t k, bool of_it)
{
    size_t used = 0;
    double *values = fit->values;
    for (uint32_t m = roster->begin[fit->node[k]]; m < roster->begin[fit->node[k] + 1]; m++) {
        uint32_t i = roster->list[m];
        if (i != k) values[used++] = dxt_wait_within_on(fit, k, i, !of_it);
    }
    if (used == 2) return fmin(values[0], values[1]);
    return used > 0 ? dxt_median(values, used) : NAN;
}

/* Who waits for all may be early, or receive slowly. An early rank is there before anybody looks
 * for it; for a slow receiver the others wait as for anybody. */
static void split_early(dxt_fit *fit, const dxt_roster *roster, uint32_t k)
{
    double awaited = typical_wait(fit, roster, k, false);
    double if_early = dxt_expected_wait(fit->transfer + fit->late[k], fit->skew);
    fit->role[k] = DXT_ROLE_EARLY;
    if (!(awaited > (if_early + fit->base) / 2)) return;
    double extra = typical_wait(fit, roster, k, true) - fit->base;
    if (!(extra > fit->limit[k])) return;
    fit->role[k] = DXT_ROLE_RECEIVER;
    fit->receive[k] = extra;
}

/* A rank that all wait for may be late, or send slowly. A late rank waits for nobody; a slow sender
 * waits for the others as anybody does. */
static void split_late(dxt_fit *fit, const dxt_roster *roster, uint32_t k)
{
    double waits = typical_wait(fit, roster, k, true);
    double if_late = dxt_expected_wait(fit->transfer - fit->late[k], fit->skew);
    fit->role[k] = DXT_ROLE_LATE;
    if (!(waits > (if_late + fit->base) / 2)) return;
    double extra = typical_wait(fit, roster, k, false) - fit->base;
    if (!(extra > fit->limit[k])) return;
    fit->role[k] = DXT_ROLE_SENDER;
    fit->send[k] = extra;
}

/* Whether any wait of member k for the ordinary ranks of its node, or of theirs for it, is longer
 * than a bound. Mostly none is, and then no typical wait is. */
static bool any_is_longer(const dxt_fit *fit, const dxt_roster *roster, uint32_t k, double bound)
{
    bool longer = false;
    for (uint32_t m = roster->begin[fit->node[k]]; m < roster->begin[fit->node[k] + 1]; m++) {
        uint32_t i = roster->list[m];
        longer |=
            i != k && (dxt_wait_within(fit, k, i) > bound || dxt_wait_within(fit, i, k) > bound);
    }
    return longer;
}

/* Find a slow side that the fit took for half as much lateness, which may have been below its
 * limit. Lateness adds to one of the two waits of a pair and takes as much from the other; a slow
 * side only adds. */
static void find_side(dxt_fit *fit, const dxt_roster *roster, uint32_t k)
{
    double limit =
        fit->limit[k] * (isnan(fit->known_spread) ? DXT_SIDE_LIMITS_ALONE : DXT_SIDE_LIMITS);
    /* Rounding must not decide: a bound of half the limit is far enough from it. */
    if (!any_is_longer(fit, roster, k, fit->base + limit / 2)) return;
    double waits = typical_wait(fit, roster, k, true) - fit->base;
    double awaited = typical_wait(fit, roster, k, false) - fit->base;
    if (waits > limit && fabs(awaited) < waits / 2) {
        fit->role[k] = DXT_ROLE_RECEIVER;
        fit->receive[k] = waits;
    } else if (awaited > limit && fabs(waits) < awaited / 2) {
        fit->role[k] = DXT_ROLE_SENDER;
        fit->send[k] = awaited;
    }
    if (fit->role[k] != DXT_ROLE_ORDINARY) fit->limit[k] = limit;
}

/* Look for slow sides among the ordinary ranks of a node, if these are few. Then
 * measure their lateness anew, without the slow sides. */
static void find_sides(dxt_fit *fit, const dxt_roster *roster, uint32_t node)
{
    uint32_t begin = roster->begin[node], end = roster->begin[node + 1], ordinary = 0;
    double sum = 0;
    /* Between two ranks, a slow receive side and the other's slow send side are the same wait. */
    if (end - begin < DXT_SIDE_LEAST || end - begin > DXT_SIDE_MEMBERS) return;
    for (uint32_t m = begin; m < end; m++) find_side(fit, roster, roster->list[m]);
    for (uint32_t m = begin; m < end; m++) {
        uint32_t k = roster->list[m];
        if (fit->role[k] != DXT_ROLE_ORDINARY) continue;
        ordinary++;
        sum += fit->late[k];
    }
    if (ordinary == 0 || ordinary == end - begin) return;
    for (uint32_t k = 0; k < fit->count; k++) {
        if (fit->node[k] != node) continue;
        fit->late[k] -= sum / ordinary;
        bool one_of_them = fit->role[k] == DXT_ROLE_LATE || fit->role[k] == DXT_ROLE_EARLY;
        if (one_of_them && dxt_fit_is_ordinary(fit, k)) fit->role[k] = DXT_ROLE_ORDINARY;
    }
}

/* The same where half of the ranks have a slow side: it is no part of their lateness. */
static void give_roles_of_many(dxt_fit *fit)
{
    for (uint32_t k = 0; k < fit->count; k++) {
        bool slow = fit->receive[k] > 0 || fit->send[k] > 0;
        fit->role[k] = fit->receive[k] > 0             ? DXT_ROLE_RECEIVER
                       : fit->send[k] > 0              ? DXT_ROLE_SENDER
                       : fit->late[k] > fit->limit[k]  ? DXT_ROLE_LATE
                       : fit->late[k] < -fit->limit[k] ? DXT_ROLE_EARLY
                                                       : DXT_ROLE_ORDINARY;
        if (slow) fit->late[k] = 0;
    }
}

void dxt_give_roles(dxt_fit *fit)
{
    dxt_roster roster;
    if (fit->many_sides) {
        give_roles_of_many(fit);
        return;
    }
    dxt_call_roster(fit, &roster);
    for (uint32_t k = 0; k < fit->count; k++) {
        fit->role[k] = DXT_ROLE_ORDINARY;
        fit->receive[k] = fit->send[k] = 0;
    }
    for (uint32_t k = 0; k < fit->count; k++)
        if (fit->late[k] < -fit->limit[k])
            split_early(fit, &roster, k);
        else if (fit->late[k] > fit->limit[k])
            split_late(fit, &roster, k);
    for (uint32_t node = 0; node < fit->nodes; node++) find_sides(fit, &roster, node);
    dxt_links_within(fit);
    for (uint32_t k = 0; k < fit->count; k++)
        if (fit->role[k] == DXT_ROLE_RECEIVER || fit->role[k] == DXT_ROLE_SENDER ||
            fit->role[k] == DXT_ROLE_LINK)
            fit->late[k] = 0;
}
