/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/draft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "numeric/sort.h"

/* Room for one more element of `size` bytes; returns its place, or NULL. */
static void *append(dxt_draft *draft, void **array, size_t *count, size_t *capacity, size_t size)
{
    if (draft->failed) return NULL;
    if (*count == *capacity) {
        size_t grown = *capacity ? *capacity * 2 : 16;
        void *moved = realloc(*array, grown * size);
        if (!moved) {
            draft->failed = true;
            return NULL;
        }
        *array = moved;
        *capacity = grown;
    }
    return (char *)*array + (*count)++ * size;
}

static void append_axis(dxt_draft *draft, dxt_abnormal_axis **axes, size_t *count, size_t *capacity,
                        dxt_abnormal_axis value)
{
    void *array = *axes;
    dxt_abnormal_axis *place = append(draft, &array, count, capacity, sizeof value);
    *axes = array;
    if (place) *place = value;
}

void dxt_draft_col(dxt_draft *draft, uint32_t rank, double mean, double normalised)
{
    append_axis(draft, &draft->cols, &draft->col_count, &draft->col_capacity,
                (dxt_abnormal_axis){rank, mean, normalised});
}

void dxt_draft_row(dxt_draft *draft, uint32_t rank, double mean, double normalised)
{
    append_axis(draft, &draft->rows, &draft->row_count, &draft->row_capacity,
                (dxt_abnormal_axis){rank, mean, normalised});
}

void dxt_draft_point(dxt_draft *draft, uint32_t row, uint32_t column, double value,
                     double normalised)
{
    void *array = draft->points;
    dxt_abnormal_point *place =
        append(draft, &array, &draft->point_count, &draft->point_capacity, sizeof *place);
    draft->points = array;
    if (place) *place = (dxt_abnormal_point){row, column, value, normalised};
}

dxt_finding *dxt_draft_finding(dxt_draft *draft, dxt_finding_kind kind)
{
    void *array = draft->findings;
    dxt_finding *place =
        append(draft, &array, &draft->finding_count, &draft->finding_capacity, sizeof *place);
    draft->findings = array;
    if (place)
        *place = (dxt_finding){.kind = kind,
                               .rank = DXT_NO_RANK,
                               .source = DXT_NO_RANK,
                               .node = -1,
                               .source_node = -1,
                               .wait = NAN,
                               .share = NAN,
                               .share_most = NAN};
    return place;
}

/* ---- lists of findings ---- */

/* Whether packing fills in the ranks of a finding from its node. */
static bool has_members(const dxt_finding *finding)
{
    return finding->kind == DXT_LATE_NODE || finding->kind == DXT_SLOW_NODE_LINK;
}

/* What pointed into one array points to the same place of another. */
static void move_lists(dxt_finding *findings, size_t count, const uint32_t *from, uint32_t *to)
{
    for (size_t f = 0; f < count; f++) {
        dxt_finding *finding = &findings[f];
        if (finding->ranks && !has_members(finding)) finding->ranks = to + (finding->ranks - from);
        if (finding->paths) finding->paths = to + (finding->paths - from);
        if (finding->nodes)
            finding->nodes = (int32_t *)to + ((const uint32_t *)finding->nodes - from);
    }
}

/* Room for `count` more; the array of before is released only when nothing points into it. */
static uint32_t *extend_list(dxt_draft *draft, size_t count)
{
    size_t wanted = draft->list_count + count;
    if (wanted > draft->list_capacity) {
        size_t capacity = wanted + draft->list_capacity;
        uint32_t *grown = malloc(capacity * sizeof *grown);
        if (!grown) {
            draft->failed = true;
            return NULL;
        }
        if (draft->list_count) memcpy(grown, draft->list, draft->list_count * sizeof *grown);
        move_lists(draft->findings, draft->finding_count, draft->list, grown);
        free(draft->list);
        draft->list = grown;
        draft->list_capacity = capacity;
    }
    uint32_t *place = draft->list + draft->list_count;
    draft->list_count = wanted;
    return place;
}

void dxt_draft_list(dxt_draft *draft, dxt_list which, const void *values, uint32_t count)
{
    if (draft->failed || draft->finding_count == 0 || count == 0) return;
    size_t words = which == DXT_LIST_PATHS ? 2 * (size_t)count : count;
    uint32_t *place = extend_list(draft, words);
    if (!place) return;
    memcpy(place, values, words * sizeof *place);
    dxt_finding *finding = &draft->findings[draft->finding_count - 1];
    switch (which) {
    case DXT_LIST_RANKS:
        finding->ranks = place;
        finding->rank_count = count;
        break;
    case DXT_LIST_PATHS:
        finding->paths = place;
        finding->path_count = count;
        finding->path_total = finding->path_total > count ? finding->path_total : count;
        break;
    case DXT_LIST_NODES:
        finding->nodes = (int32_t *)place;
        finding->node_count = count;
        break;
    }
}

