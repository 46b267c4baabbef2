/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/bundles.h"

#include <math.h>
#include <string.h>

#include "analysis/arrive/shifts.h"
#include "analysis/explain/companion.h"
#include "analysis/explain/persists.h"
#include "analysis/explain/stalls.h"
#include "analysis/tuning.h"
#include "numeric/normal.h"
#include "numeric/select.h"

/* Ranks that slow paths join into components, and how many paths each has. */
struct web {
    uint32_t parent[DXT_MAX_RANKS];
    uint32_t in[DXT_MAX_RANKS], out[DXT_MAX_RANKS];         /* paths to and from a member */
    uint32_t ranks[DXT_MAX_RANKS], paths[DXT_MAX_RANKS];    /* of a component, at its root */
    uint32_t hub_in[DXT_MAX_RANKS], hub_out[DXT_MAX_RANKS]; /* its members with the most of each */
    uint32_t hub[DXT_MAX_RANKS];                            /* … and of both together */
};

static uint32_t root_of(struct web *web, uint32_t k)
{
    while (web->parent[k] != k) k = web->parent[k] = web->parent[web->parent[k]];
    return k;
}

static void join_paths(const dxt_path_list *list, uint32_t members, struct web *web)
{
    memset(web, 0, sizeof *web);
    for (uint32_t k = 0; k < members; k++) web->parent[k] = k;
    for (size_t p = 0; p < list->count; p++) {
        const dxt_slow_path *path = &list->items[p];
        if (path->bundle == DXT_BUNDLE_STALLS) continue;
        web->in[path->i]++;
        web->out[path->j]++;
        web->parent[root_of(web, path->i)] = root_of(web, path->j);
    }
    for (uint32_t k = 0; k < members; k++) {
        uint32_t root = root_of(web, k);
        if (web->in[k] + web->out[k] == 0) continue;
        uint32_t *hub = &web->hub[root];
        if (web->ranks[root]++ == 0) *hub = web->hub_in[root] = web->hub_out[root] = k;
        if (web->in[k] + web->out[k] > web->in[*hub] + web->out[*hub]) *hub = k;
        if (web->in[k] > web->in[web->hub_in[root]]) web->hub_in[root] = k;
        if (web->out[k] > web->out[web->hub_out[root]]) web->hub_out[root] = k;
        web->paths[root] += web->in[k];
    }
}

/* The kind of a component's paths, from their number and their common end. */
static dxt_bundle kind_of(const struct web *web, uint32_t root)
{
    double ranks = web->ranks[root], most = DXT_BUNDLE_PART * web->paths[root];
    if (web->paths[root] < 2) return DXT_BUNDLE_NONE;
    if (web->paths[root] >= DXT_BUNDLE_PART * ranks * (ranks - 1)) return DXT_BUNDLE_RAIL;
    if (web->paths[root] < DXT_BUNDLE_LEAST) return DXT_BUNDLE_NONE;
    if (web->out[web->hub_out[root]] >= most) return DXT_BUNDLE_SOURCE;
    if (web->in[web->hub_in[root]] >= most) return DXT_BUNDLE_RECEIVER;
    return DXT_BUNDLE_NONE;
}

/* Whether most paths of a component begin or end at one member, many of each: its link is slow both
 * ways, though not for all, as a NIC is where nobody told the nodes. */
static bool is_of_one(const struct web *web, uint32_t root)
{
    uint32_t in = web->in[web->hub[root]], out = web->out[web->hub[root]];
    if (in < DXT_BUNDLE_LEAST || out < DXT_BUNDLE_LEAST) return false;
    return in + out >= DXT_BUNDLE_PART * web->paths[root];
}

static void mark(dxt_slow_path *path, dxt_bundle bundle, uint32_t of)
{
    path->bundle = bundle;
    path->of = of;
}

/* @return How many paths have nothing in common with others. */
static size_t mark_components(dxt_path_list *list, struct web *web)
{
    size_t alone = 0;
    for (size_t p = 0; p < list->count; p++) {
        dxt_slow_path *path = &list->items[p];
        uint32_t root = root_of(web, path->i);
        alone += path->bundle == DXT_BUNDLE_STALLS;
        if (path->bundle == DXT_BUNDLE_STALLS) continue;
        switch (kind_of(web, root)) {
        case DXT_BUNDLE_RAIL: mark(path, DXT_BUNDLE_RAIL, root); break;
        case DXT_BUNDLE_SOURCE:
            if (path->j == web->hub_out[root]) mark(path, DXT_BUNDLE_SOURCE, path->j);
            break;
        case DXT_BUNDLE_RECEIVER:
            if (path->i == web->hub_in[root]) mark(path, DXT_BUNDLE_RECEIVER, path->i);
            break;
        default:
            if (!is_of_one(web, root)) break;
            if (path->i == web->hub[root]) mark(path, DXT_BUNDLE_RECEIVER, path->i);
            if (path->j == web->hub[root]) mark(path, DXT_BUNDLE_SOURCE, path->j);
            break;
        }
        alone += path->bundle == DXT_BUNDLE_NONE;
    }
    return alone;
}

