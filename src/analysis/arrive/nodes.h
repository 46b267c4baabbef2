/* SPDX-License-Identifier: Apache-2.0 */
/* Lateness of nodes against each other. */
#ifndef DXT_ARRIVE_NODES_H
#define DXT_ARRIVE_NODES_H

#include "analysis/arrive/model.h"

/** Fit the nodes among each other as if each were one rank, and the paths between them. */
void dxt_fit_between(dxt_fit *fit);

/** Each node was fitted alone, with the earlier half of its ranks as the healthy ones. If a node
 * looks late but one of its ranks lines up with the other nodes, that was the wrong half; and a
 * node of one rank is that rank. In both cases the lateness of the node goes over to its ranks. */
void dxt_fold_nodes(dxt_fit *fit);

#endif
