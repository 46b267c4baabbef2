/* SPDX-License-Identifier: Apache-2.0 */
/* Stalls on so many paths that no path stands out. */
#ifndef DXT_EXPLAIN_STALLS_H
#define DXT_EXPLAIN_STALLS_H

#include "analysis/case.h"

/** Cells that exceed what the other ranks of the row's node wait for the same rank by more than
 *  such cells vary. */
typedef struct dxt_stalls {
    double row;       /**< what those of a typical rank exceed it by, added up */
    double largest;   /**< of all, the most that one exceeds it by */
    double deviation; /**< of a cell from its row and column */
    uint32_t paths;   /**< how many cells exceed it */
} dxt_stalls;

/**
 * Whether paths of one operator stall and the other one shows it: each stall makes a rank late
 * there, another one every time, so that who waits more here, in cells that have nothing in common,
 * is waited for more there. The two are correlated over the ranks on time, what a rank waits less
 * because it is late here itself taken out. Where another rank is late in each operation, they are
 * not; where whole rows wait more, it is the ranks.
 *
 * @param stalls  Receives what stalls; untouched where it is false.
 * Cost: O(ranks²), only where the other operator loses enough.
 */
bool dxt_paths_stall(const dxt_fit *fit, const dxt_fit *other, dxt_stalls *stalls);

#endif
