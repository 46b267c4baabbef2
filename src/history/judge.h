/* SPDX-License-Identifier: Apache-2.0 */
/* The findings of one window, judged with the windows before. */
#ifndef DXT_HISTORY_JUDGE_H
#define DXT_HISTORY_JUDGE_H

#include "history/memory.h"

/**
 * @param track   Of the window, or NULL to copy the findings as they are; its next slot is filled
 *                in.
 * @param result  Receives the findings; its memory is used again.
 */
dxt_status dxt_history_weigh(dxt_history *history, dxt_track *track, const dxt_window *window,
                             const dxt_findings *findings, dxt_block *result);

#endif
