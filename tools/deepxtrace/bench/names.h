/* SPDX-License-Identifier: Apache-2.0 */
/* `bench accuracy`: what an analysis named, in the words of a truth. */
#ifndef TOOLS_BENCH_NAMES_H
#define TOOLS_BENCH_NAMES_H

#include <deepxtrace/analysis.h>

#include "truth.h"

/** Parts of the time that noise loses: skew from the first on; below the second it is none, and
 *  between the two it may be called so or not. */
#define NAMES_SKEW 0.20
#define NAMES_NO_SKEW 0.05
/** Ranks up to which skew must be told from cells alone; of more, "inconclusive" will do. */
#define NAMES_SKEW_RANKS 16u

/** What a method said of a window. */
typedef struct naming {
    sim_truth found; /**< `links` are those that a finding calls links */
    bool skew;       /**< everybody waits for everybody */
    bool open;       /**< the verdict is "inconclusive" */
    bool apart; /**< … as two nodes are far apart, or the path between them is slow both ways */
    bool either[2]; /**< of two ranks: this one is late, or the other one early */
    bool fits;      /**< false: there were more pairs than a truth holds */
} naming;

/** Names of a result. */
void names_of(const dxt_findings *findings, naming *said);

/** For methods that know no nodes and spell them out: where every rank of a node that is to be
 *  named is named, they have said so. */
void names_fold_nodes(const dxt_window *window, const sim_truth *truth, naming *said);

/**
 * Put what is right in other words into those of the truth: of two ranks it is the same whether one
 * is late or the other one early, if that is what is said; where ranks observe their own node and
 * their own rail only, a slow NIC is what it does to the cells of its rail, whether as a link, as
 * paths, or, of two nodes, as the link at the other end; of two nodes a path that is slow both ways
 * is no more than distance, and said so if the window is inconclusive for that.
 */
void names_reword(const dxt_window *window, const sim_truth *truth, naming *said);

/** Whether a finding is true. */
bool names_true(const dxt_window *window, const sim_truth *truth, const dxt_finding *finding);

/** Whether a window has cells that nobody observed, beside those of missing rows. */
bool names_sparse(const dxt_window *window);

/** What part of the time the noise of a window loses; NaN where that is not known. */
double names_lost(const dxt_window *window, const sim_truth *truth);

#endif
