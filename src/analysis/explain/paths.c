/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that stand out from the fitted arrivals: slow paths. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/arrive/fit.h"
#include "base/base.h"
#include "numeric/screen.h"
#include "numeric/select.h"
#include "numeric/skew.h"

/* A path must exceed this many typical deviations of a cell … */
#define OUTLIER_SPREADS 8.0
/* … where cells have long tails, which they have when their logarithm spreads by more than this
 * (few cells may do so less by chance, uneven pairs never do), so much more that one cell in a
 * thousand windows goes that far in the logarithm … */
#define LONG_TAILS 0.4
#define ONE_IN 1e3
#define FEW_CELLS 3.0
/* … but nothing spreads by more than this … */
#define WILDEST 1.0
/* … this part of what is expected of it … */
#define RELATIVE_EXCESS 0.3
/* … and the ordinary wait: pairs are uneven by nature. What of that is skew counts twice, since
 * pairs of ranks that take turns (on one core, on one link) are more skewed than others. */
#define SKEW_EXCESS 2.0
/* Ranks up to which the windows before tell deviations better than this one. */
#define FEW_RANKS 4u
/* These do not show how uneven the pairs are for good: so many ordinary waits make up for it. */
#define CALM_EXCESS 1.25
/* Where more cells than this part deviate, it is not the paths. */
#define MOST_PATHS_SHARE 0.1

/* A search under way. */
struct search {
    const dxt_fit *fit;
    double spread; /* typical deviation of a cell from the fit */
    double ratio;  /* smallest wait over the expected, by the spread of its logarithm */
    double *least; /* [ranks] smallest excess in a column; infinite where the row is missing */
    double *bar;   /* [ranks] the same, and what the column's rank loses by sending */
    double *late;  /* [ranks] lateness as the node sees it, the way to it included */
    uint32_t node; /* whose view `late` is */
    dxt_path_list *list;
    size_t most;
    bool summed; /* take the mean along */
};

/* ---- what a cell is like ---- */

/* A sample of cells off the diagonal, in the fit's scratch. */
struct sample {
    uint32_t count;
    double *wait, *expected, *work; /* [count] each */
};

/* As dxt_spread_index() spreads them. They are scattered over a large matrix, so that all are asked
 * for before any is looked at. */
static void take_sample(const dxt_fit *fit, struct sample *sample)
{
    const dxt_window *window = fit->window;
    uint16_t row[DXT_LEVEL_SAMPLE], column[DXT_LEVEL_SAMPLE];
    uint32_t n = fit->count, cells = n * (n - 1);
    sample->count = cells < DXT_LEVEL_SAMPLE ? cells : DXT_LEVEL_SAMPLE;
    sample->wait = fit->scratch;
    sample->expected = sample->wait + DXT_LEVEL_SAMPLE;
    sample->work = sample->expected + DXT_LEVEL_SAMPLE;
    for (uint32_t k = 0; k < sample->count; k++) {
        uint32_t cell = (uint32_t)dxt_spread_index(k, sample->count, cells);
        uint32_t i = cell / (n - 1), j = cell % (n - 1);
        j += j >= i;
        row[k] = (uint16_t)i;
        column[k] = (uint16_t)j;
        __builtin_prefetch(window->wait + (size_t)fit->rank[i] * window->ranks + fit->rank[j]);
    }
    for (uint32_t k = 0; k < sample->count; k++) {
        sample->wait[k] = dxt_fit_wait(fit, row[k], column[k]);
        sample->expected[k] = dxt_fit_expected(fit, row[k], column[k]);
    }
}

/* 1.4826 × median absolute deviation of the sample from the fit. */
static double typical_deviation(const struct sample *sample)
{
    for (uint32_t k = 0; k < sample->count; k++)
        sample->work[k] = fabs(sample->wait[k] - sample->expected[k]);
    return 1.4826 * dxt_median(sample->work, sample->count);
}

/* The same for the logarithm of wait over expected, where both are worth a ratio; as a factor. The
 * logarithm of a median is the median of the logarithms. Waits become ratios. */
static double least_ratio(const dxt_fit *fit, const struct sample *sample)
{
    double *ratio = sample->wait, *work = sample->work;
    size_t used = 0;
    for (uint32_t k = 0; k < sample->count; k++) {
        double wait = sample->wait[k], expected = sample->expected[k];
        ratio[used] = wait / expected;
        used += !(wait <= 0 || expected < fit->base / 10);
    }
    if (used == 0) return 1;
    memcpy(work, ratio, used * sizeof *work);
    double typical = dxt_median(work, used), middle = log(typical);
    for (size_t k = 0; k < used; k++)
        work[k] = ratio[k] > typical ? ratio[k] / typical : typical / ratio[k];
    double spread = 1.4826 * log(dxt_median(work, used));
    spread = fmin(spread * (1 + FEW_CELLS / sqrt((double)used)), WILDEST);
    double cells = (double)fit->count * (fit->count - 1);
    double spreads = sqrt(2 * log(ONE_IN * cells));
    return spread < LONG_TAILS ? 1 : exp(fmin(middle + spreads * spread, 100));
}

/* ---- single cells ---- */

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

static void take_view(struct search *s, uint32_t node)
{
    const dxt_fit *fit = s->fit;
    for (uint32_t j = 0; j < fit->count; j++)
        s->late[fit->rank[j]] = fit->late[j] + dxt_fit_way(fit, node, fit->node[j]);
    s->node = node;
}

/* Whether any cell of a row can be abnormal. Skew only adds to what is expected, so a row that
 * stays below the bare shifts is done: almost every one is. */
