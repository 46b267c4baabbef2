/* SPDX-License-Identifier: Apache-2.0 */
/* What is noise, what is a trace of something else, and who sends slowly. */
#include <stdlib.h>

#include "judged.h"

/* ---- noise ---- */

/* How many of `count` windows alarm whose cells are log-normal, each for itself. */
static size_t alarms_of_wild_cells(uint32_t ranks, double sigma, size_t count)
{
    size_t alarms = 0;
    uint64_t state = 11;
    healthy(ranks, 1);
    for (size_t k = 0; k < count; k++) {
        dxt_window *window = arrivals_window(&job, "combine");
        for (size_t c = 0; c < (size_t)ranks * ranks; c++)
            window->wait[c] = (int64_t)(50 * 10 * US * exp(sigma * arrivals_normal(&state)));
        dxt_findings *found = analyze(window, NULL);
        alarms += found->finding_count > 0;
        dxt_findings_free(found);
        dxt_window_free(window);
    }
    return alarms;
}

static void wild_cells_are_noise(void **state)
{
    (void)state;
    assert_in_range(alarms_of_wild_cells(4, 0.8, 400), 0, 20);
    assert_in_range(alarms_of_wild_cells(8, 0.8, 400), 0, 4);
    assert_int_equal(alarms_of_wild_cells(16, 0.5, 100), 0);
    assert_int_equal(alarms_of_wild_cells(64, 0.8, 20), 0);
}

/* Four processes on two processors, one way 5 ms slow: the other waits differ by factors, but not
 * by this one. Recorded. */
static void no_noise_goes_that_far(void **state)
{
    static const int64_t waits[16] = {0,       2390615, 249524261, 617109,  1044474, 0,
                                      1144348, 1450401, 782545,    2313351, 0,       956133,
                                      698451,  2459127, 410399,    0};
    dxt_window *window;
    (void)state;
    assert_int_equal(dxt_window_create(4, "dispatch", &window), DXT_OK);
    memcpy(window->wait, waits, sizeof waits);
    window->unit = DXT_UNIT_NS;
    window->ops = window->samples_each = 50;
    window->elapsed_ns = 298807054;
    dxt_findings *found = analyze(window, NULL);
    assert_int_equal(only(found, DXT_SLOW_PATH)->rank, 0);
    assert_int_equal(found->findings[0].source, 2);
    dxt_findings_free(found);
    dxt_window_free(window);
}

/* How many of 40 windows name rank 1 late by `late`. */
static size_t times_named(double late)
{
    size_t named = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        job.seed = seed;
        job.late[1] = late;
        dxt_findings *found = diagnose("dispatch");
        named += found->finding_count == 1 && found->findings[0].rank == 1;
        dxt_findings_free(found);
    }
    return named;
}

/* However many operations: ranks differ by a quarter of a percent without a fault. */
static void small_differences_between_ranks_are_usual(void **state)
{
    (void)state;
    healthy(8, 1);
    job.ops = 400;
    job.jitter = 0.5 * US;
    assert_int_equal(times_named(2.3 * US), 0);
    assert_int_equal(times_named(3.2 * US), 40);
}

/* Few operations that vary much lean to the late side; more of them less. */
static void few_wild_operations_prove_little(void **state)
{
    (void)state;
    healthy(8, 1);
    job.jitter = 15 * US;
    job.ops = 20;
    assert_in_range(times_named(18 * US), 0, 20);
    job.ops = 320;
    assert_int_equal(times_named(9 * US), 40);
}

/* ---- slow senders ---- */

static double from_3(uint32_t i, uint32_t j)
{
    return j == 3 && i != 3 ? 22 * US : 0;
}

static dxt_findings *diagnose_with(const dxt_window *window, const dxt_window *companion)
{
    const dxt_analysis_options options = {.struct_size = sizeof options, .companion = companion};
    return analyze(window, &options);
}

/* The others are held up by what rank 3 sends, and it is early in the next operator by that. */
static void a_slow_sender_is_one_finding(void **state)
{
    (void)state;
    for (uint32_t ranks = 8; ranks <= 128; ranks *= 4) {
        healthy(ranks, 3);
        job.transfer = 10 * US;
        job.path = from_3;
        dxt_window *combine = arrivals_window(&job, "combine");
        job.path = NULL;
        job.transfer = 0;
        job.late[3] = -20 * US;
        dxt_window *dispatch = arrivals_window(&job, "dispatch");
        dxt_findings *found = diagnose_with(combine, dispatch);
        assert_near(only(found, DXT_LATE_RANK)->wait, 22 * US, 3 * US);
        assert_int_equal(found->findings[0].rank, 3);
        assert_int_equal(found->point_count, 0);
        dxt_findings_free(found);
        found = diagnose_with(dispatch, combine);
        assert_int_equal(found->finding_count, 0);
        assert_int_equal(found->inherited, 1);
        dxt_findings_free(found);
        dxt_window_free(combine);
        dxt_window_free(dispatch);
    }
}

/* ---- traces ---- */

static double to_node_0(uint32_t i, uint32_t j)
{
    return i / 8 == 0 && j / 8 == 1 ? 50 * US : 0;
}

static double to_node_1(uint32_t i, uint32_t j)
{
    return i / 8 == 1 && j / 8 == 0 ? 50 * US : 0;
}

