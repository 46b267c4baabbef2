/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the expert-parallel engine with real rank processes over shared memory. Public API only:
 * link libdeepxtrace (for the probe's counters) and libdeepxtrace-ep. */
#ifndef TOOLS_BENCH_EP_BENCH_H
#define TOOLS_BENCH_EP_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <deepxtrace/ep.h>

/** What to measure. */
struct ep_bench_config {
    uint32_t ranks;  /**< 1 … 64 processes */
    uint32_t tokens; /**< sent by each rank */
    uint32_t hidden;
    uint32_t experts; /**< a multiple of ranks */
    uint32_t topk;    /**< distinct random experts of each token */
    dxt_ep_dispatch_format dispatch_format;
    dxt_ep_combine_format combine_format;
    uint32_t iterations; /**< measured, 1 … 1000000 */
    uint32_t warmup;
    bool probe; /**< count the waits meanwhile */
};

/** Times of one operation: the slowest rank of each iteration, send and receive together. */
struct ep_bench_latency {
    double median_ns;
    double p99_ns;
};

/** What was measured. */
struct ep_bench_result {
    struct ep_bench_latency dispatch;
    struct ep_bench_latency combine;
    uint64_t dispatch_bytes; /**< payload delivered to one rank in a dispatch, mean of the ranks */
    uint64_t combine_bytes;  /**< the same of a combine */
    double dispatch_bytes_per_s; /**< per rank, from the median latency */
    double combine_bytes_per_s;
    double memcpy_bytes_per_s; /**< per rank: a memcpy() as large as the dispatch payload, by all
                                    ranks at once, in the same iterations; from the median of the
                                    slowest */
};

/**
 * Run dispatch, combine and memcpy() in turn.
 *
 * @param error  Receives one line when it fails.
 * @return 0, or -1.
 *
 * Blocking: for the length of the run. Starts processes and waits for them.
 */
int ep_bench_run(const struct ep_bench_config *config, struct ep_bench_result *result, char *error,
                 size_t error_size);

/** Cost of the probe, as the ratio of paired times of dispatch + combine. */
struct ep_bench_pairs {
    double ratio; /**< median of (time with the probe ÷ time without) over the pairs */
    double ratio_low, ratio_high; /**< 95 % interval of the median, from order statistics */
    double on_ns, off_ns;         /**< median times */
    uint32_t pairs;
};

/**
 * Measure the same ranks with the probe on and off in turn: two groups in one set of processes, the
 * order within a pair alternates, and in the second half the groups change roles, so that neither
 * time nor place favours one.
 *
 * @param pairs  At least 8.
 * @return As ep_bench_run().
 */
int ep_bench_probe_pairs(const struct ep_bench_config *config, uint32_t pairs,
                         struct ep_bench_pairs *result, char *error, size_t error_size);

#endif
