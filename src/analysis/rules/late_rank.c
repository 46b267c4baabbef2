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
 *     DXT_DRIFT of the step.
 *
 * If the window records which rank came last, it must have been this one more often than by chance
 * (explain/persists.c: DXT_CHANCE_ERRORS, DXT_FAIR_PARTS).
 *
 * How large: its lateness plus what it sends late, less what it carried over from the other
 * operator (DXT_CARRIED_DOUBT, DXT_RECEIVED_DOUBT), less the echo of being late in dispatch
 * (DXT_ECHO). Nothing is left if it left the transfer before late (explain/echo.c).
 * How sure: against the limit and the error of a lateness in its group (arrive/noise.c), by
 * DXT_LIMIT_ERRORS and DXT_CONFIDENCE_WIDTH (weigh.c). At most DXT_DOUBTFUL where so many are late
 * (DXT_TURNS_RANKS) that lateness in turns may have hit each a few times only (DXT_TURNS).
 */
#include <math.h>

#include "analysis/explain/companion.h"
#include "analysis/phase.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    return dxt_role_is_late(c->fit.role[s.a]) && !(c->passing && c->passing[s.a]);
}

/* In how many operations members would have been late if one member alone were late in each. */
struct turns {
    double own;     /* member k */
    double typical; /* those that are late, on average */
    uint32_t late;  /* how many these are */
};

static struct turns turns_of(const dxt_fit *fit, uint32_t k)
{
    double all = 0, of_late = 0;
    struct turns turns = {0};
    for (uint32_t m = 0; m < fit->count; m++) {
        double late = fit->late[m] + fit->send[m];
        if (late > fit->error[m]) all += late;
        if (!dxt_role_is_late(fit->role[m])) continue;
        of_late += late;
        turns.late++;
    }
    double ops = fit->ops / fmax(all, DXT_TINY);
    turns.own = ops * (fit->late[k] + fit->send[k]);
    turns.typical = turns.late > 0 ? ops * of_late / turns.late : 0;
    return turns;
}

/* Whether lateness in turns may have made member k late: many members are late, so many that each
 * may have been so in one or two operations only. */
static bool may_be_by_turns(const dxt_fit *fit, uint32_t k)
{
    if (fit->ops <= 0) return false;
    struct turns turns = turns_of(fit, k);
    return turns.late >= DXT_TURNS_RANKS && turns.typical <= DXT_TURNS &&
           turns.own <= 2 * DXT_TURNS;
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    dxt_own own = dxt_own_lateness(c, s.a);
    return (dxt_size){.wait = own.wait,
                      .limit = c->fit.limit[s.a],
                      .error = c->fit.error[s.a],
                      .surest = may_be_by_turns(&c->fit, s.a) ? DXT_DOUBTFUL : 0,
                      .explained = own.carried};
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
