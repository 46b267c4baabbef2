/* SPDX-License-Identifier: Apache-2.0 */
/* Paths between nodes: the part of a wait that neither the nodes' lateness nor the topology
 * explains. */
#ifndef DXT_ARRIVE_LINKS_H
#define DXT_ARRIVE_LINKS_H

#include "analysis/arrive/model.h"

/** What was learnt of the waits between nodes on the way. */
typedef struct dxt_ways {
    bool counted;                              /**< no path is slow … */
    bool short_or_long[DXT_MAX_RANKS / 2 + 1]; /**< … and in a row a level is not as expected */
} dxt_ways;

/** Replace each wait of one node for another, in fit->link, by its excess over the expected wait,
 * or by 0 if the excess is not abnormal. If many paths are slow in both directions, that is the
 * topology.
 * @param keep  Keep the waits in fit->level.
 * @param ways  Receives what dxt_drop_untold() need not find again. */
void dxt_levels_to_links(dxt_fit *fit, double limit, bool keep, dxt_ways *ways);

/** Keep in fit->level the waits between nodes whose path is healthy or known to be slow: there the
 * measured level is better than the sum of its parts, and single paths are compared with it. The
 * others become NaN. No row is settled.
 *  @param limit  As for dxt_levels_to_links(): how far a wait may be from the expected. */
void dxt_drop_untold(dxt_fit *fit, double limit, const dxt_ways *ways);

#endif
