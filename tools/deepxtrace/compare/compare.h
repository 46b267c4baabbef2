/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the ranks and the paths of an operator from one run to another. */
#ifndef TOOLS_COMPARE_COMPARE_H
#define TOOLS_COMPARE_COMPARE_H

#include <deepxtrace/status.h>

#include "side.h"

/** What is rarer counts as no chance: over all figures of a kind together. Of three kinds (the
 * group's, ranks, paths) in two operators one in a hundred comparisons is told something by chance.
 */
#define COMPARE_CHANCE (0.01 / 6)
/** Most paths that are listed. */
#define COMPARE_PATHS 1000u

/** A path that changed by more than its two ranks did. */
typedef struct path_change {
    uint32_t row, column;
    change wait;
} path_change;

/** A node, a link or a receiver that changed: many waits, one cause. */
typedef struct cause_change {
    const cause *what;
    dxt_direction direction; /**< of a link, both where both changed by as much */
    change wait;
} cause_change;

typedef struct comparison {
    const side_operator *before, *after;
    uint32_t ranks;
    const int32_t *nodes; /**< [ranks]; NULL = not known */
    double floor;         /**< smaller changes are nobody's concern; 0 = not known */
    change mean, step;    /**< of the whole group */
    change *late;         /**< [ranks] */
    cause_change *causes; /**< that changed, the largest change first */
    size_t cause_count;
    path_change *paths;  /**< that changed, the largest change first */
    size_t path_count;   /**< listed */
    uint64_t path_total; /**< how many changed */
    bool slower;         /**< something is */
} comparison;

/** Compare the lateness and the silence of ranks, then what is named. @return false if there is no
 *  memory. */
bool compare_ranks(comparison *made);
void comparison_free(comparison *made);

/** How much larger a part of its windows a rank is silent in, in the second run; negative: smaller.
 *  0 = no more than chance. */
double silence_change(const comparison *made, uint32_t rank);

/** Whether a rank is later or earlier than chance and concern allow. */
bool is_changed(const comparison *made, const change *c, double figures);

/** Whether two changes are the same but for what is nobody's concern. */
bool is_alike(const comparison *made, double first, double second);

/** Whether a rank changed as the others of its node did, also where each did by another time. */
bool is_with_node(const comparison *made, uint32_t rank);

/** The smallest and the largest change of a node's ranks but the exceptions. @return Whether that
 *  is to be said: they are not alike. */
bool node_range(const comparison *made, int32_t node, double *least, double *most);

/** What most ranks of a node have in common, or all. */
typedef struct node_common {
    uint32_t first, count, total; /**< of these ranks; how many; ranks of the node */
    change late;
} node_common;

/** Whether a rank is one of those that changed as their node did, of @p total ranks. Of a few all
 *  have to. */
bool is_common(const comparison *made, uint32_t rank, uint32_t total);

/** How most ranks of a rank's node changed, if as it did. @return false if not, or nobody else
 *  did. */
bool node_change(const comparison *made, uint32_t rank, node_common *common);

#endif
