/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that stand out from the fitted arrivals: slow paths. */
#ifndef DXT_EXPLAIN_PATHS_H
#define DXT_EXPLAIN_PATHS_H

#include "analysis/arrive/model.h"

/** A path that is slower than the fit explains. */
typedef struct dxt_slow_path {
    uint32_t i, j; /**< members: waiting, awaited */
    double excess; /**< wait above the expected */
    double error;  /**< typical deviation of a cell from the fit */
} dxt_slow_path;

/** Slow paths of a fit, largest excess first. Zero it to begin; release `items` with free(). */
typedef struct dxt_path_list {
    dxt_slow_path *items;
    size_t count, capacity;
    double mean; /**< of all raw counters, where it could be had in passing; otherwise NaN */
    bool misfit; /**< so many cells deviate that the model itself does not fit; count is 0 then */
} dxt_path_list;

/** Most slow paths among @p ranks; where more cells deviate, it is the model that does not fit. */
size_t dxt_most_paths(uint32_t ranks);

/** Make room for that many. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_paths_reserve(dxt_path_list *list, uint32_t ranks);

/**
 * Find slow paths.
 *
 * @param list  Overwritten; its memory is used again.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_fit_paths(const dxt_fit *fit, dxt_path_list *list);

#endif
