/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken from the matrix while it is read for the first time, before it is known who is
 * late: cells that later steps want, and levels between nodes, as if every rank stood for its node.
 * The levels between two nodes are right if every rank of both turns out to do so; the others are
 * found later (arrive/levels.h). */
#ifndef DXT_ARRIVE_EARLY_H
#define DXT_ARRIVE_EARLY_H

#include <stdint.h>

#include <deepxtrace/matrix.h>

#include "analysis/arrive/early_data.h"
#include "numeric/columns.h"
#include "numeric/spread.h"

/** A pass under way. */
typedef struct dxt_early_pass {
    const dxt_window *window;
    uint32_t size, nodes; /**< ranks of each node, and how many there are; 0 = none to be found */
    uint32_t done;        /**< nodes whose levels were found … */
    uint32_t reached;     /**< … and those of the next ones for so many nodes */
    int64_t bits;         /**< all counters looked at, combined by OR */
    double *level;
    int64_t *counter;
    dxt_early_data found;
    uint32_t taken; /**< cells that tell a level, by the place of their ranks in their nodes: */
    uint32_t row[DXT_COUNTER_ROWS], column[DXT_COUNTER_ROWS];
    bool turned;   /**< cells were chosen … */
    uint32_t node; /**< … in the rows of this node: */
    const int64_t *first[DXT_COUNTER_ROWS];
    double factor[DXT_COUNTER_ROWS];
    dxt_spread spread; /**< of the sample of cells … */
    uint32_t next;     /**< … and the next one */
    dxt_early_sample *sample;
    double *within;
} dxt_early_pass;

/** Choose cells for a sample. */
static inline dxt_spread dxt_cells_begin(uint32_t cells)
{
    return dxt_spread_begin(cells < DXT_LEVEL_SAMPLE ? cells : DXT_LEVEL_SAMPLE, cells);
}

/** Find out how many nodes a window has whose levels can be found early: all with the same number
 *  of ranks, in order, every rank with a row, and no count for each cell.
 *  @param ranks_per_node  Where the window does not say it; 0 = not known.
 *  @return 0 where they cannot, or where few nodes need many cells each. */
uint32_t dxt_early_nodes(const dxt_window *window, uint32_t ranks_per_node);

/** What a pass writes to. */
typedef struct dxt_early_room {
    double *level;    /**< [nodes][nodes] */
    double *least;    /**< [nodes] */
    int64_t *counter; /**< [DXT_PARTNERS][ranks] for partners */
    double *within;   /**< [ranks][DXT_WITHIN_MEMBERS] */
    dxt_early_sample *sample;
} dxt_early_room;

/** Begin to find levels.
 *  @param nodes  By dxt_early_nodes(). */
void dxt_early_begin(const dxt_window *window, uint32_t nodes, const dxt_early_room *room,
                     dxt_early_pass *pass);

/** Find the levels of all nodes whose rows are among the first @p rows for all nodes whose columns
 *  are among the first @p columns, which were just read. Columns end with the last one. */
void dxt_early_take(dxt_early_pass *pass, uint32_t rows, uint32_t columns);

/** @return What was found in all rows: nothing where a counter that tells may hold a time-out. */
dxt_early_data dxt_early_end(const dxt_early_pass *pass);

#endif
