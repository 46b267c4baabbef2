/* SPDX-License-Identifier: Apache-2.0 */
/* What is drawn of a track: its columns, its marks, and what is said below it. */
#ifndef TOOLS_DRAW_TRACK_DRAW_H
#define TOOLS_DRAW_TRACK_DRAW_H

#include <deepxtrace/history.h>
#include <deepxtrace/render.h>

#include "track.h"

/** Make a track ready to be drawn. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status track_finish(track *track, const dxt_history *history);
/** As dxt_timeline_write() wants it; valid as long as the track. */
dxt_timeline_panel track_panel(const track *track);

#endif
