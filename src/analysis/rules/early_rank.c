/* SPDX-License-Identifier: Apache-2.0 */
/*
 * early_rank: it waits for all, and nobody for it. It costs nothing.
 *
 * When: it is as early as a late rank is late (rules/late_rank.c), and nobody waits for it. If the
 * others do wait for it, it receives slowly (arrive/sides.c).
 * How large: how early it is, less what it carried over (DXT_CARRIED_DOUBT).
 * How sure: against the limit and the error of a lateness in its group (arrive/noise.c).
 */
#include "analysis/explain/companion.h"
#include "analysis/rules/rules.h"

/* A rank whose link receives slowly waits for the others as an early one does. */
static bool applies(dxt_case *c, dxt_subject s)
{
    return c->fit.role[s.a] == DXT_ROLE_EARLY && !(c->fit.nic_in[s.a] > 0);
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    dxt_own own = dxt_own_earliness(c, s.a);
    return (dxt_size){.wait = own.wait,
                      .limit = c->fit.limit[s.a],
                      .error = c->fit.error[s.a],
                      .explained = own.carried};
}

const dxt_rule dxt_rule_early_rank = {
    .kind = DXT_EARLY_RANK,
    .about = DXT_ABOUT_MEMBER,
    .applies = applies,
    .size = size,
    .write = dxt_write_rank,
};
