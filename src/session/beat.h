/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the windows of an asynchronous session end. They begin at multiples of the interval of the
 * wall clock, which all machines share, and go on by the clock that nobody sets. A wall clock that
 * was set, and stays so, moves the ends within an interval, and never the numbers: no window is
 * lost by it, none is left out.
 */
#ifndef DXT_SESSION_BEAT_H
#define DXT_SESSION_BEAT_H

#include <stdint.h>

/** For how many windows the wall clock must have said the same before the ends follow it. */
#define DXT_BEAT_STEADY 16u

typedef struct dxt_beat {
    int64_t interval_ns;
    uint64_t sequence; /**< of the window that has ended */
    int64_t due_ns;    /**< CLOCK_MONOTONIC at which the next one ends */
    int64_t off_ns;    /**< how far behind a multiple of the wall clock that was seen to be … */
    uint32_t steady;   /**< … in so many windows in a row */
} dxt_beat;

/** Begin at the multiple of the interval that has just passed. Times of both clocks, any. */
void dxt_beat_start(dxt_beat *beat, int64_t interval_ns, int64_t now_ns, int64_t realtime_ns);

/** A window ends: number it, leaving out the numbers of intervals that have passed altogether, and
 *  set when the next one ends. */
void dxt_beat_next(dxt_beat *beat, int64_t now_ns, int64_t realtime_ns);

#endif
