/* SPDX-License-Identifier: Apache-2.0 */
/* Of two ranks, whether one is late or the other one early: told by what each does beside waiting,
 * against windows of the same mix of work; where that cannot tell, it may be either. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/history.h>

#include "judged.h"

/* What is done beside waiting in one window: 100 µs before each operator, 20 µs besides. */
struct work {
    double before[2][2]; /* [operator][rank] more than that */
    double both;         /* both do so much more besides */
    double transfer;
    double jitter;   /* part of what is usual; 0 = all of it */
    const char *mix; /* NULL = not known */
    int64_t ops;
};

static struct work work;
static dxt_history *history;
static int64_t number;

static int begin(void **state)
{
    (void)state;
    work = (struct work){.mix = "decode 64", .transfer = 8 * US, .ops = 2000};
    number = 0;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    dxt_history_destroy(history);
    return 0;
}

static dxt_window *window_of(int phase, double step)
{
    healthy(2, 1000 * (uint64_t)number + (uint64_t)phase);
    job.ops = 100;
    job.step = step;
    job.transfer = phase == 0 ? 0 : work.transfer;
    job.late[0] = work.before[phase][0];
    job.late[1] = work.before[phase][1];
    if (work.jitter > 0) job.jitter *= work.jitter;
    dxt_window *window = arrivals_window(&job, phase == 0 ? "dispatch" : "combine");
    window->index = number;
    window->mix = work.mix ? strdup(work.mix) : NULL;
    return window;
}

/* The step ends for both when the later one has come. */
static double step(void)
{
    double sum = 240 * US + work.both + work.transfer;
    for (int o = 0; o < 2; o++) sum += fmax(work.before[o][0], work.before[o][1]);
    return sum;
}

static dxt_finding judge(const dxt_window *window, const dxt_window *companion)
{
    dxt_analysis_options options = {.struct_size = sizeof options, .companion = companion};
    dxt_finding said = {.kind = DXT_SILENT_RANK, .rank = DXT_NO_RANK};
    dxt_findings *alone = analyze(window, &options), *judged = NULL;
    assert_int_equal(dxt_history_judge(history, window, alone, &judged), DXT_OK);
    assert_true(judged->finding_count <= 1);
    if (judged->finding_count > 0) {
        said = judged->findings[0];
        bool early = said.kind == DXT_EARLY_RANK;
        assert_int_equal(judged->col_count, !early);
        assert_int_equal(judged->row_count, early);
        assert_int_equal(early ? judged->rows[0].rank : judged->cols[0].rank, said.rank);
        assert_int_equal(judged->verdict, early ? DXT_VERDICT_HEALTHY : DXT_VERDICT_SLOW);
    }
    dxt_findings_free(alone);
    dxt_findings_free(judged);
    return said;
}

/* One window of both operators. */
static void follow(dxt_finding said[2])
{
    dxt_window *dispatch = window_of(0, step()), *combine = window_of(1, step());
    said[0] = judge(dispatch, combine);
    said[1] = judge(combine, dispatch);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
    number++;
}

static void follow_quiet(int windows)
{
    dxt_finding said[2];
    for (int k = 0; k < windows; k++) {
        follow(said);
        assert_true(said[0].rank == DXT_NO_RANK && said[1].rank == DXT_NO_RANK);
    }
}

enum { LATE, EARLY, EITHER, NOBODY };

/* Whom a window is to name in an operator; of `EITHER`, who is late if one is. */
static void expect(const dxt_finding *said, int what, uint32_t rank)
{
    assert_int_equal(said->rank, what == NOBODY ? DXT_NO_RANK : rank);
    if (what == NOBODY) return;
    assert_int_equal(said->kind, what == EARLY ? DXT_EARLY_RANK : DXT_LATE_RANK);
    assert_int_equal(said->or_early, what == EITHER);
    if (what == EARLY)
        assert_true(said->share == 0 && said->severity == DXT_SEVERITY_MINOR);
    else
        assert_true(said->share > 0);
}

