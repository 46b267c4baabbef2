/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence that a cause acts all the time, not once: one long stall raises a mean, but makes no
 * late rank. If the window records which rank came last, the rank that is the cause must be last
 * more often than by chance, in the operations in which no later rank was.
 */
#ifndef DXT_EXPLAIN_PERSISTS_H
#define DXT_EXPLAIN_PERSISTS_H

#include "analysis/case.h"

/** Note the ranks that are late only once in a while in c->passing, and the largest such lateness
 * in c->once.
 *  @param passing  [fit.count] Memory for it. */
void dxt_note_passing(dxt_case *c, bool *passing);

/** The share of operations in which member k came last, as a typical other rank saw it. The window
 * must record which rank came last. */
double dxt_last_share(const dxt_case *c, uint32_t k);

/** Whether the window records which rank came last. */
bool dxt_records_last(const dxt_window *window);

/** Whether a slow path is slow more often than by chance. The window must record which rank came
 *  last. */
bool dxt_path_persists(const dxt_case *c, const dxt_slow_path *path);

#endif
