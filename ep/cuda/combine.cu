/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Combine, in two forms. Summed, when the caller has the routes of the dispatch: the outputs of a
 * token on one rank are summed there in FP32 and travel as one row, at (source, token) of the
 * home's window; the output of a token with one route to a rank travels as it is, and the home
 * weighs it.
 * By rows: each output travels, to (token, route), and the home does all the weighing.
 */
#include "cuda/fp8.cuh"
#include "cuda/launch.cuh"
#include "cuda/logfmt.cuh"
#include "cuda/receive.cuh"
#include "cuda/send.cuh"

#define ROWS_THREADS 256u
/* Told with a format: ranks must agree on the form, too. */
#define FORM_SUMMED 16u
/* Outputs of a sum whose loads are under way at once. */
#define AT_ONCE 4

struct send_arguments {
    const uint16_t *x;
    const int32_t *src_info;
    const uint8_t *src_slot;
    const dxt_ep_range *layout_range;
    const dxt_ep_route *recv_routes;
    uint32_t format;
    bool announce;
};

struct receive_arguments {
    const int64_t *topk_idx;
    const float *topk_weights;
    uint16_t *out;
    uint32_t tokens, topk, format;
    bool summed;
    bool announce;
};

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

template <bool LOGFMT> DEVICE void store_output(uint8_t *row, uint32_t c, uint4 value, bool store)
{
    if (LOGFMT)
        logfmt_store(row, c, value, store);
    else if (store)
        *(uint4 *)(row + (size_t)c * 16u) = value;
}

/* ---- send ---- */

/* Sum of the routes of one token, whose slots and weights the lanes hold, to its home. Room there
 * is asked for while the first outputs are on their way. @return Whether there was any. */
template <bool LOGFMT>
DEVICE bool send_sum(const dxt_ep_cuda_group &g, const send_arguments &a, uint32_t epoch,
                     uint32_t home, uint32_t t, uint32_t routes, dxt_ep_route route)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t chunks = g.hidden / 8u;
    uint8_t *row = row_of(g, home, DXT_COMBINE, epoch, g.rank * g.max_tokens + t);
    bool single = (routes & (routes - 1u)) == 0;
    bool asked = false;
    for (uint32_t first = threadIdx.x - lane; first < chunks; first += blockDim.x) {
        uint32_t c = min(first + lane, chunks - 1u);
        float sum[8] = {};
        uint4 value[AT_ONCE];
        for (uint32_t left = routes; left != 0;) {
            float weight[AT_ONCE];
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                int k = (__ffs(left) - 1) & 31;
                size_t from = __shfl_sync(FULL, (uint32_t)route.slot, k);
                float times = __shfl_sync(FULL, route.weight, k);
                weight[i] = 0.0f;
                value[i] = make_uint4(0, 0, 0, 0);
                if (left == 0) continue;
                left &= left - 1u;
                weight[i] = times;
                value[i] = load_row((const uint4 *)(a.x + from * g.hidden) + c);
            }
            if (!asked && with_room(g, DXT_COMBINE, epoch, 1u << home) == 0) return false;
            asked = true;
            if (single) break;
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) add_bf16(sum, value[i], weight[i]);
        }
        store_output<LOGFMT>(row, c, single ? value[0] : pack_bf16(sum), first + lane < chunks);
    }
    return true;
}

/* The row is stored, by all threads before a barrier: warp 0 tells its home.
 * @return 1 for the lane that is the home. */
DEVICE uint32_t announce_row(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t home,
                             uint32_t row)
{
    uint32_t lane = threadIdx.x % WARP;
    if (lane == home) {
        fence();
        store_relaxed(arrival_of(g, home, DXT_COMBINE, epoch, row), epoch);
    }
    return lane == home;
}

template <bool LOGFMT>
__global__ void __launch_bounds__(512, 2)
    combine_send_summed(const __grid_constant__ dxt_ep_cuda_group g,
                        const __grid_constant__ send_arguments a)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t rows = 0;
    send_begin begin = begin_send(g, DXT_COMBINE, a.announce);
    uint32_t slots = g.local_experts * g.slots;
    for (uint32_t i = blockIdx.x; i < g.ranks * g.max_tokens; i += gridDim.x) {
        /* Neighbours go to different homes, so that all links are used; to oneself last. */
        uint32_t home = (g.rank + 1u + i) % g.ranks;
        uint32_t t = i / g.ranks;
        dxt_ep_route route = {-1, 0.0f};
        if (lane < g.max_topk)
            route = a.recv_routes[((size_t)home * g.max_tokens + t) * g.max_topk + lane];
        uint32_t routes = __ballot_sync(FULL, (uint32_t)route.slot < slots);
        if (routes == 0 || begin.out >> home & 1u) continue;
        bool sent = send_sum<LOGFMT>(g, a, begin.epoch, home, t, routes, route);
        if (__syncthreads_and(sent) && threadIdx.x < WARP)
            rows += announce_row(g, begin.epoch, home, g.rank * g.max_tokens + t);
    }
    if (threadIdx.x < WARP) end_send(g, DXT_COMBINE, begin, a.format | FORM_SUMMED, rows);
}

template <bool LOGFMT>
DEVICE void send_output(const dxt_ep_cuda_group &g, const uint16_t *x, uint8_t *row)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t chunks = g.hidden / 8u;
    for (uint32_t first = threadIdx.x - lane; first < chunks; first += blockDim.x) {
        uint32_t c = first + lane;
        uint4 value = {0, 0, 0, 0};
        if (c < chunks) value = load_row((const uint4 *)x + c);
        store_output<LOGFMT>(row, c, value, c < chunks);
    }
}

