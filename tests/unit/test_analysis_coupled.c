/* SPDX-License-Identifier: Apache-2.0 */
/* Steps in which who leaves one operator late arrives late in the other: what follows from a cause
 * in one of them is no finding in the other. */
#include <math.h>
#include <stdlib.h>

#include "judged.h"

#define MOST 64u

enum { DISPATCH, COMBINE, OPERATORS, BOTH = OPERATORS };

static const char *const names[] = {"dispatch", "combine"};

/* One run of coupled steps; zero it and set what differs. Times in ns. */
static struct {
    uint32_t ranks, node; /* ranks of a node; 0 = nodes are not known and do not matter */
    int ops;
    uint64_t seed;
    double jitter, gap, uneven;
    double offset; /* of the first node when the run begins */
    double (*path)(int operator_of, uint32_t i, uint32_t j);
    double (*late)(int operator_of, uint32_t k);
} run;

static double way[MOST][MOST];

static void begin(uint32_t ranks, uint32_t node, uint64_t seed)
{
    memset(&run, 0, sizeof run);
    run.ranks = ranks;
    run.node = node;
    run.seed = seed;
    run.ops = 30;
    run.jitter = 3 * US;
    run.gap = 6 * US;
}

static bool apart(uint32_t i, uint32_t j)
{
    return run.node && i / run.node != j / run.node;
}

static void build_ways(void)
{
    for (uint32_t i = 0; i < run.ranks; i++)
        for (uint32_t j = 0; j < run.ranks; j++)
            way[i][j] = (8 * US + (apart(i, j) ? run.gap : 0)) *
                        (1 + run.uneven * (2 * arrivals_uniform(&run.seed) - 1));
}

/* One operator: e[] becomes when each rank leaves it. */
static void operate(int op, double *e, double *wait)
{
    double leaves[MOST];
    for (uint32_t k = 0; k < run.ranks; k++)
        e[k] += fmax(5 * US, 60 * US + run.jitter * arrivals_normal(&run.seed)) +
                (run.late ? run.late(op, k) : 0);
    for (uint32_t i = 0; i < run.ranks; i++) {
        leaves[i] = e[i];
        for (uint32_t j = 0; j < run.ranks; j++) {
            if (i == j) continue;
            double there = e[j] + way[i][j] + (run.path ? run.path(op, i, j) : 0);
            wait[i * run.ranks + j] += fmax(0, there - e[i]);
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
    build_ways();
    for (uint32_t k = 0; k < run.node; k++) e[k] = run.offset;
    for (int s = 0; s < run.ops; s++)
        for (int op = 0; op < OPERATORS; op++) operate(op, e, wait[op]);
    for (int op = 0; op < OPERATORS; op++) {
        assert_int_equal(dxt_window_create(run.ranks, names[op], &windows[op]), DXT_OK);
        windows[op]->unit = DXT_UNIT_NS;
        windows[op]->ops = run.ops;
        windows[op]->elapsed_ns = (int64_t)e[0];
        for (uint32_t c = 0; c < run.ranks * run.ranks; c++)
            windows[op]->wait[c] = (int64_t)wait[op][c];
        if (run.node) give_nodes(windows[op], run.node);
    }
}

/* Judge each operator next to the other. */
static void judge(dxt_findings *found[OPERATORS])
{
    dxt_window *windows[OPERATORS];
    simulate(windows);
    for (int op = 0; op < OPERATORS; op++) {
        dxt_analysis_options options = {.struct_size = sizeof options,
                                        .companion = windows[1 - op]};
        assert_int_equal(dxt_analyze(windows[op], &options, &found[op]), DXT_OK);
    }
    for (int op = 0; op < OPERATORS; op++) dxt_window_free(windows[op]);
}

static void release(dxt_findings *found[OPERATORS])
{
    for (int op = 0; op < OPERATORS; op++) dxt_findings_free(found[op]);
}

static uint32_t count_of(const dxt_findings *found, dxt_finding_kind kind)
{
    uint32_t count = 0;
    for (size_t f = 0; f < found->finding_count; f++) count += found->findings[f].kind == kind;
    return count;
}

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

static double node_1_late(int op, uint32_t k)
{
    return op == COMBINE && k / run.node == 1 ? 300 * US : 0;
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

static double rank_5_late(int op, uint32_t k)
{
    return op == DISPATCH && k == 5 ? 100 * US : 0;
}

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

/* ---- two nodes that stand apart ---- */

static void an_offset_that_changes_sides_is_nobodys(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        begin(16, 8, seed);
        run.gap = 80 * US;
        run.offset = (seed % 2 ? 40 : -40) * US;
        judge(found);
        for (int op = 0; op < OPERATORS; op++) {
            assert_int_equal(found[op]->finding_count, 0);
            assert_int_equal(found[op]->verdict, DXT_VERDICT_HEALTHY);
        }
        release(found);
    }
}

/* It keeps the other node waiting until that one's data is no longer waited for. */
static void a_late_rank_of_two_nodes_is_the_only_one_named(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        begin(16, 8, seed);
        run.gap = (seed % 2 ? 5 : 50) * US;
        run.late = rank_5_late;
        judge(found);
        assert_int_equal(only(found[DISPATCH], DXT_LATE_RANK)->rank, 5);
        assert_int_equal(found[COMBINE]->finding_count, 0);
        release(found);
    }
}

static double node_0_late(int op, uint32_t k)
{
    return op == DISPATCH && k < run.node ? 200 * US : 0;
}

static void of_two_nodes_the_late_one_is_as_late_as_it_is(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        begin(16, 8, seed);
        run.ops = 100;
        run.gap = 50 * US;
        run.offset = 50 * US;
        run.late = node_0_late;
        judge(found);
        const dxt_finding *finding = only(found[DISPATCH], DXT_LATE_NODE);
        assert_int_equal(finding->node, 10);
        assert_near(finding->wait, 200 * US, 20 * US);
        assert_int_equal(found[COMBINE]->finding_count, 0);
        release(found);
    }
}

/* ---- three nodes ---- */

static void what_a_late_rank_does_to_its_node_is_no_uplink(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(12, 4, seed);
        run.gap = (seed % 2 ? 5 : 25) * US;
        run.late = rank_5_late;
        judge(found);
        assert_int_equal(only(found[DISPATCH], DXT_LATE_RANK)->rank, 5);
        assert_int_equal(count_of(found[COMBINE], DXT_SLOW_NODE_LINK), 0);
        release(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_hears_late_is_no_late_node),
        cmocka_unit_test(a_node_that_is_late_itself_is_named_still),
        cmocka_unit_test(uneven_ways_across_a_wide_gap_do_not_stall),
        cmocka_unit_test(what_does_stall_across_it_is_named),
        cmocka_unit_test(stalls_are_said_where_they_are_and_no_skew_elsewhere),
        cmocka_unit_test(who_is_late_now_and_then_is_no_stall),
        cmocka_unit_test(stalls_in_both_operators_are_said_in_both),
        cmocka_unit_test(an_offset_that_changes_sides_is_nobodys),
        cmocka_unit_test(a_late_rank_of_two_nodes_is_the_only_one_named),
        cmocka_unit_test(of_two_nodes_the_late_one_is_as_late_as_it_is),
        cmocka_unit_test(what_a_late_rank_does_to_its_node_is_no_uplink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
