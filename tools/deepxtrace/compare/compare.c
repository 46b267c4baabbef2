/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where nothing says what is worth telling: this part of the mean wait. */
#define CONCERN 0.1
/* What deviates by less than so many of the deviations between all paths is no path of its own. */
#define DEVIATIONS 6.0
/* A median absolute deviation times this is a standard deviation of normal values. */
#define TO_STANDARD 1.4826
/* Of more paths than this some are enough to know how they deviate. */
#define SAMPLED ((size_t)1 << 18)

void comparison_free(comparison *made)
{
    free(made->late);
    free(made->paths);
    *made = (comparison){0};
}

bool is_changed(const comparison *made, const change *c, double figures)
{
    return c->p * figures < COMPARE_CHANCE && fabs(c->by) >= made->floor;
}

static double concern_of(const side_operator *before, const side_operator *after)
{
    double floor = fmax(before->floor, after->floor);
    double mean = fmax(before->mean.mean[0], after->mean.mean[0]);
    return floor > 0 ? floor : CONCERN * mean;
}

/* ---- paths ---- */

/* Growth of every wait, less what its row and its column have in common: a rank that turned late is
 * no change of each path that waits for it. */
struct growth {
    uint32_t ranks;
    double *all, *scratch;
    double deviation; /* between paths */
};

static void take_away_medians(struct growth *g, bool rows)
{
    uint32_t n = g->ranks;
    for (uint32_t i = 0; i < n; i++) {
        size_t count = 0;
        for (uint32_t j = 0; j < n; j++) {
            double value = rows ? g->all[(size_t)i * n + j] : g->all[(size_t)j * n + i];
            if (!isnan(value)) g->scratch[count++] = value;
        }
        double median = middle(g->scratch, count);
        for (uint32_t j = 0; j < n && count > 0; j++)
            g->all[rows ? (size_t)i * n + j : (size_t)j * n + i] -= median;
    }
}

static bool grow(struct growth *g, const side_operator *before, const side_operator *after)
{
    size_t size = (size_t)g->ranks * g->ranks, step = size / SAMPLED + 1, used = 0;
    size_t room = size / step + g->ranks + 1;
    g->all = malloc(size * sizeof *g->all);
    g->scratch = malloc(room * sizeof *g->scratch);
    if (!g->all || !g->scratch) return false;
    for (size_t i = 0; i < size; i++)
        g->all[i] = before->wait.count[i] && after->wait.count[i]
                        ? after->wait.mean[i] - before->wait.mean[i]
                        : NAN;
    take_away_medians(g, false);
    take_away_medians(g, true);
    for (size_t i = 0; i < size; i += step)
        if (!isnan(g->all[i])) g->scratch[used++] = fabs(g->all[i]);
    g->deviation = used ? TO_STANDARD * middle(g->scratch, used) : 0;
    return true;
}

static int larger_first(const void *first, const void *second)
{
    double a = fabs(((const path_change *)first)->wait.by);
    double b = fabs(((const path_change *)second)->wait.by);
    return (a < b) - (a > b);
}

/* One path: what it grew by beyond its ranks; the error is that of its waits. */
static bool path_changed(const comparison *made, const struct growth *g, size_t i, double spread,
                         change *c)
{
    double figures = (double)g->ranks * (g->ranks - 1);
    if (isnan(g->all[i]) || fabs(g->all[i]) < DEVIATIONS * g->deviation) return false;
    *c = series_compare(&made->before->wait, &made->after->wait, i, spread);
    c->by = g->all[i];
    if (c->error > 0) {
        double t = c->by / c->error;
        double n = made->before->wait.count[i] + made->after->wait.count[i] - 2.0 + 4;
        c->p = student_tail(t, n);
    }
    series_part(&made->before->wait, &made->after->wait, i, spread, c);
    return is_changed(made, c, figures);
}

