/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that waited for a CPU core: what that may be all of is not named, anything more is. */
#include "judged.h"

#include <deepxtrace/history.h>

#define RANKS 8u
#define LATE (200 * US)

/* A window in which each rank waited so long for a core. */
static dxt_window *held_up(const char *phase, const int64_t *delay_ns)
{
    dxt_window *window = arrivals_window(&job, phase);
    window->run_delay_ns = malloc(RANKS * sizeof *window->run_delay_ns);
    assert_non_null(window->run_delay_ns);
    memcpy(window->run_delay_ns, delay_ns, RANKS * sizeof *delay_ns);
    return window;
}

static dxt_findings *judge_held_up(const int64_t *delay_ns)
{
    dxt_window *window = held_up("dispatch", delay_ns);
    dxt_findings *findings = analyze(window, NULL);
    dxt_window_free(window);
    return findings;
}

/* Named, or not for this reason. @return Whether it was named. */
static bool names(const int64_t *delay_ns, dxt_finding_kind kind)
{
    dxt_findings *findings = judge_held_up(delay_ns);
    bool named = findings->finding_count > 0;
    if (named) {
        only(findings, kind);
        assert_int_equal(findings->delayed_ns, 0);
        assert_int_equal(findings->delayed_rank, DXT_NO_RANK);
    } else {
        assert_int_equal(findings->verdict, DXT_VERDICT_INCONCLUSIVE);
        assert_true(findings->delayed_ns > 0 && findings->delayed_rank < RANKS);
        assert_int_equal(findings->col_count + findings->row_count + findings->point_count, 0);
        assert_true(delay_ns[findings->delayed_rank] == findings->delayed_ns);
    }
    dxt_findings_free(findings);
    return named;
}

static void set_all(int64_t *delay_ns, double value)
{
    for (uint32_t r = 0; r < RANKS; r++) delay_ns[r] = (int64_t)value;
}

static void a_late_rank_is_explained_by_its_own(void **state)
{
    (void)state;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7);
    job.late[2] = LATE;
    double all = job.ops * LATE;
    set_all(delay_ns, 10 * all);
    delay_ns[2] = (int64_t)(0.9 * all);
    assert_true(names(delay_ns, DXT_LATE_RANK)); /* those of the others explain nothing */
    delay_ns[2] = DXT_NOT_OBSERVED;
    assert_true(names(delay_ns, DXT_LATE_RANK));
    set_all(delay_ns, 0);
    delay_ns[2] = (int64_t)(1.1 * all);
    assert_false(names(delay_ns, DXT_LATE_RANK));
    set_all(delay_ns, DXT_NOT_OBSERVED);
    delay_ns[2] = (int64_t)(1.1 * all);
    assert_false(names(delay_ns, DXT_LATE_RANK));
}

static void who_waits_longer_is_explained_by_any(void **state)
{
    (void)state;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7);
    job.receive[3] = LATE;
    double all = job.ops * LATE;
    set_all(delay_ns, 0.8 * all);
    assert_true(names(delay_ns, DXT_SLOW_RECEIVER));
    delay_ns[3] = (int64_t)(1.2 * all); /* it could not look */
    assert_false(names(delay_ns, DXT_SLOW_RECEIVER));
    set_all(delay_ns, 1.2 * all); /* the others were held up */
    delay_ns[3] = 0;
    assert_false(names(delay_ns, DXT_SLOW_RECEIVER));
    delay_ns[3] = DXT_NOT_OBSERVED;
    assert_true(names(delay_ns, DXT_SLOW_RECEIVER));
}

static double path_from_5_to_1(uint32_t i, uint32_t j)
{
    return i == 1 && j == 5 ? LATE : 0;
}

