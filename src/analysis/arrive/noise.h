/* SPDX-License-Identifier: Apache-2.0 */
/* How well a lateness is known, and from which one on it is abnormal. */
#ifndef DXT_ARRIVE_NOISE_H
#define DXT_ARRIVE_NOISE_H

#include "analysis/arrive/panel.h"

/** Standard errors that a lateness must exceed: 4.1 for 2 members, 5.3 for 2048. */
double dxt_group_significance(uint32_t population);

/** Standard error that the noise of pairs, which the arrivals do not explain, leaves in the median
 *  over a member's pairs. */
double dxt_pair_noise(const dxt_panel *p);

/** How far single cells vary beyond what the arrivals do to them, where the windows before say so;
 *  otherwise NaN. */
double dxt_own_spread(const dxt_group_input *in, const dxt_group *group);

/** Standard error that cells so spread leave in the median over a member's pairs. */
double dxt_spread_noise(const dxt_group_input *in, dxt_panel *p, const dxt_group *group);

/** Standard error that the noise of single cells leaves, where this window alone shows that they
 * are wilder than the pairs of any machine; otherwise 0. */
double dxt_cell_noise(dxt_panel *p, const dxt_group *group);

/** Standard deviation of the undisturbed members from their sorted latenesses; 0 of few. */
double dxt_member_spread(const dxt_group_input *in, const double *sorted, uint32_t n);

/**
 * Give a group its error and its limit.
 *
 * @param least   Smallest limit for other reasons.
 * @param spread  dxt_member_spread().
 * @param noise   Standard error by the cells.
 */
void dxt_set_limit(const dxt_group_input *in, dxt_group *group, double least, double spread,
                   double noise);

#endif
