/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/turns.h"

#include <math.h>

#include "analysis/arrive/shifts.h"
#include "analysis/tuning.h"
#include "numeric/spread.h"

static double lateness(const dxt_fit *fit, uint32_t k)
{
    return fit->late[k] + fit->send[k];
}

/* Whether a member may have been late in turn with the only one that is beyond its limit. */
static bool is_nearly_late(const dxt_fit *fit, uint32_t k, double late)
{
    return 2 * lateness(fit, k) > late && lateness(fit, k) > fit->error[k];
}

/* List some of the members that are late. Of one alone nothing tells whether it was so by chance:
 * then also those that are half as late. @return How many are late in all. */
static uint32_t list_late(const dxt_fit *fit, uint32_t listed[DXT_PARTNERS], uint32_t *used)
{
    uint32_t late = 0, most, seen = 0;
    for (uint32_t k = 0; k < fit->count; k++) late += dxt_role_is_late(fit->role[k]);
    most = late < DXT_PARTNERS ? late : DXT_PARTNERS;
    *used = 0;
    for (uint32_t k = 0; k < fit->count && *used < most; k++) {
        if (!dxt_role_is_late(fit->role[k])) continue;
        if (dxt_spread_index(*used, most, late) == seen++) listed[(*used)++] = k;
    }
    double only = late == 1 ? lateness(fit, listed[0]) : INFINITY;
    for (uint32_t k = 0; k < fit->count && *used < DXT_PARTNERS; k++)
        if (k != listed[0] && is_nearly_late(fit, k, only)) listed[(*used)++] = k;
    return late;
}

/* What members that are late wait for each other, in parts of what they would wait if they were
 * never late together: then each waits for another as any rank on time does; always together, less
 * by the smaller lateness of the two. */
static double apart_in_time(const dxt_fit *fit, const uint32_t *listed, uint32_t used)
{
    double less = 0, most = 0;
    for (uint32_t t = 0; t < used; t++) {
        for (uint32_t u = 0; u < t; u++) {
            uint32_t i = listed[t], j = listed[u];
            dxt_settle(fit, fit->node[i]);
            dxt_settle(fit, fit->node[j]);
            less += dxt_fit_expected(fit, i, j) - dxt_fit_wait(fit, i, j);
            less += dxt_fit_expected(fit, j, i) - dxt_fit_wait(fit, j, i);
            most += 2 * fmin(lateness(fit, i), lateness(fit, j));
        }
    }
    return most > 0 ? 1 - less / most : 0;
}

/* In how many operations a lateness was one, if one member alone was late in each: this many for
 * each ns of it. */
static double operations_each(const dxt_fit *fit)
{
    double all = 0;
    for (uint32_t k = 0; k < fit->count; k++)
        if (lateness(fit, k) > fit->error[k]) all += lateness(fit, k);
    return fit->ops / fmax(all, DXT_TINY);
}

static void look(dxt_case *c)
{
    const dxt_fit *fit = &c->fit;
    uint32_t listed[DXT_PARTNERS] = {0}, used;
    double of_late = 0;
    c->turn = 0;
    if (fit->ops <= 0) return;
    uint32_t late = list_late(fit, listed, &used);
    if (used < 2) return;
    for (uint32_t k = 0; k < fit->count; k++)
        if (dxt_role_is_late(fit->role[k])) of_late += lateness(fit, k);
    double each = operations_each(fit);
    if (each * of_late / late > DXT_TURNS) return;
    if (apart_in_time(fit, listed, used) < DXT_TURNS_APART) return;
    c->turn = 2 * DXT_TURNS / each;
}

static double longest_turn(dxt_case *c)
{
    if (isnan(c->turn)) look(c);
    return c->turn;
}

bool dxt_late_in_turn(dxt_case *c, uint32_t k)
{
    return lateness(&c->fit, k) <= longest_turn(c);
}

double dxt_lost_in_turns(dxt_case *c)
{
    const dxt_fit *fit = &c->fit;
    double lost = 0, most = longest_turn(c);
    for (uint32_t k = 0; k < fit->count && most > 0; k++)
        if (dxt_role_is_late(fit->role[k]) && lateness(fit, k) <= most) lost += lateness(fit, k);
    return lost;
}
