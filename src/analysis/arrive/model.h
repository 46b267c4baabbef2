/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arrival model of one window. Expected wait of rank i for rank j:
 *
 *     E max(0, late_j − late_i + transfer(i, j) + X)  +  receive_i  +  send_j
 *
 * where late is each rank's lateness (its node's and its own), transfer depends on the pair of
 * nodes, X is the random skew of the two arrivals, and receive_i and send_j are what the two lose
 * at their own sides.
 */
#ifndef DXT_ARRIVE_MODEL_H
#define DXT_ARRIVE_MODEL_H

#include "analysis/arrive/early_data.h"
#include "analysis/arrive/group_data.h"

#include <assert.h>
#include <math.h>

#include <deepxtrace/analysis.h>

#include "numeric/tail.h"

/** What a rank (or a node) is for the others. */
typedef enum dxt_role {
    DXT_ROLE_ORDINARY = 0,
    DXT_ROLE_LATE,     /**< the others wait for it */
    DXT_ROLE_EARLY,    /**< it waits for all, and nobody for it */
    DXT_ROLE_RECEIVER, /**< it waits for all, and the others for it as for anybody */
    DXT_ROLE_SENDER,   /**< the others wait for it, and it for them as anybody does */
    DXT_ROLE_LINK      /**< it waits for all and all for it, though it is on time */
} dxt_role;

static inline bool dxt_role_is_late(dxt_role role)
{
    return role == DXT_ROLE_LATE || role == DXT_ROLE_SENDER;
}

/** Cells off the diagonal, spread evenly. */
typedef struct dxt_cell_sample {
    uint32_t count;
    double wait[DXT_LEVEL_SAMPLE], expected[DXT_LEVEL_SAMPLE], work[DXT_LEVEL_SAMPLE];
} dxt_cell_sample;

_Static_assert(DXT_LEVEL_SAMPLE >= DXT_MAX_RANKS, "the members of a node are looked at together");
_Static_assert(DXT_LEVEL_SAMPLE >= DXT_PARTNERS * DXT_PARTNERS, "so are the partners of two nodes");
_Static_assert(DXT_PARTNERS_OF_MANY <= DXT_PARTNERS, "they share their arrays");

/** Memory that the steps of a fit use one after the other. */
typedef union dxt_scratch {
    dxt_group_scratch group;
    dxt_cell_sample cells;
} dxt_scratch;

/** What is known of a window besides its waits. */
typedef struct dxt_known {
    const int32_t *nodes; /**< node of each rank, or NULL */
    uint32_t sparse;      /**< ranks of a block of a hybrid mode; otherwise 0 */
    double min_share;     /**< smallest part of the step that a lateness is worth telling from */
    double least;         /**< smallest lateness worth telling for another reason; 0 = none */
    double cell_spread;   /**< as in dxt_group_input */
    dxt_early_data early; /**< if the waits were read before; else zero */
} dxt_known;

