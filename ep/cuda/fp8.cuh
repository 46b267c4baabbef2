/* SPDX-License-Identifier: Apache-2.0 */
/* The conversions of common/fp8.h and common/bf16.h, for 8 or 16 channels of a lane. */
#ifndef DXT_EP_CUDA_FP8_CUH
#define DXT_EP_CUDA_FP8_CUH

#include <float.h>
#include <string.h>

#include "common/bf16.h"
#include "common/fp8.h"
#include "cuda/access.cuh"

DEVICE float bf16_low(uint32_t pair)
{
    return __uint_as_float(pair << 16);
}

DEVICE float bf16_high(uint32_t pair)
{
    return __uint_as_float(pair & 0xffff0000u);
}

/* The larger of two magnitudes that is no NaN, for both halves at once. */
DEVICE uint32_t larger_magnitudes(uint32_t peak, uint32_t pair)
{
    uint32_t low = pair & DXT_BF16_MAGNITUDE;
    uint32_t high = pair >> 16 & DXT_BF16_MAGNITUDE;
    low = low <= DXT_BF16_INFINITY ? low : 0;
    high = high <= DXT_BF16_INFINITY ? high : 0;
    return max(peak, max(low, high));
}

DEVICE uint32_t fp8_pair(uint32_t pair, float inverse)
{
    return fp8_codes(__fmul_rn(bf16_low(pair), inverse), __fmul_rn(bf16_high(pair), inverse));
}

/* 16 channels of this lane, scaled with those of the 7 lanes beside it. All lanes call. */
DEVICE uint4 fp8_encode(uint4 low, uint4 high, float *scale)
{
    uint32_t x[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
    uint32_t peak = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) peak = larger_magnitudes(peak, x[i]);
#pragma unroll
    for (int lane = 4; lane > 0; lane /= 2) peak = max(peak, __shfl_xor_sync(FULL, peak, lane));
    float amax = __uint_as_float(min(peak, DXT_BF16_MAX_FINITE) << 16);
    amax = fmaxf(amax, DXT_FP8_MAX * FLT_MIN);
    *scale = __fdiv_rn(amax, DXT_FP8_MAX);
    float inverse = __fdiv_rn(DXT_FP8_MAX, amax);
    uint32_t codes[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
        codes[i] = fp8_pair(x[2 * i], inverse) | fp8_pair(x[2 * i + 1], inverse) << 16;
    return make_uint4(codes[0], codes[1], codes[2], codes[3]);
}

#endif
