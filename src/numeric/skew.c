/* SPDX-License-Identifier: Apache-2.0 */
#include "numeric/skew.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "numeric/tail.h"
#include "numeric/vectors.h"

#define INV_SQRT_2PI 0.39894228040143267794
/* Most rounds; four are usual. A step this small was the last one: what is left after it is as much
 * smaller again. */
#define NEWTON_ROUNDS 60
#define NEWTON_ENOUGH 1e-9
/* Halvings of an interval, down to a few millionths of it: finer than any window shows. */
#define PAIR_ROUNDS 20

double dxt_expected_wait(double shift, double skew)
{
    return dxt_wait_of(shift, skew);
}

/* P(X > −shift), near enough for Newton's method: to 2e-5. */
static double slope_of(double shift, double skew)
{
    double z = fabs(shift) / skew;
    if (!(z < DXT_TAIL_END)) return shift > 0;
    unsigned k = (unsigned)(z * DXT_TAIL_KNOTS_PER_UNIT + 0.5);
    const dxt_tail_knot *knot = &dxt_tail[k];
    double x = k / DXT_TAIL_KNOTS_PER_UNIT, d = z - x;
    double beyond = knot->beyond - d * knot->density * (1 - d * x / 2);
    return shift > 0 ? 1 - beyond : beyond;
}

/* Newton's method on a convex, growing function, from the right of its root. Never go above the
 * first value: far out, where the slope is nearly 0, rounding would make it leap. */

double dxt_skew_of_wait(double wait, double transfer)
{
    if (wait <= 0 || wait <= transfer) return 0;
    /* The expected wait grows with the skew, from `transfer` on; here it is ≥ wait. */
    double most = wait / INV_SQRT_2PI, skew = most;
    for (int i = 0; i < NEWTON_ROUNDS; i++) {
        double z = transfer / skew;
        double slope = INV_SQRT_2PI * exp(-0.5 * z * z);
        double step = (dxt_expected_wait(transfer, skew) - wait) / slope;
        bool last = !(fabs(step) > skew * NEWTON_ENOUGH);
        skew = fmax(0, fmin(skew - step, most));
        if (last) break;
    }
    return skew;
}

double dxt_expected_last(uint32_t count)
{
    /* The integral over x > 0 of 1 - P(all < x) - P(all < -x), by trapezoids. */
    double sum = 0;
    for (uint32_t k = 0; k < DXT_TAIL_KNOTS; k++) {
        double beyond = dxt_tail[k].beyond;
        double part = 1 - pow(1 - beyond, count) - pow(beyond, count);
        sum += k == 0 ? part / 2 : part;
    }
    return sum / DXT_TAIL_KNOTS_PER_UNIT;
}

double dxt_shift_of_wait(double wait, double skew)
{
    double shift = wait, nearest = -DXT_TAIL_END * skew;
    for (int i = 0; i < NEWTON_ROUNDS && shift > nearest; i++) {
        double step = (dxt_wait_of(shift, skew) - wait) / slope_of(shift, skew);
        bool last = !(fabs(step) > (fabs(shift) + skew) * NEWTON_ENOUGH);
        shift = fmin(shift - step, wait);
        if (last) break;
    }
    return fmax(shift, nearest);
}

/* Values that are computed together. */
#define TOGETHER 32u

/* One round of dxt_shift_of_wait() for TOGETHER values, but for those that are `found`. Loops as in
 * dxt_waits_of(). @return Whether any value is left. */
DXT_VECTORS static bool move_shifts(double *restrict shift, const double *restrict wait,
                                    int64_t *restrict found, double skew)
{
    double z[TOGETHER], tail[TOGETHER], beyond[TOGETHER], density[TOGETHER];
    int32_t k[TOGETHER];
    int64_t left = 0;
    for (uint32_t i = 0; i < TOGETHER; i++) {
        z[i] = fabs(shift[i]) / skew;
        k[i] = dxt_tail_place(&z[i]);
    }
    dxt_tail_gather(k, TOGETHER, tail, beyond, density);
    for (uint32_t i = 0; i < TOGETHER; i++) {
        double at = shift[i], bare = at > 0 ? at : 0, x = k[i] / DXT_TAIL_KNOTS_PER_UNIT;
        double d = z[i] - x;
        double off = tail[i] + d * (d * density[i] * dxt_tail_series(k[i], z[i]) - beyond[i]);
        double more = beyond[i] - d * density[i] * (1 - d * x / 2);
        double step = (bare + skew * off - wait[i]) / (at > 0 ? 1 - more : more);
        double to = at - step < wait[i] ? at - step : wait[i];
        shift[i] = found[i] ? at : to;
        bool last = !(fabs(step) > (fabs(at) + skew) * NEWTON_ENOUGH);
        found[i] |= last | !(shift[i] > -DXT_TAIL_END * skew);
        left += !found[i];
    }
    return left > 0;
}

