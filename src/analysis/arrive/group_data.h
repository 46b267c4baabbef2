/* SPDX-License-Identifier: Apache-2.0 */
/* A group whose members all wait for each other, and the result of its fit. */
#ifndef DXT_ARRIVE_GROUP_DATA_H
#define DXT_ARRIVE_GROUP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/tuning.h"

/** Memory that the fit of a group works in. */
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
    double step;         /**< one operation and the compute around it; NaN = unknown */
    bool ranks;          /**< the members are ranks of one node; otherwise nodes */
    bool level_only;     /**< only the ordinary wait is wanted, not who is late */
    bool timed;          /**< the step is known; if not, lateness must exceed the ordinary wait */
    double ops;          /**< operations averaged over; 0 = not known */
    double skew;         /**< known from elsewhere; NaN = to be found */
    double cell_spread;  /**< of ranks: standard deviation of the logarithm of a cell (and the
                              floor) from window to window; NaN = unknown */
    dxt_group_scratch *scratch;
    double *sorted; /**< [count] scratch as well */
} dxt_group_input;

/** The result of a fit. */
typedef struct dxt_group {
    double transfer; /**< how long a wait takes even if the awaited member was there first */
    double base;     /**< median wait between ordinary members */
    double skew;     /**< standard deviation of the difference of two ordinary arrivals */
    double error;    /**< standard error of a lateness */
    double limit;    /**< lateness beyond which a member is no longer ordinary */
    double
        cell_spread; /**< what of it is not the arrivals' doing, where that is more than ordinary,
                             otherwise 0; NaN = unknown */
} dxt_group;

#endif
