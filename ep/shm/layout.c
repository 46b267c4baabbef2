/* SPDX-License-Identifier: Apache-2.0 */
#include "shm/shm.h"

#include <unistd.h>

/* Lays things out one behind the other; `failed` once an offset does not fit. */
typedef struct cursor {
    size_t at;
    bool failed;
} cursor;

static size_t place(cursor *c, size_t count, size_t size, size_t alignment)
{
    size_t bytes;
    size_t start;
    if (__builtin_add_overflow(c->at, alignment - 1, &start)) c->failed = true;
    start -= start % alignment;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(start, bytes, &c->at) || c->at > PTRDIFF_MAX)
        c->failed = true;
    return start;
}

dxt_status dxt_ep_shm_layout_of(const dxt_ep_config *config, uint32_t members,
                                dxt_ep_shm_layout *layout)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t ranks = config->ranks;
    size_t tokens = config->max_tokens;
    size_t routes = tokens * config->max_topk;
    dxt_ep_shm_layout at = {.row = config->hidden * sizeof(uint16_t)};

    cursor outbox = {.at = sizeof(dxt_ep_shm_outbox)};
    at.routes = place(&outbox, routes, sizeof(int32_t), SHM_LINE);
    at.scales = place(&outbox, tokens, config->hidden / DXT_EP_BLOCK * sizeof(float), SHM_LINE);
    at.rows = place(&outbox, tokens, at.row, page);
    at.outbox_stride = place(&outbox, 0, 0, page);

    cursor inbox = {0};
    place(&inbox, routes + ranks - 1, at.row, page); /* one spare row per other rank */
    at.inbox_stride = place(&inbox, 0, 0, page);

    cursor area = {.at = sizeof(dxt_ep_shm_rank)};
    at.flags = place(&area, DXT_EP_OPERATORS * DXT_EP_IN_FLIGHT * ranks, sizeof(dxt_ep_shm_flag),
                     SHM_LINE);
    at.moved = place(&area, DXT_EP_IN_FLIGHT * ranks, sizeof(uint32_t), SHM_LINE);
    at.outbox = place(&area, DXT_EP_IN_FLIGHT, at.outbox_stride, page);
    at.inbox = place(&area, DXT_EP_IN_FLIGHT, at.inbox_stride, page);
    at.rank_stride = place(&area, 0, 0, page);

    cursor all = {.at = sizeof(dxt_ep_shm_header)};
    place(&all, ranks + 1, sizeof(uint32_t), SHM_LINE);
    at.ranks = place(&all, members, at.rank_stride, page);
    at.size = place(&all, 0, 0, page);
    if (outbox.failed || inbox.failed || area.failed || all.failed)
        return dxt_ep_fail(DXT_ERR_LIMIT, "the group needs more memory than can be addressed; "
                                          "lower max_tokens or hidden");
    *layout = at;
    return DXT_OK;
}

static uint8_t *area_bytes(const dxt_ep_shm_state *s, uint32_t rank)
{
    return s->base + s->at.ranks + s->area_of[rank] * s->at.rank_stride;
}

dxt_ep_shm_rank *dxt_ep_shm_area(const dxt_ep_shm_state *s, uint32_t rank)
{
    return (dxt_ep_shm_rank *)(void *)area_bytes(s, rank);
}

dxt_ep_shm_flag *dxt_ep_shm_flag_at(const dxt_ep_shm_state *s, uint32_t rank,
                                    uint32_t operator_index, uint64_t epoch, uint32_t source)
{
    dxt_ep_shm_flag *flags = (dxt_ep_shm_flag *)(void *)(area_bytes(s, rank) + s->at.flags);
    return flags +
           (operator_index * DXT_EP_IN_FLIGHT + epoch % DXT_EP_IN_FLIGHT) * (size_t)s->ranks +
           source;
}

dxt_ep_shm_outbox *dxt_ep_shm_outbox_at(const dxt_ep_shm_state *s, uint32_t rank, uint64_t epoch)
{
    return (dxt_ep_shm_outbox *)(void *)(area_bytes(s, rank) + s->at.outbox +
                                         epoch % DXT_EP_IN_FLIGHT * s->at.outbox_stride);
}

_Atomic uint32_t *dxt_ep_shm_moved(const dxt_ep_shm_state *s, uint32_t rank, uint64_t epoch)
{
    _Atomic uint32_t *moved = (_Atomic uint32_t *)(void *)(area_bytes(s, rank) + s->at.moved);
    return moved + epoch % DXT_EP_IN_FLIGHT * s->ranks;
}

uint8_t *dxt_ep_shm_inbox_row(const dxt_ep *ep, uint32_t rank, uint64_t epoch, uint32_t row)
{
    const dxt_ep_shm_state *s = ep->state;
    uint32_t count = atomic_load_explicit(
        &dxt_ep_shm_area(s, rank)->moved_count[epoch % DXT_EP_IN_FLIGHT], memory_order_relaxed);
    size_t index = row;
    for (uint32_t i = 0; i < count && i + 1 < s->ranks; i++)
        if (atomic_load_explicit(dxt_ep_shm_moved(s, rank, epoch) + i, memory_order_relaxed) == row)
            index = ep->config.max_tokens * ep->config.max_topk + i;
    return area_bytes(s, rank) + s->at.inbox + epoch % DXT_EP_IN_FLIGHT * s->at.inbox_stride +
           index * s->at.row;
}

uint64_t dxt_ep_shm_row_name(uint32_t rank, uint64_t epoch, uint32_t row)
{
    return (uint64_t)(rank + 1) << 33 | epoch % DXT_EP_IN_FLIGHT << 32 | row;
}
