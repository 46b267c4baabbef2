/* SPDX-License-Identifier: Apache-2.0 */
/* One cause, one finding: bundle slow paths that have something in common. */
#ifndef DXT_EXPLAIN_BUNDLES_H
#define DXT_EXPLAIN_BUNDLES_H

#include "analysis/case.h"

/**
 * Note in `bundle` and `head` of each slow path what it has in common with others: all come from
 * one rank, all go to one rank, they are all the paths among some ranks (a rail), or they are many
 * with nothing in common (stalls). Paths that were slow only once in a while are stalls or no
 * finding.
 *
 * Cost: O(paths + ranks); if the window records which rank came last, O(paths × ranks).
 */
void dxt_bundle_paths(const dxt_case *c, dxt_path_list *list);

/** Whether so many paths of the bundle are slow that the rank at their common end is the cause. */
bool dxt_bundle_is_link(const dxt_case *c, uint32_t path);

/** Whether a slow link in the other operator explains a path, or a bundle from one rank: the path
 * is less than half as slow as that link (dxt_receives_there()). */
bool dxt_path_is_trace(const dxt_case *c, const dxt_slow_path *path);

/** List a bundle's paths, with their ranks or nodes, in the finding that was written last. */
void dxt_bundle_list(dxt_case *c, uint32_t path, dxt_finding *finding);

#endif
