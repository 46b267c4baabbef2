/* SPDX-License-Identifier: Apache-2.0 */
/* Find slow paths: cells that the fitted arrivals do not explain. */
#ifndef DXT_EXPLAIN_PATHS_H
#define DXT_EXPLAIN_PATHS_H

#include "analysis/arrive/model.h"
#include "analysis/glance.h"

/** What slow paths have in common (bundles.h). */
typedef enum dxt_bundle {
    DXT_BUNDLE_NONE,     /**< nothing */
    DXT_BUNDLE_SOURCE,   /**< they come from `of` */
    DXT_BUNDLE_RECEIVER, /**< they go to `of` */
    DXT_BUNDLE_RAIL,     /**< they are all the paths among some ranks, one of which is `of` */
    DXT_BUNDLE_STALLS,   /**< nothing, but they are many */
    DXT_BUNDLE_PASSING,  /**< they were slow only once in a while: no cause */
    DXT_BUNDLE_KINDS
} dxt_bundle;

/** A path that is slower than the fit explains. */
typedef struct dxt_slow_path {
    uint32_t i, j; /**< members: waiting, awaited */
    double excess; /**< wait above the expected */
    double error;  /**< typical deviation of a cell from the fit */
    dxt_bundle bundle;
    uint32_t of; /**< member */
    bool head;   /**< the slowest of its bundle */
} dxt_slow_path;

/** Slow paths of a fit, largest excess first. Zero it to begin; release `items` with free(). */
typedef struct dxt_path_list {
    dxt_slow_path *items;
    size_t count, capacity;
    double mean; /**< of all raw counters, if the search took it; otherwise NaN */
    bool misfit; /**< too many cells deviate, so the model does not fit; count is 0 then */
} dxt_path_list;

/** The most slow paths among @p ranks; if more cells deviate, the model does not fit. */
size_t dxt_most_paths(uint32_t ranks);

/** Make room for that many. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_paths_reserve(dxt_path_list *list, uint32_t ranks);

/**
 * Find slow paths.
 *
 * @param glance The figures that the check of the window collected.
 * @param list  Overwritten; its memory is used again.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_fit_paths(const dxt_fit *fit, const dxt_glance *glance, dxt_path_list *list);

#endif
