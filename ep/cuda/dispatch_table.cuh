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

/* Expert of a route, as 32 bits; -1 for what is none. */
DEVICE int32_t narrow(int64_t expert)
{
    return expert >= 0 && expert < INT32_MAX ? (int32_t)expert : -1;
}

/* Routes that a thread loads at once to count them. */
#define COUNTS_AT_ONCE 8u
struct counted_routes {
    int32_t expert[COUNTS_AT_ONCE]; /* INT32_MAX: leads nowhere */
};

/* Routes from @p first on, one for each thread in turn. */
DEVICE counted_routes load_counted(const dispatch_to_send &a, uint32_t first)
{
    counted_routes routes;
#pragma unroll
    for (uint32_t i = 0; i < COUNTS_AT_ONCE; i++) {
        uint32_t at = first + i * blockDim.x + threadIdx.x;
        int64_t expert = at < a.tokens * a.topk ? __ldg(a.topk_idx + at) : -1;
        routes.expert[i] = expert == -1 || narrow(expert) >= 0 ? (int32_t)expert : INT32_MAX;
    }
    return routes;
}

/* One block, one destination: how many tokens go to each of its experts. These words have to be
 * ahead of the rows, which fill the links: the block asks for its first @p routes and zeroes
 * `count`, which is for them, before it knows the epoch. */
DEVICE void send_counts(const dxt_ep_cuda_group &g, const dispatch_to_send &a, uint32_t epoch,
                        uint32_t target, counted_routes routes, uint32_t *count)
{
    uint32_t all = a.tokens * a.topk;
    bool trouble = false;
    for (uint32_t first = 0; first < all;) {
#pragma unroll
        for (uint32_t i = 0; i < COUNTS_AT_ONCE; i++) {
            uint32_t local = (uint32_t)routes.expert[i] - target * g.local_experts;
            trouble |= routes.expert[i] >= (int32_t)g.experts;
            if (local < g.local_experts) atomicAdd(&count[local], 1u);
        }
        first += COUNTS_AT_ONCE * blockDim.x;
        if (first < all) routes = load_counted(a, first);
    }
    __syncthreads();
    uint64_t *table = table_of(g, target, epoch, g.rank);
    for (uint32_t i = threadIdx.x; i <= g.local_experts; i += blockDim.x)
        store_relaxed(table + i, PACK_TABLE(epoch, i == 0 ? a.tokens : count[i - 1u]));
    if (trouble) report_trouble(g, CUDA_TROUBLE_ROUTE);
    __syncthreads(); /* before the block says that it has sent */
}

/* Routes of the tokens before, as a thread loads them; one of so many in turn. */
#define ROUTES_AT_ONCE 4u
struct routes_before {
    int32_t expert[ROUTES_AT_ONCE];
};

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
    uint32_t owner = owner_of(g, expert);
    uint32_t local = (uint32_t)expert % g.local_experts;
    uint4 entry = make_uint4(local | before[lane] << 16, __float_as_uint(weight), 0, TAG(epoch));
    uint4 none = make_uint4(CUDA_ELSEWHERE, 0, 0, TAG(epoch));
    for (uint32_t target = 0; target < g.ranks; target++)
        if (IS_SET(targets, target))
            store_whole(entries_of(g, target, epoch, g.rank, t) + lane,
                        owner == target ? entry : none);
}

#endif
