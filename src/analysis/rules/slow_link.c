/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_link: the link of one rank is slow, in both directions for all ranks, or in either direction
 * for the ranks of other nodes (arrive/slow_links.c). A rank that is slow in one direction for all
 * ranks is a late rank or a slow receiver. A NIC is mostly slow in both operators: its rank is late
 * in each by what the other one cost, and its link is then judged with that (arrive/slow_links.c).
 *
 * How large: what the link adds to a wait, in the slower direction. Nothing is left if only sending
 * is slow, by less than half of what the same link, slow to receive in the other operator, costs
 * there: that makes the rank late (explain/companion.c). In a hybrid mode nothing is left either if
 * only receiving is slow, by no more than DXT_RECEIVED_DOUBT of what the same link, slow to send in
 * the other operator, costs there: it held up the ranks of its rail, and hears no others.
 * How sure: against DXT_LINK_LIMITS limits of a lateness in its group. With few ranks the link
 * itself raises that limit, so the waits without it count (explain/links.c). A rank whose work
 * varies, now early, now late, makes the same sums as a link that is slow for all in both
 * directions: confidence is then at most DXT_DOUBTFUL, and the finding says so. It is certainly the
 * link only if the window records which rank came last, and it was this one in nearly all
 * operations (DXT_LINK_LAST).
 */
#include <math.h>

#include "analysis/explain/companion.h"
#include "analysis/explain/links.h"
#include "analysis/explain/persists.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool is_between(const dxt_case *c, uint32_t k)
{
    return c->fit.role[k] != DXT_ROLE_LINK;
}

static double in_of(const dxt_case *c, uint32_t k)
{
    return is_between(c, k) ? c->fit.nic_in[k] : c->fit.receive[k];
}

static double out_of(const dxt_case *c, uint32_t k)
{
    return is_between(c, k) ? c->fit.nic_out[k] : c->fit.send[k];
}

static bool applies(dxt_case *c, dxt_subject s)
{
    const dxt_fit *fit = &c->fit;
    return fit->role[s.a] == DXT_ROLE_LINK || fit->nic_in[s.a] > 0 || fit->nic_out[s.a] > 0;
}

/* Whether the cause may as well be a rank with irregular work. */
static bool may_be_irregular(const dxt_case *c, uint32_t k)
{
    if (is_between(c, k)) return false;
    return !dxt_records_last(c->window) || dxt_last_share(c, k) < DXT_LINK_LAST;
}

/* Whether member k hears late only from ranks that it held up itself in the other operator. */
static bool hears_own_trace(const dxt_case *c, uint32_t k)
{
    if (c->fit.sparse == 0 || !is_between(c, k) || out_of(c, k) > 0) return false;
    return in_of(c, k) < DXT_RECEIVED_DOUBT * dxt_sends_there(c, k);
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    bool between = is_between(c, s.a);
    double error = c->fit.error[s.a], limit = DXT_LINK_LIMITS * c->fit.limit[s.a];
    if (in_of(c, s.a) <= 0 && out_of(c, s.a) < dxt_receives_there(c, s.a) / 2)
        return (dxt_size){.explained = true};
    if (hears_own_trace(c, s.a)) return (dxt_size){.explained = true};
    if (!between) limit = dxt_limit_of_link(c, s.a, &error);
    return (dxt_size){.wait = fmax(in_of(c, s.a), out_of(c, s.a)),
                      .limit = limit,
                      .error = error,
                      .surest = may_be_irregular(c, s.a) ? DXT_DOUBTFUL : 0};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    bool in = in_of(c, s.a) > 0, out = out_of(c, s.a) > 0;
    if (in) dxt_case_list_row(c, s.a);
    if (out) dxt_case_list_column(c, s.a);
    if (!finding) return;
    finding->rank = c->fit.rank[s.a];
    finding->between_nodes = is_between(c, s.a);
    finding->or_irregular = may_be_irregular(c, s.a);
    finding->direction = in && out ? DXT_DIRECTION_BOTH : in ? DXT_DIRECTION_IN : DXT_DIRECTION_OUT;
}

const dxt_rule dxt_rule_slow_link = {
    .kind = DXT_SLOW_LINK,
    .about = DXT_ABOUT_MEMBER,
    .applies = applies,
    .size = size,
    .write = write,
};
