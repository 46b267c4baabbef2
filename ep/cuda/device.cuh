/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels share: access with a scope, polling with an end, the ends of an operation. */
#ifndef DXT_EP_CUDA_DEVICE_CUH
#define DXT_EP_CUDA_DEVICE_CUH

#include <deepxtrace/probe.cuh>

#include "cuda/cuda.h"

#define FULL 0xffffffffu
/* A receiver that has polled for longer leaves it to the monitor who takes part. */
#define FAST_NS 1000000u
/* From then on the monitor gives ranks up that others have given up. */
#define GOSSIP_NS (4u * FAST_NS)

#define DEVICE static __device__ __forceinline__

/* ---- access ---- */

DEVICE uint32_t load_acquire(const uint32_t *at)
{
    uint32_t value;
    asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(at) : "memory");
    return value;
}

DEVICE uint64_t load_acquire(const uint64_t *at)
{
    uint64_t value;
    asm volatile("ld.acquire.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(at) : "memory");
    return value;
}

DEVICE uint32_t load_relaxed(const uint32_t *at)
{
    uint32_t value;
    asm volatile("ld.relaxed.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(at) : "memory");
    return value;
}

DEVICE void store_release(uint32_t *at, uint32_t value)
{
    asm volatile("st.release.sys.global.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
}

DEVICE void store_release(uint64_t *at, uint64_t value)
{
    asm volatile("st.release.sys.global.u64 [%0], %1;" ::"l"(at), "l"(value) : "memory");
}

/* All that the block has stored before a barrier is there before what this thread stores next. */
DEVICE void fence()
{
    asm volatile("fence.acq_rel.sys;" ::: "memory");
}

DEVICE void store_relaxed(uint32_t *at, uint32_t value)
{
    asm volatile("st.relaxed.sys.global.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
}

DEVICE void store_relaxed(uint64_t *at, uint64_t value)
{
    asm volatile("st.relaxed.sys.global.u64 [%0], %1;" ::"l"(at), "l"(value) : "memory");
}

/* Nobody waits for the value until it is used. */
DEVICE uint32_t add_relaxed(uint32_t *at, uint32_t value)
{
    uint32_t before;
    asm volatile("atom.add.relaxed.gpu.global.u32 %0, [%1], %2;"
                 : "=r"(before)
                 : "l"(at), "r"(value)
                 : "memory");
    return before;
}

DEVICE uint64_t add_relaxed(uint64_t *at, uint64_t value)
{
    uint64_t before;
    asm volatile("atom.add.relaxed.gpu.global.u64 %0, [%1], %2;"
                 : "=l"(before)
                 : "l"(at), "l"(value)
                 : "memory");
    return before;
}

DEVICE uint32_t add_acq_rel(uint32_t *at, uint32_t value)
{
    uint32_t before;
    asm volatile("atom.add.acq_rel.gpu.global.u32 %0, [%1], %2;"
                 : "=r"(before)
                 : "l"(at), "r"(value)
                 : "memory");
    return before;
}

/* Rows pass through once: they need no place in L1. */
DEVICE uint4 load_row(const void *at)
{
    uint4 v;
    asm volatile("ld.relaxed.sys.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(at)
                 : "memory");
    return v;
}

DEVICE uint64_t now_ns()
{
    uint64_t ns;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
    return ns;
}

/* A barrier of some warps of a block. */
DEVICE void barrier(uint32_t name, uint32_t threads)
{
    asm volatile("bar.sync %0, %1;" ::"r"(name), "r"(threads) : "memory");
}

/* Wait for the kernels before this one in the stream, which may have let it begin early. */
DEVICE void wait_for_predecessors()
{
    asm volatile("griddepcontrol.wait;" ::: "memory");
}

/* Let the next kernel of the stream begin when all blocks have come here. */
DEVICE void let_successor_begin()
{
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

/* ---- places ---- */

DEVICE cuda_control *control_of(const cuda_group &g, uint32_t rank)
{
    return (cuda_control *)g.window[rank];
}

DEVICE uint32_t *arrival_of(const cuda_group &g, uint32_t rank, uint32_t op, uint32_t epoch,
                            uint32_t row)
{
    return (uint32_t *)(g.window[rank] + g.at.arrivals[op]) +
           (size_t)(epoch % CUDA_PARITIES) * g.at.row_count[op] + row;
}

DEVICE uint8_t *row_of(const cuda_group &g, uint32_t rank, uint32_t op, uint32_t epoch,
                       uint32_t row)
{
    return g.window[rank] + g.at.rows[op] +
           ((size_t)(epoch % CUDA_PARITIES) * g.at.row_count[op] + row) * g.at.row;
}

DEVICE uint8_t *table_of(const cuda_group &g, uint32_t rank, uint32_t epoch, uint32_t source)
{
    return g.window[rank] + g.at.table +
           ((epoch % CUDA_PARITIES) * g.ranks + source) * g.at.table_stride;
}

/* Rank that a route leads to; g.ranks for a route that is not used or leads out of range. */
DEVICE uint32_t owner_of(const cuda_group &g, int64_t expert)
{
    return expert >= 0 && expert < g.experts ? (uint32_t)expert / g.local_experts : g.ranks;
}

/* The same of the lane's route of a token. */
DEVICE uint32_t owner_of_lane(const cuda_group &g, const int64_t *topk_idx, uint32_t topk,
                              uint32_t t)
{
    uint32_t lane = threadIdx.x % 32;
    return lane < topk ? owner_of(g, topk_idx[(size_t)t * topk + lane]) : g.ranks;
}

/* ---- masks ---- */

/* Bit per rank that takes no part. A rank that finds itself given up takes no part in anything. */
DEVICE uint32_t ranks_out(const cuda_group &g)
{
    uint32_t mask = load_relaxed(&g.state->mask);
    return mask >> g.rank & 1u ? (1u << g.ranks) - 1u : mask;
}

DEVICE void report_masks(const cuda_group &g, uint32_t mask)
{
    atomicOr_system(&g.report->masked, mask);
}

DEVICE void report_trouble(const cuda_group &g, uint32_t trouble)
{
    atomicOr_system(&g.report->trouble, trouble);
}

/* Give ranks up, and tell all, those too. */
DEVICE void give_up(const cuda_group &g, uint32_t victims)
{
    for (uint32_t rank = 0; rank < g.ranks; rank++)
        atomicOr_system(&control_of(g, rank)->gossip, victims);
    report_masks(g, victims);
}

/* What others have found out counts from the next operation on. Only the first block of a send
 * calls, before any block of the receive can begin: all blocks of an operation see one mask. */
DEVICE void hear_gossip(const cuda_group &g)
{
    uint32_t gossip = load_relaxed(&control_of(g, g.rank)->gossip);
    if ((gossip & ~load_relaxed(&g.state->mask)) == 0) return;
    atomicOr(&g.state->mask, gossip);
    report_masks(g, gossip);
    __threadfence();
}

/* Who waits for others shows that it is alive. */
DEVICE void show_life(const cuda_group &g)
{
    atomicAdd_system(&control_of(g, g.rank)->beat, 1u);
}

/* ---- the ends of a send ---- */

/* Whether @p rank, unless it has to be given up, has read what an operation of this epoch is going
 * to overwrite. Called by any threads, all the same way in a warp. */
DEVICE bool wait_for_room(const cuda_group &g, uint32_t op, uint32_t epoch, uint32_t rank)
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
        if (load_relaxed(&control_of(g, g.rank)->gossip) >> rank & 1u) return false;
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
DEVICE uint32_t with_room(const cuda_group &g, uint32_t op, uint32_t epoch, uint32_t targets)
{
    uint32_t lane = threadIdx.x % 32;
    bool room = lane < g.ranks && targets >> lane & 1u && wait_for_room(g, op, epoch, lane);
    return __ballot_sync(FULL, room);
}

/* What a send begins with. Only the first block has more to do than to read. */
struct send_begin {
    uint32_t epoch;
    uint32_t out;
};

DEVICE send_begin begin_send(const cuda_group &g, uint32_t op, bool announce)
{
    uint32_t lane = threadIdx.x % 32;
    wait_for_predecessors();
    if (blockIdx.x == 0 && threadIdx.x == 0) hear_gossip(g);
    /* Here and not by the host, which runs ahead, and launches a graph without knowing what is in
     * it. */
    if (blockIdx.x == 0 && threadIdx.x == 0) dxt_gpu_issue(g.probe, op);
    let_successor_begin();
    send_begin begin = {load_relaxed(&g.state->sent[op]) + 1u, ranks_out(g)};
    /* Receives before this kernel have ended: what they read may be overwritten. Their own telling
     * so would make each of them longer. */
    if (announce && blockIdx.x == 0 && threadIdx.x / 32 == 1u && lane < g.ranks &&
        !(begin.out >> lane & 1u))
        for (uint32_t i = 0; i < DXT_EP_OPERATORS; i++)
            store_relaxed(&control_of(g, lane)->consumed[i][g.rank],
                          load_relaxed(&g.state->received[i]));
    return begin;
}

/* The block has sent, @p rows of it to the rank that is this lane: warp 0 calls, after its fences.
 * The last block tells everybody that all is there, and counts the operation. Nothing that is read
 * depends on it: it may come before what it tells of. */
DEVICE void end_send(const cuda_group &g, uint32_t op, send_begin begin, uint32_t format,
                     uint32_t rows)
{
    uint32_t lane = threadIdx.x % 32;
    uint32_t packed = g.max_tokens * g.max_topk >> CUDA_ROW_BITS == 0 ? 4u : 0u;
    uint32_t shift = CUDA_BLOCK_BITS + CUDA_ROW_BITS * (lane % 4u);
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
    if ((done & ((1u << CUDA_BLOCK_BITS) - 1u)) < gridDim.x) return;
    if (lane < g.ranks) {
        uint32_t all = lane < packed ? (uint32_t)(done >> shift) & ((1u << CUDA_ROW_BITS) - 1u)
                                     : atomicExch(&g.state->more_rows[op][lane], 0u);
        uint64_t word = (uint64_t)begin.epoch << 32 | (uint64_t)format << 24 | all;
        if (!(begin.out >> lane & 1u))
            store_relaxed(&control_of(g, lane)->complete[op][begin.epoch % CUDA_PARITIES][g.rank],
                          word);
    }
    if (lane == 0) {
        g.state->send_done[op] = 0;
        g.state->sent[op] = begin.epoch;
    }
}

/* ---- the ends of a receive ---- */

/* One warp of a receive watches the sources as a whole: it counts the waits, and gives up who stays
 * silent. The other warps poll for what they need, and look at the mask. */
struct cuda_monitor {
    dxt_gpu_wait wait;
    uint64_t begin_ns;
    uint64_t shown_ns;
    uint64_t limit_ns;
    uint32_t beat;
    bool looked;
    uint32_t decided; /* of a dispatch, bit per source: whether it takes part is settled */
    uint32_t absent;  /* and it does not */
};

/* The lane's source has been silent for long: what now? @return Whether it is to be given up. */
DEVICE bool silent(const cuda_group &g, cuda_monitor *m, uint32_t source, uint64_t waited_ns)
{
    if (waited_ns < GOSSIP_NS) return false;
    if (load_relaxed(&control_of(g, g.rank)->gossip) >> source & 1u) return true;
    if (!m->looked && waited_ns > g.timeout_ns / 2) {
        m->beat = load_relaxed(&control_of(g, source)->beat);
        m->looked = true;
    }
    if (waited_ns < m->limit_ns) return false;
    /* It may owe us something only because it waits for the one that is really dead. */
    if (m->limit_ns == g.timeout_ns && load_relaxed(&control_of(g, source)->beat) != m->beat) {
        m->limit_ns *= 2;
        return false;
    }
    return true;
}

/* Tell the blocks of a dispatch who takes part. Sources are decided once; at the end all are. */
DEVICE void decide(const cuda_group &g, uint32_t epoch, const cuda_monitor &m)
{
    uint64_t word = (uint64_t)epoch << 32 | m.absent << 16 | m.decided;
    if (threadIdx.x % 32 == 0) store_relaxed(&g.state->verdict, word);
}

/* One round of the monitor after the data failed to come at once. Lanes of sources that are still
 * missing have @p missing set. @return Whether this lane's source is given up. */
DEVICE bool monitor_slowly(const cuda_group &g, cuda_monitor *m, uint32_t op, uint32_t epoch,
                           bool missing)
{
    uint32_t lane = threadIdx.x % 32;
    uint64_t now = __shfl_sync(FULL, now_ns(), 0);
    uint64_t waited = now - m->begin_ns;
    if (waited < FAST_NS / 2) return false;
    bool gone = missing && silent(g, m, lane, waited);
    if (now - m->shown_ns > g.timeout_ns / 16) {
        if (lane == 0) show_life(g);
        m->shown_ns = now;
    }
    uint32_t victims = __ballot_sync(FULL, gone);
    if (victims != 0 && lane == 0) give_up(g, victims);
    if (op != DXT_DISPATCH) return gone;
    uint64_t table = 0;
    if (lane < g.ranks)
        table = load_acquire(&control_of(g, g.rank)->table[epoch % CUDA_PARITIES][lane]);
    uint32_t here = __ballot_sync(FULL, lane < g.ranks && table >> 32 == epoch);
    uint32_t decided = m->decided;
    /* Whose table is there takes part, even if its rows never come. */
    m->decided |= here | victims;
    m->absent |= victims & ~here & ~decided;
    if (m->decided != decided) decide(g, epoch, *m);
    return gone;
}

/* The monitor: warp 0 of block 0 of a receive. Lanes are sources. */
DEVICE void monitor(const cuda_group &g, uint32_t op, uint32_t epoch, uint32_t format, uint32_t out,
                    uint32_t row_bytes)
{
    uint32_t lane = threadIdx.x % 32;
    const uint64_t *word =
        &control_of(g, g.rank)->complete[op][epoch % CUDA_PARITIES][lane % CUDA_MAX_RANKS];
    bool missing = lane < g.ranks && !(out >> lane & 1u);
    uint64_t ticks = 0;
    cuda_monitor m;
    m.begin_ns = __shfl_sync(FULL, now_ns(), 0);
    m.shown_ns = m.begin_ns;
    m.limit_ns = g.timeout_ns;
    m.beat = 0;
    m.looked = false;
    m.decided = out;
    m.absent = out;
    dxt_gpu_begin(&m.wait, g.probe, op);
    while (__any_sync(FULL, missing)) {
        uint64_t seen = missing ? load_acquire(word) : 0;
        if (missing && seen >> 32 == epoch) {
            uint64_t bytes = (seen & 0xffffffu) * row_bytes;
            ticks = dxt_gpu_end(&m.wait, lane, 1, bytes);
            if ((seen >> 24 & 0xffu) != format) report_trouble(g, CUDA_TROUBLE_FORMAT);
            missing = false;
        } else {
            dxt_gpu_poll(&m.wait);
        }
        if (monitor_slowly(g, &m, op, epoch, missing)) {
            dxt_gpu_timeout(&m.wait, lane);
            missing = false;
        }
    }
    /* A block may have stopped looking for itself just before the last table came. */
    m.decided = (1u << g.ranks) - 1u;
    if (op == DXT_DISPATCH) decide(g, epoch, m);
    uint64_t inside = g.probe ? dxt_gpu_clock() - m.wait.begin_ticks : 0;
    dxt_gpu_warp_finish(g.probe, op, lane, ticks, inside);
}

/* Wait until the tables of all sources are there, or it is decided that they are not coming. Lanes
 * are sources; all blocks of one operation come to the same result.
 * @return Tokens of the lane's source; @p present gets a bit for each source that takes part. */
DEVICE uint32_t wait_for_tables(const cuda_group &g, uint32_t epoch, uint32_t out,
                                uint32_t *present)
{
    uint32_t lane = threadIdx.x % 32;
    const uint64_t *table =
        &control_of(g, g.rank)->table[epoch % CUDA_PARITIES][lane % CUDA_MAX_RANKS];
    bool open = lane < g.ranks && !(out >> lane & 1u);
    bool here = false;
    uint32_t tokens = 0;
    uint64_t begin = 0;
    while (__any_sync(FULL, open)) {
        uint64_t word = open ? load_acquire(table) : 0;
        if (open && word >> 32 == epoch) {
            tokens = (uint32_t)word;
            here = true;
            open = false;
        }
        uint64_t now = __shfl_sync(FULL, now_ns(), 0);
        if (begin == 0) begin = now;
        if (now - begin > FAST_NS) break;
    }
    uint32_t undecided = __ballot_sync(FULL, open);
    while (undecided != 0) {
        uint64_t verdict = 0;
        if (lane == 0) verdict = load_acquire(&g.state->verdict);
        verdict = __shfl_sync(FULL, verdict, 0);
        if (verdict >> 32 != epoch || (undecided & ~(uint32_t)verdict) != 0) continue;
        if (open && !(verdict >> 16 >> lane & 1u)) {
            /* It is on its way: its sender's rows were seen. */
            uint64_t word = load_acquire(table);
            while (word >> 32 != epoch) word = load_acquire(table);
            tokens = (uint32_t)word;
            here = true;
        }
        break;
    }
    *present = __ballot_sync(FULL, here);
    return tokens < g.max_tokens ? tokens : g.max_tokens;
}

/* Wait for one row of a source. A source that has sent all, and long ago, and not this row, has
 * another idea of the routes. @return Whether it came. */
DEVICE bool wait_for_row(const cuda_group &g, uint32_t op, uint32_t epoch, uint32_t source,
                         uint32_t row)
{
    const uint32_t *arrival = arrival_of(g, g.rank, op, epoch, row);
    const cuda_control *control = control_of(g, g.rank);
    uint64_t complete_ns = 0;
    for (uint32_t i = 1; load_acquire(arrival) != epoch; i++) {
        if (i % 64u != 0) continue;
        if (load_relaxed(&control->gossip) >> source & 1u) return false;
        uint64_t all = load_acquire(&control->complete[op][epoch % CUDA_PARITIES][source]);
        if (all >> 32 != epoch) continue;
        if (complete_ns == 0) complete_ns = now_ns();
        if (now_ns() - complete_ns < FAST_NS) continue;
        report_trouble(g, CUDA_TROUBLE_ROUTE);
        return false;
    }
    return true;
}

/* What a receive begins with, in shared memory. */
struct receive_begin {
    uint32_t epoch;
    uint32_t out;
};

/* @return For thread 0: how many blocks have begun before this one. Nobody waits for it here. */
DEVICE uint32_t begin_receive(const cuda_group &g, uint32_t op, receive_begin *begin)
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
DEVICE void end_receive(const cuda_group &g, uint32_t op, const receive_begin &begin,
                        uint32_t before, bool announce)
{
    uint32_t lane = threadIdx.x % 32;
    if (threadIdx.x == 0 && before + 1 == gridDim.x) {
        g.state->receive_begun[op] = 0;
        g.state->received[op] = begin.epoch;
    }
    if (!announce) return;
    __syncthreads();
    if (threadIdx.x >= 32u) return;
    uint32_t done = 0;
    if (lane == 0) done = add_acq_rel(&g.state->receive_done[op], 1u) + 1u;
    if (__shfl_sync(FULL, done, 0) < gridDim.x) return;
    if (lane < g.ranks && !(begin.out >> lane & 1u))
        store_release(&control_of(g, lane)->consumed[op][g.rank], begin.epoch);
    if (lane == 0) g.state->receive_done[op] = 0;
}

#endif
