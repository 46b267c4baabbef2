/* SPDX-License-Identifier: Apache-2.0 */
#include "history/stays.h"

#include <assert.h>
#include <math.h>

#include "analysis/phase.h"
#include "analysis/weigh.h"
#include "history/pair.h"
#include "numeric/select.h"

/* The mean of the newest windows, limited to their median plus its standard error: a few windows of
 * a fault that has ended would raise the mean alone. */
static double steady_mean(const dxt_weighing *w, uint32_t rank, uint32_t length, double noise)
{
    double late[DXT_TRACK_SLOTS] = {0}, scratch[DXT_TRACK_SLOTS];
    uint32_t end = w->newest + 1;
    assert(length <= end && length <= DXT_TRACK_SLOTS);
    for (uint32_t k = 0; k < length; k++) late[k] = dxt_track_late(w->track, end - 1 - k, rank);
    double middle = dxt_median_known(late, length, scratch);
    return fmin(dxt_track_mean(w->track, end, length, rank),
                middle + sqrt(M_PI / 2) * noise / sqrt(length));
}

/* Whether a lateness of @p mean stays. Two conditions:
 *   - Three quarters of the newest windows, and the last one, show at least half of the limit, and
 *     half of the mean less the @p noise of one window. One long stall makes a mean, but no late
 *     rank; and half of the limit may be what pairs always differ by.
 *   - The median of the last few shows half of the mean, and the limit less the noise. If not, the
 *     lateness has ended, and a rank that is always near the limit would carry it on. */
static bool stays(const dxt_weighing *w, uint32_t rank, uint32_t length, double base, double mean,
                  double limit, double noise)
{
    double last[DXT_SHORTEST], scratch[DXT_SHORTEST], half = fmax(limit / 2, mean / 2 - noise);
    uint32_t shown = 0, end = w->newest + 1;
    assert(length >= DXT_SHORTEST && length <= end);
    for (uint32_t p = end - length; p < end; p++)
        shown += dxt_track_late(w->track, p, rank) - base > half;
    for (uint32_t k = 0; k < DXT_SHORTEST; k++)
        last[k] = dxt_track_late(w->track, w->newest - k, rank) - base;
    return shown >= DXT_SHOWN_PART * length && last[0] > half &&
           dxt_median_known(last, DXT_SHORTEST, scratch) > fmax(mean / 2, limit - noise);
}

static double unevenness(const dxt_track *track, const dxt_moment *moment)
{
    double part =
        track->ranks <= DXT_HISTORY_FEW ? DXT_HISTORY_UNEVENNESS_OF_FEW : DXT_HISTORY_UNEVENNESS;
    return part * moment->factor * moment->transfer;
}

/* Whether a rank is late in operator @p t over that operator's newest windows. */
static bool late_there(const dxt_weighing *w, uint32_t t, uint32_t rank, uint32_t windows)
{
    const dxt_track *other = &w->history->track[t];
    const dxt_moment *moment = dxt_track_moment(other, other->count - 1);
    double noise = isnan(w->noise[t]) ? moment->error : w->noise[t];
    double limit = fmax(moment->floor, dxt_history_chance(other, moment, noise, windows));
    double level = dxt_track_mean(other, other->count, windows, rank);
    return level > fmax(limit, unevenness(other, moment));
}

/* The part of a rank's lateness that other operators do not explain. They explain it as an echo of
 * being late there, or because the rank was held up there by others. Only the newest window decides
 * whether it is small enough for an echo. @param base  The lateness is measured from this. */
static double own_part(const dxt_weighing *w, uint32_t rank, uint32_t length, double late,
                       double base)
{
    double most = 0, now = fmin(late, dxt_track_late(w->track, w->newest, rank) - base);
    bool small = now < DXT_ECHO * w->now->transfer;
    for (uint32_t t = 0; t < w->history->tracks; t++) {
        const dxt_track *other = &w->history->track[t];
        if (other == w->track || other->count == 0) continue;
        uint32_t there = length < other->count ? length : other->count;
        if (small && dxt_is_phase(other->phase, "dispatch") &&
            (late_there(w, t, rank, there) || late_there(w, t, rank, 1)))
            return 0;
        most = fmax(most, dxt_track_median_leaving(other, other->count, there, rank));
    }
    return late - most > DXT_HISTORY_DOUBT * most ? late - most : 0;
}

struct lateness {
    double wait, error, limit;
};

/* The noise of the newest windows: their own error, if the noise has grown since those before. With
 * few ranks a late one would make most of that error, so it does not count. */
static double noise_of(const dxt_weighing *w, uint32_t length)
{
    if (w->track->ranks <= DXT_HISTORY_FEW) return w->own_noise;
    return fmax(w->own_noise, dxt_track_newest_error(w->track, w->newest + 1, length));
}

