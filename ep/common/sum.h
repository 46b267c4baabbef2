/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_EP_COMMON_SUM_H
#define DXT_EP_COMMON_SUM_H

#include <stdint.h>

/**
 * Σ weight × row in FP32, in the order given, rounded to BF16 once.
 *
 * @param rows     @p count rows of @p hidden channels, a multiple of DXT_EP_BLOCK.
 * @param weights  [count]
 * @param out      [hidden]; zeros when count is 0.
 */
void dxt_ep_sum_bf16(const uint16_t *const *rows, const float *weights, uint32_t count,
                     uint32_t hidden, uint16_t *out);

#endif
