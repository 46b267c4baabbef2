/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "judged.h"
#include "numeric/columns.h"
#include "numeric/select.h"
#include "numeric/skew.h"
#include "numeric/tail.h"

static void order_statistics_agree_with_sorting(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (size_t n = 1; n < 200; n++) {
        double values[200], copy[200];
        for (size_t i = 0; i < n; i++) values[i] = floor(arrivals_uniform(&seed) * 20);
        for (size_t k = 0; k < n; k++) {
            memcpy(copy, values, sizeof copy);
            double chosen = dxt_select(copy, n, k);
            size_t below = 0, equal = 0;
            for (size_t i = 0; i < n; i++)
                below += values[i] < chosen, equal += values[i] == chosen;
            assert_true(below <= k && k < below + equal);
            for (size_t i = 0; i < k; i++) assert_true(copy[i] <= chosen);
        }
    }
    for (size_t n = 0; n < 200; n += 7) {
        double values[200];
        for (size_t i = 0; i < n; i++) values[i] = floor(arrivals_uniform(&seed) * 50);
        dxt_sort(values, n);
        for (size_t i = 1; i < n; i++) assert_true(values[i - 1] <= values[i]);
    }
    double pair[] = {3, -1};
    assert_near(dxt_median(pair, 2), 1, 0);
    assert_near(dxt_median(pair, 0), 0, 0);
}

/* What is asked for is nothing then, but it ends. */
static void selection_ends_among_values_that_are_no_numbers(void **state)
{
    (void)state;
    static double values[40000];
    for (unsigned kind = 1; kind < 4; kind++) {
        for (size_t n = 17; n < 40000; n *= 3) {
            for (size_t i = 0; i < n; i++) values[i] = i % kind == 0 ? NAN : (double)(i % 5);
            dxt_select(values, n, n / 2);
            for (size_t i = 0; i < n; i++) values[i] = i % kind == 0 ? NAN : (double)(i % 5);
            dxt_median(values, n);
            for (size_t i = 0; i < n; i++) values[i] = i % kind == 0 ? NAN : (double)(i % 5);
            dxt_sort(values, n);
        }
    }
}

static void medians_of_many_agree_with_sorting(void **state)
{
    (void)state;
    static double values[5000], sorted[5000];
    uint64_t seed = 5;
    for (size_t n = 200; n < 5000; n = n * 5 / 4 + 1) {
        for (unsigned kind = 0; kind < 4; kind++) {
            for (size_t i = 0; i < n; i++) {
                double u = arrivals_uniform(&seed);
                /* Even, of few kinds, with a tail over hundreds of powers of ten, and in two
                 * lumps. */
                values[i] = kind == 0   ? u
                            : kind == 1 ? floor(u * 3)
                            : kind == 2 ? exp(400 * u * u * u)
                                        : (i % 2 ? 1e6 : 0) + u;
            }
            memcpy(sorted, values, n * sizeof *values);
            dxt_sort(sorted, n);
            double low = sorted[(n - 1) / 2], high = sorted[n / 2];
            assert_near(dxt_median(values, n), low + (high - low) / 2, 0);
        }
    }
}

/* Of the two in the middle the one nearer to 0. */
static double cautious_median(double *values, size_t n)
{
    if (n == 0) return 0;
    dxt_sort(values, n);
    double low = values[(n - 1) / 2], high = values[n / 2];
    return fabs(low) < fabs(high) ? low : high;
}

