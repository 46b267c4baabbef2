/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_link, out of one of two ranks, in a transfer: of two, each waits for what the other sends
 * and for the answer to what it sends itself, so that the two waits are alike whichever way is
 * slow. Whoever receives slowly what was sent leaves later, and comes late to the operator behind
 * (explain/echo.c): so it is the other one that sends slowly. With two ranks, a slow path is the
 * same.
 *
 * How large: what is waited for it. How sure: against the least that is worth telling; no more than
 * DXT_DOUBTFUL.
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
