/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_link, seen in paths: at least half of the paths from one rank, or to one, are slow, but not
 * all of them, or the rank alone does not explain them (explain/bundles.c).
 *
 * How large: the slowest of these paths above what is expected; nothing where the other operator
 * explains it (dxt_path_is_trace()).
 * How sure: as that path.
 */
#include "analysis/explain/bundles.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    if (c->window->origin == DXT_ORIGIN_DURATION) return false; /* durations know no paths */
    return c->paths->items[s.a].head && dxt_bundle_is_link(c, s.a);
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    const dxt_slow_path *path = &c->paths->items[s.a];
    if (dxt_path_is_trace(c, path)) return (dxt_size){.explained = true};
    return (dxt_size){.wait = path->excess,
                      .limit = c->fit.limit[path->i],
                      .error = path->error,
                      .surest = DXT_DOUBTFUL};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    const dxt_slow_path *path = &c->paths->items[s.a];
    bool out = path->bundle == DXT_BUNDLE_SOURCE;
    if (!finding) return;
    finding->rank = c->fit.rank[out ? path->j : path->i];
    finding->direction = out ? DXT_DIRECTION_OUT : DXT_DIRECTION_IN;
    dxt_bundle_list(c, s.a, finding);
}

const dxt_rule dxt_rule_link_of_paths = {
    .kind = DXT_SLOW_LINK,
    .about = DXT_ABOUT_PATH,
    .applies = applies,
    .size = size,
    .write = write,
};
