/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch. A token is converted once and stored once into the window of each rank that owns one of
 * its experts, at its own row: no counting comes first. Meanwhile one block for each destination
 * works out where the tokens go among those of this source (the table). The receiver adds the
 * counts of the sources before, and copies each row, as it comes, to the slots of its experts.
 */
#include "cuda/dispatch_table.cuh"
#include "cuda/fp8.cuh"
#include "cuda/launch.cuh"
#include "cuda/receive.cuh"

#define RECEIVE_THREADS 512u
/* Warps that copy one row together. */
#define TEAM 4u
#define TEAMS (RECEIVE_THREADS / 32u / TEAM)

/* What the kernel gets of a dispatch to receive. */
struct receive_arguments {
    uint8_t *recv_x;
    float *recv_scales;
    int32_t *recv_count;
    int32_t *src_info;
    uint8_t *src_slot;
    dxt_ep_range *layout_range;
    dxt_ep_route *recv_routes;
    uint32_t format;
    bool announce;
};

/* ---- send: the rows ---- */

/* Where a token goes. */
struct targets {
    uint32_t ranks;  /* a bit each */
    uint32_t routes; /* to the rank that is this lane */
};

/* Ranks that token @p t can go to, for all lanes of the warp. Who has room is asked while its
 * routes are on their way. */
DEVICE targets targets_of(const dxt_ep_cuda_group &g, const send_arguments &a, uint32_t epoch,
                          uint32_t t, uint32_t out, uint32_t *refused)
{
    uint32_t owner = owner_of_lane(g, a.topk_idx, a.topk, t);
    uint32_t room = with_room(g, DXT_DISPATCH, epoch, ~out);
    uint32_t full = ~(room | out) & ALL_RANKS(g);
    if (full != 0) atomicOr(refused, full);
    targets to = {0, 0};
    for (uint32_t rank = 0; rank < g.ranks; rank++) {
        uint32_t routes = __ballot_sync(FULL, owner == rank);
        if (routes != 0) to.ranks |= 1u << rank & room;
        if (threadIdx.x % WARP == rank) to.routes = __popc(routes);
    }
    return to;
}

/* Store 16 bytes of a row at each target; where to begin differs, so that all links are used. */
DEVICE void store_everywhere(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t t,
                             uint32_t targets, uint32_t offset, uint4 value)
{
    uint32_t row = g.rank * g.max_tokens + t;
    for (uint32_t i = 0; i < g.ranks; i++) {
        uint32_t target = (g.rank + t + i) % g.ranks;
        if (IS_SET(targets, target))
            *(uint4 *)(row_of(g, target, DXT_DISPATCH, epoch, row) + offset) = value;
    }
}

DEVICE targets send_row_bf16(const dxt_ep_cuda_group &g, const send_arguments &a, uint32_t epoch,
                             uint32_t t, uint32_t out, uint32_t *refused)
{
    targets to = targets_of(g, a, epoch, t, out, refused);
    const uint4 *x = (const uint4 *)(a.x + (size_t)t * g.hidden);
    for (uint32_t c = threadIdx.x; c < g.hidden / 8u; c += blockDim.x)
        store_everywhere(g, epoch, t, to.ranks, c * 16u, __ldg(x + c));
    __syncthreads();
    return to;
}

/* A lane converts 16 channels; 8 lanes share a scale. */
DEVICE targets send_row_fp8(const dxt_ep_cuda_group &g, const send_arguments &a, uint32_t epoch,
                            uint32_t t, uint32_t out, uint32_t *refused, float *scales)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t chunks = g.hidden / 16u;
    targets to = {0, 0};
    const uint4 *x = (const uint4 *)(a.x + (size_t)t * g.hidden);
    for (uint32_t first = threadIdx.x - lane; first < chunks; first += blockDim.x) {
        uint32_t c = first + lane;
        uint4 low = {0, 0, 0, 0};
        uint4 high = {0, 0, 0, 0};
        if (c < chunks) {
            low = __ldg(x + 2u * c);
            high = __ldg(x + 2u * c + 1u);
        }
        if (first < blockDim.x) to = targets_of(g, a, epoch, t, out, refused);
        float scale;
        uint4 codes = fp8_encode(low, high, &scale);
        if (c >= chunks) continue;
        if (lane % 8u == 0) scales[c / 8u] = scale;
        store_everywhere(g, epoch, t, to.ranks, c * 16u, codes);
    }
    __syncthreads();
    if (threadIdx.x >= WARP) return to;
    uint32_t row = g.rank * g.max_tokens + t;
    for (uint32_t target = 0; target < g.ranks; target++) {
        if (!IS_SET(to.ranks, target)) continue;
        float *tail = (float *)(row_of(g, target, DXT_DISPATCH, epoch, row) + g.hidden);
        for (uint32_t i = lane; i < g.hidden / DXT_EP_BLOCK; i += 32u) tail[i] = scales[i];
    }
    __syncwarp();
    return to;
}

