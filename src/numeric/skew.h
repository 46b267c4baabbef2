/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The physics of one wait: rank i waits max(0, e_j + c − e_i) for rank j, where the arrivals e vary
 * from operation to operation. With the difference of two arrivals normal of standard deviation s,
 * the expected wait has a closed form (the mean of a normal variable cut off below 0).
 */
#ifndef DXT_NUMERIC_SKEW_H
#define DXT_NUMERIC_SKEW_H

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/** E[max(0, shift + X)], X normal with mean 0 and standard deviation @p skew ≥ 0. */
double dxt_expected_wait(double shift, double skew);

/** The skew under which two ranks that are equally late wait @p wait for each other, when the
 *  transfer alone takes @p transfer; 0 when the transfer explains the wait. */
double dxt_skew_of_wait(double wait, double transfer);

/** The shift whose expected wait is @p wait: the inverse of dxt_expected_wait() at a fixed skew. */
double dxt_shift_of_wait(double wait, double skew);

/** The same for many at once, with the same results.
 *  @param values  [n] Waits; shifts in the end. */
void dxt_shifts_of_waits(double *values, size_t n, double skew);

/** The skew of two ranks from their waits for each other, whichever of them is later. */
double dxt_skew_of_pair(double wait, double other_wait, double transfer);

/** How far the largest of @p count standard normal numbers is above their mean, on average. */
double dxt_expected_last(uint32_t count);

/** Knots of a dxt_lateness_scale. */
#define DXT_LATENESS_KNOTS 128u
/** Its differences are divided into places of one step each. A step of lateness makes one to two
 *  steps of difference. */
#define DXT_LATENESS_PLACES (2 * DXT_LATENESS_KNOTS)

/**
 * Turns the waits of two ranks for each other into how much later one arrives than the other.
 *
 * Without a transfer time the difference of the waits is the lateness, exactly and under any
 * distribution, since max(0, x) − max(0, −x) = x. With a transfer time c, both wait while they are
 * less than c apart, and the difference counts the lateness twice; the skew blurs the bend between
 * the two. The scale holds that curve.
 */
typedef struct dxt_lateness_scale {
    double transfer, skew;
    double step;                           /**< of lateness from knot to knot */
    double difference[DXT_LATENESS_KNOTS]; /**< of the waits, at lateness 0, step, 2 step, … */
    double places_per_step;                /**< 1 ÷ step; 0 when the step is 0 */
    uint8_t knot[DXT_LATENESS_PLACES];     /**< last knot that is not above a place's beginning */
    uint32_t knots, places;                /**< that are laid out, and the last knot */
} dxt_lateness_scale;

/** Lay out the curve for a transfer time and a skew, both ≥ 0. */
void dxt_lateness_scale_make(dxt_lateness_scale *scale, double transfer, double skew);

/** Begin a curve that is laid out by dxt_lateness_reach(). */
void dxt_lateness_scale_begin(dxt_lateness_scale *scale, double transfer, double skew);

/** Lay the curve out for differences up to @p difference, which dxt_lateness_read() will get. */
void dxt_lateness_reach(dxt_lateness_scale *scale, double difference);

/** Lateness of j over i from wait(i, j) − wait(j, i), which the scale reaches. */
static inline double dxt_lateness_read(const dxt_lateness_scale *scale, double difference)
{
    const unsigned last = DXT_LATENESS_KNOTS - 1;
    double size = fabs(difference), late;
    if (scale->transfer <= 0) return difference;
    if (size >= scale->difference[last]) {
        late = size - scale->transfer;
    } else {
        /* At most one knot lies inside a place; where rounding takes the next place, the curve goes
         * on to where it meets it. */
        unsigned place = (unsigned)(size * scale->places_per_step);
        assert(place < scale->places);
        unsigned low = scale->knot[place];
        low += low + 1 < last && scale->difference[low + 1] <= size;
        double width = scale->difference[low + 1] - scale->difference[low];
        late = (low + (size - scale->difference[low]) / width) * scale->step;
    }
    return difference < 0 ? -late : late;
}

#endif
