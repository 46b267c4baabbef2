/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/stalls.h"

#include <math.h>

#include "analysis/arrive/one_sided.h"
#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* What members typically wait for member j. */
static double typical_column(const dxt_fit *fit, uint32_t j)
{
    double waits[DXT_PARTNERS];
    uint32_t most = fit->count < DXT_PARTNERS ? fit->count : DXT_PARTNERS, used = 0;
    for (uint32_t t = 0; t < most; t++) {
        uint32_t i = (uint32_t)dxt_spread_index(t, most, fit->count);
        if (i != j) waits[used++] = dxt_fit_wait(fit, i, j);
    }
    return dxt_median(waits, used);
}

static void add_up(const dxt_fit *fit, dxt_stalls *stalls)
{
    double *sum = fit->values;
    for (uint32_t i = 0; i < fit->count; i++) sum[i] = 0;
    for (uint32_t j = 0; j < fit->count; j++) {
        double typical = typical_column(fit, j);
        for (uint32_t i = 0; i < fit->count; i++) {
            double excess = i == j ? 0 : dxt_fit_wait(fit, i, j) - typical;
            if (!(excess > typical)) continue;
            sum[i] += excess;
            stalls->largest = fmax(stalls->largest, excess);
            stalls->paths++;
        }
    }
    stalls->row = dxt_median(sum, fit->count);
}

bool dxt_paths_stall(const dxt_fit *fit, const dxt_fit *other, dxt_stalls *stalls)
{
    double beyond = other->base - other->transfer;
    dxt_stalls found = {0};
    if (fit->count < DXT_STALLS_MEMBERS || other->count < DXT_STALLS_MEMBERS) return false;
    bool shown = beyond >= DXT_LOSS_SHARE / 2 * other->step ||
                 (other->count <= DXT_ROTATING_RANKS && dxt_rotates(other));
    if (fit->nodes > 1 || !shown) return false;
    add_up(fit, &found);
    if (!(found.row >= DXT_STALLED_PART * beyond)) return false;
    *stalls = found;
    return true;
}
