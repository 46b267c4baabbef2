/* SPDX-License-Identifier: Apache-2.0 */
/* A draft becomes the one block that callers get. */
#ifndef DXT_ANALYSIS_PACK_H
#define DXT_ANALYSIS_PACK_H

#include "analysis/draft.h"

/**
 * Make room, in a draft and for its result, for the most that a window of @p ranks can hold, so
 * that nothing is allocated later. What is not used is not touched: it costs addresses, no memory.
 *
 * @param points  Most points.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_draft_reserve(dxt_draft *draft, uint32_t ranks, size_t points, dxt_block *result);

/** Copy everything into one block, the result; ranks of nodes are filled in from @p nodes. */
dxt_status dxt_draft_pack(const dxt_draft *draft, const dxt_window *window, const int32_t *nodes,
                          dxt_block *result);

#endif
