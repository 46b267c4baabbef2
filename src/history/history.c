/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions: create and destroy a history, find the windows of a run, judge them. */
#include "history/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/explain/paths.h"
#include "analysis/pack.h"
#include "analysis/phase.h"
#include "base/base.h"
#include "history/episodes.h"
#include "history/judge.h"
#include "history/still.h"
#include "history/take.h"
#include "matrix/fields.h"
#include "system/text.h"

dxt_status dxt_history_create(const dxt_history_options *given, dxt_history **history)
{
    if (!history) return dxt_fail(DXT_ERR_INVALID, "history must not be NULL");
    dxt_history_options options = {.min_share = 0};
    if (given && !dxt_take_struct(&options, sizeof options, given, sizeof options.struct_size))
        return dxt_fail_size("options", "dxt_history_options", given->struct_size);
    if (!(options.min_share >= 0) || isinf(options.min_share))
        return dxt_fail(DXT_ERR_INVALID,
                        "options.min_share is %g, but must be finite and not negative",
                        options.min_share);
    dxt_history *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    made->min_share = options.min_share;
    *history = made;
    return DXT_OK;
}

/* Forget the run, but keep its memory: the next run mostly has the same operators. */
static void forget(dxt_history *history)
{
    for (uint32_t t = 0; t < history->tracks; t++) dxt_track_forget(&history->track[t]);
    history->ranks = 0;
}

static void free_tracks(dxt_history *history)
{
    for (uint32_t t = 0; t < history->tracks; t++) dxt_track_free(&history->track[t]);
    history->tracks = 0;
}

void dxt_history_destroy(dxt_history *history)
{
    if (!history) return;
    free_tracks(history);
    free(history->instance);
    free(history->source);
    free(history->case_name);
    dxt_draft_free(&history->draft);
    free(history->edits.data);
    free(history->nodes.data);
    free(history);
}

/* ---- runs ---- */

/* Replace a name; leaves it untouched on error, and if it is the same. */
static bool copy_text(const char *text, char **copy)
{
    if (dxt_same_text(text, *copy)) return true;
    char *made = text ? strdup(text) : NULL;
    if (text && !made) return false;
    free(*copy);
    *copy = made;
    return true;
}

dxt_track *dxt_find_track(const dxt_history *history, const char *phase)
{
    for (uint32_t t = 0; t < history->tracks; t++)
        if (strcmp(history->track[t].phase, phase) == 0) return (dxt_track *)&history->track[t];
    return NULL;
}

static bool of_same_run(const dxt_history *history, const dxt_window *window)
{
    return window->index >= 0 && window->ranks == history->ranks &&
           dxt_same_text(window->instance, history->instance) &&
           dxt_same_text(window->source, history->source) &&
           dxt_same_text(window->case_name, history->case_name);
}

/* Whether a window has another measure than those before it, so that they cannot be compared. */
static bool is_odd(const dxt_track *track, const dxt_window *window)
{
    return track->count > 0 && dxt_window_measure(window) != track->measure;
}

/* Whether windows of another measure have taken over, counting this one. If the new measure says
 * more, they take over the sooner the fewer old windows there are to forget. */
static bool takes_over(const dxt_track *track, dxt_measure measure)
{
    bool best = measure == DXT_MEASURE_NS_PER_OP;
    uint32_t patience = best && track->count < DXT_BASE_WINDOWS ? track->count : DXT_BASE_WINDOWS;
    return track->odd + 1 >= patience;
}

int dxt_history_continues(const dxt_history *history, const dxt_window *window)
{
    if (!history || !window) return 0;
    if (history->ranks == 0) return 1;
    if (!of_same_run(history, window)) return 0;
    for (uint32_t t = 0; t < history->tracks; t++) {
        const dxt_track *track = &history->track[t];
        if (strcmp(track->phase, window->phase) == 0 && track->count > 0)
            return window->index > dxt_track_moment(track, track->count - 1)->index &&
                   (!is_odd(track, window) || !takes_over(track, dxt_window_measure(window)));
    }
    return 1;
}

