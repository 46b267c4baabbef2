/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_link, out of one of two ranks, in a transfer. Each of the two waits for the other's data and
 * for the answer to its own, so their waits are alike whichever direction is slow. The rank that
 * receives its data late leaves later, and comes late to the next operator (explain/echo.c): the
 * other rank sends slowly. With two ranks this cannot be told from a slow path.
 *
 * How large: the wait for the rank.
 * How sure: against the least that is worth a finding; at most DXT_DOUBTFUL.
 */
#include "analysis/explain/echo.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    return c->fit.role[s.a] == DXT_ROLE_ORDINARY && dxt_sends_slowly(c, s.a);
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    double wait = dxt_fit_wait(&c->fit, 1 - s.a, s.a), least = c->fit.floor;
    return (dxt_size){.wait = wait > least ? wait : 0, .limit = least, .surest = DXT_DOUBTFUL};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    uint32_t rank = dxt_case_list_column(c, s.a);
    if (!finding) return;
    finding->rank = rank;
    finding->direction = DXT_DIRECTION_OUT;
}

const dxt_rule dxt_rule_slow_sender = {
    .kind = DXT_SLOW_LINK,
    .about = DXT_ABOUT_MEMBER,
    .applies = applies,
    .size = size,
    .write = write,
};
