/* SPDX-License-Identifier: Apache-2.0 */
/* Measures an engine whose ranks have a GPU each: times of the GPU, the slowest rank of each
 * repetition. */
#ifndef DXT_BENCH_DEVICE_H
#define DXT_BENCH_DEVICE_H

#include "load.h"

/** Most numbers of tokens in one measurement. */
#define DXT_BENCH_SHAPES 8u
/** Pairs of one dispatch and one combine in the graph that measures them back to back. */
#define DXT_BENCH_IN_A_ROW 10u

/** What to measure. */
typedef struct dxt_device_bench {
    const char *engine;
    dxt_load_shape shape; /**< but for the tokens */
    uint32_t tokens[DXT_BENCH_SHAPES];
    uint32_t count; /**< of tokens */
    uint32_t repeat;
    const char *against; /**< folder of another build of libdeepxtrace-ep, or NULL */
} dxt_device_bench;

/** What was timed: a graph of one dispatch, of one combine, of both, and of many pairs. */
enum { DXT_TIME_DISPATCH, DXT_TIME_COMBINE, DXT_TIME_PAIR, DXT_TIME_ROW, DXT_TIMES };

typedef struct dxt_device_times {
    double median_ns[DXT_TIMES], p99_ns[DXT_TIMES]; /**< of DXT_TIME_ROW: per pair */
    double bytes[DXT_TIMES];    /**< that a rank sends to others, mean of the ranks */
    double limit_ns[DXT_TIMES]; /**< the busiest direction of any rank at the rate of its links */
} dxt_device_times;

/** The ratio of paired times of the same work in two variants. */
typedef struct dxt_device_pairs {
    double ratio, low, high;    /**< median, and its 95 % interval from order statistics */
    double first_ns, second_ns; /**< medians, of one dispatch and combine */
} dxt_device_pairs;

/** What is compared in pairs. */
enum {
    DXT_PAIRS_PROBE, /**< with counters, and without */
    DXT_PAIRS_NULL   /**< without counters, and in the build of dxt_device_bench.against */
};

/**
 * Measure; times[i] is for tokens[i].
 *
 * @param about  Receives the name of the device, in one line.
 * @param error  Receives one line when it fails.
 * @return 0 or −1. Starts processes and waits for them.
 */
int dxt_device_bench_times(const dxt_device_bench *bench, dxt_device_times *times, char about[128],
                           char error[256]);
/** Compare variants for tokens[0], in bench->repeat pairs, at least 8. */
int dxt_device_bench_pairs(const dxt_device_bench *bench, int what, dxt_device_pairs *pairs,
                           char error[256]);

#endif
