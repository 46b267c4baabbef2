/* SPDX-License-Identifier: Apache-2.0 */
/* The waits inside small nodes, side by side: step after step reads them, and each row of a large
 * matrix has only a few of them. */
#ifndef DXT_ARRIVE_WITHIN_H
#define DXT_ARRIVE_WITHIN_H

#include "analysis/arrive/model.h"
#include "analysis/arrive/roster.h"

/** Most members of each node if the waits are kept. */
#define DXT_WITHIN_MEMBERS 16u

/** How many waits a fit of n members keeps. */
static inline size_t dxt_within_cells(size_t members, size_t nodes)
{
    return nodes * DXT_WITHIN_MEMBERS >= members ? members * DXT_WITHIN_MEMBERS : 0;
}

/** The standard deviation of some waits inside nodes, in ordinary waits. */
double dxt_spread_within(const dxt_fit *fit, const dxt_roster *roster);

/** Keep the waits inside nodes in fit->within, if no node is too large for that. */
void dxt_take_within(dxt_fit *fit);

/** dxt_fit_wait() of two members of one node. */
static inline double dxt_wait_within(const dxt_fit *fit, uint32_t i, uint32_t j)
{
    assert(fit->node[i] == fit->node[j]);
    if (!fit->within) return dxt_fit_wait(fit, i, j);
    return fit->within[(size_t)i * DXT_WITHIN_MEMBERS + fit->place[j]];
}

/** dxt_fit_wait_on() likewise. */
static inline double dxt_wait_within_on(const dxt_fit *fit, uint32_t k, uint32_t other, bool out)
{
    return out ? dxt_wait_within(fit, other, k) : dxt_wait_within(fit, k, other);
}

#endif
