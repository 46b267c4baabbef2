/* SPDX-License-Identifier: Apache-2.0 */
#include "common/sum.h"

#include "common/vec.h"

#define TILE 4 /* sums kept in registers over all rows */

DXT_EP_HOT
void dxt_ep_sum_bf16(const uint16_t *const *rows, const float *weights, uint32_t count,
                     uint32_t hidden, uint16_t *out)
{
    for (uint32_t at = 0; at < hidden; at += TILE * DXT_LANES) {
        dxt_vf sum[TILE] = {0};
        for (uint32_t k = 0; k < count; k++)
            for (int i = 0; i < TILE; i++)
                sum[i] += weights[k] * dxt_load_bf16(rows[k] + at + i * DXT_LANES);
        for (int i = 0; i < TILE; i++) dxt_store_bf16(out + at + i * DXT_LANES, sum[i]);
    }
}
