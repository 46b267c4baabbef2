/* SPDX-License-Identifier: Apache-2.0 */
/* What rank 0 of `run` tells: each window as it comes, and the whole run at the end. */
#ifndef DXT_RUN_REPORT_H
#define DXT_RUN_REPORT_H

#include "confirm.h"
#include "job.h"
#include "sum.h"

/** Rank 0's report under way. Zero it, set `run`, and `history` to what the session judges with. */
typedef struct dxt_run_report {
    const dxt_run *run;
    dxt_run_sum sums[DXT_EP_OPERATORS]; /**< the whole run so far */
    dxt_history *history;               /**< the report's own when it ends */
    uint64_t windows;                   /**< intervals diagnosed */
    dxt_status status;                  /**< first failure */
    dxt_output record;                  /**< this process's view of the files */
    dxt_output pictures[DXT_RUN_MAX_PICTURES];
    char error[256]; /**< why, without a newline */
} dxt_run_report;

/** A dxt_diagnosis_fn; @p context is the dxt_run_report. */
void dxt_run_report_windows(void *context, const dxt_diagnosis *diagnoses, size_t count);

/** Say what the whole run comes to, draw it, and release the report.
 *  @return the exit status of the command. */
int dxt_run_report_end(dxt_run_report *report);

#endif
