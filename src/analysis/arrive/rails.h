/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rails of a hybrid mode: ranks of the same place in blocks of fit->sparse ranks, who hear from
 * each other and from their own block only. Each rank has partners of its own there, so that a wait
 * is told against what the other rails wait between the same two blocks.
 */
#ifndef DXT_ARRIVE_RAILS_H
#define DXT_ARRIVE_RAILS_H

#include "analysis/arrive/model.h"

/** Whether a partner tells of a rank's link: a late one waits for nobody (@p out), and nobody for
 * an early one, whatever the link. */
static inline bool dxt_tells(const dxt_fit *fit, uint32_t partner, bool out)
{
    return (out ? fit->late[partner] : -fit->late[partner]) <= fit->limit[partner];
}

/** How many ranks hear from each other in each row: those of its block, and of its rail. */
static inline uint32_t dxt_rail_partners(const dxt_fit *fit)
{
    return fit->sparse - 1 + fit->window->ranks / fit->sparse - 1;
}

/** Member @p t of those; fit->count when it is not there. */
uint32_t dxt_rail_partner(const dxt_fit *fit, uint32_t i, uint32_t t);

/** What ranks of one block typically wait for those of the others, or these for them. */
typedef struct dxt_rail_ways {
    uint32_t own; /**< that block; DXT_NO_BLOCK to begin */
    bool out;
    double typical[DXT_MAX_RANKS]; /**< [blocks] NaN = not asked for yet */
} dxt_rail_ways;

#define DXT_NO_BLOCK UINT32_MAX

/**
 * What passes the link of member k to the others of its rail: what each takes longer than the other
 * rails between the same blocks, and what these take.
 *
 * @param ways   Kept from one member to the next.
 * @param waits  [DXT_PARTNERS] Receives the waits of k, or @p out, those of the others for it.
 * @return How many; 0 where there are less than two others: then both ends are the same.
 * Cost: O(DXT_PARTNERS²).
 */
uint32_t dxt_rail_waits(const dxt_fit *fit, dxt_rail_ways *ways, uint32_t k, bool out,
                        double *waits);

/** Where all links of a rail are slow it is the rail, and its paths say so. Cost: O(ranks). */
void dxt_leave_rails(dxt_fit *fit);

#endif
