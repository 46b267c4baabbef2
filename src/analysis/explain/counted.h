/* SPDX-License-Identifier: Apache-2.0 */
/* What a window counted at all: who takes part, who was given up, and whether anything was
 * completed. */
#ifndef DXT_EXPLAIN_COUNTED_H
#define DXT_EXPLAIN_COUNTED_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

/** Whether a rank's row and column are exactly 0 (without a sample, where these are recorded) while
 *  the others count: nobody waits for it, and it for nobody. Cost: O(1) for almost every rank. */
bool dxt_takes_no_part(const dxt_window *window, uint32_t rank);

/** Whether at least half of the others, and more than one of several, gave a rank up while they
 *  waited for it. Cost: O(1) for almost every rank. */
bool dxt_timed_out(const dxt_window *window, uint32_t rank);

/** Whether no operation was completed: samples are recorded, and so many cells of ranks that take
 *  part have none that nobody can have heard from all. Cost: O(ranks²) with samples. */
bool dxt_nothing_completed(const dxt_window *window);

/** Waits behind a typical cell: operations or samples; 0 = not recorded. */
double dxt_typical_samples(const dxt_window *window);

#endif
