/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that take no part or were given up, and windows in which nothing was completed. */
#include <stdlib.h>

#include "judged.h"

#define TIMEOUT INT64_C(200000000000)

static void set_axis(dxt_window *window, uint32_t rank, int64_t wait)
{
    for (uint32_t k = 0; k < window->ranks; k++)
        window->wait[rank * window->ranks + k] = window->wait[k * window->ranks + rank] = wait;
}

static void a_rank_that_counts_nothing_takes_no_part(void **state)
{
    (void)state;
    for (uint32_t ranks = 3; ranks <= 200; ranks = ranks * 2 + 1) {
        healthy(ranks, ranks);
        dxt_window *window = arrivals_window(&job, "dispatch");
        set_axis(window, 1, 0);
        dxt_findings *found = analyze(window, NULL);
        const dxt_finding *finding = only(found, DXT_SILENT_RANK);
        assert_int_equal(finding->rank, 1);
        assert_int_equal(finding->silence, DXT_SILENCE_NO_PART);
        assert_int_equal(finding->severity, DXT_SEVERITY_CRITICAL);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* What it does not wait is nothing that the others lose. */
static void who_takes_no_part_is_no_skew(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        healthy(8, seed);
        job.jitter = 15 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        set_axis(window, 5, 0);
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(only(found, DXT_SILENT_RANK)->rank, 5);
        assert_true(found->lost_share <= 0);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* It polls like any other; or only its row, or only its column is 0. */
static void a_rank_that_counts_anything_is_not_silent(void **state)
{
    (void)state;
    for (int what = 0; what < 3; what++) {
        healthy(8, 5);
        job.late[1] = what == 1 ? 80 * US : what == 2 ? -80 * US : 0;
        dxt_window *window = arrivals_window(&job, "dispatch");
        if (what == 0) {
            set_axis(window, 1, 0);
            window->wait[1 * 8 + 5] = 1;
        }
        dxt_findings *found = analyze(window, NULL);
        for (size_t f = 0; f < found->finding_count; f++)
            assert_int_not_equal(found->findings[f].kind, DXT_SILENT_RANK);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* A window in which everything overlaps counts next to nothing of anybody. */
static void zeros_all_over_are_no_silence(void **state)
{
    (void)state;
    healthy(8, 5);
    dxt_window *window = arrivals_window(&job, "dispatch");
    for (uint32_t c = 0; c < 64; c++)
        if (c % 3) window->wait[c] = 0;
    set_axis(window, 1, 0);
    dxt_findings *found = analyze(window, NULL);
    for (size_t f = 0; f < found->finding_count; f++)
        assert_int_not_equal(found->findings[f].kind, DXT_SILENT_RANK);
    dxt_findings_free(found);
    dxt_window_free(window);
}

static void whom_the_others_gave_up_timed_out(void **state)
{
    (void)state;
    static const int64_t experts[] = {1, 2, 8, 16, 64};
    for (size_t k = 0; k < sizeof experts / sizeof experts[0]; k++) {
        for (int missing = 0; missing < 2; missing++) {
            healthy(8, 5);
            dxt_window *window = arrivals_window(&job, "dispatch");
            window->unit = DXT_UNIT_CYCLES;
            for (uint32_t i = 0; i < 8; i++)
                if (i != 5) window->wait[i * 8 + 5] += experts[k] * TIMEOUT;
            if (missing) {
                window->missing = calloc(8, 1);
                assert_non_null(window->missing);
                window->missing[5] = 1;
                memset(window->wait + 5 * 8, 0, 8 * sizeof *window->wait);
            }
            dxt_findings *found = analyze(window, NULL);
            assert_int_equal(only(found, DXT_SILENT_RANK)->rank, 5);
            assert_int_equal(found->findings[0].silence,
                             missing ? DXT_SILENCE_NO_COUNTERS : DXT_SILENCE_TIMED_OUT);
            dxt_findings_free(found);
            dxt_window_free(window);
        }
    }
}

/* While everybody hangs on rank 2: rank 3 has heard from nobody, 0 and 1 from some. */
static dxt_window *hanging(int64_t samples)
{
    static const int heard[4][4] = {{0, 0, 0, 1}, {1, 0, 0, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}};
    dxt_window *window;
    assert_int_equal(dxt_window_create(4, "dispatch", &window), DXT_OK);
    window->elapsed_ns = 300000000;
    window->missing = calloc(4, 1);
    window->samples = calloc(16, sizeof *window->samples);
    window->ticks_per_second = calloc(4, sizeof *window->ticks_per_second);
    assert_true(window->missing && window->samples && window->ticks_per_second);
    window->missing[2] = 1;
    for (uint32_t c = 0; c < 16; c++) {
        window->ticks_per_second[c / 4] = 2.6e9;
        window->samples[c] = heard[c / 4][c % 4] * samples;
        window->wait[c] = window->samples[c] * (100000 + 20000 * (c % 4));
    }
    return window;
}

static void where_nothing_was_completed_only_silence_is_told(void **state)
{
    (void)state;
    for (int64_t samples = 0; samples <= 5; samples++) {
        dxt_window *window = hanging(samples);
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(only(found, DXT_SILENT_RANK)->rank, 2);
        dxt_findings_free(found);
        free(window->missing);
        window->missing = NULL;
        found = analyze(window, NULL);
        for (size_t f = 0; f < found->finding_count; f++)
            assert_int_equal(found->findings[f].kind, DXT_SILENT_RANK);
        if (found->finding_count == 0) assert_int_equal(found->verdict, DXT_VERDICT_INCONCLUSIVE);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* Where the cost is not known, few samples are not enough for more than "minor". */
static void few_samples_without_a_cost_are_minor(void **state)
{
    (void)state;
    for (int64_t samples = 1; samples <= 9; samples++) {
        healthy(8, 5);
        job.ops = (int)samples;
        job.late[3] = 100 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        window->ops = 0;
        window->elapsed_ns = 0;
        window->samples_each = samples;
        dxt_findings *found = analyze(window, NULL);
        for (size_t f = 0; f < found->finding_count; f++)
            if (samples < 8)
                assert_int_equal(found->findings[f].severity, DXT_SEVERITY_MINOR);
            else if (found->findings[f].kind == DXT_LATE_RANK)
                assert_int_not_equal(found->findings[f].severity, DXT_SEVERITY_MINOR);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rank_that_counts_nothing_takes_no_part),
        cmocka_unit_test(who_takes_no_part_is_no_skew),
        cmocka_unit_test(a_rank_that_counts_anything_is_not_silent),
        cmocka_unit_test(zeros_all_over_are_no_silence),
        cmocka_unit_test(whom_the_others_gave_up_timed_out),
        cmocka_unit_test(where_nothing_was_completed_only_silence_is_told),
        cmocka_unit_test(few_samples_without_a_cost_are_minor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
