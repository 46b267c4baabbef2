/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receive of a dispatch: adds the counts of the sources before, and copies each row, as it
 * comes, to the slots of its experts.
 */
#include "cuda/launch.cuh"
#include "cuda/receive.cuh"
#include "cuda/tables.cuh"

#define RECEIVE_THREADS 512u
/* Teams of warps in a block that copy a row each, at most; where there are few rows, fewer. */
#define TEAMS 4u

/* What the kernel gets of a dispatch to receive. */
struct dispatch_to_receive {
    uint8_t *recv_x;
    float *recv_scales;
    int32_t *recv_count;
    int32_t *src_info;
    uint8_t *src_slot;
    dxt_ep_range *layout_range;
    dxt_ep_route *recv_routes;
    uint32_t format;
    uint32_t team; /* warps of a team */
    bool announce;
};

/* What a team needs to know of one token: lanes are routes. */
struct token_routes {
    uint32_t valid; /* a bit per route that leads here */
    uint32_t slot;  /* of the lane's route, among all local experts' */
    float weight;
};

/* Routes of a token whose row is here. */
DEVICE token_routes routes_of(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t source,
                              uint32_t t, const tables &from)
{
    uint32_t lane = threadIdx.x % WARP;
    uint64_t packed = CUDA_ELSEWHERE;
    if (lane < g.max_topk)
        packed = *(const volatile uint64_t *)(entries_of(g, g.rank, epoch, source, t) + lane);
    dxt_ep_cuda_entry entry;
    memcpy(&entry, &packed, sizeof entry);
    bool here = entry.expert < g.local_experts;
    uint32_t index = entry.position;
    if (here) index += from.count[source * g.local_experts + entry.expert];
    here = here && index < g.slots;
    token_routes routes;
    routes.valid = __ballot_sync(FULL, here);
    routes.slot = here ? entry.expert * g.slots + index : 0;
    routes.weight = entry.weight;
    return routes;
}

/* A part of a row, 16 bytes a lane, 4 in flight. */
struct part {
    uint4 value[4];
};

DEVICE uint32_t part_at(uint32_t team, uint32_t first, uint32_t i)
{
    return first + i * team * 512u + threadIdx.x % WARP * 16u;
}

DEVICE part load_part(const uint8_t *row, uint32_t bytes, uint32_t team, uint32_t first)
{
    part p;
#pragma unroll
    for (uint32_t i = 0; i < 4u; i++) {
        p.value[i] = make_uint4(0, 0, 0, 0);
        if (part_at(team, first, i) < bytes) p.value[i] = load_row(row + part_at(team, first, i));
    }
    return p;
}

DEVICE void store_part(uint8_t *recv_x, uint32_t bytes, uint32_t team, uint32_t first,
                       const token_routes &routes, const part &p)
{
    for (uint32_t left = routes.valid; left != 0; left &= left - 1u) {
        uint8_t *to = recv_x + (size_t)__shfl_sync(FULL, routes.slot, __ffs(left) - 1) * bytes;
#pragma unroll
        for (uint32_t i = 0; i < 4u; i++)
            if (part_at(team, first, i) < bytes)
                *(uint4 *)(to + part_at(team, first, i)) = p.value[i];
    }
}

/* Scales by the threads of a team, which each have the bits of one. */
DEVICE void store_scales(const dxt_ep_cuda_group &g, float *recv_scales, uint32_t i,
                         const token_routes &routes, uint32_t bits)
{
    uint32_t blocks = g.hidden / DXT_EP_BLOCK;
    for (uint32_t left = routes.valid; left != 0; left &= left - 1u) {
        size_t slot = __shfl_sync(FULL, routes.slot, __ffs(left) - 1);
        if (i < blocks) recv_scales[slot * blocks + i] = __uint_as_float(bits);
    }
}

/* A team copies a row that is here to all its slots. What it has to load is asked for at once. */
DEVICE token_routes copy_token(const dxt_ep_cuda_group &g, const dispatch_to_receive &a,
                               uint32_t epoch, uint32_t source, uint32_t t, const tables &from)
{
    const uint8_t *row = row_of(g, g.rank, DXT_DISPATCH, epoch, source * g.max_tokens + t);
    bool fp8 = a.format == DXT_EP_FP8;
    uint32_t bytes = fp8 ? g.hidden : g.hidden * 2u;
    uint32_t first = threadIdx.x / WARP % a.team * 512u;
    uint32_t i = threadIdx.x % (a.team * WARP);
    uint32_t scale = 0;
    part p = load_part(row, bytes, a.team, first);
    if (fp8 && i < g.hidden / DXT_EP_BLOCK)
        scale = load_relaxed((const uint32_t *)(row + g.hidden) + i);
    token_routes routes = routes_of(g, epoch, source, t, from);
    store_part(a.recv_x, bytes, a.team, first, routes, p);
    for (first += 4u * a.team * 512u; first < bytes; first += 4u * a.team * 512u) {
        p = load_part(row, bytes, a.team, first);
        store_part(a.recv_x, bytes, a.team, first, routes, p);
    }
    if (fp8) store_scales(g, a.recv_scales, i, routes, scale);
    return routes;
}

