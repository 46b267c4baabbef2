/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/shifts.h"

#include <math.h>

#include "numeric/screen.h"
#include "numeric/skew.h"
#include "numeric/vectors.h"

void dxt_settle(const dxt_fit *fit, uint32_t a)
{
    uint32_t n = fit->nodes, used = 0;
    double *level = fit->level + (size_t)a * n, shift[DXT_MAX_RANKS];
    if (fit->settled[a]) return;
    for (uint32_t b = 0; b < n; b++)
        if (!isnan(level[b])) shift[used++] = level[b];
    dxt_shifts_of_waits(shift, used, fit->skew);
    for (uint32_t b = n; b-- > 0;)
        if (!isnan(level[b])) level[b] = shift[--used];
    fit->settled[a] = true;
}

void dxt_paths_of_node(const dxt_fit *fit, uint32_t a, double *path)
{
    for (uint32_t b = 0; b < fit->nodes; b++) path[b] = dxt_fit_node_path(fit, a, b);
}

/* Where a path was not measured, add up its parts. */
DXT_VECTORS static void fill_in(const dxt_fit *fit, uint32_t a, const double *restrict level,
                                double *restrict path)
{
    const double *late = fit->node_late, *out = fit->node_out;
    const double *tier = dxt_fit_tiers(fit, a), *link = dxt_fit_links(fit, a);
    double between = fit->between, own = late[a], in = fit->node_in[a];
    for (uint32_t b = 0; b < fit->nodes; b++) {
        double parts = between + late[b] - own + in + out[b] + tier[b] + link[b];
        path[b] = isnan(level[b]) ? parts : path[b];
    }
}

void dxt_path_floors(const dxt_fit *fit, const dxt_floors *floors, uint32_t a, double *path)
{
    const double *level = fit->level + (size_t)a * fit->nodes;
    if (fit->settled[a]) {
        dxt_paths_of_node(fit, a, path);
        return;
    }
    dxt_floors_of(floors, level, fit->nodes, path);
    fill_in(fit, a, level, path);
    path[a] = fit->transfer;
}

double dxt_least_path(const dxt_fit *fit, const dxt_floors *floors, uint32_t a)
{
    const double *level = fit->level + (size_t)a * fit->nodes;
    bool known = !fit->settled[a] && !isnan(fit->least_level[a]);
    double least = known ? fit->least_level[a] : dxt_screen_least(level, a, fit->nodes);
    if (!fit->settled[a] && least < INFINITY) dxt_floors_of(floors, &least, 1, &least);
    for (uint32_t b = 0; b < fit->nodes && !known; b++)
        if (b != a && isnan(level[b])) least = fmin(least, dxt_fit_path_by_parts(fit, a, b));
    return least;
}

/* Whether a path was measured, and its row still holds waits, not shifts. */
static bool is_open(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    return a != b && !fit->settled[a] && !isnan(fit->level[(size_t)a * fit->nodes + b]);
}

void dxt_paths_of_pairs(const dxt_fit *fit, const uint16_t *i, const uint16_t *j, uint32_t count,
                        double *path, double *work)
{
    uint32_t used = 0;
    for (uint32_t k = 0; k < count; k++) {
        uint32_t a = fit->node[i[k]], b = fit->node[j[k]];
        if (is_open(fit, a, b)) work[used++] = fit->level[(size_t)a * fit->nodes + b];
    }
    dxt_shifts_of_waits(work, used, fit->skew);
    used = 0;
    for (uint32_t k = 0; k < count; k++) {
        uint32_t a = fit->node[i[k]], b = fit->node[j[k]];
        if (is_open(fit, a, b))
            path[k] = work[used++];
        else if (a == b || fit->settled[a])
            path[k] = dxt_fit_node_path(fit, a, b);
        else
            path[k] = dxt_fit_path_by_parts(fit, a, b);
    }
}
