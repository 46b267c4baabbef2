/* SPDX-License-Identifier: Apache-2.0 */
/* Operators with a barrier at either end: who leaves a transfer late enters the next operator late,
 * which is nobody's lateness. */
#include <math.h>
#include <stdlib.h>

#include "judged.h"

#define MOST 16u

enum { DISPATCH, DISPATCH_TRANSFER, COMBINE, COMBINE_TRANSFER, OPERATORS };

static const char *const names[] = {"dispatch", "dispatch transfer", "combine", "combine transfer"};

/* One run of coupled steps; zero it and set what differs. Times in ns. */
static struct {
    uint32_t ranks;
    int ops;
    uint64_t seed;
    double jitter;
    double late[OPERATORS][MOST]; /* how much later a rank comes to this barrier */
    double slow[MOST];            /* how much longer takes what a rank sends */
} run;

static void begin(uint32_t ranks, uint64_t seed)
{
    memset(&run, 0, sizeof run);
    run.ranks = ranks;
    run.seed = seed;
    run.ops = 400;
    run.jitter = 3 * US;
}

/* One barrier: e[] becomes when each rank leaves it. */
static void pass(int op, double *e, double *wait)
{
    double leaves[MOST];
    bool entry = op % 2 == 0;
    for (uint32_t k = 0; k < run.ranks; k++) {
        double work = entry ? fmax(5 * US, 60 * US + run.jitter * arrivals_normal(&run.seed))
                            : 12 * US + 0.05 * US * arrivals_normal(&run.seed);
        e[k] += work + run.late[op][k];
    }
    for (uint32_t i = 0; i < run.ranks; i++) {
        leaves[i] = e[i];
        for (uint32_t j = 0; j < run.ranks; j++) {
            if (i == j) continue;
            double there = e[j] + 0.6 * US + run.slow[j];
            wait[i * run.ranks + j] += fmax(0.4 * US, there - e[i]);
            leaves[i] = fmax(leaves[i], there);
        }
    }
    memcpy(e, leaves, run.ranks * sizeof *e);
}

static void simulate(dxt_window *windows[OPERATORS])
{
    static double wait[OPERATORS][MOST * MOST];
    double e[MOST] = {0};
    memset(wait, 0, sizeof wait);
    for (int s = 0; s < run.ops; s++)
        for (int op = 0; op < OPERATORS; op++) pass(op, e, wait[op]);
    for (int op = 0; op < OPERATORS; op++) {
        assert_int_equal(dxt_window_create(run.ranks, names[op], &windows[op]), DXT_OK);
        windows[op]->unit = DXT_UNIT_NS;
        windows[op]->ops = run.ops;
        windows[op]->elapsed_ns = (int64_t)e[0];
        windows[op]->origin = DXT_ORIGIN_BARRIER;
        for (uint32_t c = 0; c < run.ranks * run.ranks; c++)
            windows[op]->wait[c] = (int64_t)wait[op][c];
    }
}

static const dxt_window *related(dxt_window *windows[OPERATORS], int op, dxt_relation relation)
{
    for (int other = 0; other < OPERATORS; other++)
        if (dxt_phase_relation(names[op], names[other]) == relation) return windows[other];
    return NULL;
}

static void judge(bool coupled, dxt_findings *found[OPERATORS])
{
    dxt_window *windows[OPERATORS];
    simulate(windows);
    for (int op = 0; op < OPERATORS; op++) {
        dxt_analysis_options options = {
            .struct_size = sizeof options,
            .companion = related(windows, op, DXT_RELATION_COMPANION),
            .adjacent = coupled ? related(windows, op, DXT_RELATION_ADJACENT) : NULL};
        assert_int_equal(dxt_analyze(windows[op], &options, &found[op]), DXT_OK);
    }
    for (int op = 0; op < OPERATORS; op++) dxt_window_free(windows[op]);
}

static void release(dxt_findings *found[OPERATORS])
{
    for (int op = 0; op < OPERATORS; op++) dxt_findings_free(found[op]);
}

/* One finding of each transfer: what a rank sends is slow; none of an operator. */
static void only_sends_slowly(uint32_t rank, dxt_findings *found[OPERATORS])
{
    for (int op = 0; op < OPERATORS; op++) {
        if (op % 2 == 0) {
            assert_int_equal(found[op]->finding_count, 0);
            assert_true(found[op]->inherited);
            continue;
        }
        const dxt_finding *finding = only(found[op], DXT_SLOW_LINK);
        assert_int_equal(finding->rank, rank);
        assert_int_equal(finding->direction, DXT_DIRECTION_OUT);
        assert_true(finding->wait > 3 * US);
        assert_int_equal(found[op]->verdict, DXT_VERDICT_SLOW);
        assert_int_equal(found[op]->col_count, 1);
        assert_int_equal(found[op]->cols[0].rank, rank);
    }
}

