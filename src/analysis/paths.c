/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that stand out from the fitted arrivals: slow paths. */
#include <math.h>
#include <stdlib.h>

#include "analysis/fit.h"
#include "analysis/screen.h"
#include "analysis/select.h"
#include "analysis/skew.h"
#include "base/base.h"

/* A path must exceed this many typical deviations of a cell … */
#define OUTLIER_SPREADS 8.0
/* … where cells have long tails, which they have when their logarithm spreads by more than this
 * (few cells may do so less by chance, uneven pairs never do), so much more that one cell in a
 * thousand windows goes that far in the logarithm … */
#define LONG_TAILS 0.4
#define ONE_IN 1e3
#define FEW_CELLS 3.0
/* … this part of what is expected of it … */
#define RELATIVE_EXCESS 0.3
/* … and the ordinary wait: pairs are uneven by nature. What of that is skew counts twice, since
 * pairs of ranks that take turns (on one core, on one link) are more skewed than others. */
#define SKEW_EXCESS 2.0
/* Where more cells than this part deviate, it is not the paths. */
#define MOST_PATHS_SHARE 0.1

/* A search under way. */
struct search {
    const dxt_fit *fit;
    double spread; /* typical deviation of a cell from the fit */
    double ratio;  /* smallest wait over the expected, by the spread of its logarithm */
    double *least; /* [ranks] smallest excess in a column; infinite where the row is missing */
    double *late;  /* [ranks] lateness as the row's node sees it */
    dxt_path_list *list;
    size_t most;
};

/* 1.4826 × median absolute deviation of a sample of cells off the diagonal from the fit. */
static double typical_deviation(const dxt_fit *fit)
{
    uint32_t n = fit->count;
    size_t cells = (size_t)n * (n - 1);
    size_t taken = cells < DXT_LEVEL_SAMPLE ? cells : DXT_LEVEL_SAMPLE;
    for (size_t k = 0; k < taken; k++) {
        size_t cell = dxt_spread_index(k, taken, cells);
        uint32_t i = (uint32_t)(cell / (n - 1)), j = (uint32_t)(cell % (n - 1));
        if (j >= i) j++;
        fit->scratch[k] = fabs(dxt_fit_wait(fit, i, j) - dxt_fit_expected(fit, i, j));
    }
    return 1.4826 * dxt_median(fit->scratch, taken);
}

/* The same for the logarithm of wait over expected, where both are worth a ratio; as a factor. */
static double least_ratio(const dxt_fit *fit)
{
    uint32_t n = fit->count;
    size_t cells = (size_t)n * (n - 1), used = 0;
    size_t taken = cells < DXT_LEVEL_SAMPLE ? cells : DXT_LEVEL_SAMPLE;
    for (size_t k = 0; k < taken; k++) {
        size_t cell = dxt_spread_index(k, taken, cells);
        uint32_t i = (uint32_t)(cell / (n - 1)), j = (uint32_t)(cell % (n - 1));
        if (j >= i) j++;
        double wait = dxt_fit_wait(fit, i, j), expected = dxt_fit_expected(fit, i, j);
        if (wait <= 0 || expected < fit->base / 10) continue;
        fit->scratch[used++] = log(wait / expected);
    }
    if (used == 0) return 1;
    double middle = dxt_median(fit->scratch, used);
    for (size_t k = 0; k < used; k++) fit->scratch[k] = fabs(fit->scratch[k] - middle);
    double spread = 1.4826 * dxt_median(fit->scratch, used);
    spread *= 1 + FEW_CELLS / sqrt((double)used);
    double spreads = sqrt(2 * log(ONE_IN * (double)cells));
    return spread < LONG_TAILS ? 1 : exp(fmin(middle + spreads * spread, 100));
}

/* Excess of one cell over the fit when it is abnormal, otherwise 0. */
static double excess_of(const struct search *s, uint32_t i, uint32_t j)
{
    double expected = dxt_fit_expected(s->fit, i, j);
    double wait = dxt_fit_wait(s->fit, i, j), excess = wait - expected;
    uint32_t a = s->fit->node[i], b = s->fit->node[j];
    double least = fmax(s->least[s->fit->rank[j]], s->fit->limit[i]);
    /* Nodes are told apart less finely than their ranks. */
    if (a != b) least = fmax(least, fmax(s->fit->node_limit[a], s->fit->node_limit[b]));
    least = fmax(least, RELATIVE_EXCESS * expected);
    return excess > least && wait > s->ratio * fmax(expected, s->fit->base) ? excess : 0;
}

