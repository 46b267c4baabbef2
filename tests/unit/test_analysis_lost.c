/* SPDX-License-Identifier: Apache-2.0 */
/* What is lost to nobody in particular: where it is much, a window is not healthy; and where one
 * call lost it, nobody is named. */
#include "coupled.h"

static double stall_share, stall_size; /* of the paths in each operation; longest */

static double stalls(int op, uint32_t i, uint32_t j)
{
    (void)op;
    if (run.node && !apart(i, j)) return 0;
    if (arrivals_uniform(&run.seed) >= stall_share) return 0;
    return stall_size * (0.25 + 0.75 * arrivals_uniform(&run.seed));
}

static uint32_t turn;

/* Another rank late in each dispatch, by as much as all compute. */
static double in_turns(int op, uint32_t k)
{
    if (op != DISPATCH) return 0;
    if (k == 0) turn = (uint32_t)(arrivals_uniform(&run.seed) * run.ranks);
    return k == turn ? 240 * US : 0;
}

/* Of so many jobs, operators that are called healthy. */
static uint32_t healthy_of(uint32_t ranks, uint32_t node, double jitter)
{
    dxt_findings *found[OPERATORS];
    uint32_t healthy_ones = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        begin(ranks, node, 100 * seed + ranks);
        run.ops = 100;
        run.jitter = jitter;
        run.path = stall_share > 0 ? stalls : NULL;
        run.late = turn < MOST ? in_turns : NULL;
        judge(found);
        for (int op = 0; op < OPERATORS; op++)
            healthy_ones += found[op]->verdict == DXT_VERDICT_HEALTHY && !found[op]->inherited;
        release(found);
    }
    return healthy_ones;
}

/* Stalls on all paths in both operators lose 30 % and more of the step in each, though no cell is
 * large. */
static void much_that_stalls_is_not_healthy(void **state)
{
    (void)state;
    turn = MOST;
    stall_share = 0.02;
    stall_size = 400 * US;
    assert_int_equal(healthy_of(10, 0, 3 * US), 0);
    assert_int_equal(healthy_of(12, 0, 3 * US), 0);
    assert_in_range(healthy_of(12, 6, 3 * US), 0, 1);
    assert_int_equal(healthy_of(24, 0, 3 * US), 0);
    stall_share = 0;
}

/* Each operator shows what stalls in the other one, and its own cells lean to the long side. */
static void stalls_in_both_operators_are_told(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    uint32_t told = 0, others = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        begin(seed % 2 ? 24 : 32, 0, 7 * seed);
        run.ops = 100;
        run.path = stalls;
        stall_share = 0.016;
        stall_size = 600 * US;
        judge(found);
        for (int op = 0; op < OPERATORS; op++) {
            told += count_of(found[op], DXT_PATH_STALLS) > 0;
            others += (uint32_t)found[op]->finding_count - count_of(found[op], DXT_PATH_STALLS);
        }
        release(found);
    }
    stall_share = 0;
    assert_in_range(told, 15, 20);
    assert_int_equal(others, 0);
}

/* Ranks of so small nodes that rows and columns of a node say nothing. */
static void who_is_late_in_turns_is_noticed_in_small_nodes(void **state)
{
    (void)state;
    turn = 0;
    assert_in_range(healthy_of(16, 4, 1 * US), 0, 10); /* combine is */
    assert_in_range(healthy_of(24, 2, 1 * US), 0, 10);
}

/* What all pairs take alike looks like waits of arrivals that vary, but ranks would differ then. */
static void what_all_pairs_take_is_not_lost(void **state)
{
    (void)state;
    turn = MOST;
    assert_in_range(healthy_of(8, 0, 2 * US), 20, 20);
    assert_in_range(healthy_of(12, 0, 2 * US), 19, 20); /* 0 by the waits alone */
    assert_in_range(healthy_of(16, 8, 2 * US), 19, 20);
    assert_in_range(healthy_of(64, 0, 2 * US), 19, 20);
}

static void variation_that_loses_much_among_many_is_not_healthy(void **state)
{
    (void)state;
    turn = MOST;
    assert_int_equal(healthy_of(48, 0, 30 * US), 0);
    assert_int_equal(healthy_of(48, 0, 6 * US), 20);
}

/* ---- two nodes ---- */

