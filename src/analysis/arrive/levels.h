/* SPDX-License-Identifier: Apache-2.0 */
/* What the ordinary ranks of each node typically wait for those of each other one. */
#ifndef DXT_ARRIVE_LEVELS_H
#define DXT_ARRIVE_LEVELS_H

#include "analysis/arrive/model.h"

/** Levels between all nodes, into fit->link; of a node for itself the transfer. */
void dxt_take_levels(dxt_fit *fit);

#endif
