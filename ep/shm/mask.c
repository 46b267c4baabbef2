/* SPDX-License-Identifier: Apache-2.0 */
#include "shm/shm.h"

#include <string.h>

#include "shm/futex.h"

dxt_status dxt_ep_shm_see_masks(dxt_ep_shm_state *s)
{
    while (s->masks_seen < s->ranks) {
        uint32_t entry = atomic_load(&s->header->mask_log[s->masks_seen]);
        if (entry == 0) break;
        if (entry <= s->ranks) s->masked[entry - 1] = 1;
        s->masks_seen++;
    }
    if (!s->masked[s->rank]) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_MASKED, "the group went on without rank %u", s->rank);
}

/* Whoever sleeps looks at the log again. */
static void rouse_all(const dxt_ep_shm_state *s)
{
    for (uint32_t rank = 0; rank < s->ranks; rank++)
        for (uint32_t i = 0; i < DXT_EP_OPERATORS && !dxt_ep_shm_is_far(s, rank); i++)
            for (uint32_t parity = 0; parity < DXT_EP_IN_FLIGHT; parity++) {
                dxt_ep_shm_arrivals *arrivals = &dxt_ep_shm_area(s, rank)->arrivals[i][parity];
                atomic_fetch_add(&arrivals->count, 1);
                dxt_ep_shm_wake(&arrivals->count);
            }
}

/* @param added  Receives whether it was this rank that did it. */
static dxt_status add_mask(dxt_ep_shm_state *s, uint32_t victim, bool *added)
{
    *added = false;
    for (;;) {
        dxt_status status = dxt_ep_shm_see_masks(s);
        if (status != DXT_OK || s->masked[victim]) return status;
        uint32_t none = 0;
        if (atomic_compare_exchange_strong(&s->header->mask_log[s->masks_seen], &none, victim + 1))
            break;
    }
    *added = true;
    rouse_all(s);
    return dxt_ep_shm_see_masks(s);
}

dxt_status dxt_ep_shm_mask_here(dxt_ep_shm_state *s, uint32_t victim)
{
    bool added;
    return add_mask(s, victim, &added);
}

dxt_status dxt_ep_shm_mask(dxt_ep *ep, uint32_t victim)
{
    dxt_ep_shm_state *s = ep->state;
    bool added;
    dxt_status status = add_mask(s, victim, &added);
    if (added && s->far) s->far->tell_masked(ep, victim);
    return status;
}

uint32_t dxt_ep_shm_masked(const dxt_ep *ep, uint8_t *masked)
{
    const dxt_ep_shm_state *s = ep->state;
    if (masked) memset(masked, 0, s->ranks);
    uint32_t count = 0;
    for (; count < s->ranks; count++) {
        uint32_t entry = atomic_load(&s->header->mask_log[count]);
        if (entry == 0) break;
        if (masked && entry <= s->ranks) masked[entry - 1] = 1;
    }
    return count;
}
