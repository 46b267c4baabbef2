/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sixteen lanes at a time, in the vector types of GCC and clang: one instruction each on AVX-512,
 * split up by the compiler elsewhere. Loops left to the auto-vectoriser came out scalar too often.
 */
#ifndef DXT_EP_COMMON_VEC_H
#define DXT_EP_COMMON_VEC_H

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "common/bf16.h"

#define DXT_VEC_INLINE static inline __attribute__((always_inline))

/** Compile a function for several generations of x86-64 and choose when it is loaded. Sanitizers
 *  and C libraries without indirect functions cannot. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(DXT_SANITIZED)
#define DXT_EP_HOT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DXT_EP_HOT
#endif

#define DXT_LANES 16

typedef float dxt_vf __attribute__((vector_size(4 * DXT_LANES)));
typedef uint32_t dxt_vu __attribute__((vector_size(4 * DXT_LANES)));
typedef int32_t dxt_vi __attribute__((vector_size(4 * DXT_LANES)));
typedef uint16_t dxt_vh __attribute__((vector_size(2 * DXT_LANES)));
typedef uint8_t dxt_vb __attribute__((vector_size(DXT_LANES)));

/** Lane by lane: @p yes where the mask is all ones, @p no where it is 0. */
DXT_VEC_INLINE dxt_vu dxt_select(dxt_vi mask, dxt_vu yes, dxt_vu no)
{
    return ((dxt_vu)mask & yes) | (~(dxt_vu)mask & no);
}

DXT_VEC_INLINE dxt_vf dxt_select_float(dxt_vi mask, dxt_vf yes, dxt_vf no)
{
    return (dxt_vf)dxt_select(mask, (dxt_vu)yes, (dxt_vu)no);
}

/** NaN in @p a becomes @p b. */
DXT_VEC_INLINE dxt_vf dxt_min(dxt_vf a, dxt_vf b)
{
    return dxt_select_float(a < b, a, b);
}

DXT_VEC_INLINE dxt_vf dxt_max(dxt_vf a, dxt_vf b)
{
    return dxt_select_float(a > b, a, b);
}

DXT_VEC_INLINE dxt_vf dxt_splat(float value)
{
    return value - (dxt_vf){0};
}

DXT_VEC_INLINE dxt_vu dxt_load_u16(const uint16_t *from)
{
    dxt_vh half;
    memcpy(&half, from, sizeof half);
    return __builtin_convertvector(half, dxt_vu);
}

DXT_VEC_INLINE dxt_vu dxt_load_u8(const uint8_t *from)
{
    dxt_vb bytes;
    memcpy(&bytes, from, sizeof bytes);
    /* In two steps, each of which is an instruction. */
    return __builtin_convertvector(__builtin_convertvector(bytes, dxt_vh), dxt_vu);
}

DXT_VEC_INLINE dxt_vf dxt_load_bf16(const uint16_t *from)
{
    return (dxt_vf)(dxt_load_u16(from) << 16);
}

DXT_VEC_INLINE void dxt_store_u8(uint8_t *to, dxt_vu value)
{
    dxt_vb bytes = __builtin_convertvector(__builtin_convertvector(value, dxt_vh), dxt_vb);
    memcpy(to, &bytes, sizeof bytes);
}

/** Round to nearest, ties to even; NaN stays NaN. */
DXT_VEC_INLINE void dxt_store_bf16(uint16_t *to, dxt_vf value)
{
    dxt_vu bits = (dxt_vu)value;
    dxt_vu rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    dxt_vu quiet = bits >> 16 | 0x40u;
    dxt_vh half = __builtin_convertvector(dxt_select(value == value, rounded, quiet), dxt_vh);
    memcpy(to, &half, sizeof half);
}

/** Each lane with the one @p distance further on; every pair of lanes meets after 8, 4, 2, 1. */
#define DXT_TURN(v, distance)                                                                 \
    __builtin_shufflevector(v, v, (distance), (distance) + 1, (distance) + 2, (distance) + 3, \
                            (distance) + 4, (distance) + 5, (distance) + 6, (distance) + 7,   \
                            (distance) + 8, (distance) + 9, (distance) + 10, (distance) + 11, \
                            (distance) + 12, (distance) + 13, (distance) + 14, (distance) + 15)

/** Largest and smallest lane. */
DXT_VEC_INLINE uint32_t dxt_highest(dxt_vu v)
{
    v = dxt_select(DXT_TURN(v, 8) > v, DXT_TURN(v, 8), v);
    v = dxt_select(DXT_TURN(v, 4) > v, DXT_TURN(v, 4), v);
    v = dxt_select(DXT_TURN(v, 2) > v, DXT_TURN(v, 2), v);
    v = dxt_select(DXT_TURN(v, 1) > v, DXT_TURN(v, 1), v);
    return v[0];
}

DXT_VEC_INLINE uint32_t dxt_lowest(dxt_vu v)
{
    return ~dxt_highest(~v);
}

/** A BF16 magnitude as a number. */
DXT_VEC_INLINE float dxt_bf16_float(uint32_t bits)
{
    union {
        uint32_t bits;
        float value;
    } both = {.bits = bits << 16};
    return both.value;
}

#endif
