/* SPDX-License-Identifier: Apache-2.0 */
#include "history/pair.h"

#include <math.h>

#include "numeric/normal.h"

/* Never 0. */
static uint64_t hash_of(const char *text, uint32_t seed)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seed;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash | 1;
}

void dxt_pair_take(dxt_track *track, const dxt_window *window, const dxt_findings *findings)
{
    dxt_moment *moment = &track->moment[dxt_track_slot(track, track->count)];
    bool known = track->ranks == 2 && window->mix && findings->work_of > 0;
    moment->mix = known ? hash_of(window->mix, findings->work_of) : 0;
    for (uint32_t r = 0; r < 2; r++) moment->work[r] = findings->work[r];
}

static dxt_mix *find(const dxt_track *track, uint64_t mix)
{
    for (uint32_t m = 0; m < DXT_PAIR_MIXES; m++)
        if (track->mix[m].count > 0 && track->mix[m].mix == mix) return &track->mix[m];
    return NULL;
}

/* The place of a mix; if it has none, that of the mix that was not seen for longest. */
static dxt_mix *place(dxt_track *track, uint64_t mix)
{
    dxt_mix *oldest = find(track, mix);
    if (oldest) return oldest;
    oldest = &track->mix[0];
    for (uint32_t m = 0; m < DXT_PAIR_MIXES; m++) {
        if (track->mix[m].count == 0) return &track->mix[m];
        if (track->mix[m].seen < oldest->seen) oldest = &track->mix[m];
    }
    oldest->count = oldest->next = 0;
    return oldest;
}

static bool all_quiet(const dxt_history *history, int64_t index)
{
    for (uint32_t t = 0; t < history->tracks; t++) {
        const dxt_track *track = &history->track[t];
        for (uint32_t p = track->count; p-- > 0;) {
            const dxt_moment *moment = dxt_track_moment(track, p);
            if (moment->index == index && !moment->quiet) return false;
            if (moment->index <= index) break;
        }
    }
    return true;
}

void dxt_pair_remember(const dxt_history *history, dxt_track *track)
{
    if (track->ranks != 2 || track->count == 0) return;
    uint32_t slot = dxt_track_slot(track, track->count - 1);
    dxt_moment *moment = &track->moment[slot];
    if (moment->mix == 0 || isnan(track->late[2 * slot]) || !all_quiet(history, moment->index))
        return;
    dxt_mix *mix = place(track, moment->mix);
    mix->mix = moment->mix;
    mix->seen = track->windows;
    mix->work[0][mix->next] = moment->work[0];
    mix->work[1][mix->next] = moment->work[1];
    mix->both[mix->next] = moment->work[0] + moment->work[1];
    mix->late[mix->next] = track->late[2 * slot];
    mix->next = (mix->next + 1) % DXT_PAIR_WINDOWS;
    if (mix->count < DXT_PAIR_WINDOWS) mix->count++;
    moment->mix = 0;
}

static double middle(const double *values, uint32_t count)
{
    double scratch[DXT_PAIR_WINDOWS];
    return dxt_median_known(values, count, scratch);
}

/* Standard deviation of single windows, outliers left out. */
static double spread(const double *values, uint32_t count)
{
    double away[DXT_PAIR_WINDOWS], usual = middle(values, count);
    for (uint32_t k = 0; k < count; k++) away[k] = fabs(values[k] - usual);
    return middle(away, count) / DXT_HALF_WIDTH;
}

enum who { EITHER, LATE, EARLY };

/*
 * How the two ranks have changed against what is usual in this mix of work: by `later` one comes
 * later than the other in this operator, by `elsewhere` in the other operator; `both` is the change
 * of their work added up. To come later, a rank does more work, which adds to `both`, or the other
 * one does less, which takes away from it.
 */
static enum who tell(double later, double elsewhere, double both, double error)
{
    double late = fmin(fabs(both - later - elsewhere), fabs(both - later + elsewhere));
    double early = fmin(fabs(both + later - elsewhere), fabs(both + later + elsewhere));
    double near = fmax(later / 2, DXT_PAIR_ERRORS * error);
    if (!(later > 0) || (late > near) == (early > near)) return EITHER;
    return late > near ? EARLY : LATE;
}

/* Whether @p rank comes late now; if not, the other one comes early. */
static enum who changed(const dxt_weighing *w, uint32_t rank)
{
    const dxt_mix *usual = w->now->mix ? find(w->track, w->now->mix) : NULL;
    if (!usual || usual->count < DXT_BASE_WINDOWS) return EITHER;
    uint32_t other = 1 - rank, count = usual->count;
    double sign = rank == 0 ? 1 : -1;
    double later = dxt_track_late(w->track, w->newest, rank) - sign * middle(usual->late, count);
    double more = w->now->work[rank] - middle(usual->work[rank], count);
    double less = w->now->work[other] - middle(usual->work[other], count);
    double error = spread(usual->both, count);
    return tell(later, fabs(more - less - later), more + less, error);
}

bool dxt_pair_settle(const dxt_weighing *w, dxt_finding *finding)
{
    if (!w->track || !finding->or_early || finding->kind != DXT_LATE_RANK) return false;
    enum who who = changed(w, finding->rank);
    finding->or_early = who == EITHER;
    if (who != EARLY) return false;
    finding->kind = DXT_EARLY_RANK;
    finding->rank = 1 - finding->rank;
    if (!isnan(finding->share)) finding->share = 0;
    finding->severity = DXT_SEVERITY_MINOR;
    return true;
}
