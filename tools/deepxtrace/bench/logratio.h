/* SPDX-License-Identifier: Apache-2.0 */
/* A published proposal, as far as it is stated, for comparison only: log(wait ÷ median of the same
 * node-to-node block), less window, row and column effects in turn; an axis is abnormal above 1.25
 * times, a cell above 2.0 times what is left; up to 16 normal windows are kept as a baseline. */
#ifndef DXT_BENCH_LOGRATIO_H
#define DXT_BENCH_LOGRATIO_H

#include "truth.h"

/** Windows that the baseline is made of. */
#define DXT_LOGRATIO_BASELINE 16u

/** Scratch and baseline of one operator of one job. */
typedef struct dxt_logratio dxt_logratio;

/** @return NULL when memory is short. Release with dxt_logratio_destroy(). */
dxt_logratio *dxt_logratio_create(uint32_t ranks);
void dxt_logratio_destroy(dxt_logratio *logratio);

/** Take a normal window into the baseline; those beyond the sixteenth are ignored. */
void dxt_logratio_learn(dxt_logratio *logratio, const dxt_window *window);

/**
 * Judge a window.
 *
 * @param found  Receives columns, rows and points; zeroed by the caller.
 * @return false if there were more points than fit.
 */
bool dxt_logratio_judge(dxt_logratio *logratio, const dxt_window *window, dxt_sim_truth *found);

#endif
