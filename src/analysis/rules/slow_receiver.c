/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_receiver: a rank that is on time and receives slowly (arrive/sides.c). It waits for all, and
 * the others wait for it like for any rank.
 *
 * When: its waits make it look as early as a late rank is late (rules/late_rank.c), but the others
 * wait for it, which they would not do for an early rank. Among DXT_SIDE_LEAST to DXT_SIDE_MEMBERS
 * ordinary ranks its row and column are compared with the others' as well.
 *
 * How large: what its receive side adds to each of its waits. Nothing is left if the transfer
 * before explains it (explain/echo.c).
 * How sure: against the limit and the error of a lateness in its group; in small groups against the
 * limit of a side (DXT_SIDE_LIMITS, DXT_SIDE_LIMITS_ALONE).
 */
#include "analysis/explain/echo.h"
#include "analysis/rules/rules.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    return c->fit.role[s.a] == DXT_ROLE_RECEIVER;
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    bool echo = dxt_is_echo(c, s.a);
    return (dxt_size){.wait = echo ? 0 : c->fit.receive[s.a],
                      .limit = c->fit.limit[s.a],
                      .error = c->fit.error[s.a],
                      .explained = echo};
}

const dxt_rule dxt_rule_slow_receiver = {
    .kind = DXT_SLOW_RECEIVER,
    .about = DXT_ABOUT_MEMBER,
    .applies = applies,
    .size = size,
    .write = dxt_write_rank,
};