/* Decide on paths with nothing in common. If they are many, they are stalls. If they do not stall,
 * or if they are few and were slow only once, they are no finding. */
static void settle_rest(dxt_path_list *list, bool many, bool stalls)
{
    for (size_t p = 0; p < list->count; p++) {
        dxt_slow_path *path = &list->items[p];
        if (many && path->bundle == DXT_BUNDLE_NONE) mark(path, DXT_BUNDLE_STALLS, 0);
        if (!stalls && path->bundle == DXT_BUNDLE_STALLS) mark(path, DXT_BUNDLE_PASSING, 0);
    }
}

/* Whether a path has nothing in common with others, except with the path back. */
static bool is_alone(const struct web *web, const dxt_slow_path *path)
{
    bool pair = path->bundle == DXT_BUNDLE_RAIL && web->ranks[path->of] == 2;
    return pair || path->bundle == DXT_BUNDLE_NONE;
}

/* If paths stall all over the operator, one that was hit more often than others is no finding of
 * its own: rules/wide_stalls.c names them together. */
static void pass_stalled(const dxt_case *c, const struct web *web, dxt_path_list *list)
{
    dxt_stalls stalls;
    size_t p = 0;
    while (p < list->count && !is_alone(web, &list->items[p])) p++;
    if (p == list->count || !c->companion || isnan(c->spent)) return;
    if (!dxt_paths_stall(&c->fit, &c->other, &stalls)) return;
    for (; p < list->count; p++)
        if (is_alone(web, &list->items[p]) &&
            list->items[p].excess <= DXT_OUTLIER_SPREADS * stalls.deviation)
            mark(&list->items[p], DXT_BUNDLE_PASSING, 0);
}

/* Mark the first path of each bundle, which is its slowest. */
static void find_heads(dxt_path_list *list, struct web *web)
{
    bool *seen[DXT_BUNDLE_KINDS];
    for (int b = 0; b < DXT_BUNDLE_KINDS; b++)
        seen[b] = (bool *)web->in + (size_t)b * DXT_MAX_RANKS;
    memset(web->in, 0, sizeof web->in + sizeof web->out);
    for (size_t p = 0; p < list->count; p++) {
        dxt_slow_path *path = &list->items[p];
        bool *met = &seen[path->bundle][path->of];
        path->head = path->bundle == DXT_BUNDLE_NONE || !*met;
        *met = true;
    }
}

/* How far the waits of node a's ranks for those of node b typically are from the expected ones;
 * from a sample. */
static double spread_between(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    double *off = fit->scratch->cells.work;
    uint32_t row[DXT_PARTNERS], column[DXT_PARTNERS], rows = 0, columns = 0;
    dxt_settle(fit, a);
    for (uint32_t k = 0; k < fit->count; k++) {
        if (fit->node[k] == a && rows < DXT_PARTNERS) row[rows++] = k;
        if (fit->node[k] == b && columns < DXT_PARTNERS) column[columns++] = k;
    }
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t j = 0; j < columns; j++)
            off[i * columns + j] = fabs(dxt_fit_wait(fit, row[i], column[j]) -
                                        dxt_fit_expected(fit, row[i], column[j]));
    return DXT_MAD_TO_DEVIATION * dxt_median(off, (size_t)rows * columns);
}

/* Whether enough of the slowest paths stall. Paths between nodes differ from each other more than
 * those inside, so there a stall must exceed the spread between its two nodes. */
static bool do_stall(const dxt_fit *fit, const dxt_path_list *list)
{
    uint32_t looked = 0, beyond = 0;
    for (size_t p = 0; p < list->count && looked < DXT_BUNDLE_LISTED; p++) {
        const dxt_slow_path *path = &list->items[p];
        uint32_t a = fit->node[path->i], b = fit->node[path->j];
        if (path->bundle != DXT_BUNDLE_STALLS && path->bundle != DXT_BUNDLE_NONE) continue;
        looked++;
        beyond += a == b || path->excess > DXT_OUTLIER_SPREADS * spread_between(fit, a, b);
        if (beyond == DXT_STALLS_LEAST) return true;
    }
    return false;
}

