/* SPDX-License-Identifier: Apache-2.0 */
/* Find the ordinary members, and the lateness of the others from them. */
#ifndef DXT_ARRIVE_ORDINARY_H
#define DXT_ARRIVE_ORDINARY_H

#include "analysis/arrive/panel.h"

/** Copy latenesses, and sort the copy. @return @p sorted. */
const double *dxt_sort_into(double *sorted, const double *late, uint32_t n);

/** Bounds of the ordinary cluster among sorted latenesses: the earliest that holds half of them and
 *  is no wider than twice the limit, or else the densest half. */
void dxt_ordinary_range(const double *sorted, uint32_t n, double limit, double *low, double *high);

/** List the ordinary members, chosen by their lateness. */
void dxt_panel_find_ordinary(dxt_panel *p, double limit);

/** Take each lateness anew, as a cautious median, in two ways: from the pairs with ordinary
 *  members, or from the pairs with all members, their own lateness added. A slow path is one pair
 *  among all, but may be the only one where ordinary members are few; on the other hand the
 *  lateness of members that are not ordinary is known less well. Keep what fits the pairs better.
 */
void dxt_panel_judge(dxt_panel *p);

#endif
