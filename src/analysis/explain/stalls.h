/* SPDX-License-Identifier: Apache-2.0 */
/* Stalls on so many paths that no path stands out. */
#ifndef DXT_EXPLAIN_STALLS_H
#define DXT_EXPLAIN_STALLS_H

#include "analysis/case.h"

/** Cells that are more than twice what the others wait for the same rank. */
typedef struct dxt_stalls {
    double row;     /**< what those of a typical rank exceed it by, added up */
    double largest; /**< of all, the most that one exceeds it by */
    uint32_t paths; /**< how many cells these are */
} dxt_stalls;

/**
 * Whether paths of one operator stall and the other one shows it: each stall makes a rank late
 * there, another one every time, so that what a typical rank loses by stalls here is a good part
 * (DXT_STALLED_PART) of what an ordinary pair waits for each other there. Who is late keeps all
 * ranks waiting alike: columns, and no single cells.
 *
 * @param stalls  Receives what stalls; untouched where it is false.
 * Cost: O(ranks²), only where the other operator loses enough.
 */
bool dxt_paths_stall(const dxt_fit *fit, const dxt_fit *other, dxt_stalls *stalls);

#endif
