/* SPDX-License-Identifier: Apache-2.0 */
#include "session/beat.h"

#include <stdbool.h>

/* The part of an interval by which the ends may be off and still match those of other ranks. */
#define TOLERANCE 16

/* How far a time is behind a multiple of the interval: 0 to below one interval. */
static int64_t phase(int64_t ns, int64_t interval_ns)
{
    int64_t rest = ns % interval_ns;
    return rest < 0 ? rest + interval_ns : rest;
}

/* The same, from minus half an interval to half an interval. */
static int64_t nearest(int64_t ns, int64_t interval_ns)
{
    int64_t rest = phase(ns, interval_ns);
    return rest > interval_ns / 2 ? rest - interval_ns : rest;
}

static int64_t distance(int64_t a, int64_t b, int64_t interval_ns)
{
    int64_t apart = nearest(a - b, interval_ns);
    return apart < 0 ? -apart : apart;
}

void dxt_beat_start(dxt_beat *beat, int64_t interval_ns, int64_t now_ns, int64_t realtime_ns)
{
    *beat = (dxt_beat){.interval_ns = interval_ns};
    if (realtime_ns > 0) beat->sequence = (uint64_t)(realtime_ns / interval_ns);
    beat->due_ns = now_ns + interval_ns - phase(realtime_ns, interval_ns);
}

/* Whether the wall clock has shown another end for long enough. */
static void follow(dxt_beat *beat, int64_t until_due_ns, int64_t realtime_ns)
{
    int64_t interval_ns = beat->interval_ns;
    int64_t off_ns =
        nearest(phase(realtime_ns, interval_ns) + phase(until_due_ns, interval_ns), interval_ns);
    if (distance(off_ns, 0, interval_ns) <= interval_ns / TOLERANCE) {
        beat->steady = 0;
        return;
    }
    bool same =
        beat->steady > 0 && distance(off_ns, beat->off_ns, interval_ns) <= interval_ns / TOLERANCE;
    beat->steady = same ? beat->steady + 1 : 1;
    beat->off_ns = off_ns;
    if (beat->steady < DXT_BEAT_STEADY) return;
    beat->due_ns -= off_ns;
    beat->steady = 0;
}

void dxt_beat_next(dxt_beat *beat, int64_t now_ns, int64_t realtime_ns)
{
    int64_t late_ns = now_ns - beat->due_ns;
    int64_t ended = 1 + (late_ns > 0 ? late_ns / beat->interval_ns : 0);
    beat->sequence += (uint64_t)ended;
    beat->due_ns += ended * beat->interval_ns;
    follow(beat, beat->due_ns - now_ns, realtime_ns);
}
