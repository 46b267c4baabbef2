/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/companion.h"

#include <math.h>

#include "analysis/explain/echo.h"
#include "analysis/phase.h"
#include "analysis/tuning.h"
#include "numeric/select.h"

uint32_t dxt_other_member(const dxt_case *c, uint32_t rank)
{
    uint32_t k = 0;
    if (rank < c->other.count && c->other.rank[rank] == rank) return rank; /* nobody is missing */
    while (k < c->other.count && c->other.rank[k] != rank) k++;
    return k;
}

/* Role of a rank in the companion's fit; ordinary if it is not in it. */
static dxt_role other_role(const dxt_case *c, uint32_t rank)
{
    uint32_t k = dxt_other_member(c, rank);
    return k < c->other.count ? c->other.role[k] : DXT_ROLE_ORDINARY;
}

bool dxt_follows_dispatch(const dxt_case *c)
{
    return c->companion && dxt_is_phase(c->companion->phase, "dispatch");
}

bool dxt_receives_much(const dxt_case *c, const dxt_window *dispatch, uint32_t rank)
{
    uint32_t n = dispatch->ranks;
    if (!dispatch->bytes || n < 2) return false;
    double own = 0, *others = c->fit.values;
    size_t used = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (dispatch->missing && dispatch->missing[i]) continue;
        double sum = 0;
        for (uint32_t j = 0; j < n; j++) sum += (double)dispatch->bytes[(size_t)i * n + j];
        if (i == rank)
            own = sum;
        else
            others[used++] = sum;
    }
    return used > 0 && own > DXT_HOT_BYTES * dxt_median(others, used);
}

dxt_own dxt_own_part(double amount, double carried, double limit, double doubt)
{
    double left = dxt_left_over(amount, carried, limit, doubt);
    return (dxt_own){.wait = left, .carried = left <= 0};
}

double dxt_receives_there(const dxt_case *c, uint32_t k)
{
    const dxt_fit *other = &c->other;
    uint32_t o = c->companion ? dxt_other_member(c, c->fit.rank[k]) : other->count;
    if (o == other->count) return NAN;
    return other->role[o] == DXT_ROLE_LINK ? other->receive[o] : other->nic_in[o];
}

double dxt_sends_there(const dxt_case *c, uint32_t k)
{
    const dxt_fit *other = &c->other;
    uint32_t o = c->companion ? dxt_other_member(c, c->fit.rank[k]) : other->count;
    return o < other->count && other->nic_in[o] <= 0 ? other->nic_out[o] : 0;
}

/* Whether one slow path held member k up in the companion: beyond lateness it waited longer for one
 * rank than for any other and than ranks usually wait, by at least half of what it carries. */
static bool held_by_one(dxt_case *c, uint32_t k)
{
    const dxt_fit *other = &c->other;
    uint32_t o = dxt_other_member(c, c->fit.rank[k]);
    if (o == other->count) return false;
    double longest = other->base, second = other->base;
    for (uint32_t j = 0; j < other->count; j++) {
        if (j == o) continue;
        double wait = dxt_fit_wait(other, o, j) - fmax(0, other->late[j] - other->late[o]);
        second = fmax(second, fmin(wait, longest));
        longest = fmax(longest, wait);
    }
    double more = longest - second;
    return more > other->limit[o] && 2 * more >= dxt_case_carried(c)->rank[k];
}

/* How well it is known what member k carries [part of it]. A slow receiver, which may look early
 * there, leaves with the last of what comes: of what comes one after the other that is later than
 * mean waits show. Whom one slow path held up is later by no more than arrivals vary, however slow
 * the path is. */
static double doubt_of_carried(dxt_case *c, uint32_t k, dxt_role other)
{
    if (other == DXT_ROLE_RECEIVER) return DXT_RECEIVED_DOUBT;
    if (!held_by_one(c, k)) return other == DXT_ROLE_EARLY ? DXT_RECEIVED_DOUBT : DXT_CARRIED_DOUBT;
    /* Where transfers are longer than arrivals vary, waits do not show that. */
    double last = fmax(dxt_last_beyond_mean(&c->other), dxt_last_beyond_mean(&c->fit));
    double part = last / fmax(dxt_case_carried(c)->rank[k], DXT_TINY);
    return fmin(DXT_RECEIVED_DOUBT, DXT_CARRIED_DOUBT + part);
}