static void a_path_is_explained_by_its_ends(void **state)
{
    (void)state;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7);
    job.path = path_from_5_to_1;
    double all = job.ops * LATE;
    set_all(delay_ns, 10 * all);
    delay_ns[1] = delay_ns[5] = (int64_t)(0.4 * all);
    assert_true(names(delay_ns, DXT_SLOW_PATH));
    delay_ns[1] = delay_ns[5] = (int64_t)(0.6 * all);
    assert_false(names(delay_ns, DXT_SLOW_PATH));
    delay_ns[5] = DXT_NOT_OBSERVED;
    assert_true(names(delay_ns, DXT_SLOW_PATH));
}

static void skew_is_explained_by_what_is_typical(void **state)
{
    (void)state;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7);
    job.jitter = 100 * US; /* a pair waits 56 µs for each other */
    set_all(delay_ns, job.ops * 30 * US);
    assert_true(names(delay_ns, DXT_SYSTEMIC_SKEW));
    delay_ns[6] = (int64_t)(job.ops * 1000 * US);
    assert_true(names(delay_ns, DXT_SYSTEMIC_SKEW));
    set_all(delay_ns, job.ops * 80 * US);
    assert_false(names(delay_ns, DXT_SYSTEMIC_SKEW));
}

static void nodes_are_explained_by_theirs(void **state)
{
    (void)state;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7);
    for (uint32_t r = 4; r < RANKS; r++) job.late[r] = LATE;
    double all = job.ops * LATE;
    const struct {
        double here, there;
        size_t named;
    } cases[] = {{0.5, 10, 1}, {3, 0, 0}};
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t r = 0; r < RANKS; r++)
            delay_ns[r] = (int64_t)((r < 4 ? cases[i].there : cases[i].here) * all);
        dxt_window *window = held_up("dispatch", delay_ns);
        give_nodes(window, 4);
        dxt_findings *findings = analyze(window, NULL);
        assert_int_equal(findings->finding_count, cases[i].named);
        dxt_findings_free(findings);
        dxt_window_free(window);
    }
}

static void without_time_or_operations_nothing_is_explained(void **state)
{
    (void)state;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7);
    job.late[2] = LATE;
    set_all(delay_ns, 1e15);
    dxt_window *window = held_up("dispatch", delay_ns);
    window->unit = DXT_UNIT_CYCLES;
    dxt_findings *findings = analyze(window, NULL);
    only(findings, DXT_LATE_RANK);
    dxt_findings_free(findings);
    dxt_analysis_options ratio = {.struct_size = sizeof ratio, .method = DXT_METHOD_RATIO};
    findings = analyze(window, &ratio);
    assert_int_equal(findings->col_count, 1);
    dxt_findings_free(findings);
    dxt_window_free(window);
}

/* One operation of ten is measured: what a rank was held up is of all of them. */
static void what_is_measured_stands_for_the_rest(void **state)
{
    (void)state;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7);
    job.ops = 1000;
    job.late[2] = LATE;
    for (int more = 0; more < 2; more++) {
        set_all(delay_ns, 0);
        delay_ns[2] = (int64_t)((more ? 1.1 : 0.5) * job.ops * LATE);
        dxt_window *window = held_up("dispatch", delay_ns);
        for (uint32_t cell = 0; cell < RANKS * RANKS; cell++) window->wait[cell] /= 10;
        window->samples_each = window->ops / 10;
        dxt_findings *findings = analyze(window, NULL);
        if (more)
            assert_int_equal(findings->verdict, DXT_VERDICT_INCONCLUSIVE);
        else
            assert_int_equal(only(findings, DXT_LATE_RANK)->rank, 2);
        dxt_findings_free(findings);
        dxt_window_free(window);
    }
}

static void silence_is_never_explained(void **state)
{
    (void)state;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7);
    set_all(delay_ns, 1e15);
    dxt_window *window = held_up("dispatch", delay_ns);
    window->missing = calloc(RANKS, 1);
    assert_non_null(window->missing);
    window->missing[5] = 1;
    memset(window->wait + (size_t)5 * RANKS, 0, RANKS * sizeof *window->wait);
    dxt_findings *findings = analyze(window, NULL);
    only(findings, DXT_SILENT_RANK);
    dxt_findings_free(findings);
    dxt_window_free(window);
}

