/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/group.h"

#include <math.h>
#include <string.h>

#include "numeric/lean.h"
#include "numeric/select.h"
#include "numeric/skew.h"
#include "numeric/tail.h"
#include "numeric/vectors.h"

#define REFINE_ROUNDS 10
/* Pairs differ in their transfer time by up to about half of it (combine on NVLink: 10 µs ± 2–4
 * µs), and lateness that small cannot be told from a slower pair; over the many pairs of a rank
 * that averages out. */
#define TRANSFER_UNEVENNESS 0.5
#define TRANSFER_UNEVENNESS_OF_MANY 0.3
#define MANY_PEERS 7u
/* The spread of fewer members says nothing. */
#define SPREAD_MEMBERS 6u
/* Groups in which the waits of pairs say more about the skew than a median over cells. */
#define FEW_MEMBERS 3u
/* With two members and no clock, how many times the shorter wait the lateness must be. */
#define TWO_UNTIMED 20.0
/* Members from which on a quarter of them tells their spread. */
#define MANY_MEMBERS 32u
/* Spread over the members, in standard errors, from which it is not chance. When just over half are
 * ordinary the densest part of all is twice that of the ordinary, and looks that much wider. */
#define SYSTEMATIC_SPREAD 3.5
#define SPREAD_OF_MANY 2.5
/* By which part of the step ranks without a fault differ in a window, as a standard deviation. */
#define DRIFT 0.0025
/* Deviation of cells from the fit, in parts of the ordinary wait, that no machine's pairs have. */
#define WILD 0.8
/* Spread of cells over the windows, as a standard deviation of their logarithm, that is ordinary.
 */
#define CALM 0.36
/* How much the deviation of few cells may be too small by chance, over the root of their number. */
#define FEW_CELLS 1.5
/* Witnesses heard on each member of a large group: more add nothing to the median. */
#define HEARD 16u

/* Members fitted pair by pair: the whole group, or the witnesses of a large one. */
struct panel {
    uint32_t count;
    uint32_t member[DXT_WITNESSES];
    double late[DXT_WITNESSES];
    uint32_t ordinary[DXT_WITNESSES]; /* positions in the panel */
    uint32_t ordinary_count;
    double *wait;     /* [count][count] */
    double *pair;     /* [count][count] how much later the column arrives than the row */
    double *sample;   /* DXT_LEVEL_SAMPLE */
    double pair_skew; /* of few members; negative until it is taken */
    double noise;     /* standard error by the cells alone */
    dxt_lateness_scale scale;
};

size_t dxt_spread_index(size_t k, size_t taken, size_t count)
{
    if (taken >= count) return k;
    size_t begin = k * count / taken, end = (k + 1) * count / taken;
    return begin + (size_t)((k + 1) * UINT64_C(0x9E3779B97F4A7C15) >> 32) % (end - begin);
}

/* ---- the panel ---- */

static double panel_wait(const struct panel *p, uint32_t a, uint32_t b)
{
    return p->wait[(size_t)a * p->count + b];
}

static double panel_pair(const struct panel *p, uint32_t a, uint32_t b)
{
    return p->pair[(size_t)a * p->count + b];
}

static void seat_panel(const dxt_group_input *in, struct panel *p)
{
    p->count = in->count < DXT_WITNESSES ? in->count : DXT_WITNESSES;
    p->pair_skew = -1;
    p->scale.transfer = -1;
    p->wait = in->scratch;
    p->pair = in->scratch + DXT_WITNESSES * DXT_WITNESSES;
    p->sample = in->scratch + 2 * DXT_WITNESSES * DXT_WITNESSES;
    for (uint32_t a = 0; a < p->count; a++)
        p->member[a] = (uint32_t)dxt_spread_index(a, p->count, in->count);
    for (uint32_t a = 0; a < p->count; a++)
        in->waits(in->context, p->member[a], p->member, p->count, p->wait + (size_t)a * p->count);
}

