/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/copy.h"
#include "common/logfmt.h"
#include "mpi/mpi.h"

/* A (token, expert) copy in a dispatch. */
typedef struct route {
    uint32_t row;    /* among the rows of the message */
    uint32_t token;  /* at its source */
    uint32_t expert; /* at its target */
    uint32_t slot;
} route;

/* Above this a row that is packed would only push everything else out of the caches. */
#define STREAM_BYTES ((size_t)4 << 20)

static size_t line(size_t bytes)
{
    return (bytes + SHM_LINE - 1) / SHM_LINE * SHM_LINE;
}

size_t dxt_ep_mpi_most_copies(const dxt_ep_config *config)
{
    uint32_t local = config->experts / config->ranks;
    return (size_t)config->max_tokens * (local < config->max_topk ? local : config->max_topk);
}

dxt_ep_mpi_parts dxt_ep_mpi_dispatch_parts(const dxt_ep_config *config, uint32_t format,
                                           size_t copies, size_t rows)
{
    bool fp8 = format == DXT_EP_FP8;
    size_t scales = fp8 ? rows * (config->hidden / DXT_EP_BLOCK) * sizeof(float) : 0;
    dxt_ep_mpi_parts parts = {.scales = sizeof(dxt_ep_mpi_head) + line(copies * sizeof(route)),
                              .row = fp8 ? config->hidden : config->hidden * sizeof(uint16_t)};
    parts.rows = parts.scales + line(scales);
    parts.size = parts.rows + rows * parts.row;
    return parts;
}

dxt_ep_mpi_parts dxt_ep_mpi_combine_parts(const dxt_ep_config *config, uint32_t format, size_t rows)
{
    dxt_ep_mpi_parts parts = {.scales = sizeof(dxt_ep_mpi_head) + line(rows * sizeof(uint32_t)),
                              .row = dxt_ep_output_bytes(config, (dxt_ep_combine_format)format)};
    parts.rows = parts.scales;
    parts.size = parts.rows + rows * parts.row;
    return parts;
}

bool dxt_ep_mpi_plausible(const dxt_ep *ep, uint32_t operator_index, const dxt_ep_mpi_head *head,
                          size_t size)
{
    const dxt_ep_config *config = &ep->config;
    if (size < sizeof *head || head->copies > dxt_ep_mpi_most_copies(config) || head->format > 1)
        return false;
    if (operator_index == DXT_COMBINE)
        return head->rows == head->copies &&
               size == dxt_ep_mpi_combine_parts(config, head->format, head->rows).size;
    return head->rows <= config->max_tokens && head->rows <= head->copies &&
           size == dxt_ep_mpi_dispatch_parts(config, head->format, head->copies, head->rows).size;
}

/* ---- dispatch ---- */

/* The routes of this rank's outbox that lead to @p target, each token with one row. */
static void list_routes(const dxt_ep *ep, dxt_ep_shm_outbox *box, uint32_t target,
                        dxt_ep_mpi_head *head, route *list)
{
    const int32_t *routes = dxt_ep_shm_outbox_routes(ep->state, box);
    uint32_t first = target * ep->local_experts, last = UINT32_MAX;
    head->copies = head->rows = 0;
    for (uint32_t t = 0; t < box->tokens; t++)
        for (uint32_t k = 0; k < box->topk; k++) {
            int32_t expert = routes[(size_t)t * box->topk + k];
            uint32_t local = (uint32_t)expert - first;
            if (expert < 0 || local >= ep->local_experts) continue;
            if (last != t) head->rows++;
            last = t;
            list[head->copies++] = (route){head->rows - 1, t, local, k};
        }
}

size_t dxt_ep_mpi_pack_dispatch(const dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint32_t target,
                                uint64_t epoch, uint8_t *message)
{
    const dxt_ep_shm_state *s = ep->state;
    dxt_ep_mpi_head *head = (dxt_ep_mpi_head *)(void *)message;
    route *list = (route *)(void *)(message + sizeof *head);
    dxt_ep_shm_outbox *box = dxt_ep_shm_outbox_at(s, s->rank, epoch);
    *head = (dxt_ep_mpi_head){.epoch = epoch, .format = (uint32_t)dispatch->format};
    list_routes(ep, box, target, head, list);
    dxt_ep_mpi_parts at =
        dxt_ep_mpi_dispatch_parts(&ep->config, head->format, head->copies, head->rows);
    uint32_t blocks = ep->config.hidden / DXT_EP_BLOCK, next = 0;
    bool stream = at.size > STREAM_BYTES;
    for (uint32_t i = 0; i < head->copies; i++) {
        if (list[i].row != next) continue;
        uint32_t token = list[i].token;
        dxt_ep_copy(message + at.rows + next * at.row, dxt_ep_shm_outbox_row(s, box, token), at.row,
                    stream);
        if (dispatch->format == DXT_EP_FP8)
            memcpy(message + at.scales + next * blocks * sizeof(float),
                   dxt_ep_shm_outbox_scales(ep, box, token), blocks * sizeof(float));
        next++;
    }
    dxt_ep_copy_done(stream);
    return at.size;
}

