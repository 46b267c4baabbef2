/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemic_skew: everybody waits for everybody, and nobody more than others.
 *
 * How large: what an ordinary pair waits for each other beyond the transfer.
 * How sure: against the least that is worth a line (DXT_SYSTEMIC_SHARE of the step).
 */
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    (void)s;
    return c->fit.count >= 2 && c->fit.base - c->fit.transfer >= DXT_SYSTEMIC_SHARE * c->spent;
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    (void)s;
    return (dxt_size){.wait = c->fit.base - c->fit.transfer,
                      .limit = DXT_SYSTEMIC_SHARE * c->spent};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    (void)c, (void)s, (void)finding;
}

const dxt_rule dxt_rule_systemic_skew = {
    .kind = DXT_SYSTEMIC_SKEW,
    .about = DXT_ABOUT_WINDOW,
    .applies = applies,
    .size = size,
    .write = write,
};
