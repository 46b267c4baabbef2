/* SPDX-License-Identifier: Apache-2.0 */
/* Steps in which who leaves one operator late arrives late in the other. */
#ifndef DXT_TESTS_COUPLED_H
#define DXT_TESTS_COUPLED_H

#include <math.h>
#include <stdlib.h>

#include "judged.h"

#define MOST 64u

enum { DISPATCH, COMBINE, OPERATORS, BOTH = OPERATORS };

static const char *const names[] = {"dispatch", "combine"};

/* One run of coupled steps; zero it and set what differs. Times in ns. */
static struct {
    uint32_t ranks, node; /* ranks of a node; 0 = nodes are not known and do not matter */
    int ops;
    uint64_t seed;
    double jitter, gap, uneven;
    double offset; /* of the first node when the run begins */
    bool hybrid;   /* waits are counted for the own node and the own rail only */
    double (*path)(int operator_of, uint32_t i, uint32_t j);
    double (*late)(int operator_of, uint32_t k);
} run;

static double way[MOST][MOST];

static inline void begin(uint32_t ranks, uint32_t node, uint64_t seed)
{
    memset(&run, 0, sizeof run);
    run.ranks = ranks;
    run.node = node;
    run.seed = seed;
    run.ops = 30;
    run.jitter = 3 * US;
    run.gap = 6 * US;
}

static inline bool apart(uint32_t i, uint32_t j)
{
    return run.node && i / run.node != j / run.node;
}

static inline bool is_counted(uint32_t i, uint32_t j)
{
    return !run.hybrid || !apart(i, j) || i % run.node == j % run.node;
}

static inline void build_ways(void)
{
    for (uint32_t i = 0; i < run.ranks; i++)
        for (uint32_t j = 0; j < run.ranks; j++)
            way[i][j] = (8 * US + (apart(i, j) ? run.gap : 0)) *
                        (1 + run.uneven * (2 * arrivals_uniform(&run.seed) - 1));
}

/* One operator: e[] becomes when each rank leaves it. */
static inline void operate(int op, double *e, double *wait)
{
    double leaves[MOST];
    for (uint32_t k = 0; k < run.ranks; k++)
        e[k] += fmax(5 * US, 60 * US + run.jitter * arrivals_normal(&run.seed)) +
                (run.late ? run.late(op, k) : 0);
    for (uint32_t i = 0; i < run.ranks; i++) {
        leaves[i] = e[i];
        for (uint32_t j = 0; j < run.ranks; j++) {
            if (i == j) continue;
            double there = e[j] + way[i][j] + (run.path ? run.path(op, i, j) : 0);
            wait[i * run.ranks + j] += fmax(0, there - e[i]);
            leaves[i] = fmax(leaves[i], there);
        }
    }
    memcpy(e, leaves, run.ranks * sizeof *e);
}

static inline void simulate(dxt_window *windows[OPERATORS])
{
    static double wait[OPERATORS][MOST * MOST];
    double e[MOST] = {0};
    memset(wait, 0, sizeof wait);
    build_ways();
    for (uint32_t k = 0; k < run.node; k++) e[k] = run.offset;
    for (int s = 0; s < run.ops; s++)
        for (int op = 0; op < OPERATORS; op++) operate(op, e, wait[op]);
    for (int op = 0; op < OPERATORS; op++) {
        assert_int_equal(dxt_window_create(run.ranks, names[op], &windows[op]), DXT_OK);
        windows[op]->unit = DXT_UNIT_NS;
        windows[op]->ops = run.ops;
        windows[op]->elapsed_ns = (int64_t)e[0];
        for (uint32_t c = 0; c < run.ranks * run.ranks; c++)
            windows[op]->wait[c] =
                is_counted(c / run.ranks, c % run.ranks) ? (int64_t)wait[op][c] : DXT_NOT_OBSERVED;
        if (run.node) give_nodes(windows[op], run.node);
    }
}

/* Judge each operator next to the other. */
static inline void judge(dxt_findings *found[OPERATORS])
{
    dxt_window *windows[OPERATORS];
    simulate(windows);
    for (int op = 0; op < OPERATORS; op++) {
        dxt_analysis_options options = {.struct_size = sizeof options,
                                        .companion = windows[1 - op]};
        assert_int_equal(dxt_analyze(windows[op], &options, &found[op]), DXT_OK);
    }
    for (int op = 0; op < OPERATORS; op++) dxt_window_free(windows[op]);
}

/** A rank's lateness, for judge(): rank 5 comes 100 us late to dispatch. */
static inline double rank_5_late(int op, uint32_t k)
{
    return op == DISPATCH && k == 5 ? 100 * US : 0;
}

static inline void release(dxt_findings *found[OPERATORS])
{
    for (int op = 0; op < OPERATORS; op++) dxt_findings_free(found[op]);
}

static inline uint32_t count_of(const dxt_findings *found, dxt_finding_kind kind)
{
    uint32_t count = 0;
    for (size_t f = 0; f < found->finding_count; f++) count += found->findings[f].kind == kind;
    return count;
}

#endif
