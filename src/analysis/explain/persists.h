/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence that a cause is at work all the time, not once. One long stall makes a mean, but not a
 * late rank. If the window records which rank came last, a cause must be last more often than by
 * chance, in those operations in which nothing came later.
 */
#ifndef DXT_EXPLAIN_PERSISTS_H
#define DXT_EXPLAIN_PERSISTS_H

#include "analysis/case.h"

/** Note in c->passing the ranks that are late only once in a while, and in c->once by how much at
 * most.
 *  @param passing  [fit.count] Memory for it. */
void dxt_note_passing(dxt_case *c, bool *passing);

/** The part of the operations in which member k came last, as the typical witness saw it. The
 * window must record it. */
double dxt_last_share(const dxt_case *c, uint32_t k);

/** Whether the window says which rank came last. */
bool dxt_records_last(const dxt_window *window);

/** Whether a slow path is slow more often than by chance. The window must record which rank came
 *  last. */
bool dxt_path_persists(const dxt_case *c, const dxt_slow_path *path);

#endif
