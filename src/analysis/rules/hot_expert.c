/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hot_expert: a rank that receives too much in dispatch and answers late in combine. In dispatch it
 * waits for all, in combine it is late. Either window needs the other one to show this, or the
 * bytes that were received (DXT_HOT_BYTES).
 *
 * How large: in combine as a late rank, in dispatch as a slow receiver (an early rank). A slow
 * sender is no hot expert: it is early in dispatch, by up to DXT_SEND_AND_EARLY times what it sends
 * late.
 * How sure: as these.
 */
#include "analysis/explain/companion.h"
#include "analysis/phase.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

/* Whether a rank that answers late waited for all in the dispatch before. A slow sender waits so
 * without receiving more: it makes the others arrive late, and is early by as much. */
static bool received_long(const dxt_case *c, uint32_t k)
{
    const dxt_fit *fit = &c->fit, *other = &c->other;
    uint32_t o = dxt_other_member(c, fit->rank[k]);
    if (dxt_receives_much(c, c->companion, fit->rank[k])) return true;
    if (o == other->count) return false;
    if (other->role[o] == DXT_ROLE_EARLY)
        return -other->late[o] > DXT_SEND_AND_EARLY * fit->send[k];
    return other->role[o] == DXT_ROLE_RECEIVER;
}

/* Whether a rank that waits for all in dispatch also answers late, later than its waits explain. */
static bool answers_late(const dxt_case *c, uint32_t k)
{
    const dxt_fit *fit = &c->fit, *other = &c->other;
    if (!dxt_is_phase(c->window->phase, "dispatch")) return false;
    if (dxt_receives_much(c, c->window, fit->rank[k])) return true;
    uint32_t o = dxt_other_member(c, fit->rank[k]);
    if (o == other->count || !dxt_role_is_late(other->role[o])) return false;
    return other->late[o] + other->send[o] > fit->receive[k] + other->limit[o];
}

/* The rule that would apply if it were no hot expert; NULL if the rank is ordinary. */
static const dxt_rule *otherwise(dxt_case *c, dxt_subject s)
{
    static const dxt_rule *const kinds[] = {&dxt_rule_late_rank, &dxt_rule_early_rank,
                                            &dxt_rule_slow_receiver};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        if (kinds[k]->applies(c, s)) return kinds[k];
    return NULL;
}

static bool applies(dxt_case *c, dxt_subject s)
{
    const dxt_rule *rule = otherwise(c, s);
    if (!rule) return false;
    if (rule == &dxt_rule_late_rank) return dxt_follows_dispatch(c) && received_long(c, s.a);
    return answers_late(c, s.a);
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    return otherwise(c, s)->size(c, s);
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    otherwise(c, s)->write(c, s, finding);
}

const dxt_rule dxt_rule_hot_expert = {
    .kind = DXT_HOT_EXPERT,
    .about = DXT_ABOUT_MEMBER,
    .applies = applies,
    .size = size,
    .write = write,
};
