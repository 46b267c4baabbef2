/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain data that every part shares: limits, operators, and the counters of a probe. The layout of
 * the counters is the same on CPU and GPU and position independent, so that a block may live in
 * process memory, in a shared segment or on a device, and be copied as it is.
 */
#ifndef DEEPXTRACE_TYPES_H
#define DEEPXTRACE_TYPES_H

#include <stddef.h>
#include <stdint.h>

/** Most ranks in one group. */
#define DXT_MAX_RANKS 4096u
/** Most operators in one probe. */
#define DXT_MAX_OPERATORS 16u
/** Bins of the histogram of waits; bin b counts waits in [2^b, 2^(b+1)) ticks, bin 0 also those
 *  of 0, the last also all longer ones. */
#define DXT_HISTOGRAM_BINS 32u
/** Fastest clock that waits may be counted with, in ticks per second; the slowest has 1. */
#define DXT_MAX_TICKS_PER_SECOND 1e12
/** Most durations that a probe keeps of an operator. */
#define DXT_MAX_DURATIONS 65536u
/** "No rank" where a rank is optional. */
#define DXT_NO_RANK UINT32_MAX

/** The operators of low-latency expert parallelism, as indices into a probe. */
enum { DXT_DISPATCH = 0, DXT_COMBINE = 1, DXT_EP_OPERATORS = 2 };

/** Version of the counter layout below. */
#define DXT_PROBE_LAYOUT 1u

/**
 * Counters of one (operator, source) pair on one rank: 192 bytes, the first cache line is all that
 * a wait without histogram would touch. Ticks are those of dxt_probe.ticks_per_second.
 *
 * All counters only grow, except wait_ticks_max, which is a running maximum. Histogram bins wrap at
 * 2^32; differences stay right as long as a window has fewer waits.
 *
 * Frozen.
 */
typedef struct dxt_cell {
    uint64_t wait_ticks_sum;        /**< ticks waited for this source */
    uint64_t samples;               /**< waits added, waits of 0 ticks included */
    uint64_t wait_ticks_max;        /**< longest wait so far */
    uint64_t bytes;                 /**< payload received from this source */
    uint64_t last_count;            /**< operations in which this source came last */
    uint64_t last_margin_ticks_sum; /**< by how much, summed: its longest wait minus the longest
                                         for any other source */
    uint64_t timeouts;              /**< waits given up; not in wait_ticks_sum */
    uint64_t reserved;
    uint32_t histogram[DXT_HISTOGRAM_BINS];
} dxt_cell;

/** Counters of one operator on one rank: 64 bytes. Frozen. */
typedef struct dxt_operator_counters {
    uint64_t ops;              /**< operations completed */
    uint64_t inside_ticks_sum; /**< ticks from begin to end of the wait loop, summed */
    uint64_t issued;           /**< operations that this rank has begun to take part in, completed
                                    or not; 0 = not counted */
    uint64_t durations;        /**< durations noted so far; the newest are in the ring */
    uint64_t reserved[4];
} dxt_operator_counters;

/** How long one operation took a rank, or kept it waiting: 16 bytes. Frozen. */
typedef struct dxt_duration {
    uint64_t number; /**< of the operation, from 0, the same on all ranks */
    uint64_t ticks;
} dxt_duration;

/**
 * Head of a block of counters. Behind it follow `operators` dxt_operator_counters, then `operators`
 * × `sources` dxt_cell, operator by operator, and then, in a probe that keeps them, a ring of
 * `durations` dxt_duration for each operator; dxt_probe_bytes() in all.
 *
 * Frozen.
 */
typedef struct dxt_probe {
    uint32_t layout;           /**< DXT_PROBE_LAYOUT */
    uint32_t operators;        /**< 1 … DXT_MAX_OPERATORS */
    uint32_t sources;          /**< ranks that can be waited for: 1 … DXT_MAX_RANKS */
    uint32_t flags;            /**< 0 */
    uint64_t ticks_per_second; /**< rate of the clock that the waits are measured with; 0 =
                                    unknown */
    uint64_t durations;        /**< kept of each operator: a power of two, or 0 */
    uint64_t reserved[4];
} dxt_probe;

#ifdef __cplusplus
#define DXT_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define DXT_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

DXT_STATIC_ASSERT(sizeof(dxt_cell) == 192, "dxt_cell is shared with GPU code");
DXT_STATIC_ASSERT(offsetof(dxt_cell, histogram) == 64, "hot counters fill one cache line");
DXT_STATIC_ASSERT(sizeof(dxt_operator_counters) == 64, "shared with GPU code");
DXT_STATIC_ASSERT(sizeof(dxt_duration) == 16, "shared with GPU code");
DXT_STATIC_ASSERT(sizeof(dxt_probe) == 64, "shared with GPU code");

#endif
