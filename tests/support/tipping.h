/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where answers change: for the numbers of src/analysis/tuning.h, the amount just below which a
 * window is judged one way and just above which the other way, or a figure that a number decides.
 * Windows are made from the arrival model without chance, so that these are known closely. Who
 * moves a number on purpose looks at what is printed, and writes the new figures into the table.
 */
#ifndef DXT_TESTS_TIPPING_H
#define DXT_TESTS_TIPPING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/history.h>

#include "numeric/skew.h"

#define US 1e3
#define MOST 136 /* ranks */
/* Places of a row: small ones keep theirs when MOST grows. */
#define STRIDE 96

/* ---- windows ---- */

static struct {
    uint32_t ranks, node_size;
    bool hybrid; /* only the own node and the own rail were observed */
    int64_t ops;
    double step; /* 0 = no clock */
    double skew, transfer, between;
    double spread; /* of the logarithm of single waits */
    uint64_t seed;
    double late[MOST], receive[MOST], send[MOST], extra[MOST][MOST], node_extra[MOST][MOST];
    double share;        /* smallest worth telling; 0 = default */
    double known_spread; /* 0 = unknown */
    double other_spread;
    double transfer_ordinary; /* of two ranks, added up; 0 = unknown */
    const char *phase;
    dxt_method method;
} m;

/* A healthy job: a step of 200 µs in 100 operations. */
static inline void begin(uint32_t ranks)
{
    memset(&m, 0, sizeof m);
    m.ranks = ranks;
    m.ops = 100;
    m.step = 200 * US;
    m.skew = 0.1 * US;
    m.phase = "combine";
    m.seed = 1;
}

