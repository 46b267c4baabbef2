/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/draft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/lists.h"
#include "base/base.h"

/* Room of an array at first, in elements. */
#define FIRST_ROOM 16

/* Make room for one more element of `size` bytes. @return Its place; NULL when out of memory. */
static void *append(dxt_draft *draft, void **array, size_t *count, size_t *capacity, size_t size)
{
    if (draft->failed) return NULL;
    if (*count == *capacity) {
        size_t grown = *capacity ? *capacity * 2 : FIRST_ROOM;
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

/* Make room for `count` more; release the old array only after nothing points into it. */
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
        dxt_move_lists(draft->findings, draft->finding_count, draft->list, grown);
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
    if (!dxt_has_members(finding))
        dxt_draft_list(draft, DXT_LIST_RANKS, finding->ranks, finding->rank_count);
    dxt_draft_list(draft, DXT_LIST_PATHS, finding->paths, finding->path_count);
    dxt_draft_list(draft, DXT_LIST_NODES, finding->nodes, finding->node_count);
    return draft->failed ? NULL : copy;
}

void dxt_draft_reset(dxt_draft *draft, dxt_method method)
{
    draft->method = method;
    draft->verdict = DXT_VERDICT_HEALTHY;
    draft->ordinary = draft->transfer = draft->floor = 0;
    draft->step = NAN;
    draft->col_count = draft->row_count = draft->point_count = draft->finding_count = 0;
    draft->list_count = 0;
    draft->likely_node_size = draft->node_size = 0;
    draft->waits_beside = 0;
    draft->lost_share = draft->apart_share = 0;
    draft->still_windows = 0;
    draft->still_since[0] = '\0';
    draft->work_of = 0;
    draft->delayed_rank = DXT_NO_RANK;
    draft->delayed_ns = 0;
    draft->has_lateness = draft->inherited = draft->failed = false;
}

double *dxt_draft_lateness(dxt_draft *draft, uint32_t ranks)
{
    double *room = dxt_block_fit(&draft->lateness, DXT_LATENESSES * (size_t)ranks * sizeof *room);
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
