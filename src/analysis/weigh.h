/* SPDX-License-Identifier: Apache-2.0 */
/* Severity and confidence of a finding, in one window or over several: only here. */
#ifndef DXT_ANALYSIS_WEIGH_H
#define DXT_ANALYSIS_WEIGH_H

#include <deepxtrace/analysis.h>

#include "analysis/draft.h"

/** The figures that a finding is weighed by. */
typedef struct dxt_size {
    double wait;    /**< time per operation above the ordinary, in the measure of the window; NaN =
                       without end */
    double limit;   /**< what it had to exceed; it stands for several errors, also where the error
                       looks smaller */
    double error;   /**< standard error of `wait`; 0 = not known */
    double surest;  /**< largest confidence; 0 = no limit of its own */
    bool told;      /**< another finding names it: it is only listed there */
    bool explained; /**< nothing is left: all of it was carried over from the companion */
} dxt_size;

/**
 * Fill in wait, share, severity and confidence.
 *
 * @param step      Time of one step, NaN = unknown.
 * @param ordinary  Typical wait, for the severity without a clock.
 * @param surest    Largest confidence of any finding here.
 */
void dxt_weigh(dxt_finding *finding, const dxt_size *size, double step, double ordinary,
               double surest);

/** Severity of a share of the step, which is known. */
dxt_severity dxt_severity_of_share(double share);

/** Lower the confidence of small findings beside a large one in the window: they may be traces. */
void dxt_doubt_traces(dxt_draft *draft);

#endif
