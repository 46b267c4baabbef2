/* SPDX-License-Identifier: Apache-2.0 */
/* All that is PTX: access with a scope, barriers, conversions. tests/emulated/access.h has the
 * same for a CPU. */
#ifndef DXT_EP_CUDA_ACCESS_CUH
#define DXT_EP_CUDA_ACCESS_CUH

#include "cuda/cuda.h"

#define FULL 0xffffffffu
#define WARP 32u

#define DEVICE static __device__ __forceinline__

DEVICE uint32_t load_acquire(const uint32_t *at)
{
    uint32_t value;
    asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(at) : "memory");
    return value;
}

DEVICE uint64_t load_acquire(const uint64_t *at)
{
    uint64_t value;
    asm volatile("ld.acquire.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(at) : "memory");
    return value;
}

DEVICE uint32_t load_relaxed(const uint32_t *at)
{
    uint32_t value;
    asm volatile("ld.relaxed.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(at) : "memory");
    return value;
}

DEVICE uint64_t load_relaxed(const uint64_t *at)
{
    uint64_t value;
    asm volatile("ld.relaxed.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(at) : "memory");
    return value;
}

DEVICE void store_release(uint32_t *at, uint32_t value)
{
    asm volatile("st.release.sys.global.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
}

DEVICE void store_release(uint64_t *at, uint64_t value)
{
    asm volatile("st.release.sys.global.u64 [%0], %1;" ::"l"(at), "l"(value) : "memory");
}

/* All that the block has stored before a barrier is there before what this thread stores next. */
DEVICE void fence()
{
    asm volatile("fence.acq_rel.sys;" ::: "memory");
}

DEVICE void store_relaxed(uint32_t *at, uint32_t value)
{
    asm volatile("st.relaxed.sys.global.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
}

DEVICE void store_relaxed(uint64_t *at, uint64_t value)
{
    asm volatile("st.relaxed.sys.global.u64 [%0], %1;" ::"l"(at), "l"(value) : "memory");
}

/* Nobody waits for the value until it is used. */
DEVICE uint32_t add_relaxed(uint32_t *at, uint32_t value)
{
    uint32_t before;
    asm volatile("atom.add.relaxed.gpu.global.u32 %0, [%1], %2;"
                 : "=r"(before)
                 : "l"(at), "r"(value)
                 : "memory");
    return before;
}

DEVICE uint64_t add_relaxed(uint64_t *at, uint64_t value)
{
    uint64_t before;
    asm volatile("atom.add.relaxed.gpu.global.u64 %0, [%1], %2;"
                 : "=l"(before)
                 : "l"(at), "l"(value)
                 : "memory");
    return before;
}

DEVICE uint32_t add_acq_rel(uint32_t *at, uint32_t value)
{
    uint32_t before;
    asm volatile("atom.add.acq_rel.gpu.global.u32 %0, [%1], %2;"
                 : "=r"(before)
                 : "l"(at), "r"(value)
                 : "memory");
    return before;
}

/* 16 bytes as one: what another rank stored so is seen whole or not at all. Like all of a row they
 * pass through once, and need no place in L1. */
DEVICE uint4 load_whole(const void *at)
{
    uint64_t low, high;
    asm volatile("{\n.reg .b128 v;\n"
                 "ld.relaxed.sys.global.L1::no_allocate.b128 v, [%2];\n"
                 "mov.b128 {%0, %1}, v;\n}"
                 : "=l"(low), "=l"(high)
                 : "l"(at)
                 : "memory");
    return make_uint4((uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32));
}

DEVICE void store_whole(void *at, uint4 v)
{
    asm volatile("{\n.reg .b128 v;\n"
                 "mov.b128 v, {%1, %2};\n"
                 "st.relaxed.sys.global.b128 [%0], v;\n}" ::"l"(at),
                 "l"((uint64_t)v.y << 32 | v.x), "l"((uint64_t)v.w << 32 | v.z)
                 : "memory");
}

/* The same of a row that is known to be here. */
DEVICE uint4 load_row(const void *at)
{
    uint4 v;
    asm volatile("ld.relaxed.sys.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(at)
                 : "memory");
    return v;
}

DEVICE uint64_t now_ns()
{
    uint64_t ns;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
    return ns;
}

/* A barrier of some warps of a block. */
DEVICE void barrier(uint32_t name, uint32_t threads)
{
    asm volatile("bar.sync %0, %1;" ::"r"(name), "r"(threads) : "memory");
}

/* Wait for the kernels before this one in the stream, which may have let it begin early. */
DEVICE void wait_for_predecessors()
{
    asm volatile("griddepcontrol.wait;" ::: "memory");
}

/* Let the next kernel of the stream begin when all blocks have come here. */
DEVICE void let_successor_begin()
{
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

/* ---- barriers in shared memory (mbarrier), which count arrivals in phases ---- */

DEVICE uint32_t shared_address(const void *at)
{
    return (uint32_t)__cvta_generic_to_shared(at);
}

DEVICE void barrier_init(uint64_t *at, uint32_t arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(at)), "r"(arrivals)
                 : "memory");
}

/* What the thread, and those that it has met, did before is seen by who has waited. */
DEVICE void barrier_arrive(uint64_t *at)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(at)) : "memory");
}

DEVICE void barrier_wait(uint64_t *at, uint32_t parity)
{
    uint32_t done;
    do {
        asm volatile("{\n.reg .pred p;\n"
                     "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
                     "selp.u32 %0, 1, 0, p;\n}"
                     : "=r"(done)
                     : "r"(shared_address(at)), "r"(parity)
                     : "memory");
    } while (!done);
}

/* ---- conversions ---- */

/* Two floats as BF16, rounded to nearest even. */
DEVICE uint32_t bf16_pair(float low, float high)
{
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

/* Two E4M3 codes: nearest even, saturating; NaN stays NaN. */
DEVICE uint32_t fp8_codes(float low, float high)
{
    uint16_t codes;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(codes) : "f"(high), "f"(low));
    return codes;
}

#endif
