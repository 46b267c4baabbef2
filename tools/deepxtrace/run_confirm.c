/* SPDX-License-Identifier: Apache-2.0 */
#include "run_confirm.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The kind is left out: what is late in one window may be hot in the next. */
static bool same_subject(const dxt_finding *a, const dxt_finding *b)
{
    return a->rank == b->rank && a->source == b->source && a->node == b->node &&
           a->source_node == b->source_node;
}

static struct dxt_named_entry *entry_of(const dxt_named *named, const dxt_finding *finding)
{
    for (size_t i = 0; i < named->count; i++)
        if (same_subject(&named->entries[i].finding, finding)) return &named->entries[i];
    return NULL;
}

static struct dxt_named_entry *new_entry(dxt_named *named, const dxt_finding *finding)
{
    if (named->count == named->capacity) {
        size_t capacity = named->capacity ? 2 * named->capacity : 16;
        void *entries = realloc(named->entries, capacity * sizeof *named->entries);
        if (!entries) return NULL;
        named->entries = entries;
        named->capacity = capacity;
    }
    struct dxt_named_entry *entry = &named->entries[named->count++];
    *entry = (struct dxt_named_entry){*finding, 0};
    entry->finding.ranks = NULL;
    return entry;
}

dxt_status dxt_named_add(dxt_named *named, const dxt_findings *findings)
{
    for (size_t f = 0; f < findings->finding_count; f++) {
        const dxt_finding *finding = &findings->findings[f];
        bool again = false; /* one window counts a subject once */
        for (size_t g = 0; g < f; g++) again |= same_subject(&findings->findings[g], finding);
        if (again) continue;
        struct dxt_named_entry *entry = entry_of(named, finding);
        if (!entry) entry = new_entry(named, finding);
        if (!entry) return DXT_ERR_NO_MEMORY;
        entry->windows++;
    }
    named->windows++;
    return DXT_OK;
}

static bool borne_out(const dxt_named *named, const dxt_finding *finding)
{
    const struct dxt_named_entry *entry = entry_of(named, finding);
    return finding->kind == DXT_SILENT_RANK || (entry && 2 * entry->windows >= named->windows);
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

dxt_status dxt_named_confirm(const dxt_named *named, const dxt_findings *whole,
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
        dxt_confirmed_free(&result);
        return DXT_ERR_NO_MEMORY;
    }
    bool costly = false;
    result.finding_count = result.point_count = 0;
    for (size_t f = 0; f < whole->finding_count; f++) {
        if (!borne_out(named, &whole->findings[f])) continue;
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

void dxt_confirmed_free(dxt_findings *confirmed)
{
    free((void *)confirmed->findings);
    free((void *)confirmed->cols);
    free((void *)confirmed->rows);
    free((void *)confirmed->points);
    memset(confirmed, 0, sizeof *confirmed);
}

void dxt_named_free(dxt_named *named)
{
    free(named->entries);
    memset(named, 0, sizeof *named);
}
