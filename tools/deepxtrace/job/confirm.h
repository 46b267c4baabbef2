/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict over a whole run names what is in the sum of its windows and in at least half of the
 * windows: one moment in which the machine was busy elsewhere is not what the run was like. */
#ifndef TOOLS_JOB_CONFIRM_H
#define TOOLS_JOB_CONFIRM_H

#include <deepxtrace/history.h>

/**
 * The findings of the sum without those that the windows do not bear out. A silent rank is kept.
 *
 * @param history    Has judged the windows.
 * @param phase      Of the sum.
 * @param whole      Result for the sum; must outlive @p confirmed.
 * @param confirmed  Receives a copy that shares what it can; release with confirmed_free().
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status job_confirm(const dxt_history *history, const char *phase, const dxt_findings *whole,
                       dxt_findings *confirmed);

/** Release what job_confirm() allocated; a zeroed one is allowed. */
void confirmed_free(dxt_findings *confirmed);

#endif
