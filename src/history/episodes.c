/* SPDX-License-Identifier: Apache-2.0 */
#include "history/episodes.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tuning.h"
#include "base/base.h"
#include "history/memory.h"
#include "numeric/sort.h"

/* Whether two rails are the same, although their slow paths differ a little from window to window.
 */
static bool same_rail(const dxt_episode *episode, const dxt_finding *finding)
{
    uint32_t a = 0, b = 0, both = 0, more = episode->rank_count;
    while (a < episode->rank_count && b < finding->rank_count) {
        uint32_t x = episode->ranks[a], y = finding->ranks[b];
        both += x == y;
        a += x <= y;
        b += y <= x;
    }
    if (finding->rank_count > more) more = finding->rank_count;
    return 2 * both >= more;
}

int dxt_episode_names(const dxt_episode *episode, const dxt_finding *finding)
{
    if (!episode || !finding || episode->rank != finding->rank ||
        episode->source != finding->source || episode->node != finding->node ||
        episode->source_node != finding->source_node)
        return 0;
    if (episode->rank != DXT_NO_RANK || episode->source != DXT_NO_RANK || episode->node >= 0)
        return 1;
    return episode->kind == finding->kind &&
           (episode->kind != DXT_SLOW_PATH || same_rail(episode, finding));
}

static bool same_subject(const dxt_episode *episode, const dxt_finding *finding)
{
    return episode->kind == finding->kind && dxt_episode_names(episode, finding);
}

static bool is_open(const dxt_track *track, size_t e)
{
    return track->windows - track->last_at[e] <= DXT_EPISODE_GAP;
}

/* The order of episodes: silent ranks first, then by their whole cost, harmless ones last.
 * @param lost  The sum of its waits. */
static double cost(const dxt_episode *episode, double lost)
{
    if (episode->kind == DXT_SILENT_RANK) return INFINITY;
    if (episode->kind == DXT_EARLY_RANK) return -1;
    return isnan(lost) ? 0 : lost;
}

/* The closed episode that cost least, among equals the oldest; SIZE_MAX if none is closed. */
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

/* Copy what an episode of several paths names besides a rank. */
static void keep_rail(dxt_track *track, size_t e, const dxt_finding *finding)
{
    if (finding->kind != DXT_SLOW_PATH || finding->rank_count == 0) return;
    uint32_t *ranks = track->rails + e * DXT_BUNDLE_LISTED, count = finding->rank_count;
    if (count > DXT_BUNDLE_LISTED) count = DXT_BUNDLE_LISTED;
    memcpy(ranks, finding->ranks, count * sizeof *ranks);
    track->episodes[e].ranks = ranks;
    track->episodes[e].rank_count = count;
}

/* Note when an episode began, and the place of the rank that it names. */
static void keep_place(dxt_episode *episode, const dxt_window *window)
{
    uint32_t rank = episode->rank;
    bool named = rank < window->ranks;
    episode->place = (dxt_place){.gpu = -1, .rank = -1};
    if (window->begin) snprintf(episode->begin, sizeof episode->begin, "%s", window->begin);
    if (named && window->devices) episode->place = window->devices[rank];
    if (named && window->hosts && window->hosts[rank] && !episode->place.host[0])
        snprintf(episode->place.host, sizeof episode->place.host, "%s", window->hosts[rank]);
}

/* The open episode of a finding, or a new one; SIZE_MAX when there is no room. */
static size_t find_episode(dxt_track *track, const dxt_finding *finding, const dxt_window *window)
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
                                       .or_early = finding->or_early,
                                       .first = window->index};
    keep_place(&track->episodes[e], window);
    keep_rail(track, e, finding);
    assert(e < DXT_HISTORY_EPISODES);
    track->begin_at[e] = track->windows > 0 ? track->windows - 1 : 0;
    return e;
}

/* `wait` and `share` hold sums until the summary is asked for. */
void dxt_track_note(dxt_track *track, const dxt_window *window, const dxt_findings *judged)
{
    for (size_t f = 0; f < judged->finding_count; f++) {
        const dxt_finding *finding = &judged->findings[f];
        size_t e = find_episode(track, finding, window);
        if (e == SIZE_MAX) continue;
        dxt_episode *episode = &track->episodes[e];
        episode->last = window->index;
        episode->or_early = episode->or_early && finding->or_early;
        episode->seen++;
        if (finding->path_total > episode->path_total) episode->path_total = finding->path_total;
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
    /* Windows without a completed operation are not counted, but may name a rank. */
    if (episode.windows < episode.seen) episode.windows = episode.seen;
    episode.measure = track->measure;
    episode.wait /= (double)episode.seen;
    episode.share /= (double)episode.windows;
    return episode;
}

/* An episode's index, and the keys it is sorted by. */
struct placed {
    double cost;
    int64_t first, rank;
    uint32_t track, episode;
};

/* Whether x comes before y; equal ones stay in their order. */
static inline bool before(const struct placed *x, const struct placed *y)
{
    if (x->cost > y->cost || x->cost < y->cost) return x->cost > y->cost;
    if (x->first != y->first) return x->first < y->first;
    if (x->rank != y->rank) return x->rank < y->rank;
    return x->track != y->track ? x->track < y->track : x->episode < y->episode;
}

DXT_SORT(sort_placed, struct placed, before)

static size_t place_all(const dxt_history *history, struct placed *placed)
{
    size_t used = 0;
    for (uint32_t t = 0; t < history->tracks; t++)
        for (uint32_t e = 0; e < history->track[t].episode_count; e++) {
            dxt_episode episode = sum_up(&history->track[t], e);
            placed[used++] =
                (struct placed){.cost = cost(&episode, episode.wait * (double)episode.seen),
                                .first = episode.first,
                                .rank = episode.rank,
                                .track = t,
                                .episode = e};
        }
    sort_placed(placed, used);
    return used;
}

dxt_status dxt_history_summary(const dxt_history *history, dxt_episode **episodes, size_t *count)
{
    struct placed placed[DXT_HISTORY_OPERATORS * DXT_HISTORY_EPISODES];
    if (!history || !episodes || !count)
        return dxt_fail(DXT_ERR_INVALID, "history, episodes and count must not be NULL");
    size_t used = place_all(history, placed);
    dxt_episode *made = used ? malloc(used * sizeof *made) : NULL;
    if (used && !made) return dxt_fail_memory(used * sizeof *made);
    for (size_t k = 0; k < used; k++)
        made[k] = sum_up(&history->track[placed[k].track], placed[k].episode);
    *episodes = made;
    *count = used;
    return DXT_OK;
}

uint64_t dxt_history_windows(const dxt_history *history)
{
    uint64_t most = 0;
    for (uint32_t t = 0; history && t < history->tracks; t++)
        if (history->track[t].windows > most) most = history->track[t].windows;
    return most;
}

dxt_status dxt_history_run(const dxt_history *history, dxt_run_identity *run)
{
    if (!history || !run) return dxt_fail(DXT_ERR_INVALID, "history and run must not be NULL");
    dxt_run_identity made = {.struct_size = sizeof made};
    if (history->ranks > 0)
        made = (dxt_run_identity){.ranks = history->ranks,
                                  .windows = dxt_history_windows(history),
                                  .instance = history->instance,
                                  .source = history->source,
                                  .case_name = history->case_name};
    if (!dxt_give_struct(run, &made, sizeof made, DXT_SIZE_UP_TO(dxt_run_identity, case_name)))
        return dxt_fail_size("run", "dxt_run_identity", run->struct_size);
    return DXT_OK;
}
