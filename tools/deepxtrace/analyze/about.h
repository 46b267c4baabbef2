/* SPDX-License-Identifier: Apache-2.0 */
/* What of the findings of a window concerns one rank. */
#ifndef TOOLS_ANALYZE_ABOUT_H
#define TOOLS_ANALYZE_ABOUT_H

#include <deepxtrace/analysis.h>

/**
 * Findings without those in which a rank has no part: neither blamed, nor an end of the path, nor
 * of the node or the paths that are blamed.
 *
 * @param view  Receives them. What it points to is that of @p findings, but for the lists, which
 *              about_free() releases.
 * @return DXT_OK; DXT_ERR_NO_MEMORY, with nothing to release.
 */
dxt_status about_rank(const dxt_findings *findings, uint32_t rank, dxt_findings *view);
void about_free(dxt_findings *view);

/** The node of a rank, by the window or else by @p ranks_per_node; -1 = not known. */
int32_t about_node(const dxt_window *window, uint32_t rank, uint64_t ranks_per_node);

#endif