void dxt_bundle_paths(const dxt_case *c, dxt_path_list *list)
{
    struct web web;
    for (size_t p = 0; p < list->count; p++) {
        bool once = c->passing && !dxt_path_persists(c, &list->items[p]);
        mark(&list->items[p], once ? DXT_BUNDLE_STALLS : DXT_BUNDLE_NONE, 0);
    }
    if (list->count == 0) return;
    join_paths(list, c->fit.count, &web);
    bool many = mark_components(list, &web) >= DXT_STALLS_LEAST;
    settle_rest(list, many, many && do_stall(&c->fit, list));
    if (!many) pass_stalled(c, &web, list);
    find_heads(list, &web);
}

static bool same_bundle(const dxt_slow_path *x, const dxt_slow_path *y)
{
    return x->bundle == y->bundle && x->of == y->of;
}

/* How many paths the bundle of a path has. */
static uint32_t bundle_size(const dxt_path_list *list, uint32_t path)
{
    uint32_t size = 0;
    if (list->items[path].bundle == DXT_BUNDLE_NONE) return 1;
    for (size_t p = 0; p < list->count; p++)
        size += same_bundle(&list->items[p], &list->items[path]);
    return size;
}

bool dxt_bundle_is_link(const dxt_case *c, uint32_t path)
{
    dxt_bundle bundle = c->paths->items[path].bundle;
    if (bundle != DXT_BUNDLE_SOURCE && bundle != DXT_BUNDLE_RECEIVER) return false;
    return 2 * bundle_size(c->paths, path) >= c->fit.count - 1;
}

/* Ranks of the paths of a rail, ascending. */
static void list_ranks(dxt_case *c, const dxt_slow_path *head)
{
    bool of_it[DXT_MAX_RANKS] = {false};
    uint32_t ranks[DXT_MAX_RANKS], used = 0;
    for (size_t p = 0; p < c->paths->count; p++) {
        const dxt_slow_path *path = &c->paths->items[p];
        if (same_bundle(path, head)) of_it[path->i] = of_it[path->j] = true;
    }
    for (uint32_t k = 0; k < c->fit.count && used < DXT_BUNDLE_LISTED; k++)
        if (of_it[k]) ranks[used++] = c->fit.rank[k];
    dxt_draft_list(c->draft, DXT_LIST_RANKS, ranks, used);
}

static void list_nodes(dxt_case *c, const dxt_slow_path *head)
{
    bool of_it[DXT_MAX_RANKS] = {false};
    int32_t nodes[DXT_BUNDLE_LISTED];
    uint32_t used = 0;
    for (size_t p = 0; p < c->paths->count; p++) {
        const dxt_slow_path *path = &c->paths->items[p];
        if (same_bundle(path, head))
            of_it[c->fit.node[path->i]] = of_it[c->fit.node[path->j]] = true;
    }
    for (uint32_t a = 0; a < c->fit.nodes && used < DXT_BUNDLE_LISTED; a++)
        if (of_it[a]) nodes[used++] = c->fit.node_id[a];
    dxt_draft_list(c->draft, DXT_LIST_NODES, nodes, used);
}

bool dxt_path_is_trace(const dxt_case *c, const dxt_slow_path *path)
{
    bool of_rank = path->bundle == DXT_BUNDLE_NONE || path->bundle == DXT_BUNDLE_SOURCE;
    return of_rank && path->excess < dxt_receives_there(c, path->j) / 2;
}

void dxt_bundle_list(dxt_case *c, uint32_t path, dxt_finding *finding)
{
    const dxt_slow_path *head = &c->paths->items[path];
    uint32_t pairs[DXT_BUNDLE_LISTED][2], used = 0;
    for (size_t p = 0; p < c->paths->count && used < DXT_BUNDLE_LISTED; p++) {
        const dxt_slow_path *other = &c->paths->items[p];
        if (!same_bundle(other, head)) continue;
        pairs[used][0] = c->fit.rank[other->i];
        pairs[used++][1] = c->fit.rank[other->j];
    }
    finding->path_total = bundle_size(c->paths, path);
    dxt_draft_list(c->draft, DXT_LIST_PATHS, pairs, used);
    if (head->bundle == DXT_BUNDLE_RAIL) list_ranks(c, head);
    if (head->bundle == DXT_BUNDLE_STALLS && c->fit.nodes > 1) list_nodes(c, head);
}