template <bool FP8>
__global__ void __launch_bounds__(512) dispatch_send(const __grid_constant__ dxt_ep_cuda_group g,
                                                     const __grid_constant__ send_arguments a)
{
    extern __shared__ uint32_t who[];
    __shared__ float scales[CUDA_MAX_HIDDEN / DXT_EP_BLOCK];
    __shared__ uint32_t refused; /* ranks that one of the warps found no room at */
    uint32_t lane = threadIdx.x % WARP;
    uint32_t rows = 0; /* to the rank that is this lane, for warp 0 */
    if (threadIdx.x == 0) refused = 0;
    __syncthreads();
    send_begin begin = begin_send(g, DXT_DISPATCH, a.announce);
    if (blockIdx.x < g.ranks) {
        if (!IS_SET(begin.out, blockIdx.x)) send_table(g, a, begin.epoch, blockIdx.x, who);
    } else {
        for (uint32_t t = blockIdx.x - g.ranks; t < a.tokens; t += gridDim.x - g.ranks) {
            targets to = FP8 ? send_row_fp8(g, a, begin.epoch, t, begin.out, &refused, scales)
                             : send_row_bf16(g, a, begin.epoch, t, begin.out, &refused);
            if (threadIdx.x < WARP && IS_SET(to.ranks & ~refused, lane)) {
                fence();
                store_relaxed(
                    arrival_of(g, lane, DXT_DISPATCH, begin.epoch, g.rank * g.max_tokens + t),
                    begin.epoch);
                rows += to.routes;
            }
            if (FP8) __syncthreads();
        }
    }
    if (threadIdx.x < WARP) end_send(g, DXT_DISPATCH, begin, a.format, rows);
}

/* ---- receive ---- */

/* What a team needs to know of one token: lanes are routes. */
struct token_routes {
    uint32_t valid; /* a bit per route that leads here */
    uint32_t slot;  /* of the lane's route, among all local experts' */
    float weight;
};

/* Slots of the first tokens of @p source are behind those of the sources before. */
DEVICE token_routes routes_of(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t source,
                              uint32_t t, uint32_t present)
{
    uint32_t lane = threadIdx.x % WARP;
    const uint8_t *table = table_of(g, g.rank, epoch, source);
    const dxt_ep_cuda_entry *entries = (const dxt_ep_cuda_entry *)(table + g.at.table_entries);
    uint64_t packed = CUDA_ELSEWHERE;
    if (lane < g.max_topk)
        packed = *(const volatile uint64_t *)(entries + (size_t)t * g.max_topk + lane);
    dxt_ep_cuda_entry entry;
    memcpy(&entry, &packed, sizeof entry);
    bool here = entry.expert < g.local_experts;
    uint32_t index = entry.position;
    for (uint32_t before = 0; before < source; before++)
        if (here && IS_SET(present, before))
            index += ((const volatile uint32_t *)table_of(g, g.rank, epoch, before))[entry.expert];
    here = here && index < g.slots;
    token_routes routes;
    routes.valid = __ballot_sync(FULL, here);
    routes.slot = here ? entry.expert * g.slots + index : 0;
    routes.weight = entry.weight;
    return routes;
}

/* A team copies a row to all its slots: 16 bytes a lane, 4 in flight. */
DEVICE void copy_row(const uint8_t *row, uint8_t *recv_x, uint32_t bytes, token_routes routes,
                     bool came)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t warp = threadIdx.x / WARP % TEAM;
    for (uint32_t first = warp * 512u; first < bytes; first += 4u * TEAM * 512u) {
        uint4 value[4];
#pragma unroll
        for (uint32_t i = 0; i < 4u; i++) {
            uint32_t at = first + i * TEAM * 512u + lane * 16u;
            value[i] = make_uint4(0, 0, 0, 0);
            if (came && at < bytes) value[i] = load_row(row + at);
        }
        for (uint32_t left = routes.valid; left != 0; left &= left - 1u) {
            uint8_t *to = recv_x + (size_t)__shfl_sync(FULL, routes.slot, __ffs(left) - 1) * bytes;
#pragma unroll
            for (uint32_t i = 0; i < 4u; i++) {
                uint32_t at = first + i * TEAM * 512u + lane * 16u;
                if (at < bytes) *(uint4 *)(to + at) = value[i];
            }
        }
    }
}