/* Scheduling hits now one and now another; who is late in window after window is named. */
static void what_lasts_is_named(void **state)
{
    (void)state;
    dxt_history *history;
    int64_t delay_ns[RANKS];
    set_all(delay_ns, 50 * 2 * LATE);
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    for (int64_t w = 0; w < 6; w++) {
        healthy(RANKS, 7 + (uint64_t)w);
        job.late[2] = LATE;
        dxt_window *window = held_up("dispatch", delay_ns);
        window->index = w;
        dxt_findings *alone = analyze(window, NULL);
        assert_int_equal(alone->finding_count, 0);
        const dxt_findings *found;
        assert_int_equal(dxt_history_follow(history, window, alone, &found), DXT_OK);
        assert_int_equal(found->delayed_ns, alone->delayed_ns);
        if (w == 0) assert_int_equal(found->verdict, DXT_VERDICT_INCONCLUSIVE);
        if (w >= 3) assert_int_equal(only(found, DXT_LATE_RANK)->rank, 2);
        dxt_findings_free(alone);
        dxt_window_free(window);
    }
    dxt_history_destroy(history);
}

enum { USUAL, LATE_2, STILL, UNCOUNTED };

/* Rank 2 waits for a core for so much of its lateness in this window. @return Findings. */
static dxt_findings *go_on(dxt_history *history, int64_t index, double part, int kind)
{
    dxt_analysis_options options = {.struct_size = sizeof options};
    const dxt_findings *found;
    int64_t delay_ns[RANKS];
    healthy(RANKS, 7 + (uint64_t)index);
    set_all(delay_ns, 0);
    delay_ns[2] = (int64_t)(part * job.ops * LATE);
    if (kind == LATE_2) job.late[2] = LATE;
    dxt_window *window = held_up("dispatch", delay_ns);
    window->index = index;
    if (kind == STILL) memset(window->wait, 0, sizeof *window->wait * RANKS * RANKS);
    if (kind == STILL || kind == UNCOUNTED) {
        window->ops = window->samples_each = 0;
        window->issued = calloc(RANKS, sizeof *window->issued);
        assert_non_null(window->issued);
    }
    assert_int_equal(dxt_history_prior(history, window, &options), DXT_OK);
    dxt_findings *alone = analyze(window, &options);
    assert_int_equal(dxt_history_follow(history, window, alone, &found), DXT_OK);
    /* What is known of its own window is not of the one before. */
    assert_int_equal(dxt_history_prior(history, window, &options), DXT_OK);
    assert_true(kind == STILL || kind == UNCOUNTED || !options.run_delay_before_ns);
    dxt_window_free(window);
    return alone;
}

/* The wait for a core ends before the operation that it held up, which may then end in the next
 * window, or after windows in which none does. */
