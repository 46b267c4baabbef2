/* SPDX-License-Identifier: Apache-2.0 */
/* Steps in which who leaves one operator late arrives late in the other: what follows from a cause
 * in one of them is no finding in the other. */
#include "coupled.h"

/* ---- who hears late from a NIC is late in the next operator ---- */

static struct {
    uint32_t bad; /* ranks 1 … this */
    bool in;
    double size;
} nic;

static double slow_nic(int op, uint32_t i, uint32_t j)
{
    bool slow = (j >= 1 && j <= nic.bad) || (nic.in && i >= 1 && i <= nic.bad);
    return op == DISPATCH && apart(i, j) && slow ? nic.size : 0;
}

static void who_hears_late_is_no_late_node(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t node = 4; node <= 8; node += 4) {
        for (uint32_t nodes = 2; nodes <= 4; nodes++) {
            for (uint64_t seed = 1; seed <= 24; seed++) {
                begin(nodes * node, node, seed);
                run.path = slow_nic;
                run.gap = (seed % 2 ? 6 : 30) * US;
                run.uneven = seed % 3 ? 0.1 : 0;
                nic.bad = 1 + seed % 4 / 2;
                nic.in = seed % 8 >= 4;
                nic.size = 200 * US;
                judge(found);
                assert_true(count_of(found[DISPATCH], DXT_SLOW_LINK) >= 1);
                assert_int_equal(count_of(found[COMBINE], DXT_LATE_NODE), 0);
                release(found);
            }
        }
    }
}

/* In a hybrid mode one rank alone saw that, on its rail. */
static void who_hears_late_unseen_is_no_late_node(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 24; seed++) {
        begin(16, 8, seed);
        run.hybrid = true;
        run.path = slow_nic;
        run.gap = (seed % 2 ? 6 : 30) * US;
        nic.bad = 1;
        nic.in = true;
        nic.size = 400 * US;
        judge(found);
        assert_true(found[DISPATCH]->finding_count >= 1);
        assert_int_equal(count_of(found[COMBINE], DXT_LATE_NODE), 0);
        release(found);
    }
}

/* The ranks on its rail come late in combine. It hears no others, and is not to blame twice. */
static double from_rank_1(int op, uint32_t i, uint32_t j)
{
    bool on_rail = apart(i, j) && i % run.node == 1;
    return op == DISPATCH && on_rail && j == 1 ? nic.size : 0;
}

static void who_sends_late_on_a_rail_hears_its_own_trace(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 12; seed++) {
        begin(32, 8, seed);
        run.hybrid = true;
        run.gap = 6 * US;
        nic.size = 60 * US;
        run.path = from_rank_1;
        judge(found);
        assert_int_equal(only(found[DISPATCH], DXT_SLOW_LINK)->rank, 1);
        assert_int_equal(count_of(found[COMBINE], DXT_SLOW_LINK), 0);
        release(found);
    }
}

/* Nobody told the nodes, only dispatch shows them: the uplink of node 1 makes no hot experts. */
static double to_node_1(int op, uint32_t i, uint32_t j)
{
    if (op == COMBINE || !apart(i, j)) return 0;
    double delay = -log(arrivals_uniform(&run.seed) * arrivals_uniform(&run.seed)) / 2;
    return 6 * US + (i / run.node == 1 ? 60 * US * delay : 0);
}

static void nodes_that_one_operator_shows_count_in_both(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        dxt_findings *found;
        dxt_window *windows[OPERATORS];
        begin(32, 8, seed);
        run.gap = 0;
        run.path = to_node_1;
        simulate(windows);
        for (int op = 0; op < OPERATORS; op++) {
            free(windows[op]->nodes);
            windows[op]->nodes = NULL;
        }
        const dxt_analysis_options options = {.struct_size = sizeof options,
                                              .companion = windows[DISPATCH]};
        assert_int_equal(dxt_analyze(windows[COMBINE], &options, &found), DXT_OK);
        assert_int_equal(found->finding_count, 0);
        assert_int_equal(found->likely_node_size, 8);
        dxt_findings_free(found);
        for (int op = 0; op < OPERATORS; op++) dxt_window_free(windows[op]);
    }
}

static double node_1_late(int op, uint32_t k)
{
    return op == COMBINE && k / run.node == 1 ? 300 * US : 0;
}

static double node_1_later(int op, uint32_t k)
{
    return op == COMBINE && k / run.node == 1 ? 40 * US : 0;
}

static double paths_between_slow(int op, uint32_t i, uint32_t j)
{
    return op == DISPATCH && apart(i, j) ? 60 * US : 0;
}

