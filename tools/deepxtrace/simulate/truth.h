/* SPDX-License-Identifier: Apache-2.0 */
/* `simulate`: what an analysis should name, as the recorded data labels it: a late rank is a column
 * of its own operator only, an early one a row, a hot one a row of dispatch and a column of
 * combine, a path a point. A link is a row, a column or both, by its directions; where it can be
 * told from a late rank or a slow receiver it stands in `links` as well. Victims are not labelled,
 * and a node is not spelled out. */
#ifndef TOOLS_SIMULATE_TRUTH_H
#define TOOLS_SIMULATE_TRUTH_H

#include "model.h"

/** Most faults of one job. */
#define SIM_MAX_FAULTS 2048u

/** A list of pairs: waiting, awaited. */
typedef struct sim_pairs {
    uint32_t items[SIM_MAX_FAULTS][2];
    size_t count;
} sim_pairs;

/** Which way a link is slow: bits. */
enum { SIM_IN = 1, SIM_OUT = 2, SIM_BOTH = SIM_IN | SIM_OUT };

/** What is wrong in one window; sorted, without repetition. */
typedef struct sim_truth {
    uint8_t cols[SIM_MAX_RANKS], rows[SIM_MAX_RANKS], nodes[SIM_MAX_RANKS];
    uint8_t links[SIM_MAX_RANKS];      /**< SIM_IN, SIM_OUT, SIM_BOTH, by rank */
    uint8_t node_links[SIM_MAX_RANKS]; /**< the same by node: its uplink */
    sim_pairs points, node_points;
    bool stalls;    /**< paths stall, none in particular */
    double skew_ns; /**< sim_skew_ns(); NaN = not known */
} sim_truth;

/** Add a pair in its place, unless it is there. @return false if there is no room. */
bool sim_pairs_add(sim_pairs *pairs, uint32_t waiting, uint32_t awaited);

/** The truth about window number @p window of operator @p phase; `skew_ns` is not
 *  known. */
void sim_truth_of(const sim_config *config, int phase, uint64_t window, sim_truth *truth);

/** Whether nothing is wrong that has a place; skew is everybody's. */
bool sim_truth_is_empty(const sim_truth *truth);

/** Write it into the field "label", with nodes if the window has them, and links and stalls if
 *  there are any. @return DXT_OK; or DXT_ERR_NO_MEMORY. */
dxt_status sim_label(const sim_truth *truth, dxt_window *window);

#endif
