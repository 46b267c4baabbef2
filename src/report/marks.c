/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as marks in a heat map. */
#include <stdlib.h>

#include <deepxtrace/report.h>

#include "base/base.h"
#include "report/words.h"

static bool is_column(const dxt_mark *marks, size_t count, uint32_t column)
{
    for (size_t i = 0; i < count; i++)
        if (marks[i].kind == DXT_MARK_COLUMN && marks[i].column == column) return true;
    return false;
}

/* Ranks that a finding marks as columns though they are in no list of abnormal ones. */
static uint32_t columns_of(const dxt_finding *finding)
{
    bool node = finding->kind == DXT_LATE_NODE || finding->kind == DXT_SLOW_NODE_LINK;
    return node ? finding->rank_count : 0;
}

dxt_status dxt_report_marks(const dxt_window *window, const dxt_findings *findings,
                            dxt_mark **marks, size_t *count)
{
    if (!window || !findings || !marks || !count)
        return dxt_fail(DXT_ERR_INVALID, "report: window, findings and result must not be NULL");
    dxt_status status = dxt_report_check(window, findings);
    if (status != DXT_OK) return status;
    size_t most = findings->col_count + findings->row_count + findings->point_count;
    for (size_t i = 0; i < findings->finding_count; i++) most += columns_of(&findings->findings[i]);
    if (most == 0) {
        *marks = NULL;
        *count = 0;
        return DXT_OK;
    }
    dxt_mark *list = calloc(most, sizeof *list);
    if (!list) return dxt_fail_memory(most * sizeof *list);
    size_t used = 0;
    for (size_t i = 0; i < findings->col_count; i++)
        list[used++] = (dxt_mark){.kind = DXT_MARK_COLUMN, .column = findings->cols[i].rank};
    for (size_t i = 0; i < findings->finding_count; i++) {
        const dxt_finding *finding = &findings->findings[i];
        for (uint32_t r = 0; r < columns_of(finding); r++)
            if (!is_column(list, used, finding->ranks[r]))
                list[used++] = (dxt_mark){.kind = DXT_MARK_COLUMN, .column = finding->ranks[r]};
    }
    for (size_t i = 0; i < findings->row_count; i++)
        list[used++] = (dxt_mark){.kind = DXT_MARK_ROW, .row = findings->rows[i].rank};
    for (size_t i = 0; i < findings->point_count; i++)
        list[used++] = (dxt_mark){.kind = DXT_MARK_POINT,
                                  .row = findings->points[i].row,
                                  .column = findings->points[i].column};
    *marks = list;
    *count = used;
    return DXT_OK;
}
