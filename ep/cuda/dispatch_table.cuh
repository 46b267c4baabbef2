/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a dispatch: where the tokens go among those of this source. */
#ifndef DXT_EP_CUDA_DISPATCH_TABLE_CUH
#define DXT_EP_CUDA_DISPATCH_TABLE_CUH

#include "cuda/send.cuh"

/* What the kernel gets of a dispatch to send. */
struct send_arguments {
    const uint16_t *x;
    const int64_t *topk_idx;
    const float *topk_weights;
    uint32_t tokens, topk, format;
    bool announce;
};

/* One block, one destination. `who` has a bit for each (expert, token): what the position of a
 * token is, is the number of bits below its own. */
DEVICE void send_table(const dxt_ep_cuda_group &g, const send_arguments &a, uint32_t epoch,
                       uint32_t target, uint32_t *who)
{
    uint32_t words = (a.tokens + 31u) / 32u;
    uint32_t routes = a.tokens * a.topk;
    bool room = threadIdx.x > 0 || wait_for_room(g, DXT_DISPATCH, epoch, target);
    for (uint32_t i = threadIdx.x; i < g.local_experts * words; i += blockDim.x) who[i] = 0;
    if (!__syncthreads_and(room)) return;
    for (uint32_t i = threadIdx.x; i < routes; i += blockDim.x) {
        int64_t expert = a.topk_idx[i];
        uint32_t token = i / a.topk;
        if (expert < -1 || expert >= g.experts) report_trouble(g, CUDA_TROUBLE_ROUTE);
        if (owner_of(g, expert) == target)
            atomicOr(&who[(uint32_t)expert % g.local_experts * words + token / 32u],
                     1u << token % 32u);
    }
    __syncthreads();
    uint8_t *table = table_of(g, target, epoch, g.rank);
    dxt_ep_cuda_entry *entries = (dxt_ep_cuda_entry *)(table + g.at.table_entries);
    for (uint32_t i = threadIdx.x; i < routes; i += blockDim.x) {
        int64_t expert = a.topk_idx[i];
        uint32_t token = i / a.topk;
        dxt_ep_cuda_entry entry = {CUDA_ELSEWHERE, 0, 0.0f};
        if (owner_of(g, expert) == target) {
            entry.expert = (uint16_t)((uint32_t)expert % g.local_experts);
            const uint32_t *bits = who + entry.expert * words;
            uint32_t position = __popc(bits[token / 32u] & ((1u << token % 32u) - 1u));
            for (uint32_t w = 0; w < token / 32u; w++) position += __popc(bits[w]);
            entry.position = (uint16_t)position;
            entry.weight = a.topk_weights ? a.topk_weights[i] : 0.0f;
        }
        uint64_t packed;
        memcpy(&packed, &entry, sizeof packed);
        *(uint64_t *)(entries + (size_t)token * g.max_topk + i % a.topk) = packed;
    }
    for (uint32_t e = threadIdx.x; e < g.local_experts; e += blockDim.x) {
        uint32_t count = 0;
        for (uint32_t w = 0; w < words; w++) count += __popc(who[e * words + w]);
        ((uint32_t *)table)[e] = count;
    }
    /* Routes that this dispatch does not have. */
    for (uint32_t i = threadIdx.x; i < a.tokens * (g.max_topk - a.topk); i += blockDim.x) {
        uint32_t rest = g.max_topk - a.topk;
        dxt_ep_cuda_entry none = {CUDA_ELSEWHERE, 0, 0.0f};
        entries[(size_t)(i / rest) * g.max_topk + a.topk + i % rest] = none;
    }
    __syncthreads();
    if (threadIdx.x == 0)
        store_release(&control_of(g, target)->table[epoch % CUDA_PARITIES][g.rank],
                      PACK_TABLE(epoch, a.tokens));
}

#endif
