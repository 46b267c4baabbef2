/* SPDX-License-Identifier: Apache-2.0 */
/* What rank 0 of `job` tells: each window as it comes, and the whole run at the end. */
#ifndef TOOLS_JOB_REPORT_H
#define TOOLS_JOB_REPORT_H

#include "confirm.h"
#include "job.h"
#include "sum.h"

/** Rank 0's report under way. Zero it, set `job`, and `history` to what the session judges with. */
typedef struct job_report {
    const job *run;
    job_sum sums[DXT_EP_OPERATORS]; /**< the whole run so far */
    dxt_history *history;           /**< the report's own when it ends */
    uint64_t windows;               /**< intervals diagnosed */
    dxt_status status;              /**< first failure */
    output_file record;             /**< this process's view of the files */
    output_file pictures[JOB_MAX_PICTURES];
    char error[256]; /**< why, without a newline */
} job_report;

/** A dxt_diagnosis_fn; @p context is the job_report. */
void job_report_windows(void *context, const dxt_diagnosis *diagnoses, size_t count);

/** Say what the whole run comes to, draw it, and release the report.
 *  @return the exit status of the command. */
outcome job_report_end(job_report *report);

#endif
