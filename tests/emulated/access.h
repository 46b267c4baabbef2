/* SPDX-License-Identifier: Apache-2.0 */
/* What ep/cuda/access.cuh has in PTX, for a CPU; included in its place, before all else. */
#ifndef DXT_EP_CUDA_ACCESS_CUH
#define DXT_EP_CUDA_ACCESS_CUH

#include <math.h>
#include <stdbool.h>

#include "common/bf16.h"
#include "common/fp8.h"
#include "cuda/cuda.h"

#define FULL 0xffffffffu
#define WARP 32u

#define DEVICE static inline

/* Who looks lets others go on. */
template <typename T> T look(const T *at, int order)
{
    emulated::give_turn();
    return __atomic_load_n(at, order);
}

DEVICE uint32_t load_acquire(const uint32_t *at)
{
    return look(at, __ATOMIC_ACQUIRE);
}
DEVICE uint64_t load_acquire(const uint64_t *at)
{
    return look(at, __ATOMIC_ACQUIRE);
}
DEVICE uint32_t load_relaxed(const uint32_t *at)
{
    return look(at, __ATOMIC_RELAXED);
}
DEVICE uint64_t load_relaxed(const uint64_t *at)
{
    return look(at, __ATOMIC_RELAXED);
}

template <typename T> void store_release(T *at, T value)
{
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}
template <typename T> void store_relaxed(T *at, T value)
{
    __atomic_store_n(at, value, __ATOMIC_RELAXED);
}
DEVICE void store_relaxed(uint64_t *at, uint64_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELAXED);
}

DEVICE void fence()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

template <typename T> T add_relaxed(T *at, T value)
{
    return atomicAdd(at, value);
}
template <typename T> T add_acq_rel(T *at, T value)
{
    return atomicAdd(at, value);
}

/* Seen whole or not at all, and by others as late as the block's end, in any order. */
DEVICE uint4 load_whole(const void *at)
{
    emulated::give_turn();
    std::lock_guard<std::mutex> hold(emulated::whole);
    return *(const uint4 *)at;
}
DEVICE void store_whole(void *at, uint4 value)
{
    emulated::store_late(at, value);
}

DEVICE uint4 load_row(const void *at)
{
    return *(const uint4 *)at;
}

DEVICE uint64_t now_ns()
{
    struct timespec now;
    emulated::give_turn();
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

DEVICE void barrier(uint32_t name, uint32_t threads)
{
    emulated::meet(emulated::own->named[name], threads);
}

DEVICE void wait_for_predecessors()
{
    const emulated::kernel *before = emulated::own->of->before;
    while (before && !before->ended()) emulated::give_turn();
}

DEVICE void let_successor_begin()
{
}

/* ---- barriers in shared memory: phase, arrivals still to come, all arrivals ---- */

struct counted {
    uint16_t phase, left, all, unused;
};

DEVICE void barrier_init(uint64_t *at, uint32_t arrivals)
{
    counted c = {0, (uint16_t)arrivals, (uint16_t)arrivals, 0};
    memcpy(at, &c, sizeof c);
}

/* Others may go on long before who has arrived does: it may use nothing more of what it gave away.
 */
DEVICE void barrier_arrive(uint64_t *at)
{
    counted c;
    memcpy(&c, at, sizeof c);
    if (--c.left == 0) {
        c.left = c.all;
        c.phase ^= 1;
    }
    memcpy(at, &c, sizeof c);
    emulated::fall_behind();
}

/* Until the phase of this parity has ended. */
DEVICE void barrier_wait(uint64_t *at, uint32_t parity)
{
    for (;;) {
        counted c;
        memcpy(&c, at, sizeof c);
        if (c.phase != parity) return;
        emulated::give_turn();
    }
}

/* ---- conversions ---- */

DEVICE uint32_t bf16_of(float value)
{
    uint32_t bits = __float_as_uint(value);
    return value != value ? DXT_BF16_MAGNITUDE : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

DEVICE uint32_t bf16_pair(float low, float high)
{
    return bf16_of(low) | bf16_of(high) << 16;
}

/* Nearest even by trying all: slow, and nothing that a mistake of the library could be shared by.
 */
DEVICE uint32_t fp8_code(float value)
{
    uint32_t sign = value < 0 ? 0x80u : 0, best = 0;
    float magnitude = fabsf(value), least = INFINITY;
    if (value != value) return 0x7f;
    for (uint32_t code = 0; code < 0x7f; code++) {
        int exponent = (int)(code >> 3);
        float of = exponent == 0 ? (float)code / 512.0f
                                 : ldexpf(1.0f + (float)(code & 7u) / 8.0f, exponent - 7);
        float off = fabsf(of - magnitude);
        if (off < least || (off == least && code % 2 == 0)) best = code;
        if (off < least) least = off;
    }
    return sign | best;
}

DEVICE uint32_t fp8_codes(float low, float high)
{
    return fp8_code(low) | fp8_code(high) << 8;
}

/* ---- the probe counts nothing here ---- */

struct dxt_gpu_wait;
DEVICE void dxt_gpu_warp_finish(const dxt_gpu_wait *, uint32_t, uint64_t, uint64_t)
{
}

#endif
