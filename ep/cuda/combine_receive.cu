/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receive of a combine: the home of a token sums what comes of it, a row of each source or of
 * each route (see combine_send.cu).
 */
#include "cuda/logfmt.cuh"
#include "cuda/receive.cuh"
#include "cuda/sum.cuh"

struct combine_to_receive {
    const int64_t *topk_idx;
    const float *topk_weights;
    uint16_t *out;
    uint32_t tokens, topk, format;
    bool summed;
    bool announce;
};

/* What a token is the sum of: a bit per contribution, which lane i has the row and weight of. */
struct contributions {
    uint32_t come;
    uint32_t row;
    float weight;
};

/* Wait for the contributions of one token; the first warp polls. All threads call. */
DEVICE contributions wait_for_token(const dxt_ep_cuda_group &g, const combine_to_receive &a,
                                    uint32_t epoch, uint32_t out, uint32_t t,
                                    volatile uint32_t *shared_come)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t owner = owner_of_lane(g, a.topk_idx, a.topk, t);
    float weight = lane < a.topk ? a.topk_weights[(size_t)t * a.topk + lane] : 0.0f;
    contributions c = {0, t * g.max_topk + lane, weight};
    uint32_t source = owner;
    if (a.summed) {
        /* Lanes become ranks. A single route's weight is for us to apply. */
        c.row = lane * g.max_tokens + t;
        source = g.ranks;
        for (uint32_t rank = 0; rank < g.ranks; rank++) {
            uint32_t routes = __ballot_sync(FULL, owner == rank);
            float single = __shfl_sync(FULL, weight, __ffs(routes) - 1 & 31);
            if (lane != rank || routes == 0) continue;
            source = rank;
            c.weight = __popc(routes) == 1 ? single : 1.0f;
        }
    }
    if (threadIdx.x < WARP) {
        bool wanted = source < g.ranks && !(out >> source & 1u);
        bool came = wanted && wait_for_row(g, DXT_COMBINE, epoch, source, c.row);
        uint32_t come = __ballot_sync(FULL, came);
        if (lane == 0) *shared_come = come;
    }
    __syncthreads();
    c.come = *shared_come;
    return c;
}

template <bool LOGFMT>
DEVICE void sum_token(const dxt_ep_cuda_group &g, uint32_t epoch, const contributions &all,
                      uint16_t *out)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t chunks = g.hidden / 8u;
    for (uint32_t first = threadIdx.x - lane; first < chunks; first += blockDim.x) {
        uint32_t c = min(first + lane, chunks - 1u);
        float sum[8] = {};
        for (uint32_t left = all.come; left != 0;) {
            uint4 value[AT_ONCE];
            logfmt_part part[AT_ONCE];
            float weight[AT_ONCE];
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                weight[i] = 0.0f;
                int from = __ffs(left) - 1;
                uint32_t row = __shfl_sync(FULL, all.row, from & 31);
                float times = __shfl_sync(FULL, all.weight, from & 31);
                value[i] = make_uint4(0, 0, 0, 0);
                if (left == 0) continue;
                left &= left - 1u;
                weight[i] = times;
                const uint8_t *at = row_of(g, g.rank, DXT_COMBINE, epoch, row);
                if (LOGFMT)
                    part[i] = logfmt_load(at, c);
                else
                    value[i] = load_row(at + (size_t)c * 16u);
            }
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                if (!LOGFMT)
                    add_bf16(sum, value[i], weight[i]);
                else if (weight[i] != 0.0f)
                    logfmt_add(sum, part[i], weight[i]);
            }
        }
        if (first + lane < chunks) *((uint4 *)out + c) = pack_bf16(sum);
    }
}

template <bool LOGFMT>
__global__ void __launch_bounds__(512, 2)
    combine_receive(const __grid_constant__ dxt_ep_cuda_group g,
                    const __grid_constant__ combine_to_receive a)
{
    __shared__ receive_begin begin;
    __shared__ uint32_t come;
    uint32_t before = begin_receive(g, DXT_COMBINE, &begin);
    if (blockIdx.x > 0) {
        for (uint32_t t = blockIdx.x - 1u; t < a.tokens; t += gridDim.x - 1u) {
            contributions all = wait_for_token(g, a, begin.epoch, begin.out, t, &come);
            sum_token<LOGFMT>(g, begin.epoch, all, a.out + (size_t)t * g.hidden);
            __syncthreads();
        }
    } else if (threadIdx.x < WARP) {
        uint32_t row_bytes =
            LOGFMT ? g.hidden / DXT_EP_BLOCK * (uint32_t)sizeof(dxt_logfmt_block) : g.hidden * 2u;
        monitor(g, DXT_COMBINE, begin.epoch, a.format | (a.summed ? FORM_SUMMED : 0u), begin.out,
                row_bytes);
        wait_for_predecessors();
    }
    end_receive(g, DXT_COMBINE, begin, before, a.announce);
}

/* ---- launching ---- */

cudaError_t dxt_ep_cuda_launch_combine_receive(const dxt_ep_cuda_group *group,
                                               const dxt_ep_combine *combine,
                                               dxt_ep_cuda_order order)
{
    combine_to_receive a = {combine->topk_idx,
                            combine->topk_weights,
                            combine->out,
                            combine->tokens,
                            combine->topk,
                            (uint32_t)combine->format,
                            combine->recv_routes != NULL,
                            order.announce};
    bool logfmt = combine->format == DXT_EP_COMBINE_LOGFMT;
    return launch(logfmt ? combine_receive<true> : combine_receive<false>, order.early,
                  1u + at_most(combine->tokens, group->blocks), row_threads(group), combine->stream,
                  *group, a);
}

cudaError_t dxt_ep_cuda_prepare_combine_receive(void)
{
    cudaError_t error = load_kernel(combine_receive<true>);
    return error == cudaSuccess ? load_kernel(combine_receive<false>) : error;
}
