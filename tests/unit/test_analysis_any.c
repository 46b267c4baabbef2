/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for any window: invariances, limits, wrong input, and the established rule. */
#include <math.h>
#include <stdlib.h>

#include "alloc_fail.h"
#include "judged.h"

static void a_time_out_in_a_sum_is_set_aside(void **state)
{
    (void)state;
    for (int spoiled = 0; spoiled < 3; spoiled++) {
        healthy(8, 3);
        job.late[6] = 50 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        window->unit = DXT_UNIT_CYCLES;
        window->ticks_per_second = malloc(8 * sizeof(double));
        assert_non_null(window->ticks_per_second);
        for (int r = 0; r < 8; r++) window->ticks_per_second[r] = 1e9;
        if (spoiled == 1) window->wait[2 * 8 + 3] += INT64_C(200000000000);
        for (int r = 0; spoiled == 2 && r < 8; r++)
            window->wait[r * 8 + 3] += INT64_C(200000000000);
        dxt_findings *found = analyze(window, NULL);
        /* Whom all gave up is silent; the late rank is seen besides. */
        size_t late = spoiled == 2;
        assert_int_equal(found->finding_count, late + 1);
        if (late) {
            assert_int_equal(found->findings[0].kind, DXT_SILENT_RANK);
            assert_int_equal(found->findings[0].rank, 3);
            assert_int_equal(found->findings[0].silence, DXT_SILENCE_TIMED_OUT);
        }
        assert_int_equal(found->findings[late].kind, DXT_LATE_RANK);
        assert_int_equal(found->findings[late].rank, 6);
        assert_near(found->findings[late].wait, 50 * US, 3 * US);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

static void cells_that_nobody_observed_speak_for_nobody(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        healthy(8, 3);
        if (late) job.late[6] = 50 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        for (int r = 0; r < 8; r++) window->wait[r * 8 + (r + 3) % 8] = DXT_NOT_OBSERVED;
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(found->finding_count, late);
        if (late) assert_int_equal(only(found, DXT_LATE_RANK)->rank, 6);
        dxt_findings_free(found);
        for (int c = 0; c < 64; c++) window->wait[c] = DXT_NOT_OBSERVED;
        found = analyze(window, NULL);
        assert_int_equal(found->finding_count, 0);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* As large as counters can be: what stands for the one that is not there is no larger. */
static void the_largest_counters_may_have_a_hole(void **state)
{
    (void)state;
    healthy(4, 3);
    dxt_window *window = arrivals_window(&job, "dispatch");
    for (int c = 0; c < 16; c++) window->wait[c] = INT64_MAX;
    window->wait[2] = DXT_NOT_OBSERVED;
    dxt_findings *found = analyze(window, NULL);
    for (size_t f = 0; f < found->finding_count; f++)
        assert_true(found->findings[f].kind != DXT_SLOW_PATH);
    dxt_findings_free(found);
    dxt_window_free(window);
}

/* A path stands out in a matrix of counters; in one of durations it is chance. */
static void durations_know_no_paths(void **state)
{
    (void)state;
    for (int origin = DXT_ORIGIN_SOURCE; origin <= DXT_ORIGIN_DURATION; origin++) {
        healthy(8, 3);
        dxt_window *window = arrivals_window(&job, "dispatch");
        window->origin = (dxt_origin)origin;
        window->wait[5 * 8 + 2] += 80 * US * (int64_t)(window->ops > 0 ? window->ops : 1);
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(found->finding_count, origin != DXT_ORIGIN_DURATION);
        if (origin != DXT_ORIGIN_DURATION) assert_int_equal(only(found, DXT_SLOW_PATH)->rank, 5);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

static void clocks_of_different_rates_are_compared_in_time(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        healthy(8, 3);
        if (late) job.late[6] = 30 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        window->unit = DXT_UNIT_CYCLES;
        window->ticks_per_second = malloc(8 * sizeof(double));
        assert_non_null(window->ticks_per_second);
        for (int r = 0; r < 8; r++) {
            window->ticks_per_second[r] = (r % 2 ? 1.2 : 1.98) * 1e9;
            for (int j = 0; j < 8; j++)
                window->wait[r * 8 + j] =
                    (int64_t)((double)window->wait[r * 8 + j] * (r % 2 ? 1.2 : 1.98));
        }
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(found->finding_count, late);
        if (late) assert_near(only(found, DXT_LATE_RANK)->wait, 30 * US, 3 * US);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

static void wild_skew_is_nobodys_fault(void **state)
{
    (void)state;
    healthy(8, 3);
    job.ops = 400;
    job.jitter = 80 * US;
    dxt_findings *found = diagnose("dispatch");
    const dxt_finding *finding = only(found, DXT_SYSTEMIC_SKEW);
    assert_int_equal(finding->rank, DXT_NO_RANK);
    assert_near(finding->wait, 0.564 * 80 * US, 4 * US);
    assert_int_equal(found->col_count + found->row_count + found->point_count, 0);
    dxt_findings_free(found);
}

/* What is the same for all is nobody's: a constant on all waits, or another unit of time. */
static void a_constant_blames_nobody_and_a_scale_scales(void **state)
{
    (void)state;
    healthy(8, 3);
    job.late[6] = 40 * US;
    dxt_window *window = arrivals_window(&job, "combine");
    dxt_findings *found = analyze(window, NULL);
    double wait = only(found, DXT_LATE_RANK)->wait;
    dxt_findings_free(found);
    for (int c = 0; c < 64; c++) window->wait[c] += (int64_t)(5 * US * 50);
    found = analyze(window, NULL);
    assert_int_equal(only(found, DXT_LATE_RANK)->rank, 6);
    dxt_findings_free(found);
    for (int c = 0; c < 64; c++) window->wait[c] = 7 * (window->wait[c] - (int64_t)(5 * US * 50));
    window->elapsed_ns *= 7;
    found = analyze(window, NULL);
    assert_near(only(found, DXT_LATE_RANK)->wait, 7 * wait, 7 * wait / 100);
    dxt_findings_free(found);
    dxt_window_free(window);
}

static void windows_added_up_agree_with_the_sum(void **state)
{
    (void)state;
    dxt_window *sum = NULL;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        healthy(8, seed);
        job.late[6] = 20 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(only(found, DXT_LATE_RANK)->rank, 6);
        dxt_findings_free(found);
        add_up(&sum, window);
    }
    dxt_findings *found = analyze(sum, NULL);
    assert_int_equal(only(found, DXT_LATE_RANK)->rank, 6);
    assert_near(found->findings[0].wait, 20 * US, 2 * US);
    dxt_findings_free(found);
    dxt_window_free(sum);
}

static void a_window_without_any_wait_proves_nothing(void **state)
{
    (void)state;
    dxt_window *window;
    assert_int_equal(dxt_window_create(8, "dispatch", &window), DXT_OK);
    window->ops = 50;
    dxt_findings *found = analyze(window, NULL);
    assert_int_equal(found->finding_count, 0);
    assert_int_equal(found->verdict, DXT_VERDICT_INCONCLUSIVE);
    dxt_findings_free(found);
    dxt_window_free(window);
}

static void thin_windows_are_inconclusive(void **state)
{
    (void)state;
    healthy(8, 3);
    job.ops = 3;
    dxt_findings *found = diagnose("dispatch");
    assert_int_equal(found->finding_count, 0);
    assert_int_equal(found->verdict, DXT_VERDICT_INCONCLUSIVE);
    dxt_findings_free(found);
}

static void renumbering_the_ranks_renumbers_the_findings(void **state)
{
    (void)state;
    enum { N = 16 };
    healthy(N, 8);
    job.late[4] = 50 * US;
    job.path = one_path;
    dxt_window *window = arrivals_window(&job, "dispatch");
    dxt_window *turned = arrivals_window(&job, "dispatch");
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            turned->wait[(i + 5) % N * N + (j + 5) % N] = window->wait[i * N + j];
    dxt_findings *found = analyze(window, NULL), *again = analyze(turned, NULL);
    assert_int_equal(found->finding_count, 2);
    assert_int_equal(again->finding_count, 2);
    for (size_t f = 0; f < 2; f++) {
        assert_int_equal(again->findings[f].kind, found->findings[f].kind);
        assert_int_equal(again->findings[f].rank, (found->findings[f].rank + 5) % N);
        assert_near(again->findings[f].wait, found->findings[f].wait, 1);
    }
    dxt_findings_free(found);
    dxt_findings_free(again);
    dxt_window_free(window);
    dxt_window_free(turned);
}

static void any_matrix_gives_a_finite_answer(void **state)
{
    (void)state;
    uint64_t seed = 99;
    for (int round = 0; round < 400; round++) {
        uint32_t n = 2 + (uint32_t)(arrivals_uniform(&seed) * 20);
        dxt_window *window;
        assert_int_equal(dxt_window_create(n, "dispatch", &window), DXT_OK);
        int kind = round % 4;
        for (uint32_t c = 0; c < n * n; c++) {
            double u = arrivals_uniform(&seed);
            window->wait[c] = kind == 0   ? 0
                              : kind == 1 ? (int64_t)(u * 9e18)
                              : kind == 2 ? (int64_t)exp(u * 43)
                                          : INT64_MAX;
        }
        if (round % 3 == 0) window->ops = 1 + round;
        if (round % 5 == 0) window->elapsed_ns = 1 + round;
        if (round % 2 == 0) give_nodes(window, 3);
        for (int method = 0; method < 2; method++) {
            dxt_analysis_options options = {.struct_size = sizeof options, .method = method};
            dxt_findings *found = analyze(window, &options);
            for (size_t f = 0; f < found->finding_count; f++) {
                assert_true(isfinite(found->findings[f].wait));
                assert_true(found->findings[f].confidence >= 0 &&
                            found->findings[f].confidence <= 1);
                assert_true(isnan(found->findings[f].share) ||
                            (found->findings[f].share >= 0 && found->findings[f].share <= 1));
            }
            if (kind == 0 && method == 0) assert_int_equal(found->finding_count, 0);
            dxt_findings_free(found);
        }
        dxt_window_free(window);
    }
}

static void the_established_rule_gives_its_known_answers(void **state)
{
    (void)state;
    enum { N = 8 };
    dxt_window *window;
    assert_int_equal(dxt_window_create(N, "dispatch", &window), DXT_OK);
    for (int c = 0; c < N * N; c++) window->wait[c] = 10;
    for (int i = 0; i < N; i++) window->wait[i * N + 3] = 100;
    window->wait[5 * N + 6] = 200;
    dxt_analysis_options options = {.struct_size = sizeof options, .method = DXT_METHOD_RATIO};
    dxt_findings *found = analyze(window, &options);
    /* mean of all = (63 · 10 + 8 · 90 + 190 − 10 + 20) ÷ 64; the column has 100. */
    double mean = (64 * 10 + 8 * 90 + 190) / 64.0;
    assert_int_equal(found->col_count, 1);
    assert_int_equal(found->cols[0].rank, 3);
    assert_true(found->cols[0].mean == 100);
    assert_near(found->cols[0].normalised, 100 / (mean + 1e-8), 1e-12);
    assert_int_equal(found->row_count, 0);
    assert_int_equal(found->point_count, 1);
    assert_int_equal(found->points[0].row, 5);
    assert_int_equal(found->points[0].column, 6);
    assert_int_equal(found->finding_count, 0);
    assert_int_equal(found->verdict, DXT_VERDICT_SLOW);
    dxt_findings_free(found);
    options.keep_points = 1;
    options.threshold_point = 4.0;
    options.threshold_col = 10;
    found = analyze(window, &options);
    assert_int_equal(found->col_count, 0);
    assert_int_equal(found->point_count, 9 - 8 * (100 / mean <= 4.0));
    dxt_findings_free(found);
    dxt_window_free(window);
}

static void wrong_options_and_windows_are_refused(void **state)
{
    (void)state;
    healthy(4, 1);
    dxt_window *window = arrivals_window(&job, "dispatch");
    dxt_findings *found = NULL;
    dxt_analysis_options options = {0};
    assert_int_equal(dxt_analyze(window, &options, &found), DXT_ERR_INVALID);
    options = (dxt_analysis_options){.struct_size = sizeof options, .method = 7};
    assert_int_equal(dxt_analyze(window, &options, &found), DXT_ERR_INVALID);
    options = (dxt_analysis_options){.struct_size = sizeof options, .min_share = NAN};
    assert_int_equal(dxt_analyze(window, &options, &found), DXT_ERR_INVALID);
    window->wait[3] = -2;
    assert_int_equal(dxt_analyze(window, NULL, &found), DXT_ERR_INVALID);
    assert_null(found);
    dxt_window_free(window);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    for (int method = DXT_METHOD_ROBUST; method <= DXT_METHOD_RATIO; method++) {
        healthy(16, 8);
        job.late[4] = 50 * US;
        job.path = one_path;
        dxt_window *window = arrivals_window(&job, "dispatch");
        dxt_window *other = arrivals_window(&job, "combine");
        dxt_window *transfer = arrivals_window(&job, "combine transfer");
        dxt_analysis_options options = {.struct_size = sizeof options,
                                        .method = method,
                                        .companion = other,
                                        .adjacent = transfer,
                                        .ranks_per_node = 8};
        dxt_findings *found = NULL;
        dxt_status status;
        long k = 1;
        for (;
             alloc_fail_arm(k), status = dxt_analyze(window, &options, &found), alloc_fail_disarm();
             k++) {
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
            assert_null(found);
        }
        assert_int_equal(status, DXT_OK);
        assert_true(k > 3);
        dxt_findings_free(found);
        dxt_window_free(window);
        dxt_window_free(other);
        dxt_window_free(transfer);
    }
}

static void silent_ranks_are_named_by_both_methods(void **state)
{
    (void)state;
    for (int method = DXT_METHOD_ROBUST; method <= DXT_METHOD_RATIO; method++) {
        healthy(8, 3);
        dxt_window *window = arrivals_window(&job, "dispatch");
        window->missing = calloc(8, 1);
        assert_non_null(window->missing);
        window->missing[4] = 1;
        memset(window->wait + 4 * 8, 0, 8 * sizeof(int64_t));
        dxt_analysis_options options = {.struct_size = sizeof options, .method = method};
        dxt_findings *found = analyze(window, &options);
        assert_int_equal(only(found, DXT_SILENT_RANK)->rank, 4);
        assert_int_equal(found->verdict, DXT_VERDICT_SLOW);
        assert_int_equal(found->findings[0].severity, DXT_SEVERITY_CRITICAL);
        dxt_findings_free(found);
        memset(window->missing, 1, 8);
        memset(window->wait, 0, 64 * sizeof(int64_t));
        found = analyze(window, &options);
        assert_int_equal(found->finding_count, 8);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

static double many_paths(uint32_t i, uint32_t j)
{
    return i != j && (i * 7 + j * 3) % 90 == 0 ? 300 * US : 0;
}

/* The k-th window of a job of 10 nodes: a healthy one first, and then more and more to tell. */
static dxt_window *window_of_much(uint64_t k, const char *phase)
{
    healthy(100, k);
    for (uint32_t r = 0; k > 1 && r < 20; r++) job.late[5 * r] = r % 2 ? 50 * US : -50 * US;
    for (uint32_t r = 90; k > 2 && r < 100; r++) job.late[r] = 200 * US;
    if (k > 3) job.path = many_paths;
    dxt_window *window = arrivals_window(&job, phase);
    window->missing = calloc(100, 1);
    assert_non_null(window->missing);
    /* There are fewer in the first window than later. */
    for (uint32_t r = 0; r < 20; r++) window->missing[4 * r + 1] = k == 1 || k == 6;
    for (uint32_t r = 0; r < 100; r++)
        if (window->missing[r]) memset(window->wait + 100 * r, 0, 100 * sizeof(int64_t));
    return window;
}

static void assert_same(const dxt_findings *found, const dxt_findings *expected)
{
    assert_int_equal(found->finding_count, expected->finding_count);
    assert_int_equal(found->col_count, expected->col_count);
    assert_int_equal(found->point_count, expected->point_count);
    for (size_t f = 0; f < found->finding_count; f++) {
        assert_int_equal(found->findings[f].kind, expected->findings[f].kind);
        assert_int_equal(found->findings[f].rank, expected->findings[f].rank);
        assert_true(found->findings[f].wait == expected->findings[f].wait ||
                    isnan(found->findings[f].wait));
    }
}

/* The same answers as one by one, and no allocation after the first window, which is the poorest.
 */
static void an_analyzer_uses_its_memory_again(void **state)
{
    (void)state;
    dxt_analyzer *analyzer = NULL;
    assert_int_equal(dxt_analyzer_create(&analyzer), DXT_OK);
    for (int method = DXT_METHOD_ROBUST; method <= DXT_METHOD_RATIO; method++) {
        size_t most = 0;
        for (uint64_t k = 1; k <= 6; k++) {
            dxt_window *window = window_of_much(k, "dispatch");
            dxt_window *other = window_of_much(k, "combine");
            dxt_window *transfer = window_of_much(k, "combine transfer");
            dxt_analysis_options options = {.struct_size = sizeof options,
                                            .method = method,
                                            .companion = other,
                                            .adjacent = transfer,
                                            .ranks_per_node = k > 1 ? 10 : 100};
            dxt_findings *alone = analyze(window, &options);
            const dxt_findings *found = NULL;
            alloc_count_begin();
            assert_int_equal(dxt_analyzer_run(analyzer, window, &options, &found), DXT_OK);
            if (k > 1) assert_int_equal(alloc_count(), 0);
            assert_same(found, alone);
            size_t told = found->finding_count + found->point_count;
            if (told > most) most = told;
            dxt_findings_free(alone);
            dxt_window_free(window);
            dxt_window_free(other);
            dxt_window_free(transfer);
        }
        print_message("up to %zu findings and points\n", most);
        assert_true(most > 30);
    }
    dxt_analyzer_destroy(analyzer);
    dxt_analyzer_destroy(NULL);
}

/* As a program that was compiled when findings were shorter meets them. */
static void findings_are_stepped_through_by_their_size(void **state)
{
    (void)state;
    dxt_window *window = window_of_much(1, "dispatch");
    dxt_findings *found = analyze(window, NULL);
    assert_int_equal(found->finding_size, sizeof(dxt_finding));
    assert_true(found->finding_count > 1);
    for (size_t f = 0; f < found->finding_count; f++)
        assert_ptr_equal(dxt_finding_at(found, f), &found->findings[f]);
    dxt_finding longer[2][2] = {{{.rank = 3}, {.rank = 4}}, {{.rank = 5}, {.rank = 6}}};
    const dxt_findings later = {
        .findings = longer[0], .finding_count = 2, .finding_size = sizeof longer[0]};
    assert_int_equal(dxt_finding_at(&later, 0)->rank, 3);
    assert_int_equal(dxt_finding_at(&later, 1)->rank, 5);
    dxt_findings_free(found);
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_stepped_through_by_their_size),
        cmocka_unit_test(an_analyzer_uses_its_memory_again),
        cmocka_unit_test(a_time_out_in_a_sum_is_set_aside),
        cmocka_unit_test(cells_that_nobody_observed_speak_for_nobody),
        cmocka_unit_test(the_largest_counters_may_have_a_hole),
        cmocka_unit_test(durations_know_no_paths),
        cmocka_unit_test(clocks_of_different_rates_are_compared_in_time),
        cmocka_unit_test(wild_skew_is_nobodys_fault),
        cmocka_unit_test(a_constant_blames_nobody_and_a_scale_scales),
        cmocka_unit_test(windows_added_up_agree_with_the_sum),
        cmocka_unit_test(a_window_without_any_wait_proves_nothing),
        cmocka_unit_test(thin_windows_are_inconclusive),
        cmocka_unit_test(renumbering_the_ranks_renumbers_the_findings),
        cmocka_unit_test(any_matrix_gives_a_finite_answer),
        cmocka_unit_test(the_established_rule_gives_its_known_answers),
        cmocka_unit_test(wrong_options_and_windows_are_refused),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(silent_ranks_are_named_by_both_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
