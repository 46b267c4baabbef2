/* SPDX-License-Identifier: Apache-2.0 */
#include "history/still.h"

#include <stdio.h>
#include <string.h>

#include "analysis/pack.h"
#include "history/episodes.h"

/* Whether a rank has sent nothing: it is named as silent already. */
static bool any_missing(const dxt_window *window)
{
    for (uint32_t r = 0; window->missing && r < window->ranks; r++)
        if (window->missing[r]) return true;
    return false;
}

/* Find the fewest operations that any rank has issued. @return How many ranks have issued so few; 0
 * if all are alike, if these are not fewer than the others, or if a rank's number is unknown. */
static uint32_t count_behind(const dxt_window *window, int64_t *fewest)
{
    int64_t least = INT64_MAX, most = -1;
    uint32_t known = 0, behind = 0;
    for (uint32_t r = 0; r < window->ranks; r++) {
        int64_t issued = window->issued[r];
        bool left = window->wait[(size_t)r * window->ranks] == DXT_NOT_OBSERVED;
        if (issued < 0 && !left) return 0;
        if (issued < 0) continue;
        known++;
        if (issued == least) behind++;
        if (issued < least) behind = 1;
        if (issued < least) least = issued;
        if (issued > most) most = issued;
    }
    *fewest = least;
    /* Of two ranks one may be behind; of more, fewer than half. */
    return least < most && (behind == 1 || 2 * behind < known) ? behind : 0;
}

static void name(dxt_draft *draft, uint32_t rank)
{
    dxt_finding *finding = dxt_draft_finding(draft, DXT_SILENT_RANK);
    if (!finding) return;
    finding->rank = rank;
    finding->silence = DXT_SILENCE_NO_PART;
    finding->severity = DXT_SEVERITY_CRITICAL;
    finding->confidence = DXT_STILL_CONFIDENCE;
    draft->verdict = DXT_VERDICT_SLOW;
}

/* Name the ranks that were behind when the window before ended and have issued nothing since. */
static void name_who_is_behind(const dxt_track *track, const dxt_window *window, dxt_draft *draft)
{
    int64_t fewest;
    if (track->still < 2 || !track->knows_issued || !window->issued || any_missing(window)) return;
    if (count_behind(window, &fewest) == 0) return;
    for (uint32_t r = 0; r < window->ranks; r++)
        if (window->issued[r] == fewest && track->issued[r] == fewest) name(draft, r);
}

static void remember(dxt_track *track, const dxt_window *window)
{
    if (track->still++ == 0)
        snprintf(track->still_since, sizeof track->still_since, "%s",
                 window->begin ? window->begin : "");
}

dxt_status dxt_history_stand(dxt_history *history, dxt_track *track, const dxt_window *window,
                             const dxt_findings *findings, dxt_block *result)
{
    dxt_draft *draft = &history->draft;
    int32_t *nodes = dxt_block_fit(&history->nodes, window->ranks * sizeof *nodes);
    if (!nodes) return DXT_ERR_NO_MEMORY;
    for (uint32_t r = 0; r < window->ranks; r++) nodes[r] = -1;
    remember(track, window);
    dxt_draft_reset(draft, findings->method);
    draft->verdict = findings->verdict;
    draft->step = findings->step;
    draft->still_windows = track->still;
    memcpy(draft->still_since, track->still_since, sizeof draft->still_since);
    for (size_t f = 0; f < findings->finding_count; f++)
        dxt_draft_copy(draft, &findings->findings[f]);
    name_who_is_behind(track, window, draft);
    track->knows_issued = window->issued != NULL;
    if (window->issued)
        memcpy(track->issued, window->issued, window->ranks * sizeof *track->issued);
    dxt_status status = dxt_draft_pack(draft, window, nodes, result);
    if (status != DXT_OK) return status;
    dxt_track_keep_delay(track, window, true);
    dxt_track_note(track, window, result->data);
    return DXT_OK;
}
