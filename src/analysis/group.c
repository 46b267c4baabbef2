/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/group.h"

#include <math.h>
#include <stdlib.h>

#include "analysis/select.h"
#include "analysis/skew.h"

/* Groups up to this size are fitted against single wild cells; in larger ones a cell weighs little. */
#define REFINE_MEMBERS 64u
#define REFINE_ROUNDS 20
/* Pairs differ in their transfer time by up to about half of it (combine on NVLink: 10 µs ± 2–4 µs),
 * and lateness that small cannot be told from a slower pair. */
#define TRANSFER_UNEVENNESS 0.5
/* Standard errors that a lateness must exceed. */
#define SIGNIFICANCE 4.0
/* The same in units of the spread over the members, which also holds what is systematic. */
#define OUTLIER_SPREADS 5.0
/* The spread of fewer members says nothing. */
#define SPREAD_MEMBERS 6u
/* Without a clock, lateness below this part of the longest wait is not worth telling. */
#define RELATIVE_FLOOR 0.05

static double wait_of(const dxt_group_input *in, uint32_t a, uint32_t b)
{
    return in->value[in->member[a] * in->stride + in->member[b]];
}

/* How much later b arrives than a, by the two waits of this pair alone. */
static double pair_lateness(const dxt_group_input *in, double transfer, uint32_t a, uint32_t b)
{
    return dxt_lateness_of_waits(wait_of(in, a, b) - wait_of(in, b, a), transfer);
}

double dxt_group_level(const dxt_group_input *in, const uint32_t *listed, uint32_t count)
{
    if (count < 2) return 0;
    if (count == 2)
        return fmin(wait_of(in, listed[0], listed[1]), wait_of(in, listed[1], listed[0]));
    size_t cells = (size_t)count * (count - 1);
    size_t taken = cells < DXT_LEVEL_SAMPLE ? cells : DXT_LEVEL_SAMPLE;
    for (size_t k = 0; k < taken; k++) {
        /* Spread over the cells without a period that could coincide with rows or nodes. */
        size_t cell = taken == cells ? k : (size_t)(k * UINT64_C(0x9E3779B97F4A7C15) % cells);
        uint32_t a = (uint32_t)(cell / (count - 1)), b = (uint32_t)(cell % (count - 1));
        if (b >= a) b++;
        in->scratch[k] = wait_of(in, listed[a], listed[b]);
    }
    return dxt_median(in->scratch, taken);
}

static double longest_wait(const dxt_group_input *in)
{
    double longest = 0;
    for (uint32_t a = 0; a < in->count; a++)
        for (uint32_t b = 0; b < in->count; b++)
            if (a != b) longest = fmax(longest, wait_of(in, a, b));
    return longest;
}

static double median_of_diagonal(const dxt_group_input *in)
{
    double *own = in->scratch + DXT_LEVEL_SAMPLE;
    for (uint32_t a = 0; a < in->count; a++) own[a] = wait_of(in, a, a);
    return dxt_median(own, in->count);
}

/* Least squares over all pairs: exact when the pairs agree with each other. */
static void mean_lateness(const dxt_group_input *in, double transfer, double *lateness)
{
    for (uint32_t b = 0; b < in->count; b++) lateness[b] = 0;
    for (uint32_t a = 0; a < in->count; a++) {
        for (uint32_t b = a + 1; b < in->count; b++) {
            double later = pair_lateness(in, transfer, a, b);
            lateness[b] += later / in->count;
            lateness[a] -= later / in->count;
        }
    }
}

/* Turn least squares into least absolute deviations by reweighting, so that a slow path does not
 * make its two ends look late and early. */
