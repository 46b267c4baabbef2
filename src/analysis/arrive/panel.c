/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/panel.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/spread.h"
#include "numeric/vectors.h"

void dxt_panel_seat(const dxt_group_input *in, uint32_t place, dxt_panel *p)
{
    p->count = in->count < DXT_WITNESSES ? in->count : DXT_WITNESSES;
    size_t first = (size_t)place * p->count * p->count;
    assert(first + (size_t)p->count * p->count <= DXT_WITNESSES * DXT_WITNESSES);
    p->pair_skew = p->level = p->diagonal = -1;
    p->scale.transfer = -1;
    p->wait = in->scratch->wait + first;
    p->pair = in->scratch->pair + first;
    p->sample = in->scratch->sample;
    for (uint32_t a = 0; a < p->count; a++)
        p->member[a] = (uint32_t)dxt_spread_index(a, p->count, in->count);
    for (uint32_t a = 0; a < p->count; a++)
        in->waits(in->context, p->member[a], p->member, p->count, p->wait + (size_t)a * p->count);
}

double dxt_panel_level(dxt_panel *p)
{
    uint32_t n = p->ordinary_count;
    bool all = n == p->count;
    size_t used = 0;
    if (all && p->level >= 0) return p->level;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++)
            if (a != b) p->sample[used++] = dxt_panel_wait(p, p->ordinary[a], p->ordinary[b]);
    double level = used == 2 ? fmin(p->sample[0], p->sample[1]) : dxt_median(p->sample, used);
    if (all) p->level = level;
    return level;
}

/* The skew of the two members that arrive closest to each other. Of three or
 * more members these are ordinary. The waits of two that are far apart hardly depend on the skew.
 */
static double pair_skew(const dxt_panel *p, double transfer)
{
    double closest = INFINITY, skew = 0;
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = a + 1; b < p->count; b++) {
            double there = dxt_panel_wait(p, a, b), back = dxt_panel_wait(p, b, a);
            if (fabs(there - back) >= closest) continue;
            closest = fabs(there - back);
            skew = dxt_skew_of_pair(there, back, transfer);
        }
    return skew;
}

void dxt_panel_take_level(const dxt_group_input *in, dxt_panel *p, dxt_group *group)
{
    if (!isnan(in->skew)) {
        group->skew = in->skew;
        if (p->ordinary_count >= 2) group->base = dxt_panel_level(p);
    } else if (p->count <= DXT_FEW_MEMBERS) {
        if (p->pair_skew < 0) p->pair_skew = pair_skew(p, group->transfer);
        group->skew = p->pair_skew;
        group->base = dxt_expected_wait(group->transfer, group->skew);
    } else {
        bool taken = !isnan(group->skew), all = p->ordinary_count == p->count;
        /* Mostly all members are ordinary, as they were the first time. */
        if (taken && all && group->base == p->level) return;
        if (p->ordinary_count >= 2) group->base = dxt_panel_level(p);
        group->skew = dxt_skew_of_wait(group->base, group->transfer);
    }
}

double dxt_panel_longest(const dxt_panel *p)
{
    double longest = 0;
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = 0; b < p->count; b++)
            if (a != b) longest = fmax(longest, dxt_panel_wait(p, a, b));
    return longest;
}

double dxt_panel_diagonal(const dxt_panel *p)
{
    if (p->diagonal >= 0) return p->diagonal;
    for (uint32_t a = 0; a < p->count; a++) p->sample[a] = dxt_panel_wait(p, a, a);
    return dxt_median(p->sample, p->count);
}

/* The largest difference between the two waits of a pair. */
static double most_apart(const dxt_panel *p)
{
    double most = 0;
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = a + 1; b < p->count; b++) {
            double apart = fabs(dxt_panel_wait(p, a, b) - dxt_panel_wait(p, b, a));
            most = apart > most ? apart : most;
        }
    return most;
}

void dxt_panel_pairs(dxt_panel *p, double transfer, double skew)
{
    size_t n = p->count;
    /* Mostly the next round finds the same scale, and the pairs stay as they are. */
    if (p->scale.transfer == transfer && p->scale.skew == skew) return;
    dxt_lateness_scale_begin(&p->scale, transfer, skew);
    /* Of witnesses the lateness of other members is taken, too. */
    dxt_lateness_reach(&p->scale, n < DXT_WITNESSES ? most_apart(p) : INFINITY);
    for (uint32_t a = 0; a < n; a++) {
        p->pair[a * n + a] = 0;
        for (uint32_t b = a + 1; b < n; b++) {
            double later =
                dxt_lateness_read(&p->scale, dxt_panel_wait(p, a, b) - dxt_panel_wait(p, b, a));
            p->pair[a * n + b] = later;
            p->pair[b * n + a] = -later;
        }
    }
}

void dxt_panel_means(dxt_panel *p)
{
    memset(p->late, 0, sizeof p->late);
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = 0; b < p->count; b++) p->late[b] += dxt_panel_pair(p, a, b) / p->count;
}

DXT_VECTORS static size_t deviations(const dxt_panel *p)
{
    size_t n = p->count, used = 0;
    for (size_t a = 0; a < n; a++) {
        const double *pair = p->pair + a * n;
        double *sample = p->sample + used, late = p->late[a];
        for (size_t b = a + 1; b < n; b++) sample[b - a - 1] = fabs(pair[b] - (p->late[b] - late));
        used += n - a - 1;
    }
    return used;
}

size_t dxt_panel_deviations(const dxt_panel *p)
{
    return deviations(p);
}

/* Take each lateness from the pairs and the others' lateness; pairs that are far off weigh less. */
DXT_VECTORS static void weigh_pairs(const dxt_panel *p, double scale, double *restrict next)
{
    double sum[DXT_WITNESSES], weights[DXT_WITNESSES];
    size_t n = p->count;
    for (size_t b = 0; b < n; b++) sum[b] = weights[b] = 0;
    for (size_t a = 0; a < n; a++) {
        const double *pair = p->pair + a * n;
        double late = p->late[a];
        for (size_t b = 0; b < n; b++) {
            double off = fabs(pair[b] - (p->late[b] - late));
            double weight = a == b ? 0 : 1 / (off > scale ? off : scale);
            sum[b] += weight * (pair[b] + late);
            weights[b] += weight;
        }
    }
    for (size_t b = 0; b < n; b++) next[b] = p->late[b] / 2 + sum[b] / weights[b] / 2;
}

void dxt_panel_refine(dxt_panel *p)
{
    double next[DXT_WITNESSES];
    for (int round = 0; round < DXT_REFINE_ROUNDS; round++) {
        size_t pairs = deviations(p);
        double scale = dxt_median(p->sample, pairs) + DXT_TINY, change = 0;
        weigh_pairs(p, scale, next);
        for (uint32_t b = 0; b < p->count; b++) {
            double moved = fabs(next[b] - p->late[b]);
            change = moved > change ? moved : change;
        }
        memcpy(p->late, next, p->count * sizeof *next);
        if (change < scale / DXT_REFINE_ENOUGH) break;
    }
}
