/* SPDX-License-Identifier: Apache-2.0 */
/* Coupled steps with links to other nodes that are slow in both operators, as bad NICs are: who
 * hears late in one is late in the other, and hides there how slow its link is. */
#include "coupled.h"

static struct {
    uint32_t bad; /* ranks 1 … this */
    bool in, out;
    double size;
} nic;

static double slow_nics(int op, uint32_t i, uint32_t j)
{
    (void)op;
    bool in = nic.in && i >= 1 && i <= nic.bad, out = nic.out && j >= 1 && j <= nic.bad;
    return apart(i, j) ? (in ? nic.size : 0) + (out ? nic.size : 0) : 0;
}

static void begin_with_nics(uint32_t nodes, uint64_t seed)
{
    begin(nodes * 8, 8, seed);
    run.ops = 50;
    run.path = slow_nics;
    nic.bad = 1 + seed % 3;
    nic.size = (seed % 2 ? 60 : 250) * US;
}

/* Each of them is a finding, and nothing else is. @return In how many operators. */
static int judge_links_alone(dxt_direction direction)
{
    dxt_findings *found[OPERATORS];
    int named = 0;
    judge(found);
    for (int op = 0; op < OPERATORS; op++) {
        if (found[op]->finding_count == 0) continue;
        named++;
        assert_int_equal(found[op]->finding_count, nic.bad);
        for (uint32_t f = 0; f < nic.bad; f++) {
            const dxt_finding *finding = &found[op]->findings[f];
            assert_int_equal(finding->kind, DXT_SLOW_LINK);
            assert_in_range(finding->rank, 1, nic.bad);
            assert_int_equal(finding->direction, direction);
            assert_near(finding->wait, nic.size, 0.2 * nic.size);
        }
    }
    release(found);
    return named;
}

static void nics_slow_both_ways_are_named(void **state)
{
    (void)state;
    for (uint32_t nodes = 2; nodes <= 4; nodes++) {
        for (uint64_t seed = 1; seed <= 12; seed++) {
            begin_with_nics(nodes, seed);
            nic.in = nic.out = true;
            assert_int_equal(judge_links_alone(DXT_DIRECTION_BOTH), OPERATORS);
        }
    }
}

/* Where all others are later still, what it costs in one operator is paid in the other. */
static void nics_that_receive_slowly_are_named(void **state)
{
    (void)state;
    for (uint32_t nodes = 3; nodes <= 4; nodes++) {
        for (uint64_t seed = 1; seed <= 12; seed++) {
            begin_with_nics(nodes, seed);
            nic.in = true;
            nic.out = false;
            assert_true(judge_links_alone(DXT_DIRECTION_IN) > 0);
        }
    }
}

/* Where half of a node's ranks are late, nobody knows when the node came. */
static void behind_half_of_the_nics_no_node_is_late(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint64_t seed = 1; seed <= 12; seed++) {
        begin_with_nics(2, seed);
        nic.bad = 4;
        nic.in = nic.out = true;
        judge(found);
        for (int op = 0; op < OPERATORS; op++) {
            assert_int_equal(count_of(found[op], DXT_LATE_NODE), 0);
            assert_int_equal(count_of(found[op], DXT_SLOW_NODE_PATH), 0);
            assert_int_not_equal(found[op]->verdict, DXT_VERDICT_HEALTHY);
        }
        release(found);
    }
}

/* Rank 3 is late now and then, and what the other node sends is slow: no link of its own is. */
static double now_and_then(int op, uint32_t k)
{
    static int step;
    if (op == DISPATCH && k == 0) step++;
    return op == DISPATCH && k == 3 && step % 5 == 0 ? 500 * US : 0;
}

static double from_node_1(int op, uint32_t i, uint32_t j)
{
    (void)op;
    return i < 8 && j >= 8 ? 60 * US : 0;
}

static void a_late_rank_beside_a_slow_path_has_no_slow_link(void **state)
{
    (void)state;
    dxt_findings *found[OPERATORS];
    for (uint32_t nodes = 2; nodes <= 4; nodes++) {
        for (uint64_t seed = 1; seed <= 12; seed++) {
            begin(nodes * 8, 8, seed);
            run.late = now_and_then;
            run.path = from_node_1;
            judge(found);
            for (int op = 0; op < OPERATORS; op++)
                assert_int_equal(count_of(found[op], DXT_SLOW_LINK), 0);
            release(found);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nics_slow_both_ways_are_named),
        cmocka_unit_test(nics_that_receive_slowly_are_named),
        cmocka_unit_test(behind_half_of_the_nics_no_node_is_late),
        cmocka_unit_test(a_late_rank_beside_a_slow_path_has_no_slow_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
