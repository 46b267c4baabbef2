/* SPDX-License-Identifier: Apache-2.0 */
#include "history/track.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/arrive/variation.h"
#include "analysis/tuning.h"
#include "base/base.h"
#include "numeric/lean.h"
#include "numeric/select.h"

static size_t lay_out(dxt_track *track, char *block)
{
    size_t used = 0, cells = (size_t)DXT_TRACK_SLOTS * track->ranks;
    track->late = dxt_cut(block, &used, cells, sizeof *track->late);
    track->leaving = dxt_cut(block, &used, cells, sizeof *track->leaving);
    track->named = dxt_cut(block, &used, cells, sizeof *track->named);
    track->base = dxt_cut(block, &used, track->ranks, sizeof *track->base);
    track->base_of = dxt_cut(block, &used, track->ranks, sizeof *track->base_of);
    size_t few = track->ranks <= DXT_CELLS_OF ? (size_t)track->ranks * track->ranks : 0;
    track->cell = dxt_cut(block, &used, 2 * few, sizeof *track->cell);
    track->scratch =
        dxt_cut(block, &used, few + track->ranks + DXT_TRACK_SLOTS, sizeof *track->scratch);
    track->episodes = dxt_cut(block, &used, DXT_HISTORY_EPISODES, sizeof *track->episodes);
    track->begin_at = dxt_cut(block, &used, DXT_HISTORY_EPISODES, sizeof *track->begin_at);
    track->last_at = dxt_cut(block, &used, DXT_HISTORY_EPISODES, sizeof *track->last_at);
    size_t listed = (size_t)DXT_HISTORY_EPISODES * DXT_BUNDLE_LISTED;
    track->rails = dxt_cut(block, &used, listed, sizeof *track->rails);
    track->delay_ns = dxt_cut(block, &used, track->ranks, sizeof *track->delay_ns);
    track->mix = dxt_cut(block, &used, track->ranks == 2 ? DXT_PAIR_MIXES : 0, sizeof *track->mix);
    return used;
}

dxt_status dxt_track_init(dxt_track *track, const char *phase, uint32_t ranks)
{
    dxt_track made = {.ranks = ranks};
    size_t size = lay_out(&made, NULL);
    made.block = calloc(1, size);
    made.phase = strdup(phase);
    made.issued = calloc(ranks, sizeof *made.issued);
    if (!made.block || !made.phase || !made.issued) {
        dxt_track_free(&made);
        return dxt_fail_memory(size);
    }
    lay_out(&made, made.block);
    *track = made;
    return DXT_OK;
}

void dxt_track_free(dxt_track *track)
{
    free(track->block);
    free(track->phase);
    free(track->issued);
    free(track->result.data);
    *track = (dxt_track){0};
}

void dxt_track_forget(dxt_track *track)
{
    track->begin = track->count = 0;
    track->windows = 0;
    track->episode_count = 0;
    track->still = track->odd = 0;
    track->knows_issued = track->knows_delay = false;
    memset(track->base, 0, track->ranks * sizeof *track->base);
    memset(track->base_of, 0, track->ranks);
    if (track->ranks == 2) memset(track->mix, 0, DXT_PAIR_MIXES * sizeof *track->mix);
}

double dxt_track_significance(const dxt_track *track, const dxt_moment *now, double noise,
                              uint32_t windows)
{
    double z =
        DXT_HISTORY_SIGNIFICANCE + DXT_HISTORY_SIGNIFICANCE_PER_DOUBLING * log2(track->ranks);
    if (!(now->ops > 0)) return z;
    /* With two ranks it is their difference, which is not skewed to a side. */
    bool two = track->ranks == 2;
    double variation = dxt_variation((two ? M_SQRT1_2 : 1) * noise * sqrt(now->ops), now->step);
    dxt_lean lean = dxt_lean_of(variation, now->ops * windows);
    if (two) lean = (dxt_lean){.skewness = 0, .kurtosis = lean.kurtosis / 2};
    return dxt_understated(variation) * dxt_lean_quantile(z, lean);
}

double dxt_median_known(const double *values, uint32_t count, double *scratch)
{
    size_t used = 0;
    for (uint32_t k = 0; k < count; k++)
        if (!isnan(values[k])) scratch[used++] = values[k];
    return used ? dxt_median(scratch, used) : NAN;
}

bool dxt_finding_names(const dxt_finding *finding, uint32_t rank)
{
    if (finding->rank == rank) return true;
    for (uint32_t k = 0; k < finding->rank_count; k++)
        if (finding->ranks[k] == rank) return true;
    return false;
}

static bool is_ordinary(const dxt_track *track, uint32_t position, uint32_t rank)
{
    size_t slot = dxt_track_slot(track, position);
    return !track->named[slot * track->ranks + rank] &&
           !isnan(dxt_track_late(track, position, rank));
}

/* The lateness of a rank over the positions before `end` in which it was ordinary. */
static uint32_t ordinary_mean(const dxt_track *track, uint32_t end, uint32_t rank, double *mean)
{
    double sum = 0;
    uint32_t used = 0;
    for (uint32_t p = 0; p < end; p++) {
        if (!is_ordinary(track, p, rank)) continue;
        sum += dxt_track_late(track, p, rank);
        used++;
    }
    *mean = sum / used;
    return used;
}

/* Keep the ordinary lateness of ranks that are named now, since windows leave the memory one by
 * one. What is named in this window may have begun some windows ago. */
