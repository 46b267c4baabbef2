/* SPDX-License-Identifier: Apache-2.0 */
/* Write a window and its findings into a slot of a track. */
#ifndef DXT_HISTORY_TAKE_H
#define DXT_HISTORY_TAKE_H

#include "history/memory.h"

/** Fill in the next slot, at position `count`. The window is not counted yet. */
void dxt_track_take(dxt_track *track, const dxt_history *history, const dxt_window *window,
                    const dxt_findings *findings);

#endif
