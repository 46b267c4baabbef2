/* SPDX-License-Identifier: Apache-2.0 */
#include "render/scale.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/*
 * The rule. Green must mean "what everybody waits anyway", red "look here", on every matrix:
 *
 * - The ordinary wait q is the lower quartile of all cells off the diagonal, zeros included. Half
 *   of the cells may be hot (a slow link between two nodes) and q is still one of the others; and
 *   where most cells are 0, q is 0: a lone hot column among zeros is not taken for ordinary.
 * - The high end is the largest wait, but at least 30 q: a matrix of 1 to 2 µs stays green. A mean
 *   wait is never called red below 10 µs, or the 20,000 cycles that a GPU makes of them: any
 *   network may need that.
 * - The high end is at most 10^4 times the lower quartile of the positive cells. One time-out of a
 *   minute then is as red as it gets and does not turn a rank that is 1 ms late green.
 * - The low end is the ordinary wait (where that is 0, the 5 % quantile of the positive cells): who
 *   waits less than others do is of no interest. At most 1/30 of the high end, at least 1/10^4 of
 *   it and 1/30 of what any network may need.
 * - Of blocks the longest waits are drawn, of which the ordinary one is longer: the low end is the
 *   lower quartile of what is drawn, but at most a quarter of the high end.
 */
#define SPAN_LEAST 30.0
#define SPAN_MOST 1e4
/* What is named stands out of blocks, whose longest waits are closer to each other. */
#define SPAN_OF_BLOCKS 4.0
#define NETWORK_NS 10e3
#define NETWORK_CYCLES 20e3

/* A histogram by sign-free exponent and the first five bits of the fraction: quantiles within 3 %
 * from one pass, in a fixed amount of memory, exact in order for every double ≥ 0. */
#define FRACTION_BITS 5
#define BINS (2048u << FRACTION_BITS)

struct survey {
    uint32_t *bins;
    uint64_t cells, positive;
    double largest;
};

static uint32_t bin_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint32_t)(bits >> (52 - FRACTION_BITS));
}

static double value_of(uint32_t bin)
{
    uint64_t bits = (uint64_t)bin << (52 - FRACTION_BITS);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Lower edge of the bin with the `rank`-th smallest positive value, from 0. */
static double nth_positive(const struct survey *survey, uint64_t rank)
{
    uint64_t below = 0;
    for (uint32_t bin = 0; bin < BINS; bin++) {
        below += survey->bins[bin];
        if (below > rank) return value_of(bin);
    }
    return survey->largest;
}

/* Count the cells of one row, on or off the diagonal. */
static void survey_row(struct survey *survey, const double *values, uint32_t ranks, uint32_t row,
                       bool diagonal)
{
    for (uint32_t column = 0; column < ranks; column++) {
        double value = values[column];
        if (!isfinite(value)) continue;
        if (value > survey->largest) survey->largest = value;
        if ((row == column) != diagonal) continue;
        survey->cells++;
        /* Subnormal values share the bin of the smallest normal ones, so that none has value 0. */
        if (value <= 0) continue;
        survey->positive++;
        survey->bins[bin_of(value < 1e-300 ? 1e-300 : value)]++;
    }
}

static void survey_window(struct survey *survey, const dxt_window *window, double *values,
                          bool diagonal)
{
    for (uint32_t row = 0; row < window->ranks; row++) {
        dxt_window_row(window, row, values);
        survey_row(survey, values, window->ranks, row, diagonal);
    }
}

/* No high end below this. Sums over a window have none: they may be as long as the window. */
static double least_high(dxt_measure measure)
{
    if (measure == DXT_MEASURE_NS_PER_OP) return NETWORK_NS;
    return measure == DXT_MEASURE_CYCLES_PER_OP ? NETWORK_CYCLES : 0;
}

static dxt_scale scale_from(const struct survey *survey, dxt_measure measure)
{
    if (survey->positive == 0) {
        double high = fmax(least_high(measure), 100 * dxt_measure_shown(measure));
        return (dxt_scale){.low = high / 100, .high = high, .largest = survey->largest};
    }
    uint64_t quarter = survey->cells / 4, zeros = survey->cells - survey->positive;
    double ordinary = quarter < zeros ? 0 : nth_positive(survey, quarter - zeros);
    double some = nth_positive(survey, survey->positive / 4);
    double high = fmin(survey->largest, SPAN_MOST * some);
    high = fmax(high, SPAN_LEAST * ordinary);
    high = fmax(high, least_high(measure));
    double low = ordinary > 0 ? ordinary : nth_positive(survey, survey->positive / 20);
    low = fmax(low, fmax(high / SPAN_MOST, least_high(measure) / SPAN_LEAST));
    return (dxt_scale){
        .low = fmin(low, high / SPAN_LEAST), .high = high, .largest = survey->largest};
}

dxt_status dxt_scale_choose(const dxt_window *window, dxt_scale *scale)
{
    struct survey survey = {.bins = calloc(BINS, sizeof *survey.bins)};
    double *values = calloc(window->ranks, sizeof *values);
    dxt_status status = DXT_OK;
    if (survey.bins && values) {
        survey_window(&survey, window, values, false);
        /* Only the diagonal has waits: then it is what there is to show. */
        if (survey.positive == 0 && survey.largest > 0)
            survey_window(&survey, window, values, true);
        *scale = scale_from(&survey, dxt_window_measure(window));
    } else {
        status = dxt_fail_memory(BINS * sizeof *survey.bins);
    }
    free(survey.bins);
    free(values);
    return status;
}

dxt_status dxt_scale_for_blocks(dxt_scale *scale, const double *cells, size_t count)
{
    struct survey survey = {.bins = calloc(BINS, sizeof *survey.bins)};
    if (!survey.bins) return dxt_fail_memory(BINS * sizeof *survey.bins);
    survey_row(&survey, cells, (uint32_t)count, (uint32_t)count, false);
    double ordinary = survey.positive > 0 ? nth_positive(&survey, survey.positive / 4) : 0;
    scale->low = fmax(scale->low, fmin(ordinary, scale->high / SPAN_OF_BLOCKS));
    free(survey.bins);
    return DXT_OK;
}

double dxt_scale_position(const dxt_scale *scale, double value)
{
    if (!(value > scale->low)) return 0;
    if (value >= scale->high) return 1;
    return log(value / scale->low) / log(scale->high / scale->low);
}

size_t dxt_scale_ticks(const dxt_scale *scale, double unit, double ticks[DXT_MAX_TICKS])
{
    static const double steps[] = {1, 2, 5};
    double low = scale->low / unit * (1 - 1e-9), high = scale->high / unit * (1 + 1e-9);
    int first = (int)floor(log10(low)), last = (int)ceil(log10(high));
    double decades = log10(high / low);
    int stride = 1 + (int)(decades / 8);
    size_t parts = decades < 3.5 ? 3 : 1, count = 0;
    for (int exponent = first; exponent <= last; exponent++) {
        if (exponent % stride != 0) continue;
        for (size_t part = 0; part < parts; part++) {
            double tick = steps[part] * pow(10, exponent);
            if (tick >= low && tick <= high && count < DXT_MAX_TICKS) ticks[count++] = tick;
        }
    }
    return count;
}
