/* SPDX-License-Identifier: Apache-2.0 */
/* Coupled steps across nodes: offsets that stay, and hybrid modes. */
#include "coupled.h"

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
            assert_true(found[op]->apart_share > 0); /* a slow uplink would be the same */
            assert_int_equal(found[op]->verdict, DXT_VERDICT_INCONCLUSIVE);
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

/* Each node computes longer before one of the operators, as two kinds of GPUs may. */
static double late_in_turn(int op, uint32_t k)
{
    return (op == DISPATCH) == (k < run.node) ? 50 * US : 0;
}

static void of_two_nodes_both_may_be_late(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        begin(16, 8, seed);
        run.late = late_in_turn;
        judge(found);
        for (int op = 0; op < OPERATORS; op++) {
            const dxt_finding *finding = only(found[op], DXT_LATE_NODE);
            assert_int_equal(finding->node, op == DISPATCH ? 10 : 11);
            /* The way from the other operator adds to it. */
            assert_near(finding->wait, 70 * US, 10 * US);
        }
        release(found);
    }
}

/* Node 0 is late in dispatch, and what it sends is slow besides: what it costs the other node in
 * combine is carried over. */
static double node_0_50_late(int op, uint32_t k)
{
    return op == DISPATCH && k < run.node ? 50 * US : 0;
}

static double from_node_0(int op, uint32_t i, uint32_t j)
{
    return op == DISPATCH && j < run.node && i >= run.node ? 60 * US : 0;
}

static void a_late_node_behind_a_slow_path_makes_no_other_late(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        begin(16, 8, seed);
        run.late = node_0_50_late;
        run.path = from_node_0;
        judge(found);
        assert_int_equal(only(found[DISPATCH], DXT_LATE_NODE)->node, 10);
        assert_int_equal(count_of(found[COMBINE], DXT_LATE_NODE), 0);
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

/* In dispatch all ways are short: a node that is only a little early is waited for by nobody. */
static double short_ways(int op, uint32_t i, uint32_t j)
{
    return op == DISPATCH ? -(apart(i, j) ? 11 : 7.5) * US : 0;
}

static double to_node_1(int op, uint32_t i, uint32_t j)
{
    bool slow = op == DISPATCH && apart(i, j) && i / run.node == 1;
    return short_ways(op, i, j) + (slow ? 60 * US : 0);
}

static double node_1_late(int op, uint32_t k)
{
    return op == COMBINE && k / run.node == 1 ? 60 * US : 0;
}

/* Where arrivals hardly vary, nobody waits for a node behind such an uplink, as for an early one:
 * what tells them apart is the other operator. */
static void an_uplink_that_receives_slowly_is_no_late_node(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t nodes = 3; nodes <= 4; nodes++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            begin(8 * nodes, 8, seed);
            run.jitter = seed % 2 ? 0.5 * US : 2 * US;
            run.path = to_node_1;
            judge(found);
            const dxt_finding *finding = only(found[DISPATCH], DXT_SLOW_NODE_LINK);
            assert_int_equal(finding->node, 11);
            assert_int_equal(finding->direction, DXT_DIRECTION_IN);
            assert_near(finding->wait, 60 * US, 10 * US);
            assert_int_equal(found[COMBINE]->finding_count, 0);
            release(found);
            run.path = short_ways;
            run.late = node_1_late;
            judge(found);
            assert_int_equal(only(found[COMBINE], DXT_LATE_NODE)->node, 11);
            assert_int_equal(found[DISPATCH]->finding_count, 0);
            release(found);
        }
    }
}

/* ---- hybrid modes ---- */

static const double nic_size = 60 * US;

static double nic_of_10(int op, uint32_t i, uint32_t j)
{
    return op == DISPATCH && apart(i, j) && (i == 10 || j == 10) ? nic_size : 0;
}

static double rail_3(int op, uint32_t i, uint32_t j)
{
    return op == DISPATCH && apart(i, j) && i % 8 == 3 && j % 8 == 3 ? nic_size : 0;
}

static void of_a_rail_a_nic_is_told_from_the_rail(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t nodes = 3; nodes <= 8; nodes++) {
        for (uint64_t seed = 1; seed <= 6; seed++) {
            begin(8 * nodes, 8, seed);
            run.hybrid = true;
            run.path = seed % 2 ? nic_of_10 : rail_3;
            judge(found);
            if (seed % 2) {
                const dxt_finding *link = only(found[DISPATCH], DXT_SLOW_LINK);
                assert_int_equal(link->rank, 10);
                assert_true(link->between_nodes);
                assert_int_equal(link->direction, DXT_DIRECTION_BOTH);
            } else {
                assert_int_equal(only(found[DISPATCH], DXT_SLOW_PATH)->rank_count, nodes);
            }
            for (size_t f = 0; f < found[COMBINE]->finding_count; f++)
                if (found[COMBINE]->findings[f].rank != 10)
                    assert_int_equal(found[COMBINE]->findings[f].kind, DXT_EARLY_RANK);
            release(found);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_that_changes_sides_is_nobodys),
        cmocka_unit_test(a_late_rank_of_two_nodes_is_the_only_one_named),
        cmocka_unit_test(of_two_nodes_the_late_one_is_as_late_as_it_is),
        cmocka_unit_test(of_two_nodes_both_may_be_late),
        cmocka_unit_test(a_late_node_behind_a_slow_path_makes_no_other_late),
        cmocka_unit_test(what_a_late_rank_does_to_its_node_is_no_uplink),
        cmocka_unit_test(an_uplink_that_receives_slowly_is_no_late_node),
        cmocka_unit_test(of_a_rail_a_nic_is_told_from_the_rail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
