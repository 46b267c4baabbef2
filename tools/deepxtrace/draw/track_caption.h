/* SPDX-License-Identifier: Apache-2.0 */
/* What is said below the picture of a track. */
#ifndef TOOLS_DRAW_TRACK_CAPTION_H
#define TOOLS_DRAW_TRACK_CAPTION_H

#include <deepxtrace/history.h>

#include "track.h"

/** Whether an episode blames a rank: itself, or its node. */
bool track_blames(const track *track, const dxt_episode *episode, uint32_t rank);
/** Make the caption: the entries of the run's summary that are about this operator, and why nothing
 *  of the latest rank is among them. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status track_caption(track *track, const dxt_history *history);

#endif
