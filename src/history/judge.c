/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that judge a window's findings by the windows before. */
#include "history/judge.h"

#include <math.h>
#include <string.h>

#include "analysis/pack.h"
#include "analysis/raw.h"
#include "analysis/transfer.h"
#include "history/episodes.h"
#include "history/stands.h"
#include "history/stays.h"

static void copy_axes(dxt_weighing *w, bool rows)
{
    const dxt_abnormal_axis *axes = rows ? w->found->rows : w->found->cols;
    size_t count = rows ? w->found->row_count : w->found->col_count, next = 0;
    uint8_t add = rows ? DXT_ADD_ROW : DXT_ADD_COL, drop = rows ? DXT_DROP_ROW : DXT_DROP_COL;
    void (*put)(dxt_draft *, uint32_t, double, double) = rows ? dxt_draft_row : dxt_draft_col;
    uint32_t n = w->window->ranks;
    for (uint32_t r = 0; r < n; r++) {
        bool listed = next < count && axes[next].rank == r;
        if (listed && !(w->edit[r] & drop))
            put(w->draft, r, axes[next].mean, axes[next].normalised);
        else if (!listed && (w->edit[r] & add)) {
            double mean =
                rows ? dxt_raw_mean_of_row(w->window, r) : dxt_raw_mean_of_column(w->window, r);
            put(w->draft, r, mean, dxt_normalise(mean, dxt_raw_mean(w->window)));
        }
        next += listed;
    }
}

static dxt_status copy_lateness(dxt_weighing *w)
{
    size_t n = w->window->ranks;
    if (!w->found->lateness) return DXT_OK;
    double *lateness = dxt_draft_lateness(w->draft, w->window->ranks);
    if (!lateness) return DXT_ERR_NO_MEMORY;
    memcpy(lateness, w->found->lateness, n * sizeof *lateness);
    memcpy(lateness + n, w->found->lateness_error, n * sizeof *lateness);
    for (size_t r = 0; r < n; r++)
        lateness[2 * n + r] = w->found->lateness_of_node ? w->found->lateness_of_node[r] : 0;
    return DXT_OK;
}

static void give_verdict(dxt_weighing *w)
{
    w->draft->verdict = w->found->verdict;
    if (w->draft->verdict == DXT_VERDICT_SLOW && w->track) w->draft->verdict = DXT_VERDICT_HEALTHY;
    /* A window that loses much time is not healthy, even if the cause is in doubt. */
    bool loses = w->doubted || dxt_draft_loses(w->draft);
    if (w->draft->verdict == DXT_VERDICT_HEALTHY && loses)
        w->draft->verdict = DXT_VERDICT_INCONCLUSIVE;
    for (size_t f = 0; f < w->draft->finding_count; f++)
        if (w->draft->findings[f].kind != DXT_EARLY_RANK) w->draft->verdict = DXT_VERDICT_SLOW;
}

/* Fill in the nodes that the findings need. */
static void name_nodes(const dxt_weighing *w, int32_t *nodes)
{
    for (uint32_t r = 0; r < w->window->ranks; r++) nodes[r] = -1;
    for (size_t f = 0; f < w->found->finding_count; f++) {
        const dxt_finding *finding = &w->found->findings[f];
        if (finding->node < 0) continue;
        for (uint32_t k = 0; k < finding->rank_count; k++) nodes[finding->ranks[k]] = finding->node;
    }
}

static void look_around(dxt_weighing *w)
{
    for (uint32_t t = 0; t < w->history->tracks; t++) {
        dxt_track *track = &w->history->track[t];
        bool own = track == w->track;
        w->noise[t] = dxt_track_noise(track, track->count + own);
        if (own) w->own_noise = w->noise[t];
    }
    w->newest = w->track->count;
    w->now = dxt_track_moment(w->track, w->newest);
}

static void fill_draft(dxt_weighing *w)
{
    const dxt_findings *found = w->found;
    for (size_t f = 0; f < found->finding_count; f++) {
        for (uint32_t r = 0; r < found->ranks; r++)
            if (dxt_finding_names(&found->findings[f], r)) w->edit[r] |= DXT_NAMED;
        dxt_finding finding = found->findings[f];
        dxt_recall_transfer(w->window, &finding);
        dxt_keep_finding(w, finding);
    }
    if (w->track) dxt_add_late_ranks(w);
    copy_axes(w, false);
    copy_axes(w, true);
    for (size_t p = 0; p < found->point_count; p++)
        dxt_draft_point(w->draft, found->points[p].row, found->points[p].column,
                        found->points[p].value, found->points[p].normalised);
    give_verdict(w);
}

dxt_status dxt_history_weigh(dxt_history *history, dxt_track *track, const dxt_window *window,
                             const dxt_findings *findings, dxt_block *result)
{
    dxt_weighing w = {.history = history,
                      .track = track,
                      .window = window,
                      .found = findings,
                      .draft = &history->draft};
    int32_t *nodes = dxt_block_fit(&history->nodes, window->ranks * sizeof *nodes);
    w.edit = dxt_block_fit(&history->edits, window->ranks);
    if (!nodes || !w.edit) return DXT_ERR_NO_MEMORY;
    memset(w.edit, 0, window->ranks);
    dxt_draft_reset(w.draft, findings->method);
    w.draft->ordinary = findings->ordinary;
    w.draft->step = findings->step;
    w.draft->transfer = findings->transfer;
    w.draft->floor = findings->floor;
    w.draft->waits_beside = findings->waits_beside;
    w.draft->lost_share = findings->lost_share;
    w.draft->apart_share = findings->apart_share;
    w.draft->inherited = findings->inherited;
    w.draft->likely_node_size = findings->likely_node_size;
    w.draft->node_size = findings->node_size;
    w.draft->work_of = findings->work_of;
    w.draft->delayed_rank = findings->delayed_rank;
    w.draft->delayed_ns = findings->delayed_ns;
    memcpy(w.draft->work, findings->work, sizeof w.draft->work);
    if (track) look_around(&w);
    dxt_status status = copy_lateness(&w);
    if (status != DXT_OK) return status;
    fill_draft(&w);
    name_nodes(&w, nodes);
    status = dxt_draft_pack(w.draft, window, nodes, result);
    if (status != DXT_OK || !track) return status;
    dxt_track_commit(track, result->data);
    dxt_track_keep_delay(track, window, false);
    dxt_track_note(track, window, result->data);
    return DXT_OK;
}
