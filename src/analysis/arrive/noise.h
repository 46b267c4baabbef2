/* SPDX-License-Identifier: Apache-2.0 */
/* The error of a lateness, and the limit from which on it is abnormal. */
#ifndef DXT_ARRIVE_NOISE_H
#define DXT_ARRIVE_NOISE_H

#include "analysis/arrive/panel.h"

/** Standard errors that a lateness must exceed: 4.1 for 2 members, 5.3 for 2048. */
double dxt_group_significance(uint32_t population);

/** Standard error of the median over a member's pairs, from the noise that the arrivals do not
 *  explain. */
double dxt_pair_noise(const dxt_panel *p);

/** How far single cells vary beyond the arrivals, known from the windows before; otherwise NaN. */
double dxt_own_spread(const dxt_group_input *in, const dxt_group *group);

/** Standard error of the median over a member's pairs, if cells vary that far. */
double dxt_spread_noise(const dxt_group_input *in, dxt_panel *p, const dxt_group *group);

/** Standard error from the noise of single cells, if this window alone shows that they vary more
 * than the pairs of any machine do; otherwise 0. */
double dxt_cell_noise(dxt_panel *p, const dxt_group *group);

/** Standard deviation of the undisturbed members, from sorted latenesses; 0 where they are few. */
double dxt_member_spread(const dxt_group_input *in, const double *sorted, uint32_t n);

/** What chance does to a lateness by the arrivals alone. Groups of one fit mostly share it. */
typedef struct dxt_chance {
    double skew;  /**< that it follows from; NaN to begin */
    double error; /**< standard error */
    double times; /**< errors beyond which a lateness is abnormal */
} dxt_chance;

/**
 * Give a group its error and its limit.
 *
 * @param least   Smallest limit, apart from noise.
 * @param spread  dxt_member_spread().
 * @param noise   Standard error by the cells.
 * @param chance  Kept from one group to the next that differs from it in its waits alone.
 */
void dxt_set_limit(const dxt_group_input *in, dxt_group *group, double least, double spread,
                   double noise, dxt_chance *chance);

#endif
