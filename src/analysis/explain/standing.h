/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two nodes and the path between them. A node leaves an operator when the other node's data is
 * there: one transfer time after the other node arrived. So the node that came later leaves
 * earlier. As long as both wait, an offset between the two changes sides from operator to operator
 * and stays, whatever began it. A cause that acts in each step adds to the offset until one of the
 * two waits no more. Its size is then the other node's wait in this operator, less the wait in the
 * other operator. A path that is slow in one operator makes one node wait long there, and the other
 * node in the next operator.
 */
#ifndef DXT_EXPLAIN_STANDING_H
#define DXT_EXPLAIN_STANDING_H

#include "analysis/case.h"

/** The part of a node's lateness against the other node that nothing else explains. */
typedef struct dxt_standing {
    double own;   /**< NaN: the offset does not explain any of it */
    bool carried; /**< named ranks or a named path explain it */
    bool path;    /**< it is not late: the path from it is slow */
} dxt_standing;

/** In which operator the path between two nodes is slow. */
typedef enum dxt_slow_side {
    DXT_PATH_SLOW_UNTOLD,
    DXT_PATH_SLOW_HERE,
    DXT_PATH_SLOW_THERE
} dxt_slow_side;

/** Judge node a of two. With more nodes, or without the other operator, nothing is explained.
 *  Cost: O(ranks). */
dxt_standing dxt_node_stands(const dxt_case *c, uint32_t a);

/** The smallest lateness of a node that is reported. If ranks hold others up in the other operator,
 * a node that waits for several of them leaves later than a node that waits for one, by the spread
 * of arrivals.
 */
double dxt_limit_of_node(const dxt_case *c, uint32_t a);

#endif
