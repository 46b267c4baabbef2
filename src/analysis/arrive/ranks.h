/* SPDX-License-Identifier: Apache-2.0 */
/* Lateness of ranks against the ordinary ones of their node. */
#ifndef DXT_ARRIVE_RANKS_H
#define DXT_ARRIVE_RANKS_H

#include "analysis/arrive/model.h"

/** Find base, skew and transfer: means over some dozens of nodes, which are better known than those
 *  of one node. If there is a single node, its ranks are fitted as well. */
void dxt_fit_ordinary(dxt_fit *fit);

/** Fit the ranks of each of several nodes among themselves, with that skew. */
void dxt_fit_ranks(dxt_fit *fit);

#endif
