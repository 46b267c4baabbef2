/* SPDX-License-Identifier: Apache-2.0 */
#include "history/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/arrive/group.h"
#include "analysis/arrive/variation.h"
#include "base/base.h"
#include "numeric/lean.h"
#include "numeric/select.h"

/* Median of |x|, x normal: this part of its standard deviation. */
#define MEDIAN_DEVIATION 0.6745
/* Ranks up to which their own part of what they are held against is made up for; of more it is
 * little. */
#define FEW_ENOUGH 64u

static void *cut(char *block, size_t *used, size_t count, size_t size)
{
    void *place = block ? block + *used : NULL;
    *used += (count * size + 15) & ~(size_t)15;
    return place;
}

static size_t lay_out(dxt_track *track, char *block)
{
    size_t used = 0, cells = (size_t)DXT_TRACK_SLOTS * track->ranks;
    track->late = cut(block, &used, cells, sizeof *track->late);
    track->leaving = cut(block, &used, cells, sizeof *track->leaving);
    track->named = cut(block, &used, cells, sizeof *track->named);
    track->base = cut(block, &used, track->ranks, sizeof *track->base);
    track->base_of = cut(block, &used, track->ranks, sizeof *track->base_of);
    size_t few = track->ranks <= DXT_CELLS_OF ? (size_t)track->ranks * track->ranks : 0;
    track->cell = cut(block, &used, 2 * few, sizeof *track->cell);
    track->scratch =
        cut(block, &used, few + track->ranks + DXT_TRACK_SLOTS, sizeof *track->scratch);
    track->episodes = cut(block, &used, DXT_HISTORY_EPISODES, sizeof *track->episodes);
    track->begin_at = cut(block, &used, DXT_HISTORY_EPISODES, sizeof *track->begin_at);
    track->last_at = cut(block, &used, DXT_HISTORY_EPISODES, sizeof *track->last_at);
    return used;
}

