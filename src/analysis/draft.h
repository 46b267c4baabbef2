/* SPDX-License-Identifier: Apache-2.0 */
/* Findings while they are being collected, and their packing into the one block callers get. */
#ifndef DXT_ANALYSIS_DRAFT_H
#define DXT_ANALYSIS_DRAFT_H

#include <stdbool.h>

#include <deepxtrace/analysis.h>

/** Zero it, set the plain fields, append; then pack or free. A failed append sets `failed`. */
typedef struct dxt_draft {
    dxt_method method;
    dxt_verdict verdict;
    double ordinary, step, transfer;
    double *lateness, *lateness_error; /**< [ranks] in one block owned by lateness; NULL: none */
    dxt_abnormal_axis *cols, *rows;
    size_t col_count, col_capacity, row_count, row_capacity;
    dxt_abnormal_point *points;
    size_t point_count, point_capacity;
    dxt_finding *findings; /**< `ranks` point into `members` only after packing */
    size_t finding_count, finding_capacity;
    bool failed;
} dxt_draft;

void dxt_draft_col(dxt_draft *draft, uint32_t rank, double mean, double normalised);
void dxt_draft_row(dxt_draft *draft, uint32_t rank, double mean, double normalised);
void dxt_draft_point(dxt_draft *draft, uint32_t row, uint32_t column, double value,
                     double normalised);

/** Append a finding of one kind with every other field "does not apply"; NULL when out of memory.
 * The pointer is valid until the next append. */
dxt_finding *dxt_draft_finding(dxt_draft *draft, dxt_finding_kind kind);

/** Copy into one block; ranks of nodes are filled in from window->nodes (or ranks per node). */
dxt_status dxt_draft_pack(const dxt_draft *draft, const dxt_window *window, const int32_t *nodes,
                          dxt_findings **findings);

/** Release the draft's arrays. */
void dxt_draft_free(dxt_draft *draft);

#endif