/* The lateness that most ranks share over these windows, where ranks are few: in each window
 * another one may have been on time. A rank that is no later than that is not late. */
static double late_alike(const dxt_weighing *w, uint32_t length)
{
    double mean[DXT_HISTORY_FEW];
    uint32_t n = w->track->ranks, known = 0;
    if (n > DXT_HISTORY_FEW) return 0;
    for (uint32_t r = 0; r < n; r++) {
        mean[known] = dxt_track_mean(w->track, w->newest + 1, length, r);
        known += !isnan(mean[known]);
    }
    return known > 2 ? fmax(0, dxt_select(mean, known, (known - 1) / 2)) : 0;
}

/* Late against the ordinary ranks: the mean since it began exceeds what pairs differ by. */
static bool late_by_mean(const dxt_weighing *w, uint32_t rank, uint32_t length,
                         struct lateness *late)
{
    double mean = dxt_track_mean(w->track, w->newest + 1, length, rank);
    double noise = noise_of(w, length);
    double limit = fmax(fmax(w->now->floor, unevenness(w->track, w->now)),
                        dxt_history_chance(w->track, w->now, noise, length));
    if (!(mean > limit)) return false;
    mean = steady_mean(w, rank, length, noise) - late_alike(w, length);
    if (!(mean > limit) || !stays(w, rank, length, 0, mean, limit, noise)) return false;
    *late = (struct lateness){own_part(w, rank, length, mean, 0), noise / sqrt(length), limit};
    return late->wait > limit;
}

/* Late against its own past: what pairs differ by is the same in both, and cancels out. */
static bool late_by_change(const dxt_weighing *w, uint32_t rank, uint32_t length,
                           struct lateness *late)
{
    double base;
    uint32_t behind = dxt_track_base(w->track, w->newest + 1 - length, rank, &base);
    if (behind < DXT_BASE_WINDOWS) return false;
    double mean = dxt_track_mean(w->track, w->newest + 1, length, rank);
    double windows = 1 / (1 / (double)length + 1 / (double)behind);
    double noise = noise_of(w, length), error = noise / sqrt(windows);
    double limit =
        fmax(w->now->floor, dxt_track_significance(w->track, w->now, noise, length) * error);
    /* A rank that was early and is ordinary now is not late. */
    double now = dxt_track_mean(w->track, w->newest + 1, DXT_SHORTEST, rank);
    now = fmin(now, dxt_track_late(w->track, w->newest, rank));
    if (!(mean - base > limit)) return false;
    mean = steady_mean(w, rank, length, noise);
    if (!(mean - base > limit) || !(fmin(mean, now) >= limit / 2)) return false;
    if (!stays(w, rank, length, base, mean - base, limit, noise)) return false;
    *late = (struct lateness){own_part(w, rank, length, mean - base, base), error, limit};
    return late->wait > limit;
}

/* DXT_SHORTEST, then powers of 2. */
static uint32_t next_length(uint32_t length)
{
    uint32_t next = 2;
    while (next <= length) next *= 2;
    return next;
}

static bool stays_late(const dxt_weighing *w, uint32_t rank, struct lateness *late)
{
    uint32_t length = DXT_SHORTEST;
    if (isnan(w->own_noise) || isnan(dxt_track_late(w->track, w->newest, rank))) return false;
    while (length <= w->newest + 1) {
        if (late_by_mean(w, rank, length, late)) return true;
        if (length <= DXT_RECENT && late_by_change(w, rank, length, late)) return true;
        length = next_length(length);
    }
    return false;
}

void dxt_add_late_ranks(dxt_weighing *w)
{
    for (uint32_t r = 0; r < w->track->ranks; r++) {
        struct lateness late;
        if ((w->edit[r] & DXT_NAMED) || !stays_late(w, r, &late)) continue;
        if (dxt_history_spilled(w, r, late.wait)) continue;
        dxt_finding *finding = dxt_draft_finding(w->draft, DXT_LATE_RANK);
        if (!finding) return;
        finding->rank = r;
        const dxt_size size = {.wait = late.wait, .limit = late.limit, .error = late.error};
        double spent = w->found->waits_beside > 0 ? NAN : w->found->step;
        dxt_weigh(finding, &size, spent, w->found->ordinary, dxt_history_surest(w));
        finding->or_early = w->track->ranks == 2 && !dxt_is_phase(w->track->phase, " transfer");
        if (dxt_pair_settle(w, finding))
            w->edit[finding->rank] |= DXT_ADD_ROW;
        else
            w->edit[r] |= DXT_ADD_COL;
    }
}
