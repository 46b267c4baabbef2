/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/ordinary.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "numeric/columns.h"
#include "numeric/select.h"

const double *dxt_sort_into(double *sorted, const double *late, uint32_t n)
{
    memcpy(sorted, late, n * sizeof *late);
    dxt_sort(sorted, n);
    return sorted;
}

void dxt_ordinary_range(const double *sorted, uint32_t n, double limit, double *low, double *high)
{
    uint32_t half = (n + 1) / 2, best = 0;
    double width = INFINITY;
    for (uint32_t k = 0; k + half <= n; k++) {
        double range = sorted[k + half - 1] - sorted[k];
        if (range <= 2 * limit || range < width) {
            best = k;
            width = range;
        }
        if (range <= 2 * limit) break;
    }
    double middle = sorted[best] + width / 2;
    double reach = fmax(limit, width / 2);
    *low = middle - reach;
    *high = middle + reach;
}

void dxt_panel_find_ordinary(dxt_panel *p, double limit)
{
    double sorted[DXT_WITNESSES], low, high;
    dxt_ordinary_range(dxt_sort_into(sorted, p->late, p->count), p->count, limit, &low, &high);
    p->ordinary_count = 0;
    for (uint32_t a = 0; a < p->count; a++)
        if (p->late[a] >= low && p->late[a] <= high) p->ordinary[p->ordinary_count++] = a;
}

static void center_panel(const dxt_panel *p, double *late)
{
    double mean = 0;
    assert(p->ordinary_count > 0);
    for (uint32_t k = 0; k < p->ordinary_count; k++)
        mean += late[p->ordinary[k]] / p->ordinary_count;
    for (uint32_t b = 0; b < p->count; b++) late[b] -= mean;
}

/* How far the pairs are from what the latenesses explain. */
static double misfit(const dxt_panel *p, const double *late)
{
    double sum = 0;
    for (uint32_t a = 0; a < p->count; a++)
        for (uint32_t b = a + 1; b < p->count; b++)
            sum += fabs(dxt_panel_pair(p, a, b) - (late[b] - late[a]));
    return sum;
}

/* Take each lateness from the pairs with the members in `from`, as a cautious median; `add` is
 * added to what each of them says. */
static void ask(const dxt_panel *p, const uint32_t *from, uint32_t count, const double *add,
                double *late)
{
    double said[DXT_WITNESSES][DXT_LANES];
    for (uint32_t first = 0; first < p->count; first += DXT_LANES) {
        uint32_t lanes = p->count - first < DXT_LANES ? p->count - first : DXT_LANES;
        for (uint32_t k = 0; k < count; k++) {
            const double *pair = p->pair + (size_t)from[k] * p->count + first;
            double more = add[from[k]];
            for (uint32_t c = 0; c < lanes; c++) said[k][c] = pair[c] + more;
            for (uint32_t c = lanes; c < DXT_LANES; c++) said[k][c] = INFINITY;
            if (from[k] - first < lanes) said[k][from[k] - first] = INFINITY;
        }
        dxt_cautious_medians(said, count, lanes, late + first);
    }
    center_panel(p, late);
}

static void ask_ordinary(const dxt_panel *p, double *late)
{
    static const double nothing[DXT_WITNESSES];
    ask(p, p->ordinary, p->ordinary_count, nothing, late);
}

/* Take each lateness from all members, with their own lateness added. */
static void ask_all(const dxt_panel *p, double *late)
{
    uint32_t all[DXT_WITNESSES];
    for (uint32_t a = 0; a < p->count; a++) all[a] = a;
    ask(p, all, p->count, p->late, late);
}

void dxt_panel_judge(dxt_panel *p)
{
    double by_ordinary[DXT_WITNESSES], by_all[DXT_WITNESSES];
    center_panel(p, p->late);
    ask_ordinary(p, by_ordinary);
    ask_all(p, by_all);
    bool all = misfit(p, by_all) < misfit(p, by_ordinary);
    memcpy(p->late, all ? by_all : by_ordinary, p->count * sizeof *p->late);
}
