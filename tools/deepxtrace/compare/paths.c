/* SPDX-License-Identifier: Apache-2.0 */
#include "paths.h"

#include <math.h>
#include <stdlib.h>

/* What deviates by less than so many of the deviations between all paths is no path of its own. */
#define DEVIATIONS 6.0
/* Of more paths than this some are enough to know how they deviate. */
#define SAMPLED ((size_t)1 << 18)
/* Of fewer paths between two nodes one is too large a part for what they have in common. */
#define LEAST_BLOCK 4
/* Of fewer ranks a row and a column are not to be told from a path. */
#define LEAST_FITTED 4u
/* … and of so few paths beside it more of their deviations are nothing. */
#define DEVIATIONS_OF_FEW 15.0

/* Growth of every wait, less what its row and its column have in common: a rank that turned late is
 * no change of each path that waits for it. */
struct growth {
    uint32_t ranks;
    double *all, *scratch;
    bool *told;           /* of each row, then of each column: most of it is told of its rank */
    size_t room;          /* of the scratch */
    size_t cells, fitted; /* with a value; medians that were taken away from them */
    double deviation;     /* between paths */
};

static void take_away_medians(struct growth *g, bool rows)
{
    uint32_t n = g->ranks;
    for (uint32_t i = 0; i < n; i++) {
        size_t count = 0;
        /* The few that are left have nothing in common. */
        if (g->told[rows ? i : n + i]) continue;
        for (uint32_t j = 0; j < n; j++) {
            double value = rows ? g->all[(size_t)i * n + j] : g->all[(size_t)j * n + i];
            if (!isnan(value)) g->scratch[count++] = value;
        }
        double median = middle(g->scratch, count);
        g->fitted += count > 0;
        for (uint32_t j = 0; j < n && count > 0; j++)
            g->all[rows ? (size_t)i * n + j : (size_t)j * n + i] -= median;
    }
}

/* Ranks in the order of their nodes, and where each node begins. */
struct places {
    uint32_t *order, *begin, nodes;
};

static bool order_by_node(const comparison *made, struct places *p)
{
    uint32_t n = made->ranks, used = 0;
    p->order = malloc(n * sizeof *p->order);
    p->begin = malloc(((size_t)n + 1) * sizeof *p->begin);
    bool *placed = calloc(n, sizeof *placed);
    bool well = p->order && p->begin && placed;
    for (uint32_t first = 0; well && first < n; first++) {
        if (placed[first]) continue;
        p->begin[p->nodes++] = used;
        for (uint32_t rank = first; rank < n; rank++) {
            if (made->nodes[rank] != made->nodes[first]) continue;
            placed[rank] = true;
            p->order[used++] = rank;
        }
    }
    if (well) p->begin[p->nodes] = used;
    free(placed);
    return well;
}

/* What the paths between two nodes, or inside one, have in common. */
static void take_away_block(struct growth *g, const struct places *p, uint32_t a, uint32_t b)
{
    uint32_t n = g->ranks;
    size_t count = 0;
    for (uint32_t i = p->begin[a]; i < p->begin[a + 1]; i++)
        for (uint32_t j = p->begin[b]; j < p->begin[b + 1]; j++) {
            double value = g->all[(size_t)p->order[i] * n + p->order[j]];
            if (!isnan(value) && count < g->room) g->scratch[count++] = value;
        }
    if (count < LEAST_BLOCK) return;
    double median = middle(g->scratch, count);
    g->fitted++;
    for (uint32_t i = p->begin[a]; i < p->begin[a + 1]; i++)
        for (uint32_t j = p->begin[b]; j < p->begin[b + 1]; j++)
            g->all[(size_t)p->order[i] * n + p->order[j]] -= median;
}

/* What nodes have in common, between them and inside. */
static bool take_away_nodes(struct growth *g, const comparison *made)
{
    struct places p = {0};
    bool well = order_by_node(made, &p);
    if (well && p.nodes > 1 && p.nodes < made->ranks) {
        for (uint32_t a = 0; a < p.nodes; a++)
            for (uint32_t b = 0; b < p.nodes; b++) take_away_block(g, &p, a, b);
        size_t fitted = g->fitted; /* those of rows and columns count once */
        take_away_medians(g, false);
        take_away_medians(g, true);
        g->fitted = fitted;
    }
    free(p.order);
    free(p.begin);
    return well;
}

