/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the windows of an asynchronous session end. The first begins at a multiple of the interval
 * by the wall clock, which all machines share; the others follow by the monotonic clock, which
 * nobody sets. If the wall clock is set, and stays so, the ends move within an interval, but the
 * numbers of the windows stay: no window is lost or left out.
 */
#ifndef DXT_SESSION_BEAT_H
#define DXT_SESSION_BEAT_H

#include <stdint.h>

/** For how many windows the wall clock must be off by the same before the ends follow it. */
#define DXT_BEAT_STEADY 16u

typedef struct dxt_beat {
    int64_t interval_ns;
    uint64_t sequence; /**< number of the window that has ended */
    int64_t due_ns;    /**< CLOCK_MONOTONIC at which the next one ends */
    int64_t off_ns;    /**< how far the ends are behind a multiple by the wall clock … */
    uint32_t steady;   /**< … in this many windows in a row */
} dxt_beat;

/** Begin at the multiple of the interval that has just passed. Times of both clocks, any. */
void dxt_beat_start(dxt_beat *beat, int64_t interval_ns, int64_t now_ns, int64_t realtime_ns);

/** End a window: number it, skip the numbers of intervals that have passed entirely, and set the
 * end of the next one. */
void dxt_beat_next(dxt_beat *beat, int64_t now_ns, int64_t realtime_ns);

#endif
