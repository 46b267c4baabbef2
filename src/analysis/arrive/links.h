/* SPDX-License-Identifier: Apache-2.0 */
/* Paths between nodes: the part of a wait between two nodes that comes neither from their lateness
 * nor from how the machine is built. */
#ifndef DXT_ARRIVE_LINKS_H
#define DXT_ARRIVE_LINKS_H

#include "analysis/arrive/model.h"

/** Replace each wait of a node for another one, in fit->link, by its excess over the expected wait
 * if that is abnormal, and by 0 if not. Many paths that are slow in both directions are the
 * topology.
 */
void dxt_levels_to_links(dxt_fit *fit, double limit);

/** Keep in fit->level only the waits between nodes that single paths can be compared with: if the
 * path between two nodes is healthy, or known to be slow, its measured level is known better than
 * the sum of its parts. The others become NaN. No row is settled.
 *  @param limit  As for dxt_levels_to_links(): how far a wait may be from the expected. */
void dxt_drop_untold(dxt_fit *fit, double limit);

#endif
