/* SPDX-License-Identifier: Apache-2.0 */
/* Store judged windows: findings, sums per rank, matrices, incidents, totals. */
#ifndef DXT_MONITOR_RECORD_H
#define DXT_MONITOR_RECORD_H

#include "judge.h"
#include "recorder.h"

/** Reasons to keep a matrix, as bits. */
enum { KEEP_NEW = 1, KEEP_SAMPLE = 2, KEEP_INCIDENT = 4 };

/** Store one; a window that is there already is left alone. A judge_fn: @p context is a recorder.
 */
bool record_window(void *context, const judged_window *w, const dxt_findings *findings);

/** Delete windows that are too old or too many. @return false with store.why. */
bool record_forget(recorder *r);

#endif
