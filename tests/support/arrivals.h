/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows from the arrival model itself: per operation every rank arrives at a random time, and
 * wait(i, j) = max(0, e_j + path(i, j) − e_i). Deterministic for a seed.
 */
#ifndef DXT_TESTS_ARRIVALS_H
#define DXT_TESTS_ARRIVALS_H

#include <stdbool.h>

#include <deepxtrace/analysis.h>

#define ARRIVALS_MAX_RANKS 1024

/** One job; zero it and set what differs. Times in ns. */
typedef struct arrivals {
    uint32_t ranks;
    int ops;
    uint64_t seed;
    double step;                            /**< time of one operation and its compute */
    double jitter;                          /**< standard deviation of each arrival */
    double transfer;                        /**< of every path, the diagonal included */
    double late[ARRIVALS_MAX_RANKS];        /**< added to every arrival; negative = early */
    double receive[ARRIVALS_MAX_RANKS];     /**< added to every wait of the rank */
    double (*path)(uint32_t i, uint32_t j); /**< extra transfer; NULL = none */
    bool record_last;                       /**< fill dxt_window.last */
    uint32_t sometimes;                     /**< this rank is later by … */
    double sometimes_late;                  /**< … this, in one operation of five; 0 = never */
} arrivals;

/** Make a window in ns; the caller frees it. Fails the test on error. */
dxt_window *arrivals_window(const arrivals *job, const char *phase);

/** Next number of a generator: uniform in [0, 1). */
double arrivals_uniform(uint64_t *state);

/** The same, normal with a standard deviation of 1. */
double arrivals_normal(uint64_t *state);

#endif
