/* SPDX-License-Identifier: Apache-2.0 */
#include "history/stands.h"

#include <math.h>

#include "history/pair.h"

/* Whether some newest windows together, two or more, show a lateness beyond their noise. */
static bool beyond_noise(const dxt_weighing *w, const dxt_finding *finding)
{
    double sign = finding->kind == DXT_EARLY_RANK ? -1 : 1;
    for (uint32_t length = 2; length <= DXT_RECENT && length <= w->newest + 1; length++) {
        double mean = dxt_track_mean(w->track, w->newest + 1, length, finding->rank);
        if (sign * mean > finding->wait / 2 &&
            sign * mean > dxt_history_chance(w->track, w->now, w->own_noise, length))
            return true;
    }
    return false;
}

/* Whether windows before show at least half of a finding. */
static bool supported(const dxt_weighing *w, const dxt_finding *finding)
{
    double sign = finding->kind == DXT_EARLY_RANK ? -1 : 1;
    uint32_t strikes = 0;
    for (uint32_t back = 1; back <= DXT_RECENT && back <= w->newest; back++) {
        double late = dxt_track_late(w->track, w->newest - back, finding->rank);
        if (!(sign * late > finding->wait / 2)) continue;
        if (back == 1) return true;
        strikes++;
    }
    return strikes >= DXT_STRIKES;
}

/* Whether a finding stands; its confidence may suffer. */
static bool stands(const dxt_weighing *w, dxt_finding *finding)
{
    bool late = finding->kind == DXT_LATE_RANK;
    bool small = finding->severity == DXT_SEVERITY_MINOR;
    if (!late && finding->kind != DXT_EARLY_RANK) return true;
    if (w->newest == 0) return true;
    if (late && small && dxt_history_spilled(w, finding->rank, finding->wait)) return false;
    if (w->newest < DXT_ESTABLISHED) return true;
    bool borne_out = supported(w, finding);
    /* One window knows its noise roughly, several windows know it better. */
    bool beyond = beyond_noise(w, finding);
    if (finding->wait < dxt_history_chance(w->track, w->now, w->own_noise, 1) && !beyond)
        return false;
    if (small && !borne_out) finding->confidence = fmin(finding->confidence, DXT_UNSUPPORTED);
    if (beyond && finding->confidence >= DXT_SURE_OF_FEW && dxt_history_surest(w) > DXT_DOUBTFUL)
        finding->confidence = fmax(finding->confidence, DXT_BORNE_OUT);
    return true;
}

void dxt_keep_finding(dxt_weighing *w, dxt_finding finding)
{
    uint32_t rank = finding.rank;
    uint8_t drop = finding.kind == DXT_EARLY_RANK ? DXT_DROP_ROW : DXT_DROP_COL;
    bool kept = !w->track || stands(w, &finding);
    bool turned = kept && dxt_pair_settle(w, &finding);
    bool late = finding.kind == DXT_LATE_RANK;
    if (!kept && late && finding.severity == DXT_SEVERITY_CRITICAL) w->doubted = true;
    if (!kept || turned) w->edit[rank] |= drop;
    if (turned) w->edit[finding.rank] |= DXT_ADD_ROW;
    if (kept) dxt_draft_copy(w->draft, &finding);
}