/* What comes slowly to a rank holds up what it does with it, as well. */
static void make_slow(uint32_t rank, double held_up)
{
    run.slow[rank] = 8 * US;
    for (uint32_t k = 0; k < run.ranks; k++)
        if (k != rank) run.late[DISPATCH][k] = run.late[COMBINE][k] = held_up;
}

static void of_two_who_is_sent_slowly_is_not_late(void **state)
{
    (void)state;
    for (uint32_t rank = 0; rank < 2; rank++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            dxt_findings *found[OPERATORS];
            begin(2, seed);
            make_slow(rank, 4 * US);
            judge(false, found);
            /* This test needs somebody to be blamed wrongly. */
            assert_int_equal(only(found[COMBINE], DXT_LATE_RANK)->rank, 1 - rank);
            release(found);
            judge(true, found);
            only_sends_slowly(rank, found);
            release(found);
        }
}

static void of_several_nobody_is_early_for_it(void **state)
{
    (void)state;
    for (uint32_t ranks = 3; ranks <= MOST; ranks += ranks < 4 ? 1 : 4) {
        dxt_findings *found[OPERATORS];
        begin(ranks, ranks);
        make_slow(1, 2 * US);
        judge(true, found);
        only_sends_slowly(1, found);
        release(found);
    }
}

static void a_late_rank_is_late(void **state)
{
    (void)state;
    for (uint32_t ranks = 2; ranks <= 8; ranks *= 2)
        for (int op = DISPATCH; op < OPERATORS; op += COMBINE)
            for (double late = 4 * US; late < 60 * US; late *= 2) {
                dxt_findings *found[OPERATORS], *alone[OPERATORS];
                begin(ranks, 3);
                run.jitter = 1 * US;
                run.late[op][1] = late;
                uint64_t seed = run.seed;
                judge(true, found);
                run.seed = seed;
                judge(false, alone);
                assert_int_equal(only(found[op], DXT_LATE_RANK)->rank, 1);
                assert_near(found[op]->findings[0].wait, late, 1 * US);
                for (int k = 0; k < OPERATORS; k++) {
                    assert_int_equal(found[k]->finding_count, k == op);
                    assert_int_equal(alone[k]->finding_count, k == op);
                }
                assert_true(found[op]->findings[0].wait == alone[op]->findings[0].wait);
                assert_true(found[op]->lateness[1] == alone[op]->lateness[1]);
                release(found);
                release(alone);
            }
}

/* Late at both ends: it has not left the transfer later than the other one. */
static void who_is_late_everywhere_is_no_echo(void **state)
{
    dxt_findings *found[OPERATORS];
    (void)state;
    begin(2, 4);
    for (int op = 0; op < OPERATORS; op++) run.late[op][1] = 8 * US;
    judge(true, found);
    assert_int_equal(only(found[DISPATCH], DXT_LATE_RANK)->rank, 1);
    assert_int_equal(only(found[COMBINE], DXT_LATE_RANK)->rank, 1);
    release(found);
}

static void a_late_rank_beside_a_slow_one_is_named(void **state)
{
    dxt_findings *found[OPERATORS];
    (void)state;
    begin(8, 7);
    make_slow(1, 0);
    run.late[COMBINE][5] = 12 * US;
    judge(true, found);
    assert_int_equal(found[DISPATCH]->finding_count, 0);
    assert_int_equal(only(found[COMBINE], DXT_LATE_RANK)->rank, 5);
    assert_int_equal(only(found[COMBINE_TRANSFER], DXT_SLOW_LINK)->rank, 1);
    release(found);
}

/* Whoever follows the ranks sees no lateness either. */
static void an_echo_is_no_lateness_over_time(void **state)
{
    dxt_findings *found[OPERATORS];
    (void)state;
    begin(2, 2);
    make_slow(0, 4 * US);
    judge(true, found);
    assert_true(found[DISPATCH]->lateness[1] == 0);
    assert_true(found[COMBINE]->lateness[1] == 0);
    release(found);
}

/* Where one of eight operations is measured, so few are as good as so few in all. */
static void what_is_not_measured_tells_nothing(void **state)
{
    dxt_window *few[OPERATORS], *many[OPERATORS];
    (void)state;
    begin(4, 11);
    run.late[COMBINE][2] = 5 * US;
    simulate(few);
    begin(4, 11);
    run.late[COMBINE][2] = 5 * US;
    simulate(many);
    for (int op = 0; op < OPERATORS; op++) {
        bool matrix = op % 2 == 1;
        many[op]->ops *= 8;
        many[op]->elapsed_ns *= 8;
        many[op]->samples_each = run.ops;
        if (matrix) many[op]->samples = calloc(16, sizeof *many[op]->samples);
        for (int c = 0; matrix && c < 16; c++) many[op]->samples[c] = c % 5 ? run.ops : 0;
        dxt_findings *expected = analyze(few[op], NULL), *found = analyze(many[op], NULL);
        assert_int_equal(found->finding_count, expected->finding_count);
        assert_near(found->lateness_error[1], expected->lateness_error[1], 1e-6);
        assert_near(found->lateness[2], expected->lateness[2], 1e-6);
        dxt_findings_free(expected);
        dxt_findings_free(found);
        dxt_window_free(few[op]);
        dxt_window_free(many[op]);
    }
}

