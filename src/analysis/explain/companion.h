/* SPDX-License-Identifier: Apache-2.0 */
/* What the companion, the other operator of the same window, says of a rank, and the part of a
 * rank's lateness that it does not explain. */
#ifndef DXT_EXPLAIN_COMPANION_H
#define DXT_EXPLAIN_COMPANION_H

#include "analysis/case.h"

/** Position of a rank in the companion's fit; the fit's count if it is not in it. */
uint32_t dxt_other_member(const dxt_case *c, uint32_t rank);
/** Whether the companion is a dispatch, which comes before this operator. */
bool dxt_follows_dispatch(const dxt_case *c);

/** Whether a rank receives far more bytes than others, in a dispatch that recorded bytes. */
bool dxt_receives_much(const dxt_case *c, const dxt_window *dispatch, uint32_t rank);

/** How much later (earlier) than the healthy ranks a rank is by its own fault. */
typedef struct dxt_own {
    double wait;
    bool carried; /**< all of it was carried over from the companion */
} dxt_own;

/** What member k's link costs if it receives slowly in the companion, else 0; NaN if that is not
 *  known. It left that operator later than its mean waits show, by up to DXT_RECEIVED_DOUBT of
 *  this; what looks here as if it sent slowly is its trace if it is less than half. */
double dxt_receives_there(const dxt_case *c, uint32_t k);

/** What member k's link to other nodes costs if it only sends slowly in the companion, else 0. */
double dxt_sends_there(const dxt_case *c, uint32_t k);

/** The lateness of member k, less what it carried over; 0 if it is only the echo of being late in
 *  dispatch. */
dxt_own dxt_own_lateness(dxt_case *c, uint32_t k);
/** Likewise for how early it is. */
dxt_own dxt_own_earliness(dxt_case *c, uint32_t k);

/** Whether it is known how much the nodes carried over. With two nodes it is not: a slow path in
 * the other operator looks like a late node in this one, and a late node like a slow path, so each
 * would explain the other away. */
bool dxt_nodes_carry(const dxt_case *c);

/** With two nodes, in the companion: how much later one node's ranks hear from some ranks of the
 * other node than from its best rank, although these are on time, plus the excess of the path
 * between the nodes. 0 if they hear from all alike.
 * @param node  Index in the fit. Cost: O(ranks × DXT_PARTNERS). */
double dxt_heard_late(const dxt_case *c, uint32_t node);

/** How slowly the uplink of a node receives, of three or more, where the others hardly vary in what
 *  they are late by. The window alone cannot tell that from a node that comes early: nobody waits
 *  for it. But it leaves late by as much, and an early node leaves with the others. @param there In
 *  the companion, not here. @return 0 if it is not so. */
double dxt_node_receives(const dxt_case *c, int32_t node, bool there);

/** As dxt_left_over(), and whether nothing is left because it was carried over. */
dxt_own dxt_own_part(double amount, double carried, double limit, double doubt);

#endif