/* Blocks share the tokens of each (local expert, home). */
template <bool LOGFMT>
__global__ void __launch_bounds__(ROWS_THREADS, 4)
    combine_send_rows(const __grid_constant__ dxt_ep_cuda_group g,
                      const __grid_constant__ send_arguments a)
{
    uint32_t rows = 0;
    send_begin begin = begin_send(g, DXT_COMBINE, a.announce);
    uint32_t pairs = g.local_experts * g.ranks;
    uint32_t sharing = gridDim.x / pairs > 0 ? gridDim.x / pairs : 1u;
    for (uint32_t p = blockIdx.x; p < pairs * sharing; p += gridDim.x) {
        uint32_t expert = p % pairs / g.ranks;
        uint32_t home = (g.rank + 1u + p) % g.ranks;
        dxt_ep_range range = a.layout_range[(size_t)expert * g.ranks + home];
        if (range.count <= 0 || begin.out >> home & 1u) continue;
        if (range.begin < 0 || (uint32_t)range.count > g.max_tokens ||
            (uint32_t)range.begin > g.slots - (uint32_t)range.count) {
            report_trouble(g, CUDA_TROUBLE_ROUTE);
            continue;
        }
        if (!__syncthreads_and(with_room(g, DXT_COMBINE, begin.epoch, 1u << home) != 0)) continue;
        for (uint32_t i = p / pairs; i < (uint32_t)range.count; i += sharing) {
            size_t slot = (size_t)expert * g.slots + (uint32_t)range.begin + i;
            uint32_t t = (uint32_t)a.src_info[slot];
            uint32_t k = a.src_slot[slot];
            if (t >= g.max_tokens || k >= g.max_topk) {
                report_trouble(g, CUDA_TROUBLE_ROUTE);
                continue;
            }
            uint32_t row = t * g.max_topk + k;
            send_output<LOGFMT>(g, a.x + slot * g.hidden,
                                row_of(g, home, DXT_COMBINE, begin.epoch, row));
            __syncthreads();
            if (threadIdx.x < WARP) rows += announce_row(g, begin.epoch, home, row);
        }
    }
    if (threadIdx.x < WARP) end_send(g, DXT_COMBINE, begin, a.format, rows);
}

/* ---- receive ---- */

/* What a token is the sum of: a bit per contribution, which lane i has the row and weight of. */
struct contributions {
    uint32_t come;
    uint32_t row;
    float weight;
};

/* Wait for the contributions of one token; the first warp polls. All threads call. */
DEVICE contributions wait_for_token(const dxt_ep_cuda_group &g, const receive_arguments &a,
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
                    const __grid_constant__ receive_arguments a)
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

/* A thread for every 16 channels, two loads of a row. */
static uint32_t row_threads(const dxt_ep_cuda_group *group)
{
    uint32_t threads = whole_warps(group->hidden / 16u);
    return threads < 64u ? 64u : threads;
}

/* Sums of few tokens are made as fast as one can be. Where there are more than fit on the GPU in
 * such blocks, smaller ones, of which more fit: while one waits for its fence others store. */
static uint32_t sum_threads(const dxt_ep_cuda_group *group, uint32_t sums)
{
    uint32_t threads = row_threads(group);
    return sums > 2u * group->processors ? at_most(threads, 256u) : threads;
}

cudaError_t dxt_ep_cuda_launch_combine_send(const dxt_ep_cuda_group *group,
                                            const dxt_ep_combine *combine, dxt_ep_cuda_order order)
{
    send_arguments a = {combine->x,
                        combine->handle.src_info,
                        combine->handle.src_slot,
                        combine->handle.layout_range,
                        combine->recv_routes,
                        (uint32_t)combine->format,
                        order.announce};
    bool logfmt = combine->format == DXT_EP_COMBINE_LOGFMT;
    uint32_t sums = group->ranks * group->max_tokens;
    if (combine->recv_routes)
        return launch(logfmt ? combine_send_summed<true> : combine_send_summed<false>, true,
                      at_most(sums, group->blocks), sum_threads(group, sums), 0, combine->stream,
                      *group, a);
    uint32_t pairs = group->local_experts * group->ranks;
    uint32_t blocks = pairs < group->blocks ? group->blocks / pairs * pairs : group->blocks;
    return launch(logfmt ? combine_send_rows<true> : combine_send_rows<false>, true, blocks,
                  ROWS_THREADS, 0, combine->stream, *group, a);
}

cudaError_t dxt_ep_cuda_launch_combine_receive(const dxt_ep_cuda_group *group,
                                               const dxt_ep_combine *combine,
                                               dxt_ep_cuda_order order)
{
    receive_arguments a = {combine->topk_idx,
                           combine->topk_weights,
                           combine->out,
                           combine->tokens,
                           combine->topk,
                           (uint32_t)combine->format,
                           combine->recv_routes != NULL,
                           order.announce};
    bool logfmt = combine->format == DXT_EP_COMBINE_LOGFMT;
    return launch(logfmt ? combine_receive<true> : combine_receive<false>, order.early,
                  1u + at_most(combine->tokens, group->blocks), row_threads(group), 0,
                  combine->stream, *group, a);
}

cudaError_t dxt_ep_cuda_prepare_combine(void)
{
    cudaError_t error = load_kernel(combine_send_summed<true>);
    if (error == cudaSuccess) error = load_kernel(combine_send_summed<false>);
    if (error == cudaSuccess) error = load_kernel(combine_send_rows<true>);
    if (error == cudaSuccess) error = load_kernel(combine_send_rows<false>);
    if (error == cudaSuccess) error = load_kernel(combine_receive<true>);
    return error == cudaSuccess ? load_kernel(combine_receive<false>) : error;
}
