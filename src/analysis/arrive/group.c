/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/group.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "analysis/arrive/abreast.h"
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

/* A fit under way: of the whole group, or of its witnesses. */
struct under_way {
    const dxt_group_input *in;
    dxt_group *group;
    double least; /* smallest limit, apart from noise */
    dxt_panel panel;
};

/* What the waits say before anybody is known to be ordinary. */
static void begin(struct under_way *fit)
{
    const dxt_group_input *in = fit->in;
    dxt_panel *p = &fit->panel;
    dxt_group *group = fit->group;
    uint32_t n = p->count;
    for (uint32_t a = 0; a < n; a++) p->ordinary[a] = a;
    p->ordinary_count = n;
    double base = n < 2 ? 0 : dxt_panel_level(p);
    /* Two members have no third to show what is ordinary; only the longer wait bounds the transfer.
     */
    double bound = n == 2 ? dxt_panel_longest(p) : base;
    *group = (dxt_group){.transfer = fmin(dxt_panel_diagonal(p), bound), .base = base};
    group->skew = n < 2 ? 0 : NAN;
    if (n >= 2) dxt_panel_take_level(in, p, group);
    group->limit = fit->least = least_limit(in, p, group);
    dxt_panel_pairs(p, group->transfer, group->skew);
    dxt_panel_means(p);
}

/* What the ordinary members say of their waits. */
static void look_at_ordinary(struct under_way *fit)
{
    dxt_panel_find_ordinary(&fit->panel, fit->group->limit);
    dxt_panel_take_level(fit->in, &fit->panel, fit->group);
    fit->group->cell_spread = dxt_own_spread(fit->in, fit->group);
}

static void set_limit(struct under_way *fit, dxt_chance *chance)
{
    dxt_panel *p = &fit->panel;
    p->noise = noise_of(fit->in, p, fit->group);
    const double *sorted = dxt_sort_into(p->sample, p->late, p->count);
    dxt_set_limit(fit->in, fit->group, fit->least, dxt_member_spread(fit->in, sorted, p->count),
                  p->noise, chance);
}

/* Fit panels of the same size, step by step. */
static void fit_panels(struct under_way *fits, uint32_t count, dxt_chance *chance)
{
    dxt_panel *panels[DXT_ABREAST];
    for (uint32_t t = 0; t < DXT_ABREAST; t++) panels[t] = &fits[t].panel;
    for (uint32_t t = 0; t < count; t++) dxt_panel_seat(fits[t].in, t, panels[t]);
    dxt_panels_middle(panels, count);
    for (uint32_t t = 0; t < count; t++) begin(&fits[t]);
    uint32_t n = fits[0].in->count;
    if (n > 2) dxt_panels_refine(panels, count);
    /* The first round finds the ordinary members roughly; the second starts from these. */
    for (int round = 0; n >= 2 && round < 2; round++) {
        for (uint32_t t = 0; t < count; t++) look_at_ordinary(&fits[t]);
        if (fits[0].in->level_only && round > 0) break;
        for (uint32_t t = 0; t < count; t++)
            dxt_panel_pairs(panels[t], fits[t].group->transfer, fits[t].group->skew);
        dxt_panels_judge(panels, count);
        for (uint32_t t = 0; t < count; t++) set_limit(&fits[t], chance);
    }
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

/* From its panel to the whole group. */
static void finish(struct under_way *fit, double *late, dxt_chance *chance)
{
    const dxt_group_input *in = fit->in;
    if (in->level_only) return;
    if (in->count <= DXT_WITNESSES) {
        memcpy(late, fit->panel.late, in->count * sizeof *late);
        return;
    }
    dxt_ask_witnesses(in, &fit->panel, late);
    const double *sorted = dxt_sort_into(in->sorted, late, in->count);
    center(in, sorted, fit->group->limit, late);
    dxt_set_limit(in, fit->group, fit->least, dxt_member_spread(in, sorted, in->count),
                  fit->panel.noise * sqrt(DXT_WITNESSES / (double)DXT_HEARD), chance);
}

void dxt_groups_fit(const dxt_group_input *in, uint32_t count, double *const *late,
                    dxt_group *groups)
{
    struct under_way fits[DXT_ABREAST];
    dxt_chance chance = {.skew = NAN};
    assert(count > 0 && count <= DXT_ABREAST && (count == 1 || in->count <= DXT_ABREAST_MEMBERS));
    for (uint32_t t = 0; t < count; t++) {
        assert(in[t].count > 0 && in[t].population >= in[t].count && in[t].count == in->count);
        fits[t].in = &in[t];
        fits[t].group = &groups[t];
    }
    fit_panels(fits, count, &chance);
    for (uint32_t t = 0; t < count; t++) finish(&fits[t], late[t], &chance);
}

void dxt_group_fit(const dxt_group_input *in, double *late, dxt_group *group)
{
    dxt_groups_fit(in, 1, &late, group);
}
