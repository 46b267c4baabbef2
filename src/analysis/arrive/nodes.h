/* SPDX-License-Identifier: Apache-2.0 */
/* Lateness of nodes against each other. */
#ifndef DXT_ARRIVE_NODES_H
#define DXT_ARRIVE_NODES_H

#include "analysis/arrive/model.h"

/** Fit the lateness of nodes as if each were one rank, and the paths between them. */
void dxt_fit_between(dxt_fit *fit);

/** Move the lateness of a node to its ranks in two cases. First: the node looks late, but one of
 * its ranks is as early as the other nodes. Each node was fitted alone, and took the wrong half of
 * its ranks as healthy. Second: the node has one rank. */
void dxt_fold_nodes(dxt_fit *fit);

#endif
