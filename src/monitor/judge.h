/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of a file judged as `deepxtrace analyze` judges them: in pairs, each run with its
 * history. */
#ifndef DXT_MONITOR_JUDGE_H
#define DXT_MONITOR_JUDGE_H

#include <deepxtrace/history.h>

#include <stdbool.h>

/** Runs of one file that are told apart at the same time; of more, the one longest unheard of goes.
 */
#define JUDGE_RUNS 64u

/** A window and where it stands. */
typedef struct judged_window {
    dxt_window *window;
    int64_t ordinal; /**< byte offset of its line in the text */
} judged_window;

/** One run: what one instance and group writes into a file. */
typedef struct judge_run {
    char *key;
    dxt_history *history;
    judged_window before;  /**< judged, and still a companion for the next */
    judged_window waiting; /**< not judged yet: the next line may hold its companion */
    uint64_t heard;
} judge_run;

/** Receives every judged window, in the order in which they were taken. @return false to stop. */
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
 * Take the next window of a file; it is the judge's from here on, whatever comes of it. A window
 * whose companion has come is judged, and so is the one that waited for another.
 *
 * @return DXT_OK; DXT_ERR_NO_MEMORY; DXT_ERR_IO if the receiver stopped.
 */
dxt_status judge_take(judge *j, dxt_window *window, int64_t ordinal);

/** Judge what waits for a companion without it. */
dxt_status judge_rest(judge *j);

/** Byte offset of the first window that waits; −1 if none does. */
int64_t judge_waiting(const judge *j);

void judge_free(judge *j);

#endif
