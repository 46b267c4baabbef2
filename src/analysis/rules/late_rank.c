/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late_rank: the others wait for it. It comes late, or what it sends does.
 *
 * When: its lateness exceeds the limit of its group (arrive/group.c, arrive/noise.c), which is the
 * largest of three:
 *   - what is worth a finding: DXT_MIN_SHARE of the step; without a clock DXT_RELATIVE_FLOOR;
 *   - what pairs differ by: DXT_TRANSFER_UNEVENNESS of the transfer, with many peers
 *     DXT_TRANSFER_UNEVENNESS_OF_MANY;
 *   - DXT_SIGNIFICANCE errors, and DXT_SIGNIFICANCE_PER_DOUBLING more each time the members double.
 *     The error follows from how far arrivals vary, divided by the root of the operations, and from
 *     DXT_DRIFT of the step. In fewer than DXT_THIN_OPS operations arrivals vary by
 *     DXT_THIN_VARIATION at least.
 *
 * If the window records which rank came last, it must have been this one more often than by chance
 * (explain/persists.c: DXT_CHANCE_ERRORS, DXT_FAIR_PARTS).
 *
 * How large: its lateness plus what it sends late, less what it carried over from the other
 * operator (DXT_CARRIED_DOUBT, DXT_RECEIVED_DOUBT), less the echo of being late in dispatch
 * (DXT_ECHO). Nothing is left if it left the transfer before late (explain/echo.c).
 * How sure: against the limit and the error of a lateness in its group (arrive/noise.c), by
 * DXT_LIMIT_ERRORS and DXT_CONFIDENCE_WIDTH (weigh.c).
 * Not of a rank with a slow link to other nodes and no lateness of its own (rules/slow_link.c).
 * Nobody is named of several that were late in turn a few times (DXT_TURNS), and waited for
 * each other (explain/turns.c, DXT_TURNS_APART).
 */
#include "analysis/explain/companion.h"
#include "analysis/explain/turns.h"
#include "analysis/phase.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static dxt_size size(dxt_case *c, dxt_subject s)
{
    if (dxt_late_in_turn(c, s.a)) return (dxt_size){.wait = 0};
    dxt_own own = dxt_own_lateness(c, s.a);
    return (dxt_size){.wait = own.wait,
                      .limit = c->fit.limit[s.a],
                      .error = c->fit.error[s.a],
                      .explained = own.carried};
}

/* Whether it has a slow link to other nodes and no lateness of its own: nothing is left of it but
 * what the other operator's waits over that link cost. */
static bool is_link_alone(dxt_case *c, dxt_subject s)
{
    bool slow = c->fit.nic_in[s.a] > 0 || c->fit.nic_out[s.a] > 0;
    return slow && !(size(c, s).wait > 0);
}

static bool applies(dxt_case *c, dxt_subject s)
{
    return dxt_role_is_late(c->fit.role[s.a]) && !(c->passing && c->passing[s.a]) &&
           !is_link_alone(c, s);
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    uint32_t rank = dxt_case_list_column(c, s.a);
    if (!finding) return;
    finding->rank = rank;
    finding->or_early = c->window->ranks == 2 && !dxt_is_phase(c->window->phase, " transfer");
}

const dxt_rule dxt_rule_late_rank = {
    .kind = DXT_LATE_RANK,
    .about = DXT_ABOUT_MEMBER,
    .applies = applies,
    .size = size,
    .write = write,
};
