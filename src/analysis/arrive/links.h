/* SPDX-License-Identifier: Apache-2.0 */
/* Ways between nodes: what of a wait between two nodes is neither their lateness nor how the
 * machine is built. */
#ifndef DXT_ARRIVE_LINKS_H
#define DXT_ARRIVE_LINKS_H

#include "analysis/arrive/model.h"

/** Turn what node a waits for node b, in fit->link, into what that is above the expected, where
 * that is abnormal; otherwise 0. Where many paths are slow in both directions, that is the
 * topology. */
void dxt_levels_to_links(dxt_fit *fit, double limit);

/** Leave of what node a waits for node b, in fit->level, what tells a shift that single paths are
 *  compared with: where a path is ordinary, or known to be slow, its measured level is known better
 *  than its parts. What is neither shows in its paths, and is NaN. No row is settled.
 *  @param limit  As for dxt_levels_to_links(): how far a wait may be from the expected. */
void dxt_drop_untold(dxt_fit *fit, double limit);

#endif
