/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of a send. */
#ifndef DXT_EP_CUDA_SEND_CUH
#define DXT_EP_CUDA_SEND_CUH

#include <deepxtrace/probe.cuh>

#include "cuda/masks.cuh"

/* Whether @p rank, unless it has to be given up, has read what an operation of this epoch is going
 * to overwrite. Called by any threads, all the same way in a warp. */
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
        if ((int32_t)(load_acquire(consumed) - wanted) >= 0) return true;
        if (IS_SET(load_relaxed(&control_of(g, g.rank)->gossip), rank)) return false;
        uint64_t waited = now_ns() - begin;
        if (now_ns() - shown > g.timeout_ns / 16) {
            if (threadIdx.x == 0) show_life(g);
            shown = now_ns();
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

/* Of @p targets, a bit each, those that have room. All lanes call. */
DEVICE uint32_t with_room(const dxt_ep_cuda_group &g, uint32_t op, uint32_t epoch, uint32_t targets)
{
    uint32_t lane = threadIdx.x % WARP;
    bool room = lane < g.ranks && IS_SET(targets, lane) && wait_for_room(g, op, epoch, lane);
    return __ballot_sync(FULL, room);
}

/* What a send begins with. Only the first block has more to do than to read. */
struct send_begin {
    uint32_t epoch;
    uint32_t out;
};

DEVICE send_begin begin_send(const dxt_ep_cuda_group &g, uint32_t op, bool announce)
{
    uint32_t lane = threadIdx.x % WARP;
    wait_for_predecessors();
    if (blockIdx.x == 0 && threadIdx.x == 0) hear_gossip(g);
    /* Here and not by the host, which runs ahead, and launches a graph without knowing what is in
     * it. */
    if (blockIdx.x == 0 && threadIdx.x == 0) dxt_gpu_issue(g.probe, op);
    let_successor_begin();
    send_begin begin = {load_relaxed(&g.state->sent[op]) + 1u, ranks_out(g)};
    /* Receives before this kernel have ended: what they read may be overwritten. Their own telling
     * so would make each of them longer. */
    if (announce && blockIdx.x == 0 && threadIdx.x / WARP == 1u && lane < g.ranks &&
        !IS_SET(begin.out, lane))
        for (uint32_t i = 0; i < DXT_EP_OPERATORS; i++)
            store_relaxed(&control_of(g, lane)->consumed[i][g.rank],
                          load_relaxed(&g.state->received[i]));
    return begin;
}

/* The block has sent, @p rows of it to the rank that is this lane: warp 0 calls, after its fences.
 * The last block tells everybody that all is there, and counts the operation. Nothing that is read
 * depends on it: it may come before what it tells of. */
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