/* Windows in which the work of one rank before an operator has changed by so much. */
static void expect_change(int phase, uint32_t rank, double amount, int windows, int what)
{
    dxt_finding said[2];
    uint32_t named = what == EARLY || amount > 0 ? rank : 1 - rank;
    work.before[phase][rank] = amount;
    for (int k = 0; k < windows; k++) {
        follow(said);
        expect(&said[phase], what, named);
        expect(&said[1 - phase], NOBODY, 0);
    }
    work.before[phase][rank] = 0;
}

static void who_has_changed_is_named(void **state)
{
    (void)state;
    follow_quiet(10);
    for (int phase = 0; phase < 2; phase++) {
        for (uint32_t rank = 0; rank < 2; rank++) {
            expect_change(phase, rank, 40 * US, 3, LATE);
            follow_quiet(2);
            expect_change(phase, rank, -40 * US, 3, EARLY);
            expect_change(phase, rank, 15 * US, 3, LATE);
            follow_quiet(2);
        }
    }
}

/* What is usual is not known yet, though what was seen so far was quiet. */
static void eight_windows_tell_what_is_usual(void **state)
{
    (void)state;
    follow_quiet(7);
    expect_change(0, 1, 40 * US, 2, EITHER);
    expect_change(0, 0, -40 * US, 2, EITHER);
    follow_quiet(1);
    /* Now that the eighth is over. */
    follow_quiet(1);
    expect_change(0, 1, 40 * US, 2, LATE);
}

static void a_mix_that_is_not_known_may_be_either(void **state)
{
    (void)state;
    work.mix = NULL;
    follow_quiet(20);
    expect_change(0, 1, 40 * US, 4, EITHER);
    expect_change(1, 0, -40 * US, 4, EITHER);
}

/* A larger batch on both looks like lateness, a smaller one like none. */
static void only_windows_of_the_same_mix_compare(void **state)
{
    (void)state;
    follow_quiet(12);
    work.mix = "decode 128";
    work.both = 40 * US;
    expect_change(0, 0, -40 * US, 3, EITHER);
    follow_quiet(9);
    expect_change(0, 0, -40 * US, 3, EARLY);
    work.mix = "decode 64";
    work.both = 0;
    expect_change(0, 1, 40 * US, 3, LATE);
}

/* More to do for both with the same graphs: contexts grow. The step alone would mislead. */
static void where_both_have_changed_it_may_be_either(void **state)
{
    (void)state;
    follow_quiet(12);
    work.both = 20 * US;
    expect_change(0, 0, -40 * US, 2, EITHER);
    work.both = 200 * US;
    expect_change(0, 0, -40 * US, 2, EITHER);
    expect_change(1, 1, 40 * US, 2, EITHER);
}

/* Each fault alone would be told; the step grows by one of them. */
static void both_operators_are_told_apart(void **state)
{
    dxt_finding said[2];
    (void)state;
    follow_quiet(12);
    work.before[0][0] = 60 * US;
    work.before[1][1] = -25 * US;
    for (int k = 0; k < 3; k++) {
        follow(said);
        expect(&said[0], LATE, 0);
        expect(&said[1], EARLY, 1);
    }
    work.before[1][1] = 25 * US;
    for (int k = 0; k < 3; k++) {
        follow(said);
        expect(&said[0], LATE, 0);
        expect(&said[1], LATE, 1);
    }
    /* As much in one as in the other: either of them grew, or nobody's did. */
    work.before[0][0] = 40 * US;
    work.before[1][1] = -40 * US;
    follow(said);
    expect(&said[0], EITHER, 0);
    expect(&said[1], EITHER, 0);
}

/* What is usual is remembered for longer than single windows are. */
static void a_fault_that_stays_is_told_for_good(void **state)
{
    (void)state;
    follow_quiet(10);
    expect_change(1, 0, -40 * US, 2 * DXT_HISTORY_WINDOWS, EARLY);
    expect_change(0, 1, 40 * US, 2, LATE);
}

