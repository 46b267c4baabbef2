/* SPDX-License-Identifier: Apache-2.0 */
/* What a slow link, a late rank or chance does to others is not blamed on these. */
#include "coupled.h"

/* ---- hybrid modes: a rank leaves when it has heard from all, not only from its rail ---- */

static double to_rank_3(int op, uint32_t i, uint32_t j)
{
    return op == COMBINE && apart(i, j) && i == 3 ? 60 * US : 0;
}

static double late_3(int op, uint32_t k)
{
    return op == COMBINE && k == 3 ? 60 * US : 0;
}

/* The node of a rank that comes last in combine hears it sooner than the others, and is there
 * sooner in dispatch; so is everybody else there if rank 3 came last in dispatch. */
static void who_hears_the_last_rank_over_the_network_is_no_late_node(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 24; seed++) {
        begin(16, 4, seed);
        run.hybrid = true;
        run.gap = (4 + (double)seed / 2) * US;
        run.jitter = 2 * US;
        run.uneven = 0.1;
        run.path = seed % 2 ? to_rank_3 : NULL;
        run.late = seed % 2 ? NULL : late_3;
        judge(found);
        for (int op = 0; op < OPERATORS; op++) {
            assert_int_equal(count_of(found[op], DXT_LATE_NODE), 0);
            assert_int_equal(count_of(found[op], DXT_SLOW_NODE_LINK), 0);
        }
        assert_int_equal(found[COMBINE]->findings[0].rank, 3);
        release(found);
    }
}

/* ---- half of the ranks or more receive slowly, and are late in the next operator ---- */

static uint32_t receivers, into;

static double to_first(int op, uint32_t i, uint32_t j)
{
    (void)j;
    return op == (int)into && i < receivers ? 60 * US : 0;
}

static void of_many_slow_receivers_each_is_named_and_nobody_else(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t ranks = 4; ranks <= 7; ranks++)
        for (receivers = (ranks + 1) / 2; receivers + 2 <= ranks; receivers++)
            for (uint64_t seed = 1; seed <= 12; seed++) {
                begin(ranks, 0, seed);
                into = (uint32_t)seed % OPERATORS;
                run.path = to_first;
                judge(found);
                assert_int_equal(count_of(found[into], DXT_SLOW_RECEIVER), receivers);
                assert_int_equal(found[into]->finding_count, receivers);
                assert_int_equal(found[1 - into]->finding_count,
                                 count_of(found[1 - into], DXT_SYSTEMIC_SKEW));
                release(found);
            }
}

/* ---- another rank late in some operations: chance decides who is late in few of them ---- */

static uint32_t hit;

static double in_turns_now_and_then(int op, uint32_t k)
{
    if (op != DISPATCH) return 0;
    if (k == 0) hit = (uint32_t)(arrivals_uniform(&run.seed) * run.ranks * 2);
    return k == hit ? 400 * US : 0;
}

static void whom_turns_hit_more_often_by_chance_is_not_named(void **state)
{
    (void)state;
    static const struct group {
        uint32_t ranks, node;
        int ops;
    } groups[] = {{24, 0, 20}, {16, 0, 20}, {24, 4, 20}, {32, 4, 60}, {24, 3, 20}};
    dxt_findings *found[OPERATORS];
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        uint32_t sure = 0;
        for (uint64_t seed = 1; seed <= 20; seed++) {
            begin(groups[g].ranks, groups[g].node, 10 * seed);
            run.ops = groups[g].ops;
            run.late = in_turns_now_and_then;
            judge(found);
            for (size_t f = 0; f < found[DISPATCH]->finding_count; f++)
                sure += found[DISPATCH]->findings[f].kind != DXT_SYSTEMIC_SKEW &&
                        found[DISPATCH]->findings[f].confidence >= 0.95;
            release(found);
        }
        assert_in_range(sure, 0, 4);
    }
}

/* Nor does anybody who is late all the time hide among small nodes, in which two late ranks of four
 * move the middle. */
static double two_of_four_late(int op, uint32_t k)
{
    if (op != DISPATCH || k < 8) return 0;
    return k % 4 == 1 ? (double)k * 5 * US : k % 4 == 2 ? (double)k * 2.5 * US : 0;
}

static void who_is_late_in_small_nodes_is_named(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(24, 4, seed);
        run.ops = 50;
        run.late = two_of_four_late;
        judge(found);
        assert_true(count_of(found[DISPATCH], DXT_LATE_RANK) >= 4);
        assert_int_equal(found[DISPATCH]->findings[0].rank, 21);
        release(found);
    }
}

/* ---- a small node whose ranks come late, each by another time, behind a slow uplink ---- */

static uint32_t way_of_uplink;

static double unequally_late(int op, uint32_t k)
{
    static const double late[] = {30 * US, 90 * US, 0, 60 * US};
    return op == DISPATCH && k / run.node == 1 ? late[k % run.node] : 0;
}

static double uplink_of_1(int op, uint32_t i, uint32_t j)
{
    bool in = way_of_uplink & 1 && i / run.node == 1, out = way_of_uplink & 2 && j / run.node == 1;
    return op == DISPATCH && apart(i, j) && (in || out) ? 40 * US : 0;
}

static void of_ranks_that_come_apart_the_uplink_is_named(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    uint32_t exact = 0;
    for (uint32_t node = 3; node <= 4; node++)
        for (uint64_t seed = 1; seed <= 12; seed++) {
            begin(10 * node, node, seed);
            run.ops = 50;
            run.late = unequally_late;
            run.path = uplink_of_1;
            way_of_uplink = (uint32_t)seed % 4;
            judge(found);
            const dxt_findings *said = found[DISPATCH];
            exact += count_of(said, DXT_LATE_RANK) == node - 1 &&
                     count_of(said, DXT_SLOW_NODE_LINK) == (way_of_uplink > 0) &&
                     said->finding_count == node - (way_of_uplink == 0);
            assert_int_equal(count_of(said, DXT_LATE_NODE), 0);
            assert_int_equal(count_of(said, DXT_EARLY_RANK), 0);
            release(found);
        }
    assert_in_range(exact, 22, 24);
}