dxt_finding *dxt_draft_copy(dxt_draft *draft, const dxt_finding *finding)
{
    dxt_finding *copy = dxt_draft_finding(draft, finding->kind);
    if (!copy) return NULL;
    *copy = *finding;
    copy->ranks = copy->paths = NULL;
    copy->nodes = NULL;
    if (!has_members(finding))
        dxt_draft_list(draft, DXT_LIST_RANKS, finding->ranks, finding->rank_count);
    dxt_draft_list(draft, DXT_LIST_PATHS, finding->paths, finding->path_count);
    dxt_draft_list(draft, DXT_LIST_NODES, finding->nodes, finding->node_count);
    return draft->failed ? NULL : copy;
}

/* What a finding costs, for the order of the report: silence first, then by time lost. */
static double cost(const dxt_finding *finding)
{
    if (finding->kind == DXT_SILENT_RANK) return INFINITY;
    if (finding->kind == DXT_EARLY_RANK) return -1;
    return isnan(finding->wait) ? 0 : finding->wait;
}

/* Whether a comes before b: by cost, equal ones in the order of kinds, ranks and paths. */
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

/* Fill in which ranks belong to the node of each finding; returns how many slots that takes. */
static size_t place_members(dxt_finding *findings, size_t count, uint32_t ranks,
                            const int32_t *nodes, uint32_t *members)
{
    size_t used = 0;
    for (size_t f = 0; f < count; f++) {
        if (!has_members(&findings[f])) continue;
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

dxt_status dxt_draft_pack(const dxt_draft *draft, const dxt_window *window, const int32_t *nodes,
                          dxt_block *result)
{
    if (draft->failed) return dxt_fail_memory(0);
    size_t members =
        place_members(draft->findings, draft->finding_count, window->ranks, nodes, NULL);
    size_t axes = draft->col_count + draft->row_count, listed = draft->list_count;
    size_t latenesses = draft->has_lateness ? 3 * (size_t)window->ranks : 0;
    dxt_findings *packed =
        dxt_block_fit(result, packed_size(latenesses, axes, draft->point_count,
                                          draft->finding_count, members + listed));
    if (!packed) return DXT_ERR_NO_MEMORY;

    double *lateness = (double *)(packed + 1);
    dxt_abnormal_axis *cols = (dxt_abnormal_axis *)(lateness + latenesses);
    dxt_abnormal_axis *rows = cols + draft->col_count;
    dxt_abnormal_point *points = (dxt_abnormal_point *)(rows + draft->row_count);
    dxt_finding *causes = (dxt_finding *)(points + draft->point_count);
    uint32_t *lists = (uint32_t *)(causes + draft->finding_count), *ranks = lists + listed;
    if (latenesses) memcpy(lateness, draft->lateness.data, latenesses * sizeof *lateness);
    if (draft->col_count) memcpy(cols, draft->cols, draft->col_count * sizeof *cols);
    if (draft->row_count) memcpy(rows, draft->rows, draft->row_count * sizeof *rows);
    if (draft->point_count) memcpy(points, draft->points, draft->point_count * sizeof *points);
    if (draft->finding_count)
        memcpy(causes, draft->findings, draft->finding_count * sizeof *causes);
    if (listed) memcpy(lists, draft->list, listed * sizeof *lists);
    move_lists(causes, draft->finding_count, draft->list, lists);
    sort_findings(causes, draft->finding_count);
    place_members(causes, draft->finding_count, window->ranks, nodes, ranks);

    *packed = (dxt_findings){.struct_size = sizeof *packed,
                             .ranks = window->ranks,
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
                             .lateness_error = latenesses ? lateness + window->ranks : NULL,
                             .lateness_of_node = latenesses ? lateness + 2 * window->ranks : NULL,
                             .likely_node_size = draft->likely_node_size};
    return DXT_OK;
}

void dxt_draft_reset(dxt_draft *draft, dxt_method method)
{
    draft->method = method;
    draft->verdict = DXT_VERDICT_HEALTHY;
    draft->ordinary = draft->transfer = 0;
    draft->step = NAN;
    draft->col_count = draft->row_count = draft->point_count = draft->finding_count = 0;
    draft->list_count = 0;
    draft->likely_node_size = 0;
    draft->has_lateness = draft->inherited = draft->failed = false;
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
    size_t lateness = 3 * (size_t)ranks, axes = 2 * (size_t)ranks;
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

double *dxt_draft_lateness(dxt_draft *draft, uint32_t ranks)
{
    double *room = dxt_block_fit(&draft->lateness, 3 * (size_t)ranks * sizeof *room);
    draft->has_lateness = room != NULL;
    return room;
}

void dxt_draft_free(dxt_draft *draft)
{
    free(draft->cols);
    free(draft->rows);
    free(draft->points);
    free(draft->findings);
    free(draft->list);
    free(draft->lateness.data);
    *draft = (dxt_draft){0};
}
