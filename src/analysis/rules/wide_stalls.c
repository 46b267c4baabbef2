/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_stalls of so many paths that none of them stands out (rules/path_stalls.c has fewer): many
 * cells are far above their column, and in the other operator everybody waits for the ranks that
 * were held up here (explain/stalls.c).
 *
 * How large: the largest of these cells above its column. The share is the sum of those of a
 * typical rank, since mostly one stalls per operation.
 * How sure: at most DXT_DOUBTFUL.
 */
#include <math.h>

#include "analysis/explain/stalls.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

/* Whether a finding names any path. Not one that exceeds the spread of paths between nodes so
 * little that it is no finding of its own. */
static bool any_path(const dxt_path_list *list)
{
    for (size_t p = 0; p < list->count; p++)
        if (list->items[p].bundle != DXT_BUNDLE_PASSING) return true;
    return false;
}

static bool applies(dxt_case *c, dxt_subject s)
{
    dxt_stalls stalls;
    (void)s;
    return c->companion && !isnan(c->spent) && !any_path(c->paths) &&
           dxt_paths_stall(&c->fit, &c->other, &stalls);
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    dxt_stalls stalls = {0};
    (void)s;
    (void)dxt_paths_stall(&c->fit, &c->other, &stalls);
    return (dxt_size){.wait = stalls.largest, .limit = c->fit.base, .surest = DXT_DOUBTFUL};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    dxt_stalls stalls = {0};
    (void)s;
    if (!finding || !dxt_paths_stall(&c->fit, &c->other, &stalls)) return;
    finding->path_total = stalls.paths;
    finding->share = fmin(1, stalls.row / c->spent);
    finding->severity = dxt_severity_of_share(finding->share);
}

const dxt_rule dxt_rule_wide_stalls = {
    .kind = DXT_PATH_STALLS,
    .about = DXT_ABOUT_WINDOW,
    .applies = applies,
    .size = size,
    .write = write,
};
