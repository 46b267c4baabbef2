/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part in a window, who was given up, who stays behind, and whether any operation was
 * completed. */
#ifndef DXT_EXPLAIN_COUNTED_H
#define DXT_EXPLAIN_COUNTED_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

/** Whether nobody waits for a rank and it waits for nobody: its row and column are exactly 0 (and
 *  have no sample, where samples are recorded) while the others count. Cost: O(1) for almost every
 *  rank. */
bool dxt_takes_no_part(const dxt_window *window, uint32_t rank);

/** Whether at least half of the other ranks, and at least two unless there is only one, gave a rank
 *  up while they waited for it. Cost: O(1) for almost every rank. */
bool dxt_timed_out(const dxt_window *window, uint32_t rank);

/** Whether a rank had begun fewer operations than another one when the window ended; not if that is
 *  unknown. Cost: O(ranks). */
bool dxt_is_behind(const dxt_window *window, uint32_t rank);

/** Whether no operation was completed: samples are recorded, and among the ranks that take part so
 *  many cells have none that no rank can have heard from all. Cost: O(ranks²) with samples. */
bool dxt_nothing_completed(const dxt_window *window);

/** How many waits a typical cell adds up: operations or samples; 0 = not recorded. */
double dxt_typical_samples(const dxt_window *window);

#endif
