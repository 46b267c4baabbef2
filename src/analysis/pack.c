/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/lists.h"
#include "analysis/transfer.h"
#include "base/base.h"
#include "numeric/sort.h"

/* The cost by which findings are sorted: silent ranks first, then by the time lost. */
static double cost(const dxt_finding *finding)
{
    if (finding->kind == DXT_SILENT_RANK) return INFINITY;
    if (finding->kind == DXT_EARLY_RANK) return -1;
    return isnan(finding->wait) ? 0 : finding->wait;
}

/* Whether a comes before b: by cost, then by kind, rank and path. */
static inline bool before(const dxt_finding *a, const dxt_finding *b)
{
    double x = cost(a), y = cost(b);
    if (x != y) return x > y;
    if (a->kind != b->kind) return a->kind < b->kind;
    if (a->rank != b->rank) return a->rank < b->rank;
    if (a->source != b->source) return a->source < b->source;
    return a->node != b->node ? a->node < b->node : a->source_node < b->source_node;
}

DXT_SORT(sort_findings, dxt_finding, before)

/* Fill in the ranks of the node of each finding. @return How many slots they take. */
static size_t place_members(dxt_finding *findings, size_t count, uint32_t ranks,
                            const int32_t *nodes, uint32_t *members)
{
    size_t used = 0;
    for (size_t f = 0; f < count; f++) {
        if (!dxt_has_members(&findings[f])) continue;
        uint32_t *first = members ? members + used : NULL;
        uint32_t own = 0;
        for (uint32_t r = 0; r < ranks; r++) {
            if (nodes[r] != findings[f].node) continue;
            if (first) first[own] = r;
            own++;
        }
        findings[f].ranks = first;
        findings[f].rank_count = own;
        used += own;
    }
    return used;
}

/* Bytes of a result. */
static size_t packed_size(size_t latenesses, size_t axes, size_t points, size_t findings,
                          size_t members)
{
    return sizeof(dxt_findings) + latenesses * sizeof(double) + axes * sizeof(dxt_abnormal_axis) +
           points * sizeof(dxt_abnormal_point) + findings * sizeof(dxt_finding) +
           members * sizeof(uint32_t);
}

/* An array that is empty may be NULL. */
static void copy(void *to, const void *from, size_t size)
{
    if (size > 0) memcpy(to, from, size);
}

static void copy_lists(const dxt_draft *draft, dxt_abnormal_axis *cols, dxt_abnormal_axis *rows,
                       dxt_abnormal_point *points)
{
    copy(cols, draft->cols, draft->col_count * sizeof *cols);
    copy(rows, draft->rows, draft->row_count * sizeof *rows);
    copy(points, draft->points, draft->point_count * sizeof *points);
}

static void copy_findings(const dxt_draft *draft, const dxt_window *window, dxt_finding *causes)
{
    copy(causes, draft->findings, draft->finding_count * sizeof *causes);
    for (size_t f = 0; f < draft->finding_count; f++) dxt_call_transfer(window, &causes[f]);
}

static void copy_facts(const dxt_draft *draft, dxt_findings *packed)
{
    packed->finding_size = sizeof *packed->findings;
    packed->floor = draft->floor;
    packed->likely_node_size = draft->likely_node_size;
    packed->node_size = draft->node_size;
    packed->waits_beside = draft->waits_beside;
    packed->lost_share = draft->lost_share;
    packed->apart_share = draft->apart_share;
    packed->still_windows = draft->still_windows;
    _Static_assert(sizeof packed->still_since == sizeof draft->still_since, "DXT_TIME_TEXT");
    memcpy(packed->still_since, draft->still_since, sizeof packed->still_since);
    packed->work_of = draft->work_of;
    packed->delayed_rank = draft->delayed_rank;
    packed->delayed_ns = draft->delayed_ns;
    for (int r = 0; r < 2; r++) packed->work[r] = draft->work_of > 0 ? draft->work[r] : NAN;
}