/* Median wait between the ordinary members of the panel; of two, the shorter of their waits. */
static double panel_level(const struct panel *p)
{
    uint32_t n = p->ordinary_count;
    size_t used = 0;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++)
            if (a != b) p->sample[used++] = panel_wait(p, p->ordinary[a], p->ordinary[b]);
    return used == 2 ? fmin(p->sample[0], p->sample[1]) : dxt_median(p->sample, used);
}

/* Skew of the two that arrive closest to each other: of few members these are ordinary, unless they
 * are all there are. The waits of a pair far apart hardly depend on it. */
static double panel_pair_skew(const struct panel *p, double transfer)
{
    double closest = INFINITY, skew = 0;
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = a + 1; b < p->count; b++) {
            double there = panel_wait(p, a, b), back = panel_wait(p, b, a);
            if (fabs(there - back) >= closest) continue;
            closest = fabs(there - back);
            skew = dxt_skew_of_pair(there, back, transfer);
        }
    return skew;
}

/* The ordinary wait and the skew behind it. */
static void take_level(const dxt_group_input *in, struct panel *p, dxt_group *group)
{
    if (!isnan(in->skew)) {
        group->skew = in->skew;
        if (p->ordinary_count >= 2) group->base = panel_level(p);
    } else if (p->count <= FEW_MEMBERS) {
        if (p->pair_skew < 0) p->pair_skew = panel_pair_skew(p, group->transfer);
        group->skew = p->pair_skew;
        group->base = dxt_expected_wait(group->transfer, group->skew);
    } else {
        if (p->ordinary_count >= 2) group->base = panel_level(p);
        group->skew = dxt_skew_of_wait(group->base, group->transfer);
    }
}

static double panel_longest(const struct panel *p)
{
    double longest = 0;
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = 0; b < p->count; b++)
            if (a != b) longest = fmax(longest, panel_wait(p, a, b));
    return longest;
}

static double panel_diagonal(const struct panel *p)
{
    for (uint32_t a = 0; a < p->count; a++) p->sample[a] = panel_wait(p, a, a);
    return dxt_median(p->sample, p->count);
}

/* By the two waits of each pair alone. */
static void panel_pairs(struct panel *p, double transfer, double skew)
{
    size_t n = p->count;
    /* As they are; a new round mostly finds the same. */
    if (p->scale.transfer == transfer && p->scale.skew == skew) return;
    dxt_lateness_scale_make(&p->scale, transfer, skew);
    for (uint32_t a = 0; a < n; a++) {
        p->pair[a * n + a] = 0;
        for (uint32_t b = a + 1; b < n; b++) {
            double later = dxt_lateness_read(&p->scale, panel_wait(p, a, b) - panel_wait(p, b, a));
            p->pair[a * n + b] = later;
            p->pair[b * n + a] = -later;
        }
    }
}

/* Least squares over all pairs: exact when the pairs agree with each other. */
static void panel_means(struct panel *p)
{
    memset(p->late, 0, sizeof p->late);
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = 0; b < p->count; b++) p->late[b] += panel_pair(p, a, b) / p->count;
}

/* How far the pairs are from what latenesses make of them, each pair once, in `sample`. */
DXT_VECTORS static size_t pair_deviations(const struct panel *p)
{
    size_t used = 0, n = p->count;
    for (size_t a = 0; a < n; a++) {
        const double *pair = p->pair + a * n;
        double *sample = p->sample + used, late = p->late[a];
        for (size_t b = a + 1; b < n; b++) sample[b - a - 1] = fabs(pair[b] - (p->late[b] - late));
        used += n - a - 1;
    }
    return used;
}

