/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silent_rank: a rank sent no counters, or others gave it up, or nobody waits for it and it waits
 * for nobody while the others count (explain/counted.c: DXT_COUNTED_PART). This rule alone is also
 * asked with the ratio method, and in a window in which no operation was completed.
 *
 * How large: nobody knows; it is critical.
 * How sure: that is a fact.
 */
#include <math.h>

#include "analysis/explain/counted.h"
#include "analysis/observed.h"
#include "analysis/rules/rules.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    const uint8_t *missing = c->window->missing;
    if (missing && missing[s.a]) return missing[s.a] != DXT_ROW_BLANK;
    return dxt_takes_no_part(c->window, s.a) || dxt_timed_out(c->window, s.a);
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    (void)c, (void)s;
    return (dxt_size){.wait = NAN};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    if (!finding) return;
    finding->rank = s.a;
    if (c->window->missing && c->window->missing[s.a]) return;
    finding->silence = dxt_timed_out(c->window, s.a) ? DXT_SILENCE_TIMED_OUT : DXT_SILENCE_NO_PART;
}

const dxt_rule dxt_rule_silent_rank = {
    .kind = DXT_SILENT_RANK,
    .about = DXT_ABOUT_RANK,
    .applies = applies,
    .size = size,
    .write = write,
};