static bool row_stands_out(struct search *s, uint32_t i)
{
    const dxt_fit *fit = s->fit;
    const dxt_window *window = fit->window;
    size_t first = (size_t)fit->rank[i] * window->ranks;
    if (s->node != fit->node[i]) take_view(s, fit->node[i]);
    return dxt_screen_row(window->wait + first, window->samples ? window->samples + first : NULL,
                          fit->factor[i], -fit->late[i], s->late, s->bar, window->ranks) > 0;
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

/* While the row is at hand. */
static void add_to_mean(const struct search *s, uint32_t rank)
{
    const dxt_window *window = s->fit->window;
    uint32_t n = window->ranks;
    s->list->mean += dxt_screen_sum(window->wait + (size_t)rank * n, n) / n / n;
}

/* DXT_END when there are too many. */
static dxt_status search_row(struct search *s, uint32_t i)
{
    bool stands_out = row_stands_out(s, i);
    if (s->summed) add_to_mean(s, s->fit->rank[i]);
    if (!stands_out) return DXT_OK;
    for (uint32_t j = 0; j < s->fit->count; j++) {
        double excess = i == j ? 0 : excess_of(s, i, j);
        if (excess <= 0) continue;
        if (s->list->count == s->most) return DXT_END;
        dxt_status status = keep_path(s, i, j, excess);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}

/* Whether so many rows from member i on can be told together: neighbours of one node. */
static bool are_together(const dxt_fit *fit, uint32_t i)
{
    uint32_t last = i + DXT_SCREEN_ROWS - 1;
    if (fit->window->samples || last >= fit->count) return false;
    if (fit->rank[last] - fit->rank[i] != last - i) return false;
    for (uint32_t k = i + 1; k <= last; k++)
        if (fit->node[k] != fit->node[i]) return false;
    return true;
}

/* Whether none of these rows stands out; then they are done. */
static bool pass_together(struct search *s, uint32_t i)
{
    const dxt_fit *fit = s->fit;
    const dxt_window *window = fit->window;
    size_t n = window->ranks;
    double shift[DXT_SCREEN_ROWS];
    if (s->node != fit->node[i]) take_view(s, fit->node[i]);
    for (uint32_t k = 0; k < DXT_SCREEN_ROWS; k++) shift[k] = -fit->late[i + k];
    if (dxt_screen_rows(window->wait + fit->rank[i] * n, n, &fit->factor[i], shift, s->late, s->bar,
                        window->ranks) > 0)
        return false;
    for (uint32_t k = 0; s->summed && k < DXT_SCREEN_ROWS; k++) add_to_mean(s, fit->rank[i + k]);
    return true;
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

/* A mean is wanted where anybody is named; of all rows, where all are there. */
static bool is_summed(const dxt_fit *fit)
{
    uint32_t k = 0;
    if (fit->count < fit->window->ranks) return false;
    while (k < fit->count && fit->role[k] == DXT_ROLE_ORDINARY) k++;
    return k < fit->count;
}

/* In the fit's scratch, which nothing else needs by now and which holds 3 × DXT_MAX_RANKS. */
static void begin_search(struct search *s)
{
    const dxt_fit *fit = s->fit;
    uint32_t n = fit->count, ranks = fit->window->ranks;
    struct sample sample;
    /* Of few ranks the cells that deviate are many of those that tell what a deviation is. */
    bool calm =
        n <= FEW_RANKS && fit->nodes == 1 && fit->known_spread >= 0 && fit->cell_spread == 0;
    take_sample(fit, &sample);
    s->spread = calm ? fit->known_spread * (fit->base + DXT_CELL_FLOOR * fit->floor)
                     : typical_deviation(&sample);
    s->ratio = calm ? 1 : least_ratio(fit, &sample);
    s->most = dxt_most_paths(n);
    s->least = fit->scratch;
    s->bar = s->least + ranks;
    s->late = s->bar + ranks;
    s->node = UINT32_MAX;
    s->summed = is_summed(fit);
    double least =
        fmax((calm ? CALM_EXCESS : 1) * fit->base, SKEW_EXCESS * dxt_expected_wait(0, fit->skew));
    least = fmax(least, OUTLIER_SPREADS * s->spread);
    /* Log-normal, where the windows before show that it is much. */
    double times = exp(dxt_group_significance(n) * fit->cell_spread) - 1;
    least = fmax(least, (fit->base + DXT_CELL_FLOOR * fit->floor) * times);
    for (uint32_t r = 0; r < ranks; r++) {
        s->least[r] = s->bar[r] = INFINITY;
        s->late[r] = 0;
    }
    for (uint32_t j = 0; j < n; j++) {
        uint32_t r = fit->rank[j];
        s->least[r] = fmax(least, fit->limit[j]);
        s->bar[r] = s->least[r] + fit->send[j];
    }
}

dxt_status dxt_fit_paths(const dxt_fit *fit, dxt_path_list *list)
{
    struct search search = {.fit = fit, .list = list};
    dxt_status status = DXT_OK;
    list->count = 0;
    list->misfit = false;
    list->mean = NAN;
    /* Between two ranks a slow path and a late rank are the same. */
    if (fit->count < 3) return DXT_OK;
    begin_search(&search);
    if (search.summed) list->mean = 0;
    for (uint32_t i = 0; i < fit->count && status == DXT_OK; i++) {
        bool together = i % DXT_SCREEN_ROWS == 0 && are_together(fit, i);
        if (together && pass_together(&search, i))
            i += DXT_SCREEN_ROWS - 1;
        else
            status = search_row(&search, i);
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