/* Nobody is on the rail of a rank that told nothing: what was waited for it there is not known. */
static void of_a_rank_that_tells_nothing_nobody_heard(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        dxt_findings *found;
        dxt_window *windows[OPERATORS];
        begin(16, 8, seed);
        run.hybrid = true;
        run.gap = 6 * US;
        run.late = node_1_later;
        run.path = paths_between_slow;
        simulate(windows);
        for (int op = 0; op < OPERATORS; op++) {
            windows[op]->missing = calloc(16, sizeof *windows[op]->missing);
            assert_non_null(windows[op]->missing);
            windows[op]->missing[11] = 1;
            memset(&windows[op]->wait[11 * 16], 0, 16 * sizeof *windows[op]->wait);
        }
        const dxt_analysis_options options = {.struct_size = sizeof options,
                                              .companion = windows[DISPATCH]};
        assert_int_equal(dxt_analyze(windows[COMBINE], &options, &found), DXT_OK);
        assert_int_equal(count_of(found, DXT_LATE_NODE), 1);
        dxt_findings_free(found);
        for (int op = 0; op < OPERATORS; op++) dxt_window_free(windows[op]);
    }
}

static void a_node_that_is_late_itself_is_named_still(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    begin(16, 8, 5);
    run.path = slow_nic;
    run.late = node_1_late;
    nic.bad = 1;
    nic.in = false;
    nic.size = 60 * US;
    judge(found);
    assert_int_equal(count_of(found[COMBINE], DXT_LATE_NODE), 1);
    release(found);
}

/* ---- ways between nodes that are uneven by a part of what they take ---- */

static void uneven_ways_across_a_wide_gap_do_not_stall(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t nodes = 2; nodes <= 4; nodes += 2) {
        for (uint64_t seed = 1; seed <= 40; seed++) {
            begin(nodes * 8, 8, seed);
            run.gap = 60 * US;
            run.uneven = 0.1 * (double)(1 + seed % 3);
            run.late = seed % 2 ? rank_5_late : NULL;
            judge(found);
            for (int op = 0; op < OPERATORS; op++)
                assert_int_equal(count_of(found[op], DXT_PATH_STALLS), 0);
            release(found);
        }
    }
}

static double some_stall(int op, uint32_t i, uint32_t j)
{
    return op == DISPATCH && apart(i, j) && (7 * i + 3 * j) % 31 == 0 ? 120 * US : 0;
}

static void what_does_stall_across_it_is_named(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        begin(32, 8, seed);
        run.gap = 20 * US;
        run.uneven = 0.1;
        run.path = some_stall;
        judge(found);
        assert_int_equal(count_of(found[DISPATCH], DXT_PATH_STALLS), 1);
        release(found);
    }
}

/* ---- stalls on so many paths that none stands out ---- */

static struct {
    int op;
    double chance; /* of a path in an operation */
} rare;

static double stall_now_and_then(int op, uint32_t i, uint32_t j)
{
    if (i == j || (op != rare.op && rare.op != BOTH)) return 0;
    if (arrivals_uniform(&run.seed) >= rare.chance) return 0;
    return (1 + 4 * arrivals_uniform(&run.seed)) * 1000 * US;
}

static void stalls_are_said_where_they_are_and_no_skew_elsewhere(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t ranks = 16; ranks <= 32; ranks += 8) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            begin(ranks, 0, seed);
            run.ops = 50;
            run.path = stall_now_and_then;
            rare.op = seed % 2 ? DISPATCH : COMBINE;
            rare.chance = 0.015;
            judge(found);
            const dxt_finding *finding = only(found[rare.op], DXT_PATH_STALLS);
            assert_in_range(finding->path_total, ranks, ranks * (ranks - 1));
            assert_true(finding->share > 0.03 && finding->confidence >= 0.9);
            assert_int_equal(found[1 - rare.op]->finding_count, 0);
            release(found);
        }
    }
}

static double stall_between_nodes(int op, uint32_t i, uint32_t j)
{
    if (!apart(i, j) || op != rare.op) return 0;
    return arrivals_uniform(&run.seed) < rare.chance ? 1100 * US : 0;
}

static void stalls_between_two_nodes_are_no_paths(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    uint32_t stalls = 0, paths = 0, elsewhere = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(16, 8, seed);
        run.ops = 100;
        run.path = stall_between_nodes;
        rare.op = seed % 2 ? DISPATCH : COMBINE;
        rare.chance = 0.01;
        judge(found);
        stalls += count_of(found[rare.op], DXT_PATH_STALLS);
        paths += count_of(found[rare.op], DXT_SLOW_PATH);
        elsewhere += (uint32_t)found[1 - rare.op]->finding_count;
        release(found);
    }
    assert_in_range(stalls, 19, 20);
    assert_in_range(paths, 0, 1);
    assert_int_equal(elsewhere, 0);
}

/* One rank in 16 is late in each operation, by as much: that is skew, and no path's. */
static double late_now_and_then(int op, uint32_t k)
{
    (void)k;
    if (op != rare.op || arrivals_uniform(&run.seed) >= rare.chance) return 0;
    return (1 + 4 * arrivals_uniform(&run.seed)) * 1000 * US;
}

