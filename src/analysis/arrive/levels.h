/* SPDX-License-Identifier: Apache-2.0 */
/* Levels: the typical waits of the healthy ranks of each node for those of each other node. */
#ifndef DXT_ARRIVE_LEVELS_H
#define DXT_ARRIVE_LEVELS_H

#include "analysis/arrive/model.h"

/** Levels between all nodes, into fit->link; of a node for itself the transfer. */
void dxt_take_levels(dxt_fit *fit);

#endif
