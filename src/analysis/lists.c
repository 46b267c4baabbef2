/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/lists.h"

bool dxt_has_members(const dxt_finding *finding)
{
    return finding->kind == DXT_LATE_NODE || finding->kind == DXT_SLOW_NODE_LINK;
}

void dxt_move_lists(dxt_finding *findings, size_t count, const uint32_t *from, uint32_t *to)
{
    for (size_t f = 0; f < count; f++) {
        dxt_finding *finding = &findings[f];
        if (finding->ranks && !dxt_has_members(finding))
            finding->ranks = to + (finding->ranks - from);
        if (finding->paths) finding->paths = to + (finding->paths - from);
        if (finding->nodes)
            finding->nodes = (int32_t *)to + ((const uint32_t *)finding->nodes - from);
    }
}
