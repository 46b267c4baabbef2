/* SPDX-License-Identifier: Apache-2.0 */
/* Lateness of nodes against each other. */
#ifndef DXT_ARRIVE_NODES_H
#define DXT_ARRIVE_NODES_H

#include "analysis/arrive/model.h"

/** Fit the nodes among each other as if each were one rank, and the paths between them. */
void dxt_fit_between(dxt_fit *fit);

/** Each node was fitted alone, with the earlier half of its ranks as the ordinary ones. Where that
 *  put the node apart and one of its ranks right among the others, it was the wrong half; and a
 * node of one rank is that rank: then the lateness of the node goes over to its ranks. */
void dxt_fold_nodes(dxt_fit *fit);

#endif
