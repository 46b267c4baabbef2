/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/group.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "analysis/arrive/noise.h"
#include "analysis/arrive/ordinary.h"
#include "analysis/arrive/panel.h"
#include "analysis/arrive/witnesses.h"

/* The smallest lateness that is worth telling and is more than pairs differ by. */
static double least_limit(const dxt_group_input *in, dxt_panel *p, const dxt_group *group)
{
    double floor = in->timed ? in->floor : fmax(in->floor, group->base);
    /* Only the two waits are known: the one must be many times the other. */
    if (!in->timed && p->count == 2) floor = fmax(floor, DXT_TWO_UNTIMED * dxt_panel_level(p));
    bool averaged = in->ranks && p->count > DXT_MANY_PEERS;
    double uneven = averaged ? DXT_TRANSFER_UNEVENNESS_OF_MANY : DXT_TRANSFER_UNEVENNESS;
    return fmax(floor, uneven * group->transfer);
}

/* Standard error that the noise of single cells leaves in a lateness. Between nodes a cell is a
 * median over many cells. */
static double noise_of(const dxt_group_input *in, dxt_panel *p, const dxt_group *group)
{
    double noise = 0;
    if (in->ranks && isnan(group->cell_spread))
        noise = dxt_cell_noise(p, group);
    else if (in->ranks)
        noise = dxt_spread_noise(in, p, group);
    return fmax(noise, dxt_pair_noise(p));
}

/* Fit the members of the panel. @return The smallest limit, apart from noise. */
static double fit_panel(const dxt_group_input *in, dxt_panel *p, dxt_group *group)
{
    uint32_t n = p->count;
    for (uint32_t a = 0; a < n; a++) p->ordinary[a] = a;
    p->ordinary_count = n;
    double base = n < 2 ? 0 : dxt_panel_level(p);
    /* Two members have no third to show what is ordinary; only the longer wait bounds the transfer.
     */
    double bound = n == 2 ? dxt_panel_longest(p) : base;
    *group = (dxt_group){.transfer = fmin(dxt_panel_diagonal(p), bound), .base = base};
    if (n >= 2) dxt_panel_take_level(in, p, group);
    double least = least_limit(in, p, group);
    group->limit = least;
    dxt_panel_pairs(p, group->transfer, group->skew);
    dxt_panel_means(p);
    if (n > 2) dxt_panel_refine(p);
    /* The first round finds the ordinary members roughly; the second starts from these. */
    for (int round = 0; n >= 2 && round < 2; round++) {
        dxt_panel_find_ordinary(p, group->limit);
        dxt_panel_take_level(in, p, group);
        group->cell_spread = dxt_own_spread(in, group);
        if (in->level_only && round > 0) break;
        dxt_panel_pairs(p, group->transfer, group->skew);
        dxt_panel_judge(p);
        p->noise = noise_of(in, p, group);
        const double *sorted = dxt_sort_into(p->sample, p->late, n);
        dxt_set_limit(in, group, least, dxt_member_spread(in, sorted, n), p->noise);
    }
    return least;
}

/* Witnesses may be late themselves, by chance: all members decide who is ordinary. */
static void center(const dxt_group_input *in, const double *sorted, double limit, double *late)
{
    double low, high, sum = 0;
    uint32_t ordinary = 0;
    dxt_ordinary_range(sorted, in->count, limit, &low, &high);
    for (uint32_t k = 0; k < in->count; k++) {
        if (late[k] < low || late[k] > high) continue;
        sum += late[k];
        ordinary++;
    }
    assert(ordinary > 0);
    double mean = sum / ordinary;
    for (uint32_t k = 0; k < in->count; k++) late[k] -= mean;
}

void dxt_group_fit(const dxt_group_input *in, double *late, dxt_group *group)
{
    dxt_panel panel;
    assert(in->count > 0 && in->population >= in->count);
    dxt_panel_seat(in, &panel);
    double least = fit_panel(in, &panel, group);
    if (in->level_only) return;
    if (in->count <= DXT_WITNESSES) {
        memcpy(late, panel.late, in->count * sizeof *late);
        return;
    }
    dxt_ask_witnesses(in, &panel, late);
    const double *sorted = dxt_sort_into(in->sorted, late, in->count);
    center(in, sorted, group->limit, late);
    dxt_set_limit(in, group, least, dxt_member_spread(in, sorted, in->count),
                  panel.noise * sqrt(DXT_WITNESSES / (double)DXT_HEARD));
}
