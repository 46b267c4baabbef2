/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send of a dispatch. A token is converted once and stored once into the window of each rank
 * that owns one of its experts, at its own row: no counting comes first. Where it is among those of
 * this source that go to an expert comes with the row; how many go there is told by a block for
 * each destination.
 */
#include "cuda/dispatch_table.cuh"
#include "cuda/fp8.cuh"
#include "cuda/launch.cuh"
#include "cuda/tell.cuh"

/* Tellers of a block that sends rows. */
#define TELLERS 2u

/* Threads of such a block that store. */
DEVICE uint32_t storing()
{
    return blockDim.x - TELLERS * WARP;
}

/* What a row leaves to its teller. */
struct row_notes {
    uint32_t before[WARP]; /* by route: tokens before this one */
    float scales[CUDA_MAX_HIDDEN / DXT_EP_BLOCK];
};

/* What the threads of a block share that sends rows. */
struct dispatch_shared {
    send_begin begin;
    uint32_t room;
    tell_slots slots;
    row_notes notes[TELL_SLOTS];
};

/* 16 channels of a token, as a thread loads them: neighbours for FP8, which become 16 bytes; of
 * both halves of the row for BF16, so that neighbours store to neighbours. */
struct channels {
    uint4 low, high;
};

template <bool FP8>
DEVICE channels load_channels(const dxt_ep_cuda_group &g, const dispatch_to_send &a, uint32_t t,
                              uint32_t c)
{
    const uint4 *x = (const uint4 *)(a.x + (size_t)t * g.hidden);
    uint32_t chunks = g.hidden / 16u;
    channels v = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    if (c >= chunks) return v;
    v.low = __ldg(x + (FP8 ? 2u * c : c));
    v.high = __ldg(x + (FP8 ? 2u * c + 1u : c + chunks));
    return v;
}

/* Ranks with room that an expert of the warp's lanes is on; @p routes gets how many are on the rank
 * that is this lane. */
