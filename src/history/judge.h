/* SPDX-License-Identifier: Apache-2.0 */
/* Judge the findings of one window by the windows before. */
#ifndef DXT_HISTORY_JUDGE_H
#define DXT_HISTORY_JUDGE_H

#include "history/memory.h"

/**
 * @param track   The window's track, whose next slot is filled in, and is counted now; NULL: copy
 *                the findings as they are.
 * @param result  Receives the findings; its memory is used again.
 */
dxt_status dxt_history_weigh(dxt_history *history, dxt_track *track, const dxt_window *window,
                             const dxt_findings *findings, dxt_block *result);

#endif
