/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/links.h"

#include <math.h>

#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/spread.h"

double dxt_wait_without_links(const dxt_case *c)
{
    const dxt_fit *fit = &c->fit;
    double *waits = fit->scratch->cells.wait;
    uint32_t good = 0, taken = 0, used = 0, member[DXT_WITNESSES];
    for (uint32_t k = 0; k < fit->count; k++) good += fit->role[k] != DXT_ROLE_LINK;
    if (good == fit->count || good < 2) return fit->base;
    uint32_t most = good < DXT_WITNESSES ? good : DXT_WITNESSES;
    for (uint32_t k = 0, at = 0; k < fit->count && taken < most; k++) {
        if (fit->role[k] == DXT_ROLE_LINK) continue;
        if (at++ == dxt_spread_index(taken, most, good)) member[taken++] = k;
    }
    for (uint32_t a = 0; a < taken; a++)
        for (uint32_t b = 0; b < taken; b++)
            if (a != b) waits[used++] = dxt_fit_wait(fit, member[a], member[b]);
    return dxt_median(waits, used);
}

double dxt_limit_of_link(const dxt_case *c, uint32_t k, double *error)
{
    const dxt_fit *fit = &c->fit;
    double base = dxt_wait_without_links(c);
    *error = fit->error[k];
    if (!(base < fit->base / 2)) return DXT_LINK_LIMITS * fit->limit[k];
    *error = base * DXT_ARRIVALS_OF_WAIT / sqrt(fmax(fit->ops, 1));
    return DXT_LINK_LIMITS * fmax(fit->floor, DXT_LIMIT_ERRORS * *error);
}
