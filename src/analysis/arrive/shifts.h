/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shifts that explain the levels between nodes. Each pair of nodes has one, and finding it
 * takes Newton's method, but only few pairs matter in the end. So a row of fit->level holds waits
 * until its first use, which settles it: from then on it holds shifts.
 */
#ifndef DXT_ARRIVE_SHIFTS_H
#define DXT_ARRIVE_SHIFTS_H

#include "analysis/arrive/model.h"
#include "numeric/floors.h"

/** Turn what node a waits for the others, in fit->level, into shifts. Done already, it is nothing.
 */
void dxt_settle(const dxt_fit *fit, uint32_t a);

/** dxt_fit_node_path() from node a, settled, to all nodes.
 *  @param path  [nodes] Receives it. */
void dxt_paths_of_node(const dxt_fit *fit, uint32_t a, double *path);

/** A lower bound of these paths that needs no settled row. */
void dxt_path_floors(const dxt_fit *fit, const dxt_floors *floors, uint32_t a, double *path);

/** A lower bound of the paths to all other nodes; INFINITY where there is no other. */
double dxt_least_path(const dxt_fit *fit, const dxt_floors *floors, uint32_t a);

/**
 * dxt_fit_node_path() between the nodes of pairs of members, settled or not.
 *
 * @param i, j  [count] Members.
 * @param path  [count] Receives it.
 * @param work  [count] Scratch.
 */
void dxt_paths_of_pairs(const dxt_fit *fit, const uint16_t *i, const uint16_t *j, uint32_t count,
                        double *path, double *work);

#endif