static dxt_status begin_run(dxt_history *history, const dxt_window *window)
{
    forget(history);
    if (history->tracks > 0 && history->track[0].ranks != window->ranks) free_tracks(history);
    if (!copy_text(window->instance, &history->instance) ||
        !copy_text(window->source, &history->source) ||
        !copy_text(window->case_name, &history->case_name))
        return dxt_fail_memory(0);
    history->ranks = window->ranks;
    return DXT_OK;
}

/* Find a place for one more operator, if need be that of one that this run has not had so far. */
static dxt_track *free_place(dxt_history *history)
{
    if (history->tracks < DXT_HISTORY_OPERATORS) return &history->track[history->tracks];
    for (uint32_t t = 0; t < history->tracks; t++)
        if (history->track[t].count == 0) return &history->track[t];
    return NULL;
}

/* The track of a window; NULL when it is not followed. */
static dxt_status take_track(dxt_history *history, const dxt_window *window, dxt_track **track)
{
    dxt_track made;
    dxt_status status = DXT_OK;
    *track = NULL;
    if (history->ranks == 0 || !dxt_history_continues(history, window))
        status = begin_run(history, window);
    if (status != DXT_OK) return status;
    *track = dxt_find_track(history, window->phase);
    if (*track) return DXT_OK;
    dxt_track *place = free_place(history);
    if (!place) return DXT_OK;
    status = dxt_track_init(&made, window->phase, window->ranks);
    if (status != DXT_OK) return status;
    if (place == &history->track[history->tracks])
        history->tracks++;
    else
        dxt_track_free(place);
    *place = made;
    *track = place;
    return DXT_OK;
}

/* How far the cells of an operator vary from window to window in the run that the window continues,
 * or whose newest window it is: standard deviation of the logarithm of a cell (plus the floor),
 * above 0; 0 = unknown. */
static double prior_spread(const dxt_history *history, const dxt_window *window)
{
    if (!history || history->ranks == 0 || !of_same_run(history, window)) return 0;
    const dxt_track *track = dxt_find_track(history, window->phase);
    if (!track || track->count == 0) return 0;
    bool same = dxt_window_measure(window) == track->measure;
    /* A companion may have been followed already. */
    bool newer = window->index >= dxt_track_moment(track, track->count - 1)->index;
    double spread = same && newer ? dxt_track_cell_spread(track) : NAN;
    return isnan(spread) ? 0 : fmax(spread, DXT_SMALLEST_SPREAD);
}

/* How long two ranks waited for each other in a transfer while nobody was named; 0 = unknown. */
static double prior_transfer(const dxt_history *history, const dxt_window *window,
                             const dxt_window *adjacent)
{
    bool own = adjacent && dxt_is_phase(window->phase, " transfer");
    const dxt_window *transfer = own ? window : adjacent;
    if (!transfer || !history || history->ranks != 2 || !of_same_run(history, window)) return 0;
    const dxt_track *track = dxt_find_track(history, transfer->phase);
    return track ? dxt_track_both_ways(track, transfer) : 0;
}

/* How long the ranks waited for a core before the window, up to its beginning; NULL = unknown. */
static const int64_t *prior_delay(const dxt_history *history, const dxt_window *window)
{
    if (!history || history->ranks == 0 || !of_same_run(history, window)) return NULL;
    const dxt_track *track = dxt_find_track(history, window->phase);
    bool adjoins = track && track->knows_delay && window->index - 1 == track->delay_of;
    return adjoins ? track->delay_ns : NULL;
}

