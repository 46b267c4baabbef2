/* SPDX-License-Identifier: Apache-2.0 */
#include "common/logfmt.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "common/vec.h"

#define VECTORS (DXT_EP_BLOCK / DXT_LANES)

/* log2 of finite positive numbers, error below 1e-6: exponent, and a polynomial (interpolating at
 * Chebyshev nodes) for log2(1 + f) / f with 1 + f from sqrt(1/2) to sqrt(2). */
DXT_VEC_INLINE dxt_vf log2_of(dxt_vf value)
{
    dxt_vi small = value < FLT_MIN;
    dxt_vf scaled = dxt_select_float(small, value * 16777216.0f, value);
    dxt_vu above = (dxt_vu)scaled - 0x3f3504f3u; /* from the bits of sqrt(1/2) */
    dxt_vf exponent = __builtin_convertvector((dxt_vi)above >> 23, dxt_vf);
    exponent -= (dxt_vf)((dxt_vu)small & (dxt_vu)dxt_splat(24.0f));
    dxt_vf f = (dxt_vf)((above & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    dxt_vf high = -0.359524455f + f * (0.296119557f + f * (-0.267963871f + f * 0.168186591f));
    return exponent + f * (1.44269652f + f * (-0.721360179f + f * (0.480613125f + f * high)));
}

/* 2^value for values from -160 to 128, relative error below 1e-6. */
DXT_VEC_INLINE dxt_vf exp2_of(dxt_vf value)
{
    dxt_vi whole = __builtin_convertvector(value + 256.5f, dxt_vi) - 256;
    dxt_vf f = value - __builtin_convertvector(whole, dxt_vf);
    dxt_vf high = 0.0555041087f + f * (0.00961812911f + f * (0.00133335581f + f * 0.000154035304f));
    dxt_vf mantissa = 1.0f + f * (0.693147181f + f * (0.240226507f + f * high));
    /* Two factors, because 2^128 and 2^-150 are no floats but products of floats. */
    dxt_vi half = whole >> 1;
    return mantissa * (dxt_vf)((half + 127) << 23) * (dxt_vf)((whole - half + 127) << 23);
}

typedef struct scale {
    float low;
    float step;
    float inverse;
    float cutoff; /* smaller magnitudes become 0 */
    float stored_low;
} scale;

DXT_VEC_INLINE scale scale_of(const uint16_t *x)
{
    dxt_vu most = (dxt_vu){0} + DXT_BF16_MAX_FINITE;
    dxt_vu peaks = {0};
    dxt_vu leasts = most;
    dxt_vu nans = {0};
    for (uint32_t i = 0; i < DXT_EP_BLOCK; i += DXT_LANES) {
        dxt_vu magnitude = dxt_load_u16(x + i) & DXT_BF16_MAGNITUDE;
        nans |= (dxt_vu)(magnitude > DXT_BF16_INFINITY);
        magnitude = dxt_select(magnitude > most, most, magnitude);
        peaks = dxt_select(magnitude > peaks, magnitude, peaks);
        magnitude = dxt_select(magnitude == 0u, most, magnitude);
        leasts = dxt_select(magnitude < leasts, magnitude, leasts);
    }
    uint32_t peak = dxt_highest(peaks);
    if (peak == 0) return (scale){0, 0, 0, FLT_MAX, 0};
    dxt_vf ends = {dxt_bf16_float(peak), dxt_bf16_float(dxt_lowest(leasts))};
    ends = log2_of(ends);
    float high = ends[0];
    float low = ends[1];
    if (low < high - DXT_LOGFMT_OCTAVES) low = high - DXT_LOGFMT_OCTAVES;
    float step = (high - low) / (float)(DXT_LOGFMT_STEPS - 1);
    float inverse = step > 0 ? 1.0f / step : 0.0f;
    return (scale){low, step, inverse, exp2_of(dxt_splat(low - 1.0f))[0],
                   dxt_highest(nans) ? NAN : low};
}

DXT_VEC_INLINE dxt_vu encode(dxt_vu x, const scale *to)
{
    dxt_vu most = (dxt_vu){0} + DXT_BF16_MAX_FINITE;
    dxt_vu magnitude = x & DXT_BF16_MAGNITUDE;
    dxt_vf value = (dxt_vf)(dxt_select(magnitude > most, most, magnitude) << 16);
    dxt_vf position = (log2_of(value) - to->low) * to->inverse + 1.5f;
    position = dxt_max(position, dxt_splat(1.0f));
    position = dxt_min(position, dxt_splat((float)DXT_LOGFMT_STEPS));
    dxt_vu code = (dxt_vu) __builtin_convertvector(position, dxt_vi) | (x >> 6 & 0x200u);
    return code & (dxt_vu)(value >= to->cutoff);
}

DXT_VEC_INLINE void encode_block(const uint16_t *x, dxt_logfmt_block *block)
{
    scale to = scale_of(x);
    dxt_vu codes[VECTORS];
#pragma GCC unroll 8
    for (uint32_t v = 0; v < VECTORS; v++) {
        codes[v] = encode(dxt_load_u16(x + v * DXT_LANES), &to);
        dxt_store_u8(block->bits_0_7 + v * DXT_LANES, codes[v]);
    }
    for (uint32_t v = 0; v < VECTORS / 4; v++)
        dxt_store_u8(block->bits_8_9 + v * DXT_LANES, codes[v] >> 8 | codes[v + 2] >> 8 << 2 |
                                                          codes[v + 4] >> 8 << 4 |
                                                          codes[v + 6] >> 8 << 6);
    block->low = to.stored_low;
    block->step = to.step;
}

DXT_EP_HOT
void dxt_logfmt_encode(const uint16_t *x, uint32_t count, dxt_logfmt_block *blocks)
{
    for (uint32_t b = 0; b < count; b++) encode_block(x + (size_t)b * DXT_EP_BLOCK, blocks + b);
}

/* What decoding a block needs of its scale. */
typedef struct reading {
    float low;
    float step;
    uint32_t nan; /* bits to add: 0, or NaN for a block that held one or whose scale is no scale */
} reading;

DXT_VEC_INLINE reading reading_of(const dxt_logfmt_block *block)
{
    float last = block->low + (float)(DXT_LOGFMT_STEPS - 1) * block->step;
    bool sane = block->low >= -160.0f && block->step >= 0.0f && last <= 127.999f;
    return sane ? (reading){block->low, block->step, 0} : (reading){0, 0, 0x7fc00000u};
}

/* Vector @p v of a block. */
DXT_VEC_INLINE dxt_vf decode(const dxt_logfmt_block *block, const reading *as, uint32_t v)
{
    dxt_vu high = dxt_load_u8(block->bits_8_9 + v % 2 * DXT_LANES) >> (v / 2 * 2) & 3u;
    dxt_vu code = dxt_load_u8(block->bits_0_7 + v * DXT_LANES) | high << 8;
    dxt_vu step = code & 0x1ffu;
    dxt_vf exponent = as->low + __builtin_convertvector((dxt_vi)step - 1, dxt_vf) * as->step;
    dxt_vu bits = (dxt_vu)exp2_of(exponent) | (code & 0x200u) << 22 | as->nan;
    return (dxt_vf)(bits & (dxt_vu)(step != 0u));
}

DXT_EP_HOT
void dxt_logfmt_sum(const dxt_logfmt_block *const *rows, const float *weights, uint32_t count,
                    uint32_t hidden, uint16_t *out)
{
    for (uint32_t block = 0; block < hidden / DXT_EP_BLOCK; block++) {
        dxt_vf sum[VECTORS] = {0};
        for (uint32_t k = 0; k < count; k++) {
            reading as = reading_of(rows[k] + block);
#pragma GCC unroll 8
            for (uint32_t v = 0; v < VECTORS; v++)
                sum[v] += weights[k] * decode(rows[k] + block, &as, v);
        }
#pragma GCC unroll 8
        for (uint32_t v = 0; v < VECTORS; v++)
            dxt_store_bf16(out + block * DXT_EP_BLOCK + v * DXT_LANES, sum[v]);
    }
}