/* Each lateness by the others' and the pairs, those that are far off weighing less. */
DXT_VECTORS static void weigh_pairs(const struct panel *p, double scale, double *next)
{
    size_t n = p->count;
    double sum[DXT_WITNESSES] = {0}, weights[DXT_WITNESSES] = {0};
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

/* Turn least squares into least absolute deviations by reweighting, so that a slow path does not
 * make its two ends look late and early. */
static void panel_refine(struct panel *p)
{
    double next[DXT_WITNESSES];
    for (int round = 0; round < REFINE_ROUNDS; round++) {
        size_t pairs = pair_deviations(p);
        double scale = dxt_median(p->sample, pairs) + 1e-9, change = 0;
        weigh_pairs(p, scale, next);
        for (uint32_t b = 0; b < p->count; b++) {
            double moved = fabs(next[b] - p->late[b]);
            change = moved > change ? moved : change;
        }
        memcpy(p->late, next, p->count * sizeof *next);
        if (change < scale / 100) break;
    }
}

/* ---- ordinary members ---- */

static const double *sort_into(double *sorted, const double *late, uint32_t n)
{
    memcpy(sorted, late, n * sizeof *late);
    dxt_sort(sorted, n);
    return sorted;
}

/* Bounds of the ordinary cluster among sorted latenesses. */
static void ordinary_range(const double *sorted, uint32_t n, double limit, double *low,
                           double *high)
{
    uint32_t half = (n + 1) / 2, best = 0;
    double width = INFINITY;
    for (uint32_t k = 0; k + half <= n; k++) {
        double range = sorted[k + half - 1] - sorted[k];
        if (range <= 2 * limit || range < width) {
            best = k;
            width = range;
        }
        if (range <= 2 * limit) break;
    }
    double middle = sorted[best] + width / 2;
    double reach = fmax(limit, width / 2);
    *low = middle - reach;
    *high = middle + reach;
}

static void find_ordinary(struct panel *p, double limit)
{
    double sorted[DXT_WITNESSES], low, high;
    ordinary_range(sort_into(sorted, p->late, p->count), p->count, limit, &low, &high);
    p->ordinary_count = 0;
    for (uint32_t a = 0; a < p->count; a++)
        if (p->late[a] >= low && p->late[a] <= high) p->ordinary[p->ordinary_count++] = a;
}

static void center_panel(const struct panel *p, double *late)
{
    double mean = 0;
    for (uint32_t k = 0; k < p->ordinary_count; k++)
        mean += late[p->ordinary[k]] / p->ordinary_count;
    for (uint32_t b = 0; b < p->count; b++) late[b] -= mean;
}

/* How badly latenesses explain the pairs. */
static double misfit(const struct panel *p, const double *late)
{
    double sum = 0;
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = a + 1; b < p->count; b++)
            sum += fabs(panel_pair(p, a, b) - (late[b] - late[a]));
    return sum;
}

/* Lateness by the cautious median of what others say of each: `from` lists these, `add` is added
 * to what each says. */
static void ask(const struct panel *p, const uint32_t *from, uint32_t count, const double *add,
                double *late)
{
    double said[DXT_WITNESSES][DXT_LANES], median[DXT_LANES];
    for (uint32_t first = 0; first < p->count; first += DXT_LANES) {
        uint32_t lanes = p->count - first < DXT_LANES ? p->count - first : DXT_LANES;
        for (uint32_t k = 0; k < count; k++) {
            const double *pair = p->pair + (size_t)from[k] * p->count + first;
            for (uint32_t c = 0; c < DXT_LANES; c++)
                said[k][c] = c < lanes && first + c != from[k] ? pair[c] + add[from[k]] : INFINITY;
        }
        dxt_cautious_medians(said, count, median);
        memcpy(late + first, median, lanes * sizeof *late);
    }
    center_panel(p, late);
}

static void ask_ordinary(const struct panel *p, double *late)
{
    static const double nothing[DXT_WITNESSES];
    ask(p, p->ordinary, p->ordinary_count, nothing, late);
}

/* By all, their own lateness taken into account. */
static void ask_all(const struct panel *p, double *late)
{
    uint32_t all[DXT_WITNESSES];
    for (uint32_t a = 0; a < p->count; a++) all[a] = a;
    ask(p, all, p->count, p->late, late);
}

/* A slow path is one voice among all, but could be the only one among few ordinary members; where
 * there are hardly more than these, the others' lateness is not known well. Keep what fits better.
 */
static void panel_judge(struct panel *p)
{
    double by_ordinary[DXT_WITNESSES], by_all[DXT_WITNESSES];
    center_panel(p, p->late);
    ask_ordinary(p, by_ordinary);
    ask_all(p, by_all);
    bool all = misfit(p, by_all) < misfit(p, by_ordinary);
    memcpy(p->late, all ? by_all : by_ordinary, p->count * sizeof *p->late);
}

