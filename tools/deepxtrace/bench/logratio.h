/* SPDX-License-Identifier: Apache-2.0 */
/* A published proposal, as far as it is stated, for comparison only: log(wait ÷ median of the same
 * node-to-node block), less window, row and column effects in turn; an axis is abnormal above 1.25
 * times, a cell above 2.0 times what is left; up to 16 normal windows are kept as a baseline. */
#ifndef TOOLS_BENCH_LOGRATIO_H
#define TOOLS_BENCH_LOGRATIO_H

#include "truth.h"

/** Windows that the baseline is made of. */
#define LOGRATIO_BASELINE 16u

/** Scratch and baseline of one operator of one job. */
typedef struct logratio_rule logratio_rule;

/** @return NULL when memory is short. Release with logratio_destroy(). */
logratio_rule *logratio_create(uint32_t ranks);
void logratio_destroy(logratio_rule *logratio);

/** Take a normal window into the baseline; those beyond the sixteenth are ignored. */
void logratio_learn(logratio_rule *logratio, const dxt_window *window);

/**
 * Judge a window.
 *
 * @param found  Receives columns, rows and points; zeroed by the caller.
 * @return false if there were more points than fit.
 */
bool logratio_judge(logratio_rule *logratio, const dxt_window *window, sim_truth *found);

#endif
