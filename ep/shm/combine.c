/* SPDX-License-Identifier: Apache-2.0 */
/* Each expert output is written into the inbox of its token's home, at the row of its route; the
 * home sums up. */
#include "shm/shm.h"

#include <string.h>

#include "common/copy.h"
#include "common/logfmt.h"
#include "common/sum.h"

/* As in dispatch, but what is written here is read again by another core. */
#define STREAM_BYTES ((size_t)4 << 20)

/* ---- sending ---- */

/* One row into its place, announced first (see shm.h). Nothing is written to a masked home. */
static dxt_status write_row(const dxt_ep *ep, const dxt_ep_combine *combine, uint32_t home,
                            uint64_t epoch, size_t slot, bool stream)
{
    dxt_ep_shm_state *s = ep->state;
    uint32_t row = (uint32_t)combine->handle.src_info[slot] * ep->config.max_topk +
                   combine->handle.src_slot[slot];
    atomic_store(&dxt_ep_shm_area(s, s->rank)->writing, dxt_ep_shm_row_name(home, epoch, row));
    dxt_status status = dxt_ep_shm_see_masks(s);
    if (status != DXT_OK || s->masked[home]) return status;
    uint8_t *to = dxt_ep_shm_inbox_row(ep, home, epoch, row);
    const uint16_t *x = combine->x + slot * ep->config.hidden;
    if (combine->format == DXT_EP_COMBINE_LOGFMT)
        dxt_logfmt_encode(x, ep->config.hidden / DXT_EP_BLOCK, (dxt_logfmt_block *)(void *)to);
    else
        dxt_ep_copy(to, x, s->at.row, stream);
    return DXT_OK;
}

static dxt_status write_rows(const dxt_ep *ep, const dxt_ep_combine *combine, uint32_t home,
                             uint64_t epoch, bool stream)
{
    const dxt_ep_shm_state *s = ep->state;
    dxt_status status = DXT_OK;
    for (uint32_t expert = 0; expert < ep->local_experts && status == DXT_OK; expert++) {
        dxt_ep_range range = combine->handle.layout_range[(size_t)expert * s->ranks + home];
        size_t first = (size_t)expert * ep->slots + (size_t)range.begin;
        for (int32_t i = 0; i < range.count && status == DXT_OK; i++)
            status = write_row(ep, combine, home, epoch, first + (size_t)i, stream);
    }
    dxt_ep_copy_done(stream);
    atomic_store(&dxt_ep_shm_area(s, s->rank)->writing, 0);
    return status;
}

dxt_status dxt_ep_shm_combine_send(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch)
{
    dxt_ep_shm_begin_send(ep, DXT_COMBINE, epoch);
    dxt_ep_shm_state *s = ep->state;
    size_t rows = 0;
    for (uint32_t home = 0; home < s->ranks; home++) rows += dxt_ep_rows_for(ep, combine, home);
    bool stream = rows * s->at.row > STREAM_BYTES;
    for (uint32_t i = 1; i <= s->ranks; i++) {
        uint32_t home = (s->rank + i) % s->ranks;
        dxt_status status = dxt_ep_shm_wait_free(ep, home, DXT_COMBINE, epoch);
        if (status != DXT_OK) return status;
        if (s->masked[home]) continue;
        if (dxt_ep_shm_is_far(s, home))
            status = s->far->combine_send(ep, combine, home, epoch);
        else
            status = write_rows(ep, combine, home, epoch, stream);
        if (status != DXT_OK) return status;
        if (!s->masked[home] && !dxt_ep_shm_is_far(s, home))
            dxt_ep_shm_announce(ep, home, DXT_COMBINE, epoch,
                                (uint32_t)dxt_ep_rows_for(ep, combine, home),
                                (uint32_t)combine->format);
    }
    return DXT_OK;
}

/* ---- receiving ---- */

