/* SPDX-License-Identifier: Apache-2.0 */
/* Which ranks take part, and how it is told. */
#ifndef DXT_EP_CUDA_MASKS_CUH
#define DXT_EP_CUDA_MASKS_CUH

#include "cuda/places.cuh"
#include "cuda/words.cuh"

/* Bit per rank that takes no part. A rank that finds itself given up takes no part in anything. */
DEVICE uint32_t ranks_out_of(const dxt_ep_cuda_group &g, uint32_t mask)
{
    return IS_SET(mask, g.rank) ? ALL_RANKS(g) : mask;
}

DEVICE uint32_t ranks_out(const dxt_ep_cuda_group &g)
{
    return ranks_out_of(g, load_relaxed(&g.state->mask));
}

DEVICE void report_masks(const dxt_ep_cuda_group &g, uint32_t mask)
{
    atomicOr_system(&g.report->masked, mask);
}

DEVICE void report_trouble(const dxt_ep_cuda_group &g, uint32_t trouble)
{
    atomicOr_system(&g.report->trouble, trouble);
}

/* Give ranks up, and tell all, those too. */
DEVICE void give_up(const dxt_ep_cuda_group &g, uint32_t victims)
{
    for (uint32_t rank = 0; rank < g.ranks; rank++)
        atomicOr_system(&control_of(g, rank)->gossip, victims);
    report_masks(g, victims);
}

/* What others have found out counts from the next operation on. Only the first block of a send
 * calls, before any block of the receive can begin: all blocks of an operation see one mask. */
DEVICE void hear_gossip(const dxt_ep_cuda_group &g)
{
    uint32_t gossip = load_relaxed(&control_of(g, g.rank)->gossip);
    if ((gossip & ~load_relaxed(&g.state->mask)) == 0) return;
    atomicOr(&g.state->mask, gossip);
    report_masks(g, gossip);
    __threadfence();
}

/* Who waits for others shows that it is alive. */
DEVICE void show_life(const dxt_ep_cuda_group &g)
{
    atomicAdd_system(&control_of(g, g.rank)->beat, 1u);
}

#endif
