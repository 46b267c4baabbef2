/* SPDX-License-Identifier: Apache-2.0 */
/* Which members are the ordinary ones, and what they say of the others. */
#ifndef DXT_ARRIVE_ORDINARY_H
#define DXT_ARRIVE_ORDINARY_H

#include "analysis/arrive/panel.h"

/** Copy latenesses, and sort the copy. @return @p sorted. */
const double *dxt_sort_into(double *sorted, const double *late, uint32_t n);

/** Bounds of the ordinary cluster among sorted latenesses: the earliest that holds half of them and
 *  is no wider than twice the limit, or else the densest half. */
void dxt_ordinary_range(const double *sorted, uint32_t n, double limit, double *low, double *high);

/** Take the ordinary members by their lateness. */
void dxt_panel_find_ordinary(dxt_panel *p, double limit);

/** Take each lateness anew by the cautious median of what others say of the member: the ordinary
 *  ones, or all with their own lateness taken into account. A slow path is one voice among all, but
 *  could be the only one among few ordinary members; where there are hardly more than these, the
 *  others' lateness is not known well. What fits the pairs better is kept. */
void dxt_panel_judge(dxt_panel *p);

#endif