static void medians_of_columns_agree_with_those_of_each(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (uint32_t rows = 1; rows <= 64; rows++) {
        double values[64][DXT_LANES], column[DXT_LANES][64], median[DXT_LANES];
        double whole[64][DXT_LANES], one[64];
        uint32_t used[DXT_LANES] = {0};
        for (uint32_t k = 0; k < rows; k++)
            for (uint32_t c = 0; c < DXT_LANES; c++) {
                double value = floor(arrivals_uniform(&seed) * 40) - 20;
                bool said = c == 0 || arrivals_uniform(&seed) > (rows < 8 ? 0.5 : 0.1);
                values[k][c] = said ? value : INFINITY;
                whole[k][c] = value;
                if (said) column[c][used[c]++] = value;
            }
        dxt_cautious_medians(values, rows, DXT_LANES, median);
        for (uint32_t c = 0; c < DXT_LANES; c++)
            assert_near(median[c], cautious_median(column[c], used[c]), 0);
        for (uint32_t c = 0; c < DXT_LANES; c++) {
            double copy[64][DXT_LANES];
            memcpy(copy, whole, sizeof copy);
            dxt_medians(copy, rows, median);
            for (uint32_t k = 0; k < rows; k++) one[k] = whole[k][c];
            assert_near(median[c], dxt_median(one, rows), 0);
        }
    }
}

static void expected_waits_are_the_closed_form(void **state)
{
    (void)state;
    for (double skew = 0.01; skew < 1e6; skew *= 97)
        for (double z = -9; z < 9; z += 0.0137) {
            double shift = z * skew;
            double form = shift * 0.5 * erfc(-z / sqrt(2)) +
                          skew * exp(-0.5 * z * z) / sqrt(2 * 3.14159265358979323846);
            assert_near(dxt_expected_wait(shift, skew), form, 1e-14 * skew);
        }
}

static void a_bound_of_waits_is_above_them_and_near(void **state)
{
    (void)state;
    for (double skew = 0.01; skew < 1e6; skew *= 97)
        for (double z = -9; z < 9; z += 0.0137) {
            double more = dxt_wait_at_most(z * skew, skew) - dxt_expected_wait(z * skew, skew);
            assert_true(more > -1e-14 * skew && more < 0.072 * skew);
            assert_true(fabs(z) < 4 || more < 0.002 * skew);
        }
    assert_near(dxt_wait_at_most(0, 1), 0.4, 1e-15);
    assert_near(dxt_wait_at_most(5, 0), 5, 0);
    assert_near(dxt_wait_at_most(-5, 0), 0, 0);
}

static void waits_of_many_are_those_of_each(void **state)
{
    (void)state;
    uint64_t seed = 11;
    static const double skews[] = {0, 1e-3, 1, 7e4};
    for (size_t s = 0; s < sizeof skews / sizeof skews[0]; s++)
        for (size_t n = 0; n < 140; n += 3) {
            double values[140], each[140];
            for (size_t i = 0; i < n; i++) {
                values[i] = i % 5 == 0 ? 0 : (arrivals_uniform(&seed) - 0.5) * 20 * skews[s];
                each[i] = dxt_expected_wait(values[i], skews[s]);
            }
            dxt_waits_of(values, n, skews[s]);
            for (size_t i = 0; i < n; i++) assert_true(values[i] == each[i]);
        }
}

static void shifts_of_many_are_those_of_each(void **state)
{
    (void)state;
    uint64_t seed = 12;
    static const double skews[] = {0, 1e-3, 1, 7e4};
    for (size_t s = 0; s < sizeof skews / sizeof skews[0]; s++)
        for (size_t n = 0; n < 140; n += 3) {
            double values[140], each[140];
            for (size_t i = 0; i < n; i++) {
                double down = arrivals_uniform(&seed) * 60;
                /* From far below the skew, where it takes many rounds, to far above it. */
                values[i] = i % 5 == 0 ? 0 : exp(4 - down) * (skews[s] + 1e-4);
                each[i] = dxt_shift_of_wait(values[i], skews[s]);
            }
            dxt_shifts_of_waits(values, n, skews[s]);
            for (size_t i = 0; i < n; i++) assert_true(values[i] == each[i]);
        }
}

