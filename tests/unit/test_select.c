/* SPDX-License-Identifier: Apache-2.0 */
/* What `analyze` tells of a recording: since when, about whom, and what has changed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "about.h"
#include "alloc_fail.h"
#include "changes.h"
#include "since.h"

/* 2026-11-26T12:00:00Z */
#define NOON_S INT64_C(1795694400)
#define S INT64_C(1000000000)

static int use_zone(void **state)
{
    (void)state;
    setenv("TZ", "XST-2", 1); /* two hours east, no summer time */
    tzset();
    return 0;
}

static void moments(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t s;
    } cases[] = {{"2026-11-26T12:00:00Z", NOON_S},
                 {"2026-11-26 12:00Z", NOON_S},
                 {"2026-11-26 12:00:00 UTC", NOON_S}, /* as texts have it */
                 {"2026-11-26 13:30:00 +01:30", NOON_S},
                 {"2026-11-26T12:00:00.000+00:00", NOON_S},
                 {"2026-11-26T13:30:00+0130", NOON_S},
                 {"2026-11-26T09:00:00-03", NOON_S},
                 {"2026-11-26T14:00", NOON_S},
                 {"2026-11-26", NOON_S - 14 * 3600},
                 {"2026-11-26 9:00:00 -03", NOON_S},
                 {"2028-02-29T00:00Z", INT64_C(1835395200)},
                 {"90m", NOON_S - 5400},
                 {"0s", NOON_S},
                 {"2h", NOON_S - 7200},
                 {"1d", NOON_S - 86400},
                 {"999999999d", 0},
                 {"13:00", NOON_S - 3600},
                 {"14:00:00", NOON_S},
                 {"14:00:01", NOON_S - 86399},
                 {"03:00", NOON_S - 11 * 3600},
                 {"3:00", NOON_S - 11 * 3600}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = -1;
        assert_true(since_parse(cases[i].text, NOON_S * S, &ns));
        assert_int_equal(ns, cases[i].s * S);
    }
    int64_t ns;
    assert_true(since_parse("2261-12-31T23:59:60-23:59", NOON_S * S, &ns));
    assert_true(ns > NOON_S * S);
    assert_true(since_parse("2026-11-26T12:00:00.25Z", NOON_S * S, &ns));
    assert_int_equal(ns, NOON_S * S + S / 4);
}

static void no_moments(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "now",
                                      "25:00",
                                      "03:60",
                                      "03:00x",
                                      "90",
                                      "m",
                                      "90w",
                                      "-5m",
                                      "1.5h",
                                      "9999999999s",
                                      "2026-13-01",
                                      "2026-02-30",
                                      "2026-11-26T",
                                      "2026-11-26x",
                                      "2026-1-26",
                                      "2026-11-26T12:00:00.Z",
                                      "0026-11-26",
                                      "2262-04-12",
                                      "9999-12-31T23:59Z",
                                      "2026-11-26T12:00+",
                                      "2026-11-26T12:00+1:00",
                                      "2026-11-26T12:00ZZ",
                                      "90m "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = 42;
        char why[160] = "";
        assert_false(since_parse(bad[i], NOON_S * S, &ns));
        since_time given = {.ns = 42};
        assert_false(since_option(bad[i], &given, why, sizeof why));
        assert_int_equal(ns, 42);
        assert_int_equal(given.ns, 42);
        assert_non_null(strstr(why, "is not a time; write 03:00, 2026-11-26T03:00 or 90m"));
    }
}

static const uint32_t of_node[] = {4, 5}, paths[] = {6, 1, 7, 2};
static const dxt_finding some[] = {{.kind = DXT_LATE_RANK, .rank = 3, .source = DXT_NO_RANK},
                                   {.kind = DXT_SLOW_PATH, .rank = 1, .source = 3},
                                   {.kind = DXT_LATE_NODE,
                                    .rank = DXT_NO_RANK,
                                    .source = DXT_NO_RANK,
                                    .ranks = of_node,
                                    .rank_count = 2},
                                   {.kind = DXT_SLOW_PATH,
                                    .rank = DXT_NO_RANK,
                                    .source = DXT_NO_RANK,
                                    .paths = paths,
                                    .path_count = 2}};
