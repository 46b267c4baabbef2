/* SPDX-License-Identifier: Apache-2.0 */
/* A token is written once, into the outbox of its source; every receiver picks the routes to its
 * own experts and unpacks them. */
#include "shm/shm.h"

#include <string.h>

#include "common/copy.h"
#include "common/fp8.h"

/* Above this the unpacked data would only push everything else out of the caches. */
#define STREAM_BYTES ((size_t)4 << 20)

int32_t *dxt_ep_shm_outbox_routes(const dxt_ep_shm_state *s, dxt_ep_shm_outbox *box)
{
    return (int32_t *)(void *)((uint8_t *)box + s->at.routes);
}

float *dxt_ep_shm_outbox_scales(const dxt_ep *ep, dxt_ep_shm_outbox *box, uint32_t token)
{
    const dxt_ep_shm_state *s = ep->state;
    return (float *)(void *)((uint8_t *)box + s->at.scales) +
           (size_t)token * (ep->config.hidden / DXT_EP_BLOCK);
}

uint8_t *dxt_ep_shm_outbox_row(const dxt_ep_shm_state *s, dxt_ep_shm_outbox *box, uint32_t token)
{
    return (uint8_t *)box + s->at.rows + token * s->at.row;
}

/* ---- sending ---- */

static void fill_outbox(const dxt_ep *ep, const dxt_ep_dispatch *dispatch, dxt_ep_shm_outbox *box)
{
    const dxt_ep_shm_state *s = ep->state;
    uint32_t hidden = ep->config.hidden;
    bool stream = dispatch->tokens * s->at.row > STREAM_BYTES;
    int32_t *routes = dxt_ep_shm_outbox_routes(s, box);
    box->tokens = dispatch->tokens;
    box->topk = dispatch->topk;
    for (uint32_t t = 0; t < dispatch->tokens; t++) {
        bool used = false;
        for (uint32_t k = 0; k < dispatch->topk; k++) {
            int64_t expert = dispatch->topk_idx[(size_t)t * dispatch->topk + k];
            routes[(size_t)t * dispatch->topk + k] = (int32_t)expert;
            if (expert < 0) continue;
            used = true;
            s->rows[expert / ep->local_experts]++;
        }
        if (!used) continue;
        const uint16_t *x = dispatch->x + (size_t)t * hidden;
        if (dispatch->format == DXT_EP_FP8)
            dxt_fp8_encode(x, hidden, dxt_ep_shm_outbox_row(s, box, t),
                           dxt_ep_shm_outbox_scales(ep, box, t));
        else
            dxt_ep_copy(dxt_ep_shm_outbox_row(s, box, t), x, s->at.row, stream);
    }
    dxt_ep_copy_done(stream);
}