dxt_own dxt_own_lateness(dxt_case *c, uint32_t k)
{
    const dxt_fit *fit = &c->fit;
    double late = fit->late[k] + fit->send[k];
    if (dxt_is_echo(c, k)) return (dxt_own){.wait = 0, .carried = true};
    if (!c->companion) return (dxt_own){.wait = late};
    dxt_role other = other_role(c, fit->rank[k]);
    if (dxt_follows_dispatch(c) && dxt_role_is_late(other) && late < DXT_ECHO * fit->transfer)
        return (dxt_own){.wait = 0};
    double beyond = late - fmax(0, dxt_case_carried(c)->rank[k]);
    if (beyond < DXT_RECEIVED_DOUBT * dxt_receives_there(c, k))
        return (dxt_own){.wait = 0, .carried = true};
    return dxt_own_part(late, dxt_case_carried(c)->rank[k], fit->limit[k],
                        doubt_of_carried(c, k, other));
}

dxt_own dxt_own_earliness(dxt_case *c, uint32_t k)
{
    const dxt_fit *fit = &c->fit;
    if (dxt_is_echo(c, k)) return (dxt_own){.wait = 0, .carried = true};
    if (!c->companion) return (dxt_own){.wait = -fit->late[k]};
    return dxt_own_part(-fit->late[k], -dxt_case_carried(c)->rank[k], fit->limit[k],
                        DXT_CARRIED_DOUBT);
}

/* Whether member i of another node hears from member k: in a hybrid mode on its rail only. */
static bool hears(const dxt_fit *fit, uint32_t i, uint32_t k)
{
    return fit->sparse == 0 || fit->rank[i] % fit->sparse == fit->rank[k] % fit->sparse;
}

/* The typical wait of node a's ranks for member k, less k's lateness; NaN if none hears from k. */
static double typical_wait_for(const dxt_fit *fit, uint32_t a, uint32_t k)
{
    double waits[DXT_PARTNERS];
    uint32_t used = 0;
    for (uint32_t i = 0; i < fit->count && used < DXT_PARTNERS; i++)
        if (fit->node[i] == a && hears(fit, i, k)) waits[used++] = dxt_fit_wait(fit, i, k);
    return used > 0 ? dxt_median(waits, used) - fmax(0, fit->late[k]) : NAN;
}

/* Position of a node in a fit; the number of its nodes if it is not there. */
static uint32_t node_of(const dxt_fit *fit, int32_t id)
{
    uint32_t a = 0;
    while (a < fit->nodes && fit->node_id[a] != id) a++;
    return a;
}

double dxt_node_receives(const dxt_case *c, int32_t node, bool there)
{
    const dxt_fit *fit = there ? &c->other : &c->fit, *next = there ? &c->fit : &c->other;
    if (!c->companion || fit->nodes < DXT_LINK_LEAST) return 0;
    uint32_t a = node_of(fit, node), b = node_of(next, node);
    if (a == fit->nodes || b == next->nodes || next->node_role[b] != DXT_ROLE_LATE) return 0;
    double early = -fit->node_late[a], late = next->node_late[b];
    if (!(early > fit->node_limit[a])) return 0;
    /* A late node leaves early by what its data takes to the others. */
    bool alike = late > early / 2 && early - next->between > late / 2;
    return alike ? fmin(early, late) : 0;
}

double dxt_heard_late(const dxt_case *c, uint32_t node)
{
    const dxt_fit *other = &c->other;
    uint32_t a = node_of(other, c->fit.node_id[node]);
    double least = INFINITY, most = 0;
    if (!c->companion || other->nodes != 2 || a == other->nodes) return 0;
    for (uint32_t k = 0; k < other->count; k++) {
        if (other->node[k] == a) continue;
        double wait = typical_wait_for(other, a, k);
        least = fmin(least, wait);
        most = fmax(most, wait);
    }
    if (!(most - least > other->node_limit[a])) return 0;
    return most - least + fmax(0, dxt_fit_links(other, a)[1 - a]);
}

bool dxt_nodes_carry(const dxt_case *c)
{
    const dxt_fit *other = &c->other;
    if (!c->companion) return false;
    return other->nodes != 2 ||
           (dxt_fit_links(other, 0)[1] <= 0 && dxt_fit_links(other, 1)[0] <= 0);
}
