/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/levels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "analysis/arrive/roster.h"
#include "analysis/blocks.h"
#include "numeric/columns.h"
#include "numeric/screen.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* Up to this many cells a level, the levels of neighbouring nodes are found together. */
#define FEW_CELLS DXT_COUNTER_ROWS
#define NO_NODE UINT32_MAX

_Static_assert(DXT_MAX_RANKS <= UINT16_MAX + 1, "a rank of a node is told by 16 bits below");

/* The cells to look at between two nodes with so many ordinary ranks. */
struct shape {
    uint32_t rows, columns;
    uint32_t taken;
    uint16_t row[DXT_LEVEL_SAMPLE], column[DXT_LEVEL_SAMPLE];
    uint32_t waiting;                  /* node whose … */
    const int64_t *counter[FEW_CELLS]; /* … cells these are, if rank 0 were first in the other … */
    const int64_t *samples[FEW_CELLS]; /* … how many waits are in each … */
    double factor[FEW_CELLS];          /* … and what makes waits of them */
};

static bool is_of(const struct shape *shape, uint32_t rows, uint32_t columns)
{
    return shape->rows == rows && shape->columns == columns;
}

/* That of two nodes without an ordinary rank. */
static void begin_shape(struct shape *shape)
{
    shape->rows = shape->columns = shape->taken = 0;
    shape->waiting = NO_NODE;
}

/* At most `most` of them. */
static void shape_of(uint32_t rows, uint32_t columns, size_t most, struct shape *shape)
{
    size_t cells = (size_t)rows * columns, taken = cells < most ? cells : most;
    if (is_of(shape, rows, columns)) return;
    shape->waiting = NO_NODE;
    shape->rows = rows;
    shape->columns = columns;
    shape->taken = (uint32_t)taken;
    assert(taken <= DXT_LEVEL_SAMPLE);
    for (size_t k = 0; k < taken; k++) {
        size_t cell = dxt_spread_index(k, taken, cells);
        shape->row[k] = (uint16_t)(cell / columns);
        shape->column[k] = (uint16_t)(cell % columns);
    }
}

/* The ordinary ranks, and for each the number of neighbours in the matrix from it on, itself
 * included. */
struct neighbours {
    dxt_roster roster;
    uint32_t run[DXT_MAX_RANKS];
};

static void find_neighbours(const dxt_fit *fit, struct neighbours *near)
{
    const uint32_t *list = near->roster.list;
    uint32_t run = 0;
    dxt_call_roster(fit, &near->roster);
    for (uint32_t k = near->roster.begin[fit->nodes]; k-- > 0;) {
        bool next = run > 0 && fit->rank[list[k + 1]] == fit->rank[list[k]] + 1;
        near->run[k] = run = next ? run + 1 : 1;
    }
}

/* Find the cells in the rows of node a. */
static void turn_to(const dxt_fit *fit, const dxt_roster *roster, uint32_t a, struct shape *shape)
{
    const dxt_window *window = fit->window;
    if (shape->waiting == a || shape->taken > FEW_CELLS) return;
    shape->waiting = a;
    for (uint32_t k = 0; k < shape->taken; k++) {
        uint32_t i = roster->list[roster->begin[a] + shape->row[k]];
        size_t cell = (size_t)fit->rank[i] * window->ranks + shape->column[k];
        shape->counter[k] = window->wait + cell;
        shape->samples[k] = window->samples ? window->samples + cell : NULL;
        shape->factor[k] = fit->factor[i];
    }
}

/* The typical wait of node a for node b. */
static double block_level(const dxt_fit *fit, const dxt_roster *roster, uint32_t a, uint32_t b,
                          const struct shape *shape)
{
    const uint32_t *row = roster->list + roster->begin[a], *first = roster->list + roster->begin[b];
    double *values = fit->scratch->group.sample;
    for (uint32_t k = 0; k < shape->taken; k++)
        values[k] = dxt_fit_wait(fit, row[shape->row[k]], first[shape->column[k]]);
    return dxt_median(values, shape->taken);
}

/* The waits of member i for `count` members that stand at equal distances in a list. */
static void take_waits(const dxt_fit *fit, uint32_t i, const uint32_t *member, uint32_t apart,
                       uint32_t count, double *waits)
{
    for (uint32_t c = 0; c < count; c++) waits[c] = dxt_fit_wait(fit, i, member[(size_t)c * apart]);
    for (uint32_t c = count; c < DXT_LANES; c++) waits[c] = 0;
}

