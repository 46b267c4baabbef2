/* SPDX-License-Identifier: Apache-2.0 */
/* Whether one run differs from another: figures, ranks, paths. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "operator.h"

#define RANKS 8u

/* −1 … 1, the same for the same numbers. */
static double noise(uint64_t a, uint64_t b)
{
    uint64_t mixed = (a * 1000003 + b + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 31;
    mixed *= UINT64_C(0xbf58476d1ce4e5b9);
    return (double)(mixed >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

static void tails_are_those_of_the_tables(void **state)
{
    (void)state;
    static const struct {
        double t, degrees, p;
    } table[] = {{12.7062, 1, 0.05}, {2.2281, 10, 0.05},  {-2.2281, 10, 0.05},
                 {3.1693, 10, 0.01}, {1.9600, 1e7, 0.05}, {0, 5, 1},
                 {63.657, 1, 0.01},  {4.5869, 10, 0.001}, {2.7500, 30, 0.01}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_true(fabs(student_tail(table[i].t, table[i].degrees) - table[i].p) < 2e-4);
    assert_true(student_tail(INFINITY, 3) == 0);
    assert_true(student_tail(NAN, 3) == 1 && student_tail(1, 0) == 1);
}

static void means_and_errors_are_known(void **state)
{
    (void)state;
    series before, after;
    assert_true(series_begin(&before, 2) && series_begin(&after, 2));
    const double a[] = {10, 12, 11, 9}, b[] = {20, 22, 21, 19};
    for (size_t i = 0; i < 4; i++) {
        series_take(&before, 0, a[i]);
        series_take(&after, 0, b[i]);
    }
    series_take(&before, 1, NAN);
    change c = series_compare(&before, &after, 0, 0);
    assert_true(c.before == 10.5 && c.after == 20.5 && c.by == 10);
    /* Two variances of 5/3 over four windows each. */
    assert_true(fabs(c.error - sqrt(2 * 5.0 / 3 / 4)) < 1e-12);
    assert_true(fabs(c.p - student_tail(c.by / c.error, 6)) < 1e-12);
    c = series_compare(&before, &after, 1, 0);
    assert_true(isnan(c.before) && isnan(c.by) && c.p == 1);
    series_end(&before);
    series_end(&after);
}

/* Add windows to a run, of which rank `late` is late. */
static void add(side_operator *o, uint64_t seed, unsigned windows, int late, double path)
{
    for (uint64_t w = 0; w < windows; w++) {
        for (uint32_t r = 0; r < RANKS; r++)
            series_take(&o->late, r, 200 * noise(seed + w, r) + ((int)r == late ? 30000 : 0));
        for (uint32_t r = 0; r < RANKS; r++) series_take(&o->silent, r, 0);
        for (uint32_t i = 0; i < RANKS * RANKS; i++) {
            double wait = 2000 + 300 * noise(seed + w, 1000 + i);
            if ((int)(i % RANKS) == late) wait += 30000;
            if (i == 3 * RANKS + 6) wait += path;
            if (i / RANKS != i % RANKS) series_take(&o->wait, i, wait);
        }
        series_take(&o->mean, 0, 2000 + 20 * noise(seed + w, 7) + (late >= 0 ? 30000 / RANKS : 0));
        series_take(&o->step, 0, 200000 + 300 * noise(seed + w, 9));
    }
}

static void fill(side_operator *o, uint64_t seed, unsigned windows, int late, double path)
{
    memset(o, 0, sizeof *o);
    o->floor = 500;
    assert_true(series_begin(&o->late, RANKS) && series_begin(&o->silent, RANKS) &&
                series_begin(&o->wait, RANKS * RANKS) && series_begin(&o->mean, 1) &&
                series_begin(&o->step, 1));
    add(o, seed, windows, late, path);
}

static void end(side_operator *o)
{
    series_end(&o->late);
    series_end(&o->silent);
    series_end(&o->wait);
    series_end(&o->mean);
    series_end(&o->step);
    causes_end(&o->causes);
}

static void nothing_is_found_in_noise(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        side_operator before, after;
        comparison made;
        fill(&before, 1000 * seed, 10, -1, 0);
        fill(&after, 1000 * seed + 500, 10, -1, 0);
        assert_int_equal(compare_operator(&before, &after, RANKS, NULL, &made), DXT_OK);
        assert_false(made.slower);
        assert_int_equal(made.path_total, 0);
        comparison_free(&made);
        end(&before);
        end(&after);
    }
}

static void a_late_rank_is_no_slow_path(void **state)
{
    (void)state;
    static const unsigned windows[] = {1, 2, 10};
    for (size_t i = 0; i < 3; i++) {
        side_operator before, after;
        comparison made;
        fill(&before, 1, windows[i], -1, 0);
        fill(&after, 501, windows[i], 5, 0);
        assert_int_equal(compare_operator(&before, &after, RANKS, NULL, &made), DXT_OK);
        assert_true(made.slower);
        assert_int_equal(made.path_total, 0);
        for (uint32_t r = 0; r < RANKS; r++)
            assert_int_equal(is_changed(&made, &made.late[r], RANKS), r == 5);
        assert_true(fabs(made.late[5].by - 30000) < 500);
        comparison_free(&made);
        /* The other way round it is earlier, and nothing is slower. */
        assert_int_equal(compare_operator(&after, &before, RANKS, NULL, &made), DXT_OK);
        assert_false(made.slower);
        assert_true(is_changed(&made, &made.late[5], RANKS) && made.late[5].by < 0);
        comparison_free(&made);
        end(&before);
        end(&after);
    }
}

static void a_slow_path_is_one(void **state)
{
    (void)state;
    side_operator before, after;
    comparison made;
    fill(&before, 1, 10, 5, 0);
    fill(&after, 501, 10, -1, 5000);
    assert_int_equal(compare_operator(&before, &after, RANKS, NULL, &made), DXT_OK);
    assert_int_equal(made.path_total, 1);
    assert_int_equal(made.paths[0].row, 3);
    assert_int_equal(made.paths[0].column, 6);
    assert_true(fabs(made.paths[0].wait.by - 5000) < 500);
    comparison_free(&made);
    end(&before);
    end(&after);
}

/* A part of the windows of one run, which the other has none of. */
static void a_change_in_the_middle_is_one(void **state)
{
    (void)state;
    static const unsigned parts[][2] = {{5, 5}, {10, 10}, {7, 3}, {2, 8}, {12, 4}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        side_operator before, after;
        comparison made;
        double part = (double)parts[i][1] / (parts[i][0] + parts[i][1]);
        fill(&before, 1, 10, -1, 0);
        fill(&after, 501, parts[i][0], -1, 0);
        add(&after, 801, parts[i][1], 5, 5000);
        assert_int_equal(compare_operator(&before, &after, RANKS, NULL, &made), DXT_OK);
        assert_true(made.slower);
        for (uint32_t r = 0; r < RANKS; r++)
            assert_int_equal(is_changed(&made, &made.late[r], RANKS), r == 5);
        if (!isnan(made.late[5].part)) {
            assert_true(fabs(made.late[5].part - part) < 0.05);
            assert_true(fabs(made.late[5].by / made.late[5].part - 30000) < 1500);
            assert_false(made.late[5].part_before);
        }
        assert_int_equal(made.path_total, 1);
        assert_true(made.paths[0].row == 3 && made.paths[0].column == 6);
        comparison_free(&made);
        /* The other way round it is earlier. */
        assert_int_equal(compare_operator(&after, &before, RANKS, NULL, &made), DXT_OK);
        assert_false(made.slower);
        assert_true(is_changed(&made, &made.late[5], RANKS) && made.late[5].by < 0);
        assert_true(isnan(made.late[5].part) || made.late[5].part_before);
        comparison_free(&made);
        end(&before);
        end(&after);
    }
}

/* Of two nodes, what lies between them grew; inside nothing did, and is not faster. */
static void what_lies_between_nodes_is_no_path(void **state)
{
    (void)state;
    static const int32_t nodes[RANKS] = {7, 7, 7, 7, 2, 2, 2, 2};
    for (int known = 0; known < 2; known++) {
        side_operator before, after;
        comparison made;
        fill(&before, 1, 10, -1, 0);
        fill(&after, 501, 10, -1, 0);
        for (uint32_t i = 0; i < RANKS * RANKS; i++)
            if (nodes[i / RANKS] != nodes[i % RANKS]) after.wait.mean[i] += 30000;
        after.wait.mean[1 * RANKS + 2] += 5000;
        assert_int_equal(compare_operator(&before, &after, RANKS, known ? nodes : NULL, &made),
                         DXT_OK);
        for (size_t i = 0; i < made.path_count; i++) assert_true(made.paths[i].wait.by > 0);
        if (known) {
            assert_int_equal(made.path_total, 1);
            assert_true(made.paths[0].row == 1 && made.paths[0].column == 2);
            assert_true(fabs(made.paths[0].wait.by - 5000) < 500);
        }
        comparison_free(&made);
        end(&before);
        end(&after);
    }
}

/* Ranks of a node that come later together are one change. */
static void a_node_changes_as_one(void **state)
{
    (void)state;
    static const int32_t nodes[RANKS] = {0, 1, 0, 1, 0, 1, 2, 3};
    side_operator before, after;
    comparison made;
    node_common common;
    fill(&before, 1, 10, -1, 0);
    fill(&after, 501, 10, -1, 0);
    for (uint32_t r = 1; r < 6; r += 2) after.late.mean[r] += 20000 + 100 * r;
    after.late.mean[6] += 20000;
    assert_int_equal(compare_operator(&before, &after, RANKS, nodes, &made), DXT_OK);
    assert_true(node_change(&made, 3, &common));
    assert_true(common.first == 1 && common.count == 3 && common.total == 3);
    assert_true(fabs(common.late.by - 20300) < 300 && common.late.p < 1e-6);
    assert_true(isnan(common.late.part));
    static const uint32_t none[] = {0, 6, 7}; /* no change; a node of one */
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(node_change(&made, none[i], &common));
    comparison_free(&made);
    after.late.mean[3] += 20000; /* one is later still */
    assert_int_equal(compare_operator(&before, &after, RANKS, nodes, &made), DXT_OK);
    assert_false(node_change(&made, 1, &common));
    comparison_free(&made);
    end(&before);
    end(&after);
}

/* Most of them will do, where there are enough; the others are said one by one. */
static void most_of_a_node_is_one_change(void **state)
{
    (void)state;
    static const int32_t nodes[RANKS] = {0, 0, 0, 0, 0, 0, 1, 1};
    side_operator before, after;
    comparison made;
    node_common common;
    fill(&before, 1, 10, -1, 0);
    fill(&after, 501, 10, -1, 0);
    for (uint32_t r = 1; r < 6; r++) after.late.mean[r] += 20000;
    assert_int_equal(compare_operator(&before, &after, RANKS, nodes, &made), DXT_OK);
    for (uint32_t r = 0; r < RANKS; r++)
        assert_true(node_change(&made, r, &common) == (r > 0 && r < 6));
    assert_true(node_change(&made, 5, &common));
    assert_true(common.first == 1 && common.count == 5 && common.total == 6);
    comparison_free(&made);
    for (uint32_t r = 1; r < 4; r++) after.late.mean[r] -= 20000; /* two of six are not most */
    assert_int_equal(compare_operator(&before, &after, RANKS, nodes, &made), DXT_OK);
    for (uint32_t r = 0; r < RANKS; r++) assert_false(node_change(&made, r, &common));
    comparison_free(&made);
    end(&before);
    end(&after);
}

/* Windows of which analyze says that the link of rank 3 is slow, or nothing. */
static void take_link(side_operator *o, unsigned windows, dxt_direction direction, double wait)
{
    dxt_finding finding = {.kind = DXT_SLOW_LINK, .rank = 3, .node = -1, .source_node = -1};
    finding.direction = direction;
    dxt_findings findings = {.findings = &finding, .finding_size = sizeof finding};
    findings.finding_count = direction == DXT_DIRECTION_NONE ? 0 : 1;
    for (unsigned w = 0; w < windows; w++) {
        finding.wait = wait + 50 * noise(w, direction);
        assert_true(causes_take(&o->causes, &findings));
    }
}

/* Slow down what passes the link of rank 3. */
static void add_link(side_operator *o, dxt_direction direction, double wait)
{
    for (uint32_t other = 0; other < RANKS; other++) {
        if (direction & DXT_DIRECTION_IN) o->wait.mean[3 * RANKS + other] += wait;
        if (direction & DXT_DIRECTION_OUT) o->wait.mean[other * RANKS + 3] += wait;
    }
}

/* Where a link heals, one of its paths turns slow; where it turns slow, one of them heals. */
static void a_path_against_its_link_is_one(void **state)
{
    (void)state;
    static const uint32_t paths[][2] = {{3, 6}, {6, 3}};
    for (int k = 0; k < 12; k++) {
        const uint32_t *path = paths[k % 2];
        const dxt_direction direction = (dxt_direction)(1 + k / 2 % 3);
        side_operator before, after;
        comparison made;
        bool heals = k < 6;
        fill(&before, 1, 10, -1, 0);
        fill(&after, 501, 10, -1, 0);
        take_link(heals ? &before : &after, 10, direction, 20000);
        take_link(heals ? &after : &before, 10, DXT_DIRECTION_NONE, 0);
        add_link(heals ? &before : &after, direction, 20000);
        (heals ? &after : &before)->wait.mean[path[0] * RANKS + path[1]] += 30000;
        assert_int_equal(compare_operator(&before, &after, RANKS, NULL, &made), DXT_OK);
        assert_int_equal(made.cause_count, 1);
        assert_int_equal(made.causes[0].direction, direction);
        assert_true(made.causes[0].wait.by * (heals ? -1 : 1) > 19000);
        assert_int_equal(made.path_total, 1);
        assert_true(made.paths[0].row == path[0] && made.paths[0].column == path[1]);
        assert_true(made.paths[0].wait.by * (heals ? 1 : -1) > 9000);
        assert_true(made.slower);
        comparison_free(&made);
        end(&before);
        end(&after);
    }
}

/* What is slow both ways holds what is slow one way. */
static void each_way_of_a_link_is_compared(void **state)
{
    (void)state;
    static const struct {
        dxt_direction before, after, slower, faster;
    } table[] = {{DXT_DIRECTION_IN, DXT_DIRECTION_OUT, DXT_DIRECTION_OUT, DXT_DIRECTION_IN},
                 {DXT_DIRECTION_OUT, DXT_DIRECTION_IN, DXT_DIRECTION_IN, DXT_DIRECTION_OUT},
                 {DXT_DIRECTION_IN, DXT_DIRECTION_BOTH, DXT_DIRECTION_OUT, DXT_DIRECTION_NONE},
                 {DXT_DIRECTION_BOTH, DXT_DIRECTION_OUT, DXT_DIRECTION_NONE, DXT_DIRECTION_IN},
                 {DXT_DIRECTION_NONE, DXT_DIRECTION_BOTH, DXT_DIRECTION_BOTH, DXT_DIRECTION_NONE},
                 {DXT_DIRECTION_BOTH, DXT_DIRECTION_NONE, DXT_DIRECTION_NONE, DXT_DIRECTION_BOTH},
                 {DXT_DIRECTION_BOTH, DXT_DIRECTION_BOTH, DXT_DIRECTION_NONE, DXT_DIRECTION_NONE}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        side_operator before, after;
        comparison made;
        unsigned slower = DXT_DIRECTION_NONE, faster = DXT_DIRECTION_NONE, lines = 0;
        fill(&before, 1, 10, -1, 0);
        fill(&after, 501, 10, -1, 0);
        take_link(&before, 10, table[i].before, 20000);
        take_link(&after, 10, table[i].after, 20000);
        add_link(&before, table[i].before, 20000);
        add_link(&after, table[i].after, 20000);
        assert_int_equal(compare_operator(&before, &after, RANKS, NULL, &made), DXT_OK);
        for (size_t k = 0; k < made.cause_count; k++)
            *(made.causes[k].wait.by > 0 ? &slower : &faster) |= made.causes[k].direction;
        lines = (table[i].slower != 0) + (table[i].faster != 0);
        assert_int_equal(made.cause_count, lines);
        assert_int_equal(slower, table[i].slower);
        assert_int_equal(faster, table[i].faster);
        assert_int_equal(made.slower, table[i].slower != DXT_DIRECTION_NONE);
        assert_int_equal(made.path_total, 0);
        comparison_free(&made);
        end(&before);
        end(&after);
    }
}

/* Two windows that stand out are none of the others' concern. */
static void few_windows_are_no_part(void **state)
{
    (void)state;
    side_operator before, after;
    comparison made;
    fill(&before, 1, 10, -1, 0);
    fill(&after, 501, 8, -1, 0);
    add(&after, 801, 2, 5, 0);
    assert_int_equal(compare_operator(&before, &after, RANKS, NULL, &made), DXT_OK);
    assert_false(is_changed(&made, &made.late[5], RANKS));
    comparison_free(&made);
    end(&before);
    end(&after);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    side_operator before, after;
    comparison made;
    dxt_status status;
    fill(&before, 1, 4, -1, 0);
    fill(&after, 501, 4, -1, 5000);
    static const int32_t nodes[RANKS] = {0, 0, 0, 0, 1, 1, 1, 1};
    dxt_finding finding = {
        .kind = DXT_LATE_NODE, .rank = DXT_NO_RANK, .node = 1, .source_node = -1};
    dxt_findings findings = {
        .findings = &finding, .finding_count = 1, .finding_size = sizeof finding};
    long k = 1;
    for (;; k++) {
        alloc_fail_arm(k);
        bool taken = causes_take(&after.causes, &findings);
        if (!alloc_fail_disarm()) break;
        assert_false(taken);
        causes_end(&after.causes);
    }
    assert_int_equal(after.causes.count, 1);
    for (k = 1;; k++) {
        alloc_fail_arm(k);
        status = compare_operator(&before, &after, RANKS, nodes, &made);
        bool failed = alloc_fail_disarm();
        if (!failed) break;
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    }
    assert_int_equal(status, DXT_OK);
    comparison_free(&made);
    assert_true(k > 4);
    end(&before);
    end(&after);
}

/* A rank that is silent in so many of its windows. */
static double silence_of(unsigned before_has, unsigned after_has, unsigned windows)
{
    side_operator before = {0}, after = {0};
    assert_true(series_begin(&before.silent, 3) && series_begin(&after.silent, 3));
    for (unsigned w = 0; w < windows; w++) {
        for (uint32_t rank = 0; rank < 3; rank++) {
            series_take(&before.silent, rank, rank == 1 && w < before_has);
            series_take(&after.silent, rank, rank == 1 && w < after_has);
        }
    }
    comparison made = {.before = &before, .after = &after, .ranks = 3};
    assert_true(silence_change(&made, 0) == 0 && silence_change(&made, 2) == 0);
    double by = silence_change(&made, 1);
    series_end(&before.silent);
    series_end(&after.silent);
    return by;
}

static void a_rank_that_falls_silent_is_told(void **state)
{
    (void)state;
    assert_true(silence_of(0, 1, 1) == 1 && silence_of(3, 0, 3) == -1);
    assert_true(silence_of(0, 0, 40) == 0 && silence_of(40, 40, 40) == 0);
    /* One or a few of many are chance, and so are few more. */
    assert_true(silence_of(0, 1, 40) == 0 && silence_of(0, 3, 40) == 0);
    assert_true(silence_of(10, 13, 40) == 0 && silence_of(13, 10, 40) == 0);
    assert_true(fabs(silence_of(0, 16, 40) - 0.4) < 1e-9);
    assert_true(fabs(silence_of(16, 0, 40) + 0.4) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tails_are_those_of_the_tables),
        cmocka_unit_test(means_and_errors_are_known),
        cmocka_unit_test(a_rank_that_falls_silent_is_told),
        cmocka_unit_test(nothing_is_found_in_noise),
        cmocka_unit_test(a_late_rank_is_no_slow_path),
        cmocka_unit_test(a_slow_path_is_one),
        cmocka_unit_test(a_change_in_the_middle_is_one),
        cmocka_unit_test(what_lies_between_nodes_is_no_path),
        cmocka_unit_test(a_node_changes_as_one),
        cmocka_unit_test(most_of_a_node_is_one_change),
        cmocka_unit_test(a_path_against_its_link_is_one),
        cmocka_unit_test(each_way_of_a_link_is_compared),
        cmocka_unit_test(few_windows_are_no_part),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
