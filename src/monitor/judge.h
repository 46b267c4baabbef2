/* SPDX-License-Identifier: Apache-2.0 */
/* Judge the windows of a file as `deepxtrace analyze` does: those of an interval together, each run
 * with its history. */
#ifndef DXT_MONITOR_JUDGE_H
#define DXT_MONITOR_JUDGE_H

#include <deepxtrace/history.h>

#include <stdbool.h>

/** Runs of one file that are told apart at a time. If there are more, the stalest is forgotten.
 */
#define JUDGE_RUNS 64u

/** Operators of one interval that belong together: dispatch, combine, and their transfers. */
#define JUDGE_OPERATORS 4u

/** A window and its place in the text. */
typedef struct judged_window {
    dxt_window *window;
    int64_t ordinal; /**< byte offset of its line in the text */
} judged_window;

/** One run: what one instance and group writes into a file. */
typedef struct judge_run {
    char *key;
    dxt_history *history;
    /** Windows of one interval that help to judge each other: the first `judged` are judged, the
     * others wait for what the next lines may hold. */
    judged_window interval[JUDGE_OPERATORS];
    size_t count, judged;
    uint64_t heard;
} judge_run;

/** Receives every judged window, in the order of judge_take(). @return false to stop. */
typedef bool (*judge_fn)(void *context, const judged_window *window, const dxt_findings *findings);

typedef struct judge {
    double min_share;
    judge_run runs[JUDGE_RUNS];
    size_t count;
    uint64_t clock;
    judge_fn told;
    void *context;
} judge;

/**
 * Take the next window of a file, and own it, also on error. Windows are judged when their interval
 * is complete, or when a window of another interval comes.
 *
 * @return DXT_OK; DXT_ERR_NO_MEMORY; DXT_ERR_IO if the receiver stopped.
 */
dxt_status judge_take(judge *j, dxt_window *window, int64_t ordinal);

/** Judge the windows that wait for another one without it. */
dxt_status judge_rest(judge *j);

/** Byte offset of the first window that waits; −1 if none does. */
int64_t judge_waiting(const judge *j);

void judge_free(judge *j);

#endif
