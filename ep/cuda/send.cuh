/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of a send. */
#ifndef DXT_EP_CUDA_SEND_CUH
#define DXT_EP_CUDA_SEND_CUH

#include <deepxtrace/probe.cuh>

#include "cuda/marks.cuh"

/* Whether @p rank, unless it has to be given up, has read what an operation of this epoch is going
 * to overwrite. Lanes of one warp of a block may call, each for another rank. */
DEVICE bool wait_for_room(const dxt_ep_cuda_group &g, uint32_t op, uint32_t epoch, uint32_t rank)
{
    const uint32_t *consumed = &control_of(g, g.rank)->consumed[op][rank];
    uint32_t wanted = epoch - CUDA_PARITIES;
    if ((int32_t)(load_acquire(consumed) - wanted) >= 0) return true;
    uint64_t begin = now_ns();
    uint64_t shown = begin;
    uint32_t beat = 0;
    uint64_t limit = g.timeout_ns;
    bool looked = false;
    for (;;) {
        uint64_t now = now_ns(); /* before the look: the warp may stand still at any place */
        if ((int32_t)(load_acquire(consumed) - wanted) >= 0) return true;
        if (IS_SET(load_relaxed(&control_of(g, g.rank)->gossip), rank)) return false;
        uint64_t waited = now - begin;
        if (now - shown > g.timeout_ns / 16) {
            show_life(g);
            shown = now;
        }
        if (!looked && waited > g.timeout_ns / 2) {
            beat = load_relaxed(&control_of(g, rank)->beat);
            looked = true;
        }
        if (waited < limit) continue;
        if (limit == g.timeout_ns && load_relaxed(&control_of(g, rank)->beat) != beat) {
            limit *= 2;
            continue;
        }
        give_up(g, 1u << rank);
        return false;
    }
}

/* What a send begins with: the same for all threads of a block. */
struct send_begin {
    uint32_t epoch;
    uint32_t out;
    uint32_t room;  /* ranks that had room at the begin, a bit each */
    uint32_t marks; /* of the rows of the block's first token, see marks.cuh */
};

/* The words that tell it, on their way to the first warp. One warp of a block asks: where all did,
 * thousands of loads of the same words queued. */
struct send_words {
    uint32_t sent, mask, consumed;
    marks_before before;
};

/* @p rows and @p t: the block's first token. */
DEVICE send_words ask_send_words(const dxt_ep_cuda_group &g, uint32_t op, uint32_t rows, uint32_t t)
{
    uint32_t lane = threadIdx.x % WARP;
    wait_for_predecessors();
    if (blockIdx.x == 0 && threadIdx.x == 0) hear_gossip(g);
    /* Here and not by the host, which runs ahead, and launches a graph without knowing what is in
     * it. */
    if (blockIdx.x == 0 && threadIdx.x == 0) dxt_gpu_issue(g.probe, op);
    let_successor_begin();
    send_words words = {};
    if (threadIdx.x >= WARP) return words;
    words.sent = load_relaxed(&g.state->sent[op]);
    words.mask = load_relaxed(&g.state->mask);
    /* Relaxed: what is stored depends on it, and no store goes ahead of a load that it depends on.
     */
    words.consumed = load_relaxed(&control_of(g, g.rank)->consumed[op][lane % CUDA_MAX_RANKS]);
    words.before = load_marks(g, rows, t);
    return words;
}

/* All threads call. What they load between asking and this comes at the same time. */
DEVICE send_begin begin_send(const dxt_ep_cuda_group &g, send_words words, bool announce,
                             volatile send_begin *shared)
{
    uint32_t lane = threadIdx.x % WARP;
    if (threadIdx.x < WARP) {
        uint32_t epoch = words.sent + 1u;
        bool room = lane < g.ranks && (int32_t)(words.consumed - (epoch - CUDA_PARITIES)) >= 0;
        uint32_t rooms = __ballot_sync(FULL, room);
        if (lane == 0) {
            shared->epoch = epoch;
            shared->out = ranks_out_of(g, words.mask);
            shared->room = rooms;
            shared->marks = new_marks(words.before, epoch);
        }
    }
    __syncthreads();
    send_begin begin = {shared->epoch, shared->out, shared->room, shared->marks};
    /* Receives before this kernel have ended: what they read may be overwritten. Their own telling
     * so would make each of them longer. */
    if (announce && blockIdx.x == 0 && threadIdx.x / WARP == 1u && lane < g.ranks &&
        !IS_SET(begin.out, lane))
        for (uint32_t i = 0; i < DXT_EP_OPERATORS; i++)
            store_relaxed(&control_of(g, lane)->consumed[i][g.rank],
                          load_relaxed(&g.state->received[i]));
    return begin;
}

/* Ranks that rows may be stored at, a bit each: those that take part and have room. All threads of
 * the block call; where some have none yet, its first warp waits for all of these at a time. */
DEVICE uint32_t with_room(const dxt_ep_cuda_group &g, uint32_t op, const send_begin &begin,
                          volatile uint32_t *shared)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t wanted = ALL_RANKS(g) & ~begin.out;
    uint32_t full = wanted & ~begin.room;
    if (full == 0) return wanted;
    if (threadIdx.x < WARP) {
        bool room = IS_SET(full, lane) && wait_for_room(g, op, begin.epoch, lane);
        uint32_t rooms = __ballot_sync(FULL, room);
        if (lane == 0) *shared = (wanted & begin.room) | rooms;
    }
    __syncthreads();
    return *shared;
}

/* The block has sent, @p rows of it to the rank that is this lane: one warp of each block calls.
 * The last one tells everybody that all has been sent, and counts the operation. Nothing that is
 * read depends on it: it may come before what it tells of. */
DEVICE void end_send(const dxt_ep_cuda_group &g, uint32_t op, send_begin begin, uint32_t format,
                     uint32_t rows)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t packed = g.max_tokens * g.max_topk >> CUDA_ROW_BITS == 0 ? 4u : 0u;
    uint32_t shift = ROWS_SHIFT(lane);
    uint64_t mine = lane < packed ? (uint64_t)rows << shift : 0;
    mine += __shfl_xor_sync(FULL, mine, 1);
    mine += __shfl_xor_sync(FULL, mine, 2);
    if (g.ranks > packed) {
        if (lane >= packed && rows > 0) atomicAdd(&g.state->more_rows[op][lane], rows);
        __threadfence();
    }
    uint64_t done = 0;
    __syncwarp();
    if (lane == 0) done = add_relaxed(&g.state->send_done[op], mine + 1u) + mine + 1u;
    done = __shfl_sync(FULL, done, 0);
    if (BLOCKS_OF(done) < gridDim.x) return;
    if (lane < g.ranks) {
        uint32_t all =
            lane < packed ? ROWS_DONE(done, shift) : atomicExch(&g.state->more_rows[op][lane], 0u);
        uint64_t word = PACK_COMPLETE(begin.epoch, format, all);
        if (!IS_SET(begin.out, lane))
            store_relaxed(&control_of(g, lane)->complete[op][begin.epoch % CUDA_PARITIES][g.rank],
                          word);
    }
    if (lane == 0) {
        g.state->send_done[op] = 0;
        g.state->sent[op] = begin.epoch;
    }
}

#endif
