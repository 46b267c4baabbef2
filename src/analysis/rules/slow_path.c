/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_path: one rank waits for one other longer than the fitted arrivals explain (explain/paths.c:
 * DXT_OUTLIER_SPREADS, or DXT_OUTLIER_SPREADS_KNOWN with many ranks whose cells have short tails;
 * DXT_RELATIVE_EXCESS and the ordinary wait). If the window records which rank came last, it must
 * have been this one more often than by chance (explain/persists.c). Paths that have a rank or a
 * rail in common are one finding (explain/bundles.c). A window of durations has no paths.
 *
 * How large: the wait above what is expected; nothing where the other operator explains it
 * (dxt_path_is_trace()).
 * How sure: against the typical deviation of a cell, and the limit of the waiting rank;
 * below DXT_OUTLIER_SPREADS at most DXT_SURE_OF_FEW.
 */
#include "analysis/explain/bundles.h"
#include "analysis/raw.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    /* Durations know no paths: a cell that stands out is chance. */
    if (c->window->origin == DXT_ORIGIN_DURATION) return false;
    return c->paths->items[s.a].bundle != DXT_BUNDLE_PASSING;
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    const dxt_slow_path *path = &c->paths->items[s.a];
    if (dxt_path_is_trace(c, path)) return (dxt_size){.explained = true};
    bool rare = path->excess < DXT_OUTLIER_SPREADS * path->error;
    return (dxt_size){.wait = path->excess,
                      .limit = c->fit.limit[path->i],
                      .error = path->error,
                      .surest = rare ? DXT_SURE_OF_FEW : 0,
                      .told = !path->head || dxt_bundle_is_link(c, s.a)};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    const dxt_slow_path *path = &c->paths->items[s.a];
    uint32_t row = c->fit.rank[path->i], column = c->fit.rank[path->j];
    double value = (double)c->window->wait[(size_t)row * c->window->ranks + column];
    dxt_draft_point(c->draft, row, column, value, dxt_normalise(value, dxt_case_mean(c)));
    if (!finding) return;
    if (path->bundle == DXT_BUNDLE_NONE || path->bundle == DXT_BUNDLE_RECEIVER) finding->rank = row;
    if (path->bundle == DXT_BUNDLE_NONE || path->bundle == DXT_BUNDLE_SOURCE)
        finding->source = column;
    if (path->bundle != DXT_BUNDLE_NONE) dxt_bundle_list(c, s.a, finding);
}

const dxt_rule dxt_rule_slow_path = {
    .kind = DXT_SLOW_PATH,
    .about = DXT_ABOUT_PATH,
    .most = DXT_MOST_PATH_FINDINGS,
    .applies = applies,
    .size = size,
    .write = write,
};
