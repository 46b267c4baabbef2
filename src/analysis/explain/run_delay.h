/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings that waiting for a CPU core may explain. On a machine with more work than cores, each
 * rank is held up at random moments, which may look like any cause. `run_delay_ns` of a window says
 * for how long each rank waited for a core.
 *
 * The functions give the delay over the window and the one before, in ns, of the ranks that may
 * have caused a finding; NaN if the delay of one of them is unknown. The window must have
 * `run_delay_ns`.
 */
#ifndef DXT_EXPLAIN_RUN_DELAY_H
#define DXT_EXPLAIN_RUN_DELAY_H

#include "analysis/case.h"

/** For a late rank, its own delay. For a rank that waits too long, its own or the typical delay,
 *  whichever is larger: either it could not look while it had no core, or the others had none. */
double dxt_delay_of_member(const dxt_case *c, dxt_finding_kind kind, uint32_t member);

/** The typical delay of the ranks of a node of the fit. */
double dxt_delay_of_node(const dxt_case *c, uint32_t node);

/** The typical delay of all ranks. */
double dxt_delay_of_all(const dxt_case *c);

/** The delays of both ends of a path of the list. */
double dxt_delay_of_path(const dxt_case *c, uint32_t path);

/**
 * Whether a delay may explain a finding: over the whole window, the finding is no larger.
 *
 * @param wait      Its size, in the measure of the window; NaN or infinite is never explained.
 * @param delay_ns  From one of the above.
 * @return Whether it may. The draft then names the rank that was held up for the longest.
 */
bool dxt_may_be_run_delay(dxt_case *c, double wait, double delay_ns);

#endif