dxt_status dxt_history_prior(const dxt_history *history, const dxt_window *window,
                             dxt_analysis_options *options)
{
    if (!window || !options)
        return dxt_fail(DXT_ERR_INVALID, "window and options must not be NULL");
    if (options->struct_size < DXT_SIZE_UP_TO(dxt_analysis_options, companion_spread))
        return dxt_fail_size("options", "dxt_analysis_options", options->struct_size);
    const dxt_window *companion = options->companion;
    options->cell_spread = prior_spread(history, window);
    options->companion_spread = companion ? prior_spread(history, companion) : 0;
    if (options->struct_size >= DXT_SIZE_UP_TO(dxt_analysis_options, transfer_ordinary))
        options->transfer_ordinary = prior_transfer(history, window, options->adjacent);
    if (options->struct_size >= DXT_SIZE_UP_TO(dxt_analysis_options, run_delay_before_ns))
        options->run_delay_before_ns = prior_delay(history, window);
    return DXT_OK;
}

/* Find the track of a window, and fill in its next slot. NULL if there is none, or if the window
 * has another measure than those before it. */
static dxt_status take_window(dxt_history *history, const dxt_window *window,
                              const dxt_findings *findings, dxt_track **track)
{
    dxt_status status = DXT_OK;
    *track = NULL;
    if (findings->ranks != window->ranks)
        return dxt_fail(DXT_ERR_INVALID, "the findings are of %u ranks, but the window has %u",
                        findings->ranks, window->ranks);
    if (window->index < 0)
        forget(history);
    else if (findings->lateness)
        status = take_track(history, window, track);
    if (status != DXT_OK || !*track) return status;
    if (is_odd(*track, window)) {
        dxt_track_pass(*track);
        dxt_track_keep_delay(*track, window, true);
        *track = NULL;
    } else {
        dxt_track_take(*track, history, window, findings);
    }
    return DXT_OK;
}

/* @return Whether the window is of the run, and no operation was completed in it. */
static bool take_still(dxt_history *history, const dxt_window *window, const dxt_findings *findings,
                       dxt_track **track, dxt_status *status)
{
    *status = DXT_OK;
    if (window->index < 0 || findings->ranks != window->ranks ||
        findings->method != DXT_METHOD_ROBUST || !dxt_window_is_still(window))
        return false;
    *track = of_same_run(history, window) ? dxt_find_track(history, window->phase) : NULL;
    if (*track && (*track)->count > 0)
        return window->index > dxt_track_moment(*track, (*track)->count - 1)->index;
    *status = take_track(history, window, track);
    return *status != DXT_OK || *track;
}

dxt_status dxt_history_judge(dxt_history *history, const dxt_window *window,
                             const dxt_findings *findings, dxt_findings **judged)
{
    if (!history || !window || !findings || !judged)
        return dxt_fail(DXT_ERR_INVALID,
                        "history, window, findings and the result must not be NULL");
    dxt_track *track;
    dxt_block result = {0};
    dxt_status status;
    bool still = take_still(history, window, findings, &track, &status);
    if (!still && status == DXT_OK) status = take_window(history, window, findings, &track);
    if (status == DXT_OK)
        status = (still ? dxt_history_stand : dxt_history_weigh)(history, track, window, findings,
                                                                 &result);
    if (status == DXT_OK) *judged = result.data;
    return status;
}

dxt_status dxt_history_follow(dxt_history *history, const dxt_window *window,
                              const dxt_findings *findings, const dxt_findings **judged)
{
    if (!history || !window || !findings || !judged)
        return dxt_fail(DXT_ERR_INVALID,
                        "history, window, findings and the result must not be NULL");
    dxt_track *track;
    dxt_status status;
    bool still = take_still(history, window, findings, &track, &status);
    if (!still && status == DXT_OK) status = take_window(history, window, findings, &track);
    if (status == DXT_OK && !track) *judged = findings;
    if (status != DXT_OK || !track) return status;
    status = dxt_draft_reserve(&history->draft, window->ranks, dxt_most_paths(window->ranks),
                               &track->result);
    if (status == DXT_OK)
        status = (still ? dxt_history_stand : dxt_history_weigh)(history, track, window, findings,
                                                                 &track->result);
    if (status == DXT_OK) *judged = track->result.data;
    return status;
}