static const dxt_abnormal_axis axes[] = {{.rank = 3}, {.rank = 4}};
static const dxt_abnormal_point points[] = {{.row = 1, .column = 3}, {.row = 2, .column = 1}};
static const dxt_findings all = {.verdict = DXT_VERDICT_SLOW,
                                 .findings = some,
                                 .finding_count = 4,
                                 .cols = axes,
                                 .col_count = 2,
                                 .rows = axes + 1,
                                 .row_count = 1,
                                 .points = points,
                                 .point_count = 2};

static void what_concerns_a_rank(void **state)
{
    (void)state;
    static const struct {
        uint32_t rank;
        size_t findings, cols, rows, points;
    } cases[] = {{3, 2, 1, 0, 1}, {1, 2, 0, 0, 2}, {4, 1, 1, 1, 0}, {5, 1, 0, 0, 0},
                 {2, 1, 0, 0, 1}, {7, 1, 0, 0, 0}, {0, 0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dxt_findings view;
        dxt_status status = DXT_OK;
        for (long k = 1; alloc_fail_arm(k), status = about_rank(&all, cases[i].rank, &view),
                  alloc_fail_disarm();
             k++)
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_int_equal(status, DXT_OK);
        assert_int_equal(view.finding_count, cases[i].findings);
        assert_int_equal(view.col_count, cases[i].cols);
        assert_int_equal(view.row_count, cases[i].rows);
        assert_int_equal(view.point_count, cases[i].points);
        about_free(&view);
    }
}

/* How many of these windows are told. */
static size_t told(changes *run, const char *phase, int64_t from, int64_t to,
                   const dxt_findings *findings)
{
    size_t count = 0;
    char name[128];
    snprintf(name, sizeof name, "%s", phase);
    for (int64_t i = from; i <= to; i++) {
        dxt_window window = {.phase = name, .index = i};
        change_state *operator_state;
        if (!changes_look(run, &window, findings, &operator_state)) continue;
        assert_int_equal(changes_tell(operator_state, &window), DXT_OK);
        count++;
    }
    return count;
}

static void what_has_changed(void **state)
{
    (void)state;
    static changes run;
    const dxt_findings none = {.verdict = DXT_VERDICT_HEALTHY};
    dxt_finding back[] = {some[1], some[0], some[2], some[3]};
    dxt_findings turned = all, worse = all;
    turned.findings = back;
    assert_int_equal(told(&run, "dispatch", 0, 29, &none), CHANGES_FIRST);
    assert_int_equal(run.operators[0].left.count, 10);
    assert_int_equal(run.operators[0].left.first, 20);
    assert_int_equal(run.operators[0].left.last, 29);
    assert_int_equal(run.operators[0].told, 19);
    assert_int_equal(told(&run, "dispatch", 30, 39, &all), 1);
    assert_int_equal(run.operators[0].told, 30);
    /* In another order they are the same. */
    assert_int_equal(told(&run, "dispatch", 40, 49, &turned), 0);
    back[0].severity = DXT_SEVERITY_CRITICAL;
    back[0].share = 0.5;
    worse.findings = back;
    assert_int_equal(told(&run, "dispatch", 50, 59, &worse), 1);
    assert_int_equal(told(&run, "dispatch", 60, 69, &none), 1);
    /* The other operator has a memory of its own; one without a number, or with a name that cannot
     * be printed as it is, has none. */
    assert_int_equal(told(&run, "combine", 60, 69, &none), 1);
    assert_int_equal(told(&run, "\033[1m", 60, 69, &none), 10);
    assert_int_equal(told(&run, "dispatch", -3, -1, &none), 3);
    assert_int_equal(changes_end(&run), DXT_OK);
    assert_int_equal(run.windows, 0);
    assert_int_equal(told(&run, "dispatch", 0, 5, &none), 6);
}

/* A cost about the limit of a severity is no change in each window. */
static void a_cost_that_varies_is_the_same(void **state)
{
    (void)state;
    static changes run;
    dxt_finding late = {.kind = DXT_LATE_RANK, .rank = 2, .source = DXT_NO_RANK};
    dxt_findings now = {.verdict = DXT_VERDICT_SLOW, .findings = &late, .finding_count = 1};
    static const struct {
        double share, wait;
        dxt_severity severity;
        size_t told;
    } cases[] = {{0.199, 1, DXT_SEVERITY_MAJOR, 1},    {0.201, 1, DXT_SEVERITY_CRITICAL, 0},
                 {0.199, 1, DXT_SEVERITY_MAJOR, 0},    {0.29, 1, DXT_SEVERITY_CRITICAL, 0},
                 {0.31, 1, DXT_SEVERITY_CRITICAL, 1},  {0.19, 1, DXT_SEVERITY_MAJOR, 1},
                 {0.06, 1, DXT_SEVERITY_MAJOR, 0},     {NAN, 100, DXT_SEVERITY_CRITICAL, 1},
                 {NAN, 90, DXT_SEVERITY_MAJOR, 0},     {NAN, 10, DXT_SEVERITY_MINOR, 1},
                 {NAN, NAN, DXT_SEVERITY_CRITICAL, 1}, {NAN, NAN, DXT_SEVERITY_CRITICAL, 0}};
    const dxt_findings none = {.verdict = DXT_VERDICT_HEALTHY};
    assert_int_equal(told(&run, "dispatch", 0, 19, &none), CHANGES_FIRST);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        late.share = cases[i].share;
        late.wait = cases[i].wait;
        late.severity = cases[i].severity;
        if (told(&run, "dispatch", 20 + (int64_t)i, 20 + (int64_t)i, &now) != cases[i].told)
            fail_msg("window %zu", 20 + i);
    }
    assert_int_equal(changes_end(&run), DXT_OK);
}