bool dxt_counters_tell(const dxt_window *window, int64_t bits)
{
    return bits < DXT_TIMEOUT_CYCLES || window->unit != DXT_UNIT_CYCLES;
}

/* Find the levels of DXT_LANES nodes from neighbouring counters.
 * @return Whether that was possible: it is not where a counter holds a time-out. */
static bool take_counters(const dxt_fit *fit, const struct shape *shape, uint32_t first,
                          double *level)
{
    const int64_t *const *counts = fit->window->samples ? shape->samples : NULL;
    int64_t bits = dxt_medians_of_counters(shape->counter, counts, first, shape->columns,
                                           shape->factor, shape->taken, 1, level);
    return dxt_counters_tell(fit->window, bits);
}

/* Find the levels of up to DXT_LANES nodes from b on that have the same shape. */
static void block_levels(const dxt_fit *fit, const struct neighbours *near, uint32_t a, uint32_t b,
                         uint32_t count, const struct shape *shape, double *level)
{
    double waits[FEW_CELLS][DXT_LANES], median[DXT_LANES];
    const dxt_roster *roster = &near->roster;
    const uint32_t *row = roster->list + roster->begin[a], *first = roster->list + roster->begin[b];
    /* The last nodes may have no ordinary rank, and then no first one. */
    bool together = count == DXT_LANES && shape->taken > 0 &&
                    near->run[roster->begin[b]] >= DXT_LANES * shape->columns;
    if (together && take_counters(fit, shape, fit->rank[*first], level)) return;
    for (uint32_t k = 0; k < shape->taken; k++)
        take_waits(fit, row[shape->row[k]], first + shape->column[k], shape->columns, count,
                   waits[k]);
    dxt_medians(waits, shape->taken, median);
    memcpy(level, median, count * sizeof *level);
}

/* Count node b and the nodes behind it that have as many ordinary ranks. */
static uint32_t count_alike(const dxt_roster *roster, uint32_t nodes, uint32_t b)
{
    uint32_t count = 1;
    while (count < DXT_LANES && b + count < nodes &&
           dxt_roster_size(roster, b + count) == dxt_roster_size(roster, b))
        count++;
    return count;
}

/* Take nodes before b to those that count_alike() counted until there are DXT_LANES, although these
 * are done already. */
static uint32_t step_back(const dxt_roster *roster, uint32_t *b, uint32_t count)
{
    while (count<DXT_LANES && * b> 0 &&
           dxt_roster_size(roster, *b - 1) == dxt_roster_size(roster, *b)) {
        --*b;
        count++;
    }
    return count;
}

uint32_t dxt_level_cells(uint32_t nodes)
{
    size_t most = (size_t)DXT_BLOCK_SAMPLES / ((size_t)nodes * nodes);
    if (most > DXT_LEVEL_SAMPLE) return DXT_LEVEL_SAMPLE;
    return most < DXT_BLOCK_LEAST ? DXT_BLOCK_LEAST : (uint32_t)most;
}

/* What levels are taken from. */
struct levels {
    dxt_fit *fit;
    struct neighbours near;
    struct shape shapes[2], *shape; /* the two that were used last, and the one in use */
    size_t most;                    /* cells of a level */
    uint32_t uneven[DXT_MAX_RANKS]; /* nodes whose early levels are wrong … */
    uint32_t uneven_count;          /* … and their number; all, if nothing was found early */
};

/* Find the levels of node a for `count` nodes alike from b on. */
static void take_alike(struct levels *s, uint32_t a, uint32_t b, uint32_t count)
{
    const dxt_roster *roster = &s->near.roster;
    uint32_t rows = dxt_roster_size(roster, a), columns = dxt_roster_size(roster, b);
    double *level = s->fit->link + (size_t)a * s->fit->nodes + b;
    /* Few nodes differ from the others, and only for a moment. */
    if (!is_of(s->shape, rows, columns))
        s->shape = s->shape == s->shapes ? s->shapes + 1 : s->shapes;
    shape_of(rows, columns, s->most, s->shape);
    turn_to(s->fit, roster, a, s->shape);
    if (s->shape->taken <= FEW_CELLS)
        block_levels(s->fit, &s->near, a, b, count, s->shape, level);
    else
        for (uint32_t c = 0; c < count; c++)
            level[c] = block_level(s->fit, roster, a, b + c, s->shape);
}

