/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/many_sides.h"

#include <math.h>

#include "analysis/arrive/within.h"
#include "analysis/tuning.h"
#include "numeric/select.h"

#define MOST DXT_WITHIN_MEMBERS

/* Shortest and longest wait of each member for the others, or of theirs for it. */
struct ends {
    double least[MOST], most[MOST];
};

static void find_ends(const dxt_fit *fit, bool out, struct ends *ends)
{
    for (uint32_t k = 0; k < fit->count; k++) {
        ends->least[k] = INFINITY;
        ends->most[k] = 0;
        for (uint32_t j = 0; j < fit->count; j++) {
            if (j == k) continue;
            double wait = dxt_wait_within_on(fit, k, j, out);
            ends->least[k] = fmin(ends->least[k], wait);
            ends->most[k] = fmax(ends->most[k], wait);
        }
    }
}

/* By how much waits as long as the ordinary one differ by nature and by chance. */
static double limit_of(const dxt_fit *fit, double base)
{
    double chance = DXT_LIMIT_ERRORS * base * DXT_ARRIVALS_OF_WAIT / sqrt(fmax(fit->ops, 1));
    return fmax(DXT_LINK_LIMITS * fmax(fit->floor, chance), DXT_LINK_UNEVENNESS_OF_FEW * base);
}

/* The typical wait of one member, or of all whose shortest one is within a bound. */
static double typical(const dxt_fit *fit, bool out, const struct ends *ends, uint32_t own,
                      double bound)
{
    double waits[MOST * MOST];
    uint32_t used = 0;
    for (uint32_t k = 0; k < fit->count; k++)
        for (uint32_t j = 0; j < fit->count; j++) {
            bool counts = own < fit->count ? k == own : ends->least[k] <= bound;
            if (k != j && counts) waits[used++] = dxt_wait_within_on(fit, k, j, out);
        }
    return dxt_median(waits, used);
}

/* Whether the sides of half or more are slow; the others wait (are waited for) alike. */
static bool are_slow(const dxt_fit *fit, bool out, double *side)
{
    struct ends ends;
    double least = INFINITY;
    uint32_t slow = 0;
    find_ends(fit, out, &ends);
    for (uint32_t k = 0; k < fit->count; k++) least = fmin(least, ends.least[k]);
    double base = typical(fit, out, &ends, fit->count, least + limit_of(fit, least));
    double limit = limit_of(fit, base);
    for (uint32_t k = 0; k < fit->count; k++) {
        bool is_slow = ends.least[k] > base + limit;
        slow += is_slow;
        if (!is_slow && ends.most[k] > base + limit) return false;
    }
    if (2 * slow < fit->count || slow + 2 > fit->count) return false;
    for (uint32_t k = 0; k < fit->count; k++)
        side[k] = ends.least[k] > base + limit ? typical(fit, out, &ends, k, 0) - base : 0;
    return true;
}

bool dxt_many_sides(dxt_fit *fit)
{
    if (fit->count < DXT_LINK_FEW || fit->count > MOST) return false;
    return are_slow(fit, false, fit->receive);
}
