/* SPDX-License-Identifier: Apache-2.0 */
/* How bad a finding is, and how sure: for one window and for several, here and nowhere else. */
#ifndef DXT_ANALYSIS_WEIGH_H
#define DXT_ANALYSIS_WEIGH_H

#include <deepxtrace/analysis.h>

#include "analysis/draft.h"

/** What a finding is weighed by. */
typedef struct dxt_size {
    double wait;    /**< time per operation above the ordinary, in the measure of the window; NaN =
                       without end */
    double limit;   /**< what it had to exceed; it stands for several errors, also where the error
                       looks smaller */
    double error;   /**< standard error of `wait`; 0 = not known */
    double surest;  /**< the most that the finding can be sure of; 0 = no limit of its own */
    bool told;      /**< with another finding: it is only listed */
    bool explained; /**< nothing is left of it: it came over from the companion */
} dxt_size;

/**
 * Fill in wait, share, severity and confidence.
 *
 * @param step      Time of one step, NaN = unknown.
 * @param ordinary  Typical wait, for the severity without a clock.
 * @param surest    The most that any finding here can be sure of.
 */
void dxt_weigh(dxt_finding *finding, const dxt_size *size, double step, double ordinary,
               double surest);

/** Severity of a share of the step, which is known. */
dxt_severity dxt_severity_of_share(double share);

/** Doubt what is small next to something large in the same window: it may be its trace. */
void dxt_doubt_traces(dxt_draft *draft);

#endif
