/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of a dispatch: where the tokens go among those of this source. How many go to each
 * expert is told first, by one block for each destination; where a token is among them comes with
 * its row. So a receiver knows all slots before the first rows are there.
 */
#ifndef DXT_EP_CUDA_DISPATCH_TABLE_CUH
#define DXT_EP_CUDA_DISPATCH_TABLE_CUH

#include "cuda/send.cuh"

/* What the kernel gets of a dispatch to send. */
struct dispatch_to_send {
    const uint16_t *x;
    const int64_t *topk_idx;
    const float *topk_weights;
    uint32_t tokens, topk, format;
    bool announce;
};

/* Routes that a thread loads at once to count them. */
#define COUNTS_AT_ONCE 8u

/* One block, one destination: how many tokens go to each of its experts. `count` is for them. */
DEVICE void send_counts(const dxt_ep_cuda_group &g, const dispatch_to_send &a, uint32_t epoch,
                        uint32_t target, uint32_t *count)
{
    uint32_t routes = a.tokens * a.topk;
    for (uint32_t e = threadIdx.x; e < g.local_experts; e += blockDim.x) count[e] = 0;
    __syncthreads();
    for (uint32_t first = threadIdx.x; first < routes; first += COUNTS_AT_ONCE * blockDim.x) {
        int64_t expert[COUNTS_AT_ONCE];
#pragma unroll
        for (uint32_t i = 0; i < COUNTS_AT_ONCE; i++) {
            uint32_t at = first + i * blockDim.x;
            expert[i] = at < routes ? __ldg(a.topk_idx + at) : -1;
        }
#pragma unroll
        for (uint32_t i = 0; i < COUNTS_AT_ONCE; i++) {
            if (expert[i] < -1 || expert[i] >= g.experts) report_trouble(g, CUDA_TROUBLE_ROUTE);
            if (owner_of(g, expert[i]) == target)
                atomicAdd(&count[(uint32_t)expert[i] % g.local_experts], 1u);
        }
    }
    __syncthreads();
    uint64_t *table = table_of(g, target, epoch, g.rank);
    for (uint32_t i = threadIdx.x; i <= g.local_experts; i += blockDim.x)
        store_relaxed(table + i, PACK_TABLE(epoch, i == 0 ? a.tokens : count[i - 1u]));
    __syncthreads(); /* before the block says that it has sent */
}

/* Routes of the tokens before, as a thread loads them; one of so many in turn. */
#define ROUTES_AT_ONCE 4u
struct routes_before {
    int32_t expert[ROUTES_AT_ONCE];
};

/* Expert of a route, as 32 bits; -1 for what is none. */
DEVICE int32_t narrow(int64_t expert)
{
    return expert >= 0 && expert < INT32_MAX ? (int32_t)expert : -1;
}

/* @p first: the warp's first route. */
DEVICE routes_before load_before(const dispatch_to_send &a, uint32_t t, uint32_t first,
                                 uint32_t threads)
{
    routes_before routes;
#pragma unroll
    for (uint32_t i = 0; i < ROUTES_AT_ONCE; i++) {
        uint32_t at = first + i * threads + threadIdx.x % WARP;
        routes.expert[i] = at < t * a.topk ? narrow(__ldg(a.topk_idx + at)) : -2;
    }
    return routes;
}

/* Add to before[k], for each route k of token @p t, which the lanes of each warp hold, how many
 * tokens before it go to the same expert. So many threads of the block call, from its first on;
 * @p routes are those that each has loaded first. */
DEVICE void count_before(const dispatch_to_send &a, uint32_t t, int32_t expert, uint32_t threads,
                         routes_before routes, uint32_t *before)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t mine = 0;
    for (uint32_t first = threadIdx.x - lane; first < t * a.topk;) {
        for (uint32_t k = 0; k < a.topk; k++) {
            int32_t wanted = __shfl_sync(FULL, expert, k);
            uint32_t same = 0;
#pragma unroll
            for (uint32_t i = 0; i < ROUTES_AT_ONCE; i++)
                same += __popc(__ballot_sync(FULL, routes.expert[i] == wanted));
            if (lane == k) mine += same;
        }
        first += ROUTES_AT_ONCE * threads;
        if (first < t * a.topk) routes = load_before(a, t, first, threads);
    }
    if (mine != 0 && expert >= 0) atomicAdd(before + lane, mine);
}

/* Where token @p t is at its experts, to each of @p targets: by one warp, whose lanes are routes.
 */
DEVICE void send_entries(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t t, uint32_t targets,
                         int64_t expert, float weight, const uint32_t *before)
{
    uint32_t lane = threadIdx.x % WARP;
    if (lane >= g.max_topk) return;
    dxt_ep_cuda_entry entry = {CUDA_ELSEWHERE, 0, 0.0f};
    uint32_t owner = owner_of(g, expert);
    uint64_t none, packed;
    memcpy(&none, &entry, sizeof none);
    if (owner < g.ranks) {
        entry.expert = (uint16_t)((uint32_t)expert % g.local_experts);
        entry.position = (uint16_t)before[lane];
        entry.weight = weight;
    }
    memcpy(&packed, &entry, sizeof packed);
    for (uint32_t target = 0; target < g.ranks; target++)
        if (IS_SET(targets, target))
            *(uint64_t *)(entries_of(g, target, epoch, g.rank, t) + lane) =
                owner == target ? packed : none;
}

#endif
