/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The physics of one wait: rank i waits max(0, e_j + c − e_i) for rank j, where the arrivals e vary
 * from operation to operation. With the difference of two arrivals normal of standard deviation s,
 * the expected wait has a closed form (the mean of a normal variable cut off below 0).
 */
#ifndef DXT_ANALYSIS_SKEW_H
#define DXT_ANALYSIS_SKEW_H

/** E[max(0, shift + X)], X normal with mean 0 and standard deviation @p skew ≥ 0. */
double dxt_expected_wait(double shift, double skew);

/** The skew under which two ranks that are equally late wait @p wait for each other, when the
 *  transfer alone takes @p transfer; 0 when the transfer explains the wait. */
double dxt_skew_of_wait(double wait, double transfer);

/** The shift whose expected wait is @p wait: the inverse of dxt_expected_wait() at a fixed skew. */
double dxt_shift_of_wait(double wait, double skew);

/** The skew of two ranks from their waits for each other, whichever of them is later. */
double dxt_skew_of_pair(double wait, double other_wait, double transfer);

/** Knots of a dxt_lateness_scale. */
#define DXT_LATENESS_KNOTS 128u

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
} dxt_lateness_scale;

/** Lay out the curve for a transfer time and a skew, both ≥ 0. */
void dxt_lateness_scale_make(dxt_lateness_scale *scale, double transfer, double skew);

/** Lateness of j over i from wait(i, j) − wait(j, i). */
double dxt_lateness_read(const dxt_lateness_scale *scale, double difference);

#endif
