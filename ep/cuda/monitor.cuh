/* SPDX-License-Identifier: Apache-2.0 */
/* The warp that watches the sources of a receive, counts its waits and gives up the silent. */
#ifndef DXT_EP_CUDA_MONITOR_CUH
#define DXT_EP_CUDA_MONITOR_CUH

#include <deepxtrace/probe.cuh>

#include "cuda/masks.cuh"

/* A receiver that has polled for longer leaves it to the monitor who takes part. */
#define FAST_NS 1000000u
/* From then on the monitor gives ranks up that others have given up. */
#define GOSSIP_NS (4u * FAST_NS)

/* One warp of a receive watches the sources as a whole: it counts the waits, and gives up who stays
 * silent. The other warps poll for what they need, and look at the mask. */
struct dxt_ep_cuda_monitor {
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
DEVICE bool silent(const dxt_ep_cuda_group &g, dxt_ep_cuda_monitor *m, uint32_t source,
                   uint64_t waited_ns)
{
    if (waited_ns < GOSSIP_NS) return false;
    if (IS_SET(load_relaxed(&control_of(g, g.rank)->gossip), source)) return true;
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
DEVICE void decide(const dxt_ep_cuda_group &g, uint32_t epoch, const dxt_ep_cuda_monitor &m)
{
    uint64_t word = PACK_VERDICT(epoch, m.absent, m.decided);
    if (threadIdx.x % WARP == 0) store_relaxed(&g.state->verdict, word);
}

/* Sources whose tables are here with all their words. */
DEVICE uint32_t whole_tables(const dxt_ep_cuda_group &g, uint32_t epoch)
{
    uint32_t words = 1u + g.local_experts;
    uint32_t lacking = 0;
#pragma unroll 4
    for (uint32_t i = threadIdx.x % WARP; i < g.ranks * words; i += WARP)
        if (EPOCH_OF(load_relaxed(table_of(g, g.rank, epoch, i / words) + i % words)) != epoch)
            lacking |= 1u << i / words;
    return ALL_RANKS(g) & ~__reduce_or_sync(FULL, lacking);
}

/* Whose table is there takes part, even if its rows never come; of the others @p victims do not. */
DEVICE void look_at_tables(const dxt_ep_cuda_group &g, uint32_t epoch, dxt_ep_cuda_monitor *m,
                           uint32_t victims)
{
    if (m->decided == ALL_RANKS(g)) return;
    uint32_t here = whole_tables(g, epoch) & ~m->decided;
    uint32_t gone = victims & ~here & ~m->decided;
    if ((here | gone) == 0) return;
    m->decided |= here | gone;
    m->absent |= gone;
    decide(g, epoch, *m);
}

/* All sources that were waited for have told that they have sent all: their tables are here, which
 * @p whole says where it has been seen, or will be at once. One whose table is not has given this
 * rank up, or was ended in between. */
DEVICE void decide_all(const dxt_ep_cuda_group &g, uint32_t epoch, bool whole,
                       dxt_ep_cuda_monitor *m)
{
    if (m->decided == ALL_RANKS(g)) return;
    uint64_t begin = now_ns();
    uint64_t now; /* before the look: the warp may stand still at any place */
    uint32_t open;
    do {
        now = now_ns();
        open = whole ? 0 : ALL_RANKS(g) & ~m->decided & ~whole_tables(g, epoch);
    } while (__shfl_sync(FULL, open != 0 && now - begin < FAST_NS, 0));
    if (open != 0 && threadIdx.x % WARP == 0) give_up(g, open);
    m->absent |= open;
    m->decided = ALL_RANKS(g);
    decide(g, epoch, *m);
}

/* One round of the monitor after the data failed to come at once. Lanes of sources that are still
 * missing have @p missing set; @p now is from before it was looked for them. @return The sources
 * that are given up, a bit each. */
DEVICE uint32_t monitor_slowly(const dxt_ep_cuda_group &g, dxt_ep_cuda_monitor *m, bool missing,
                               uint64_t now)
{
    uint32_t lane = threadIdx.x % WARP;
    uint64_t waited = now - m->begin_ns;
    if (waited < FAST_NS / 2) return 0;
    bool gone = missing && silent(g, m, lane, waited);
    if (now - m->shown_ns > g.timeout_ns / 16) {
        if (lane == 0) show_life(g);
        m->shown_ns = now;
    }
    uint32_t victims = __ballot_sync(FULL, gone);
    if (victims != 0 && lane == 0) give_up(g, victims);
    return victims;
}

/* The monitor: warp 0 of block 0 of a receive. Lanes are sources. In a dispatch @p whole gets true
 * when the other warps of the block have seen all tables, so that it need not look itself. */
DEVICE void monitor(const dxt_ep_cuda_group &g, uint32_t op, uint32_t epoch, uint32_t format,
                    uint32_t out, uint32_t row_bytes, const volatile bool *whole)
{
    uint32_t lane = threadIdx.x % WARP;
    const uint64_t *word =
        &control_of(g, g.rank)->complete[op][epoch % CUDA_PARITIES][lane % CUDA_MAX_RANKS];
    bool missing = lane < g.ranks && !IS_SET(out, lane);
    uint64_t ticks = 0;
    dxt_ep_cuda_monitor m;
    m.begin_ns = __shfl_sync(FULL, now_ns(), 0);
    m.shown_ns = m.begin_ns;
    m.limit_ns = g.timeout_ns;
    m.beat = 0;
    m.looked = false;
    m.decided = out;
    m.absent = out;
    dxt_gpu_begin(&m.wait, g.probe, op);
    while (__any_sync(FULL, missing)) {
        uint64_t now = __shfl_sync(FULL, now_ns(), 0);
        uint64_t seen = missing ? load_relaxed(word) : 0;
        if (missing && EPOCH_OF(seen) == epoch) {
            uint64_t bytes = ROWS_OF(seen) * row_bytes;
            ticks = dxt_gpu_end(&m.wait, lane, 1, bytes);
            if (FORMAT_OF(seen) != format) report_trouble(g, CUDA_TROUBLE_FORMAT);
            missing = false;
        } else {
            dxt_gpu_poll(&m.wait);
        }
        uint32_t victims = monitor_slowly(g, &m, missing, now);
        if (op == DXT_DISPATCH && now - m.begin_ns >= FAST_NS / 2)
            look_at_tables(g, epoch, &m, victims);
        if (IS_SET(victims, lane)) {
            dxt_gpu_timeout(&m.wait, lane);
            missing = false;
        }
    }
    /* Counts go first: what is stored here need not be waited for at the end of the kernel. */
    dxt_gpu_warp_finish(&m.wait, lane, ticks, dxt_gpu_inside(&m.wait));
    /* A block may have stopped looking for itself just before the last table came. */
    if (op == DXT_DISPATCH) decide_all(g, epoch, __any_sync(FULL, *whole), &m);
}

#endif
