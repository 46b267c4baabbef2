/* SPDX-License-Identifier: Apache-2.0 */
#include "about.h"

#include <stdbool.h>
#include <stdlib.h>

static bool concerns(const dxt_finding *finding, uint32_t rank)
{
    if (finding->rank == rank || finding->source == rank) return true;
    if (finding->or_early && rank < 2) return true;
    for (uint32_t i = 0; i < finding->rank_count; i++)
        if (finding->ranks[i] == rank) return true;
    for (size_t i = 0; finding->paths && i < 2 * (size_t)finding->path_count; i++)
        if (finding->paths[i] == rank) return true;
    return false;
}

static size_t axes_of(const dxt_abnormal_axis *axes, size_t count, uint32_t rank,
                      dxt_abnormal_axis *kept)
{
    size_t number = 0;
    for (size_t i = 0; i < count; i++)
        if (axes[i].rank == rank) kept[number++] = axes[i];
    return number;
}

dxt_status about_rank(const dxt_findings *findings, uint32_t rank, dxt_findings *view)
{
    /* One more, so that nothing is asked for nothing. */
    dxt_finding *kept = calloc(findings->finding_count + 1, sizeof *kept);
    dxt_abnormal_axis *axes = calloc(findings->col_count + findings->row_count + 1, sizeof *axes);
    dxt_abnormal_point *points = calloc(findings->point_count + 1, sizeof *points);
    if (!kept || !axes || !points) {
        free(kept);
        free(axes);
        free(points);
        return DXT_ERR_NO_MEMORY;
    }
    *view = *findings;
    view->findings = kept;
    view->cols = axes;
    view->rows = axes + findings->col_count;
    view->points = points;
    view->finding_count = view->point_count = 0;
    for (size_t i = 0; i < findings->finding_count; i++)
        if (concerns(&findings->findings[i], rank))
            kept[view->finding_count++] = findings->findings[i];
    view->col_count = axes_of(findings->cols, findings->col_count, rank, axes);
    view->row_count =
        axes_of(findings->rows, findings->row_count, rank, axes + findings->col_count);
    for (size_t i = 0; i < findings->point_count; i++)
        if (findings->points[i].row == rank || findings->points[i].column == rank)
            points[view->point_count++] = findings->points[i];
    return DXT_OK;
}

void about_free(dxt_findings *view)
{
    free((void *)view->findings);
    free((void *)view->cols);
    free((void *)view->points);
}

int32_t about_node(const dxt_window *window, uint32_t rank, uint64_t ranks_per_node)
{
    if (rank >= window->ranks) return -1;
    if (window->nodes) return window->nodes[rank];
    return ranks_per_node > 0 ? (int32_t)(rank / ranks_per_node) : -1;
}
