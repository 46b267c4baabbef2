/* SPDX-License-Identifier: Apache-2.0 */
#include "common/fp8.h"

#include <float.h>

#include <deepxtrace/ep.h>

#include "common/vec.h"

/* Nearest codes, ties to even. */
DXT_VEC_INLINE dxt_vu encode(dxt_vf value)
{
    dxt_vu bits = (dxt_vu)value;
    dxt_vu sign = bits >> 24 & 0x80u;
    dxt_vf magnitude = (dxt_vf)(bits & 0x7fffffffu);
    dxt_vf limited = dxt_min(magnitude, dxt_splat(DXT_FP8_MAX));
    dxt_vu normal = (dxt_vu)limited;
    normal = ((normal + 0x7ffffu + (normal >> 20 & 1u)) >> 20) - ((127u - 7u) << 3);
    /* Below 2^-6 codes are multiples of 2^-9, which is the last place of 2^14 as a float. */
    dxt_vf shift = dxt_splat(16384.0f);
    dxt_vu denormal = (dxt_vu)(limited + shift) - (dxt_vu)shift;
    dxt_vu code = dxt_select(limited < 0.015625f, denormal, normal);
    dxt_vu nan = (dxt_vu){0} + 0x7fu;
    return sign | dxt_select(magnitude == magnitude, code, nan);
}

/* Largest magnitude that is no NaN. */
DXT_VEC_INLINE uint32_t peak_of(const uint16_t *x)
{
    dxt_vu peak = {0};
    for (uint32_t i = 0; i < DXT_EP_BLOCK; i += DXT_LANES) {
        dxt_vu magnitude = dxt_load_u16(x + i) & DXT_BF16_MAGNITUDE;
        magnitude &= (dxt_vu)(magnitude <= DXT_BF16_INFINITY);
        peak = dxt_select(magnitude > peak, magnitude, peak);
    }
    return dxt_highest(peak);
}

DXT_EP_HOT
void dxt_fp8_encode(const uint16_t *x, uint32_t hidden, uint8_t *codes, float *scales)
{
    for (uint32_t at = 0; at < hidden; at += DXT_EP_BLOCK) {
        uint32_t peak = peak_of(x + at);
        float amax = dxt_bf16_float(peak > DXT_BF16_MAX_FINITE ? DXT_BF16_MAX_FINITE : peak);
        if (amax < DXT_FP8_MAX * FLT_MIN) amax = DXT_FP8_MAX * FLT_MIN;
        float inverse = DXT_FP8_MAX / amax;
        for (uint32_t i = at; i < at + DXT_EP_BLOCK; i += DXT_LANES)
            dxt_store_u8(codes + i, encode(dxt_load_bf16(x + i) * inverse));
        scales[at / DXT_EP_BLOCK] = amax / DXT_FP8_MAX;
    }
}