DEVICE void copy_scales(const dxt_ep_cuda_group &g, const uint8_t *row, float *recv_scales,
                        token_routes routes, bool came)
{
    uint32_t blocks = g.hidden / DXT_EP_BLOCK;
    uint32_t i = threadIdx.x % (TEAM * 32u);
    uint32_t bits = 0;
    if (came && i < blocks) bits = load_relaxed((const uint32_t *)(row + g.hidden) + i);
    for (uint32_t left = routes.valid; left != 0; left &= left - 1u) {
        size_t slot = __shfl_sync(FULL, routes.slot, __ffs(left) - 1);
        if (i < blocks) recv_scales[slot * blocks + i] = __uint_as_float(bits);
    }
}

/* Who a slot belongs to, for the combine. */
DEVICE void write_handle(const dxt_ep_cuda_group &g, const receive_arguments &a, uint32_t item,
                         uint32_t t, token_routes routes)
{
    uint32_t lane = threadIdx.x % WARP;
    bool here = IS_SET(routes.valid, lane);
    if (here) {
        a.src_info[routes.slot] = (int32_t)t;
        a.src_slot[routes.slot] = (uint8_t)lane;
    }
    if (!a.recv_routes || lane >= g.max_topk) return;
    dxt_ep_route route = {here ? (int32_t)routes.slot : -1, here ? routes.weight : 0.0f};
    a.recv_routes[(size_t)item * g.max_topk + lane] = route;
}

/* One token of one source, by one team. */
DEVICE void receive_token(const dxt_ep_cuda_group &g, const receive_arguments &a, uint32_t epoch,
                          uint32_t source, uint32_t t, uint32_t tokens, uint32_t present,
                          volatile bool *shared_came)
{
    uint32_t item = source * g.max_tokens + t;
    uint32_t team = threadIdx.x / WARP / TEAM;
    bool first_warp = threadIdx.x / WARP % TEAM == 0;
    token_routes routes = {0, 0, 0.0f};
    if (t < tokens) routes = routes_of(g, epoch, source, t, present);
    if (first_warp) write_handle(g, a, item, t, routes);
    if (routes.valid == 0) return;
    /* One warp polls for its team: polls compete with what they wait for. */
    if (first_warp) {
        bool came = wait_for_row(g, DXT_DISPATCH, epoch, source, item);
        if (threadIdx.x % WARP == 0) shared_came[team] = came;
    }
    barrier(1u + team, TEAM * 32u);
    bool came = shared_came[team];
    const uint8_t *row = row_of(g, g.rank, DXT_DISPATCH, epoch, item);
    bool fp8 = a.format == DXT_EP_FP8;
    copy_row(row, a.recv_x, fp8 ? g.hidden : g.hidden * 2u, routes, came);
    if (fp8) copy_scales(g, row, a.recv_scales, routes, came);
    barrier(1u + team, TEAM * 32u);
}

/* Counts and ranges of the experts, by the first block next to the monitor. */
DEVICE void write_ranges(const dxt_ep_cuda_group &g, const receive_arguments &a, uint32_t epoch,
                         uint32_t present)
{
    for (uint32_t e = threadIdx.x - 32u; e < g.local_experts; e += blockDim.x - 32u) {
        uint32_t begin = 0;
        for (uint32_t source = 0; source < g.ranks; source++) {
            uint32_t count = 0;
            if (IS_SET(present, source))
                count = ((const volatile uint32_t *)table_of(g, g.rank, epoch, source))[e];
            if (count > g.max_tokens) count = g.max_tokens;
            dxt_ep_range range = {(int32_t)count, (int32_t)begin};
            a.layout_range[(size_t)e * g.ranks + source] = range;
            begin += count;
        }
        a.recv_count[e] = (int32_t)begin;
    }
}

/* All blocks wait for the tables; one warp of each polls. */
struct tables {
    uint32_t present;
    uint32_t tokens[32]; /* by source */
};

