/* SPDX-License-Identifier: Apache-2.0 */
/* Slow paths that have one cause are one finding. */
#include <stdlib.h>

#include "judged.h"

static double rail(uint32_t i, uint32_t j)
{
    return i != j && i % 8 == 3 && j % 8 == 3 && i / 8 != j / 8 ? 40 * US : 0;
}

static double few_from(uint32_t i, uint32_t j)
{
    return j == 5 && i >= 8 && i < 19 ? 40 * US : 0;
}

static double few_to(uint32_t i, uint32_t j)
{
    return i == 5 && j >= 8 && j < 19 ? 40 * US : 0;
}

static double few_both(uint32_t i, uint32_t j)
{
    return few_from(i, j) + few_to(i, j);
}

/* A dozen of paths, each between two ranks that have no other. */
static double scattered(uint32_t i, uint32_t j)
{
    return i % 2 == 0 && j == (i + 17) % 32 && i < 24 ? (40 + i) * US : 0;
}

static double two_paths(uint32_t i, uint32_t j)
{
    return (i == 2 && j == 9) || (i == 17 && j == 30) ? 40 * US : 0;
}

static dxt_findings *judge(double (*path)(uint32_t, uint32_t), bool last)
{
    healthy(32, 5);
    job.path = path;
    job.record_last = last;
    dxt_window *window = arrivals_window(&job, "dispatch");
    give_nodes(window, 8);
    dxt_findings *found = analyze(window, NULL);
    dxt_window_free(window);
    return found;
}

static void a_slow_rail_is_its_ranks(void **state)
{
    (void)state;
    dxt_findings *found = judge(rail, false);
    const dxt_finding *finding = only(found, DXT_SLOW_PATH);
    assert_int_equal(finding->path_total, 12);
    assert_int_equal(finding->path_count, 12);
    assert_int_equal(finding->rank_count, 4);
    for (uint32_t k = 0; k < 4; k++) assert_int_equal(finding->ranks[k], 3 + 8 * k);
    for (uint32_t p = 0; p < 12; p++)
        assert_true(finding->paths[2 * p] % 8 == 3 && finding->paths[2 * p + 1] % 8 == 3);
    assert_int_equal(found->point_count, 12);
    dxt_findings_free(found);
}

static void paths_with_a_common_end_are_one_finding(void **state)
{
    (void)state;
    dxt_findings *found = judge(few_from, false);
    const dxt_finding *finding = only(found, DXT_SLOW_PATH);
    assert_int_equal(finding->source, 5);
    assert_int_equal(finding->rank, DXT_NO_RANK);
    assert_int_equal(finding->path_total, 11);
    assert_int_equal(found->point_count, 11);
    dxt_findings_free(found);
    found = judge(few_to, false);
    finding = only(found, DXT_SLOW_PATH);
    assert_int_equal(finding->rank, 5);
    assert_int_equal(finding->source, DXT_NO_RANK);
    assert_int_equal(finding->path_total, 11);
    dxt_findings_free(found);
}

/* So are those to and from one rank: they do not stall anywhere. */
static void paths_both_ways_of_one_rank_are_its_own(void **state)
{
    (void)state;
    dxt_findings *found = judge(few_both, false);
    assert_int_equal(found->finding_count, 2);
    for (size_t f = 0; f < 2; f++) {
        assert_int_equal(found->findings[f].kind, DXT_SLOW_PATH);
        assert_int_equal(found->findings[f].path_total, 11);
        assert_true(found->findings[f].rank == 5 || found->findings[f].source == 5);
    }
    dxt_findings_free(found);
}

static void many_paths_with_nothing_in_common_stall(void **state)
{
    (void)state;
    dxt_findings *found = judge(scattered, false);
    const dxt_finding *finding = only(found, DXT_PATH_STALLS);
    assert_int_equal(finding->path_total, 12);
    assert_true(finding->confidence <= 0.95);
    assert_true(finding->node_count >= 2);
    assert_int_equal(found->point_count, 0);
    assert_near(finding->wait, 62 * US, 4 * US);
    dxt_findings_free(found);
}

static void few_paths_are_told_one_by_one(void **state)
{
    (void)state;
    dxt_findings *found = judge(two_paths, false);
    assert_int_equal(found->finding_count, 2);
    for (size_t f = 0; f < 2; f++) {
        assert_int_equal(found->findings[f].kind, DXT_SLOW_PATH);
        assert_int_equal(found->findings[f].path_count, 0);
    }
    assert_int_equal(found->point_count, 2);
    dxt_findings_free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_rail_is_its_ranks),
        cmocka_unit_test(paths_with_a_common_end_are_one_finding),
        cmocka_unit_test(paths_both_ways_of_one_rank_are_its_own),
        cmocka_unit_test(many_paths_with_nothing_in_common_stall),
        cmocka_unit_test(few_paths_are_told_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
