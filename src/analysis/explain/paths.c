/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/paths.h"
#include "analysis/blocks.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/arrive/noise.h"
#include "analysis/explain/cells.h"
#include "analysis/explain/stand_out.h"
#include "analysis/tuning.h"
#include "base/base.h"
#include "numeric/skew.h"
#include "numeric/sort.h"

/* Room of a list at first, in paths. */
#define FIRST_ROOM 16

/* A search under way. */
struct search {
    const dxt_fit *fit;
    double spread; /* typical deviation of a cell from the fit */
    double ratio;  /* smallest wait over the expected, by the spread of its logarithm */
    double *least; /* [ranks] smallest excess in a column; infinite where the row is missing */
    double *bar;   /* [ranks] the same, and what the column's rank loses by sending */
    const dxt_glance *glance;
    dxt_view view;
    dxt_path_list *list;
    size_t most;
    bool summed; /* also take the mean of all counters */
};

/* Excess of a cell over the fit if it is abnormal; otherwise 0. */
static double excess_of(const struct search *s, uint32_t i, uint32_t j)
{
    double expected = dxt_fit_expected(s->fit, i, j);
    double wait = dxt_fit_wait(s->fit, i, j), excess = wait - expected;
    uint32_t a = s->fit->node[i], b = s->fit->node[j];
    double least = fmax(s->least[s->fit->rank[j]], s->fit->limit[i]);
    /* The lateness of nodes is known less well than that of ranks inside a node. */
    if (a != b) least = fmax(least, fmax(s->fit->node_limit[a], s->fit->node_limit[b]));
    least = fmax(least, DXT_RELATIVE_EXCESS * expected);
    return excess > least && wait > s->ratio * fmax(expected, s->fit->base) ? excess : 0;
}

size_t dxt_most_paths(uint32_t ranks)
{
    return 1 + (size_t)(DXT_MOST_PATHS_SHARE * (double)ranks * (ranks - 1));
}

static dxt_status make_room(dxt_path_list *list, size_t capacity)
{
    if (list->capacity >= capacity) return DXT_OK;
    dxt_slow_path *grown = realloc(list->items, capacity * sizeof *grown);
    if (!grown) return dxt_fail_memory(capacity * sizeof *grown);
    list->items = grown;
    list->capacity = capacity;
    return DXT_OK;
}

dxt_status dxt_paths_reserve(dxt_path_list *list, uint32_t ranks)
{
    return make_room(list, dxt_most_paths(ranks));
}

static dxt_status keep_path(struct search *s, uint32_t i, uint32_t j, double excess)
{
    dxt_path_list *list = s->list;
    dxt_status status = DXT_OK;
    if (list->count == list->capacity)
        status = make_room(list, list->capacity ? 2 * list->capacity : FIRST_ROOM);
    if (status != DXT_OK) return status;
    assert(list->count < list->capacity);
    list->items[list->count++] =
        (dxt_slow_path){.i = i, .j = j, .excess = excess, .error = s->spread};
    return DXT_OK;
}

/* Add up a row while it is in the cache. */
static void add_to_mean(const struct search *s, uint32_t rank)
{
    const dxt_window *window = s->fit->window;
    s->list->mean += dxt_glance_mean(s->glance, window, rank) / window->ranks;
}

/* Whether the wait of member i for member j is not filled in, as in a hybrid mode. */
static bool is_observed(const dxt_fit *fit, uint32_t i, uint32_t j)
{
    return fit->sparse == 0 || dxt_in_sparse_block(fit->rank[i], fit->rank[j], fit->sparse);
}

