/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as marks in a heat map. */
#include <math.h>
#include <stdlib.h>

#include <deepxtrace/report.h>

#include "analysis/lists.h"
#include "base/base.h"
#include "report/words.h"

/* A list of marks under way. */
struct marks {
    dxt_mark *list;
    size_t count;
};

static void put_axis(struct marks *marks, dxt_mark_kind kind, uint32_t rank)
{
    bool row = kind == DXT_MARK_ROW;
    for (size_t i = 0; i < marks->count; i++)
        if (marks->list[i].kind == kind &&
            (row ? marks->list[i].row : marks->list[i].column) == rank)
            return;
    dxt_mark mark = {.kind = kind};
    *(row ? &mark.row : &mark.column) = rank;
    marks->list[marks->count++] = mark;
}

/* Who waits for the node stands in its columns, what comes in slowly in its rows. */
static void put_node(struct marks *marks, const dxt_finding *finding, dxt_mark_kind kind)
{
    bool link = finding->kind == DXT_SLOW_NODE_LINK;
    bool rows = link && finding->direction != DXT_DIRECTION_OUT;
    bool columns = !link || finding->direction != DXT_DIRECTION_IN;
    if (!dxt_has_members(finding) || !(kind == DXT_MARK_ROW ? rows : columns)) return;
    for (uint32_t r = 0; r < finding->rank_count; r++) put_axis(marks, kind, finding->ranks[r]);
}

/* What waits between two nodes; what nobody observes is none of it. Without a list: only count. */
static void put_node_path(struct marks *marks, const dxt_window *window, const dxt_finding *finding)
{
    if (finding->kind != DXT_SLOW_NODE_PATH || !window->nodes) return;
    for (uint32_t row = 0; row < window->ranks; row++) {
        if (window->nodes[row] != finding->node) continue;
        for (uint32_t column = 0; column < window->ranks; column++) {
            if (window->nodes[column] != finding->source_node ||
                isnan(dxt_window_value(window, row, column)))
                continue;
            if (marks->list)
                marks->list[marks->count] =
                    (dxt_mark){.kind = DXT_MARK_POINT, .row = row, .column = column};
            marks->count++;
        }
    }
}

/* How many marks there are at most. */
static size_t count_marks(const dxt_window *window, const dxt_findings *findings)
{
    struct marks points = {0};
    size_t most = findings->col_count + findings->row_count + findings->point_count;
    for (size_t i = 0; i < findings->finding_count; i++) {
        if (dxt_has_members(&findings->findings[i]))
            most += 2 * (size_t)findings->findings[i].rank_count;
        put_node_path(&points, window, &findings->findings[i]);
    }
    return most + points.count;
}

dxt_status dxt_report_marks(const dxt_window *window, const dxt_findings *findings,
                            dxt_mark **marks, size_t *count)
{
    if (!window || !findings || !marks || !count)
        return dxt_fail(DXT_ERR_INVALID, "window, findings, marks and count must not be NULL");
    dxt_status status = dxt_report_check(window, findings);
    if (status != DXT_OK) return status;
    size_t most = count_marks(window, findings);
    if (most == 0) {
        *marks = NULL;
        *count = 0;
        return DXT_OK;
    }
    struct marks made = {calloc(most, sizeof *made.list), 0};
    if (!made.list) return dxt_fail_memory(most * sizeof *made.list);
    for (size_t i = 0; i < findings->col_count; i++)
        put_axis(&made, DXT_MARK_COLUMN, findings->cols[i].rank);
    for (size_t i = 0; i < findings->finding_count; i++)
        put_node(&made, &findings->findings[i], DXT_MARK_COLUMN);
    for (size_t i = 0; i < findings->row_count; i++)
        put_axis(&made, DXT_MARK_ROW, findings->rows[i].rank);
    for (size_t i = 0; i < findings->finding_count; i++)
        put_node(&made, &findings->findings[i], DXT_MARK_ROW);
    for (size_t i = 0; i < findings->point_count; i++)
        made.list[made.count++] = (dxt_mark){.kind = DXT_MARK_POINT,
                                             .row = findings->points[i].row,
                                             .column = findings->points[i].column};
    for (size_t i = 0; i < findings->finding_count; i++)
        put_node_path(&made, window, &findings->findings[i]);
    *marks = made.list;
    *count = made.count;
    return DXT_OK;
}
