/* SPDX-License-Identifier: Apache-2.0 */
/* Find the findings of one window. */
#ifndef DXT_ANALYSIS_WINDOW_H
#define DXT_ANALYSIS_WINDOW_H

#include "analysis/workspace.h"

/**
 * Analyse a window.
 *
 * @param workspace  Its `result` receives the findings.
 * @param options    Complete and checked.
 * @param reserve    Make room for any window of this size.
 * @return DXT_OK; DXT_ERR_NO_MEMORY; what dxt_window_check() says.
 */
dxt_status dxt_analyze_window(dxt_workspace *workspace, const dxt_window *window,
                              const dxt_analysis_options *options, bool reserve);

#endif