/* Who a slot belongs to, for the combine. */
DEVICE void write_handle(const dxt_ep_cuda_group &g, const dispatch_to_receive &a, uint32_t item,
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
DEVICE void receive_token(const dxt_ep_cuda_group &g, const dispatch_to_receive &a, uint32_t epoch,
                          uint32_t source, uint32_t t, const tables &from,
                          volatile bool *shared_came)
{
    uint32_t item = source * g.max_tokens + t;
    uint32_t team = threadIdx.x / WARP / a.team;
    bool first_warp = threadIdx.x / WARP % a.team == 0;
    token_routes routes = {0, 0, 0.0f};
    if (t < from.tokens[source]) {
        /* One warp polls for its team: polls compete with what they wait for. */
        if (first_warp) {
            bool came = wait_for_row(g, DXT_DISPATCH, epoch, source, item);
            if (threadIdx.x % WARP == 0) shared_came[team] = came;
        }
        barrier(1u + team, a.team * WARP);
        if (shared_came[team]) routes = copy_token(g, a, epoch, source, t, from);
        barrier(1u + team, a.team * WARP);
    }
    if (first_warp) write_handle(g, a, item, t, routes);
}

/* Counts and ranges of the experts, by the first block next to the monitor. */
DEVICE void write_ranges(const dxt_ep_cuda_group &g, const dispatch_to_receive &a,
                         const tables &from)
{
    for (uint32_t e = threadIdx.x - WARP; e < g.local_experts; e += blockDim.x - WARP) {
        uint32_t begin = 0;
        for (uint32_t source = 0; source < g.ranks; source++) {
            uint32_t count = from.count[source * g.local_experts + e];
            if (count > g.max_tokens) count = g.max_tokens;
            dxt_ep_range range = {(int32_t)count, (int32_t)begin};
            a.layout_range[(size_t)e * g.ranks + source] = range;
            begin += count;
        }
        a.recv_count[e] = (int32_t)begin;
    }
}

__global__ void __launch_bounds__(RECEIVE_THREADS, 2)
    dispatch_receive(const __grid_constant__ dxt_ep_cuda_group g,
                     const __grid_constant__ dispatch_to_receive a)
{
    __shared__ receive_begin begin;
    __shared__ tables from;
    __shared__ bool came[TEAMS];
    uint32_t before = begin_receive(g, DXT_DISPATCH, &begin);
    if (blockIdx.x > 0) {
        wait_in_block(g, begin.epoch, begin.out, RECEIVE_THREADS, &from);
        count_to_first(g, &from);
        uint32_t items = g.ranks * g.max_tokens;
        uint32_t blocks = gridDim.x - 1u;
        uint32_t teams = RECEIVE_THREADS / WARP / a.team;
        uint32_t team = threadIdx.x / WARP / a.team;
        for (uint32_t i = team * blocks + blockIdx.x - 1u; i < items; i += teams * blocks)
            receive_token(g, a, begin.epoch, i % g.ranks, i / g.ranks, from, came);
    } else if (threadIdx.x < WARP) {
        uint32_t row_bytes = a.format == DXT_EP_FP8 ? g.hidden + g.hidden / 32u : g.hidden * 2u;
        monitor(g, DXT_DISPATCH, begin.epoch, a.format, begin.out, row_bytes);
        wait_for_predecessors();
    } else {
        wait_in_block(g, begin.epoch, begin.out, RECEIVE_THREADS - 32u, &from);
        write_ranges(g, a, from);
    }
    end_receive(g, DXT_DISPATCH, begin, before, a.announce);
}

/* ---- launching ---- */

cudaError_t dxt_ep_cuda_launch_dispatch_receive(const dxt_ep_cuda_group *group,
                                                const dxt_ep_dispatch *dispatch,
                                                dxt_ep_cuda_order order)
{
    uint32_t items = group->ranks * group->max_tokens;
    /* As many blocks as fit beside those of the send: one for each multiprocessor, one of them for
     * the monitor. */
    uint32_t most = group->processors > 1u ? group->processors - 1u : 1u;
    uint32_t blocks = at_most(items, at_most(group->blocks, most));
    uint32_t teams = at_most((items + blocks - 1u) / blocks, TEAMS);
    uint32_t team = RECEIVE_THREADS / WARP / (teams == 3u ? 4u : teams);
    dispatch_to_receive a = {(uint8_t *)dispatch->recv_x,
                             dispatch->recv_scales,
                             dispatch->recv_count,
                             dispatch->handle.src_info,
                             dispatch->handle.src_slot,
                             dispatch->handle.layout_range,
                             dispatch->recv_routes,
                             (uint32_t)dispatch->format,
                             team,
                             order.announce};
    return launch(dispatch_receive, order.early, 1u + blocks, RECEIVE_THREADS, dispatch->stream,
                  *group, a);
}

cudaError_t dxt_ep_cuda_prepare_dispatch_receive(void)
{
    return load_kernel(dispatch_receive);
}