static void who_is_late_now_and_then_is_no_stall(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t ranks = 8; ranks <= 32; ranks *= 2) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            begin(ranks, 0, seed);
            run.ops = 50;
            run.late = late_now_and_then;
            rare.op = COMBINE;
            rare.chance = 0.0625;
            judge(found);
            for (int op = 0; op < OPERATORS; op++)
                assert_int_equal(count_of(found[op], DXT_PATH_STALLS), 0);
            assert_int_not_equal(found[COMBINE]->verdict, DXT_VERDICT_HEALTHY);
            release(found);
        }
    }
}

static void stalls_in_both_operators_are_said_in_both(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t node = 0; node <= 8; node += 8) {
        uint32_t stalls = 0, skews = 0;
        for (uint64_t seed = 1; seed <= 20; seed++) {
            begin(16, node, seed);
            run.ops = 200;
            run.path = stall_now_and_then;
            rare.op = BOTH;
            rare.chance = 0.002;
            judge(found);
            for (int op = 0; op < OPERATORS; op++) {
                stalls += count_of(found[op], DXT_PATH_STALLS);
                skews += count_of(found[op], DXT_SYSTEMIC_SKEW);
            }
            release(found);
        }
        assert_in_range(stalls, 32, 40);
        assert_in_range(skews, 0, 8);
    }
}

/* ---- who is held up by a path, and late besides ---- */

static struct {
    int op; /* of the slow path; rank 1 is late in the other one */
    double path, late;
} besides;

static double path_3_to_1(int op, uint32_t i, uint32_t j)
{
    return op == besides.op && i == 1 && j == 3 ? besides.path : 0;
}

static double rank_1_besides(int op, uint32_t k)
{
    return op != besides.op && k == 1 ? besides.late : 0;
}

/* How late it is said to be, as a late rank or as one with a hot expert. */
static double blamed(const dxt_findings *found, uint32_t rank)
{
    for (size_t f = 0; f < found->finding_count; f++) {
        const dxt_finding *it = &found->findings[f];
        bool late = it->kind == DXT_LATE_RANK || it->kind == DXT_HOT_EXPERT;
        if (late && it->rank == rank) return it->wait;
    }
    return 0;
}

/* However slow the path is: what is not known of its cost is no part of it. */
static void who_is_late_besides_a_slow_path_is_named(void **state)
{
    (void)state;
    static const struct {
        int op;
        double path, late;
    } rows[] = {
        {DISPATCH, 1000 * US, 450 * US},
        {DISPATCH, 100 * US, 40 * US},
        {COMBINE, 300 * US, 140 * US},
    };
    dxt_findings *found[OPERATORS];
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (uint64_t seed = 1; seed <= 10; seed++) {
            begin(8, 0, seed);
            run.ops = 50;
            besides.op = rows[row].op;
            besides.path = rows[row].path;
            besides.late = rows[row].late;
            run.path = path_3_to_1;
            run.late = rank_1_besides;
            judge(found);
            assert_int_equal(count_of(found[besides.op], DXT_SLOW_PATH), 1);
            assert_near(blamed(found[1 - besides.op], 1), besides.late, 12 * US);
            /* Without that nobody is. */
            besides.late = 0;
            release(found);
            judge(found);
            assert_int_equal(found[1 - besides.op]->finding_count, 0);
            release(found);
        }
    }
}

/* ---- who receives slowly leaves with the last of what comes ---- */

/* Rank 1 receives from one after the other, in any order: some wait twice as long as on average. */
static double one_after_the_other(int op, uint32_t i, uint32_t j)
{
    if (op != DISPATCH || i != 1 || !apart(i, j)) return 0;
    return 2 * nic.size * arrivals_uniform(&run.seed);
}

static void who_receives_one_after_the_other_is_not_late(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 24; seed++) {
        begin(seed % 2 ? 16 : 32, 8, seed);
        run.ops = 100;
        nic.size = (seed % 3 ? 60 : 150) * US;
        run.path = one_after_the_other;
        judge(found);
        assert_true(found[DISPATCH]->finding_count >= 1);
        assert_true(blamed(found[COMBINE], 1) == 0);
        release(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_hears_late_is_no_late_node),
        cmocka_unit_test(who_hears_late_unseen_is_no_late_node),
        cmocka_unit_test(who_sends_late_on_a_rail_hears_its_own_trace),
        cmocka_unit_test(nodes_that_one_operator_shows_count_in_both),
        cmocka_unit_test(of_a_rank_that_tells_nothing_nobody_heard),
        cmocka_unit_test(a_node_that_is_late_itself_is_named_still),
        cmocka_unit_test(uneven_ways_across_a_wide_gap_do_not_stall),
        cmocka_unit_test(what_does_stall_across_it_is_named),
        cmocka_unit_test(stalls_are_said_where_they_are_and_no_skew_elsewhere),
        cmocka_unit_test(stalls_between_two_nodes_are_no_paths),
        cmocka_unit_test(who_is_late_now_and_then_is_no_stall),
        cmocka_unit_test(stalls_in_both_operators_are_said_in_both),
        cmocka_unit_test(who_is_late_besides_a_slow_path_is_named),
        cmocka_unit_test(who_receives_one_after_the_other_is_not_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