/* ---- nodes whose ranks come apart, where nobody tells the time ---- */

static double apart_in_node_0(int op, uint32_t k)
{
    static const double late[] = {0, -40 * US, 50 * US};
    return op == COMBINE && k < run.node ? late[k] : 0;
}

/* The two nodes alone often cannot tell who is off; but they do not always blame the healthy. */
static void of_two_nodes_the_earliest_rank_is_not_the_ordinary_one(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    uint32_t late_nodes = 0, late_ranks = 0, early = 0;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        begin(6, 3, seed);
        run.ops = 50;
        run.late = apart_in_node_0;
        judge(found);
        late_nodes += count_of(found[COMBINE], DXT_LATE_NODE);
        late_ranks += count_of(found[COMBINE], DXT_LATE_RANK);
        early += count_of(found[COMBINE], DXT_EARLY_RANK);
        release(found);
    }
    assert_in_range(late_nodes, 0, 12);
    assert_in_range(late_ranks, 16, 28);
    assert_in_range(early, 4, 32);
}

/* ---- stalls of single pairs, where two nodes have few of them ---- */

static double now_and_then(int op, uint32_t i, uint32_t j)
{
    bool stalls = op == DISPATCH && apart(i, j) && arrivals_uniform(&run.seed) < 0.01;
    return stalls ? 600 * US : 0;
}

static double from_node_2(int op, uint32_t i, uint32_t j)
{
    return op == DISPATCH && i / run.node == 1 && j / run.node == 2 ? 60 * US : 0;
}

static void what_stalls_between_small_nodes_is_no_path_of_them(void **state)
{
    (void)state;
    static const struct group {
        uint32_t ranks, node;
        bool hybrid;
    } groups[] = {{16, 2, false}, {32, 4, true}, {24, 4, false}, {24, 3, false}};
    dxt_findings *found[OPERATORS];
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        uint32_t paths = 0, slow = 0;
        for (uint64_t seed = 1; seed <= 10; seed++) {
            for (uint32_t how = 0; how < 2; how++) {
                begin(groups[g].ranks, groups[g].node, seed);
                run.ops = 20;
                run.hybrid = groups[g].hybrid;
                run.path = how ? from_node_2 : now_and_then;
                judge(found);
                uint32_t told = count_of(found[DISPATCH], DXT_SLOW_NODE_PATH);
                *(how ? &slow : &paths) += told;
                release(found);
            }
        }
        assert_in_range(paths, 0, 2);
        assert_int_equal(slow, 10);
    }
}

/* What the path between two nodes takes longer is three tenths of that for some pairs of ranks, and
 * 17 tenths for others. */
static double uneven_from_node_2(int op, uint32_t i, uint32_t j)
{
    uint64_t seed = i * UINT64_C(4096) + j + 1;
    return from_node_2(op, i, j) * (3 + 14 * arrivals_uniform(&seed)) / 10;
}

/* A few of its pairs are hardly slow, by chance. */
static void a_slow_path_of_uneven_pairs_is_found(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    uint32_t paths = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        begin(32, 8, seed);
        run.path = uneven_from_node_2;
        judge(found);
        paths += count_of(found[DISPATCH], DXT_SLOW_NODE_PATH);
        release(found);
    }
    assert_int_equal(paths, 5);
}

/* In combine rank 17 hears late from a neighbour, and the NIC of rank 7 sends slowly. So two ranks
 * of node 4 come late to dispatch, and rank 7 early; the other pairs with node 1 are as ever. */
static double to_17_and_out_of_7(int op, uint32_t i, uint32_t j)
{
    bool rail = apart(i, j) && j == 7 && i % run.node == j % run.node;
    return op == COMBINE && (rail || (i == 17 && j == 18)) ? 100 * US : 0;
}

static double late_12_and_13(int op, uint32_t k)
{
    return op == DISPATCH && k == 12 ? 20 * US : op == DISPATCH && k == 13 ? 100 * US : 0;
}

static void of_rails_only_those_seen_tell_how_long_a_way_is(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        bool paths = seed % 2;
        begin(paths ? 20 : 16, 4, seed);
        run.ops = 100;
        run.hybrid = true;
        run.path = paths ? to_17_and_out_of_7 : NULL;
        run.late = paths ? NULL : late_12_and_13;
        judge(found);
        assert_int_equal(count_of(found[DISPATCH], DXT_SLOW_NODE_PATH), 0);
        assert_int_equal(count_of(found[DISPATCH], DXT_SLOW_NODE_LINK), 0);
        release(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_hears_the_last_rank_over_the_network_is_no_late_node),
        cmocka_unit_test(of_many_slow_receivers_each_is_named_and_nobody_else),
        cmocka_unit_test(whom_turns_hit_more_often_by_chance_is_not_named),
        cmocka_unit_test(who_is_late_in_small_nodes_is_named),
        cmocka_unit_test(of_ranks_that_come_apart_the_uplink_is_named),
        cmocka_unit_test(of_two_nodes_the_earliest_rank_is_not_the_ordinary_one),
        cmocka_unit_test(what_stalls_between_small_nodes_is_no_path_of_them),
        cmocka_unit_test(a_slow_path_of_uneven_pairs_is_found),
        cmocka_unit_test(of_rails_only_those_seen_tell_how_long_a_way_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
