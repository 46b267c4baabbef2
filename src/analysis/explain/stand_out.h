/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Find the rows of a matrix with a cell that may be abnormal: the cell exceeds the bare shift of
 * its path by the bar of its column. Almost no row has one. Coarse steps find that first: they
 * compare the largest counters of several rows with the shortest path to any node.
 */
#ifndef DXT_EXPLAIN_STAND_OUT_H
#define DXT_EXPLAIN_STAND_OUT_H

#include "analysis/arrive/shifts.h"
#include "analysis/glance.h"

#define DXT_MOST_CLASSES (DXT_MAX_RANKS / DXT_CHUNK * DXT_CHUNK_CLASSES)

/** All columns as one node sees them, one node after the other. */
typedef struct dxt_view {
    const dxt_fit *fit;
    const dxt_glance *glance;
    const double *bar; /**< [ranks] infinite where the row is missing */
    double *late;      /**< [ranks] lateness as a node sees it, the path to it included … */
    uint32_t node;     /**< … whose view it is … */
    bool exact;        /**< … and whether it is exact, not a lower bound */
    dxt_floors floors;
    bool in_runs;        /**< members are all ranks, those of a node one behind the other */
    uint32_t near;       /**< node whose … */
    uint32_t first, end; /**< … ranks these are … */
    double path;         /**< … and a lower bound of its paths to others */
    /** Least lateness and bar of each class of columns, if there are peaks. */
    double class_late[DXT_MOST_CLASSES], class_bar[DXT_MOST_CLASSES];
} dxt_view;

/** Begin, once the bars are known; needs room for the lateness as a node sees it. */
void dxt_view_begin(dxt_view *view, const dxt_fit *fit, const dxt_glance *glance, const double *bar,
                    double *late);

/** Whether a cell of member i's row may be abnormal; then its node's paths are settled. */
bool dxt_row_stands_out(dxt_view *view, uint32_t i);

/** Next member from j on whose cell in the row of i, which stands out, may be abnormal; fit->count
 *  where there is none. */
uint32_t dxt_next_above(const dxt_view *view, uint32_t i, uint32_t j);

/** How many rows from member i on, judged together, certainly have no such cell; 0 = unknown. */
uint32_t dxt_rows_pass(dxt_view *view, uint32_t i);

#endif