static void refine_lateness(const dxt_group_input *in, double transfer, double *lateness)
{
    uint32_t n = in->count;
    double *next = in->scratch + DXT_LEVEL_SAMPLE;
    for (int round = 0; round < REFINE_ROUNDS; round++) {
        size_t used = 0;
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = a + 1; b < n; b++)
                in->scratch[used++] =
                    fabs(pair_lateness(in, transfer, a, b) - (lateness[b] - lateness[a]));
        double scale = dxt_median(in->scratch, used) + 1e-9;
        for (uint32_t b = 0; b < n; b++) {
            double sum = 0, weights = 0;
            for (uint32_t a = 0; a < n; a++) {
                if (a == b) continue;
                double later = pair_lateness(in, transfer, a, b);
                double weight = 1 / fmax(fabs(later - (lateness[b] - lateness[a])), scale);
                sum += weight * (later + lateness[a]);
                weights += weight;
            }
            next[b] = lateness[b] / 2 + sum / weights / 2;
        }
        for (uint32_t b = 0; b < n; b++) lateness[b] = next[b];
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Bounds of the ordinary cluster among the latenesses. */
static void ordinary_range(const dxt_group_input *in, const double *lateness, double limit,
                           double *low, double *high)
{
    uint32_t n = in->count, half = (n + 1) / 2;
    double *sorted = in->scratch + DXT_LEVEL_SAMPLE;
    for (uint32_t k = 0; k < n; k++) sorted[k] = lateness[k];
    qsort(sorted, n, sizeof *sorted, ascending);
    uint32_t best = 0;
    double width = INFINITY;
    for (uint32_t k = 0; k + half <= n; k++) {
        double range = sorted[k + half - 1] - sorted[k];
        if (range <= 2 * limit) {
            best = k;
            width = range;
            break;
        }
        if (range < width) {
            best = k;
            width = range;
        }
    }
    double middle = sorted[best] + width / 2;
    double reach = fmax(limit, width / 2);
    *low = middle - reach;
    *high = middle + reach;
}

/* Lateness of each member by the cautious median of what the ordinary members say of it. */
static void judge_by_ordinary(const dxt_group_input *in, double transfer, const uint32_t *ordinary,
                              uint32_t count, double *lateness)
{
    double *said = in->scratch;
    double *next = in->scratch + DXT_LEVEL_SAMPLE;
    double mean = 0;
    for (uint32_t b = 0; b < in->count; b++) {
        size_t witnesses = 0;
        for (uint32_t k = 0; k < count && witnesses < DXT_LEVEL_SAMPLE; k++)
            if (ordinary[k] != b) said[witnesses++] = pair_lateness(in, transfer, ordinary[k], b);
        next[b] = dxt_cautious_median(said, witnesses);
    }
    for (uint32_t k = 0; k < count; k++) mean += next[ordinary[k]] / count;
    for (uint32_t b = 0; b < in->count; b++) lateness[b] = next[b] - mean;
}

/* 1.4826 × median absolute deviation: the standard deviation of the undisturbed members. */
static double spread_of(const dxt_group_input *in, const double *lateness)
{
    uint32_t n = in->count;
    if (n < SPREAD_MEMBERS) return 0;
    double *copy = in->scratch;
    uint32_t taken = n < DXT_LEVEL_SAMPLE ? n : DXT_LEVEL_SAMPLE;
    for (uint32_t k = 0; k < taken; k++) copy[k] = lateness[k];
    double middle = dxt_median(copy, taken);
    for (uint32_t k = 0; k < taken; k++) copy[k] = fabs(lateness[k] - middle);
    return 1.4826 * dxt_median(copy, taken);
}

void dxt_group_fit(const dxt_group_input *in, double *lateness, dxt_group *group)
{
    uint32_t n = in->count;
    uint32_t *listed = (uint32_t *)(in->scratch + DXT_LEVEL_SAMPLE + n);
    for (uint32_t k = 0; k < n; k++) listed[k] = k;
    double base = dxt_group_level(in, listed, n);
    /* Two members have no third to show what is ordinary; only the longer wait bounds the transfer. */
    double bound = n == 2 ? longest_wait(in) : base;
    double transfer = fmin(median_of_diagonal(in), bound);
    double floor = isnan(in->floor) ? fmax(RELATIVE_FLOOR * longest_wait(in), base) : in->floor;
    double least = fmax(floor, TRANSFER_UNEVENNESS * transfer);
    *group = (dxt_group){.transfer = transfer, .base = base, .limit = least};

    mean_lateness(in, transfer, lateness);
    if (n > 2 && n <= REFINE_MEMBERS) refine_lateness(in, transfer, lateness);
    if (n < 2) return;
    /* The first round knows the ordinary members only roughly; the second uses what it learned. */
    for (int round = 0; round < 2; round++) {
        double low, high;
        uint32_t ordinary = 0;
        ordinary_range(in, lateness, group->limit, &low, &high);
        for (uint32_t k = 0; k < n; k++)
            if (lateness[k] >= low && lateness[k] <= high) listed[ordinary++] = k;
        if (ordinary >= 2) group->base = dxt_group_level(in, listed, ordinary);
        group->skew = dxt_skew_of_wait(group->base, transfer);
        judge_by_ordinary(in, transfer, listed, ordinary, lateness);
        double sampling = in->ops > 0 ? group->skew / sqrt(in->ops) : 0;
        double spread = spread_of(in, lateness);
        group->error = fmax(sampling, spread);
        group->limit = fmax(least, fmax(SIGNIFICANCE * sampling, OUTLIER_SPREADS * spread));
    }
}
