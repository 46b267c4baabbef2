/* SPDX-License-Identifier: Apache-2.0 */
/* Fit the arrival model to one window: who arrived when. */
#ifndef DXT_ARRIVE_FIT_H
#define DXT_ARRIVE_FIT_H

#include "analysis/arrive/model.h"
#include "base/block.h"

/**
 * Fit a window.
 *
 * @param block   Memory of the fit; made large enough.
 * @param window  Must outlive the fit.
 * @param known   What is known besides the waits.
 * @param fit     Receives the fit, also with fewer than two rows. Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_fit_window(dxt_block *block, const dxt_window *window, const dxt_known *known,
                          dxt_fit *fit);

#endif
