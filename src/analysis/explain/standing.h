/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two nodes and the path between them. Each leaves an operator when the other one's data is there,
 * a path's time after that one arrived: who came later leaves earlier. So an offset between the two
 * changes sides from operator to operator and stays, wherever it came from, as long as both wait. A
 * cause that acts in each step adds to it, until one of the two waits no more: then what the other
 * one waits in this operator beyond what is waited in the other operator is the cause. A path that
 * is slow in one operator makes the one wait long there, and the other one in the next operator.
 */
#ifndef DXT_EXPLAIN_STANDING_H
#define DXT_EXPLAIN_STANDING_H

#include "analysis/case.h"

/** What is left of how much later than the other one a node is. */
typedef struct dxt_standing {
    double own;   /**< NaN: all of it, as far as this tells */
    bool carried; /**< it comes from ranks that are named, or from a path that is */
    bool path;    /**< it is not late: the path from it is slow */
} dxt_standing;

/** In which operator the path between two nodes is slow. */
typedef enum dxt_slow_side {
    DXT_PATH_SLOW_UNTOLD,
    DXT_PATH_SLOW_HERE,
    DXT_PATH_SLOW_THERE
} dxt_slow_side;

/** Judge node a against the other one of two; of more, or without the other operator, all is left.
 *  Cost: O(ranks). */
dxt_standing dxt_node_stands(const dxt_case *c, uint32_t a);

/** How late a node must be to be told. Where ranks hold others up in the other operator, who waits
 *  for several of them leaves later than who waits for one, by as much as arrivals vary. */
double dxt_limit_of_node(const dxt_case *c, uint32_t a);

#endif