static void operators_are_related_by_their_names(void **state)
{
    const dxt_relation expected[OPERATORS][OPERATORS] = {
        {DXT_RELATION_NONE, DXT_RELATION_STEP, DXT_RELATION_COMPANION, DXT_RELATION_ADJACENT},
        {DXT_RELATION_STEP, DXT_RELATION_NONE, DXT_RELATION_ADJACENT, DXT_RELATION_STEP},
        {DXT_RELATION_COMPANION, DXT_RELATION_ADJACENT, DXT_RELATION_NONE, DXT_RELATION_STEP},
        {DXT_RELATION_ADJACENT, DXT_RELATION_STEP, DXT_RELATION_STEP, DXT_RELATION_NONE}};
    (void)state;
    for (int a = 0; a < OPERATORS; a++)
        for (int b = 0; b < OPERATORS; b++)
            assert_int_equal(dxt_phase_relation(names[a], names[b]), expected[a][b]);
    assert_int_equal(dxt_phase_relation("ll_dispatch", "ll_combine"), DXT_RELATION_COMPANION);
    assert_int_equal(dxt_phase_relation("ll_combine transfer", "ll_dispatch"),
                     DXT_RELATION_ADJACENT);
    assert_int_equal(dxt_phase_relation("ll_dispatch", "combine"), DXT_RELATION_NONE);
    assert_int_equal(dxt_phase_relation("dispatch", "ll_combine"), DXT_RELATION_NONE);
    assert_int_equal(dxt_phase_relation("a dispatch", "b combine"), DXT_RELATION_NONE);
    assert_int_equal(dxt_phase_relation("alltoall", "combine"), DXT_RELATION_NONE);
    assert_int_equal(dxt_phase_relation("", "combine"), DXT_RELATION_NONE);
    assert_int_equal(dxt_phase_relation(NULL, "combine"), DXT_RELATION_NONE);
    assert_int_equal(dxt_phase_relation("dispatch", NULL), DXT_RELATION_NONE);
}

static void windows_of_an_interval_belong_together(void **state)
{
    (void)state;
    char dispatch[] = "dispatch", combine[] = "combine", one[] = "one", other[] = "other";
    dxt_window first = {.struct_size = sizeof first, .ranks = 4, .phase = dispatch, .index = 7};
    dxt_window second = first;
    second.phase = combine;
    assert_int_equal(dxt_window_relation(&first, &second), DXT_RELATION_COMPANION);
    assert_int_equal(dxt_window_relation(&second, &first), DXT_RELATION_COMPANION);
    assert_int_equal(dxt_window_relation(&first, &first), DXT_RELATION_NONE);
    second.ranks = 8;
    assert_int_equal(dxt_window_relation(&first, &second), DXT_RELATION_NONE);
    second.ranks = 4;
    second.index = 8;
    assert_int_equal(dxt_window_relation(&first, &second), DXT_RELATION_NONE);
    /* Without numbers, only in their order. */
    first.index = second.index = -1;
    assert_int_equal(dxt_window_relation(&first, &second), DXT_RELATION_COMPANION);
    assert_int_equal(dxt_window_relation(&second, &first), DXT_RELATION_NONE);
    first.instance = one;
    assert_int_equal(dxt_window_relation(&first, &second), DXT_RELATION_NONE);
    second.instance = other;
    assert_int_equal(dxt_window_relation(&first, &second), DXT_RELATION_NONE);
    second.instance = one;
    second.case_name = other;
    assert_int_equal(dxt_window_relation(&first, &second), DXT_RELATION_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_who_is_sent_slowly_is_not_late),
        cmocka_unit_test(of_several_nobody_is_early_for_it),
        cmocka_unit_test(a_late_rank_is_late),
        cmocka_unit_test(who_is_late_everywhere_is_no_echo),
        cmocka_unit_test(a_late_rank_beside_a_slow_one_is_named),
        cmocka_unit_test(an_echo_is_no_lateness_over_time),
        cmocka_unit_test(what_is_not_measured_tells_nothing),
        cmocka_unit_test(operators_are_related_by_their_names),
        cmocka_unit_test(windows_of_an_interval_belong_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
