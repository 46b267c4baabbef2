/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrivals in a group whose members all wait for each other: the ranks of one node, or the nodes of
 * a job. From the waits alone, how late does each member arrive against the ordinary ones?
 */
#ifndef DXT_ARRIVE_GROUP_H
#define DXT_ARRIVE_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/tuning.h"

/** What a fit of a group works in. */
typedef struct dxt_group_scratch {
    double wait[DXT_WITNESSES * DXT_WITNESSES];
    double pair[DXT_WITNESSES * DXT_WITNESSES];
    double sample[DXT_LEVEL_SAMPLE];
} dxt_group_scratch;

_Static_assert(DXT_LEVEL_SAMPLE >= DXT_WITNESSES * DXT_WITNESSES,
               "all cells of a panel are sampled");
_Static_assert(DXT_HEARD < DXT_WITNESSES, "one more than are heard must be there");

/** The group to fit. */
typedef struct dxt_group_input {
    /** How long member i waited for each of `count` others. */
    void (*waits)(const void *context, uint32_t i, const uint32_t *others, uint32_t count,
                  double *wait);
    const void *context;
    uint32_t count;      /**< members, ≥ 1 */
    uint32_t population; /**< members of all groups that are judged together, ≥ count */
    double floor;        /**< smallest lateness worth telling */
    double step;         /**< time of one operation and what belongs to it; NaN = unknown */
    bool ranks;          /**< the members are ranks of one node; otherwise nodes */
    bool timed;          /**< otherwise it must also exceed the ordinary wait */
    double ops;          /**< operations averaged over; 0 = not known */
    double skew;         /**< known from elsewhere; NaN = to be found */
    double cell_spread;  /**< of ranks: standard deviation of the logarithm of a cell (and the
                              floor) from window to window; NaN = unknown */
    dxt_group_scratch *scratch;
    double *sorted; /**< [count] scratch as well */
} dxt_group_input;

/** What was found. */
typedef struct dxt_group {
    double transfer; /**< what a wait takes even if the awaited was there first */
    double base;     /**< median wait between ordinary members */
    double skew;     /**< standard deviation of the difference of two ordinary arrivals */
    double error;    /**< standard error of a lateness */
    double limit;    /**< lateness beyond which a member is no longer ordinary */
    double
        cell_spread; /**< what of it is not the arrivals' doing, where that is more than ordinary,
                             otherwise 0; NaN = unknown */
} dxt_group;

/** Standard errors that a lateness must exceed: 4.1 for 2 members, 5.3 for 2048. */
double dxt_group_significance(uint32_t population);

/**
 * Fit a group.
 *
 * The ordinary members are the earliest cluster that holds at least half of the group and is no
 * wider than the limit; if there is none, the densest half. Half late and half ordinary are
 * therefore told apart in favour of "late": a group whose one half is early loses nothing by it.
 *
 * @param lateness  [count] Receives the lateness against the ordinary; negative = early.
 * @param group     Receives the rest.
 *
 * Cost: O(count²) up to DXT_WITNESSES members, beyond that O(DXT_WITNESSES × count).
 */
void dxt_group_fit(const dxt_group_input *input, double *lateness, dxt_group *group);

#endif
