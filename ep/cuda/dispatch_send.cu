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
#include "cuda/marks.cuh"
#include "cuda/tell.cuh"

/* Words behind a row, at most. */
#define MOST_WORDS (SEGMENTS(CUDA_MAX_HIDDEN) + CUDA_MAX_HIDDEN / DXT_EP_BLOCK + PIECE_WORDS - 1u)

/* What a row leaves to the teller. */
struct row_notes {
    uint32_t before[WARP];      /* by route: tokens before this one */
    uint32_t words[MOST_WORDS]; /* displaced bits, and scales of FP8 */
};

/* What the threads of a block share that sends rows. */
struct dispatch_shared {
    send_begin begin;
    uint32_t room;
    tell_slots slots;
    row_notes notes[TELL_SLOTS];
};

/* 16 channels of a token, as a thread loads them: neighbours for FP8, which become 16 bytes; two
 * chunks for BF16, so that neighbours store to neighbours. */
struct channels {
    uint4 low, high;
};

template <bool FP8>
DEVICE channels load_channels(const dxt_ep_cuda_group &g, const dispatch_to_send &a, uint32_t t,
                              uint32_t c)
{
    const uint4 *x = (const uint4 *)(a.x + (size_t)t * g.hidden);
    uint32_t chunks = g.hidden / 8u;
    uint32_t low = FP8 ? 2u * c : c;
    uint32_t high = FP8 ? 2u * c + 1u : c + storing();
    channels v = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    if (low < chunks) v.low = __ldg(x + low);
    if (high < chunks) v.high = __ldg(x + high);
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

/* A token on its way: whom it goes to, and the marks of its rows. */
struct token_row {
    uint32_t t, targets, marks;
};

/* Store chunk @p c of a row at each target; where to begin differs, so that all links are used. */
DEVICE void store_everywhere(const dxt_ep_cuda_group &g, uint32_t rows, uint32_t epoch,
                             const token_row &row, uint32_t c, uint4 value)
{
    for (uint32_t i = 0; i < g.ranks; i++) {
        uint32_t target = (g.rank + row.t + i) % g.ranks;
        if (!IS_SET(row.targets, target)) continue;
        uint8_t *to = row_of(g, target, rows, epoch, g.rank * g.max_tokens + row.t);
        store_chunk(to + c * CHUNK, value, IS_SET(row.marks, target));
    }
}

/* Channels as they are sent; for the teller the bits that their marks displace, and the scale that
 * 8 lanes share, of which one notes it. */
template <bool FP8> DEVICE channels convert(const dxt_ep_cuda_group &g, channels v, uint32_t *words)
{
    uint32_t segment = threadIdx.x / WARP;
    uint32_t segments = SEGMENTS(FP8 ? g.hidden : 2u * g.hidden);
    if (FP8) {
        float scale;
        v.low = fp8_encode(v.low, v.high, &scale);
        if (threadIdx.x < g.hidden / CHUNK && threadIdx.x % 8u == 0)
            words[segments + threadIdx.x / 8u] = __float_as_uint(scale);
    }
    uint32_t bits = displaced(v.low);
    uint32_t more = FP8 ? 0 : displaced(v.high);
    if (threadIdx.x % WARP != 0) return v;
    if (segment < segments) words[segment] = bits;
    segment += storing() / WARP;
    if (!FP8 && segment < segments) words[segment] = more;
    return v;
}

template <bool FP8>
DEVICE void store_channels(const dxt_ep_cuda_group &g, uint32_t epoch, const token_row &row,
                           channels v)
{
    uint32_t chunks = (FP8 ? g.hidden : 2u * g.hidden) / CHUNK;
    uint32_t rows = FP8 ? CUDA_FP8 : CUDA_BF16;
    uint32_t c = threadIdx.x;
    if (c < chunks) store_everywhere(g, rows, epoch, row, c, v.low);
    c += storing();
    if (!FP8 && c < chunks) store_everywhere(g, rows, epoch, row, c, v.high);
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

/* The teller, of the token that is number @p n of the block: tells ranks that it does not go to,
 * sends what belongs to its row, and announces that when it is stored. @return Its routes to the
 * rank that is this lane. */
template <bool FP8>
DEVICE uint32_t tell_token(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t t, uint32_t n,
                           uint32_t room, told_token token, uint32_t marks, dispatch_shared *shared)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t rows = FP8 ? CUDA_FP8 : CUDA_BF16;
    uint32_t bytes = FP8 ? g.hidden : 2u * g.hidden;
    uint32_t words = SEGMENTS(bytes) + (FP8 ? g.hidden / DXT_EP_BLOCK : 0u);
    uint32_t item = g.rank * g.max_tokens + t;
    row_notes *notes = &shared->notes[n % TELL_SLOTS];
    uint32_t routes;
    uint32_t targets = targets_of(g, room, token.expert, &routes);
    uint32_t *arrival = arrival_of(g, lane % g.ranks, DXT_DISPATCH, epoch, item);
    uint32_t mark = IS_SET(marks, lane);
    if (IS_SET(room & ~targets, lane)) store_relaxed(arrival, ARRIVAL(epoch, NO_ROW));
    wait_for_notes(&shared->slots, n);
    send_entries(g, epoch, t, targets, token.expert, token.weight, notes->before);
    for (uint32_t target = 0; target < g.ranks; target++)
        if (IS_SET(targets, target))
            store_pieces(row_of(g, target, rows, epoch, item) + bytes, notes->words, words, epoch);
    __syncwarp();
    notes->before[lane] = 0;
    wait_for_stores(&shared->slots, n);
    if (lane == 0) change_marks(g, rows, t, epoch, targets);
    free_slot(&shared->slots, n);
    if (!IS_SET(targets, lane)) return 0;
    store_relaxed(arrival, ARRIVAL(epoch, ROW | mark));
    return routes;
}

/* Blocks behind those that send the counts send rows. A thread has at most 64 registers, so that a
 * block of the receive fits beside one of these. */
template <bool FP8>
__global__ void __launch_bounds__(1024, 1)
    dispatch_send(const __grid_constant__ dxt_ep_cuda_group g,
                  const __grid_constant__ dispatch_to_send a)
{
    __shared__ uint32_t count[CUDA_MAX_EXPERTS];
    __shared__ dispatch_shared shared;
    uint32_t lane = threadIdx.x % WARP;
    uint32_t stride = gridDim.x - g.ranks;
    bool tells = threadIdx.x >= storing();
    uint32_t sent = 0; /* routes to the rank that is this lane, of the teller */
    bool counts = blockIdx.x < g.ranks;
    uint32_t t = counts ? a.tokens : blockIdx.x - g.ranks;
    uint32_t kind = FP8 ? CUDA_FP8 : CUDA_BF16;
    send_words words = ask_send_words(g, DXT_DISPATCH, kind, counts ? 0 : t);
    channels v = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    told_token token = {-1, 0.0f};
    routes_before routes = {};
    counted_routes counted = {};
    if (counts) {
        counted = load_counted(a, 0);
        for (uint32_t e = threadIdx.x; e < g.local_experts; e += blockDim.x) count[e] = 0;
    }
    if (t < a.tokens) {
        token = load_told(a, t);
        if (!tells) {
            v = load_channels<FP8>(g, a, t, threadIdx.x);
            routes = load_before(a, t, threadIdx.x - lane, storing());
        }
    }
    if (threadIdx.x == 0) init_slots(&shared.slots);
    if (tells)
        for (uint32_t i = 0; i < TELL_SLOTS; i++) shared.notes[i].before[lane] = 0;
    send_begin begin = begin_send(g, words, a.announce, &shared.begin);
    uint32_t room = with_room(g, DXT_DISPATCH, begin, &shared.room);
    if (counts && IS_SET(room, blockIdx.x))
        send_counts(g, a, begin.epoch, blockIdx.x, counted, count);
    marks_before before = before_marks(begin.marks);
    for (uint32_t n = 0; t < a.tokens; n++, t += stride) {
        uint32_t marks = new_marks(before, begin.epoch);
        bool last = t + stride >= a.tokens;
        if (tells) {
            sent += tell_token<FP8>(g, begin.epoch, t, n, room, token, marks, &shared);
            if (!last) token = load_told(a, t + stride);
        } else {
            row_notes *notes = &shared.notes[n % TELL_SLOTS];
            uint32_t unused;
            token_row row = {t, targets_of(g, room, token.expert, &unused), marks};
            wait_for_slot(&shared.slots, n);
            count_before(a, t, narrow(token.expert), storing(), routes, notes->before);
            channels converted = convert<FP8>(g, v, notes->words);
            hand_notes(&shared.slots, n);
            /* The next token comes while this one is stored. */
            if (!last) {
                token.expert = expert_of_lane(a.topk_idx, a.topk, t + stride);
                v = load_channels<FP8>(g, a, t + stride, threadIdx.x);
                routes = load_before(a, t + stride, threadIdx.x - lane, storing());
            }
            store_channels<FP8>(g, begin.epoch, row, converted);
            hand_over(&shared.slots, n);
        }
        if (!last) before = load_marks(g, kind, t + stride);
    }
    if (tells) end_send(g, DXT_DISPATCH, begin, a.format, sent);
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
    threads = (threads < 128u ? 128u : threads) + (uint32_t)WARP;
    return launch(dispatch->format == DXT_EP_FP8 ? dispatch_send<true> : dispatch_send<false>, true,
                  blocks, threads, dispatch->stream, *group, a);
}

cudaError_t dxt_ep_cuda_prepare_dispatch_send(void)
{
    cudaError_t error = load_kernel(dispatch_send<true>);
    return error == cudaSuccess ? load_kernel(dispatch_send<false>) : error;
}
