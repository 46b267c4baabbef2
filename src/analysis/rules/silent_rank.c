/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silent_rank: it sent no counters. The one rule that holds with the ratio method, too.
 *
 * How large: nobody knows; it is critical. How sure: that is a fact.
 */
#include <math.h>

#include "analysis/observed.h"
#include "analysis/rules/rules.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    return c->window->missing && c->window->missing[s.a] &&
           c->window->missing[s.a] != DXT_ROW_BLANK;
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    (void)c, (void)s;
    return (dxt_size){.wait = NAN};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    (void)c;
    if (finding) finding->rank = s.a;
}

const dxt_rule dxt_rule_silent_rank = {
    .kind = DXT_SILENT_RANK,
    .about = DXT_ABOUT_RANK,
    .applies = applies,
    .size = size,
    .write = write,
};
