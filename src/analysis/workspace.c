/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/workspace.h"

#include <stdlib.h>

#include "analysis/arrive/take.h"
#include "analysis/observed.h"
#include "analysis/pack.h"
#include "analysis/ratio.h"

dxt_status dxt_workspace_reserve(dxt_workspace *workspace, uint32_t ranks,
                                 const dxt_analysis_options *options)
{
    size_t whole = dxt_observed_size(ranks);
    if (!dxt_block_fit(&workspace->observed, whole) ||
        (options->companion && !dxt_block_fit(&workspace->companion_observed, whole)) ||
        (options->adjacent && !dxt_block_fit(&workspace->adjacent_observed, whole)))
        return DXT_ERR_NO_MEMORY;
    if (options->method == DXT_METHOD_RATIO)
        return dxt_draft_reserve(&workspace->draft, ranks, dxt_ratio_most_points(ranks),
                                 &workspace->result);
    size_t seen = dxt_glance_size(ranks);
    if (seen > 0 && !dxt_block_fit(&workspace->glance, seen)) return DXT_ERR_NO_MEMORY;
    dxt_status status = dxt_fit_reserve(&workspace->fit, ranks);
    if (status == DXT_OK && options->companion)
        status = dxt_fit_reserve(&workspace->companion, ranks);
    if (status == DXT_OK && options->adjacent)
        status = dxt_fit_reserve(&workspace->adjacent, ranks);
    if (status == DXT_OK) status = dxt_paths_reserve(&workspace->paths, ranks);
    if (status != DXT_OK) return status;
    return dxt_draft_reserve(&workspace->draft, ranks, dxt_most_paths(ranks), &workspace->result);
}

void dxt_workspace_free(dxt_workspace *workspace)
{
    free(workspace->fit.data);
    free(workspace->companion.data);
    free(workspace->adjacent.data);
    free(workspace->means.data);
    free(workspace->nodes.data);
    free(workspace->glance.data);
    free(workspace->observed.data);
    free(workspace->companion_observed.data);
    free(workspace->adjacent_observed.data);
    free(workspace->paths.items);
    dxt_draft_free(&workspace->draft);
}