/* @return DXT_END if there are too many paths. */
static dxt_status search_row(struct search *s, uint32_t i)
{
    if (!dxt_row_stands_out(&s->view, i)) return DXT_OK;
    for (uint32_t j = 0; (j = dxt_next_above(&s->view, i, j)) < s->fit->count; j++) {
        double excess = i == j || !is_observed(s->fit, i, j) ? 0 : excess_of(s, i, j);
        if (excess <= 0) continue;
        if (s->list->count == s->most) return DXT_END;
        dxt_status status = keep_path(s, i, j, excess);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}

/* Whether x comes before y. */
static inline bool before(const dxt_slow_path *x, const dxt_slow_path *y)
{
    if (x->excess != y->excess) return x->excess > y->excess;
    return x->i != y->i ? x->i < y->i : x->j < y->j;
}

DXT_SORT(sort_paths, dxt_slow_path, before)

/* Whether the search also takes the mean: if a finding will need it, and no row is missing. */
static bool is_summed(const dxt_fit *fit)
{
    uint32_t k = 0;
    if (fit->count < fit->window->ranks) return false;
    while (k < fit->count && fit->role[k] == DXT_ROLE_ORDINARY) k++;
    return k < fit->count;
}

static void begin_search(struct search *s)
{
    const dxt_fit *fit = s->fit;
    uint32_t n = fit->count, ranks = fit->window->ranks;
    dxt_cell_sample *sample = &fit->scratch->cells;
    /* With few ranks, the slow cells are many of those that the deviation is taken from. */
    bool calm =
        n <= DXT_CALM_RANKS && fit->nodes == 1 && fit->known_spread >= 0 && fit->cell_spread == 0;
    dxt_cells_take(fit, sample);
    s->spread = calm ? fit->known_spread * (fit->base + DXT_CELL_FLOOR * fit->floor)
                     : dxt_cells_deviation(sample);
    /* Among more ranks so many cells go far by chance that a sample does not show it. */
    bool few = !calm && n <= DXT_OUTLIER_RANKS;
    double spreads = few ? dxt_cells_outlier(sample, s->spread) : DXT_OUTLIER_SPREADS;
    s->ratio = calm ? 1 : dxt_cells_least_ratio(fit, sample);
    s->most = dxt_most_paths(n);
    s->least = fit->least;
    s->bar = fit->bar;
    s->summed = is_summed(fit);
    double least = fmax((calm ? DXT_CALM_EXCESS : 1) * fit->base,
                        DXT_SKEW_EXCESS * dxt_expected_wait(0, fit->skew));
    least = fmax(least, spreads * s->spread);
    /* Cells are log-normal if the windows before show that they vary much. */
    double times = exp(dxt_group_significance(n) * fit->cell_spread) - 1;
    least = fmax(least, (fit->base + DXT_CELL_FLOOR * fit->floor) * times);
    for (uint32_t r = 0; r < ranks; r++) s->least[r] = s->bar[r] = INFINITY;
    for (uint32_t j = 0; j < n; j++) {
        uint32_t r = fit->rank[j];
        s->least[r] = fmax(least, fit->limit[j]);
        s->bar[r] = s->least[r] + fit->send[j];
    }
    dxt_view_begin(&s->view, fit, s->glance, s->bar, fit->seen);
}

dxt_status dxt_fit_paths(const dxt_fit *fit, const dxt_glance *glance, dxt_path_list *list)
{
    struct search search = {.fit = fit, .glance = glance, .list = list};
    dxt_status status = DXT_OK;
    list->count = 0;
    list->misfit = false;
    list->mean = NAN;
    /* Between two ranks a slow path cannot be told from a late rank. */
    if (fit->count <= 2) return DXT_OK;
    begin_search(&search);
    if (search.summed) list->mean = 0;
    for (uint32_t i = 0; i < fit->count && status == DXT_OK;) {
        uint32_t passed = dxt_rows_pass(&search.view, i), end = i + (passed > 0 ? passed : 1);
        if (passed == 0) status = search_row(&search, i);
        for (; i < end; i++)
            if (search.summed) add_to_mean(&search, fit->rank[i]);
    }
    if (status == DXT_END) {
        list->misfit = true;
        list->count = 0;
        list->mean = NAN;
        return DXT_OK;
    }
    sort_paths(list->items, list->count);
    return status;
}
