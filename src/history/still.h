/* SPDX-License-Identifier: Apache-2.0 */
/* Windows in which nothing is completed: a rank takes no part any more, or the cause is not known.
 */
#ifndef DXT_HISTORY_STILL_H
#define DXT_HISTORY_STILL_H

#include "history/memory.h"

/**
 * Judge a still window: from the second in a row on, the rank that has issued fewer operations than
 * the others, and none more, is silent. It is noted as an episode.
 *
 * @param result  Receives the findings.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_history_stand(dxt_history *history, dxt_track *track, const dxt_window *window,
                             const dxt_findings *findings, dxt_block *result);

#endif
