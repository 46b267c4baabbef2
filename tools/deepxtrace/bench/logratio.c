/* SPDX-License-Identifier: Apache-2.0 */
#include "logratio.h"

#include <math.h>
#include <stdlib.h>

#define AXIS_FACTOR 1.25
#define POINT_FACTOR 2.0
/* Waits below this count as this, in the window's measure: there is no logarithm of 0. */
#define SHORTEST 1.0

struct logratio_rule {
    uint32_t ranks, learned;
    double *value;    /* [ranks²] what is left of each cell; the diagonal takes no part */
    double *baseline; /* [ranks²] sum over the normal windows */
    double *scratch;  /* [ranks²] */
};

logratio_rule *logratio_create(uint32_t ranks)
{
    size_t cells = (size_t)ranks * ranks;
    logratio_rule *made = calloc(1, sizeof *made);
    if (!made) return NULL;
    made->ranks = ranks;
    made->value = calloc(cells, sizeof(double));
    made->baseline = calloc(cells, sizeof(double));
    made->scratch = calloc(cells, sizeof(double));
    if (made->value && made->baseline && made->scratch) return made;
    logratio_destroy(made);
    return NULL;
}

void logratio_destroy(logratio_rule *logratio)
{
    if (!logratio) return;
    free(logratio->value);
    free(logratio->baseline);
    free(logratio->scratch);
    free(logratio);
}

/* The median; changes the order of the values. 0 of none. */
static double median(double *values, size_t count)
{
    if (count == 0) return 0;
    size_t low = 0, high = count - 1, wanted = (count - 1) / 2;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i >= j) break;
            double swap = values[i];
            values[i++] = values[j];
            values[j--] = swap;
        }
        if (j >= wanted)
            high = j;
        else
            low = j + 1;
    }
    return values[wanted];
}

/* The first rank behind those that share a node with rank @p begin. */
static uint32_t node_end(const dxt_window *window, uint32_t begin)
{
    uint32_t end = begin + 1;
    while (end < window->ranks && (!window->nodes || window->nodes[end] == window->nodes[begin]))
        end++;
    return end;
}

/* Logarithms of one block of paths between two nodes, against their median. */
static void compare_block(logratio_rule *l, const uint32_t row[2], const uint32_t col[2])
{
    size_t used = 0;
    for (uint32_t i = row[0]; i < row[1]; i++)
        for (uint32_t j = col[0]; j < col[1]; j++)
            if (i != j) l->scratch[used++] = l->value[(size_t)i * l->ranks + j];
    double ordinary = fmax(median(l->scratch, used), SHORTEST);
    for (uint32_t i = row[0]; i < row[1]; i++)
        for (uint32_t j = col[0]; j < col[1]; j++) {
            double *cell = &l->value[(size_t)i * l->ranks + j];
            *cell = i == j ? 0 : log(fmax(*cell, SHORTEST) / ordinary);
        }
}

/* The median of what is left of row or column @p k, which is taken away from it. */
static double take_axis(logratio_rule *l, uint32_t k, bool is_row)
{
    size_t n = l->ranks, used = 0, begin = is_row ? k * n : k, step = is_row ? 1 : n;
    for (uint32_t m = 0; m < n; m++)
        if (m != k) l->scratch[used++] = l->value[begin + m * step];
    double effect = median(l->scratch, used);
    for (uint32_t m = 0; m < n; m++)
        if (m != k) l->value[begin + m * step] -= effect;
    return effect;
}

/* Values of a window up to the removal of its own effect. */
static void load(logratio_rule *l, const dxt_window *window)
{
    uint32_t n = l->ranks;
    size_t used = 0;
    for (uint32_t i = 0; i < n; i++) dxt_window_row(window, i, l->value + (size_t)i * n);
    for (uint32_t r = 0; r < n; r = node_end(window, r))
        for (uint32_t c = 0; c < n; c = node_end(window, c)) {
            const uint32_t row[] = {r, node_end(window, r)}, col[] = {c, node_end(window, c)};
            compare_block(l, row, col);
        }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            if (i != j) l->scratch[used++] = l->value[(size_t)i * n + j];
    double effect = median(l->scratch, used);
    for (size_t k = 0; k < (size_t)n * n; k++) l->value[k] -= effect;
}

void logratio_learn(logratio_rule *l, const dxt_window *window)
{
    if (l->learned == LOGRATIO_BASELINE) return;
    load(l, window);
    for (size_t k = 0; k < (size_t)l->ranks * l->ranks; k++) l->baseline[k] += l->value[k];
    l->learned++;
}

bool logratio_judge(logratio_rule *l, const dxt_window *window, sim_truth *found)
{
    uint32_t n = l->ranks;
    bool fits = true;
    load(l, window);
    for (size_t k = 0; l->learned && k < (size_t)n * n; k++)
        l->value[k] -= l->baseline[k] / l->learned;
    for (uint32_t i = 0; i < n; i++) found->rows[i] = take_axis(l, i, true) > log(AXIS_FACTOR);
    for (uint32_t j = 0; j < n; j++) found->cols[j] = take_axis(l, j, false) > log(AXIS_FACTOR);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            if (i != j && l->value[(size_t)i * n + j] > log(POINT_FACTOR))
                fits = fits && sim_pairs_add(&found->points, i, j);
    return fits;
}
