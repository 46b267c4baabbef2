/* SPDX-License-Identifier: Apache-2.0 */
#include "confirm.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What the windows have named. */
struct windows {
    const char *phase;
    uint64_t count;
    dxt_episode *episodes;
    size_t episode_count;
};

static bool borne_out(const struct windows *windows, const dxt_finding *finding)
{
    uint64_t seen = 0;
    for (size_t e = 0; e < windows->episode_count; e++)
        if (strcmp(windows->episodes[e].phase, windows->phase) == 0 &&
            dxt_episode_names(&windows->episodes[e], finding))
            seen += windows->episodes[e].seen;
    return finding->kind == DXT_SILENT_RANK || 2 * seen >= windows->count;
}

/* Whether a rank, or a path if there is a source, is named by a finding that was dropped only. */
static bool dropped(const dxt_findings *whole, const dxt_findings *confirmed, uint32_t rank,
                    uint32_t source)
{
    bool named = false;
    for (size_t f = 0; f < confirmed->finding_count; f++)
        if (confirmed->findings[f].rank == rank && confirmed->findings[f].source == source)
            return false;
    for (size_t f = 0; f < whole->finding_count; f++)
        named |= whole->findings[f].rank == rank && whole->findings[f].source == source;
    return named;
}

static size_t keep_axes(const dxt_findings *whole, const dxt_findings *confirmed,
                        const dxt_abnormal_axis *from, size_t count, dxt_abnormal_axis *to)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!dropped(whole, confirmed, from[i].rank, DXT_NO_RANK)) to[kept++] = from[i];
    return kept;
}

static dxt_status confirm(const struct windows *windows, const dxt_findings *whole,
                          dxt_findings *confirmed)
{
    dxt_finding *findings = calloc(whole->finding_count + 1, sizeof *findings);
    dxt_abnormal_axis *cols = calloc(whole->col_count + 1, sizeof *cols);
    dxt_abnormal_axis *rows = calloc(whole->row_count + 1, sizeof *rows);
    dxt_abnormal_point *points = calloc(whole->point_count + 1, sizeof *points);
    dxt_findings result = *whole;
    result.findings = findings;
    result.cols = cols;
    result.rows = rows;
    result.points = points;
    if (!findings || !cols || !rows || !points) {
        confirmed_free(&result);
        return DXT_ERR_NO_MEMORY;
    }
    bool costly = false;
    result.finding_count = result.point_count = 0;
    for (size_t f = 0; f < whole->finding_count; f++) {
        if (!borne_out(windows, &whole->findings[f])) continue;
        findings[result.finding_count++] = whole->findings[f];
        costly |= whole->findings[f].kind != DXT_EARLY_RANK;
    }
    result.col_count = keep_axes(whole, &result, whole->cols, whole->col_count, cols);
    result.row_count = keep_axes(whole, &result, whole->rows, whole->row_count, rows);
    for (size_t p = 0; p < whole->point_count; p++)
        if (!dropped(whole, &result, whole->points[p].row, whole->points[p].column))
            points[result.point_count++] = whole->points[p];
    if (!costly && result.verdict == DXT_VERDICT_SLOW) result.verdict = DXT_VERDICT_HEALTHY;
    *confirmed = result;
    return DXT_OK;
}

dxt_status job_confirm(const dxt_history *history, const char *phase, const dxt_findings *whole,
                       dxt_findings *confirmed)
{
    struct windows windows = {.phase = phase, .count = dxt_history_windows(history)};
    dxt_status status = dxt_history_summary(history, &windows.episodes, &windows.episode_count);
    if (status == DXT_OK) status = confirm(&windows, whole, confirmed);
    free(windows.episodes);
    return status;
}

void confirmed_free(dxt_findings *confirmed)
{
    free((void *)confirmed->findings);
    free((void *)confirmed->cols);
    free((void *)confirmed->rows);
    free((void *)confirmed->points);
    memset(confirmed, 0, sizeof *confirmed);
}
