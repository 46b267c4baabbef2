/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rails of a hybrid mode: a rank hears only from its own block of fit->sparse ranks, and from its
 * rail, the ranks at the same place in other blocks. So each rank of a block has other partners,
 * and a wait is compared with the waits of the other rails between the same two blocks.
 */
#ifndef DXT_ARRIVE_RAILS_H
#define DXT_ARRIVE_RAILS_H

#include "analysis/arrive/model.h"

/** Whether a partner's waits say anything of a rank's link. A late partner waits for nobody
 * (@p out), and nobody waits for an early one, however slow the link is. */
static inline bool dxt_tells(const dxt_fit *fit, uint32_t partner, bool out)
{
    return (out ? fit->late[partner] : -fit->late[partner]) <= fit->limit[partner];
}

/** How many ranks a rank hears from: the others of its block and of its rail. */
static inline uint32_t dxt_rail_partners(const dxt_fit *fit)
{
    return fit->sparse - 1 + fit->window->ranks / fit->sparse - 1;
}

/** Member @p t of these; fit->count if it has no row. */
uint32_t dxt_rail_partner(const dxt_fit *fit, uint32_t i, uint32_t t);

/** How long ranks of one block typically wait for each other block, or the other for this one. */
typedef struct dxt_rail_ways {
    uint32_t own; /**< the block; DXT_NO_BLOCK to begin */
    bool out;
    double typical[DXT_MAX_RANKS]; /**< [blocks] NaN = not computed yet */
} dxt_rail_ways;

#define DXT_NO_BLOCK UINT32_MAX

/**
 * Take the waits over the link of member k to the others of its rail.
 *
 * @param ways   Kept from one member to the next.
 * @param waits  [DXT_PARTNERS] Receives the waits of k for them, or @p out, theirs for k: what they
 *               take longer than the other rails between the same blocks, plus a typical wait of
 *               those.
 * @return How many; 0 if there are fewer than two others, where both ends look the same.
 * Cost: O(DXT_PARTNERS²).
 */
uint32_t dxt_rail_waits(const dxt_fit *fit, dxt_rail_ways *ways, uint32_t k, bool out,
                        double *waits);

/** If all links of a rail are slow, clear them: the rail is slow, and its paths say so. Cost:
 * O(ranks). */
void dxt_leave_rails(dxt_fit *fit);

#endif