/* Far out the slope is all but 0, and a step of Newton's method as long as one likes. */
static void nothing_leaps_away_far_out(void **state)
{
    (void)state;
    for (double skew = 1e-6; skew < 1e15; skew *= 7.3)
        for (double wait = 1e-24 * skew; wait < skew; wait *= 1.37) {
            double shift = dxt_shift_of_wait(wait, skew), vector = wait;
            dxt_shifts_of_waits(&vector, 1, skew);
            assert_true(shift <= wait && shift >= -20 * skew && vector == shift);
        }
    for (double transfer = 1e-6; transfer < 1e15; transfer *= 7.3)
        for (double part = 1e-17; part < 1; part *= 1.37) {
            double wait = transfer * (1 + part), skew = dxt_skew_of_wait(wait, transfer);
            assert_true(skew >= 0 && skew <= wait / 0.3989);
        }
}

static void waits_and_skew_invert_each_other(void **state)
{
    (void)state;
    for (double skew = 0.5; skew < 40; skew *= 3) {
        for (double shift = 0; shift < 30; shift += 7) {
            double wait = dxt_expected_wait(shift, skew);
            assert_true(wait >= shift);
            assert_near(dxt_shift_of_wait(wait, skew), shift, 1e-6);
            if (skew > shift / 4) assert_near(dxt_skew_of_wait(wait, shift), skew, 1e-3 * skew);
            double late = shift / 3, transfer = 2;
            double there = dxt_expected_wait(transfer + late, skew);
            double back = dxt_expected_wait(transfer - late, skew);
            if (skew > 3) assert_near(dxt_skew_of_pair(there, back, transfer), skew, 1e-3 * skew);
        }
    }
    assert_near(dxt_expected_wait(0, 1), 0.3989422804, 1e-9);
    assert_near(dxt_expected_last(2), 0.5641895835, 1e-3);
    assert_near(dxt_expected_last(8), 1.4236003060, 1e-3);
    assert_near(dxt_expected_last(16), 1.7659913931, 1e-3);
    assert_near(dxt_expected_wait(-5, 0), 0, 0);
    dxt_lateness_scale scale;
    dxt_lateness_scale_make(&scale, 12, 0);
    assert_near(dxt_lateness_read(&scale, 20), 10, 0.1);
    assert_near(dxt_lateness_read(&scale, -100), -88, 1e-9);
    dxt_lateness_scale_make(&scale, 0, 5);
    assert_near(dxt_lateness_read(&scale, 7), 7, 0);
    for (double late = -60; late < 60; late += 3.7) {
        dxt_lateness_scale_make(&scale, 12, 6);
        double difference = dxt_expected_wait(12 + late, 6) - dxt_expected_wait(12 - late, 6);
        assert_near(dxt_lateness_read(&scale, difference), late, 0.05);
    }
}

static void a_healthy_job_names_nobody(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 3, 4, 8, 16, 64, 256};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            healthy(sizes[s], seed);
            job.transfer = seed % 2 ? 0 : 10 * US;
            job.jitter = seed % 3 ? 3 * US : 12 * US;
            dxt_findings *found = diagnose("dispatch");
            assert_int_equal(found->finding_count, 0);
            assert_int_equal(found->col_count + found->row_count + found->point_count, 0);
            assert_int_equal(found->verdict, DXT_VERDICT_HEALTHY);
            dxt_findings_free(found);
        }
    }
}

static void a_late_rank_is_named_with_its_lateness(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 3, 4, 8, 16, 64, 512};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int with_transfer = 0; with_transfer < 2; with_transfer++) {
            healthy(sizes[s], 7);
            uint32_t who = sizes[s] - 1;
            job.late[who] = 30 * US;
            job.transfer = with_transfer ? 10 * US : 0;
            dxt_findings *found = diagnose("dispatch");
            const dxt_finding *finding = only(found, DXT_LATE_RANK);
            assert_int_equal(finding->rank, who);
            assert_near(finding->wait, 30 * US, 3 * US);
            assert_near(finding->share, 30.0 / 220, 0.015);
            assert_int_equal(finding->severity, DXT_SEVERITY_MAJOR);
            assert_true(finding->confidence > 0.95);
            assert_int_equal(found->col_count, 1);
            assert_int_equal(found->cols[0].rank, who);
            assert_int_equal(found->verdict, DXT_VERDICT_SLOW);
            dxt_findings_free(found);
        }
    }
}

