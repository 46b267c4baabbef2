/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_path: one rank waits for one other longer than the fitted arrivals explain (explain/paths.c:
 * DXT_OUTLIER_SPREADS, DXT_RELATIVE_EXCESS and the ordinary wait). Where the window records who
 * came last, it must be so more often than by chance (explain/persists.c).
 *
 * How large: the wait above what is expected.
 * How sure: against the typical deviation of a cell, and the limit of the waiting rank.
 */
#include "analysis/explain/persists.h"
#include "analysis/raw.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    return !c->passing || dxt_path_persists(c, &c->paths->items[s.a]);
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    const dxt_slow_path *path = &c->paths->items[s.a];
    return (dxt_size){.wait = path->excess, .limit = c->fit.limit[path->i], .error = path->error};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    const dxt_slow_path *path = &c->paths->items[s.a];
    uint32_t row = c->fit.rank[path->i], column = c->fit.rank[path->j];
    double value = (double)c->window->wait[(size_t)row * c->window->ranks + column];
    dxt_draft_point(c->draft, row, column, value, dxt_normalise(value, dxt_case_mean(c)));
    if (!finding) return;
    finding->rank = row;
    finding->source = column;
}

const dxt_rule dxt_rule_slow_path = {
    .kind = DXT_SLOW_PATH,
    .about = DXT_ABOUT_PATH,
    .most = DXT_MOST_PATH_FINDINGS,
    .applies = applies,
    .size = size,
    .write = write,
};