/* Of more findings than are followed the others count by what they are about. */
static void many_costs(void **state)
{
    (void)state;
    static changes run;
    static dxt_finding list[CHANGES_COSTS + 4];
    for (uint32_t i = 0; i < CHANGES_COSTS + 4; i++)
        list[i] = (dxt_finding){.kind = DXT_LATE_RANK, .rank = i, .share = 0.1};
    dxt_findings now = {.findings = list, .finding_count = CHANGES_COSTS + 4};
    assert_int_equal(told(&run, "dispatch", 0, 29, &now), CHANGES_FIRST);
    list[CHANGES_COSTS + 3].severity = DXT_SEVERITY_CRITICAL;
    list[CHANGES_COSTS + 3].share = 0.9;
    assert_int_equal(told(&run, "dispatch", 30, 30, &now), 0);
    list[CHANGES_COSTS + 3].rank = 77;
    assert_int_equal(told(&run, "dispatch", 31, 31, &now), 1);
    assert_int_equal(changes_end(&run), DXT_OK);
}

/* Where causes come and go, who falls silent is told each time, and a verdict that is new. */
static void what_is_never_left_out(void **state)
{
    (void)state;
    static changes run;
    const dxt_findings none = {.verdict = DXT_VERDICT_HEALTHY};
    const dxt_findings noisy = {.verdict = DXT_VERDICT_INCONCLUSIVE, .delayed_ns = 900};
    const dxt_findings hangs = {.verdict = DXT_VERDICT_INCONCLUSIVE, .still_windows = 1};
    dxt_finding found[] = {{.kind = DXT_SILENT_RANK, .rank = 2}, some[0]};
    const dxt_findings silent = {
        .verdict = DXT_VERDICT_SLOW, .findings = found, .finding_count = 1};
    const dxt_findings both = {.verdict = DXT_VERDICT_SLOW, .findings = found, .finding_count = 2};
    assert_int_equal(told(&run, "dispatch", 0, 5, &silent), 6);
    assert_int_equal(told(&run, "dispatch", 6, 9, &both), 4);
    assert_int_equal(told(&run, "dispatch", 10, 12, &noisy), 3);
    for (int64_t i = 13; i < 60; i++) told(&run, "dispatch", i, i, i % 2 ? &all : &none);
    assert_int_equal(told(&run, "dispatch", 60, 60, &all), 0);
    assert_int_equal(told(&run, "dispatch", 61, 61, &noisy), 0);
    assert_int_equal(told(&run, "dispatch", 62, 69, &hangs), 1);
    assert_int_equal(told(&run, "dispatch", 70, 79, &none), 0);
    assert_int_equal(told(&run, "dispatch", 80, 89, &silent), 1);
    assert_int_equal(told(&run, "dispatch", 90, 90, &none), 0);
    assert_int_equal(told(&run, "dispatch", 91, 99, &silent), 1);
    /* It is as silent as before. */
    assert_int_equal(told(&run, "dispatch", 100, 100, &both), 0);
    assert_true(changes_wants(&run.operators[0]));
    changes_keep(&run.operators[0], strdup("dispatch, window 100\n"));
    assert_int_equal(run.operators[0].before.last, 99);
    assert_int_equal(changes_end(&run), DXT_OK);
}