DEVICE uint32_t targets_of(const dxt_ep_cuda_group &g, uint32_t room, int64_t expert,
                           uint32_t *routes)
{
    uint32_t owner = owner_of(g, expert);
    uint32_t targets = 0;
    *routes = 0;
    for (uint32_t rank = 0; rank < g.ranks; rank++) {
        uint32_t here = __ballot_sync(FULL, owner == rank);
        if (here != 0) targets |= 1u << rank & room;
        if (threadIdx.x % WARP == rank) *routes = __popc(here);
    }
    return targets;
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

/* Channels as they are sent, and the scale that 8 lanes share, of which one notes it. */
template <bool FP8> DEVICE channels convert(const dxt_ep_cuda_group &g, channels v, float *scales)
{
    if (!FP8) return v;
    float scale;
    v.low = fp8_encode(v.low, v.high, &scale);
    if (threadIdx.x < g.hidden / 16u && threadIdx.x % 8u == 0) scales[threadIdx.x / 8u] = scale;
    return v;
}

template <bool FP8>
DEVICE void store_channels(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t t, uint32_t targets,
                           channels v)
{
    uint32_t c = threadIdx.x;
    uint32_t chunks = g.hidden / 16u;
    if (c >= chunks) return;
    store_everywhere(g, epoch, t, targets, c * 16u, v.low);
    if (!FP8) store_everywhere(g, epoch, t, targets, (c + chunks) * 16u, v.high);
}

/* Scales of the row, by one warp. */
DEVICE void send_scales(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t t, uint32_t targets,
                        const float *scales)
{
    uint32_t row = g.rank * g.max_tokens + t;
    for (uint32_t target = 0; target < g.ranks; target++) {
        if (!IS_SET(targets, target)) continue;
        float *tail = (float *)(row_of(g, target, DXT_DISPATCH, epoch, row) + g.hidden);
        for (uint32_t i = threadIdx.x % WARP; i < g.hidden / DXT_EP_BLOCK; i += WARP)
            tail[i] = scales[i];
    }
}

/* What the teller knows of a token before its row is stored: lanes are routes. */
struct told_token {
    int64_t expert;
    float weight;
};

DEVICE told_token load_told(const dispatch_to_send &a, uint32_t t)
{
    uint32_t lane = threadIdx.x % WARP;
    told_token token = {expert_of_lane(a.topk_idx, a.topk, t), 0.0f};
    if (lane < a.topk && a.topk_weights)
        token.weight = __ldg(a.topk_weights + (size_t)t * a.topk + lane);
    return token;
}

/* The teller of token @p t, number @p n of the block: tells ranks that it does not go to, adds what
 * belongs to its row, and announces it when it is stored.
 * @return Its routes to the rank that is this lane. */
template <bool FP8>
DEVICE uint32_t tell_token(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t t, uint32_t n,
                           uint32_t room, told_token token, dispatch_shared *shared)
{
    uint32_t lane = threadIdx.x % WARP;
    row_notes *notes = &shared->notes[n % TELL_SLOTS];
    uint32_t *arrival =
        arrival_of(g, lane % g.ranks, DXT_DISPATCH, epoch, g.rank * g.max_tokens + t);
    uint32_t routes;
    uint32_t targets = targets_of(g, room, token.expert, &routes);
    if (IS_SET(room & ~targets, lane)) store_relaxed(arrival, NO_ROW(epoch));
    wait_for_notes(&shared->slots, n);
    if (FP8) send_scales(g, epoch, t, targets, notes->scales);
    send_entries(g, epoch, t, targets, token.expert, token.weight, notes->before);
    __syncwarp();
    notes->before[lane] = 0;
    wait_for_stores(&shared->slots, n);
    free_slot(&shared->slots, n);
    if (!IS_SET(targets, lane)) return 0;
    fence();
    store_relaxed(arrival, ROW_HERE(epoch));
    return routes;
}

/* Blocks behind those that send the counts send rows. */
template <bool FP8>
__global__ void __launch_bounds__(512 + TELLERS * WARP)
    dispatch_send(const __grid_constant__ dxt_ep_cuda_group g,
                  const __grid_constant__ dispatch_to_send a)
{
    __shared__ uint32_t count[CUDA_MAX_EXPERTS];
    __shared__ dispatch_shared shared;
    uint32_t lane = threadIdx.x % WARP;
    uint32_t stride = gridDim.x - g.ranks;
    bool tells = threadIdx.x >= storing();
    uint32_t teller = (threadIdx.x - storing()) / WARP;
    uint32_t rows = 0; /* to the rank that is this lane, of a teller */
    bool counts = blockIdx.x < g.ranks;
    uint32_t t = counts ? a.tokens : blockIdx.x - g.ranks;
    send_words words = ask_send_words(g, DXT_DISPATCH);
    channels v = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    told_token token = {-1, 0.0f};
    routes_before routes = {};
    if (t < a.tokens) {
        token = load_told(a, t);
        if (!tells) {
            v = load_channels<FP8>(g, a, t, threadIdx.x);
            routes = load_before(a, t, threadIdx.x - lane, storing());
        }
    }
    if (threadIdx.x == 0) init_slots(&shared.slots, storing() / WARP);
    if (tells && teller == 0)
        for (uint32_t i = 0; i < TELL_SLOTS; i++) shared.notes[i].before[lane] = 0;
    send_begin begin = begin_send(g, words, a.announce, &shared.begin);
    uint32_t room = with_room(g, DXT_DISPATCH, begin, &shared.room);
    if (counts && IS_SET(room, blockIdx.x)) send_counts(g, a, begin.epoch, blockIdx.x, count);
    for (uint32_t n = 0; t < a.tokens; n++, t += stride) {
        if (tells) {
            if (n % TELLERS != teller) continue;
            if (n > 0) token = load_told(a, t);
            rows += tell_token<FP8>(g, begin.epoch, t, n, room, token, &shared);
            continue;
        }
        row_notes *notes = &shared.notes[n % TELL_SLOTS];
        uint32_t unused;
        uint32_t targets = targets_of(g, room, token.expert, &unused);
        wait_for_slot(&shared.slots, n);
        count_before(a, t, narrow(token.expert), storing(), routes, notes->before);
        channels row = convert<FP8>(g, v, notes->scales);
        hand_notes(&shared.slots, n);
        /* The next token comes while this one is stored. */
        if (t + stride < a.tokens) {
            token.expert = expert_of_lane(a.topk_idx, a.topk, t + stride);
            v = load_channels<FP8>(g, a, t + stride, threadIdx.x);
            routes = load_before(a, t + stride, threadIdx.x - lane, storing());
        }
        store_channels<FP8>(g, begin.epoch, t, targets, row);
        hand_over(&shared.slots, n);
    }
    if (tells) end_send(g, DXT_DISPATCH, begin, a.format, rows, TELLERS);
}

/* ---- launching ---- */

cudaError_t dxt_ep_cuda_launch_dispatch_send(const dxt_ep_cuda_group *group,
                                             const dxt_ep_dispatch *dispatch,
                                             dxt_ep_cuda_order order)
{
    dispatch_to_send a = {dispatch->x,      dispatch->topk_idx, dispatch->topk_weights,
                          dispatch->tokens, dispatch->topk,     (uint32_t)dispatch->format,
                          order.announce};
    uint32_t blocks = group->ranks + at_most(a.tokens, at_most(group->blocks, group->processors));
    uint32_t threads = whole_warps(group->hidden / 16u);
    threads = (threads < 128u ? 128u : threads) + TELLERS * WARP;
    return launch(dispatch->format == DXT_EP_FP8 ? dispatch_send<true> : dispatch_send<false>, true,
                  blocks, threads, dispatch->stream, *group, a);
}

cudaError_t dxt_ep_cuda_prepare_dispatch_send(void)
{
    cudaError_t error = load_kernel(dispatch_send<true>);
    return error == cudaSuccess ? load_kernel(dispatch_send<false>) : error;
}
