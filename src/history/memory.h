/* SPDX-License-Identifier: Apache-2.0 */
/* What a history remembers: its run, and a track for each operator. */
#ifndef DXT_HISTORY_MEMORY_H
#define DXT_HISTORY_MEMORY_H

#include "analysis/draft.h"
#include "history/track.h"

struct dxt_history {
    double min_share; /**< 0 = as the windows say */
    uint32_t ranks;   /**< 0 = nothing seen */
    char *instance, *source, *case_name;
    dxt_track track[DXT_HISTORY_OPERATORS];
    uint32_t tracks; /**< with memory; a `count` of 0: not seen in this run so far */
    dxt_draft draft;
    dxt_block edits, nodes; /**< [ranks] each, scratch of the judgement */
};

/** The track of an operator; NULL if there is none. */
dxt_track *dxt_find_track(const dxt_history *history, const char *phase);

#endif
