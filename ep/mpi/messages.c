/* SPDX-License-Identifier: Apache-2.0 */
#include "mpi/mpi.h"

#define SLOTS (DXT_EP_OPERATORS * DXT_EP_IN_FLIGHT)
/* Tags: slots of (operator, parity), and behind them this. */
#define TAG_MASK ((int)SLOTS)

static int tag_of(uint32_t operator_index, uint64_t epoch)
{
    return (int)(operator_index * DXT_EP_IN_FLIGHT + epoch % DXT_EP_IN_FLIGHT);
}

/* ---- receiving ---- */

dxt_status dxt_ep_mpi_arm(dxt_ep *ep, dxt_ep_mpi_state *m)
{
    int error = MPI_SUCCESS;
    (void)ep;
    for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++)
        for (uint64_t epoch = 1; epoch <= DXT_EP_IN_FLIGHT; epoch++) {
            m->expected[o][epoch % DXT_EP_IN_FLIGHT] = epoch;
            for (uint32_t peer = 0; peer < m->count && error == MPI_SUCCESS; peer++)
                error = MPI_Recv_init(dxt_ep_mpi_in(m, o, epoch, peer), (int)m->stride[o], MPI_BYTE,
                                      (int)m->ranks[peer], tag_of(o, epoch), m->comm,
                                      &m->receives[dxt_ep_mpi_slot(m, o, epoch, peer)]);
        }
    size_t count = SLOTS * (size_t)m->count;
    if (error == MPI_SUCCESS)
        error = MPI_Recv_init(&m->mask_in, 1, MPI_UINT32_T, MPI_ANY_SOURCE, TAG_MASK, m->comm,
                              &m->receives[count]);
    if (error == MPI_SUCCESS) error = MPI_Startall((int)count + 1, m->receives);
    m->armed = error == MPI_SUCCESS;
    return error == MPI_SUCCESS ? DXT_OK : dxt_ep_mpi_failed("cannot post receives", error);
}

bool dxt_ep_mpi_disarm(dxt_ep_mpi_state *m)
{
    size_t count = SLOTS * (size_t)m->count;
    int complete = 1;
    for (size_t i = 0; m->receives && i <= count; i++) {
        if (m->receives[i] == MPI_REQUEST_NULL) continue;
        int done = 0;
        if (m->armed) MPI_Test(&m->receives[i], &done, MPI_STATUS_IGNORE);
        if (m->armed && !done) {
            MPI_Cancel(&m->receives[i]);
            MPI_Wait(&m->receives[i], MPI_STATUS_IGNORE);
        }
        MPI_Request_free(&m->receives[i]);
    }
    if (m->sends) MPI_Testall((int)count, m->sends, &complete, m->statuses);
    return !complete;
}

/* A message is there. */
static dxt_status take(dxt_ep *ep, dxt_ep_mpi_state *m, size_t slot, const MPI_Status *status)
{
    uint32_t peer = (uint32_t)(slot % m->count), index = (uint32_t)(slot / m->count);
    uint32_t operator_index = index / DXT_EP_IN_FLIGHT, parity = index % DXT_EP_IN_FLIGHT;
    uint64_t epoch = m->expected[operator_index][parity];
    const dxt_ep_mpi_head *head =
        (const dxt_ep_mpi_head *)(const void *)dxt_ep_mpi_in(m, operator_index, epoch, peer);
    int size = 0;
    /* From one that was given up, and may be an operation behind. */
    if (((const dxt_ep_shm_state *)ep->state)->masked[m->ranks[peer]]) return DXT_OK;
    MPI_Get_count(status, MPI_BYTE, &size);
    if (size < 0 || !dxt_ep_mpi_plausible(ep, operator_index, head, (size_t)size) ||
        head->epoch != epoch)
        return dxt_ep_fail(
            DXT_ERR_IO,
            "rank %u sent a damaged message; all ranks must use one version of the library",
            m->ranks[peer]);
    m->here[slot] = 1;
    dxt_ep_shm_arrived(ep, m->ranks[peer], operator_index, epoch, head->copies, head->format);
    return DXT_OK;
}

/* Somebody elsewhere has given a rank up. That it may be this one shows at the next look. */
static dxt_status take_mask(dxt_ep_shm_state *s, dxt_ep_mpi_state *m)
{
    if (m->mask_in < s->ranks) dxt_ep_shm_mask_here(s, m->mask_in);
    int error = MPI_Start(&m->receives[SLOTS * (size_t)m->count]);
    return error == MPI_SUCCESS ? DXT_OK : dxt_ep_mpi_failed("cannot post a receive", error);
}