/* About normal, always the same for a place. */
static inline double deviate(uint64_t place)
{
    double sum = -6;
    uint64_t state = m.seed * UINT64_C(0x9E3779B97F4A7C15) + place;
    for (int k = 0; k < 12; k++) {
        state += UINT64_C(0x9E3779B97F4A7C15);
        uint64_t z = (state ^ (state >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        sum += (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
    }
    return sum;
}

static inline double wait_of(uint32_t i, uint32_t j)
{
    uint32_t a = m.node_size ? i / m.node_size : 0, b = m.node_size ? j / m.node_size : 0;
    double path = (a == b ? m.transfer : m.between) + m.node_extra[a][b];
    if (i == j) return m.transfer;
    double wait = dxt_expected_wait(m.late[j] - m.late[i] + path, m.skew);
    wait += m.receive[i] + m.send[j] + m.extra[i][j];
    return wait * exp(m.spread * deviate((uint64_t)i * STRIDE + j));
}

static inline bool is_hidden(uint32_t i, uint32_t j)
{
    return m.hybrid && i / m.node_size != j / m.node_size && i % m.node_size != j % m.node_size;
}

static inline dxt_window *window_of(int64_t index)
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(m.ranks, m.phase, &window), DXT_OK);
    window->unit = m.step > 0 ? DXT_UNIT_NS : DXT_UNIT_CYCLES;
    window->index = index;
    window->ops = m.ops;
    window->elapsed_ns = m.step > 0 ? (int64_t)(m.step * (double)(m.ops ? m.ops : 1)) : 0;
    for (uint32_t i = 0; i < m.ranks; i++)
        for (uint32_t j = 0; j < m.ranks; j++)
            window->wait[i * m.ranks + j] =
                is_hidden(i, j) ? DXT_NOT_OBSERVED
                                : (int64_t)llround(wait_of(i, j) * (double)(m.ops ? m.ops : 1));
    if (m.node_size) {
        window->nodes = malloc(m.ranks * sizeof *window->nodes);
        assert_non_null(window->nodes);
        for (uint32_t r = 0; r < m.ranks; r++) window->nodes[r] = (int32_t)(r / m.node_size);
    }
    return window;
}

/* ---- what is said of them ---- */

static struct {
    dxt_verdict verdict;
    size_t count;
    dxt_finding first[64];
    double error, ordinary;
    size_t cols, points;
} said;

static inline void keep(const dxt_findings *found)
{
    said.verdict = found->verdict;
    said.count = found->finding_count < 64 ? found->finding_count : 64;
    for (size_t f = 0; f < said.count; f++) said.first[f] = found->findings[f];
    said.error = found->lateness_error ? found->lateness_error[0] : NAN;
    said.ordinary = found->ordinary;
    said.cols = found->col_count;
    said.points = found->point_count;
}

static inline void judge_all(dxt_window *window, dxt_window *companion, dxt_window *adjacent)
{
    const dxt_analysis_options options = {.struct_size = sizeof options,
                                          .method = m.method,
                                          .min_share = m.share,
                                          .companion = companion,
                                          .adjacent = adjacent,
                                          .cell_spread = m.known_spread,
                                          .companion_spread = m.other_spread,
                                          .transfer_ordinary = m.transfer_ordinary};
    dxt_findings *found;
    assert_int_equal(dxt_analyze(window, &options, &found), DXT_OK);
    keep(found);
    dxt_findings_free(found);
    dxt_window_free(window);
    dxt_window_free(companion);
    dxt_window_free(adjacent);
}

static inline void judge_windows(dxt_window *window, dxt_window *companion)
{
    judge_all(window, companion, NULL);
}

static inline void judge(void)
{
    judge_windows(window_of(0), NULL);
}

/* Of a kind, with this rank or node; NULL if there is none. */
static inline const dxt_finding *finding(dxt_finding_kind kind, int64_t of)
{
    for (size_t f = 0; f < said.count; f++) {
        const dxt_finding *it = &said.first[f];
        if (it->kind == kind && (of < 0 || it->rank == of || it->node == of)) return it;
    }
    return NULL;
}

static inline bool named(dxt_finding_kind kind, int64_t of)
{
    return finding(kind, of) != NULL;
}

static inline bool is_systemic(double skew)
{
    m.skew = skew;
    judge();
    return named(DXT_SYSTEMIC_SKEW, -1);
}

static inline double confidence(dxt_finding_kind kind, int64_t of)
{
    const dxt_finding *it = finding(kind, of);
    return it ? it->confidence : NAN;
}

/* The amount from which on something holds, by halving; NaN if it holds at the lower end already,
 * or not even at the upper one. */
static inline double tip(bool (*holds)(double), double low, double high)
{
    if (holds(low) || !holds(high)) return NAN;
    for (int k = 0; k < 24; k++) {
        double middle = sqrt(low * high);
        if (holds(middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* The smallest number from `first` on at which something holds. */
static inline double count_from(bool (*holds)(double), int first)
{
    for (int k = first; k < MOST; k++)
        if (holds(k)) return k;
    return NAN;
}

/* ---- the table ---- */

/** A row of the table: what is measured, and what it was. */
typedef struct tipping {
    const char *name;
    double (*measure)(void);
    double expected;
} tipping;

#define ROW(measure, expected)      \
    {                               \
#measure, measure, expected \
    }

/* Print the rows that have changed. @return How many. */
static inline size_t changed(const tipping *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t k = 0; k < count; k++) {
        double found = rows[k].measure();
        bool same = fabs(found - rows[k].expected) <= 0.004 * fabs(found);
        if (!same)
            print_message("ROW(%s, %.5g), was %.5g\n", rows[k].name, found, rows[k].expected);
        wrong += !same;
    }
    return wrong;
}

static const tipping *all_rows;
static size_t all_count;

static void answers_change_where_they_did(void **state)
{
    (void)state;
    size_t wrong = changed(all_rows, all_count);
    assert_int_equal(wrong, 0);
}

/** What main() of a test with a table of rows returns. */
static inline int tipping_program(const char *name, const tipping *rows, size_t count)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_change_where_they_did)};
    all_rows = rows;
    all_count = count;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

#endif
