/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/roster.h"

#include <string.h>

/* List the members for which `belongs` is true. */
static inline __attribute__((always_inline)) void
list(const dxt_fit *fit, dxt_roster *roster, bool (*belongs)(const dxt_fit *fit, uint32_t k))
{
    uint32_t *next = roster->begin, used = 0;
    memset(next, 0, (fit->nodes + 1) * sizeof *next);
    for (uint32_t k = 0; k < fit->count; k++) next[fit->node[k]] += belongs(fit, k);
    for (uint32_t node = 0; node <= fit->nodes; node++) {
        used += next[node];
        next[node] = used;
    }
    /* Backwards, so that `begin` of each node ends up at its first member. */
    for (uint32_t k = fit->count; k-- > 0;)
        if (belongs(fit, k)) roster->list[--next[fit->node[k]]] = k;
}

void dxt_call_roster(const dxt_fit *fit, dxt_roster *roster)
{
    list(fit, roster, dxt_fit_stands_for_node);
}

static bool any(const dxt_fit *fit, uint32_t k)
{
    (void)fit, (void)k;
    return true;
}

void dxt_list_members(const dxt_fit *fit, dxt_roster *roster)
{
    list(fit, roster, any);
}
