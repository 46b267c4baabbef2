/* SPDX-License-Identifier: Apache-2.0 */
/* What the other operator over the same interval says of a rank, and which part of a rank's
 * lateness it does not explain. */
#ifndef DXT_EXPLAIN_COMPANION_H
#define DXT_EXPLAIN_COMPANION_H

#include "analysis/case.h"

/** Position of a rank in the fit of the companion; its count when it is not there. */
uint32_t dxt_other_member(const dxt_case *c, uint32_t rank);
/** Whether the companion is a dispatch, which comes before this operator. */
bool dxt_follows_dispatch(const dxt_case *c);

/** Whether a rank receives far more payload than others in a dispatch that recorded it. */
bool dxt_receives_much(const dxt_case *c, const dxt_window *dispatch, uint32_t rank);

/** By how much a rank is later (earlier) than the healthy ranks through its own doing. */
typedef struct dxt_own {
    double wait;
    bool carried; /**< nothing is left, because it was carried over from the companion */
} dxt_own;

/** Whether @p wait is a trace of member k's link and no cause of its own: if k receives over a slow
 *  link in the companion, it left that operator later than its mean waits show, by up to
 *  DXT_RECEIVED_DOUBT of the link's cost. */
bool dxt_is_link_trace(const dxt_case *c, uint32_t k, double wait);

/** The lateness of member k, less what it carried over, and 0 for the echo of being late in
 *  dispatch. */
dxt_own dxt_own_lateness(dxt_case *c, uint32_t k);
/** Likewise for how early it is. */
dxt_own dxt_own_earliness(dxt_case *c, uint32_t k);

/** Whether it is known what the nodes carried over. With two nodes it is not: a slow path in the
 * other operator looks like a late node in this one, and a late node like a slow path, so that each
 * would excuse the other. */
bool dxt_nodes_carry(const dxt_case *c);

/** With two nodes, in the companion: how much later the ranks of one node hear from some ranks of
 * the other one than from its best, though all of these are on time, plus the excess of the path
 * between the nodes; 0 if all are alike.
 * @param node  Index in the fit. Cost: O(ranks × DXT_PARTNERS). */
double dxt_heard_late(const dxt_case *c, uint32_t node);

/** What is left of @p amount when @p carried of it was carried over. */
dxt_own dxt_own_part(double amount, double carried, double limit, double doubt);

#endif
