/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of two ranks, whether one is late or the other one early. Their waits only say which is later.
 * What each does beside waiting (dxt_findings.work) says which of them has changed, against the
 * windows in which the same work was done and nobody stood out.
 */
#ifndef DXT_HISTORY_PAIR_H
#define DXT_HISTORY_PAIR_H

#include "history/weighing.h"

/** Fill in what is told of the window in the next slot. */
void dxt_pair_take(dxt_track *track, const dxt_window *window, const dxt_findings *findings);

/** Remember the newest window, if nobody stood out in any operator of it. Call it when the next one
 *  is there: the other operators of the newest have been judged then. */
void dxt_pair_remember(const dxt_history *history, dxt_track *track);

/**
 * Settle a finding about a late rank that may be about the other one being early (`or_early`).
 *
 * @return Whether it has become one about the early rank, which costs nothing.
 */
bool dxt_pair_settle(const dxt_weighing *w, dxt_finding *finding);

#endif