/* Slow ways between nodes, the other way round in each operator: neither is the other's trace. */
static void operators_do_not_excuse_each_other(void **state)
{
    (void)state;
    healthy(32, 5);
    job.path = to_node_0;
    dxt_window *dispatch = arrivals_window(&job, "dispatch");
    job.path = to_node_1;
    job.seed = 6;
    for (uint32_t r = 0; r < 8; r++) job.late[r] = 40 * US;
    dxt_window *combine = arrivals_window(&job, "combine");
    give_nodes(dispatch, 8);
    give_nodes(combine, 8);
    dxt_findings *found = diagnose_with(dispatch, combine);
    assert_int_equal(found->findings[0].kind, DXT_SLOW_NODE_PATH);
    dxt_findings_free(found);
    found = diagnose_with(combine, dispatch);
    bool named = false;
    for (size_t f = 0; f < found->finding_count; f++)
        named |= found->findings[f].kind == DXT_SLOW_NODE_PATH && found->findings[f].node == 11 &&
                 found->findings[f].source_node == 10;
    assert_true(named);
    dxt_findings_free(found);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
}

/* Between two nodes a slow path and the other node's lateness look alike; a third tells them apart.
 */
static void two_nodes_do_not_excuse_each_other(void **state)
{
    (void)state;
    healthy(16, 8);
    job.path = to_node_0;
    dxt_window *dispatch = arrivals_window(&job, "dispatch");
    job.path = to_node_1;
    dxt_window *combine = arrivals_window(&job, "combine");
    give_nodes(dispatch, 8);
    give_nodes(combine, 8);
    dxt_findings *found = diagnose_with(dispatch, combine);
    assert_int_equal(found->verdict, DXT_VERDICT_SLOW);
    dxt_findings_free(found);
    found = diagnose_with(combine, dispatch);
    assert_int_equal(found->verdict, DXT_VERDICT_SLOW);
    dxt_findings_free(found);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
}

/* A node that something held up as a whole is not late by itself. */
static void a_node_that_was_held_up_is_not_named(void **state)
{
    (void)state;
    healthy(24, 7);
    job.path = to_node_0;
    dxt_window *dispatch = arrivals_window(&job, "dispatch");
    job.path = NULL;
    job.transfer = 10 * US;
    for (uint32_t r = 0; r < 8; r++) job.late[r] = 48 * US;
    dxt_window *combine = arrivals_window(&job, "combine");
    give_nodes(dispatch, 8);
    give_nodes(combine, 8);
    dxt_findings *found = diagnose_with(combine, NULL);
    assert_int_equal(only(found, DXT_LATE_NODE)->node, 10);
    dxt_findings_free(found);
    found = diagnose_with(combine, dispatch);
    assert_int_equal(found->finding_count, 0);
    dxt_findings_free(found);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
}

/* Something small next to something large, in the other operator or in this one, is doubted. */
static void what_may_be_a_trace_is_doubted(void **state)
{
    (void)state;
    healthy(8, 9);
    job.late[5] = 12 * US;
    dxt_window *dispatch = arrivals_window(&job, "dispatch");
    dxt_findings *found = diagnose_with(dispatch, NULL);
    assert_true(only(found, DXT_LATE_RANK)->confidence >= 0.99);
    dxt_findings_free(found);
    job.late[5] = 0;
    job.path = one_path;
    dxt_window *combine = arrivals_window(&job, "combine");
    found = diagnose_with(dispatch, combine);
    assert_true(only(found, DXT_LATE_RANK)->confidence <= 0.95);
    dxt_findings_free(found);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
    job.path = NULL;
    job.late[2] = 12 * US;
    job.late[5] = 150 * US;
    found = diagnose("dispatch");
    assert_int_equal(found->finding_count, 2);
    assert_true(found->findings[0].confidence >= 0.99);
    assert_true(found->findings[1].confidence <= 0.95);
    dxt_findings_free(found);
}

/* How close ranks are in an operation or two says little of how far they vary. */
static void in_few_operations_jitter_names_nobody(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 64; ranks *= 4) {
        for (uint64_t seed = 1; seed <= 200; seed++) {
            healthy(ranks, seed);
            job.ops = 1 + seed % 3;
            job.jitter = (seed % 2 ? 3 : 10) * US;
            dxt_findings *found = diagnose(seed % 4 < 2 ? "dispatch" : "combine");
            assert_int_equal(found->finding_count, 0);
            assert_int_equal(found->verdict, DXT_VERDICT_INCONCLUSIVE);
            dxt_findings_free(found);
            if (ranks == 4) continue;
            job.late[1] = job.step;
            found = diagnose("dispatch");
            assert_int_equal(found->finding_count, 1);
            assert_int_equal(found->findings[0].rank, 1);
            dxt_findings_free(found);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wild_cells_are_noise),
        cmocka_unit_test(no_noise_goes_that_far),
        cmocka_unit_test(small_differences_between_ranks_are_usual),
        cmocka_unit_test(few_wild_operations_prove_little),
        cmocka_unit_test(a_slow_sender_is_one_finding),
        cmocka_unit_test(operators_do_not_excuse_each_other),
        cmocka_unit_test(two_nodes_do_not_excuse_each_other),
        cmocka_unit_test(a_node_that_was_held_up_is_not_named),
        cmocka_unit_test(what_may_be_a_trace_is_doubted),
        cmocka_unit_test(in_few_operations_jitter_names_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
