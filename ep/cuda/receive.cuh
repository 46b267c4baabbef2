/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of a receive. */
#ifndef DXT_EP_CUDA_RECEIVE_CUH
#define DXT_EP_CUDA_RECEIVE_CUH

#include "cuda/marks.cuh"
#include "cuda/monitor.cuh"

/* Wait until a source has told of one of its rows. A source that has sent all, and long ago, and
 * not this row, has another idea of the routes. A row that is @p PLAIN is here then; for others
 * nothing is acquired, since each look that does so empties L1, which the blocks of a send beside
 * it use.
 * @return What there is of the row: ROW and its mark, or 0 for none. */
template <bool PLAIN>
DEVICE uint32_t wait_for_row(const dxt_ep_cuda_group &g, uint32_t op, uint32_t epoch,
                             uint32_t source, uint32_t row)
{
    const uint32_t *arrival = arrival_of(g, g.rank, op, epoch, row);
    const dxt_ep_cuda_control *control = control_of(g, g.rank);
    uint64_t complete_ns = 0;
    /* Then this look is the last one: before it the warp may have stood still for long. */
    bool late = false;
    for (uint32_t i = 1;; i++) {
        uint32_t what = WHAT_OF(PLAIN ? load_acquire(arrival) : load_relaxed(arrival), epoch);
        if (what != 0) return what == NO_ROW ? 0 : what;
        if (late) break;
        if (i % LOOKS != 0) continue;
        if (IS_SET(load_relaxed(&control->gossip), source)) return 0;
        uint64_t all = load_relaxed(&control->complete[op][epoch % CUDA_PARITIES][source]);
        if (EPOCH_OF(all) != epoch) continue;
        if (complete_ns == 0) complete_ns = now_ns();
        late = now_ns() - complete_ns >= FAST_NS;
    }
    report_trouble(g, CUDA_TROUBLE_ROUTE);
    return 0;
}

/* What a receive begins with, in shared memory. */
struct receive_begin {
    uint32_t epoch;
    uint32_t out;
};

/* @return For thread 0: how many blocks have begun before this one. Nobody waits for it here. */
DEVICE uint32_t begin_receive(const dxt_ep_cuda_group &g, uint32_t op, receive_begin *begin)
{
    uint32_t before = 0;
    let_successor_begin();
    if (threadIdx.x == 0) {
        begin->epoch = load_relaxed(&g.state->received[op]) + 1u;
        begin->out = ranks_out(g);
        before = add_relaxed(&g.state->receive_begun[op], 1u);
    }
    __syncthreads();
    return before;
}

/* The end of a receive, for all threads. When all blocks know the operation it is counted. Usually
 * the next send tells the others that it has been read; where none may come soon, or it may come
 * too soon, the last block does. */
DEVICE void end_receive(const dxt_ep_cuda_group &g, uint32_t op, const receive_begin &begin,
                        uint32_t before, bool announce)
{
    uint32_t lane = threadIdx.x % WARP;
    if (threadIdx.x == 0 && before + 1 == gridDim.x) {
        g.state->receive_begun[op] = 0;
        g.state->received[op] = begin.epoch;
    }
    if (!announce) return;
    __syncthreads();
    if (threadIdx.x >= WARP) return;
    uint32_t done = 0;
    if (lane == 0) done = add_acq_rel(&g.state->receive_done[op], 1u) + 1u;
    if (__shfl_sync(FULL, done, 0) < gridDim.x) return;
    if (lane < g.ranks && !IS_SET(begin.out, lane))
        store_release(&control_of(g, lane)->consumed[op][g.rank], begin.epoch);
    if (lane == 0) g.state->receive_done[op] = 0;
}

#endif