/* Leave out the cells of a row or column that changed as its rank did. A path that became slower
 * where the link of its rank became faster is one of its own. */
static void leave_out_line(struct growth *g, uint32_t rank, bool row, double by)
{
    size_t n = g->ranks, left_out = 0, left = 0;
    for (size_t other = 0; other < n; other++) {
        double *value = &g->all[row ? rank * n + other : other * n + rank];
        if (isnan(*value)) continue;
        if (*value * by > 0) *value = NAN;
        *(isnan(*value) ? &left_out : &left) += 1;
    }
    if (left_out > left) g->told[row ? rank : n + rank] = true;
}

/* What is told of a rank's link, or of what it receives. What comes in waits in the rank's row,
 * what goes out in its column. */
static void leave_out_told(struct growth *g, const comparison *made)
{
    for (size_t i = 0; i < made->cause_count; i++) {
        const cause_change *c = &made->causes[i];
        uint32_t rank = c->what->rank;
        if (rank >= g->ranks) continue;
        if (c->direction != DXT_DIRECTION_OUT) leave_out_line(g, rank, true, c->wait.by);
        if (c->direction != DXT_DIRECTION_IN) leave_out_line(g, rank, false, c->wait.by);
    }
}

/* What paths still deviate by. Each median takes one of them to about nothing, however they vary:
 * of a few ranks most, and where nodes are of two ranks a third. These say nothing. What rows and
 * columns have in common all of them is counted once. */
static double deviation_of(struct growth *g, size_t step)
{
    size_t size = (size_t)g->ranks * g->ranks, used = 0;
    for (size_t i = 0; i < size; i += step)
        if (!isnan(g->all[i])) g->scratch[used++] = fabs(g->all[i]);
    if (used == 0) return 0;
    double fitted = g->fitted > 0 ? (double)g->fitted - 1 : 0;
    size_t nothing = (size_t)(fitted * (double)used / (double)g->cells);
    middle(g->scratch, used); /* sorts */
    if (nothing >= used) nothing = used - 1;
    return TO_STANDARD * middle(g->scratch + nothing, used - nothing);
}

/* What is left of the growth of a wait if the awaited rank now comes that much later than the rank
 * that waits. Where several ranks of a node did, each by another time, no sum of a row and a column
 * says so: nobody waits less than not at all. */
static double beyond_arrivals(const comparison *made, size_t i, double grew)
{
    double later = made->late[i % made->ranks].by - made->late[i / made->ranks].by;
    if (!(later * grew > 0)) return grew; /* or not known */
    return fabs(later) < fabs(grew) ? grew - later : 0;
}

/* Of three ranks rows and columns leave nothing: of each cell what its ranks, as they were judged,
 * do not explain, less what all cells have in common. */
static void take_away_arrivals(struct growth *g, const comparison *made)
{
    size_t size = (size_t)g->ranks * g->ranks, count = 0;
    for (size_t i = 0; i < size; i++) {
        if (isnan(g->all[i])) continue;
        g->all[i] = beyond_arrivals(made, i, g->all[i]);
        g->scratch[count++] = g->all[i];
    }
    double median = middle(g->scratch, count);
    for (size_t i = 0; i < size; i++) g->all[i] -= median;
    g->fitted = 1;
}

static bool grow(struct growth *g, const comparison *made)
{
    const series *before = &made->before->wait, *after = &made->after->wait;
    size_t size = (size_t)g->ranks * g->ranks, step = size / SAMPLED + 1;
    g->room = size / step + g->ranks + 1;
    g->all = malloc(size * sizeof *g->all);
    g->scratch = malloc(g->room * sizeof *g->scratch);
    g->told = calloc(2 * (size_t)g->ranks, sizeof *g->told);
    if (!g->all || !g->scratch || !g->told) return false;
    for (size_t i = 0; i < size; i++)
        g->all[i] = before->count[i] && after->count[i] ? after->mean[i] - before->mean[i] : NAN;
    leave_out_told(g, made);
    for (size_t i = 0; i < size; i++) g->cells += !isnan(g->all[i]);
    if (g->ranks < LEAST_FITTED) {
        take_away_arrivals(g, made);
    } else {
        take_away_medians(g, false);
        take_away_medians(g, true);
        if (made->nodes && !take_away_nodes(g, made)) return false;
    }
    g->deviation = deviation_of(g, step);
    return true;
}

