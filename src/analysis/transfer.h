/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators that are a transfer: "dispatch transfer" and "combine transfer". Where a library counts
 * them apart, these are the waits after everybody has arrived. A rank that the others wait for here
 * sends slowly, or its link is slow. The rules judge it like a late rank, and give it another name.
 */
#ifndef DXT_ANALYSIS_TRANSFER_H
#define DXT_ANALYSIS_TRANSFER_H

#include <deepxtrace/analysis.h>

#include "analysis/phase.h"

/** Rename a finding of a late rank or node to what it is in a transfer. */
static inline void dxt_call_transfer(const dxt_window *window, dxt_finding *finding)
{
    if (!dxt_is_phase(window->phase, " transfer") || finding->kind != DXT_LATE_RANK) return;
    finding->kind = DXT_SLOW_LINK;
    finding->direction = DXT_DIRECTION_OUT;
}

/** Undo that, for code that judges late ranks. */
static inline void dxt_recall_transfer(const dxt_window *window, dxt_finding *finding)
{
    if (dxt_is_phase(window->phase, " transfer") && finding->kind == DXT_SLOW_LINK &&
        finding->direction == DXT_DIRECTION_OUT && !finding->between_nodes)
        finding->kind = DXT_LATE_RANK;
}

#endif
