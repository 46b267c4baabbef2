/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LogFMT-10: a sign and a 9-bit step on a logarithmic scale that each block of DXT_EP_BLOCK
 * channels lays between its smallest and its largest magnitude. docs/ep.md has the layout.
 */
#ifndef DXT_EP_COMMON_LOGFMT_H
#define DXT_EP_COMMON_LOGFMT_H

#include <stdint.h>

#include <deepxtrace/ep.h>

/** Steps above zero: magnitudes 1 … 511. */
#define DXT_LOGFMT_STEPS 511
/** Octaves that a block spans at most; what is smaller becomes its smallest step or 0. */
#define DXT_LOGFMT_OCTAVES 32.0f

/** One encoded block: 10 bits per channel and its scale. */
typedef struct dxt_logfmt_block {
    float low;                          /**< log2 of magnitude 1; NaN if the block held a NaN */
    float step;                         /**< octaves from one magnitude to the next */
    uint8_t bits_0_7[DXT_EP_BLOCK];     /**< low bits of the codes */
    uint8_t bits_8_9[DXT_EP_BLOCK / 4]; /**< byte i: channels i, i+32, i+64, i+96, low bits first */
} dxt_logfmt_block;

DXT_STATIC_ASSERT(sizeof(dxt_logfmt_block) == 168, "encoded rows have no gaps");

/** Encode @p count blocks of BF16. */
void dxt_logfmt_encode(const uint16_t *x, uint32_t count, dxt_logfmt_block *blocks);

/** dxt_ep_sum_bf16() for encoded rows. */
void dxt_logfmt_sum(const dxt_logfmt_block *const *rows, const float *weights, uint32_t count,
                    uint32_t hidden, uint16_t *out);

#endif
