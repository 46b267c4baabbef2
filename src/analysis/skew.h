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

/**
 * How much later the awaited rank arrives than the waiting one, from the waits of both for each
 * other. Without a transfer time the difference of the waits is the lateness, exactly and under any
 * distribution, since max(0, x) − max(0, −x) = x. With a transfer time c, both wait while they are
 * less than c apart, and the difference counts the lateness twice.
 *
 * @param waits_difference  wait(i, j) − wait(j, i).
 * @return Lateness of j over i.
 */
double dxt_lateness_of_waits(double waits_difference, double transfer);

#endif
