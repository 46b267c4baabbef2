/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/deepxtrace.h>

#include "base/base.h"

size_t dxt_parts(dxt_part *out, size_t capacity)
{
    dxt_part_state state;
    size_t count = 0;
    for (; dxt_part_at(count, &state); count++) {
        if (count < capacity)
            out[count] = (dxt_part){.name = state.name,
                                    .purpose = state.purpose,
                                    .available = state.available,
                                    .why = state.why};
    }
    return count;
}
