/* SPDX-License-Identifier: Apache-2.0 */
/* Who arrived when: the arrival model fitted to one window. */
#ifndef DXT_ARRIVE_FIT_H
#define DXT_ARRIVE_FIT_H

#include "analysis/arrive/model.h"
#include "base/block.h"

/**
 * Fit a window.
 *
 * @param block   What the fit will live in; made large enough.
 * @param window  Must outlive the fit.
 * @param known   What is known besides.
 * @param fit     Receives the fit, also with fewer than two rows. Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_fit_window(dxt_block *block, const dxt_window *window, const dxt_known *known,
                          dxt_fit *fit);

#endif
