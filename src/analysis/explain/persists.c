/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/persists.h"

#include <math.h>
#include <string.h>

#include "analysis/explain/companion.h"
#include "analysis/tuning.h"
#include "numeric/select.h"

double dxt_last_share(const dxt_case *c, uint32_t k)
{
    const dxt_window *window = c->window;
    size_t n = window->ranks, used = 0;
    double *counts = c->fit.values;
    for (uint32_t i = 0; i < c->fit.count; i++)
        if (i != k) counts[used++] = (double)window->last[c->fit.rank[i] * n + c->fit.rank[k]];
    return dxt_median(counts, used) / (double)window->ops;
}

bool dxt_records_last(const dxt_window *window)
{
    if (!window->last || window->ops <= 0) return false;
    for (size_t i = 0; i < (size_t)window->ranks * window->ranks; i++)
        if (window->last[i] > 0) return true;
    return false;
}

/* Whether `some` of `all` sources were last in a `share` of the operations that is above chance,
 * after later sources took `taken` of the operations. Too few operations left prove nothing. */
static bool beyond_chance(double share, double some, double all, double taken, double ops)
{
    double left = ops * (1 - taken);
    if (left < DXT_FEW_OPS || all <= some) return true;
    double part = some / all;
    return share / (1 - taken) > part + DXT_CHANCE_ERRORS * sqrt(part * (1 - part) / left);
}

/* Ranks that are equally late share the operations: each must be last in a fair part of them. */
static bool lateness_persists(const dxt_case *c, uint32_t k)
{
    const dxt_fit *fit = &c->fit;
    double ops = (double)c->window->ops, own = dxt_last_share(c, k);
    double shared = own, peers = 1, taken = 0, later = 0;
    for (uint32_t m = 0; m < fit->count; m++) {
        double ahead = dxt_fit_all_lateness(fit, m) - dxt_fit_all_lateness(fit, k);
        if (m == k || ahead < -fit->limit[k]) continue;
        double share = dxt_last_share(c, m);
        if (ahead > fit->limit[k]) {
            taken += share;
            later++;
        } else if (dxt_role_is_late(fit->role[m])) {
            shared += share;
            peers++;
        }
    }
    taken = fmin(taken, 1);
    if (!beyond_chance(shared, peers, fit->count - later, taken, ops)) return false;
    double fair = shared / peers;
    return fair * ops < DXT_FEW_OPS || own > fair / DXT_FAIR_PARTS;
}

void dxt_note_passing(dxt_case *c, bool *passing)
{
    const dxt_fit *fit = &c->fit;
    if (!dxt_records_last(c->window)) return;
    c->passing = passing;
    for (uint32_t k = 0; k < fit->count; k++) {
        passing[k] = dxt_role_is_late(fit->role[k]) && !lateness_persists(c, k);
        if (passing[k]) c->once = fmax(c->once, dxt_fit_all_lateness(fit, k));
    }
}

bool dxt_path_persists(const dxt_case *c, const dxt_slow_path *path)
{
    const dxt_fit *fit = &c->fit;
    const dxt_window *window = c->window;
    const int64_t *last = window->last + (size_t)fit->rank[path->i] * window->ranks;
    double wait = dxt_fit_wait(fit, path->i, path->j), ops = (double)window->ops;
    double taken = 0, later = 0;
    for (uint32_t j = 0; j < fit->count; j++) {
        if (j == path->j || dxt_fit_wait(fit, path->i, j) <= wait) continue;
        taken += (double)last[fit->rank[j]] / ops;
        later++;
    }
    double share = (double)last[fit->rank[path->j]] / ops;
    return beyond_chance(share, 1, fit->count - 1 - later, fmin(taken, 1), ops);
}
