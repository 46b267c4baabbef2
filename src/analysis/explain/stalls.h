/* SPDX-License-Identifier: Apache-2.0 */
/* Stalls on so many paths that no path stands out. */
#ifndef DXT_EXPLAIN_STALLS_H
#define DXT_EXPLAIN_STALLS_H

#include "analysis/case.h"

/** Stalled cells: they exceed the waits of their node for the same rank by more than such cells
 *  vary. */
typedef struct dxt_stalls {
    double row;       /**< the excess of a typical rank's stalled cells, added up */
    double largest;   /**< the largest excess of a cell */
    double deviation; /**< of a cell from its row and column */
    uint32_t paths;   /**< number of stalled cells */
} dxt_stalls;

/**
 * Whether paths of this operator stall and the other operator shows it. Each stall makes one rank
 * late there, every time another one. So the others wait more there for a rank that waits more
 * here, in cells with nothing in common: over the ranks on time the two are correlated, once the
 * part that a rank's own lateness here takes off its waits is removed. With lateness in turns they
 * are not correlated; if whole rows wait more, the ranks are the cause.
 *
 * @param stalls  Receives what stalls; untouched if the answer is no.
 * Cost: O(ranks²), only where the other operator loses enough.
 */
bool dxt_paths_stall(const dxt_fit *fit, const dxt_fit *other, dxt_stalls *stalls);

#endif