/** A fitted window over the n ranks that sent their row. */
typedef struct dxt_fit {
    const dxt_window *window;
    uint32_t count;  /**< n */
    uint32_t *rank;  /**< [n] rank of each member */
    double *factor;  /**< [n] a member's waits × this = the window's measure (÷ samples N×N) */
    double *within;  /**< waits inside nodes, for arrive/within.h; NULL = not kept */
    uint32_t *place; /**< [n] of each member in its node, if they are kept */
    double step;     /**< one operation and the compute around it; NaN = unknown */
    double ops;      /**< operations that the waits are of; 0 = unknown */
    double *late;    /**< [n] own lateness against the ordinary of its node */
    double *receive; /**< [n] extra wait on its receive side */
    double *send;    /**< [n] how much later its data comes, though it is on time */
    double *nic_in;  /**< [n] extra wait for ranks of other nodes, by its link to them */
    double *nic_out; /**< [n] extra wait of those ranks for it */
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
    double *node_in;     /**< [nodes] extra wait for other nodes, by its uplink */
    double *node_out;    /**< [nodes] extra wait of those nodes for it */
    bool *folded;        /**< [nodes] the lateness of the node is in that of its ranks */
    double between;      /**< transfer between nodes */
    double *tier;        /**< [nodes][nodes] extra transfer that belongs to the topology; read it by
                            dxt_fit_tiers(), since it is only filled in if `tiered` */
    double *link;        /**< [nodes][nodes] extra transfer into the row's node from the column's
                            that does not; dxt_fit_links() likewise, if `linked` */
    double *nothing;     /**< [nodes] 0 */
    double *level;       /**< [nodes][nodes] mean shift between ordinary ranks, as measured, or
                            the wait that tells it; NaN = not, or too far apart to tell */
    double *least_level; /**< [nodes] lower bound of a row that is not settled, without its own;
                               NaN = look, for a level of the row is not told */
    bool *settled;       /**< [nodes] a row of that holds shifts (arrive/shifts.h); else waits */
    double node_path[2]; /**< of two nodes: what the first waits for the second, and it for the
                            first, as measured between ordinary ranks */
    uint32_t sparse;     /**< as in dxt_known: a rank hears from its node and its rail only */
    dxt_early_data early; /**< as in dxt_known */
    bool same_node;       /**< the ranks of a node are known to share it */
    double one_sided;     /**< how many times as far columns differ as rows, where another rank is
                            late in each operation (arrive/one_sided.h); otherwise 0 */
    bool unsure;          /**< of three ranks one has a slow link, or is only farther away */
    bool many_sides;      /**< half of the ranks have a slow side, and no nodes are known
                               (arrive/many_sides.h) */
    bool linked;          /**< a path between nodes is slow: a link is not 0 */
    bool tiered;          /**< many are, by the topology: a tier is not 0 */
    bool tangled;         /**< too many pairs of nodes are slow for the model to fit */
    dxt_scratch *scratch;
    double *values;       /**< [ranks of the window] scratch of medians over members */
    double *least;        /**< [ranks of the window] scratch of the search for paths … */
    double *bar;          /**< [ranks of the window] … */
    double *seen;         /**< [ranks of the window] … */
    double *carried;      /**< [n] room for dxt_carried */
    double *carried_node; /**< [nodes] */
    bool *passing;        /**< [n] room for dxt_note_passing() */
} dxt_fit;

/** How many cycles a kernel adds to a counter, once, when it gives a source up (DeepEP: 2e11). */
#define DXT_TIMEOUT_CYCLES INT64_C(200000000000)

/** Take the time-outs out of a counter, one for each local expert that was given up. A time-out is
 * far longer than a window: what is left above a whole number of them, if less than 5 % of one, is
 * waits. */
static inline int64_t dxt_without_timeout(const dxt_window *window, int64_t wait)
{
    if (wait < DXT_TIMEOUT_CYCLES || window->unit != DXT_UNIT_CYCLES) return wait;
    int64_t rest = wait % DXT_TIMEOUT_CYCLES;
    if (wait / DXT_TIMEOUT_CYCLES > DXT_MOST_TIMEOUTS) return wait;
    return rest < DXT_TIMEOUT_CYCLES / DXT_TIMEOUT_PARTS ? rest : wait;
}

/** The wait that a counter of member i holds, where cells have no samples of their own. */
static inline double dxt_fit_counted(const dxt_fit *fit, uint32_t i, int64_t counter)
{
    return (double)dxt_without_timeout(fit->window, counter) * fit->factor[i];
}

/** How long member i waited for member j, in the window's measure. */
static inline double dxt_fit_wait(const dxt_fit *fit, uint32_t i, uint32_t j)
{
    const dxt_window *window = fit->window;
    assert(i < fit->count && j < fit->count);
    size_t cell = (size_t)fit->rank[i] * window->ranks + fit->rank[j];
    double wait = dxt_fit_counted(fit, i, window->wait[cell]);
    if (!window->samples) return wait;
    return window->samples[cell] > 0 ? wait / (double)window->samples[cell] : 0;
}

/** The wait over member k's link to a partner: k's wait for it; if @p out, its wait for k. */
static inline double dxt_fit_wait_on(const dxt_fit *fit, uint32_t k, uint32_t partner, bool out)
{
    return out ? dxt_fit_wait(fit, partner, k) : dxt_fit_wait(fit, k, partner);
}