static void several_late_ranks_are_all_named(void **state)
{
    (void)state;
    static const struct {
        uint32_t ranks, late;
    } cases[] = {{4, 2}, {8, 3}, {16, 7}, {64, 31}, {256, 127}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        healthy(cases[c].ranks, 11);
        for (uint32_t k = 0; k < cases[c].late; k++) job.late[2 * k] = 40 * US;
        dxt_findings *found = diagnose("dispatch");
        assert_int_equal(found->finding_count, cases[c].late);
        assert_int_equal(found->col_count, cases[c].late);
        for (uint32_t k = 0; k < cases[c].late; k++) assert_int_equal(found->cols[k].rank, 2 * k);
        dxt_findings_free(found);
    }
}

/* Arrivals vary by 15 µs, the late half is 18 µs late: the two halves overlap in every operation
 * and are told apart over 100. */
static void almost_half_may_be_late_within_the_jitter(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 256; ranks *= 4) {
        for (int with_transfer = 0; with_transfer < 2; with_transfer++) {
            healthy(ranks, 17 + ranks);
            job.ops = 100;
            job.jitter = 15 * US;
            job.transfer = with_transfer ? 10 * US : 0;
            uint32_t late = (ranks - 1) / 2;
            for (uint32_t k = 0; k < late; k++) job.late[2 * k + 1] = 18 * US;
            dxt_findings *found = diagnose("dispatch");
            assert_int_equal(found->finding_count, late);
            assert_int_equal(found->col_count, late);
            for (uint32_t k = 0; k < late; k++) assert_int_equal(found->cols[k].rank, 2 * k + 1);
            dxt_findings_free(found);
        }
    }
}

static void the_later_of_two_is_reported_first(void **state)
{
    (void)state;
    healthy(16, 5);
    job.late[3] = 30 * US;
    job.late[9] = 90 * US;
    dxt_findings *found = diagnose("dispatch");
    assert_int_equal(found->finding_count, 2);
    assert_int_equal(found->findings[0].rank, 9);
    assert_near(found->findings[0].wait, 90 * US, 3 * US);
    assert_int_equal(found->findings[1].rank, 3);
    assert_near(found->findings[1].wait, 30 * US, 3 * US);
    dxt_findings_free(found);
}

static void an_early_rank_is_a_row_and_costs_nothing(void **state)
{
    (void)state;
    healthy(8, 2);
    job.late[5] = -50 * US;
    dxt_findings *found = diagnose("dispatch");
    const dxt_finding *finding = only(found, DXT_EARLY_RANK);
    assert_int_equal(finding->rank, 5);
    assert_near(finding->wait, 50 * US, 3 * US);
    assert_near(finding->share, 0, 0);
    assert_int_equal(found->verdict, DXT_VERDICT_HEALTHY);
    assert_int_equal(found->row_count, 1);
    assert_int_equal(found->rows[0].rank, 5);
    assert_int_equal(found->col_count, 0);
    dxt_findings_free(found);
}

static void a_slow_receiver_is_told_from_an_early_rank(void **state)
{
    (void)state;
    healthy(8, 2);
    job.transfer = 10 * US;
    job.receive[5] = 60 * US;
    dxt_findings *found = diagnose("dispatch");
    const dxt_finding *finding = only(found, DXT_SLOW_RECEIVER);
    assert_int_equal(finding->rank, 5);
    assert_near(finding->wait, 60 * US, 4 * US);
    assert_int_equal(found->verdict, DXT_VERDICT_SLOW);
    assert_int_equal(found->row_count, 1);
    dxt_findings_free(found);
}