/* Whether any cell of a row can be abnormal. Skew and receiving only add to what is expected, so a
 * row that stays below the bare shifts is done: almost every one is. */
static bool row_stands_out(struct search *s, uint32_t i)
{
    const dxt_fit *fit = s->fit;
    const dxt_window *window = fit->window;
    size_t first = (size_t)fit->rank[i] * window->ranks;
    double shift = fit->transfer - fit->late[i];
    if (fit->nodes > 1) {
        for (uint32_t j = 0; j < fit->count; j++) s->late[fit->rank[j]] = dxt_fit_shift(fit, i, j);
        shift = 0;
    }
    return dxt_screen_row(window->wait + first, window->samples ? window->samples + first : NULL,
                          fit->factor[i], shift, s->late, s->least, window->ranks) > 0;
}

size_t dxt_most_paths(uint32_t ranks)
{
    return 1 + (size_t)(MOST_PATHS_SHARE * (double)ranks * (ranks - 1));
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
        status = make_room(list, list->capacity ? 2 * list->capacity : 16);
    if (status != DXT_OK) return status;
    list->items[list->count++] = (dxt_slow_path){i, j, excess, s->spread};
    return DXT_OK;
}

/* DXT_END when there are too many. */
static dxt_status search_row(struct search *s, uint32_t i)
{
    if (!row_stands_out(s, i)) return DXT_OK;
    for (uint32_t j = 0; j < s->fit->count; j++) {
        double excess = i == j ? 0 : excess_of(s, i, j);
        if (excess <= 0) continue;
        if (s->list->count == s->most) return DXT_END;
        dxt_status status = keep_path(s, i, j, excess);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}

/* Whether x comes before y. */
static bool before(const dxt_slow_path *x, const dxt_slow_path *y)
{
    if (x->excess != y->excess) return x->excess > y->excess;
    return x->i != y->i ? x->i < y->i : x->j < y->j;
}

static void swap(dxt_slow_path *a, dxt_slow_path *b)
{
    dxt_slow_path keep = *a;
    *a = *b;
    *b = keep;
}

/* The root holds what comes last. */
static void sift_down(dxt_slow_path *items, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && before(&items[child], &items[child + 1])) child++;
        if (!before(&items[root], &items[child])) return;
        swap(&items[root], &items[child]);
    }
}

/* Heapsort, in place: qsort() may allocate. */
static void sort_paths(dxt_slow_path *items, size_t n)
{
    for (size_t root = n / 2; root-- > 0;) sift_down(items, root, n);
    for (size_t last = n; last-- > 1;) {
        swap(&items[0], &items[last]);
        sift_down(items, 0, last);
    }
}

/* In the fit's scratch, which nothing else needs by now and which holds 2 × DXT_MAX_RANKS. */
static void begin_search(struct search *s)
{
    const dxt_fit *fit = s->fit;
    uint32_t n = fit->count;
    s->spread = typical_deviation(fit);
    s->ratio = least_ratio(fit);
    s->most = dxt_most_paths(n);
    s->least = fit->scratch;
    s->late = fit->scratch + fit->window->ranks;
    double least = fmax(fit->base, SKEW_EXCESS * dxt_expected_wait(0, fit->skew));
    least = fmax(least, OUTLIER_SPREADS * s->spread);
    for (uint32_t r = 0; r < fit->window->ranks; r++) {
        s->least[r] = INFINITY;
        s->late[r] = 0;
    }
    for (uint32_t j = 0; j < n; j++) {
        s->least[fit->rank[j]] = fmax(least, fit->limit[j]);
        s->late[fit->rank[j]] = fit->late[j];
    }
}

dxt_status dxt_fit_paths(const dxt_fit *fit, dxt_path_list *list)
{
    struct search search = {.fit = fit, .list = list};
    dxt_status status = DXT_OK;
    list->count = 0;
    list->misfit = false;
    /* Between two ranks a slow path and a late rank are the same. */
    if (fit->count < 3) return DXT_OK;
    begin_search(&search);
    for (uint32_t i = 0; i < fit->count && status == DXT_OK; i++) status = search_row(&search, i);
    if (status == DXT_END) {
        list->misfit = true;
        list->count = 0;
        return DXT_OK;
    }
    sort_paths(list->items, list->count);
    return status;
}
