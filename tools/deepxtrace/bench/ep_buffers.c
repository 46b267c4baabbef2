/* SPDX-License-Identifier: Apache-2.0 */
#include "ep_buffers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "splitmix.h"

void *ep_buffers_filled(size_t count, size_t size)
{
    void *memory = NULL;
    size_t bytes = count * size;
    if (posix_memalign(&memory, 4096, bytes ? bytes : 1) != 0) return NULL;
    madvise(memory, bytes, MADV_HUGEPAGE);
    memset(memory, 0x3c, bytes);
    return memory;
}

static int fill_routes(const struct ep_bench_config *c, uint32_t rank, int64_t *routes)
{
    uint32_t *experts = malloc(c->experts * sizeof *experts);
    if (!experts) return -1;
    for (uint32_t i = 0; i < c->experts; i++) experts[i] = i;
    uint64_t state = 1000u + rank;
    for (uint32_t t = 0; t < c->tokens; t++)
        for (uint32_t k = 0; k < c->topk; k++) {
            uint32_t other = k + (uint32_t)(splitmix_next(&state) % (c->experts - k));
            uint32_t expert = experts[other];
            experts[other] = experts[k];
            experts[k] = expert;
            routes[(size_t)t * c->topk + k] = expert;
        }
    free(experts);
    return 0;
}

int ep_buffers_make(const struct ep_bench_config *c, uint32_t rank, dxt_ep_dispatch *dispatch,
                    dxt_ep_combine *combine)
{
    size_t local = c->experts / c->ranks;
    size_t slots = local * c->ranks * c->tokens;
    size_t routes = (size_t)c->tokens * c->topk;
    uint16_t *x = ep_buffers_filled((size_t)c->tokens * c->hidden, sizeof *x);
    int64_t *topk_idx = ep_buffers_filled(routes, sizeof *topk_idx);
    float *weights = ep_buffers_filled(routes, sizeof *weights);
    dxt_ep_handle handle = {ep_buffers_filled(slots, sizeof(int32_t)), ep_buffers_filled(slots, 1),
                            ep_buffers_filled(local * c->ranks, sizeof(dxt_ep_range))};
    *dispatch = (dxt_ep_dispatch){
        .struct_size = sizeof *dispatch,
        .format = c->dispatch_format,
        .x = x,
        .topk_idx = topk_idx,
        .tokens = c->tokens,
        .topk = c->topk,
        .recv_x = ep_buffers_filled(slots * c->hidden, sizeof(uint16_t)),
        .recv_scales = ep_buffers_filled(slots * (c->hidden / DXT_EP_BLOCK), sizeof(float)),
        .recv_count = ep_buffers_filled(local, sizeof(int32_t)),
        .handle = handle};
    *combine = (dxt_ep_combine){.struct_size = sizeof *combine,
                                .format = c->combine_format,
                                .x = ep_buffers_filled(slots * c->hidden, sizeof(uint16_t)),
                                .handle = handle,
                                .topk_idx = topk_idx,
                                .topk_weights = weights,
                                .tokens = c->tokens,
                                .topk = c->topk,
                                .out = ep_buffers_filled((size_t)c->tokens * c->hidden, 2)};
    if (!x || !topk_idx || !weights || !handle.src_info || !handle.src_slot ||
        !handle.layout_range || !dispatch->recv_x || !dispatch->recv_scales ||
        !dispatch->recv_count || !combine->x || !combine->out ||
        fill_routes(c, rank, topk_idx) != 0)
        return -1;
    uint64_t state = rank;
    for (size_t i = 0; i < (size_t)c->tokens * c->hidden; i++)
        x[i] = (uint16_t)(0x3e00u + (splitmix_next(&state) & 0x81ffu));
    return 0;
}
