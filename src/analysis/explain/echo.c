/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/echo.h"

#include <math.h>

#include "analysis/phase.h"
#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* Whether the window is of a transfer, by the end of its operator's name. */
static bool is_transfer(const dxt_window *window)
{
    return dxt_is_phase(window->phase, " transfer");
}

/* How long data between ranks i and j takes in a transfer, there and back: the two waits for each
 * other added up. However much later one of the two comes, the sum stays the same. */
static double both_ways(const dxt_fit *transfer, uint32_t i, uint32_t j)
{
    return dxt_fit_wait(transfer, i, j) + dxt_fit_wait(transfer, j, i);
}

/* How much later than rank i rank k may leave a transfer because i sends slowly. If i waits much
 * longer for k than k for i, k was late there as well. */
static double may_leave_later(const dxt_fit *transfer, uint32_t k, uint32_t i)
{
    double own = dxt_fit_wait(transfer, k, i), back = dxt_fit_wait(transfer, i, k);
    return own < DXT_ECHO_BACK * back ? 0 : both_ways(transfer, k, i);
}

/* The ordinary value of that between ranks other than k. If there are no two others, the value in
 * the windows before; 0 if that is unknown. */
static double ordinary_both_ways(const dxt_fit *transfer, uint32_t k, double before)
{
    double found[DXT_PARTNERS];
    uint32_t others = transfer->count - 1, used = 0;
    uint32_t most = others < DXT_PARTNERS ? others : DXT_PARTNERS;
    for (uint32_t t = 0; t < most && others > 1; t++) {
        uint32_t i = (uint32_t)dxt_spread_index(t, most, others), j = (i + 1) % others;
        found[used++] = both_ways(transfer, i + (i >= k), j + (j >= k));
    }
    return used > 0 ? dxt_median(found, used) : before;
}

static uint32_t member_of(const dxt_fit *fit, uint32_t rank)
{
    uint32_t k = 0;
    while (k < fit->count && fit->rank[k] != rank) k++;
    return k;
}

/* How much later (earlier) than the healthy ranks the transfer before an operator may make a member
 * come to it. */
static double echo_of(const dxt_fit *fit, const dxt_fit *transfer, uint32_t k, uint32_t own,
                      bool late)
{
    double *found = fit->values;
    size_t used = 0;
    uint32_t t = 0;
    for (uint32_t i = 0; i < fit->count; i++) {
        while (t < transfer->count && transfer->rank[t] < fit->rank[i]) t++;
        if (t == transfer->count) break;
        if (i == k || transfer->rank[t] != fit->rank[i]) continue;
        if (fit->count > 2 && fit->role[i] != DXT_ROLE_ORDINARY) continue;
        found[used++] =
            late ? may_leave_later(transfer, own, t) : may_leave_later(transfer, t, own);
    }
    return dxt_median(found, used);
}

/* A transfer explains lateness only if it takes longer than usual, by more than the floor. */
static bool explains(const dxt_fit *fit, const dxt_fit *transfer, uint32_t k, double before)
{
    double late = fit->late[k] + fit->send[k] - fit->receive[k];
    uint32_t own = member_of(transfer, fit->rank[k]);
    if (own == transfer->count) return false;
    double echo = echo_of(fit, transfer, k, own, late > 0);
    double ordinary = ordinary_both_ways(transfer, own, before), more = echo - ordinary;
    double most = DXT_ECHO_OF_TRANSFER * echo;
    if (ordinary > 0) most = fmax(most, DXT_ECHO_OF_MORE * more);
    return more > transfer->floor && fabs(late) < most;
}

bool dxt_is_echo(const dxt_case *c, uint32_t k)
{
    return c->adjacent && !is_transfer(c->window) &&
           explains(&c->fit, &c->next, k, c->transfer_ordinary);
}

bool dxt_sends_slowly(const dxt_case *c, uint32_t k)
{
    if (!c->adjacent || !is_transfer(c->window)) return false;
    if (c->fit.count != 2 || c->next.count != 2 || c->fit.role[1 - k] != DXT_ROLE_ORDINARY)
        return false;
    return dxt_role_is_late(c->next.role[1 - k]) &&
           explains(&c->next, &c->fit, 1 - k, c->transfer_ordinary);
}
