/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings that waiting for a CPU core may explain: on a machine with more work than cores, each
 * rank is held up now and then, in no order, which looks like any cause. `run_delay_ns` of a window
 * says for how long at most.
 *
 * The functions give the delay, in the window, of the ranks that can have caused a finding, in ns;
 * NaN if it is unknown for one of them. The window must have `run_delay_ns`.
 */
#ifndef DXT_EXPLAIN_RUN_DELAY_H
#define DXT_EXPLAIN_RUN_DELAY_H

#include "analysis/case.h"

/** For a late rank, its own delay. For a rank that waits longer, its own or the typical delay,
 *  whichever is larger: it cannot look while it does not run, or the others were held up. */
double dxt_delay_of_member(const dxt_case *c, dxt_finding_kind kind, uint32_t member);

/** The typical delay of the ranks of a node of the fit. */
double dxt_delay_of_node(const dxt_case *c, uint32_t node);

/** The typical delay of all ranks. */
double dxt_delay_of_all(const dxt_case *c);

/** The delays of both ends of a path of the list. */
double dxt_delay_of_path(const dxt_case *c, uint32_t path);

/**
 * Whether a finding, over the whole window, is no larger than a delay.
 *
 * @param wait      Its size, in the measure of the window; NaN or infinite is never explained.
 * @param delay_ns  From one of the above.
 * @return Whether it is so; the draft then has the rank that was held up for the longest.
 */
bool dxt_may_be_run_delay(dxt_case *c, double wait, double delay_ns);

#endif
