/* SPDX-License-Identifier: Apache-2.0 */
/* Levels: how long the healthy ranks of one node typically wait for those of another one. */
#ifndef DXT_ARRIVE_LEVELS_H
#define DXT_ARRIVE_LEVELS_H

#include "analysis/arrive/model.h"

/** Write the levels between all nodes into fit->link; a node's level for itself is the transfer. */
void dxt_take_levels(dxt_fit *fit);

#endif