static int larger_first(const void *first, const void *second)
{
    double a = fabs(((const path_change *)first)->wait.by);
    double b = fabs(((const path_change *)second)->wait.by);
    return (a < b) - (a > b);
}

/* One path: what it grew by beyond its ranks and nodes, unless it hardly grew itself: where the
 * paths beside it became slower, one that did not is none that became faster. The error is that of
 * its waits. */
static bool path_changed(const comparison *made, const struct growth *g, size_t i, double spread,
                         change *c)
{
    double figures = (double)g->ranks * (g->ranks - 1);
    double deviations = g->ranks < LEAST_FITTED ? DEVIATIONS_OF_FEW : DEVIATIONS;
    if (isnan(g->all[i]) || fabs(g->all[i]) < deviations * g->deviation) return false;
    *c = series_compare(&made->before->wait, &made->after->wait, i, spread);
    if (c->by * g->all[i] <= 0) return false;
    double beyond_ranks = beyond_arrivals(made, i, c->by);
    if (2 * fabs(beyond_ranks) < fabs(g->all[i]))
        c->by = beyond_ranks;
    else if (fabs(g->all[i]) < 2 * fabs(c->by))
        c->by = g->all[i];
    if (c->error > 0) {
        double t = c->by / c->error;
        double n = made->before->wait.count[i] + made->after->wait.count[i] - 2.0 + 4;
        c->p = student_tail(t, n);
    }
    series_part(&made->before->wait, &made->after->wait, i, spread, c);
    return is_changed(made, c, figures);
}

/* Of two ranks: that one waits longer for the other is all that can be said. By how much two
 * healthy paths differ nothing beside them says: one of the ranks has to come later or earlier as
 * well. */
static bool wait_changed(const comparison *made, size_t i, double spread, change *c)
{
    if (!is_changed(made, &made->late[0], 2) && !is_changed(made, &made->late[1], 2)) return false;
    if (i % made->ranks == i / made->ranks) return false;
    if (!made->before->wait.count[i] || !made->after->wait.count[i]) return false;
    *c = series_compare(&made->before->wait, &made->after->wait, i, spread);
    series_part(&made->before->wait, &made->after->wait, i, spread, c);
    return is_changed(made, c, 2);
}

/* Of two ranks, of which one waits the longer the less the other one does, the larger change. */
static void keep_cause(comparison *made)
{
    if (made->path_count == 2 && made->paths[0].wait.by * made->paths[1].wait.by < 0)
        made->path_total = made->path_count = 1;
    for (size_t i = 0; i < made->path_count; i++) made->slower |= made->paths[i].wait.by > 0;
}

static bool list_paths(comparison *made, const struct growth *g, double spread)
{
    size_t size = (size_t)g->ranks * g->ranks, capacity = 0;
    for (size_t i = 0; i < size; i++) {
        change c;
        bool changed = made->ranks == 2 ? wait_changed(made, i, spread, &c)
                                        : path_changed(made, g, i, spread, &c);
        if (!changed) continue;
        made->path_total++;
        made->slower |= made->ranks > 2 && c.by > 0;
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
    if (made->ranks == 2) keep_cause(made);
    return true;
}

dxt_status compare_paths(comparison *made)
{
    struct growth g = {.ranks = made->ranks};
    double spread = series_spread(&made->before->wait, &made->after->wait);
    bool well = !isnan(spread) && grow(&g, made);
    /* Of single windows only the paths beside it say how much one varies. */
    if (spread == 0) spread = g.deviation / sqrt(2);
    if (well) well = list_paths(made, &g, spread);
    free(g.all);
    free(g.scratch);
    free(g.told);
    return well ? DXT_OK : DXT_ERR_NO_MEMORY;
}
