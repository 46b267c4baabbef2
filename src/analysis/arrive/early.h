/* SPDX-License-Identifier: Apache-2.0 */
/* Levels between nodes that are found while the matrix is read for the first time, before it is
 * known who is late: as if every rank stood for its node. They are right between nodes of which
 * this turns out to be so; the others are found later (arrive/levels.h). */
#ifndef DXT_ARRIVE_EARLY_H
#define DXT_ARRIVE_EARLY_H

#include <stdint.h>

#include <deepxtrace/matrix.h>

#include "analysis/arrive/early_data.h"
#include "numeric/columns.h"

/** Levels that are being found. */
typedef struct dxt_early_pass {
    const dxt_window *window;
    uint32_t size, nodes; /**< ranks of each node, and how many there are; 0 = none to be found */
    uint32_t done;        /**< nodes whose rows were read */
    int64_t bits;         /**< all counters looked at, combined by OR */
    double *level;
    int64_t *counter;
    dxt_early_levels found;
    uint32_t taken; /**< cells that tell a level, by the place of their ranks in their nodes: */
    uint32_t row[DXT_COUNTER_ROWS], column[DXT_COUNTER_ROWS];
} dxt_early_pass;

/** Find out how many nodes a window has whose levels can be found early: all with the same number
 *  of ranks, in order, every rank with a row, and no count for each cell.
 *  @param ranks_per_node  Where the window does not say it; 0 = not known.
 *  @return 0 where they cannot, or where few nodes need many cells each. */
uint32_t dxt_early_nodes(const dxt_window *window, uint32_t ranks_per_node);

/** Begin to find levels.
 *  @param nodes    By dxt_early_nodes().
 *  @param level    [nodes][nodes] Receives the levels.
 *  @param counter  [DXT_PARTNERS][ranks] Receives counters for partners. */
void dxt_early_begin(const dxt_window *window, uint32_t nodes, double *level, int64_t *counter,
                     dxt_early_pass *pass);

/** Find the levels of all nodes whose rows are among the first @p rows, which were just read. */
void dxt_early_take(dxt_early_pass *pass, uint32_t rows);

/** @return What was found in all rows: nothing where a counter that tells may hold a time-out. */
dxt_early_levels dxt_early_end(const dxt_early_pass *pass);

#endif
