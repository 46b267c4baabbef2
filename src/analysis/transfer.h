/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators that are a transfer: "dispatch transfer" and "combine transfer", the waits behind the
 * arrival, where a library tells them apart. Everybody has arrived there, so that a rank that is
 * waited for sends slowly, or its link is slow. It is judged like a late one and called by another
 * name.
 */
#ifndef DXT_ANALYSIS_TRANSFER_H
#define DXT_ANALYSIS_TRANSFER_H

#include <deepxtrace/analysis.h>

#include "analysis/phase.h"

/** Give a finding about who is late the name that it has in a transfer. */
static inline void dxt_call_transfer(const dxt_window *window, dxt_finding *finding)
{
    if (!dxt_is_phase(window->phase, " transfer") || finding->kind != DXT_LATE_RANK) return;
    finding->kind = DXT_SLOW_LINK;
    finding->direction = DXT_DIRECTION_OUT;
}

/** Take that back, for whoever judges late ranks. */
static inline void dxt_recall_transfer(const dxt_window *window, dxt_finding *finding)
{
    if (dxt_is_phase(window->phase, " transfer") && finding->kind == DXT_SLOW_LINK &&
        finding->direction == DXT_DIRECTION_OUT && !finding->between_nodes)
        finding->kind = DXT_LATE_RANK;
}

#endif