static bool list_paths(comparison *made, const struct growth *g, double spread)
{
    size_t size = (size_t)g->ranks * g->ranks, capacity = 0;
    for (size_t i = 0; i < size; i++) {
        change c;
        if (!path_changed(made, g, i, spread, &c)) continue;
        made->path_total++;
        made->slower |= c.by > 0;
        if (made->path_count == capacity) {
            capacity = 2 * capacity + 16;
            path_change *grown = realloc(made->paths, capacity * sizeof *grown);
            if (!grown) return false;
            made->paths = grown;
        }
        made->paths[made->path_count++] =
            (path_change){(uint32_t)(i / g->ranks), (uint32_t)(i % g->ranks), c};
    }
    if (made->path_count > 0)
        qsort(made->paths, made->path_count, sizeof *made->paths, larger_first);
    if (made->path_count > COMPARE_PATHS) made->path_count = COMPARE_PATHS;
    return true;
}

static dxt_status compare_paths(comparison *made)
{
    struct growth g = {.ranks = made->ranks};
    double spread = series_spread(&made->before->wait, &made->after->wait);
    bool well = !isnan(spread) && grow(&g, made->before, made->after);
    /* Of single windows only the paths beside it say how much one varies. */
    if (spread == 0) spread = g.deviation / sqrt(2);
    if (well) well = list_paths(made, &g, spread);
    free(g.all);
    free(g.scratch);
    return well ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* ---- ranks and the whole ---- */

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* That chance alone gives one of two runs so many of the windows that both have: Fisher's exact
 * test, one side. */
static double chance_of(uint32_t windows, uint32_t has, uint32_t others, uint32_t all)
{
    double p = 0;
    for (uint32_t k = has; k <= windows && k <= all; k++)
        if (all - k <= others)
            p += exp(log_choose(windows, k) + log_choose(others, all - k) -
                     log_choose((double)windows + others, all));
    return p;
}

double silence_change(const comparison *made, uint32_t rank)
{
    const series *before = &made->before->silent, *after = &made->after->silent;
    double by = after->mean[rank] - before->mean[rank];
    const series *more = by > 0 ? after : before, *less = by > 0 ? before : after;
    uint32_t has = (uint32_t)lround(more->mean[rank] * more->count[rank]);
    uint32_t all = has + (uint32_t)lround(less->mean[rank] * less->count[rank]);
    /* Of few windows chance is never excluded, but silence is no matter of degree. */
    if (fabs(by) >= 0.5) return by;
    double p = chance_of(more->count[rank], has, less->count[rank], all);
    return by != 0 && 2 * p * made->ranks < COMPARE_CHANCE ? by : 0;
}

static bool compare_ranks(comparison *made)
{
    const series *before = &made->before->late, *after = &made->after->late;
    double spread = series_spread(before, after), figures = made->ranks;
    double *growths = malloc(made->ranks * sizeof *growths);
    size_t used = 0;
    if (isnan(spread) || !growths) {
        free(growths);
        return false;
    }
    for (uint32_t rank = 0; rank < made->ranks; rank++)
        if (before->count[rank] && after->count[rank])
            growths[used++] = fabs(after->mean[rank] - before->mean[rank]);
    /* As with paths. */
    if (spread == 0 && used > 0) spread = TO_STANDARD * middle(growths, used) / sqrt(2);
    free(growths);
    for (uint32_t rank = 0; rank < made->ranks; rank++) {
        made->late[rank] = series_compare(before, after, rank, spread);
        series_part(before, after, rank, spread, &made->late[rank]);
        made->slower |= is_changed(made, &made->late[rank], figures) && made->late[rank].by > 0;
        made->slower |= silence_change(made, rank) > 0;
    }
    return true;
}

dxt_status compare_operator(const side_operator *before, const side_operator *after, uint32_t ranks,
                            comparison *made)
{
    *made = (comparison){.before = before, .after = after, .ranks = ranks};
    made->late = calloc(ranks, sizeof *made->late);
    if (!made->late) return DXT_ERR_NO_MEMORY;
    made->floor = concern_of(before, after);
    made->mean = series_compare(&before->mean, &after->mean, 0, 0);
    series_part(&before->mean, &after->mean, 0, 0, &made->mean);
    made->step = series_compare(&before->step, &after->step, 0, 0);
    series_part(&before->step, &after->step, 0, 0, &made->step);
    made->slower = is_changed(made, &made->mean, 2) && made->mean.by > 0;
    made->slower |= is_changed(made, &made->step, 2) && made->step.by > 0;
    dxt_status status = compare_ranks(made) ? compare_paths(made) : DXT_ERR_NO_MEMORY;
    if (status != DXT_OK) comparison_free(made);
    return status;
}
