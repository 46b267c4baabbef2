/* SPDX-License-Identifier: Apache-2.0 */
/* E4M3: 4 bits of exponent (bias 7), 3 of mantissa, no infinity, NaN = 0x7f, largest 448. */
#ifndef DXT_EP_COMMON_FP8_H
#define DXT_EP_COMMON_FP8_H

#include <stdint.h>

#define DXT_FP8_MAX 448.0f

/**
 * Convert one token. Value ≈ code × scale.
 *
 * @param x       [hidden] BF16; hidden is a multiple of DXT_EP_BLOCK.
 * @param codes   [hidden]
 * @param scales  [hidden ÷ DXT_EP_BLOCK] amax ÷ 448 of each block, never 0 nor denormal. Infinite
 *                values become the largest finite ones; NaN stays NaN and does not count for amax.
 */
void dxt_fp8_encode(const uint16_t *x, uint32_t hidden, uint8_t *codes, float *scales);

#endif