DEVICE void wait_in_block(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t out,
                          uint32_t threads, tables *shared)
{
    if (threadIdx.x / WARP == 1u) {
        uint32_t present;
        shared->tokens[threadIdx.x % WARP] = wait_for_tables(g, epoch, out, &present);
        shared->present = present;
    }
    barrier(1, threads);
}

__global__ void __launch_bounds__(RECEIVE_THREADS, 2)
    dispatch_receive(const __grid_constant__ dxt_ep_cuda_group g,
                     const __grid_constant__ receive_arguments a)
{
    __shared__ receive_begin begin;
    __shared__ tables from;
    __shared__ bool came[TEAMS];
    uint32_t before = begin_receive(g, DXT_DISPATCH, &begin);
    if (blockIdx.x > 0) {
        wait_in_block(g, begin.epoch, begin.out, RECEIVE_THREADS, &from);
        uint32_t items = g.ranks * g.max_tokens;
        uint32_t team = (blockIdx.x - 1u) * TEAMS + threadIdx.x / WARP / TEAM;
        for (uint32_t i = team; i < items; i += (gridDim.x - 1u) * TEAMS)
            receive_token(g, a, begin.epoch, i % g.ranks, i / g.ranks, from.tokens[i % g.ranks],
                          from.present, came);
    } else if (threadIdx.x < WARP) {
        uint32_t row_bytes = a.format == DXT_EP_FP8 ? g.hidden + g.hidden / 32u : g.hidden * 2u;
        monitor(g, DXT_DISPATCH, begin.epoch, a.format, begin.out, row_bytes);
        wait_for_predecessors();
    } else {
        wait_in_block(g, begin.epoch, begin.out, RECEIVE_THREADS - 32u, &from);
        write_ranges(g, a, begin.epoch, from.present);
    }
    end_receive(g, DXT_DISPATCH, begin, before, a.announce);
}

/* ---- launching ---- */

static size_t table_shared(const dxt_ep_cuda_group *group, uint32_t tokens)
{
    return (size_t)group->local_experts * ((tokens + 31u) / 32u) * sizeof(uint32_t);
}

cudaError_t dxt_ep_cuda_launch_dispatch_send(const dxt_ep_cuda_group *group,
                                             const dxt_ep_dispatch *dispatch,
                                             dxt_ep_cuda_order order)
{
    send_arguments a = {dispatch->x,      dispatch->topk_idx, dispatch->topk_weights,
                        dispatch->tokens, dispatch->topk,     (uint32_t)dispatch->format,
                        order.announce};
    uint32_t blocks = group->ranks + at_most(a.tokens, group->blocks);
    uint32_t threads = whole_warps(group->hidden / 16u);
    if (threads < 128u) threads = 128u;
    size_t shared = table_shared(group, a.tokens);
    return launch(dispatch->format == DXT_EP_FP8 ? dispatch_send<true> : dispatch_send<false>, true,
                  blocks, threads, shared, dispatch->stream, *group, a);
}

cudaError_t dxt_ep_cuda_launch_dispatch_receive(const dxt_ep_cuda_group *group,
                                                const dxt_ep_dispatch *dispatch,
                                                dxt_ep_cuda_order order)
{
    receive_arguments a = {
        (uint8_t *)dispatch->recv_x, dispatch->recv_scales,      dispatch->recv_count,
        dispatch->handle.src_info,   dispatch->handle.src_slot,  dispatch->handle.layout_range,
        dispatch->recv_routes,       (uint32_t)dispatch->format, order.announce};
    uint32_t teams = (group->ranks * group->max_tokens + TEAMS - 1u) / TEAMS;
    return launch(dispatch_receive, order.early, 1u + at_most(teams, group->blocks),
                  RECEIVE_THREADS, 0, dispatch->stream, *group, a);
}

static cudaError_t allow_shared(void (*kernel)(dxt_ep_cuda_group, send_arguments), size_t bytes)
{
    return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
}

cudaError_t dxt_ep_cuda_prepare_dispatch(const dxt_ep_cuda_group *group)
{
    size_t shared = table_shared(group, group->max_tokens);
    cudaError_t error = allow_shared(dispatch_send<true>, shared);
    if (error == cudaSuccess) error = allow_shared(dispatch_send<false>, shared);
    if (error == cudaSuccess) error = load_kernel(dispatch_send<true>);
    if (error == cudaSuccess) error = load_kernel(dispatch_send<false>);
    return error == cudaSuccess ? load_kernel(dispatch_receive) : error;
}