/* Of many mixes those that were not seen for longest are forgotten. */
static void many_mixes_take_turns(void **state)
{
    char name[32];
    (void)state;
    for (int k = 0; k < 12; k++) {
        snprintf(name, sizeof name, "batch %d", k);
        work.mix = name;
        work.both = 10 * k * US;
        follow_quiet(9);
    }
    follow_quiet(1);
    expect_change(0, 1, 40 * US, 1, LATE);
    work.mix = "batch 8";
    work.both = 80 * US;
    expect_change(0, 0, -40 * US, 1, EARLY);
    work.mix = "batch 0";
    work.both = 0;
    expect_change(0, 0, -40 * US, 1, EITHER);
}

/* A run that follows knows nothing of the one before. */
static void another_run_begins_anew(void **state)
{
    (void)state;
    follow_quiet(12);
    number = 0;
    expect_change(0, 1, 40 * US, 2, EITHER);
}

static void the_episode_says_either_until_it_is_known(void **state)
{
    dxt_episode *episodes;
    size_t count;
    (void)state;
    follow_quiet(12);
    work.mix = "decode 128";
    expect_change(0, 1, 40 * US, 2, EITHER);
    assert_int_equal(dxt_history_summary(history, &episodes, &count), DXT_OK);
    assert_int_equal(count, 1);
    assert_true(episodes[0].or_early && episodes[0].kind == DXT_LATE_RANK);
    free(episodes);
    work.mix = "decode 64";
    expect_change(0, 1, 40 * US, 2, LATE);
    assert_int_equal(dxt_history_summary(history, &episodes, &count), DXT_OK);
    assert_int_equal(count, 1);
    assert_true(!episodes[0].or_early && episodes[0].seen == 4);
    free(episodes);
}

/* What the two differ by anyway, a little less than what is worth a finding, is no rest of a fault
 * that has ended. */
static void what_has_ended_is_not_carried_on(void **state)
{
    dxt_finding said[2];
    (void)state;
    work.jitter = 0.2;
    work.before[0][1] = 2 * US;
    follow_quiet(12);
    for (int k = 0; k < 6; k++) {
        work.before[0][0] = k == 0 || k == 5 ? -20 * US : -40 * US;
        follow(said);
        expect(&said[0], EARLY, 0);
    }
    work.before[0][0] = 0;
    follow_quiet(20);
    for (int k = 0; k < 5; k++) {
        work.before[0][1] = k == 4 ? 37 * US : 42 * US;
        follow(said);
        expect(&said[0], LATE, 1);
    }
    work.before[0][1] = 2 * US;
    follow_quiet(20);
}

/* Behind the arrival nobody is early. */
static void in_a_transfer_it_is_a_link(void **state)
{
    (void)state;
    healthy(2, 1);
    job.late[1] = 40 * US;
    dxt_findings *findings = diagnose("dispatch transfer");
    assert_int_equal(only(findings, DXT_SLOW_LINK)->or_early, 0);
    dxt_findings_free(findings);
    findings = diagnose("dispatch");
    assert_int_equal(only(findings, DXT_LATE_RANK)->or_early, 1);
    dxt_findings_free(findings);
    healthy(3, 1);
    job.late[1] = 40 * US;
    findings = diagnose("dispatch");
    assert_int_equal(only(findings, DXT_LATE_RANK)->or_early, 0);
    dxt_findings_free(findings);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_has_changed_is_named),
        TEST(eight_windows_tell_what_is_usual),
        TEST(a_mix_that_is_not_known_may_be_either),
        TEST(only_windows_of_the_same_mix_compare),
        TEST(where_both_have_changed_it_may_be_either),
        TEST(both_operators_are_told_apart),
        TEST(a_fault_that_stays_is_told_for_good),
        TEST(many_mixes_take_turns),
        TEST(another_run_begins_anew),
        TEST(the_episode_says_either_until_it_is_known),
        TEST(what_has_ended_is_not_carried_on),
        TEST(in_a_transfer_it_is_a_link),
    };
    return cmocka_run_group_tests_name("history_pair", tests, NULL, NULL);
}
