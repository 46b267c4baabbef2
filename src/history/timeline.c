/* SPDX-License-Identifier: Apache-2.0 */
/* The lateness of each rank over the remembered windows, for drawing. */
#include <stdlib.h>

#include "base/base.h"
#include "history/memory.h"

dxt_status dxt_history_timeline(const dxt_history *history, const char *phase,
                                dxt_timeline **timeline)
{
    if (!history || !phase || !timeline)
        return dxt_fail(DXT_ERR_INVALID, "history, phase and timeline must not be NULL");
    const dxt_track *track = dxt_find_track(history, phase);
    if (!track || track->count == 0)
        return dxt_fail(DXT_ERR_INVALID, "the history has no window of operator '%s'", phase);
    size_t windows = track->count;
    size_t size =
        sizeof(dxt_timeline) + windows * sizeof(int64_t) + windows * track->ranks * sizeof(double);
    dxt_timeline *made = malloc(size);
    if (!made) return dxt_fail_memory(size);
    int64_t *index = (int64_t *)(made + 1);
    double *lateness = (double *)(index + windows);
    for (uint32_t p = 0; p < windows; p++) {
        index[p] = dxt_track_moment(track, p)->index;
        for (uint32_t r = 0; r < track->ranks; r++)
            lateness[r * windows + p] = dxt_track_late(track, p, r);
    }
    *made = (dxt_timeline){.ranks = track->ranks,
                           .windows = windows,
                           .measure = track->measure,
                           .floor = dxt_track_moment(track, track->count - 1)->floor,
                           .index = index,
                           .lateness = lateness};
    *timeline = made;
    return DXT_OK;
}