dxt_status dxt_track_init(dxt_track *track, const char *phase, uint32_t ranks)
{
    dxt_track made = {.ranks = ranks};
    size_t size = lay_out(&made, NULL);
    made.block = calloc(1, size);
    made.phase = strdup(phase);
    if (!made.block || !made.phase) {
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
    free(track->result.data);
    *track = (dxt_track){0};
}

void dxt_track_forget(dxt_track *track)
{
    track->begin = track->count = 0;
    track->windows = 0;
    track->episode_count = 0;
    memset(track->base, 0, track->ranks * sizeof *track->base);
    memset(track->base_of, 0, track->ranks);
}

double dxt_track_significance(const dxt_track *track, const dxt_moment *now, double noise,
                              uint32_t windows)
{
    /* Somewhat less than for a single window (group.c): the noise is known better. */
    double z = 3.6 + 0.15 * log2(track->ranks);
    if (!(now->ops > 0)) return z;
    /* Of two ranks it is their difference, which leans to neither side. */
    bool two = track->ranks == 2;
    double variation = dxt_variation((two ? M_SQRT1_2 : 1) * noise * sqrt(now->ops), now->step);
    dxt_lean lean = dxt_lean_of(variation, now->ops * windows);
    if (two) lean = (dxt_lean){.skewness = 0, .kurtosis = lean.kurtosis / 2};
    return dxt_understated(variation) * dxt_lean_quantile(z, lean);
}

/* ---- taking a window in ---- */

/* Whether two ranks are held against the same ordinary ones. */
static bool same_node(const dxt_window *window, uint32_t a, uint32_t b)
{
    return !window->nodes || window->nodes[a] == window->nodes[b];
}

/* As long as nobody stands out, all ranks of a node make the 0 that lateness is told against, and
 * each takes a part of its own away: by how much, as a factor. 1 where somebody stands out. */
static double own_part_of_zero(const dxt_window *window, const double *late, uint32_t rank)
{
    double sum = 0, sizes = 0, count = 0;
    for (uint32_t r = 0; r < window->ranks; r++) {
        if (isnan(late[r]) || !same_node(window, rank, r)) continue;
        sum += late[r];
        sizes += fabs(late[r]);
        count++;
    }
    return count > 2 && fabs(sum) < 1e-6 * sizes ? count / (count - 1) : 1;
}

/* A late node is no late ranks: each rank against its own node. @return The largest factor by which
 * a lateness was made larger, so as to be against the other ranks. */
static double take_lateness(const dxt_window *window, const dxt_findings *findings, double *late,
                            double *factor)
{
    const double *of_node = findings->lateness_of_node;
    uint32_t n = window->ranks;
    double most = 1;
    for (uint32_t r = 0; r < n; r++) late[r] = findings->lateness[r] - (of_node ? of_node[r] : 0);
    if (n == 2) {
        /* Which of them is the reference changes with who is late, but their difference does not.
         */
        double later = late[0] - late[1];
        late[0] = later;
        late[1] = -later;
    }
    if (n == 2 || n > FEW_ENOUGH) return most;
    for (uint32_t r = 0; r < n; r++) factor[r] = own_part_of_zero(window, late, r);
    for (uint32_t r = 0; r < n; r++) {
        late[r] *= factor[r];
        most = fmax(most, factor[r]);
    }
    return most;
}

/* When each rank left the operator against the median of all: its arrival and its longest wait. */
static void take_leaving(dxt_track *track, const dxt_window *window, const double *lateness,
                         double *leaving)
{
    uint32_t n = track->ranks;
    size_t used = 0;
    for (uint32_t r = 0; r < n; r++) {
        double longest = 0;
        dxt_window_row(window, r, leaving);
        leaving[r] = 0;
        for (uint32_t j = 0; j < n; j++) longest = leaving[j] > longest ? leaving[j] : longest;
        track->scratch[r] = lateness[r] + longest;
    }
    memcpy(leaving, track->scratch, n * sizeof *leaving);
    for (uint32_t r = 0; r < n; r++)
        if (!isnan(leaving[r])) track->scratch[used++] = leaving[r];
    double middle = dxt_median(track->scratch, used);
    for (uint32_t r = 0; r < n; r++) leaving[r] -= middle;
}

static double median_known(const double *values, uint32_t count, double *scratch)
{
    size_t used = 0;
    for (uint32_t k = 0; k < count; k++)
        if (!isnan(values[k])) scratch[used++] = values[k];
    return used ? dxt_median(scratch, used) : NAN;
}

/* The difference of two windows holds nothing that is the same in both, and its median over the
 * ranks nothing of those that have just changed. */
static double typical_change(dxt_track *track, const double *late, const double *before)
{
    size_t used = 0;
    for (uint32_t r = 0; r < track->ranks; r++)
        if (!isnan(late[r]) && !isnan(before[r]))
            track->scratch[used++] = fabs(late[r] - before[r]);
    return used ? dxt_median(track->scratch, used) / (MEDIAN_DEVIATION * sqrt(2)) : NAN;
}

/* A late rank waits for nobody, and what is waited for it is its lateness: how far its waits vary
 * does not show. Of two ranks there would be no others left. */
static bool hides_waits(const dxt_track *track, const dxt_findings *findings, const double *late,
                        uint32_t rank)
{
    double limit = dxt_group_significance(track->ranks) * findings->lateness_error[rank];
    return track->ranks > 2 && !(late[rank] <= limit);
}

/* Take over the cells, and say how much they typically changed, those inside nodes that show it.
 * Times by which cells differ say more than differences: what is long varies more. */
static void take_cells(dxt_track *track, const dxt_window *window, const dxt_findings *findings,
                       dxt_moment *moment)
{
    uint32_t n = track->ranks;
    size_t cells = (size_t)n * n, used = 0;
    if (n > DXT_CELLS_OF) return;
    double *now = track->cell + (track->windows % 2) * cells;
    const double *before = track->cell + (track->windows + 1) % 2 * cells;
    const double *late = track->late + dxt_track_slot(track, track->count) * (size_t)n;
    for (uint32_t i = 0; i < n; i++) {
        dxt_window_row(window, i, now + (size_t)i * n);
        for (uint32_t j = 0; j < n; j++) {
            double *cell = &now[(size_t)i * n + j];
            bool shows = i != j && same_node(window, i, j) &&
                         !hides_waits(track, findings, late, i) &&
                         !hides_waits(track, findings, late, j);
            *cell = shows ? log(*cell + DXT_CELL_FLOOR * moment->floor) : NAN;
            double change = fabs(*cell - before[(size_t)i * n + j]);
            if (track->count > 0 && isfinite(change)) track->scratch[used++] = change;
        }
    }
    moment->cell_changes = (uint32_t)used;
    if (used > 0)
        moment->cell_change = dxt_median(track->scratch, used) / (MEDIAN_DEVIATION * sqrt(2));
}

void dxt_track_take(dxt_track *track, const dxt_history *history, const dxt_window *window,
                    const dxt_findings *findings)
{
    size_t slot = dxt_track_slot(track, track->count), n = track->ranks;
    double *late = track->late + slot * n;
    dxt_moment *moment = &track->moment[slot];
    double factor = take_lateness(window, findings, late, track->scratch);
    take_leaving(track, window, findings->lateness, track->leaving + slot * n);
    *moment = (dxt_moment){.index = window->index,
                           .change = NAN,
                           .cell_change = NAN,
                           .factor = factor,
                           .ops = (double)window->ops,
                           .step = findings->step,
                           .transfer = findings->transfer,
                           .floor = isnan(findings->step) ? findings->ordinary
                                                          : history->min_share * findings->step};
    moment->error = median_known(findings->lateness_error, track->ranks, track->scratch);
    take_cells(track, window, findings, moment);
    if (track->count == 0) return;
    size_t before = dxt_track_slot(track, track->count - 1);
    moment->change = typical_change(track, late, track->late + before * n);
}

void dxt_track_commit(dxt_track *track, const dxt_findings *judged)
{
    size_t slot = dxt_track_slot(track, track->count);
    uint8_t *named = track->named + slot * track->ranks;
    memset(named, 0, track->ranks);
    for (size_t f = 0; f < judged->finding_count; f++)
        for (uint32_t r = 0; r < track->ranks; r++)
            if (dxt_finding_names(&judged->findings[f], r)) named[r] = 1;
    track->moment[slot].quiet = judged->finding_count == 0;
    track->measure = judged->measure;
    track->windows++;
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
    double known = median_known(values, count, track->scratch);
    for (uint32_t p = 0; p < count; p++) values[p] = dxt_track_moment(track, p)->change;
    double seen = median_known(values, count, track->scratch);
    if (isnan(seen)) return NAN;
    /* A median over few differences may be far too small. */
    seen *= 1 + 4.0 / ((count - 1) * (track->ranks - 1.0));
    return fmax(seen, known);
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
    return enough ? median_known(values, used, scratch) : NAN;
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
        values[p - (end - length)] =
            track->leaving[(size_t)dxt_track_slot(track, p) * track->ranks + rank];
    return median_known(values, length, scratch);
}

uint32_t dxt_track_base(dxt_track *track, uint32_t end, uint32_t rank, double *base)
{
    double sum = 0;
    uint32_t used = 0;
    for (uint32_t p = 0; p < end; p++) {
        double late = dxt_track_late(track, p, rank);
        size_t slot = dxt_track_slot(track, p);
        if (track->named[slot * track->ranks + rank] || isnan(late)) continue;
        sum += late;
        used++;
    }
    if (used >= DXT_BASE_WINDOWS) {
        track->base[rank] = sum / used;
        track->base_of[rank] = (uint8_t)used;
    }
    *base = track->base[rank];
    return track->base_of[rank];
}
