/* SPDX-License-Identifier: Apache-2.0 */
/* One cause, one finding: slow paths that have something in common. */
#ifndef DXT_EXPLAIN_BUNDLES_H
#define DXT_EXPLAIN_BUNDLES_H

#include "analysis/case.h"

/**
 * Tell what each slow path has in common with others, in its `bundle` and `head`: paths from one
 * rank, paths to one rank, all paths among some ranks (a rail), or so many without anything in
 * common that it is none of them (stalls). Paths that were slow only once in a while, where the
 * window says so, are stalls or nothing.
 *
 * Cost: O(paths + ranks); where the window records who came last, O(paths × ranks).
 */
void dxt_bundle_paths(const dxt_case *c, dxt_path_list *list);

/** Whether so many of the others' paths are slow that it is the rank at the common end. */
bool dxt_bundle_is_link(const dxt_case *c, uint32_t path);

/** Whether a path, alone or with others from the same rank, is no slower than that rank may be late
 *  because of a slow link in the other operator (dxt_is_link_trace()). */
bool dxt_path_is_trace(const dxt_case *c, const dxt_slow_path *path);

/** List the paths of the bundle of one in the finding written last, and their ranks or nodes. */
void dxt_bundle_list(dxt_case *c, uint32_t path, dxt_finding *finding);

#endif
