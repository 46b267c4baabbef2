/* SPDX-License-Identifier: Apache-2.0 */
/* `job`: the sum of the windows of one operator, from which the verdict over the whole run is. */
#ifndef TOOLS_JOB_SUM_H
#define TOOLS_JOB_SUM_H

#include <deepxtrace/matrix.h>

/** A sum under way. Zero it to begin; free `window` with dxt_window_free(). */
typedef struct job_sum {
    dxt_window *window;            /**< without a number; NULL = nothing to add so far */
    uint8_t silent[DXT_MAX_RANKS]; /**< ranks that were silent in a window left out */
} job_sum;

/**
 * Add a window. One in which nothing was completed is left out, since operations and samples would
 * be lost in its sum with others; who was silent in it is kept.
 *
 * @return DXT_OK; what dxt_window_add() returns.
 */
dxt_status job_sum_add(job_sum *sum, const dxt_window *window);

/** After the last window: whoever was silent in one that was left out is missing in the sum. */
dxt_status job_sum_end(job_sum *sum);

#endif