dxt_ep_shm_sent dxt_ep_mpi_unpack(const dxt_ep *ep, uint32_t source, uint64_t epoch,
                                  dxt_ep_range *ranges)
{
    const dxt_ep_shm_state *s = ep->state;
    const dxt_ep_mpi_state *m = dxt_ep_mpi_of(ep);
    const uint8_t *message = dxt_ep_mpi_in(m, DXT_DISPATCH, epoch, m->index[source]);
    const dxt_ep_mpi_head *head = (const dxt_ep_mpi_head *)(const void *)message;
    const route *list = (const route *)(const void *)(message + sizeof *head);
    dxt_ep_mpi_parts at =
        dxt_ep_mpi_dispatch_parts(&ep->config, head->format, head->copies, head->rows);
    dxt_ep_shm_sent sent = {.rows = message + at.rows,
                            .stride = at.row,
                            .scales = (const float *)(const void *)(message + at.scales)};
    for (uint32_t i = 0; i < head->copies; i++) {
        route r = list[i];
        if (r.row >= head->rows || r.token >= ep->config.max_tokens ||
            r.expert >= ep->local_experts || r.slot >= ep->config.max_topk)
            continue;
        dxt_ep_range *range = ranges + (size_t)r.expert * s->ranks + source;
        if ((uint32_t)range->count == ep->config.max_tokens) continue;
        range->count++;
        s->route[sent.routes++] = (dxt_ep_shm_route){r.row, r.token, r.expert, (uint8_t)r.slot};
    }
    return sent;
}

/* ---- combine ---- */

size_t dxt_ep_mpi_pack_combine(const dxt_ep *ep, const dxt_ep_combine *combine, uint32_t home,
                               uint64_t epoch, uint8_t *message)
{
    const dxt_ep_config *config = &ep->config;
    size_t rows = dxt_ep_rows_for(ep, combine, home), next = 0;
    if (rows > dxt_ep_mpi_most_copies(config)) return 0;
    dxt_ep_mpi_head *head = (dxt_ep_mpi_head *)(void *)message;
    uint32_t *numbers = (uint32_t *)(void *)(message + sizeof *head);
    *head = (dxt_ep_mpi_head){.epoch = epoch,
                              .copies = (uint32_t)rows,
                              .rows = (uint32_t)rows,
                              .format = (uint32_t)combine->format};
    dxt_ep_mpi_parts at = dxt_ep_mpi_combine_parts(config, head->format, rows);
    bool stream = at.size > STREAM_BYTES;
    for (uint32_t expert = 0; expert < ep->local_experts; expert++) {
        dxt_ep_range range = combine->handle.layout_range[(size_t)expert * config->ranks + home];
        size_t slot = (size_t)expert * ep->slots + (size_t)range.begin;
        for (int32_t i = 0; i < range.count; i++, slot++, next++) {
            uint8_t *to = message + at.rows + next * at.row;
            const uint16_t *x = combine->x + slot * config->hidden;
            numbers[next] = (uint32_t)combine->handle.src_info[slot] * config->max_topk +
                            combine->handle.src_slot[slot];
            if (combine->format == DXT_EP_COMBINE_LOGFMT)
                dxt_logfmt_encode(x, config->hidden / DXT_EP_BLOCK, (dxt_logfmt_block *)(void *)to);
            else
                dxt_ep_copy(to, x, at.row, stream);
        }
    }
    dxt_ep_copy_done(stream);
    return at.size;
}

/* Whether a row is one that @p source owes this rank. */
static bool is_owed(const dxt_ep *ep, const dxt_ep_combine *combine, uint32_t source,
                    uint32_t number)
{
    uint32_t token = number / ep->config.max_topk, slot = number % ep->config.max_topk;
    if (token >= combine->tokens || slot >= combine->topk) return false;
    int64_t expert = combine->topk_idx[(size_t)token * combine->topk + slot];
    return expert >= 0 && expert / ep->local_experts == source;
}

dxt_status dxt_ep_mpi_find_rows(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch)
{
    const dxt_ep_shm_state *s = ep->state;
    dxt_ep_mpi_state *m = dxt_ep_mpi_of(ep);
    const uint8_t **found = m->found[epoch % DXT_EP_IN_FLIGHT];
    memset(found, 0, (size_t)ep->config.max_tokens * ep->config.max_topk * sizeof *found);
    for (uint32_t peer = 0; peer < m->count; peer++) {
        uint32_t source = m->ranks[peer];
        if (!s->heard[DXT_COMBINE][source]) continue;
        const uint8_t *message = dxt_ep_mpi_in(m, DXT_COMBINE, epoch, peer);
        const dxt_ep_mpi_head *head = (const dxt_ep_mpi_head *)(const void *)message;
        const uint32_t *numbers = (const uint32_t *)(const void *)(message + sizeof *head);
        dxt_ep_mpi_parts at = dxt_ep_mpi_combine_parts(&ep->config, head->format, head->rows);
        for (uint32_t i = 0; i < head->rows; i++) {
            uint32_t number = numbers[i];
            if (!is_owed(ep, combine, source, number) || found[number])
                return dxt_ep_fail(DXT_ERR_INVALID,
                                   "rank %u sent results for routes that rank %u did not send it",
                                   source, s->rank);
            found[number] = message + at.rows + i * at.row;
        }
    }
    return DXT_OK;
}

const void *dxt_ep_mpi_row(const dxt_ep *ep, uint64_t epoch, uint32_t row)
{
    return dxt_ep_mpi_of(ep)->found[epoch % DXT_EP_IN_FLIGHT][row];
}