dxt_status dxt_draft_pack(const dxt_draft *draft, const dxt_window *window, const int32_t *nodes,
                          dxt_block *result)
{
    if (draft->failed) return dxt_fail_memory(0);
    uint32_t n = window->ranks;
    size_t members = place_members(draft->findings, draft->finding_count, n, nodes, NULL);
    size_t axes = draft->col_count + draft->row_count, listed = draft->list_count;
    size_t latenesses = draft->has_lateness ? DXT_LATENESSES * (size_t)n : 0;
    size_t size =
        packed_size(latenesses, axes, draft->point_count, draft->finding_count, members + listed);
    dxt_findings *packed = dxt_block_fit(result, size);
    if (!packed) return DXT_ERR_NO_MEMORY;

    double *lateness = (double *)(packed + 1);
    dxt_abnormal_axis *cols = (dxt_abnormal_axis *)(lateness + latenesses);
    dxt_abnormal_axis *rows = cols + draft->col_count;
    dxt_abnormal_point *points = (dxt_abnormal_point *)(rows + draft->row_count);
    dxt_finding *causes = (dxt_finding *)(points + draft->point_count);
    uint32_t *lists = (uint32_t *)(causes + draft->finding_count), *ranks = lists + listed;
    copy(lateness, draft->lateness.data, latenesses * sizeof *lateness);
    copy_lists(draft, cols, rows, points);
    copy_findings(draft, window, causes);
    copy(lists, draft->list, listed * sizeof *lists);
    dxt_move_lists(causes, draft->finding_count, draft->list, lists);
    sort_findings(causes, draft->finding_count);
    place_members(causes, draft->finding_count, n, nodes, ranks);

    *packed = (dxt_findings){.struct_size = sizeof *packed,
                             .ranks = n,
                             .method = draft->method,
                             .measure = dxt_window_measure(window),
                             .verdict = draft->verdict,
                             .cols = cols,
                             .col_count = draft->col_count,
                             .rows = rows,
                             .row_count = draft->row_count,
                             .points = points,
                             .point_count = draft->point_count,
                             .findings = causes,
                             .finding_count = draft->finding_count,
                             .ordinary = draft->ordinary,
                             .step = draft->step,
                             .transfer = draft->transfer,
                             .inherited = draft->inherited,
                             .lateness = latenesses ? lateness : NULL,
                             .lateness_error = latenesses ? lateness + n : NULL,
                             .lateness_of_node = latenesses ? lateness + 2 * (size_t)n : NULL};
    copy_facts(draft, packed);
    return DXT_OK;
}

static bool reserve(void **array, size_t *capacity, size_t wanted, size_t size)
{
    if (*capacity >= wanted) return true;
    void *moved = realloc(*array, wanted * size);
    if (!moved) return false;
    *array = moved;
    *capacity = wanted;
    return true;
}

static bool reserve_axes(dxt_abnormal_axis **axes, size_t *capacity, size_t wanted)
{
    void *array = *axes;
    bool reserved = reserve(&array, capacity, wanted, sizeof **axes);
    *axes = array;
    return reserved;
}

dxt_status dxt_draft_reserve(dxt_draft *draft, uint32_t ranks, size_t points, dxt_block *result)
{
    /* A rank has one finding, a node may be late, and paths are few. */
    size_t findings = 2 * (size_t)ranks + 2 * DXT_MOST_PATH_FINDINGS + 1;
    size_t members = 2 * (size_t)ranks + DXT_MOST_LISTED;
    size_t lateness = DXT_LATENESSES * (size_t)ranks, axes = 2 * (size_t)ranks;
    void *causes = draft->findings, *cells = draft->points, *lists = draft->list;
    bool reserved = reserve(&causes, &draft->finding_capacity, findings, sizeof(dxt_finding));
    draft->findings = causes;
    reserved =
        reserved && reserve(&cells, &draft->point_capacity, points, sizeof(dxt_abnormal_point));
    draft->points = cells;
    reserved =
        reserved && reserve(&lists, &draft->list_capacity, DXT_MOST_LISTED, sizeof(uint32_t));
    draft->list = lists;
    if (!reserved || !reserve_axes(&draft->cols, &draft->col_capacity, ranks) ||
        !reserve_axes(&draft->rows, &draft->row_capacity, ranks))
        return dxt_fail_memory(findings * sizeof(dxt_finding));
    if (!dxt_block_fit(&draft->lateness, lateness * sizeof(double)) ||
        !dxt_block_fit(result, packed_size(lateness, axes, points, findings, members)))
        return DXT_ERR_NO_MEMORY;
    return DXT_OK;
}