/* When no more is to be told, the first windows are like the others. */
static void the_first_windows_may_be_enough(void **state)
{
    (void)state;
    static changes run;
    const dxt_findings none = {.verdict = DXT_VERDICT_HEALTHY};
    assert_int_equal(told(&run, "dispatch", 0, 4, &none), 5);
    changes_enough(&run);
    assert_int_equal(told(&run, "dispatch", 5, 9, &none), 0);
    assert_int_equal(told(&run, "dispatch", 10, 10, &all), 1);
    assert_int_equal(changes_end(&run), DXT_OK);
}

/* Nothing is called the same as a window that was not told. */
static void a_closed_operator_says_no_more(void **state)
{
    (void)state;
    static changes run;
    const dxt_findings none = {.verdict = DXT_VERDICT_HEALTHY};
    dxt_window window = {.phase = (char[]){"dispatch"}, .index = 30};
    change_state *dispatch;
    assert_int_equal(told(&run, "dispatch", 0, 29, &none), CHANGES_FIRST);
    assert_true(changes_look(&run, &window, &all, &dispatch));
    assert_int_equal(changes_close(dispatch), DXT_OK);
    assert_int_equal(dispatch->left.count, 0);
    for (window.index = 31; window.index < 40; window.index++) {
        assert_true(changes_look(&run, &window, &all, &dispatch));
        assert_int_equal(changes_close(dispatch), DXT_OK);
    }
    assert_int_equal(dispatch->told, 19);
    assert_false(changes_left(&run));
    assert_int_equal(changes_close(NULL), DXT_OK);
    assert_int_equal(changes_end(&run), DXT_OK);
}

static void where_a_rank_is(void **state)
{
    (void)state;
    int32_t nodes[] = {0, 0, 7, 7};
    dxt_window window = {.ranks = 4, .nodes = nodes};
    assert_int_equal(about_node(&window, 2, 0), 7);
    assert_int_equal(about_node(&window, 2, 1), 7);
    assert_int_equal(about_node(&window, 4, 1), -1);
    window.nodes = NULL;
    assert_int_equal(about_node(&window, 3, 2), 1);
    assert_int_equal(about_node(&window, 3, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(moments, use_zone),
        cmocka_unit_test_setup(no_moments, use_zone),
        cmocka_unit_test(what_concerns_a_rank),
        cmocka_unit_test(what_has_changed),
        cmocka_unit_test(a_cost_that_varies_is_the_same),
        cmocka_unit_test(many_costs),
        cmocka_unit_test(what_is_never_left_out),
        cmocka_unit_test(the_first_windows_may_be_enough),
        cmocka_unit_test(a_closed_operator_says_no_more),
        cmocka_unit_test(where_a_rank_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
