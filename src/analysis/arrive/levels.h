/* SPDX-License-Identifier: Apache-2.0 */
/* Levels: how long the healthy ranks of one node typically wait for those of another one. */
#ifndef DXT_ARRIVE_LEVELS_H
#define DXT_ARRIVE_LEVELS_H

#include "analysis/arrive/model.h"

/** Most cells that tell the level between two of so many nodes: many nodes need fewer each. */
uint32_t dxt_level_cells(uint32_t nodes);

/** Whether counters tell waits: not if one holds a time-out. @param bits  All combined by OR. */
bool dxt_counters_tell(const dxt_window *window, int64_t bits);

/** Write the levels between all nodes into fit->link, and the least of each row, but for the node's
 *  own, into fit->least_level; a node's level for itself is the transfer. Where most were found
 *  early, fit->link points at these from now on. */
void dxt_take_levels(dxt_fit *fit);

#endif
