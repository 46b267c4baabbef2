/* SPDX-License-Identifier: Apache-2.0 */
/* Lateness of ranks against the ordinary ones of their node. */
#ifndef DXT_ARRIVE_RANKS_H
#define DXT_ARRIVE_RANKS_H

#include "analysis/arrive/model.h"

/** Take base, skew and transfer: the means over nodes of several ranks, none of which is special. A
 *  few dozen of them tell it, and better than each for itself. A single node is fitted with it. */
void dxt_fit_ordinary(dxt_fit *fit);

/** Fit the ranks of each of several nodes among themselves, with that skew. */
void dxt_fit_ranks(dxt_fit *fit);

#endif
