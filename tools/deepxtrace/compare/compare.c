/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What ranks of a node have in common differs between them by less than this part of it. */
#define ALIKE 0.2
/* Where they differ by more, each by another time, one is no exception within so many deviations of
 * them, … */
#define DEVIATIONS 3.0
/* … and if it changed by this part of the largest change at least; of so many ranks. */
#define LEAST_PART 0.25
#define LEAST_RANKS 4

void comparison_free(comparison *made)
{
    free(made->late);
    free(made->causes);
    free(made->paths);
    *made = (comparison){0};
}

bool is_changed(const comparison *made, const change *c, double figures)
{
    return c->p * figures < COMPARE_CHANCE && fabs(c->by) >= made->floor;
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

static int larger_first(const void *first, const void *second)
{
    double a = fabs(((const cause_change *)first)->wait.by);
    double b = fabs(((const cause_change *)second)->wait.by);
    return (a < b) - (a > b);
}

/* A link that changed by as much both ways is one change. */
static void join_directions(comparison *made)
{
    size_t kept = 0;
    for (size_t i = 0; i < made->cause_count; i++) {
        const cause_change *c = &made->causes[i];
        cause_change *other = NULL;
        for (size_t k = 0; k < kept && !other; k++)
            if (cause_is_other_way(c->what, made->causes[k].what) &&
                c->wait.by * made->causes[k].wait.by > 0 &&
                is_alike(made, c->wait.by, made->causes[k].wait.by))
                other = &made->causes[k];
        if (other)
            other->direction = DXT_DIRECTION_BOTH;
        else
            made->causes[kept++] = *c;
    }
    made->cause_count = kept;
}

/* What either run has; what both have is looked at once. */
static bool compare_causes(comparison *made, double spread)
{
    const cause_list *sides[2] = {&made->after->causes, &made->before->causes};
    size_t most = sides[0]->count + sides[1]->count;
    if (most == 0) return true;
    made->causes = calloc(most, sizeof *made->causes);
    if (!made->causes) return false;
    for (size_t i = 0; i < most; i++) {
        bool later = i < sides[0]->count;
        const cause *what = later ? &sides[0]->causes[i] : &sides[1]->causes[i - sides[0]->count];
        if (!later && cause_find(sides[0], what)) continue;
        change c = cause_compare(sides[1], sides[0], what, spread);
        if (!is_changed(made, &c, made->ranks)) continue;
        made->causes[made->cause_count++] = (cause_change){what, what->direction, c};
        made->slower |= c.by > 0;
    }
    qsort(made->causes, made->cause_count, sizeof *made->causes, larger_first);
    join_directions(made);
    return true;
}

bool is_alike(const comparison *made, double first, double second)
{
    double larger = fmax(fabs(first), fabs(second));
    return fabs(first - second) <= fmax(made->floor, ALIKE * larger);
}

/* The changes of a node's ranks. */
static uint32_t take_node(const comparison *made, int32_t node, double *by)
{
    uint32_t count = 0;
    for (uint32_t r = 0; made->nodes && r < made->ranks; r++)
        if (made->nodes[r] == node && !isnan(made->late[r].by)) by[count++] = made->late[r].by;
    return count;
}

bool is_with_node(const comparison *made, uint32_t rank)
{
    double by[DXT_MAX_RANKS], own = made->late[rank].by, most = 0;
    uint32_t count = made->nodes ? take_node(made, made->nodes[rank], by) : 0;
    if (count < LEAST_RANKS) return false;
    double common = middle(by, count);
    for (uint32_t k = 0; k < count; k++) {
        most = fmax(most, fabs(by[k]));
        by[k] = fabs(by[k] - common);
    }
    if (!(own * common > 0)) return false;
    if (is_alike(made, own, common)) return true;
    double reach = DEVIATIONS * TO_STANDARD * middle(by, count);
    return fabs(own) >= LEAST_PART * most && fabs(own - common) <= reach;
}

bool node_range(const comparison *made, int32_t node, double *least, double *most)
{
    *least = INFINITY;
    *most = -INFINITY;
    for (uint32_t r = 0; made->nodes && r < made->ranks; r++) {
        if (made->nodes[r] != node || !is_with_node(made, r)) continue;
        *least = fmin(*least, made->late[r].by);
        *most = fmax(*most, made->late[r].by);
    }
    return *least <= *most && !is_alike(made, *least, *most);
}

bool is_common(const comparison *made, uint32_t rank, uint32_t total)
{
    return is_changed(made, &made->late[rank], made->ranks) &&
           (total < LEAST_RANKS || is_with_node(made, rank));
}

bool node_change(const comparison *made, uint32_t rank, node_common *common)
{
    double least = INFINITY, most = -INFINITY;
    change *sum = &common->late;
    *common = (node_common){.first = rank, .late = {.part = NAN}};
    for (uint32_t r = 0; made->nodes && r < made->ranks; r++)
        common->total += made->nodes[r] == made->nodes[rank];
    if (common->total < 2 || !is_common(made, rank, common->total)) return false;
    for (uint32_t r = 0; r < made->ranks; r++) {
        const change *c = &made->late[r];
        if (made->nodes[r] != made->nodes[rank]) continue;
        if (!is_common(made, r, common->total)) continue;
        least = fmin(least, c->by);
        most = fmax(most, c->by);
        sum->before += c->before;
        sum->after += c->after;
        sum->error = fmax(sum->error, c->error);
        sum->p = fmax(sum->p, c->p);
        if (common->count == 0) common->first = r, sum->part = c->part;
        if (isnan(c->part)) sum->part = NAN;
        sum->part_before = c->part_before;
        common->count++;
    }
    bool few = common->total < LEAST_RANKS;
    if (2 * common->count <= common->total || common->count == made->ranks) return false;
    if (few && (common->count < common->total || !is_alike(made, least, most))) return false;
    sum->before /= common->count;
    sum->after /= common->count;
    sum->by = sum->after - sum->before;
    return true;
}

bool compare_ranks(comparison *made)
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
        /* Of two, one is later only as the other one is earlier: see paths.c. */
        if (made->ranks > 2)
            made->slower |= is_changed(made, &made->late[rank], figures) && made->late[rank].by > 0;
        made->slower |= silence_change(made, rank) > 0;
    }
    return compare_causes(made, spread);
}
