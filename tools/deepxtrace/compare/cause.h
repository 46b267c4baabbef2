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
    dxt_direction direction;   /**< of a link: in or out; one that is slow both ways is two */
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

/** Whether both are the same link, one of them in, the other one out. */
bool cause_is_other_way(const cause *first, const cause *second);

/** Compare what either run has or both have. @param spread  As series_compare(). */
change cause_compare(const cause_list *before, const cause_list *after, const cause *which,
                     double spread);

/** "link of rank 3 sends more slowly", "node 1 comes earlier". @param direction  Of a link. */
void cause_words(const cause *which, dxt_direction direction, bool grew, char text[96]);

#endif
