/* SPDX-License-Identifier: Apache-2.0 */
/* Collects findings before they are packed into the one block that callers get. */
#ifndef DXT_ANALYSIS_DRAFT_H
#define DXT_ANALYSIS_DRAFT_H

#include <stdbool.h>

#include <deepxtrace/analysis.h>

#include "analysis/tuning.h"
#include "base/block.h"

/** How many arrays of a result have one number per rank: lateness, its error, its node's part. */
#define DXT_LATENESSES 3u

/** Zero a draft, reset it, append, pack, and free it in the end. A failed append sets `failed`. */
typedef struct dxt_draft {
    dxt_method method;
    dxt_verdict verdict;
    double ordinary, step, transfer, floor;
    dxt_block lateness; /**< [3][ranks] doubles: lateness, its error, its node's part */
    bool has_lateness;
    bool inherited;
    dxt_abnormal_axis *cols, *rows;
    size_t col_count, col_capacity, row_count, row_capacity;
    dxt_abnormal_point *points;
    size_t point_count, point_capacity;
    dxt_finding *findings; /**< the `ranks` of nodes are filled in when packed */
    size_t finding_count, finding_capacity;
    uint32_t *list; /**< what other lists of findings point into */
    size_t list_count, list_capacity;
    uint32_t likely_node_size, node_size;
    uint32_t waits_beside;
    double lost_share, apart_share; /**< as in the findings */
    uint64_t still_windows;
    char still_since[DXT_TIME_TEXT];
    double work[2];
    uint32_t work_of;
    uint32_t delayed_rank; /**< as in the findings */
    int64_t delayed_ns;
    bool failed;
} dxt_draft;

void dxt_draft_col(dxt_draft *draft, uint32_t rank, double mean, double normalised);
void dxt_draft_row(dxt_draft *draft, uint32_t rank, double mean, double normalised);
void dxt_draft_point(dxt_draft *draft, uint32_t row, uint32_t column, double value,
                     double normalised);

/** Append a finding of one kind, with every other field set to "does not apply".
 * @return The finding, valid until the next append; NULL when out of memory. */
dxt_finding *dxt_draft_finding(dxt_draft *draft, dxt_finding_kind kind);

/** The lists that a finding can have. */
typedef enum dxt_list { DXT_LIST_RANKS, DXT_LIST_PATHS, DXT_LIST_NODES } dxt_list;

/**
 * Copy a list into the finding that was appended last.
 *
 * @param values  [count], of paths [count][2]; node indices as they are. Not of this draft.
 */
void dxt_draft_list(dxt_draft *draft, dxt_list which, const void *values, uint32_t count);

/** Copy a finding of another result, with its lists. @return As dxt_draft_finding(). */
dxt_finding *dxt_draft_copy(dxt_draft *draft, const dxt_finding *finding);

/** Whether the group loses so much time, to no rank in particular, that it is not healthy. */
static inline bool dxt_draft_loses(const dxt_draft *draft)
{
    return (draft->lost_share > 0 && !draft->inherited) || draft->apart_share > 0;
}

/** Empty the draft and keep its memory. */
void dxt_draft_reset(dxt_draft *draft, dxt_method method);

/** Room for lateness, its error and its node's part, [3][ranks]; NULL when out of memory. */
double *dxt_draft_lateness(dxt_draft *draft, uint32_t ranks);

/** Release the draft's arrays. */
void dxt_draft_free(dxt_draft *draft);

#endif
