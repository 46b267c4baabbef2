/* SPDX-License-Identifier: Apache-2.0 */
#include "history/weighing.h"

#include <math.h>

#include "analysis/tuning.h"

double dxt_history_chance(const dxt_track *track, const dxt_moment *moment, double noise,
                          uint32_t length)
{
    return dxt_track_significance(track, moment, noise, length) * noise / sqrt(length);
}

double dxt_history_surest(const dxt_weighing *w)
{
    if (w->track->ranks > DXT_SURE_RANKS || w->track->ranks == 2) return DXT_SUREST;
    for (uint32_t t = 0; t < w->history->tracks; t++) {
        const dxt_track *other = &w->history->track[t];
        for (uint32_t back = 1; back <= DXT_RECENT && back <= other->count; back++)
            if (other != w->track && !dxt_track_moment(other, other->count - back)->quiet)
                return DXT_DOUBTFUL;
    }
    return DXT_SUREST;
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
