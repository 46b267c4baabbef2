/* SPDX-License-Identifier: Apache-2.0 */
/* Measures an engine whose ranks have a GPU each: times of the GPU, the slowest rank of each
 * repetition. */
#ifndef TOOLS_BENCH_ON_DEVICE_H
#define TOOLS_BENCH_ON_DEVICE_H

#include "load.h"

/** Most numbers of tokens in one measurement. */
#define BENCH_SHAPES 8u
/** Pairs of one dispatch and one combine in the graph that measures them back to back. */
#define BENCH_IN_A_ROW 10u

/** What to measure. */
typedef struct device_bench {
    const char *engine;
    load_shape shape; /**< but for the tokens */
    uint32_t tokens[BENCH_SHAPES];
    uint32_t count; /**< of tokens */
    uint32_t repeat;
    const char *against; /**< folder of another build of libdeepxtrace-ep, or NULL */
} device_bench;

/** What was timed: a graph of one dispatch, of one combine, of both, and of many pairs. */
enum { TIME_DISPATCH, TIME_COMBINE, TIME_PAIR, TIME_ROW, TIME_COUNT };

typedef struct device_times {
    double median_ns[TIME_COUNT], p99_ns[TIME_COUNT]; /**< of TIME_ROW: per pair */
    double bytes[TIME_COUNT];    /**< that a rank sends to others, mean of the ranks */
    double limit_ns[TIME_COUNT]; /**< the busiest direction of any rank at the rate of its links */
} device_times;

/** The ratio of paired times of the same work in two variants. */
typedef struct device_pairs {
    double ratio, low, high;    /**< median, and its 95 % interval from order statistics */
    double first_ns, second_ns; /**< medians, of one dispatch and combine */
} device_pairs;

/** What is compared in pairs. */
enum {
    PAIRS_PROBE, /**< with counters, and without */
    PAIRS_NULL   /**< without counters, and in the build of device_bench.against */
};

/**
 * Measure; times[i] is for tokens[i].
 *
 * @param about  Receives the name of the device, in one line.
 * @param error  Receives one line when it fails.
 * @return 0 or −1. Starts processes and waits for them.
 */
int device_bench_times(const device_bench *bench, device_times *times, char about[128],
                       char error[256]);
/** Compare variants for tokens[0], in bench->repeat pairs, at least 8. */
int device_bench_pairs(const device_bench *bench, int what, device_pairs *pairs, char error[256]);

#endif
