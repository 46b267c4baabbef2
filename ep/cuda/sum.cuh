/* SPDX-License-Identifier: Apache-2.0 */
/* What both ends of a combine have: sums in FP32, and how a thread has its part of a row. */
#ifndef DXT_EP_CUDA_SUM_CUH
#define DXT_EP_CUDA_SUM_CUH

#include "cuda/fp8.cuh"
#include "cuda/launch.cuh"

/* Told with a format: ranks must agree on the form, too. */
#define FORM_SUMMED 16u
/* Outputs of a sum whose loads are under way at once. */
#define AT_ONCE 4

/* Add weight × value of 8 BF16 channels. */
DEVICE void add_bf16(float *sum, uint4 x, float weight)
{
    uint32_t pairs[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        sum[2 * i] += weight * bf16_low(pairs[i]);
        sum[2 * i + 1] += weight * bf16_high(pairs[i]);
    }
}

DEVICE uint4 pack_bf16(const float *sum)
{
    return make_uint4(bf16_pair(sum[0], sum[1]), bf16_pair(sum[2], sum[3]),
                      bf16_pair(sum[4], sum[5]), bf16_pair(sum[6], sum[7]));
}

/* A thread for every 16 channels, two loads of a row. */
static inline uint32_t row_threads(const dxt_ep_cuda_group *group)
{
    uint32_t threads = whole_warps(group->hidden / 16u);
    return threads < 64u ? 64u : threads;
}

#endif
