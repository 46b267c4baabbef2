/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/roster.h"

#include <string.h>

void dxt_call_roster(const dxt_fit *fit, dxt_roster *roster)
{
    uint32_t *next = roster->begin, used = 0;
    memset(next, 0, (fit->nodes + 1) * sizeof *next);
    for (uint32_t k = 0; k < fit->count; k++) next[fit->node[k]] += dxt_fit_is_ordinary(fit, k);
    for (uint32_t node = 0; node <= fit->nodes; node++) {
        used += next[node];
        next[node] = used;
    }
    /* From behind, which leaves each at its beginning. */
    for (uint32_t k = fit->count; k-- > 0;)
        if (dxt_fit_is_ordinary(fit, k)) roster->list[--next[fit->node[k]]] = k;
}
