/* SPDX-License-Identifier: Apache-2.0 */
#include "history/weighing.h"

#include <math.h>

double dxt_history_chance(const dxt_track *track, const dxt_moment *moment, double noise,
                          uint32_t length)
{
    return dxt_track_significance(track, moment, noise, length) * noise / sqrt(length);
}

bool dxt_history_spilled(const dxt_weighing *w, uint32_t rank, double wait)
{
    for (uint32_t t = 0; t < w->history->tracks; t++) {
        const dxt_track *other = &w->history->track[t];
        if (other == w->track || other->count == 0) continue;
        if (dxt_track_late(other, other->count - 1, rank) > DXT_SPILL * wait) return true;
    }
    return false;
}
