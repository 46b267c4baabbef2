/* SPDX-License-Identifier: Apache-2.0 */
/* Short words for the tests of the analysis: a job, its windows, and what is said of them. */
#ifndef DXT_TESTS_JUDGED_H
#define DXT_TESTS_JUDGED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/analysis.h>

#include "arrivals.h"

#define US 1e3

static arrivals job;

/* A healthy job of the size of the measured ones: 5 % of a 60 µs compute as jitter. */
static inline void healthy(uint32_t ranks, uint64_t seed)
{
    memset(&job, 0, sizeof job);
    job = (arrivals){.ranks = ranks, .ops = 50, .seed = seed, .step = 220 * US, .jitter = 3 * US};
}

static inline dxt_findings *analyze(const dxt_window *window, const dxt_analysis_options *options)
{
    dxt_findings *findings = NULL;
    assert_int_equal(dxt_analyze(window, options, &findings), DXT_OK);
    return findings;
}

/* Add a window to a sum, which takes it: the first one is it. */
static inline void add_up(dxt_window **sum, dxt_window *window)
{
    if (!*sum) {
        *sum = window;
        return;
    }
    assert_int_equal(dxt_window_add(*sum, window), DXT_OK);
    dxt_window_free(window);
}

static inline dxt_findings *diagnose(const char *phase)
{
    dxt_window *window = arrivals_window(&job, phase);
    dxt_findings *findings = analyze(window, NULL);
    dxt_window_free(window);
    return findings;
}

/* The one finding there is, of the expected kind. */
static inline const dxt_finding *only(const dxt_findings *findings, dxt_finding_kind kind)
{
    assert_int_equal(findings->finding_count, 1);
    assert_int_equal(findings->findings[0].kind, kind);
    return &findings->findings[0];
}

static inline void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%g is not within %g of %g", value, tolerance, expected);
}

/* Each of so many operations one rank, chosen at random, comes later by `late`. */
static inline dxt_window *rotating_in(int ops, uint32_t ranks, uint64_t seed, double late,
                                      double step)
{
    dxt_window *sum = NULL;
    healthy(ranks, seed);
    job.step = step;
    job.ops = 1;
    for (int op = 0; op < ops; op++) {
        uint32_t rank = (uint32_t)(arrivals_uniform(&seed) * ranks);
        job.seed = seed;
        job.late[rank] = late;
        dxt_window *window = arrivals_window(&job, "dispatch");
        job.late[rank] = 0;
        if (!sum) {
            sum = window;
            continue;
        }
        assert_int_equal(dxt_window_add(sum, window), DXT_OK);
        dxt_window_free(window);
    }
    return sum;
}

static inline dxt_window *rotating(uint32_t ranks, uint64_t seed, double late, double step)
{
    return rotating_in(100, ranks, seed, late, step);
}

static inline void give_nodes(dxt_window *window, uint32_t size)
{
    window->nodes = malloc(window->ranks * sizeof *window->nodes);
    assert_non_null(window->nodes);
    for (uint32_t r = 0; r < window->ranks; r++) window->nodes[r] = (int32_t)(r / size) + 10;
}

static inline double one_path(uint32_t i, uint32_t j)
{
    return i == 2 && j == 0 ? 40 * US : 0;
}

#endif