/* Standard error that the noise of pairs, which the arrivals do not explain, leaves in the
 * median over a member's pairs. Of `pairs` deviations the fit has used up one per member but one.
 */
static double pair_noise(const struct panel *p)
{
    uint32_t n = p->count;
    if (n < 3) return 0;
    size_t used = pair_deviations(p);
    double pairs = (double)used, free_pairs = pairs - (n - 1);
    double deviation = 1.4826 * dxt_median(p->sample, used) * sqrt(pairs / free_pairs);
    return 1.2533 * deviation / sqrt(n - 1);
}

/* For normal arrivals 3.5 and 5.0 would do for one false alarm in 1,000 windows, if the errors were
 * known exactly. */
double dxt_group_significance(uint32_t population)
{
    return 4.0 + 0.12 * log2(population);
}

/* How far single cells vary beyond what the arrivals do to them, where the windows before say so.
 */
static double own_spread(const dxt_group_input *in, const dxt_group *group)
{
    if (isnan(in->cell_spread)) return NAN;
    double arrivals =
        in->ops > 0 ? group->skew / sqrt(in->ops) / (group->base + DXT_CELL_FLOOR * in->floor) : 0;
    double own = in->cell_spread * in->cell_spread - arrivals * arrivals;
    return own > CALM * CALM ? sqrt(own) : 0;
}

/* Standard error that cells so spread leave in the median over a member's pairs: the limit that
 * log-normal ones need is not that many standard deviations. */
static double spread_noise(const dxt_group_input *in, const struct panel *p, const dxt_group *group)
{
    double z = dxt_group_significance(in->population);
    double of_median = (p->count > 3 ? 1.2533 : 1) * group->cell_spread / sqrt(p->count - 1);
    double times = exp(z * of_median) - 1;
    return dxt_lateness_read(&p->scale, (group->base + DXT_CELL_FLOOR * in->floor) * times) / z;
}

/* Deviations of the panel's cells from what its arrivals explain, in `sample`; of those alone that
 * waited long enough to have any. @return How many. */
static size_t cell_deviations(const struct panel *p, const dxt_group *group)
{
    size_t used = 0;
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = 0; b < p->count; b++) {
            double shift = group->transfer + p->late[b] - p->late[a];
            double expected = dxt_wait_of(shift, group->skew);
            if (a != b && expected >= group->base / 2)
                p->sample[used++] = fabs(panel_wait(p, a, b) - expected);
        }
    return used;
}

/* Standard error that the noise of single cells leaves likewise, where they are wilder than the
 * pairs of any machine; otherwise 0. A pair's two waits need not betray it: the fit has used up one
 * cell per member, and what few are left may be small by chance, which the factor makes up for. Of
 * three members too few are left to tell. */
static double cell_noise(const struct panel *p, const dxt_group *group)
{
    uint32_t n = p->count;
    if (n < 4) return 0;
    size_t used = cell_deviations(p, group);
    if (used == 0) return 0;
    double left = fmax((double)used - n, 1);
    double deviation = 1.4826 * dxt_median(p->sample, used) * sqrt((double)used / left);
    if (deviation * (1 + 3 / sqrt((double)used)) < WILD * group->base) return 0;
    double small = deviation / 16 + 1e-9;
    double slope = dxt_lateness_read(&p->scale, small) / small;
    return (1 + FEW_CELLS / sqrt(left)) * 1.2533 * 1.4142 * slope * deviation / sqrt(n - 1);
}

/* Standard deviation of the undisturbed members, from the width of the densest part: for a normal
 * distribution half of it lies within ± 0.6745, a quarter within ± 0.3186. Unlike a deviation from
 * the median it stands half of the members being elsewhere; of many members a quarter is enough,
 * and stays narrow when just over half are ordinary. */
