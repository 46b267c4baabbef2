/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of an analysis, kept from one window to the next. */
#ifndef DXT_ANALYSIS_WORKSPACE_H
#define DXT_ANALYSIS_WORKSPACE_H

#include "analysis/draft.h"
#include "analysis/explain/paths.h"

/** Zero it to begin. */
typedef struct dxt_workspace {
    dxt_block fit, companion, adjacent;     /**< what the fits live in */
    dxt_block means;                        /**< of the established rule */
    dxt_block nodes;                        /**< nodes by the size of a node */
    dxt_block glance;                       /**< what the check of a window saw */
    dxt_block observed, companion_observed; /**< windows without holes … */
    dxt_block adjacent_observed;            /**< … */
    dxt_block result;                       /**< the findings handed out */
    dxt_path_list paths;
    dxt_draft draft;
} dxt_workspace;

/** Make room for any window of @p ranks, so that later ones allocate nothing.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_workspace_reserve(dxt_workspace *workspace, uint32_t ranks,
                                 const dxt_analysis_options *options);

/** Release everything but the result. */
void dxt_workspace_free(dxt_workspace *workspace);

#endif
