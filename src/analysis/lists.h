/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that findings point into. */
#ifndef DXT_ANALYSIS_LISTS_H
#define DXT_ANALYSIS_LISTS_H

#include <stdbool.h>

#include <deepxtrace/analysis.h>

/** Whether packing fills in the ranks of a finding from its node. */
bool dxt_has_members(const dxt_finding *finding);

/** Let what points into one array point to the same place of another. */
void dxt_move_lists(dxt_finding *findings, size_t count, const uint32_t *from, uint32_t *to);

#endif