static double spread_of(const double *sorted, uint32_t n)
{
    if (n < SPREAD_MEMBERS) return 0;
    bool many = n >= MANY_MEMBERS;
    uint32_t part = many ? n / 4 : (n + 1) / 2;
    double width = INFINITY;
    for (uint32_t k = 0; k + part <= n; k++) {
        double range = sorted[k + part - 1] - sorted[k];
        width = range < width ? range : width;
    }
    return width / (2 * (many ? 0.3186 : 0.6745));
}

/* What is known of the arrivals of one member. */
struct arrivals {
    double deviation; /* standard deviation from operation to operation */
    dxt_lean lean;    /* of the mean over the operations */
};

static struct arrivals arrivals_of(const dxt_group_input *in, double skew)
{
    double n = in->count;
    struct arrivals own = {.deviation = n > 1 ? skew * sqrt(n / (2 * (n - 1))) : 0};
    if (in->ops <= 0 || !(in->step > 0) || n < 2) return own;
    double v = dxt_variation(own.deviation, in->step);
    own.lean = dxt_lean_of(v, in->ops);
    /* Of two members it is the same on both sides. */
    own.lean.skewness *= 1 - 1 / ((n - 1) * (n - 1));
    own.deviation *= dxt_understated(v);
    return own;
}

/* Where the operations are known, the error of a lateness against the ordinary follows from the
 * skew, and the spread over the members only guards against what is systematic; over many members
 * it is known better. Otherwise it is all there is, and few
 * members make it uncertain: the correction is that of the least median of squares. */
static void set_limit(const dxt_group_input *in, dxt_group *group, double least, double spread,
                      double noise)
{
    struct arrivals own = arrivals_of(in, group->skew);
    double sampling = hypot(in->ops > 0 ? own.deviation / sqrt(in->ops) : 0, noise);
    if (in->step > 0) sampling = hypot(sampling, fmin(DRIFT * in->step, in->floor / 4));
    if (in->ops <= 0 && in->count > 1) spread *= 1 + 5.0 / (in->count - 1);
    double counts = in->count >= MANY_MEMBERS ? SPREAD_OF_MANY : SYSTEMATIC_SPREAD;
    group->error = spread > counts * sampling ? spread : sampling;
    group->limit = fmax(least, dxt_lean_quantile(dxt_group_significance(in->population), own.lean) *
                                   group->error);
}

static double fit_panel(const dxt_group_input *in, struct panel *p, dxt_group *group)
{
    uint32_t n = p->count;
    for (uint32_t a = 0; a < n; a++) p->ordinary[a] = a;
    p->ordinary_count = n;
    double base = n < 2 ? 0 : panel_level(p);
    /* Two members have no third to show what is ordinary; only the longer wait bounds the transfer.
     */
    double bound = n == 2 ? panel_longest(p) : base;
    *group = (dxt_group){.transfer = fmin(panel_diagonal(p), bound), .base = base};
    if (n >= 2) take_level(in, p, group);
    double floor = in->timed ? in->floor : fmax(in->floor, group->base);
    /* Nothing but the two waits is known: they must be of different kinds. */
    if (!in->timed && n == 2) floor = fmax(floor, TWO_UNTIMED * panel_level(p));
    bool averaged = in->ranks && n > MANY_PEERS;
    double uneven = averaged ? TRANSFER_UNEVENNESS_OF_MANY : TRANSFER_UNEVENNESS;
    double least = fmax(floor, uneven * group->transfer);
    group->limit = least;
    panel_pairs(p, group->transfer, group->skew);
    panel_means(p);
    if (n > 2) panel_refine(p);
    /* The first round knows the ordinary members only roughly; the second uses what it learned. */
    for (int round = 0; n >= 2 && round < 2; round++) {
        find_ordinary(p, group->limit);
        take_level(in, p, group);
        panel_pairs(p, group->transfer, group->skew);
        panel_judge(p);
        /* What stands for a cell between nodes is a median over many. */
        double noise = 0;
        group->cell_spread = own_spread(in, group);
        if (in->ranks && isnan(group->cell_spread))
            noise = cell_noise(p, group);
        else if (in->ranks)
            noise = spread_noise(in, p, group);
        noise = fmax(noise, pair_noise(p));
        const double *sorted = sort_into(p->sample, p->late, n);
        set_limit(in, group, least, spread_of(sorted, n), noise);
        p->noise = noise;
    }
    return least;
}

