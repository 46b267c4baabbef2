/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrivals in a group whose members all wait for each other: the ranks of one node, or the nodes of
 * a job. From the waits alone, how late does each member arrive against the ordinary ones?
 */
#ifndef DXT_ANALYSIS_GROUP_H
#define DXT_ANALYSIS_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Cells that a level is estimated from at most; larger groups are sampled. */
#define DXT_LEVEL_SAMPLE 4096u

/** The group to fit. */
typedef struct dxt_group_input {
    const double *value; /**< waits; [i * stride + j] is how long i waited for j */
    size_t stride;
    const uint32_t *member; /**< [count] indices into value */
    uint32_t count;         /**< ≥ 1 */
    double floor;           /**< smallest lateness worth telling; NaN = not known */
    double ops;             /**< operations averaged over; 0 = not known */
    double *scratch;        /**< DXT_LEVEL_SAMPLE + 2 × count doubles */
} dxt_group_input;

/** What was found. */
typedef struct dxt_group {
    double transfer; /**< what a wait takes even if the awaited was there first */
    double base;     /**< median wait between ordinary members */
    double skew;     /**< standard deviation of the difference of two ordinary arrivals */
    double error;    /**< standard error of a lateness */
    double limit;    /**< lateness beyond which a member is no longer ordinary */
} dxt_group;

/**
 * Fit a group.
 *
 * The ordinary members are the earliest cluster that holds at least half of the group and is no wider
 * than the limit; if there is none, the densest half. Half late and half ordinary are therefore
 * told apart in favour of "late": a group whose one half is early loses nothing by it.
 *
 * @param lateness  [count] Receives the lateness against the ordinary; negative = early.
 * @param group     Receives the rest.
 *
 * Cost: O(count²).
 */
void dxt_group_fit(const dxt_group_input *input, double *lateness, dxt_group *group);

/** Median of up to DXT_LEVEL_SAMPLE waits between the listed members, diagonal left out; the only
 *  cell's own smaller direction when there are two members. 0 below two. */
double dxt_group_level(const dxt_group_input *input, const uint32_t *listed, uint32_t count);

#endif
