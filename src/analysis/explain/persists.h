/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence that a cause is at work all the time, not once. One long stall makes a mean, but not a
 * late rank. Where the window records who came last, a cause must be last more often than chance
 * has it, in the operations in which nothing later was.
 */
#ifndef DXT_EXPLAIN_PERSISTS_H
#define DXT_EXPLAIN_PERSISTS_H

#include "analysis/case.h"

/** Note in c->passing who is late only once in a while, and in c->once by how much at most.
 *  @param passing  [fit.count] Memory for it. */
void dxt_note_passing(dxt_case *c, bool *passing);

/** In which part of the operations member k came last, as the typical witness saw it. The window
 *  must record it. */
double dxt_last_share(const dxt_case *c, uint32_t k);

/** Whether the window says anything about who came last. */
bool dxt_records_last(const dxt_window *window);

/** Whether a slow path is slow more often than by chance, in a window that records who came last.
 */
bool dxt_path_persists(const dxt_case *c, const dxt_slow_path *path);

#endif