dxt_status dxt_ep_shm_dispatch_send(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch)
{
    dxt_ep_shm_begin_send(ep, DXT_DISPATCH, epoch);
    dxt_ep_shm_state *s = ep->state;
    for (uint32_t rank = 0; rank < s->ranks; rank++) {
        dxt_status status = dxt_ep_shm_wait_free(ep, rank, DXT_DISPATCH, epoch);
        if (status != DXT_OK) return status;
    }
    memset(s->rows, 0, s->ranks * sizeof *s->rows);
    fill_outbox(ep, dispatch, dxt_ep_shm_outbox_at(s, s->rank, epoch));
    for (uint32_t i = 1; i <= s->ranks; i++) {
        uint32_t target = (s->rank + i) % s->ranks;
        if (s->masked[target]) continue;
        dxt_status status = DXT_OK;
        if (dxt_ep_shm_is_far(s, target))
            status = s->far->dispatch_send(ep, dispatch, target, epoch);
        else
            dxt_ep_shm_announce(ep, target, DXT_DISPATCH, epoch, s->rows[target],
                                (uint32_t)dispatch->format);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}

/* ---- receiving ---- */

/* The routes of @p source that lead here, into s->route, and their number. What a dying rank left
 * is read once and believed only within bounds: no more tokens of one source to one expert than it
 * may have, so that nothing overflows a packed buffer. */
static uint32_t pick_routes(const dxt_ep *ep, uint32_t source, dxt_ep_shm_outbox *box,
                            dxt_ep_range *ranges)
{
    const dxt_ep_shm_state *s = ep->state;
    const int32_t *routes = dxt_ep_shm_outbox_routes(s, box);
    uint32_t tokens = __atomic_load_n(&box->tokens, __ATOMIC_RELAXED);
    uint32_t topk = __atomic_load_n(&box->topk, __ATOMIC_RELAXED);
    if (tokens > ep->config.max_tokens || topk > ep->config.max_topk) return 0;
    uint32_t first = s->rank * ep->local_experts;
    uint32_t count = 0;
    for (uint32_t t = 0; t < tokens; t++)
        for (uint32_t k = 0; k < topk; k++) {
            int32_t expert = __atomic_load_n(routes + (size_t)t * topk + k, __ATOMIC_RELAXED);
            uint32_t local = (uint32_t)expert - first;
            if (expert < 0 || local >= ep->local_experts) continue;
            dxt_ep_range *range = ranges + (size_t)local * s->ranks + source;
            if ((uint32_t)range->count == ep->config.max_tokens) continue;
            range->count++;
            s->route[count++] = (dxt_ep_shm_route){t, t, local, (uint8_t)k};
        }
    return count;
}

static dxt_ep_shm_sent sent_by(const dxt_ep *ep, uint32_t source, uint64_t epoch,
                               dxt_ep_range *ranges)
{
    const dxt_ep_shm_state *s = ep->state;
    if (dxt_ep_shm_is_far(s, source)) return s->far->unpack(ep, source, epoch, ranges);
    dxt_ep_shm_outbox *box = dxt_ep_shm_outbox_at(s, source, epoch);
    return (dxt_ep_shm_sent){.rows = dxt_ep_shm_outbox_row(s, box, 0),
                             .stride = s->at.row,
                             .scales = dxt_ep_shm_outbox_scales(ep, box, 0),
                             .routes = pick_routes(ep, source, box, ranges)};
}

static void unpack(const dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint32_t source,
                   uint64_t epoch, bool stream)
{
    const dxt_ep_shm_state *s = ep->state;
    const dxt_ep_handle *handle = &dispatch->handle;
    uint32_t blocks = ep->config.hidden / DXT_EP_BLOCK;
    bool fp8 = dispatch->format == DXT_EP_FP8;
    size_t bytes = fp8 ? ep->config.hidden : s->at.row;
    dxt_ep_shm_sent sent = sent_by(ep, source, epoch, handle->layout_range);
    for (uint32_t i = 0; i < sent.routes; i++) {
        dxt_ep_shm_route route = s->route[i];
        size_t slot = (size_t)route.expert * ep->slots + (size_t)dispatch->recv_count[route.expert];
        dispatch->recv_count[route.expert]++;
        handle->src_info[slot] = (int32_t)route.token;
        handle->src_slot[slot] = route.slot;
        dxt_ep_copy((uint8_t *)dispatch->recv_x + slot * bytes, sent.rows + route.row * sent.stride,
                    bytes, stream);
        if (fp8)
            memcpy(dispatch->recv_scales + slot * blocks, sent.scales + (size_t)route.row * blocks,
                   blocks * sizeof(float));
    }
}

static void unpack_all(const dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch)
{
    const dxt_ep_shm_state *s = ep->state;
    size_t rows = 0;
    for (uint32_t source = 0; source < s->ranks; source++)
        if (s->heard[DXT_DISPATCH][source])
            rows += dxt_ep_shm_flag_at(s, s->rank, DXT_DISPATCH, epoch, source)->rows;
    bool stream = rows * dxt_ep_token_bytes(&ep->config, dispatch->format) > STREAM_BYTES;
    memset(dispatch->recv_count, 0, ep->local_experts * sizeof(int32_t));
    for (uint32_t source = 0; source < s->ranks; source++) {
        for (uint32_t local = 0; local < ep->local_experts; local++)
            dispatch->handle.layout_range[(size_t)local * s->ranks + source] =
                (dxt_ep_range){0, dispatch->recv_count[local]};
        if (s->heard[DXT_DISPATCH][source]) unpack(ep, dispatch, source, epoch, stream);
    }
    dxt_ep_copy_done(stream);
}

dxt_status dxt_ep_shm_dispatch_recv(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch)
{
    dxt_ep_shm_state *s = ep->state;
    dxt_status status = dxt_ep_shm_wait_all(ep, DXT_DISPATCH, epoch,
                                            dxt_ep_token_bytes(&ep->config, dispatch->format));
    if (status != DXT_OK) return status;
    status = dxt_ep_shm_check_formats(ep, DXT_DISPATCH, epoch, (uint32_t)dispatch->format);
    if (status == DXT_OK) unpack_all(ep, dispatch, epoch);
    /* Once masked, this rank may have been overtaken while it read. */
    if (dxt_ep_shm_see_masks(s) != DXT_OK) return DXT_ERR_MASKED;
    return dxt_ep_shm_consume(ep, DXT_DISPATCH, epoch, status);
}
