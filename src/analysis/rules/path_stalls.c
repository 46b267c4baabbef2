/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_stalls: many paths are slow, and have nothing in common: no source, no receiver, no rail
 * (explain/bundles.c). Stalls anywhere on the fabric hit other paths in each window. Between nodes
 * the excess must be more than DXT_OUTLIER_SPREADS times the spread of paths between the two.
 *
 * How large: the slowest path above what is expected.
 * How sure: as a slow path, but no more than DXT_DOUBTFUL: so many slow paths could be that many.
 */
#include <math.h>

#include "analysis/explain/bundles.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    return c->window->origin != DXT_ORIGIN_DURATION &&
           c->paths->items[s.a].bundle == DXT_BUNDLE_STALLS;
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    const dxt_slow_path *path = &c->paths->items[s.a];
    return (dxt_size){.wait = path->head ? path->excess : 0,
                      .limit = c->fit.limit[path->i],
                      .error = path->error,
                      .surest = DXT_DOUBTFUL};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    if (finding) dxt_bundle_list(c, s.a, finding);
}

const dxt_rule dxt_rule_path_stalls = {
    .kind = DXT_PATH_STALLS,
    .about = DXT_ABOUT_PATH,
    .applies = applies,
    .size = size,
    .write = write,
};