static void two_nodes_far_apart_may_be_a_slow_uplink(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (int far = 0; far <= 1; far++) {
        begin(16, 8, 3);
        run.gap = (far ? 80 : 12) * US;
        judge(found);
        for (int op = 0; op < OPERATORS; op++) {
            assert_int_equal(found[op]->finding_count, 0);
            assert_int_equal(found[op]->verdict,
                             far ? DXT_VERDICT_INCONCLUSIVE : DXT_VERDICT_HEALTHY);
            if (far)
                assert_near(found[op]->apart_share, 80 * US / found[op]->step, 0.03);
            else
                assert_near(found[op]->apart_share, 0, 0);
        }
        release(found);
    }
}

/* Of three nodes the uplink of one would be told. */
static void three_nodes_may_be_far_apart(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    begin(24, 8, 4);
    run.gap = 80 * US;
    judge(found);
    for (int op = 0; op < OPERATORS; op++)
        assert_int_equal(found[op]->verdict, DXT_VERDICT_HEALTHY);
    release(found);
}

/* ---- one slow call ---- */

static uint32_t asked;

/* In the first dispatch everybody is late by something of its own. */
static double at_first(int op, uint32_t k)
{
    (void)k;
    return op == DISPATCH && asked++ < run.ranks ? -800 * US * log(1 - arrivals_uniform(&run.seed))
                                                 : 0;
}

/* One of ten operations may be all there is to it: whoever it made late is seldom named, and never
 * for certain. */
static void a_slow_first_call_of_ten_is_no_proof(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    static const uint32_t sizes[] = {4, 8, 16, 40};
    uint32_t named = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            begin(sizes[s], 0, 50 * seed + s);
            run.ops = 10;
            run.late = at_first;
            asked = 0;
            judge(found);
            named += count_of(found[DISPATCH], DXT_LATE_RANK) > 0;
            for (size_t f = 0; f < found[DISPATCH]->finding_count; f++)
                assert_true(found[DISPATCH]->findings[f].confidence < 0.99);
            release(found);
        }
    assert_in_range(named, 0, 27); /* of 80: some are late by much more than most */
}

static double rank_3_late(int op, uint32_t k)
{
    return op == DISPATCH && k == 3 ? 50 * US : 0;
}

static void who_is_late_in_all_of_ten_is_named(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t ranks = 8; ranks <= 64; ranks *= 2) {
        begin(ranks, 0, ranks);
        run.ops = 10;
        run.late = rank_3_late;
        judge(found);
        assert_int_equal(count_of(found[DISPATCH], DXT_LATE_RANK), 1);
        assert_int_equal(found[DISPATCH]->findings[0].rank, 3);
        release(found);
    }
}

/* Three of eight, late in all of ten operations, are late. */
static double three_late(int op, uint32_t k)
{
    return op == DISPATCH && k % 8 >= 2 && k % 8 <= 4 ? 60 * US : 0;
}

static void almost_half_late_in_all_of_ten_are_named(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t ranks = 8; ranks <= 64; ranks *= 2) {
        begin(ranks, 0, ranks);
        run.ops = 10;
        run.late = three_late;
        judge(found);
        assert_int_equal(count_of(found[DISPATCH], DXT_LATE_RANK), ranks / 8 * 3);
        release(found);
    }
}

/* Nodes of four and groups of three to five tell it as well. */
static double first_two_late(int op, uint32_t k)
{
    return op == DISPATCH && k < 2 ? 100 * US : 0;
}

static void who_is_late_in_all_of_ten_is_named_in_small_groups(void **state)
{
    (void)state;
    static const struct group {
        uint32_t ranks, per_node;
    } groups[] = {{5, 0}, {16, 4}, {10, 5}};
    dxt_findings *found[OPERATORS];
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            begin(groups[g].ranks, groups[g].per_node, seed);
            run.ops = 10;
            run.late = first_two_late;
            judge(found);
            assert_int_equal(found[DISPATCH]->finding_count, 2);
            assert_int_equal(count_of(found[DISPATCH], DXT_LATE_RANK), 2);
            release(found);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(much_that_stalls_is_not_healthy),
        cmocka_unit_test(stalls_in_both_operators_are_told),
        cmocka_unit_test(who_is_late_in_turns_is_noticed_in_small_nodes),
        cmocka_unit_test(what_all_pairs_take_is_not_lost),
        cmocka_unit_test(variation_that_loses_much_among_many_is_not_healthy),
        cmocka_unit_test(a_slow_first_call_of_ten_is_no_proof),
        cmocka_unit_test(who_is_late_in_all_of_ten_is_named),
        cmocka_unit_test(almost_half_late_in_all_of_ten_are_named),
        cmocka_unit_test(who_is_late_in_all_of_ten_is_named_in_small_groups),
        cmocka_unit_test(two_nodes_far_apart_may_be_a_slow_uplink),
        cmocka_unit_test(three_nodes_may_be_far_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