/* ---- large groups ---- */

/* Members that are looked at together. */
#define TILE (4 * DXT_LANES)

/* The witnesses that are heard: one more than on each member, since none is heard on itself. */
struct heard {
    uint32_t count;
    uint32_t member[HEARD + 1];
    double late[HEARD + 1];
};

static void choose_heard(const struct panel *p, struct heard *heard)
{
    heard->count = p->ordinary_count < HEARD + 1 ? p->ordinary_count : HEARD + 1;
    for (uint32_t k = 0; k < heard->count; k++) {
        heard->member[k] = p->member[p->ordinary[k]];
        heard->late[k] = p->late[p->ordinary[k]];
    }
}

/* What the witnesses say of one member, in one column. */
static void hear(const struct panel *p, const struct heard *heard, uint32_t member,
                 const double *for_it, size_t stride, const double *of_it,
                 double (*said)[DXT_LANES], uint32_t column)
{
    uint32_t used = 0;
    for (uint32_t k = 0; k < heard->count && used < HEARD; k++)
        if (heard->member[k] != member)
            said[used++][column] =
                dxt_lateness_read(&p->scale, for_it[k * stride] - of_it[k]) + heard->late[k];
    while (used < HEARD) said[used++][column] = INFINITY;
}

/* Lateness of all members by the median over the witnesses: what these waited for them row by row,
 * what they waited for these member by member. */
static void ask_witnesses(const dxt_group_input *in, const struct panel *p, double *late)
{
    struct heard heard;
    double for_it[HEARD + 1][TILE], of_it[HEARD + 1], said[HEARD][DXT_LANES], median[DXT_LANES];
    choose_heard(p, &heard);
    for (uint32_t first = 0; first < in->count; first += TILE) {
        uint32_t member[TILE], count = in->count - first < TILE ? in->count - first : TILE;
        for (uint32_t c = 0; c < count; c++) member[c] = first + c;
        for (uint32_t k = 0; k < heard.count; k++)
            in->waits(in->context, heard.member[k], member, count, for_it[k]);
        for (uint32_t c = 0; c < count; c++) {
            uint32_t column = c % DXT_LANES;
            in->waits(in->context, member[c], heard.member, heard.count, of_it);
            hear(p, &heard, member[c], for_it[0] + c, TILE, of_it, said, column);
            if (column + 1 < DXT_LANES && c + 1 < count) continue;
            /* Columns beyond the last member hold what was there before. */
            for (uint32_t k = 0; k < HEARD; k++)
                for (uint32_t rest = column + 1; rest < DXT_LANES; rest++) said[k][rest] = INFINITY;
            dxt_cautious_medians(said, HEARD, median);
            memcpy(late + member[c] - column, median, (column + 1) * sizeof *late);
        }
    }
}

/* The witnesses may by chance be late themselves; who is ordinary is settled by all members. */
static void center(const dxt_group_input *in, const double *sorted, double limit, double *late)
{
    double low, high, sum = 0;
    uint32_t ordinary = 0;
    ordinary_range(sorted, in->count, limit, &low, &high);
    for (uint32_t k = 0; k < in->count; k++) {
        if (late[k] < low || late[k] > high) continue;
        sum += late[k];
        ordinary++;
    }
    double mean = sum / ordinary;
    for (uint32_t k = 0; k < in->count; k++) late[k] -= mean;
}

void dxt_group_fit(const dxt_group_input *in, double *late, dxt_group *group)
{
    struct panel panel;
    seat_panel(in, &panel);
    double least = fit_panel(in, &panel, group);
    if (in->count <= DXT_WITNESSES) {
        memcpy(late, panel.late, in->count * sizeof *late);
        return;
    }
    ask_witnesses(in, &panel, late);
    const double *sorted = sort_into(panel.sample, late, in->count);
    center(in, sorted, group->limit, late);
    set_limit(in, group, least, spread_of(sorted, in->count),
              panel.noise * sqrt(DXT_WITNESSES / (double)HEARD));
}
