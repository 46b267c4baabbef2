/* SPDX-License-Identifier: Apache-2.0 */
/* Join findings to episodes: who, since when, how often. */
#ifndef DXT_HISTORY_EPISODES_H
#define DXT_HISTORY_EPISODES_H

#include "history/track.h"

/** Note the findings of the window just counted. */
void dxt_track_note(dxt_track *track, const dxt_window *window, const dxt_findings *judged);

#endif