static void a_slow_path_is_a_point(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {3, 4, 8, 64};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        healthy(sizes[s], 4);
        job.path = one_path;
        dxt_findings *found = diagnose("dispatch");
        const dxt_finding *finding = only(found, DXT_SLOW_PATH);
        assert_int_equal(finding->rank, 2);
        assert_int_equal(finding->source, 0);
        assert_near(finding->wait, 40 * US, 4 * US);
        assert_int_equal(found->point_count, 1);
        assert_int_equal(found->points[0].row, 2);
        assert_int_equal(found->points[0].column, 0);
        assert_int_equal(found->col_count + found->row_count, 0);
        dxt_findings_free(found);
    }
}

static void a_slow_path_beside_and_inside_a_late_column_is_found(void **state)
{
    (void)state;
    for (uint32_t late = 0; late <= 1; late++) {
        healthy(8, 6);
        job.path = one_path;
        job.late[late] = 30 * US;
        dxt_findings *found = diagnose("dispatch");
        assert_int_equal(found->finding_count, 2);
        assert_int_equal(found->col_count, 1);
        assert_int_equal(found->cols[0].rank, late);
        assert_int_equal(found->point_count, 1);
        assert_int_equal(found->points[0].row, 2);
        assert_int_equal(found->points[0].column, 0);
        dxt_findings_free(found);
    }
}

static void a_hot_expert_shows_in_both_operators(void **state)
{
    (void)state;
    healthy(8, 3);
    job.receive[1] = 40 * US;
    dxt_window *dispatch = arrivals_window(&job, "dispatch");
    healthy(8, 4);
    job.transfer = 10 * US;
    job.late[1] = 110 * US;
    dxt_window *combine = arrivals_window(&job, "combine");
    dxt_analysis_options options = {.struct_size = sizeof options, .companion = combine};
    dxt_findings *found = analyze(dispatch, &options);
    assert_int_equal(only(found, DXT_HOT_EXPERT)->rank, 1);
    assert_int_equal(found->row_count, 1);
    dxt_findings_free(found);
    options.companion = dispatch;
    found = analyze(combine, &options);
    assert_int_equal(only(found, DXT_HOT_EXPERT)->rank, 1);
    assert_int_equal(found->col_count, 1);
    dxt_findings_free(found);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
}

static void received_bytes_tell_a_hot_expert_from_a_late_rank(void **state)
{
    (void)state;
    for (int hot = 0; hot < 2; hot++) {
        healthy(8, 3);
        dxt_window *dispatch = arrivals_window(&job, "dispatch");
        dispatch->bytes = calloc(64, sizeof(int64_t));
        assert_non_null(dispatch->bytes);
        for (int c = 0; c < 64; c++) dispatch->bytes[c] = hot && c / 8 == 1 ? 40000 : 10000;
        healthy(8, 4);
        job.late[1] = 110 * US;
        dxt_window *combine = arrivals_window(&job, "combine");
        dxt_analysis_options options = {.struct_size = sizeof options, .companion = dispatch};
        dxt_findings *found = analyze(combine, &options);
        assert_int_equal(only(found, hot ? DXT_HOT_EXPERT : DXT_LATE_RANK)->rank, 1);
        dxt_findings_free(found);
        dxt_window_free(dispatch);
        dxt_window_free(combine);
    }
}

/* A slow path holds its receiver up, which then enters the next operator late: the victim is not
 * blamed for that, but for what it adds it is. */
