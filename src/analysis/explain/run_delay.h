/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be no more than that ranks waited for a CPU core: on a machine with more to do than it
 * has cores, each rank is held up now and then, in no order, and that looks like anything. A window
 * that has `run_delay_ns` says for how long at the most.
 *
 * The functions say how much delay those who can have caused something had in the window, in ns;
 * NaN where one of them is unknown. The window has `run_delay_ns`.
 */
#ifndef DXT_EXPLAIN_RUN_DELAY_H
#define DXT_EXPLAIN_RUN_DELAY_H

#include "analysis/case.h"

/** Of a late rank its own. Of one that waits longer also what is typical of all, whichever is more:
 *  it cannot look while it does not run, or the others were held up. */
double dxt_delay_of_member(const dxt_case *c, dxt_finding_kind kind, uint32_t member);

/** What is typical of the ranks of a node of the fit. */
double dxt_delay_of_node(const dxt_case *c, uint32_t node);

/** What is typical of all. */
double dxt_delay_of_all(const dxt_case *c);

/** Of both ends of a path of the list. */
double dxt_delay_of_path(const dxt_case *c, uint32_t path);

/**
 * Whether all that a finding says, over the whole window, is no more than a delay.
 *
 * @param wait      What it says, in the measure of the window; NaN or infinite is never explained.
 * @param delay_ns  From one of the above.
 * @return Whether it is so; the draft then has the rank that was held up for the longest.
 */
bool dxt_may_be_run_delay(dxt_case *c, double wait, double delay_ns);

#endif
