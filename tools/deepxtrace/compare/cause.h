/* SPDX-License-Identifier: Apache-2.0 */
/* What analyze names of a run that is more than a rank's own lateness or a single path: a node, an
 * uplink, a link, a receiver. One of them changes many waits, and is one change. */
#ifndef TOOLS_COMPARE_CAUSE_H
#define TOOLS_COMPARE_CAUSE_H

#include <deepxtrace/analysis.h>

#include "change.h"

typedef struct cause {
    dxt_finding_kind kind;
    uint32_t rank;             /**< DXT_NO_RANK: it is a node's */
    int32_t node, source_node; /**< −1: it is a rank's; no path between nodes */
    series wait;               /**< one: how late or slow it was in each window; 0 = not named */
} cause;

typedef struct cause_list {
    cause *causes;
    size_t count;
    uint32_t windows; /**< that were taken */
} cause_list;

/** The findings of a window. @return false if there is no memory. */
bool causes_take(cause_list *list, const dxt_findings *findings);
void causes_end(cause_list *list);

/** The same place and kind in another run; NULL = not there. */
const cause *cause_find(const cause_list *list, const cause *like);

/** Compare what either run has or both have. @param spread  As series_compare(). */
change cause_compare(const cause_list *before, const cause_list *after, const cause *which,
                     double spread);

/** "link of rank 3 is slower", "node 1 comes earlier". */
void cause_words(const cause *which, bool grew, char text[96]);

#endif
