/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/rails.h"

#include <math.h>

#include "numeric/select.h"

/* The member of a rank; fit->count if the rank has no row. */
static uint32_t member_of(const dxt_fit *fit, uint32_t rank)
{
    uint32_t low = 0, high = fit->count;
    if (fit->count == fit->window->ranks) return rank;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (fit->rank[middle] < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low < fit->count && fit->rank[low] == rank ? low : fit->count;
}

/* The typical wait of ranks of one block for those at the same place in another. */
static double typical(const dxt_fit *fit, uint32_t block, uint32_t other)
{
    double waits[DXT_PARTNERS];
    uint32_t used = 0;
    for (uint32_t place = 0; place < fit->sparse && used < DXT_PARTNERS; place++) {
        uint32_t i = member_of(fit, block * fit->sparse + place);
        uint32_t j = member_of(fit, other * fit->sparse + place);
        if (i < fit->count && j < fit->count) waits[used++] = dxt_fit_wait(fit, i, j);
    }
    return dxt_median(waits, used);
}

/* The same, kept in `ways` for the members of block `own`, who ask one after the other. */
static double typical_of_way(const dxt_fit *fit, dxt_rail_ways *ways, uint32_t own, bool out,
                             uint32_t block)
{
    if (ways->own != own || ways->out != out) {
        ways->own = own;
        ways->out = out;
        for (uint32_t b = 0; b < fit->window->ranks / fit->sparse; b++) ways->typical[b] = NAN;
    }
    double *known = &ways->typical[block];
    if (isnan(*known)) *known = out ? typical(fit, block, own) : typical(fit, own, block);
    return *known;
}

uint32_t dxt_rail_waits(const dxt_fit *fit, dxt_rail_ways *ways, uint32_t k, bool out,
                        double *waits)
{
    double usual[DXT_PARTNERS];
    uint32_t own = fit->rank[k] / fit->sparse, place = fit->rank[k] % fit->sparse, used = 0;
    uint32_t blocks = fit->window->ranks / fit->sparse;
    for (uint32_t block = 0; block < blocks && used < DXT_PARTNERS; block++) {
        uint32_t p = member_of(fit, block * fit->sparse + place);
        if (p == fit->count || fit->node[p] == fit->node[k] || !dxt_tells(fit, p, out)) continue;
        usual[used] = typical_of_way(fit, ways, own, out, block);
        waits[used] = dxt_fit_wait_on(fit, k, p, out) - usual[used];
        used++;
    }
    if (used < 2) return 0;
    double of_all = dxt_median(usual, used);
    for (uint32_t t = 0; t < used; t++) waits[t] = fmax(0, waits[t] + of_all);
    return used;
}

uint32_t dxt_rail_partner(const dxt_fit *fit, uint32_t i, uint32_t t)
{
    uint32_t block = fit->rank[i] / fit->sparse, place = fit->rank[i] % fit->sparse;
    if (t < fit->sparse - 1) {
        uint32_t other = t + (t >= place);
        return member_of(fit, block * fit->sparse + other);
    }
    uint32_t other = t - (fit->sparse - 1);
    return member_of(fit, (other + (other >= block)) * fit->sparse + place);
}

void dxt_leave_rails(dxt_fit *fit)
{
    for (uint32_t place = 0; place < fit->sparse; place++) {
        uint32_t slow = 0, all = 0;
        for (uint32_t rank = place; rank < fit->window->ranks; rank += fit->sparse) {
            uint32_t p = member_of(fit, rank);
            all += p < fit->count;
            slow += p < fit->count && (fit->nic_in[p] > 0 || fit->nic_out[p] > 0);
        }
        if (slow == 0 || slow < all) continue;
        for (uint32_t rank = place; rank < fit->window->ranks; rank += fit->sparse) {
            uint32_t p = member_of(fit, rank);
            if (p < fit->count) fit->nic_in[p] = fit->nic_out[p] = 0;
        }
    }
}