static dxt_status poll(dxt_ep *ep)
{
    dxt_ep_shm_state *s = ep->state;
    dxt_ep_mpi_state *m = s->far_state;
    size_t masks = SLOTS * (size_t)m->count;
    int count = 0;
    int error = MPI_Testsome((int)masks + 1, m->receives, &count, m->done, m->statuses);
    if (error != MPI_SUCCESS) return dxt_ep_mpi_failed("cannot receive", error);
    for (int i = 0; i < count && count != MPI_UNDEFINED; i++) {
        size_t slot = (size_t)m->done[i];
        dxt_status status = slot == masks ? take_mask(s, m) : take(ep, m, slot, &m->statuses[i]);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}

/* ---- sending ---- */

static dxt_status is_free(const dxt_ep *ep, uint32_t target, uint32_t operator_index,
                          uint64_t epoch, bool *is)
{
    dxt_ep_mpi_state *m = dxt_ep_mpi_of(ep);
    int done = 0;
    int error = MPI_Test(&m->sends[dxt_ep_mpi_slot(m, operator_index, epoch, m->index[target])],
                         &done, MPI_STATUS_IGNORE);
    if (error != MPI_SUCCESS) return dxt_ep_mpi_failed("cannot send", error);
    *is = done;
    return DXT_OK;
}

static dxt_status send(dxt_ep_mpi_state *m, uint32_t operator_index, uint64_t epoch,
                       uint32_t target, size_t size)
{
    uint32_t peer = m->index[target];
    int error = MPI_Isend(dxt_ep_mpi_out(m, operator_index, epoch, peer), (int)size, MPI_BYTE,
                          (int)target, tag_of(operator_index, epoch), m->comm,
                          &m->sends[dxt_ep_mpi_slot(m, operator_index, epoch, peer)]);
    return error == MPI_SUCCESS ? DXT_OK : dxt_ep_mpi_failed("cannot send", error);
}

static dxt_status dispatch_send(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint32_t target,
                                uint64_t epoch)
{
    dxt_ep_mpi_state *m = dxt_ep_mpi_of(ep);
    uint8_t *message = dxt_ep_mpi_out(m, DXT_DISPATCH, epoch, m->index[target]);
    size_t size = dxt_ep_mpi_pack_dispatch(ep, dispatch, target, epoch, message);
    return send(m, DXT_DISPATCH, epoch, target, size);
}

static dxt_status combine_send(dxt_ep *ep, const dxt_ep_combine *combine, uint32_t home,
                               uint64_t epoch)
{
    dxt_ep_mpi_state *m = dxt_ep_mpi_of(ep);
    uint8_t *message = dxt_ep_mpi_out(m, DXT_COMBINE, epoch, m->index[home]);
    size_t size = dxt_ep_mpi_pack_combine(ep, combine, home, epoch, message);
    if (size == 0)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "handle: it has more rows of rank %u than that rank sent; give the "
                           "handle that dispatch filled",
                           home);
    return send(m, DXT_COMBINE, epoch, home, size);
}

/* Whether all that was sent to unmasked ranks has gone. */
static dxt_status all_gone(const dxt_ep *ep, uint32_t operator_index, uint64_t epoch, bool *gone)
{
    const dxt_ep_shm_state *s = ep->state;
    const dxt_ep_mpi_state *m = s->far_state;
    *gone = true;
    for (uint32_t peer = 0; peer < m->count; peer++) {
        bool is = false;
        if (s->masked[m->ranks[peer]]) continue;
        dxt_status status = is_free(ep, m->ranks[peer], operator_index, epoch, &is);
        if (status != DXT_OK) return status;
        *gone &= is;
    }
    return DXT_OK;
}

/* Long messages move only while both ends call MPI: a rank that went off to compute now would let
 * those wait for it that it has kept waiting for nothing. They have all begun this operation. */
static dxt_status see_off(dxt_ep *ep, uint32_t operator_index, uint64_t epoch)
{
    dxt_ep_shm_state *s = ep->state;
    int64_t begin_ns = 0;
    for (;;) {
        bool gone;
        dxt_status status = all_gone(ep, operator_index, epoch, &gone);
        if (status != DXT_OK || gone) return status;
        int64_t now_ns = dxt_ep_shm_now_ns();
        if (begin_ns == 0) begin_ns = now_ns;
        /* Who does not take it will be masked before the region is used again. */
        if (now_ns - begin_ns > ep->config.timeout_ns) return DXT_OK;
        dxt_ep_shm_note_waiting(s, now_ns);
        dxt_ep_shm_pause(now_ns - begin_ns);
        status = poll(ep);
        if (status == DXT_OK) status = dxt_ep_shm_see_masks(s);
        if (status != DXT_OK) return status;
    }
}

static dxt_status consume(dxt_ep *ep, uint32_t operator_index, uint64_t epoch)
{
    dxt_ep_mpi_state *m = dxt_ep_mpi_of(ep);
    m->expected[operator_index][epoch % DXT_EP_IN_FLIGHT] = epoch + DXT_EP_IN_FLIGHT;
    for (uint32_t peer = 0; peer < m->count; peer++) {
        size_t slot = dxt_ep_mpi_slot(m, operator_index, epoch, peer);
        if (!m->here[slot]) continue;
        m->here[slot] = 0;
        int error = MPI_Start(&m->receives[slot]);
        if (error != MPI_SUCCESS) return dxt_ep_mpi_failed("cannot post a receive", error);
    }
    return see_off(ep, operator_index, epoch);
}

static void tell_masked(dxt_ep *ep, uint32_t victim)
{
    dxt_ep_mpi_state *m = dxt_ep_mpi_of(ep);
    for (uint32_t peer = 0; peer < m->count; peer++) {
        MPI_Request request;
        if (MPI_Isend(&m->mask_out[victim], 1, MPI_UINT32_T, (int)m->ranks[peer], TAG_MASK, m->comm,
                      &request) == MPI_SUCCESS)
            MPI_Request_free(&request);
    }
}

const dxt_ep_shm_far dxt_ep_mpi_far = {.poll = poll,
                                       .is_free = is_free,
                                       .dispatch_send = dispatch_send,
                                       .unpack = dxt_ep_mpi_unpack,
                                       .combine_send = combine_send,
                                       .find_rows = dxt_ep_mpi_find_rows,
                                       .row = dxt_ep_mpi_row,
                                       .consume = consume,
                                       .tell_masked = tell_masked};
