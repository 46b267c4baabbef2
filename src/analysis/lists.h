/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of ranks, paths and nodes that findings point into. */
#ifndef DXT_ANALYSIS_LISTS_H
#define DXT_ANALYSIS_LISTS_H

#include <stdbool.h>

#include <deepxtrace/analysis.h>

/** Whether the ranks of a finding are those of its node, filled in when it is packed. */
bool dxt_has_members(const dxt_finding *finding);

/** Move pointers from one array to the same places of another. */
void dxt_move_lists(dxt_finding *findings, size_t count, const uint32_t *from, uint32_t *to);

#endif