static void keep_base(dxt_track *track, uint32_t rank)
{
    double mean;
    uint32_t newest = track->count, end = newest + 1 > DXT_SHORTEST ? newest + 1 - DXT_SHORTEST : 0;
    if (newest == 0 || !is_ordinary(track, newest - 1, rank) || is_ordinary(track, newest, rank))
        return;
    uint32_t used = ordinary_mean(track, end, rank, &mean);
    if (used < DXT_BASE_WINDOWS) return;
    track->base[rank] = mean;
    track->base_of[rank] = (uint8_t)used;
}

void dxt_track_keep_delay(dxt_track *track, const dxt_window *window, bool more)
{
    more = more && track->knows_delay && window->index - 1 == track->delay_of;
    track->delay_of = window->index;
    track->knows_delay = window->run_delay_ns != NULL;
    for (uint32_t r = 0; track->knows_delay && r < track->ranks; r++) {
        int64_t *delay_ns = &track->delay_ns[r], own_ns = window->run_delay_ns[r];
        if (own_ns < 0) own_ns = 0;
        if (!more) *delay_ns = 0;
        if (__builtin_add_overflow(*delay_ns, own_ns, delay_ns)) *delay_ns = INT64_MAX;
    }
}

void dxt_track_pass(dxt_track *track)
{
    track->odd++;
    track->still = 0;
    track->knows_issued = false;
}

void dxt_track_commit(dxt_track *track, const dxt_findings *judged)
{
    size_t slot = dxt_track_slot(track, track->count);
    uint8_t *named = track->named + slot * track->ranks;
    memset(named, 0, track->ranks);
    for (size_t f = 0; f < judged->finding_count; f++)
        for (uint32_t r = 0; r < track->ranks; r++)
            if (dxt_finding_names(&judged->findings[f], r)) named[r] = 1;
    /* With two ranks the other one is as early as one is late, and not ordinary either. */
    if (track->ranks == 2) named[0] = named[1] = named[0] || named[1];
    track->moment[slot].quiet = judged->finding_count == 0;
    track->measure = judged->measure;
    track->windows++;
    track->still = track->odd = 0;
    track->knows_issued = false;
    for (uint32_t r = 0; r < track->ranks; r++) keep_base(track, r);
    if (track->count < DXT_HISTORY_WINDOWS)
        track->count++;
    else
        track->begin = (track->begin + 1) % DXT_TRACK_SLOTS;
}

/* ---- what the windows say together ---- */

double dxt_track_noise(dxt_track *track, uint32_t count)
{
    double values[DXT_TRACK_SLOTS] = {0};
    for (uint32_t p = 0; p < count; p++) values[p] = dxt_track_moment(track, p)->error;
    double known = dxt_median_known(values, count, track->scratch);
    for (uint32_t p = 0; p < count; p++) values[p] = dxt_track_moment(track, p)->change;
    double seen = dxt_median_known(values, count, track->scratch);
    if (isnan(seen)) return NAN;
    /* The median of few differences may be far too small. */
    seen *= 1 + DXT_FEW_CHANGES / ((count - 1) * ((double)track->ranks - 1));
    return fmax(seen, known);
}

double dxt_track_newest_error(const dxt_track *track, uint32_t end, uint32_t length)
{
    double values[DXT_TRACK_SLOTS], scratch[DXT_TRACK_SLOTS];
    for (uint32_t k = 0; k < length; k++)
        values[k] = dxt_track_moment(track, end - length + k)->error;
    return dxt_median_known(values, length, scratch);
}

double dxt_track_cell_spread(const dxt_track *track)
{
    double values[DXT_TRACK_SLOTS], scratch[DXT_TRACK_SLOTS];
    uint32_t used = 0, changes = 0;
    for (uint32_t p = 0; p < track->count; p++) {
        const dxt_moment *moment = dxt_track_moment(track, p);
        if (isnan(moment->cell_change)) continue;
        values[used++] = moment->cell_change;
        changes += moment->cell_changes;
    }
    bool enough = used >= DXT_CELL_WINDOWS && changes >= DXT_CELL_CHANGES;
    return enough ? dxt_median_known(values, used, scratch) : NAN;
}

double dxt_track_mean(const dxt_track *track, uint32_t end, uint32_t length, uint32_t rank)
{
    double sum = 0;
    for (uint32_t p = end - length; p < end; p++) sum += dxt_track_late(track, p, rank);
    return sum / length;
}

double dxt_track_median_leaving(const dxt_track *track, uint32_t end, uint32_t length,
                                uint32_t rank)
{
    double values[DXT_TRACK_SLOTS], scratch[DXT_TRACK_SLOTS];
    for (uint32_t p = end - length; p < end; p++)
        values[p - (end - length)] = dxt_track_leaving(track, p, rank);
    return dxt_median_known(values, length, scratch);
}

uint32_t dxt_track_base(const dxt_track *track, uint32_t end, uint32_t rank, double *base)
{
    double mean;
    uint32_t used = ordinary_mean(track, end, rank, &mean);
    bool known = used >= DXT_BASE_WINDOWS;
    *base = known ? mean : track->base[rank];
    return known ? used : track->base_of[rank];
}

double dxt_track_both_ways(const dxt_track *track, const dxt_window *window)
{
    uint32_t used = 0;
    if (dxt_window_measure(window) != track->measure) return 0;
    for (uint32_t p = 0; p < track->count; p++) {
        const dxt_moment *moment = dxt_track_moment(track, p);
        if (moment->index < window->index && moment->quiet && !isnan(moment->both_ways))
            track->scratch[used++] = moment->both_ways;
    }
    return used < DXT_ESTABLISHED ? 0 : dxt_median(track->scratch, used);
}
