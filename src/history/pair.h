/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With two ranks: whether one is late or the other one early. Their waits only say which is later.
 * The work of each (dxt_findings.work: its step less its waits) says which has changed, compared
 * with healthy windows of the same mix of work.
 */
#ifndef DXT_HISTORY_PAIR_H
#define DXT_HISTORY_PAIR_H

#include "history/weighing.h"

/** Fill in the work and the mix of the window in the next slot. */
void dxt_pair_take(dxt_track *track, const dxt_window *window, const dxt_findings *findings);

/** Remember the newest window if no operator of it has a finding. Call it when the next window is
 *  there, since only then all operators of the newest one have been judged. */
void dxt_pair_remember(const dxt_history *history, dxt_track *track);

/**
 * Decide a finding that says "this rank is late or the other one early" (`or_early`).
 *
 * @return Whether it now names the early rank, which costs nothing.
 */
bool dxt_pair_settle(const dxt_weighing *w, dxt_finding *finding);

#endif
