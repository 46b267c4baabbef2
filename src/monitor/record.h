/* SPDX-License-Identifier: Apache-2.0 */
/* Judged windows into the store: what was found, sums per rank, matrices, incidents, totals. */
#ifndef DXT_MONITOR_RECORD_H
#define DXT_MONITOR_RECORD_H

#include "judge.h"
#include "recorder.h"

/** How matrix.cells holds N×N waits, in the window's measure, deflated. */
enum {
    CODING_FLOAT = 1, /**< float32, little endian; NaN = not observed */
    CODING_LOG = 2 /**< a byte: 0 = not observed, 1 = 0, else 2^((byte − 2) / LOG_STEPS) / 16 */
};
#define LOG_STEPS 6.0

/** Why a matrix is kept: bits. */
enum { KEEP_NEW = 1, KEEP_SAMPLE = 2, KEEP_INCIDENT = 4 };

/** Store one; a window that is there already is left alone. A judge_fn: @p context is a recorder.
 */
bool record_window(void *context, const judged_window *w, const dxt_findings *findings);

/** Forget what is too old or too much. @return false with store.why. */
bool record_forget(recorder *r);

#endif