static void take_row(struct levels *s, uint32_t a)
{
    const dxt_roster *roster = &s->near.roster;
    uint32_t count;
    for (uint32_t b = 0; b < s->fit->nodes; b += count) {
        count = count_alike(roster, s->fit->nodes, b);
        count = step_back(roster, &b, count);
        take_alike(s, a, b, count);
    }
}

/* Whether every rank of a node stands for it, where all nodes have as many. */
static bool is_even(const struct levels *s, uint32_t a)
{
    return dxt_roster_size(&s->near.roster, a) * s->fit->nodes == s->fit->count;
}

/* Find the nodes of which not every rank stands for its node. */
static void find_uneven(struct levels *s)
{
    const dxt_fit *fit = s->fit;
    const dxt_early_data *early = &fit->early;
    bool found = early->level && early->nodes == fit->nodes && fit->count == fit->window->ranks;
    s->uneven_count = 0;
    for (uint32_t a = 0; a < fit->nodes; a++)
        if (!found || !is_even(s, a)) s->uneven[s->uneven_count++] = a;
}

/* Fetch what uneven nodes need of the rows of node a early: it is scattered over the matrix. */
static inline __attribute__((always_inline)) void ask_for(const struct levels *s, uint32_t a)
{
    const dxt_window *window = s->fit->window;
    uint32_t size = window->ranks / s->fit->nodes;
    for (uint32_t k = 0; k < size; k++)
        for (uint32_t t = 0; t < s->uneven_count; t++)
            __builtin_prefetch(window->wait + ((size_t)a * size + k) * window->ranks +
                               (size_t)s->uneven[t] * size);
}

/* A lower bound of the levels of node a, from what was found early and what was found anew. */
static double least_of_early(const struct levels *s, uint32_t a, const double *level)
{
    double least = s->fit->early.least[a];
    for (uint32_t t = 0; t < s->uneven_count; t++) least = fmin(least, level[s->uneven[t]]);
    return least;
}

/* In a hybrid mode, take the levels of node a from cells that were observed, if there are any and
 * half of those between two nodes, or more, are of late ranks: the others are filled with what is
 * typical of all ranks, which few late ones do not change. */
static void take_seen(const dxt_fit *fit, const dxt_roster *roster, uint32_t a, double *level)
{
    double *values = fit->scratch->group.sample;
    uint32_t size = fit->window->ranks / fit->nodes, rails = size * size / fit->sparse;
    for (uint32_t b = 0; b < fit->nodes; b++) {
        uint32_t used = 0;
        for (uint32_t m = roster->begin[a]; m < roster->begin[a + 1] && a != b; m++)
            for (uint32_t t = roster->begin[b]; t < roster->begin[b + 1]; t++) {
                uint32_t i = roster->list[m], j = roster->list[t];
                bool seen = dxt_in_sparse_block(fit->rank[i], fit->rank[j], fit->sparse);
                if (seen && used < DXT_LEVEL_SAMPLE) values[used++] = dxt_fit_wait(fit, i, j);
            }
        if (used > 0 && 2 * used <= rails) level[b] = dxt_median(values, used);
    }
}

void dxt_take_levels(dxt_fit *fit)
{
    struct levels s;
    uint32_t n = fit->nodes;
    s.fit = fit;
    s.most = dxt_level_cells(n);
    s.shape = s.shapes;
    begin_shape(&s.shapes[0]);
    begin_shape(&s.shapes[1]);
    find_neighbours(fit, &s.near);
    find_uneven(&s);
    /* Single nodes take longer than many together. */
    bool early = s.uneven_count < n / DXT_LANES;
    if (early) fit->link = fit->early.level;
    /* Backwards: the part of a large matrix that was read last is still in the cache. */
    for (uint32_t a = n; a-- > 0;) {
        double *level = fit->link + (size_t)a * n;
        if (early && a > 0) ask_for(&s, a - 1);
        if (early && is_even(&s, a)) {
            for (uint32_t t = 0; t < s.uneven_count; t++) take_alike(&s, a, s.uneven[t], 1);
        } else {
            take_row(&s, a);
        }
        if (fit->sparse && n > 2) take_seen(fit, &s.near.roster, a, level);
        level[a] = fit->transfer;
        fit->least_level[a] =
            early && is_even(&s, a) ? least_of_early(&s, a, level) : dxt_screen_least(level, a, n);
    }
}
