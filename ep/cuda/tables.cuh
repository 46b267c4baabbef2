/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a dispatch as its receiver waits for them: which sources take part, and how many
 * tokens of each go to which expert.
 */
#ifndef DXT_EP_CUDA_TABLES_CUH
#define DXT_EP_CUDA_TABLES_CUH

#include "cuda/monitor.cuh"

/* What a block knows of the sources. */
struct tables {
    uint32_t present;
    uint32_t missing;                 /* while it looks: tables of which a word is missing */
    uint32_t tokens[WARP];            /* by source */
    uint32_t count[CUDA_MAX_EXPERTS]; /* [source][local expert] */
};

/* Wait until the tables of all sources have begun to come, for a while, and take their tokens: by
 * one warp, whose lanes are sources; all warps would be in the way of what comes. @return Those
 * that have. */
DEVICE uint32_t take_tokens(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t wanted,
                            tables *shared)
{
    uint32_t lane = threadIdx.x % WARP;
    const uint64_t *table = table_of(g, g.rank, epoch, lane % g.ranks);
    uint64_t begin = now_ns();
    uint64_t word = 0;
    uint32_t open = wanted;
    while (open != 0) {
        if (IS_SET(open, lane)) word = load_relaxed(table);
        open &= ~__ballot_sync(FULL, IS_SET(open, lane) && EPOCH_OF(word) == epoch);
        if (__any_sync(FULL, now_ns() - begin > FAST_NS)) break;
    }
    shared->tokens[lane] = IS_SET(wanted & ~open, lane) ? min(TOKENS_OF(word), g.max_tokens) : 0;
    return wanted & ~open;
}

/* Wait until it is decided which of @p wanted take part: by one warp. */
DEVICE uint32_t wait_for_verdict(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t wanted)
{
    for (;;) {
        uint64_t verdict = 0;
        if (threadIdx.x % WARP == 0) verdict = load_acquire(&g.state->verdict);
        verdict = __shfl_sync(FULL, verdict, 0);
        if (EPOCH_OF(verdict) == epoch && (wanted & ~DECIDED_OF(verdict)) == 0)
            return wanted & ~(uint32_t)ABSENT_OF(verdict);
    }
}

/* Take the counts of @p sources, which come at about the same time; where one does not come for a
 * while, its source is missing, unless it is known to @p come. */
DEVICE void take_counts(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t sources, bool come,
                        uint32_t thread, uint32_t threads, tables *shared)
{
    uint64_t begin = now_ns();
    for (uint32_t i = thread; i < g.ranks * g.local_experts; i += threads) {
        uint32_t source = i / g.local_experts;
        if (!IS_SET(sources, source)) continue;
        const uint64_t *word = table_of(g, g.rank, epoch, source) + 1u + i % g.local_experts;
        uint64_t seen = load_relaxed(word);
        while (EPOCH_OF(seen) != epoch && (come || now_ns() - begin < FAST_NS))
            seen = load_relaxed(word);
        shared->count[i] = TOKENS_OF(seen);
        if (EPOCH_OF(seen) != epoch) atomicOr(&shared->missing, 1u << source);
    }
}

/* Wait until the tables of all sources are there, or it is decided that they are not coming, by so
 * many threads of a block, from its second warp on in the first block. All blocks of an operation
 * come to the same result: for a while a block goes by what it sees, then by the verdict of the
 * monitor; whoever has the verdict before that takes no part here either. @return Whether the block
 * itself has seen all tables. */
DEVICE bool wait_in_block(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t out,
                          uint32_t threads, tables *shared)
{
    uint32_t thread = threadIdx.x - (blockDim.x - threads);
    uint32_t lane = thread % WARP;
    uint32_t wanted = ALL_RANKS(g) & ~out;
    for (uint32_t i = thread; i < CUDA_MAX_EXPERTS; i += threads) shared->count[i] = 0;
    if (thread < WARP) {
        uint32_t begun = take_tokens(g, epoch, wanted, shared);
        shared->present = begun;
        shared->missing = wanted & ~begun;
    }
    barrier(1, threads);
    take_counts(g, epoch, shared->present, false, thread, threads, shared);
    if (thread < WARP) {
        uint64_t verdict = load_relaxed(&g.state->verdict);
        if (lane == 0 && EPOCH_OF(verdict) == epoch)
            atomicOr(&shared->missing, wanted & (uint32_t)ABSENT_OF(verdict));
    }
    barrier(1, threads);
    uint32_t undecided = shared->missing;
    if (undecided == 0) return true;
    barrier(1, threads);
    if (thread < WARP) shared->missing = wait_for_verdict(g, epoch, undecided);
    barrier(1, threads);
    uint32_t come = shared->missing;
    for (uint32_t i = thread; i < g.ranks * g.local_experts; i += threads)
        if (IS_SET(undecided, i / g.local_experts)) shared->count[i] = 0;
    take_counts(g, epoch, come, true, thread, threads, shared);
    if (thread < WARP && IS_SET(undecided, lane)) {
        uint64_t word = PACK_TABLE(epoch, 0);
        while (IS_SET(come, lane)) {
            word = load_relaxed(table_of(g, g.rank, epoch, lane));
            if (EPOCH_OF(word) == epoch) break;
        }
        shared->tokens[lane] = min(TOKENS_OF(word), g.max_tokens);
    }
    barrier(1, threads);
    return false;
}

/* Make the counts those of the sources before: where the tokens of each begin at each expert. */
DEVICE void count_to_first(const dxt_ep_cuda_group &g, tables *shared)
{
    for (uint32_t e = threadIdx.x; e < g.local_experts; e += blockDim.x) {
        uint32_t first = 0;
        for (uint32_t source = 0; source < g.ranks; source++) {
            uint32_t *at = &shared->count[source * g.local_experts + e];
            uint32_t count = *at;
            *at = first;
            first += count;
        }
    }
    __syncthreads();
}

#endif
