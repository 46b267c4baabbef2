/* SPDX-License-Identifier: Apache-2.0 */
/* A window and its findings become a slot of a track. */
#ifndef DXT_HISTORY_TAKE_H
#define DXT_HISTORY_TAKE_H

#include "history/track.h"

/** Fill in the next slot, position `count`, which is not counted yet. */
void dxt_track_take(dxt_track *track, double min_share, const dxt_window *window,
                    const dxt_findings *findings);

#endif
