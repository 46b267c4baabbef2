/* SPDX-License-Identifier: Apache-2.0 */
/* LogFMT-10 of common/logfmt.h: 16 lanes share a block, 8 channels each. */
#ifndef DXT_EP_CUDA_LOGFMT_CUH
#define DXT_EP_CUDA_LOGFMT_CUH

#include "common/logfmt.h"
#include "cuda/fp8.cuh"

/* log2 of finite positive numbers, error below 1e-6; as in common/logfmt.c. */
DEVICE float log2_of(float value)
{
    bool small = value < FLT_MIN;
    float scaled = small ? value * 16777216.0f : value;
    uint32_t above = __float_as_uint(scaled) - 0x3f3504f3u;
    float exponent = (float)((int32_t)above >> 23) - (small ? 24.0f : 0.0f);
    float f = __uint_as_float((above & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float high = -0.359524455f + f * (0.296119557f + f * (-0.267963871f + f * 0.168186591f));
    return exponent + f * (1.44269652f + f * (-0.721360179f + f * (0.480613125f + f * high)));
}

/* 2^value for values from -160 to 128, relative error below 1e-6. */
DEVICE float exp2_of(float value)
{
    int32_t whole = (int32_t)(value + 256.5f) - 256;
    float f = value - (float)whole;
    float high = 0.0555041087f + f * (0.00961812911f + f * (0.00133335581f + f * 0.000154035304f));
    float mantissa = 1.0f + f * (0.693147181f + f * (0.240226507f + f * high));
    int32_t half = whole >> 1;
    return mantissa * __int_as_float((half + 127) << 23) *
           __int_as_float((whole - half + 127) << 23);
}

/* The scale of a block. */
struct logfmt_scale {
    float low, step, inverse, cutoff, stored_low;
};

DEVICE logfmt_scale logfmt_scale_of(const uint32_t *pairs)
{
    uint32_t peak = 0;
    uint32_t least = DXT_BF16_MAX_FINITE;
    uint32_t nan = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        uint32_t magnitude = pairs[i / 2] >> (i % 2 * 16) & DXT_BF16_MAGNITUDE;
        nan |= magnitude > DXT_BF16_INFINITY;
        magnitude = min(magnitude, DXT_BF16_MAX_FINITE);
        peak = max(peak, magnitude);
        if (magnitude != 0) least = min(least, magnitude);
    }
#pragma unroll
    for (int lane = 8; lane > 0; lane /= 2) {
        peak = max(peak, __shfl_xor_sync(FULL, peak, lane));
        least = min(least, __shfl_xor_sync(FULL, least, lane));
        nan |= __shfl_xor_sync(FULL, nan, lane);
    }
    logfmt_scale scale = {0.0f, 0.0f, 0.0f, FLT_MAX, 0.0f};
    if (peak == 0) return scale;
    float high = log2_of(__uint_as_float(peak << 16));
    scale.low = fmaxf(log2_of(__uint_as_float(least << 16)), high - DXT_LOGFMT_OCTAVES);
    scale.step = (high - scale.low) / (float)(DXT_LOGFMT_STEPS - 1);
    scale.inverse = scale.step > 0.0f ? 1.0f / scale.step : 0.0f;
    scale.cutoff = exp2_of(scale.low - 1.0f);
    scale.stored_low = nan ? __int_as_float(0x7fc00000) : scale.low;
    return scale;
}

DEVICE uint32_t logfmt_code(uint32_t x, const logfmt_scale &to)
{
    float value = __uint_as_float(min(x & DXT_BF16_MAGNITUDE, DXT_BF16_MAX_FINITE) << 16);
    float position = (log2_of(value) - to.low) * to.inverse + 1.5f;
    position = fminf(fmaxf(position, 1.0f), (float)DXT_LOGFMT_STEPS);
    return value >= to.cutoff ? (uint32_t)position | (x >> 6 & 0x200u) : 0u;
}

/* Encode the lane's 8 channels @p c = 8 channel index ÷ 8 of a row at @p row. All lanes call;
 * @p store is the same in each half of a warp. */
DEVICE void logfmt_store(uint8_t *row, uint32_t c, uint4 value, bool store)
{
    uint32_t pairs[4] = {value.x, value.y, value.z, value.w};
    logfmt_scale scale = logfmt_scale_of(pairs);
    uint64_t low = 0;
    uint64_t high = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        uint64_t code = logfmt_code(pairs[i / 2] >> (i % 2 * 16) & 0xffffu, scale);
        low |= (code & 0xffu) << (8 * i);
        high |= code >> 8 << (8 * i);
    }
    uint32_t j = c % 16u;
    high <<= j / 4u * 2u;
    high |= __shfl_xor_sync(FULL, high, 4);
    high |= __shfl_xor_sync(FULL, high, 8);
    if (!store) return;
    uint8_t *block = row + (size_t)(c / 16u) * sizeof(dxt_logfmt_block);
    *(uint64_t *)(block + offsetof(dxt_logfmt_block, bits_0_7) + 8u * j) = low;
    if (j < 4u) *(uint64_t *)(block + offsetof(dxt_logfmt_block, bits_8_9) + 8u * j) = high;
    if (j == 0) *(float2 *)block = make_float2(scale.stored_low, scale.step);
}

/* 8 channels of an encoded row as they came. */
struct logfmt_part {
    uint64_t low, high;
    float2 scale;
};

DEVICE logfmt_part logfmt_load(const uint8_t *row, uint32_t c)
{
    uint32_t j = c % 16u;
    const uint8_t *block = row + (size_t)(c / 16u) * sizeof(dxt_logfmt_block);
    logfmt_part part;
    part.low = *(const volatile uint64_t *)(block + offsetof(dxt_logfmt_block, bits_0_7) + 8u * j);
    part.high =
        *(const volatile uint64_t *)(block + offsetof(dxt_logfmt_block, bits_8_9) + 8u * (j % 4u));
    part.high = part.high >> (j / 4u * 2u) & UINT64_C(0x0303030303030303);
    uint64_t scale = *(const volatile uint64_t *)block;
    part.scale =
        make_float2(__uint_as_float((uint32_t)scale), __uint_as_float((uint32_t)(scale >> 32)));
    return part;
}

/* Add weight × value of each channel. */
DEVICE void logfmt_add(float *sum, const logfmt_part &part, float weight)
{
    float low = part.scale.x;
    float step = part.scale.y;
    float last = low + (float)(DXT_LOGFMT_STEPS - 1) * step;
    bool sane = low >= -160.0f && step >= 0.0f && last <= 127.999f;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        uint32_t code =
            (uint32_t)(part.low >> (8 * i) & 0xffu) | (uint32_t)(part.high >> (8 * i) & 3u) << 8;
        uint32_t magnitude = code & 0x1ffu;
        if (magnitude == 0) continue;
        float value = sane ? exp2_of(low + (float)((int32_t)magnitude - 1) * step)
                           : __int_as_float(0x7fc00000);
        sum[i] += weight * (code & 0x200u ? -value : value);
    }
}

#endif