void dxt_shifts_of_waits(double *values, size_t n, double skew)
{
    for (size_t first = 0; first < n; first += TOGETHER) {
        double shift[TOGETHER] = {0}, wait[TOGETHER] = {0};
        int64_t found[TOGETHER];
        size_t count = n - first < TOGETHER ? n - first : TOGETHER;
        memcpy(shift, values + first, count * sizeof *shift);
        memcpy(wait, shift, sizeof wait);
        for (size_t k = 0; k < TOGETHER; k++) found[k] = !(shift[k] > -DXT_TAIL_END * skew);
        for (int i = 0; i < NEWTON_ROUNDS && move_shifts(shift, wait, found, skew);) i++;
        for (size_t k = 0; k < count; k++) values[first + k] = fmax(shift[k], -DXT_TAIL_END * skew);
    }
}

/* The lateness that makes two waits differ by `difference` ≥ 0. */
static double lateness_of(double difference, double transfer, double skew)
{
    double low = 0, high = difference;
    for (int i = 0; i < PAIR_ROUNDS; i++) {
        double middle = low + (high - low) / 2;
        double made =
            dxt_expected_wait(transfer + middle, skew) - dxt_expected_wait(transfer - middle, skew);
        if (made < difference)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double dxt_skew_of_pair(double wait, double other_wait, double transfer)
{
    double difference = fabs(wait - other_wait), sum = wait + other_wait;
    /* For a given difference the sum grows with the skew. The skew that explains all of the sum is
     * the largest. */
    double low = 0, high = sum / (2 * INV_SQRT_2PI);
    for (int i = 0; i < PAIR_ROUNDS; i++) {
        double middle = low + (high - low) / 2;
        double late = lateness_of(difference, transfer, middle);
        double made =
            dxt_expected_wait(transfer + late, middle) + dxt_expected_wait(transfer - late, middle);
        if (made < sum)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Knots from `first` on. */
static void lay_out_knots(dxt_lateness_scale *scale, uint32_t first, uint32_t count)
{
    /* First the wait of the earlier rank, then that of the later one. */
    double waits[2 * DXT_LATENESS_KNOTS];
    for (uint32_t k = 0; k < count; k++) {
        double late = (first + k) * scale->step;
        waits[k] = scale->transfer + late;
        waits[count + k] = scale->transfer - late;
    }
    dxt_waits_of(waits, 2 * (size_t)count, scale->skew);
    for (uint32_t k = 0; k < count; k++) scale->difference[first + k] = waits[k] - waits[count + k];
}

/* Places up to `end`; the knots for them are there. */
static void lay_out_places(dxt_lateness_scale *scale, uint32_t end)
{
    unsigned knot = scale->places > 0 ? scale->knot[scale->places - 1] : 0;
    for (; scale->places < end; scale->places++) {
        double begin = scale->places * scale->step;
        while (knot + 2 < DXT_LATENESS_KNOTS && scale->difference[knot + 1] <= begin) knot++;
        scale->knot[scale->places] = (uint8_t)knot;
    }
}

void dxt_lateness_scale_begin(dxt_lateness_scale *scale, double transfer, double skew)
{
    const uint32_t last = DXT_LATENESS_KNOTS - 1;
    scale->transfer = transfer;
    scale->skew = skew;
    /* Beyond the last knot the waiting is one-sided, whatever the skew. */
    scale->step = (transfer + DXT_TAIL_END * skew) / last;
    scale->places_per_step = scale->step > 0 ? 1 / scale->step : 0;
    scale->knots = scale->places = 0;
    lay_out_knots(scale, last, 1);
}

void dxt_lateness_reach(dxt_lateness_scale *scale, double difference)
{
    const uint32_t last = DXT_LATENESS_KNOTS - 1;
    if (scale->transfer <= 0) return; /* the difference is the lateness */
    double reach = fmin(fabs(difference), scale->difference[last]) * scale->places_per_step;
    /* The place after it as well, for rounding, and the knots that both look at: no knot is further
     * on than the place of the same number. */
    uint32_t end = reach < DXT_LATENESS_PLACES ? (uint32_t)reach + 2 : DXT_LATENESS_PLACES;
    uint32_t places = end < DXT_LATENESS_PLACES ? end : DXT_LATENESS_PLACES;
    /* As many as are computed together cost hardly more than a few. */
    uint32_t knots = (end + 2 + TOGETHER / 2 - 1) / (TOGETHER / 2) * (TOGETHER / 2);
    if (knots > last) knots = last;
    if (places <= scale->places) return;
    if (knots > scale->knots) lay_out_knots(scale, scale->knots, knots - scale->knots);
    scale->knots = knots;
    lay_out_places(scale, places);
}

void dxt_lateness_scale_make(dxt_lateness_scale *scale, double transfer, double skew)
{
    dxt_lateness_scale_begin(scale, transfer, skew);
    dxt_lateness_reach(scale, INFINITY);
}
