/* SPDX-License-Identifier: Apache-2.0 */
/* What a send waits for: that its buffer has been read. */
#include "shm/futex.h"
#include "shm/shm.h"

/* @param seen  Receives the word that sleep_until_free() sleeps on. */
static dxt_status is_free(const dxt_ep *ep, uint32_t target, uint32_t operator_index,
                          uint64_t epoch, uint32_t *seen, bool *is)
{
    const dxt_ep_shm_state *s = ep->state;
    if (dxt_ep_shm_is_far(s, target)) return s->far->is_free(ep, target, operator_index, epoch, is);
    *seen = atomic_load(&dxt_ep_shm_area(s, target)->consumed[operator_index].epoch);
    *is = (int32_t)(*seen - ((uint32_t)epoch - DXT_EP_IN_FLIGHT)) >= 0;
    return DXT_OK;
}

static dxt_status sleep_until_free(dxt_ep *ep, uint32_t target, uint32_t operator_index,
                                   uint32_t seen, int64_t waited_ns, int64_t at_most_ns)
{
    const dxt_ep_shm_state *s = ep->state;
    if (dxt_ep_shm_is_far(s, target)) {
        dxt_ep_shm_pause(waited_ns);
        return s->far->poll(ep);
    }
    dxt_ep_shm_consumed *consumed = &dxt_ep_shm_area(s, target)->consumed[operator_index];
    atomic_fetch_add(&consumed->sleepers, 1);
    /* Whoever is waited for may in turn need this rank to keep its messages moving. */
    dxt_ep_shm_sleep(&consumed->epoch, seen, dxt_ep_shm_slice_ns(ep, waited_ns, at_most_ns));
    atomic_fetch_sub(&consumed->sleepers, 1);
    return s->far ? s->far->poll(ep) : DXT_OK;
}

/* As wait_free(), with no regard to what follows. */
static dxt_status wait_for_target(dxt_ep *ep, uint32_t target, uint32_t operator_index,
                                  uint64_t epoch, int64_t until_ns)
{
    dxt_ep_shm_state *s = ep->state;
    dxt_ep_shm_sending *of = &s->sending[operator_index];
    for (;;) {
        dxt_status status = dxt_ep_shm_see_masks(s);
        if (status != DXT_OK || s->masked[target]) return status;
        uint32_t seen = 0;
        bool is = false;
        status = is_free(ep, target, operator_index, epoch, &seen, &is);
        if (status != DXT_OK || is) return status;
        int64_t now_ns = dxt_ep_shm_now_ns();
        if (of->begin_ns == 0 || of->target != target) {
            of->target = target;
            of->begin_ns = now_ns;
        }
        dxt_ep_shm_note_waiting(s, now_ns);
        if (now_ns - of->begin_ns >= ep->config.timeout_ns &&
            !dxt_ep_shm_waits_itself(ep, target, of->begin_ns, now_ns)) {
            status = dxt_ep_shm_mask(ep, target);
            if (status != DXT_OK) return status;
            continue;
        }
        if (now_ns >= until_ns)
            return dxt_ep_fail(DXT_ERR_TIMEOUT, "rank %u still reads what the buffer holds",
                               target);
        status = sleep_until_free(ep, target, operator_index, seen, now_ns - of->begin_ns,
                                  until_ns - now_ns);
        if (status != DXT_OK) return status;
    }
}

/* @param until_ns  When to return DXT_ERR_TIMEOUT. */
static dxt_status wait_free(dxt_ep *ep, uint32_t target, uint32_t operator_index, uint64_t epoch,
                            int64_t until_ns)
{
    dxt_status status = wait_for_target(ep, target, operator_index, epoch, until_ns);
    if (status != DXT_OK)
        ((dxt_ep_shm_state *)ep->state)->sending[operator_index].left_ns = dxt_ep_shm_now_ns();
    return status;
}

/* A send, or a slice of the wait for it, begins. */
static dxt_ep_shm_sending *begin(const dxt_ep *ep, uint32_t operator_index, uint64_t epoch)
{
    dxt_ep_shm_sending *of = &((dxt_ep_shm_state *)ep->state)->sending[operator_index];
    if (of->epoch != epoch) *of = (dxt_ep_shm_sending){.epoch = epoch};
    /* What the caller did since it gave up is no waiting. */
    if (of->begin_ns != 0 && of->left_ns != 0) of->begin_ns += dxt_ep_shm_now_ns() - of->left_ns;
    of->left_ns = 0;
    return of;
}

void dxt_ep_shm_begin_send(dxt_ep *ep, uint32_t operator_index, uint64_t epoch)
{
    dxt_ep_shm_sending *of = begin(ep, operator_index, epoch);
    if (!of->issued) dxt_probe_issue(ep->config.probe, operator_index);
    of->issued = true;
}

dxt_status dxt_ep_shm_wait_free(dxt_ep *ep, uint32_t target, uint32_t operator_index,
                                uint64_t epoch)
{
    return wait_free(ep, target, operator_index, epoch, INT64_MAX);
}

dxt_status dxt_ep_shm_wait_buffer(dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                                  int64_t at_most_ns)
{
    const dxt_ep_shm_state *s = ep->state;
    int64_t until_ns = dxt_ep_shm_now_ns() + at_most_ns;
    begin(ep, operator_index, epoch);
    dxt_status status = DXT_OK;
    for (uint32_t target = 0; target < s->ranks && status == DXT_OK; target++)
        status = wait_free(ep, target, operator_index, epoch, until_ns);
    return status;
}