/* Rows that never came would be summed from what lay there before. */
static dxt_status check_rows(const dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch)
{
    const dxt_ep_shm_state *s = ep->state;
    memset(s->rows, 0, s->ranks * sizeof *s->rows);
    for (size_t i = 0; i < (size_t)combine->tokens * combine->topk; i++)
        if (combine->topk_idx[i] >= 0) s->rows[combine->topk_idx[i] / ep->local_experts]++;
    for (uint32_t source = 0; source < s->ranks; source++) {
        uint32_t rows = dxt_ep_shm_flag_at(s, s->rank, DXT_COMBINE, epoch, source)->rows;
        if (s->heard[DXT_COMBINE][source] && rows != s->rows[source])
            return dxt_ep_fail(DXT_ERR_INVALID,
                               "rank %u sent results of %u routes to rank %u, which had sent it %u "
                               "routes; give combine the handle of its dispatch",
                               source, rows, s->rank, s->rows[source]);
    }
    return DXT_OK;
}

static void sum_token(const dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch, uint32_t t)
{
    const dxt_ep_shm_state *s = ep->state;
    uint32_t hidden = ep->config.hidden;
    const void *rows[DXT_EP_MAX_TOPK];
    float weights[DXT_EP_MAX_TOPK];
    uint32_t count = 0;
    for (uint32_t k = 0; k < combine->topk; k++) {
        size_t route = (size_t)t * combine->topk + k;
        int64_t expert = combine->topk_idx[route];
        if (expert < 0 || !s->heard[DXT_COMBINE][expert / ep->local_experts]) continue;
        uint32_t row = t * ep->config.max_topk + k;
        rows[count] = dxt_ep_shm_is_far(s, (uint32_t)(expert / ep->local_experts))
                          ? s->far->row(ep, epoch, row)
                          : dxt_ep_shm_inbox_row(ep, s->rank, epoch, row);
        weights[count++] = combine->topk_weights[route];
    }
    uint16_t *out = combine->out + (size_t)t * hidden;
    if (combine->format == DXT_EP_COMBINE_LOGFMT)
        dxt_logfmt_sum((const dxt_logfmt_block *const *)rows, weights, count, hidden, out);
    else
        dxt_ep_sum_bf16((const uint16_t *const *)rows, weights, count, hidden, out);
}

/* Rows of this parity that a masked rank may still be writing are not used again until it stops. */
static void move_rows(const dxt_ep_shm_state *s, uint64_t epoch)
{
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < s->ranks; rank++) {
        if (!s->masked[rank] || dxt_ep_shm_is_far(s, rank)) continue;
        uint64_t name = atomic_load(&dxt_ep_shm_area(s, rank)->writing);
        uint32_t row = (uint32_t)name;
        if (name == 0 || name != dxt_ep_shm_row_name(s->rank, epoch, row)) continue;
        atomic_store_explicit(dxt_ep_shm_moved(s, s->rank, epoch) + count++, row,
                              memory_order_relaxed);
    }
    atomic_store_explicit(&dxt_ep_shm_area(s, s->rank)->moved_count[epoch % DXT_EP_IN_FLIGHT],
                          count, memory_order_relaxed);
}

dxt_status dxt_ep_shm_combine_recv(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch)
{
    dxt_ep_shm_state *s = ep->state;
    dxt_status status = dxt_ep_shm_wait_all(ep, DXT_COMBINE, epoch,
                                            dxt_ep_output_bytes(&ep->config, combine->format));
    if (status != DXT_OK) return status;
    status = dxt_ep_shm_check_formats(ep, DXT_COMBINE, epoch, (uint32_t)combine->format);
    if (status == DXT_OK) status = check_rows(ep, combine, epoch);
    if (status == DXT_OK && s->far) status = s->far->find_rows(ep, combine, epoch);
    for (uint32_t t = 0; t < combine->tokens && status == DXT_OK; t++)
        sum_token(ep, combine, epoch, t);
    if (dxt_ep_shm_see_masks(s) != DXT_OK) return DXT_ERR_MASKED;
    move_rows(s, epoch);
    return dxt_ep_shm_consume(ep, DXT_COMBINE, epoch, status);
}
