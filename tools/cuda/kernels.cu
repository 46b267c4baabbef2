/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include <cuda_bf16.h>
#include <cuda_fp8.h>

// The timer of the GPU: nanoseconds, common to all its multiprocessors.
__device__ static uint64_t now_ns()
{
    uint64_t now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
}

// ---- compute ----

__global__ static void compute_kernel(device_compute compute)
{
    const uint64_t begin_ns = now_ns();
    __shared__ unsigned int tokens;
    if (threadIdx.x == 0) tokens = 0;
    __syncthreads();
    unsigned int mine = 0;
    for (uint32_t e = threadIdx.x; e < compute.count; e += blockDim.x) mine += compute.counts[e];
    if (mine) atomicAdd(&tokens, mine);
    __syncthreads();
    if (threadIdx.x != 0) return;
    double part = compute.counts ? tokens / compute.usual : 1.0;
    double length_ns = compute.mean_ns * part * (1.0 + compute.swing) + compute.delay_ns;
    while (static_cast<int64_t>(now_ns() - begin_ns) < static_cast<int64_t>(length_ns))
        ;
}

cudaError_t cuda_compute(const device_compute *compute, cudaStream_t stream)
{
    compute_kernel<<<1, compute->counts ? 128 : 32, 0, stream>>>(*compute);
    return cudaGetLastError();
}

// ---- the outputs of the experts ----

// Eight channels at a time; blocks of a column share the slots of one local expert.
__global__ static void widen_kernel(device_widen widen)
{
    const uint32_t expert = blockIdx.x;
    const uint32_t blocks = widen.hidden / 128;
    for (uint32_t s = blockIdx.y; s < static_cast<uint32_t>(widen.counts[expert]); s += gridDim.y) {
        const size_t slot = static_cast<size_t>(expert) * widen.slots + s;
        const uint8_t *from = widen.values + slot * widen.hidden;
        uint16_t *to = widen.output + slot * widen.hidden;
        for (uint32_t c = threadIdx.x * 8; c < widen.hidden; c += blockDim.x * 8) {
            const uint2 packed = *reinterpret_cast<const uint2 *>(from + c);
            const float scale = widen.scales[slot * blocks + c / 128];
            const uint8_t *bytes = reinterpret_cast<const uint8_t *>(&packed);
            uint4 result;
            __nv_bfloat16 *values = reinterpret_cast<__nv_bfloat16 *>(&result);
            for (int i = 0; i < 8; i++) {
                const __half_raw half = __nv_cvt_fp8_to_halfraw(bytes[i], __NV_E4M3);
                values[i] = __float2bfloat16(__half2float(half) * scale);
            }
            *reinterpret_cast<uint4 *>(to + c) = result;
        }
    }
}

cudaError_t cuda_widen(const device_widen *widen, cudaStream_t stream)
{
    uint32_t columns = widen->local_experts >= 64 ? 8 : 512 / widen->local_experts;
    widen_kernel<<<dim3(widen->local_experts, columns), 256, 0, stream>>>(*widen);
    return cudaGetLastError();
}

// ---- beginning together ----

__global__ static void gate_kernel(const volatile uint32_t *word, uint32_t number,
                                   uint64_t timeout_ns)
{
    const uint64_t begin_ns = now_ns();
    while (*word < number && now_ns() - begin_ns < timeout_ns)
        ;
}

cudaError_t cuda_gate(const uint32_t *word, uint32_t number, int64_t timeout_ns,
                      cudaStream_t stream)
{
    gate_kernel<<<1, 1, 0, stream>>>(word, number, static_cast<uint64_t>(timeout_ns));
    return cudaGetLastError();
}
