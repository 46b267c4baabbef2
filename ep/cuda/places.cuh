/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are in the windows of the ranks. */
#ifndef DXT_EP_CUDA_PLACES_CUH
#define DXT_EP_CUDA_PLACES_CUH

#include "cuda/access.cuh"

DEVICE dxt_ep_cuda_control *control_of(const dxt_ep_cuda_group &g, uint32_t rank)
{
    return (dxt_ep_cuda_control *)g.window[rank];
}

DEVICE uint32_t *arrival_of(const dxt_ep_cuda_group &g, uint32_t rank, uint32_t op, uint32_t epoch,
                            uint32_t row)
{
    return (uint32_t *)(g.window[rank] + g.at.arrivals[op]) +
           (size_t)(epoch % CUDA_PARITIES) * g.at.arrival_count[op] + row;
}

/* @p rows: an enum dxt_ep_cuda_rows. */
DEVICE uint8_t *row_of(const dxt_ep_cuda_group &g, uint32_t rank, uint32_t rows, uint32_t epoch,
                       uint32_t row)
{
    return g.window[rank] + g.at.rows[rows] +
           ((size_t)(epoch % CUDA_PARITIES) * g.at.row_count[rows] + row) * g.at.row[rows];
}

/* Words of a table: tokens of the source in all, then for each local expert. */
DEVICE uint64_t *table_of(const dxt_ep_cuda_group &g, uint32_t rank, uint32_t epoch,
                          uint32_t source)
{
    return (uint64_t *)(g.window[rank] + g.at.table +
                        ((epoch % CUDA_PARITIES) * g.ranks + source) * g.at.table_stride);
}

/* Entries of a token: one for each route. */
DEVICE dxt_ep_cuda_entry *entries_of(const dxt_ep_cuda_group &g, uint32_t rank, uint32_t epoch,
                                     uint32_t source, uint32_t t)
{
    return (dxt_ep_cuda_entry *)((uint8_t *)table_of(g, rank, epoch, source) + g.at.table_entries) +
           (size_t)t * g.max_topk;
}

/* Rank that a route leads to; g.ranks for a route that is not used or leads out of range. */
DEVICE uint32_t owner_of(const dxt_ep_cuda_group &g, int64_t expert)
{
    return expert >= 0 && expert < g.experts ? (uint32_t)expert / g.local_experts : g.ranks;
}

/* Expert of the lane's route of a token; -1 for a lane that has none. */
DEVICE int64_t expert_of_lane(const int64_t *topk_idx, uint32_t topk, uint32_t t)
{
    uint32_t lane = threadIdx.x % WARP;
    return lane < topk ? __ldg(topk_idx + (size_t)t * topk + lane) : -1;
}

/* Rank that the lane's route of a token leads to. */
DEVICE uint32_t owner_of_lane(const dxt_ep_cuda_group &g, const int64_t *topk_idx, uint32_t topk,
                              uint32_t t)
{
    return owner_of(g, expert_of_lane(topk_idx, topk, t));
}

#endif
