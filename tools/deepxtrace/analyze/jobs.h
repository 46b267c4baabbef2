/* SPDX-License-Identifier: Apache-2.0 */
/* The runs of one input: jobs that share a file, each with a history of its own. */
#ifndef TOOLS_ANALYZE_JOBS_H
#define TOOLS_ANALYZE_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <deepxtrace/history.h>

#include "changes.h"

/** So many are followed at a time, as many as share a log. */
#define JOBS_MOST 8u

/** One job: windows of the same instance. */
typedef struct job {
    char *instance;       /**< NULL: the windows name none */
    dxt_history *history; /**< NULL: windows are judged alone */
    changes told;
    uint64_t touched; /**< when its newest window came */
    bool used;
} job;

/** All of an input. Zero it to begin; release with jobs_free(). */
typedef struct jobs {
    job list[JOBS_MOST];
    size_t count;    /**< places in use, in the order in which they were begun */
    uint64_t tick;   /**< windows so far */
    bool several;    /**< there has been a second instance */
    const job *last; /**< whose window was told last */
} jobs;

/** The job of a window, NULL if none has begun. */
job *jobs_find(jobs *all, const dxt_window *window);

/** The one that has gone longest without a window. NULL as long as there is room. */
job *jobs_oldest(jobs *all);

/**
 * Begin a job with its first window.
 *
 * @param place    NULL, or one that is over, which jobs_oldest() gave.
 * @param options  Of its history; NULL: it has none.
 * @param made     Receives it.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status jobs_begin(jobs *all, job *place, const dxt_window *window,
                      const dxt_history_options *options, job **made);

void jobs_free(jobs *all);

#endif