/** Longest wait of a member for another, in the window's measure. */
double dxt_fit_longest(const dxt_fit *fit, uint32_t i);

/** The longest of all members' waits. */
double dxt_fit_longest_of_all(const dxt_fit *fit);

/** Extra transfer into node a from each node, by the topology … */
static inline const double *dxt_fit_tiers(const dxt_fit *fit, uint32_t a)
{
    return fit->tiered ? fit->tier + (size_t)a * fit->nodes : fit->nothing;
}

/** … and beyond it. Not while `link` holds the waits between nodes. */
static inline const double *dxt_fit_links(const dxt_fit *fit, uint32_t a)
{
    return fit->linked ? fit->link + (size_t)a * fit->nodes : fit->nothing;
}

/** How much the path and the nodes add to the wait of a member of node a for one of another node b,
 *  where the path was not measured. */
static inline double dxt_fit_path_by_parts(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    return fit->between + fit->node_late[b] - fit->node_late[a] + fit->node_in[a] +
           fit->node_out[b] + dxt_fit_tiers(fit, a)[b] + dxt_fit_links(fit, a)[b];
}

/** The same for any two nodes, measured or not; the row of node a is settled. */
static inline double dxt_fit_node_path(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    assert(a < fit->nodes && b < fit->nodes);
    if (a == b) return fit->transfer;
    assert(fit->settled[a]);
    double level = fit->level[(size_t)a * fit->nodes + b];
    return isnan(level) ? dxt_fit_path_by_parts(fit, a, b) : level;
}

/** Mean shift of the wait of member i for member j over a path, before the cut at 0: the largest
 *  that fits when i is late in only some of the operations. */
static inline double dxt_fit_most_shift(const dxt_fit *fit, uint32_t i, uint32_t j, double path)
{
    double shift = fit->late[j] - fit->late[i] + path;
    /* It may be late in some operations only; in the others it waits like any rank. */
    return fit->role[i] == DXT_ROLE_LATE ? shift + fit->late[i] : shift;
}

/** Expected wait of member i for member j, given the part @p wait that the arrivals cause. */
static inline double dxt_fit_by_sides(const dxt_fit *fit, uint32_t i, uint32_t j, double wait)
{
    double links = fit->node[i] == fit->node[j] ? 0 : fit->nic_in[i] + fit->nic_out[j];
    return wait + fit->receive[i] + fit->send[j] + links;
}

/** Expected wait of member i for member j; the row of i's node is settled. */
static inline double dxt_fit_expected(const dxt_fit *fit, uint32_t i, uint32_t j)
{
    double path = dxt_fit_node_path(fit, fit->node[i], fit->node[j]);
    return dxt_fit_by_sides(fit, i, j, dxt_wait_of(dxt_fit_most_shift(fit, i, j, path), fit->skew));
}

/** Whether the lateness of a member is within its limit. */
static inline bool dxt_fit_is_ordinary(const dxt_fit *fit, uint32_t k)
{
    return fabs(fit->late[k]) <= fit->limit[k];
}

/** Whether a member can represent its node: it is on time, and its link to other nodes is good. */
static inline bool dxt_fit_stands_for_node(const dxt_fit *fit, uint32_t k)
{
    return dxt_fit_is_ordinary(fit, k) && fit->nic_in[k] == 0 && fit->nic_out[k] == 0;
}

/** Its own lateness, how late it sends, and the lateness of its node, added up. */
static inline double dxt_fit_all_lateness(const dxt_fit *fit, uint32_t k)
{
    return fit->late[k] + fit->send[k] + fit->node_late[fit->node[k]];
}

/* What the groups of a fit have in common; for one of `count` members, all that there are. */
static inline dxt_group_input dxt_fit_group_input(const dxt_fit *fit, uint32_t count)
{
    return (dxt_group_input){.count = count,
                             .population = count,
                             .skew = fit->skew,
                             .cell_spread = NAN,
                             .floor = fit->floor,
                             .step = fit->step,
                             .timed = !isnan(fit->step),
                             .ops = fit->ops,
                             .scratch = &fit->scratch->group,
                             .sorted = fit->values};
}

#endif