static void a_delay_of_the_window_before_may_be_it(void **state)
{
    (void)state;
    const struct {
        double first, between, last;
        int kind;
        bool named;
    } cases[] = {
        {0, 0, 0, USUAL, true},        {1.1, 0, 0, USUAL, false},
        {0.6, 0, 0.6, USUAL, false},   {0.4, 0, 0.4, USUAL, true},
        {1.1, 0, 0, STILL, false},     {0.4, 0.4, 0.4, STILL, false},
        {0, 1.1, 0, STILL, false},     {0.3, 0.3, 0.3, STILL, true},
        {1.1, 0, 0, UNCOUNTED, false}, {0.4, 0.4, 0.4, UNCOUNTED, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dxt_history *history;
        assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
        dxt_findings_free(go_on(history, 0, 0, USUAL));
        dxt_findings_free(go_on(history, 1, cases[i].first, USUAL));
        int64_t index = 2;
        if (cases[i].kind != USUAL)
            dxt_findings_free(go_on(history, index++, cases[i].between, cases[i].kind));
        dxt_findings *findings = go_on(history, index, cases[i].last, LATE_2);
        assert_int_equal(findings->finding_count, cases[i].named);
        if (cases[i].named) assert_int_equal(only(findings, DXT_LATE_RANK)->rank, 2);
        if (!cases[i].named) {
            double both = cases[i].first + cases[i].between + cases[i].last;
            assert_int_equal(findings->verdict, DXT_VERDICT_INCONCLUSIVE);
            assert_int_equal(findings->delayed_rank, 2);
            assert_true(fabs((double)findings->delayed_ns / (both * job.ops * LATE) - 1) < 0.01);
        }
        dxt_findings_free(findings);
        findings = go_on(history, index + 1, 0, LATE_2); /* by then it is over */
        if (cases[i].last == 0) assert_int_equal(only(findings, DXT_LATE_RANK)->rank, 2);
        dxt_findings_free(findings);
        dxt_history_destroy(history);
    }
}

/* What was hours ago explains nothing: only windows that adjoin are added up. */
static void a_delay_before_a_gap_explains_nothing(void **state)
{
    (void)state;
    const struct {
        int64_t of, between; /* indices; 0 = none in between */
        int64_t late;
        int kind;
        double own; /* of the one in between */
        bool named;
    } cases[] = {
        {10, 0, 100, USUAL, 0, true},      {10, 0, 12, USUAL, 0, true},
        {10, 0, 11, USUAL, 0, false},      {10, 11, 100, STILL, 0, true},
        {10, 98, 99, STILL, 0, true},      {10, 98, 99, STILL, 1.1, false},
        {10, 11, 12, STILL, 0, false},     {10, 98, 99, UNCOUNTED, 0, true},
        {10, 11, 100, UNCOUNTED, 0, true}, {10, 98, 99, UNCOUNTED, 1.1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dxt_history *history;
        assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
        dxt_findings_free(go_on(history, cases[i].of - 1, 0, USUAL));
        dxt_findings_free(go_on(history, cases[i].of, 1.1, USUAL));
        if (cases[i].between > 0)
            dxt_findings_free(go_on(history, cases[i].between, cases[i].own, cases[i].kind));
        dxt_findings *findings = go_on(history, cases[i].late, 0, LATE_2);
        assert_int_equal(findings->finding_count, cases[i].named);
        if (cases[i].named) assert_int_equal(only(findings, DXT_LATE_RANK)->rank, 2);
        dxt_findings_free(findings);
        dxt_history_destroy(history);
    }
}

/* Also where the run begins with it. */
static void a_still_window_at_the_beginning_counts(void **state)
{
    (void)state;
    dxt_history *history;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    dxt_findings_free(go_on(history, 0, 1.1, STILL));
    dxt_findings *findings = go_on(history, 1, 0, LATE_2);
    assert_int_equal(findings->finding_count, 0);
    assert_int_equal(findings->delayed_rank, 2);
    dxt_findings_free(findings);
    dxt_history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_rank_is_explained_by_its_own),
        cmocka_unit_test(who_waits_longer_is_explained_by_any),
        cmocka_unit_test(a_path_is_explained_by_its_ends),
        cmocka_unit_test(skew_is_explained_by_what_is_typical),
        cmocka_unit_test(nodes_are_explained_by_theirs),
        cmocka_unit_test(without_time_or_operations_nothing_is_explained),
        cmocka_unit_test(what_is_measured_stands_for_the_rest),
        cmocka_unit_test(silence_is_never_explained),
        cmocka_unit_test(what_lasts_is_named),
        cmocka_unit_test(a_delay_of_the_window_before_may_be_it),
        cmocka_unit_test(a_delay_before_a_gap_explains_nothing),
        cmocka_unit_test(a_still_window_at_the_beginning_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
