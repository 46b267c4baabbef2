/* SPDX-License-Identifier: Apache-2.0 */
/* Begin a fit: its members, their nodes and its units. Lateness comes later. */
#ifndef DXT_ARRIVE_TAKE_H
#define DXT_ARRIVE_TAKE_H

#include "analysis/arrive/model.h"
#include "base/block.h"

/** Begin the fit of a window. Parameters as in dxt_fit_window(). */
dxt_status dxt_fit_take(dxt_block *block, const dxt_window *window, const dxt_known *known,
                        dxt_fit *fit);

/** What makes a rank's counters waits in the window's measure, as dxt_window_value() does:
 * dxt_fit's `factor`. */
double dxt_factor_of(const dxt_window *window, uint32_t rank);

/** Make room in a block for the fit of any window of @p ranks, whatever its nodes.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_fit_reserve(dxt_block *block, uint32_t ranks);

#endif
