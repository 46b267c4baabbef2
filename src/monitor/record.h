/* SPDX-License-Identifier: Apache-2.0 */
/* Judged windows into the store: what was found, sums per rank, matrices, incidents, totals. */
#ifndef DXT_MONITOR_RECORD_H
#define DXT_MONITOR_RECORD_H

#include "judge.h"
#include "monitor.h"
#include "store.h"

/** How matrix.cells holds N×N waits, in the window's measure, deflated. */
enum {
    CODING_FLOAT = 1, /**< float32, little endian; NaN = not observed */
    CODING_LOG = 2 /**< a byte: 0 = not observed, 1 = 0, else 2^((byte − 2) / LOG_STEPS) / 16 */
};
#define LOG_STEPS 6.0

/** Why a matrix is kept: bits. */
enum { KEEP_NEW = 1, KEEP_SAMPLE = 2, KEEP_INCIDENT = 4 };

typedef struct recorder {
    store *s;
    const dxt_monitor_options *options;
    int64_t file;          /**< its id in the store */
    const char *file_name; /**< without folder, kind and what rotation put behind */
    bool recording;        /**< the file is a recording, not a log */
    int64_t stored;        /**< windows before this ordinal were dealt with in an earlier process */
    uint64_t old;          /**< windows that were left out, being older than what is kept */
    int64_t now_ns;        /**< since 1970 */
    int64_t window;        /**< id of the one being stored */
    int64_t group;         /**< and of its group */
    uint64_t windows;      /**< stored since this began */
    bool changed;          /**< something was stored since the caller last cleared it */
} recorder;

/** Store one; a window that is there already is left alone. A judge_fn: @p context is a recorder.
 */
bool record_window(void *context, const judged_window *w, const dxt_findings *findings);

/** Forget what is too old or too much. @return false with store.why. */
bool record_forget(recorder *r);

#endif
