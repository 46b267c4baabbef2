/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arrival model of one window. Expected wait of rank i for rank j:
 *
 *     E max(0, late_j − late_i + transfer(i, j) + X)  +  receive_i  +  send_j
 *
 * where late is each rank's lateness (its node's and its own), transfer depends on the pair of
 * nodes, X is the random skew of the two arrivals, and receive_i and send_j are what the two lose
 * at their own doors.
 */
#ifndef DXT_ARRIVE_FIT_H
#define DXT_ARRIVE_FIT_H

#include "analysis/arrive/group.h"

#include <math.h>

#include <deepxtrace/analysis.h>

#include "base/block.h"
#include "numeric/tail.h"

/** What a rank (or a node) is for the others. */
typedef enum dxt_role {
    DXT_ROLE_ORDINARY = 0,
    DXT_ROLE_LATE,     /**< the others wait for it */
    DXT_ROLE_EARLY,    /**< it waits for all, and nobody for it */
    DXT_ROLE_RECEIVER, /**< it waits for all, and the others for it as for anybody */
    DXT_ROLE_SENDER    /**< the others wait for it, and it for them as anybody does */
} dxt_role;

/** A fitted window over the n ranks that sent their row. */
typedef struct dxt_fit {
    const dxt_window *window;
    uint32_t count;  /**< n */
    uint32_t *rank;  /**< [n] rank of each member */
    double *factor;  /**< [n] a member's waits × this = the window's measure (÷ samples N×N) */
    double step;     /**< time of one operation and what belongs to it; NaN = unknown */
    double ops;      /**< 0 = unknown */
    double *late;    /**< [n] own lateness against the ordinary of its node */
    double *receive; /**< [n] extra wait at its own door */
    double *send;    /**< [n] how much later what it sends comes, though it is on time */
    double *limit;   /**< [n] beyond which lateness is abnormal */
    double *error;   /**< [n] standard error of late */
    dxt_role *role;  /**< [n] */
    double base;     /**< ordinary wait */
    double skew;     /**< standard deviation of the difference of two arrivals */
    double floor;    /**< smallest lateness worth telling */
    double known_spread; /**< of single waits over the windows, as in dxt_group_input */
    double cell_spread;  /**< as in dxt_group, of the nodes' groups the largest; unknown is 0 */
    double transfer;     /**< inside a node (or everywhere, when nodes are unknown) */
    uint32_t nodes;      /**< number of nodes with a row; 1 when unknown */
    uint32_t *node;      /**< [n] index of the node of each member, 0 … nodes − 1 */
    int32_t *node_id;    /**< [nodes] as in the window */
    double *node_late;   /**< [nodes] */
    double *node_limit;  /**< [nodes] */
    dxt_role *node_role; /**< [nodes] late or ordinary */
    bool *folded;        /**< [nodes] the lateness of the node is in that of its ranks */
    double between;      /**< transfer between nodes */
    double *tier;        /**< [nodes][nodes] extra transfer that belongs to the topology */
    double *link;        /**< [nodes][nodes] extra transfer into the row's node from the column's
                            that does not */
    double *level;       /**< [nodes][nodes] mean shift between ordinary ranks, as measured; NaN =
                            not, or too far apart to tell */
    bool tangled;        /**< so many pairs of nodes are slow that the model does not fit them */
    double *scratch;     /**< DXT_GROUP_SCRATCH(n) */
} dxt_fit;

/**
 * Fit a window.
 *
 * @param block   What the fit will live in; made large enough.
 * @param window  Must outlive the fit.
 * @param nodes   Node of each rank of the window, or NULL.
 * @param min_share  Smallest part of the step that a lateness is worth telling from.
 * @param cell_spread  As in dxt_group_input.
 * @param fit     Receives the fit, also with fewer than two rows. Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_fit_window(dxt_block *block, const dxt_window *window, const int32_t *nodes,
                          double min_share, double cell_spread, dxt_fit *fit);

/** What a kernel that gives a source up adds to its counter, once, in cycles (DeepEP: 2e11). */
#define DXT_TIMEOUT_CYCLES INT64_C(200000000000)

/** A counter without the time-out in it: it stands so far above what a window can hold that what
 *  is less than 5 % above it is the time-out and the waits besides. */
static inline int64_t dxt_without_timeout(const dxt_window *window, int64_t wait)
{
    if (wait < DXT_TIMEOUT_CYCLES || window->unit != DXT_UNIT_CYCLES) return wait;
    int64_t rest = wait - DXT_TIMEOUT_CYCLES;
    return rest < DXT_TIMEOUT_CYCLES / 20 ? rest : wait;
}

/** How long member i waited for member j, in the window's measure. */
static inline double dxt_fit_wait(const dxt_fit *fit, uint32_t i, uint32_t j)
{
    const dxt_window *window = fit->window;
    size_t cell = (size_t)fit->rank[i] * window->ranks + fit->rank[j];
    double wait = (double)dxt_without_timeout(window, window->wait[cell]) * fit->factor[i];
    if (!window->samples) return wait;
    return window->samples[cell] > 0 ? wait / (double)window->samples[cell] : 0;
}

/** Longest wait of a member for another, in the window's measure. */
double dxt_fit_longest(const dxt_fit *fit, uint32_t i);

/** What the way and the nodes add to the wait of a member of node a for one of node b. */
static inline double dxt_fit_way(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    if (a == b) return fit->transfer;
    size_t pair = (size_t)a * fit->nodes + b;
    if (!isnan(fit->level[pair])) return fit->level[pair];
    return fit->between + fit->node_late[b] - fit->node_late[a] + fit->tier[pair] + fit->link[pair];
}

/** Mean shift of the wait of member i for member j, before the cut at 0. */
static inline double dxt_fit_shift(const dxt_fit *fit, uint32_t i, uint32_t j)
{
    return fit->late[j] - fit->late[i] + dxt_fit_way(fit, fit->node[i], fit->node[j]);
}

/** Expected wait of member i for member j; the largest that fits when i is late in only some of the
 *  operations. */
static inline double dxt_fit_expected(const dxt_fit *fit, uint32_t i, uint32_t j)
{
    double shift = dxt_fit_shift(fit, i, j);
    /* A mean lateness may be one of some operations only; in the others it waits as anybody. */
    if (fit->role[i] == DXT_ROLE_LATE) shift += fit->late[i];
    return dxt_wait_of(shift, fit->skew) + fit->receive[i] + fit->send[j];
}

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

/** Make room in a block for the fit of any window of @p ranks, whatever its nodes.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_fit_reserve(dxt_block *block, uint32_t ranks);

/**
 * Find slow paths.
 *
 * @param list  Overwritten; its memory is used again.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_fit_paths(const dxt_fit *fit, dxt_path_list *list);

#endif
