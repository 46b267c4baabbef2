/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receive of a dispatch: adds the counts of the sources before, and copies each row, as it
 * comes, to the slots of its experts.
 */
#include "cuda/launch.cuh"
#include "cuda/marks.cuh"
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

/* What the routes of a token tell, as they come: lanes are routes. */
DEVICE token_routes routes_of(const dxt_ep_cuda_group &g, uint4 packed, uint32_t source,
                              const tables &from)
{
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

/* A part of a row: chunks of each lane, whose segments are a team apart. With more of them
 * registers run out. */
#define PART 2u
struct part {
    uint4 value[PART];
};

DEVICE uint32_t part_at(uint32_t team, uint32_t first, uint32_t i)
{
    return first + i * team * SEGMENT + threadIdx.x % WARP * CHUNK;
}

/* A row that its source has announced. */
struct coming_row {
    const uint8_t *at;
    uint32_t bytes, mark, epoch, source, format;
};

/* After look number @p look, from 0 on. @return Whether the row will not come: the same on all
 * lanes of a warp. */
DEVICE bool stop_looking(const dxt_ep_cuda_group &g, const coming_row &row, uint32_t look,
                         uint32_t *since)
{
    if (look % LOOKS != LOOKS - 1u) return false;
    uint32_t gone = not_coming(g, DXT_DISPATCH, row.epoch, row.format, 1u << row.source, since);
    return __any_sync(FULL, gone != 0);
}

/* Wait for a part, by all lanes of a warp, and for the lane's piece of the words behind the row,
 * where it @p wants one. @return False if the row will not come. */
DEVICE bool wait_for_part(const dxt_ep_cuda_group &g, const coming_row &row, uint32_t team,
                          uint32_t first, bool wants, uint4 *piece, part *p)
{
    const uint8_t *words = row.at + row.bytes;
#pragma unroll
    for (uint32_t i = 0; i < PART; i++)
        p->value[i] = make_uint4(row.mark ^ (part_at(team, first, i) < row.bytes), 0, 0, 0);
    piece->w = wants ? 0 : TAG(row.epoch);
    uint32_t since = 0;
    for (uint32_t look = 0;; look++) {
        bool lacks = false;
#pragma unroll
        for (uint32_t i = 0; i < PART; i++)
            if (!has_mark(p->value[i], row.mark))
                p->value[i] = load_whole(row.at + part_at(team, first, i));
        if (piece->w != TAG(row.epoch)) *piece = load_whole(words + threadIdx.x % WARP * CHUNK);
#pragma unroll
        for (uint32_t i = 0; i < PART; i++) lacks |= !has_mark(p->value[i], row.mark);
        if (!__any_sync(FULL, lacks || piece->w != TAG(row.epoch))) break;
        if (stop_looking(g, row, look, &since)) return false;
    }
#pragma unroll
    for (uint32_t i = 0; i < PART; i++) {
        uint32_t segment = first / SEGMENT + i * team;
        uint32_t bits = __shfl_sync(FULL, word_of(*piece, segment), segment / PIECE_WORDS % WARP);
        p->value[i] = restored(p->value[i], bits);
    }
    return true;
}

DEVICE void store_part(uint8_t *recv_x, uint32_t bytes, uint32_t team, uint32_t first,
                       const token_routes &routes, const part &p)
{
    for (uint32_t left = routes.valid; left != 0; left &= left - 1u) {
        uint8_t *to = recv_x + (size_t)__shfl_sync(FULL, routes.slot, __ffs(left) - 1) * bytes;
#pragma unroll
        for (uint32_t i = 0; i < PART; i++)
            if (part_at(team, first, i) < bytes)
                *(uint4 *)(to + part_at(team, first, i)) = p.value[i];
    }
}

/* Scales by the threads of a team, which each have one. */
DEVICE void store_scales(const dxt_ep_cuda_group &g, float *recv_scales, uint32_t i,
                         const token_routes &routes, uint32_t bits)
{
    uint32_t blocks = g.hidden / DXT_EP_BLOCK;
    for (uint32_t left = routes.valid; left != 0; left &= left - 1u) {
        size_t slot = __shfl_sync(FULL, routes.slot, __ffs(left) - 1);
        if (i < blocks) recv_scales[slot * blocks + i] = __uint_as_float(bits);
    }
}

/* A team copies a row that has been announced to all its slots. What it has to load is asked for at
 * once. @return False in a warp that the row does not come to. */
DEVICE bool copy_token(const dxt_ep_cuda_group &g, const dispatch_to_receive &a,
                       const coming_row &row, uint32_t t, const tables &from, token_routes *routes)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t first = threadIdx.x / WARP % a.team * SEGMENT;
    uint32_t i = threadIdx.x % (a.team * WARP);
    uint32_t segments = SEGMENTS(row.bytes);
    uint32_t scales = a.format == DXT_EP_FP8 ? g.hidden / DXT_EP_BLOCK : 0;
    const void *entry_at = entries_of(g, g.rank, row.epoch, row.source, t) + lane;
    uint4 entry = make_uint4(CUDA_ELSEWHERE, 0, 0, TAG(row.epoch));
    if (lane < g.max_topk) entry = load_whole(entry_at);
    /* Lanes have pieces: of the displaced bits, and in warps that store scales of those, too. */
    bool wants = lane * PIECE_WORDS < segments + (i - lane < scales ? scales : 0u);
    uint4 piece;
    part p;
    if (!wait_for_part(g, row, a.team, first, wants, &piece, &p)) return false;
    uint32_t since = 0;
    for (uint32_t look = 0; __any_sync(FULL, entry.w != TAG(row.epoch)); look++) {
        if (stop_looking(g, row, look, &since)) return false;
        if (entry.w != TAG(row.epoch)) entry = load_whole(entry_at);
    }
    *routes = routes_of(g, entry, row.source, from);
    store_part(a.recv_x, row.bytes, a.team, first, *routes, p);
    if (i - lane < scales) {
        uint32_t word = segments + i;
        uint32_t x = __shfl_sync(FULL, piece.x, word / PIECE_WORDS);
        uint32_t y = __shfl_sync(FULL, piece.y, word / PIECE_WORDS);
        uint32_t z = __shfl_sync(FULL, piece.z, word / PIECE_WORDS);
        store_scales(g, a.recv_scales, i, *routes, word_of(make_uint4(x, y, z, 0), word));
    }
    for (first += PART * a.team * SEGMENT; first < row.bytes; first += PART * a.team * SEGMENT) {
        if (!wait_for_part(g, row, a.team, first, wants, &piece, &p)) return false;
        store_part(a.recv_x, row.bytes, a.team, first, *routes, p);
    }
    return true;
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

/* What the warps of a team share of a row. */
struct team_row {
    uint32_t what; /* as wait_for_row() */
    bool lost;     /* it has been announced, and does not come */
};

/* One token of one source, by one team. */
DEVICE void receive_token(const dxt_ep_cuda_group &g, const dispatch_to_receive &a, uint32_t epoch,
                          uint32_t source, uint32_t t, const tables &from, volatile team_row *teams)
{
    uint32_t item = source * g.max_tokens + t;
    uint32_t team = threadIdx.x / WARP / a.team;
    bool first_warp = threadIdx.x / WARP % a.team == 0;
    uint32_t lane = threadIdx.x % WARP;
    token_routes routes = {0, 0, 0.0f};
    if (t < from.tokens[source]) {
        volatile team_row *shared = teams + team;
        /* One warp polls for its team: polls compete with what they wait for. */
        if (first_warp) {
            uint32_t what = wait_for_row<false>(g, DXT_DISPATCH, epoch, source, item);
            if (lane == 0) shared->what = what;
            if (lane == 0) shared->lost = false;
        }
        barrier(1u + team, a.team * WARP);
        uint32_t what = shared->what;
        if (what != 0) {
            bool fp8 = a.format == DXT_EP_FP8;
            coming_row row = {row_of(g, g.rank, fp8 ? CUDA_FP8 : CUDA_BF16, epoch, item),
                              fp8 ? g.hidden : 2u * g.hidden,
                              MARK_OF(what),
                              epoch,
                              source,
                              a.format};
            if (!copy_token(g, a, row, t, from, &routes)) shared->lost = true;
        }
        barrier(1u + team, a.team * WARP);
        if (shared->lost) routes.valid = 0;
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
    __shared__ team_row rows[TEAMS];
    __shared__ bool whole;
    if (threadIdx.x == 0) whole = false;
    uint32_t before = begin_receive(g, DXT_DISPATCH, &begin);
    if (blockIdx.x > 0) {
        wait_in_block(g, begin.epoch, begin.out, RECEIVE_THREADS, &from);
        count_to_first(g, &from);
        uint32_t items = g.ranks * g.max_tokens;
        uint32_t blocks = gridDim.x - 1u;
        uint32_t teams = RECEIVE_THREADS / WARP / a.team;
        uint32_t team = threadIdx.x / WARP / a.team;
        for (uint32_t i = team * blocks + blockIdx.x - 1u; i < items; i += teams * blocks)
            receive_token(g, a, begin.epoch, i % g.ranks, i / g.ranks, from, rows);
    } else if (threadIdx.x < WARP) {
        uint32_t row_bytes = a.format == DXT_EP_FP8 ? g.hidden + g.hidden / 32u : g.hidden * 2u;
        monitor(g, DXT_DISPATCH, begin.epoch, a.format, begin.out, row_bytes, &whole);
    } else {
        if (wait_in_block(g, begin.epoch, begin.out, RECEIVE_THREADS - 32u, &from)) whole = true;
        write_ranges(g, a, from);
        wait_for_predecessors();
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
