/* SPDX-License-Identifier: Apache-2.0 */
#include "history/episodes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "history/memory.h"

static bool same_subject(const dxt_episode *episode, const dxt_finding *finding)
{
    return episode->kind == finding->kind && episode->rank == finding->rank &&
           episode->source == finding->source && episode->node == finding->node &&
           episode->source_node == finding->source_node;
}

static bool is_open(const dxt_track *track, size_t e)
{
    return track->windows - track->last_at[e] <= DXT_EPISODE_GAP;
}

/* Silence first, then by what it costs in all; harmless last. @p lost: the sum of its waits. */
static double cost(const dxt_episode *episode, double lost)
{
    if (episode->kind == DXT_SILENT_RANK) return INFINITY;
    if (episode->kind == DXT_EARLY_RANK) return -1;
    return isnan(lost) ? 0 : lost;
}

/* Of the episodes that are over, the one that cost least, the oldest of equals; SIZE_MAX when none
 * is over. */
static size_t least_worth_keeping(const dxt_track *track)
{
    size_t least = SIZE_MAX;
    double lowest = 0;
    for (size_t e = 0; e < track->episode_count; e++) {
        double worth = cost(&track->episodes[e], track->episodes[e].wait);
        if (is_open(track, e) || (least != SIZE_MAX && worth > lowest)) continue;
        if (least != SIZE_MAX && worth == lowest && track->last_at[e] > track->last_at[least])
            continue;
        least = e;
        lowest = worth;
    }
    return least;
}

/* The open episode of a finding, or a new one; SIZE_MAX when there is no room. */
static size_t find_episode(dxt_track *track, const dxt_finding *finding, int64_t index)
{
    for (size_t e = track->episode_count; e-- > 0;)
        if (is_open(track, e) && same_subject(&track->episodes[e], finding)) return e;
    bool full = track->episode_count == DXT_HISTORY_EPISODES;
    size_t e = full ? least_worth_keeping(track) : track->episode_count++;
    if (e == SIZE_MAX) return e;
    track->episodes[e] = (dxt_episode){.phase = track->phase,
                                       .kind = finding->kind,
                                       .rank = finding->rank,
                                       .source = finding->source,
                                       .node = finding->node,
                                       .source_node = finding->source_node,
                                       .first = index};
    assert(e < DXT_HISTORY_EPISODES);
    track->begin_at[e] = track->windows > 0 ? track->windows - 1 : 0;
    return e;
}

/* `wait` and `share` hold sums until the summary is asked for. */
void dxt_track_note(dxt_track *track, int64_t index, const dxt_findings *judged)
{
    for (size_t f = 0; f < judged->finding_count; f++) {
        const dxt_finding *finding = &judged->findings[f];
        size_t e = find_episode(track, finding, index);
        if (e == SIZE_MAX) continue;
        dxt_episode *episode = &track->episodes[e];
        episode->last = index;
        episode->seen++;
        episode->wait += finding->wait;
        episode->share += finding->share;
        track->last_at[e] = track->windows;
    }
}

static dxt_episode sum_up(const dxt_track *track, size_t e)
{
    dxt_episode episode = track->episodes[e];
    episode.ongoing = is_open(track, e);
    episode.windows = (episode.ongoing ? track->windows : track->last_at[e]) - track->begin_at[e];
    /* Windows in which nothing was completed are not counted, but may name somebody. */
    if (episode.windows < episode.seen) episode.windows = episode.seen;
    episode.measure = track->measure;
    episode.wait /= (double)episode.seen;
    episode.share /= (double)episode.windows;
    return episode;
}

static int by_cost(const void *a, const void *b)
{
    const dxt_episode *x = a, *y = b;
    double more = cost(x, x->wait * (double)x->seen), less = cost(y, y->wait * (double)y->seen);
    if (more != less) return (more < less) - (more > less);
    if (x->first != y->first) return (x->first > y->first) - (x->first < y->first);
    return (x->rank > y->rank) - (x->rank < y->rank);
}

dxt_status dxt_history_summary(const dxt_history *history, dxt_episode **episodes, size_t *count)
{
    if (!history || !episodes || !count)
        return dxt_fail(DXT_ERR_INVALID, "history: the places for the summary must not be NULL");
    size_t total = 0, used = 0;
    for (uint32_t t = 0; t < history->tracks; t++) total += history->track[t].episode_count;
    dxt_episode *made = total ? malloc(total * sizeof *made) : NULL;
    if (total && !made) return dxt_fail_memory(total * sizeof *made);
    for (uint32_t t = 0; t < history->tracks; t++)
        for (size_t e = 0; e < history->track[t].episode_count; e++)
            made[used++] = sum_up(&history->track[t], e);
    if (used) qsort(made, used, sizeof *made, by_cost);
    *episodes = made;
    *count = used;
    return DXT_OK;
}