static void the_victim_of_a_slow_path_is_not_blamed(void **state)
{
    (void)state;
    for (int adds = 0; adds < 2; adds++) {
        healthy(8, 3);
        job.path = one_path;
        dxt_window *combine = arrivals_window(&job, "combine");
        healthy(8, 4);
        job.late[2] = (adds ? 90 : 40) * US;
        dxt_window *dispatch = arrivals_window(&job, "dispatch");
        dxt_findings *found = analyze(dispatch, NULL);
        assert_int_equal(only(found, DXT_LATE_RANK)->rank, 2);
        dxt_findings_free(found);
        dxt_analysis_options options = {.struct_size = sizeof options, .companion = combine};
        found = analyze(dispatch, &options);
        assert_int_equal(found->finding_count, adds);
        assert_int_equal(found->col_count, adds);
        assert_int_equal(found->inherited, !adds);
        if (adds) assert_near(only(found, DXT_LATE_RANK)->wait, 50 * US, 5 * US);
        dxt_findings_free(found);
        options.companion = dispatch;
        found = analyze(combine, &options);
        assert_int_equal(only(found, DXT_SLOW_PATH)->rank, 2);
        dxt_findings_free(found);
        dxt_window_free(dispatch);
        dxt_window_free(combine);
    }
}

/* What a rank waits for itself is its own time, and excuses nothing. */
static void a_long_diagonal_excuses_nobody(void **state)
{
    (void)state;
    healthy(8, 3);
    dxt_window *dispatch = arrivals_window(&job, "dispatch");
    dispatch->wait[2 * 8 + 2] += (int64_t)(100 * US * 50);
    healthy(8, 4);
    job.late[2] = 90 * US;
    dxt_window *combine = arrivals_window(&job, "combine");
    dxt_analysis_options options = {.struct_size = sizeof options, .companion = dispatch};
    dxt_findings *found = analyze(combine, &options);
    assert_int_equal(only(found, DXT_LATE_RANK)->rank, 2);
    dxt_findings_free(found);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
}

/* One stall of 20 ms makes a mean of 400 µs over 50 operations; only the record of who came last
 * tells it from a rank that is 400 µs late every time. */
static void one_stall_is_not_a_late_rank(void **state)
{
    (void)state;
    for (int always = 0; always < 2; always++) {
        healthy(8, 3);
        job.late[6] = 400 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        window->last = calloc(64, sizeof(int64_t));
        assert_non_null(window->last);
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 8; j++) window->last[i * 8 + j] = always ? (j == 6) * 50 : 6;
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(found->finding_count, always);
        assert_int_equal(found->verdict, always ? DXT_VERDICT_SLOW : DXT_VERDICT_INCONCLUSIVE);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_of_many_agree_with_sorting),
        cmocka_unit_test(selection_ends_among_values_that_are_no_numbers),
        cmocka_unit_test(medians_of_columns_agree_with_those_of_each),
        cmocka_unit_test(expected_waits_are_the_closed_form),
        cmocka_unit_test(order_statistics_agree_with_sorting),
        cmocka_unit_test(a_bound_of_waits_is_above_them_and_near),
        cmocka_unit_test(waits_of_many_are_those_of_each),
        cmocka_unit_test(shifts_of_many_are_those_of_each),
        cmocka_unit_test(nothing_leaps_away_far_out),
        cmocka_unit_test(waits_and_skew_invert_each_other),
        cmocka_unit_test(a_healthy_job_names_nobody),
        cmocka_unit_test(a_late_rank_is_named_with_its_lateness),
        cmocka_unit_test(several_late_ranks_are_all_named),
        cmocka_unit_test(almost_half_may_be_late_within_the_jitter),
        cmocka_unit_test(the_later_of_two_is_reported_first),
        cmocka_unit_test(an_early_rank_is_a_row_and_costs_nothing),
        cmocka_unit_test(a_slow_receiver_is_told_from_an_early_rank),
        cmocka_unit_test(a_slow_path_is_a_point),
        cmocka_unit_test(a_slow_path_beside_and_inside_a_late_column_is_found),
        cmocka_unit_test(a_hot_expert_shows_in_both_operators),
        cmocka_unit_test(received_bytes_tell_a_hot_expert_from_a_late_rank),
        cmocka_unit_test(the_victim_of_a_slow_path_is_not_blamed),
        cmocka_unit_test(a_long_diagonal_excuses_nobody),
        cmocka_unit_test(one_stall_is_not_a_late_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
