/* SPDX-License-Identifier: Apache-2.0 */
/* The two methods, as dxt_analyze() calls them. Both fill the draft of a workspace and report
 * failures through it or by status. */
#ifndef DXT_ANALYSIS_METHOD_H
#define DXT_ANALYSIS_METHOD_H

#include <stdbool.h>

#include "analysis/workspace.h"

/** The established rule (FIELD notes: ratio to the mean), as NumPy computes it, to the last bit. */
dxt_status dxt_ratio(const dxt_window *window, const dxt_analysis_options *options,
                     dxt_workspace *workspace);

/** The arrival model. @p nodes: node of each rank, or NULL. */
dxt_status dxt_robust(const dxt_window *window, const dxt_analysis_options *options,
                      const int32_t *nodes, dxt_workspace *workspace);

/** Whether an operator is of a kind, "dispatch" or "combine", by the end of its name: "ll_dispatch"
 * of a program with several is a dispatch. */
bool dxt_is_phase(const char *phase, const char *kind);

/** Most that one window of few ranks can be sure of; several windows together may be surer. */
#define DXT_SURE_OF_FEW 0.985

/** x ÷ (mean + 1e-8), the established normalisation. */
double dxt_normalise(double x, double mean);

#endif
