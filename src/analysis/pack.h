/* SPDX-License-Identifier: Apache-2.0 */
/* Pack a draft into the one block that callers get. */
#ifndef DXT_ANALYSIS_PACK_H
#define DXT_ANALYSIS_PACK_H

#include "analysis/draft.h"

/**
 * Make room in a draft, and for its result, for the most findings that a window of @p ranks can
 * have, so that nothing is allocated later. Pages that are not used are never touched: they cost
 * address space, no memory.
 *
 * @param points  The most abnormal points there can be.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_draft_reserve(dxt_draft *draft, uint32_t ranks, size_t points, dxt_block *result);

/** Copy the draft into one block, the result. @p nodes gives the ranks of each node. */
dxt_status dxt_draft_pack(const dxt_draft *draft, const dxt_window *window, const int32_t *nodes,
                          dxt_block *result);

#endif
