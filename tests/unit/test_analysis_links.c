/* SPDX-License-Identifier: Apache-2.0 */
/* Links that are slow: of a rank to all others, of a rank to other nodes, of a whole node. */
#include <stdlib.h>

#include "judged.h"

/* What is slow, for link_path(). */
static struct {
    bool bad[ARRIVALS_MAX_RANKS]; /* [rank], or [node] of uplinks */
    bool in, out;
    uint32_t node; /* ranks of a node; 0 = every path of a bad rank is slow */
    bool uplink;
    double size, between;
} links;

static double link_path(uint32_t i, uint32_t j)
{
    uint32_t a = links.node ? i / links.node : 0, b = links.node ? j / links.node : 0;
    double way = a != b ? links.between : 0;
    if (i == j || (links.node && a == b)) return way;
    uint32_t to = links.uplink ? a : i, from = links.uplink ? b : j;
    bool slow = (links.in && links.bad[to]) || (links.out && links.bad[from]);
    return way + (slow ? links.size : 0);
}

static void bad_links(uint32_t node, bool in, bool out)
{
    memset(&links, 0, sizeof links);
    links.in = in;
    links.out = out;
    links.node = node;
    links.between = 4 * US;
    links.size = 40 * US;
    job.path = link_path;
}

static dxt_findings *judge_with_nodes(uint32_t size)
{
    dxt_window *window = arrivals_window(&job, "dispatch");
    if (size > 0) give_nodes(window, size);
    dxt_findings *found = analyze(window, NULL);
    dxt_window_free(window);
    return found;
}

static void a_link_that_is_slow_both_ways_is_the_ranks(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {4, 5, 8, 12, 16, 24, 33, 64, 200, 600};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        healthy(sizes[k], 3 + k);
        bad_links(0, true, true);
        links.bad[2] = true;
        dxt_findings *found = judge_with_nodes(0);
        const dxt_finding *finding = only(found, DXT_SLOW_LINK);
        assert_int_equal(finding->rank, 2);
        assert_int_equal(finding->direction, DXT_DIRECTION_BOTH);
        assert_false(finding->between_nodes);
        assert_near(finding->wait, links.size, 4 * US);
        assert_int_equal(found->col_count, 1);
        assert_int_equal(found->row_count, 1);
        assert_int_equal(found->point_count, 0);
        dxt_findings_free(found);
    }
}

/* Half of the waits among four ranks are over the link of one: what is ordinary is the rest. */
static void of_few_ranks_it_is_as_sure_as_of_many_and_no_skew(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 6; ranks++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            for (double size = 60 * US; size <= 400 * US; size *= 2.5) {
                healthy(ranks, seed);
                bad_links(0, true, true);
                links.size = size;
                links.bad[ranks - 1] = true;
                dxt_findings *found = judge_with_nodes(0);
                const dxt_finding *finding = only(found, DXT_SLOW_LINK);
                assert_int_equal(finding->rank, ranks - 1);
                assert_true(finding->confidence >= 0.94);
                dxt_findings_free(found);
            }
        }
    }
}

/* Sums are those of irregular work as well; who came last in each operation tells. */
static void the_doubt_is_said_unless_the_link_is_last_each_time(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 16; ranks *= 2) {
        for (int last = 0; last <= 2; last++) {
            healthy(ranks, 7 * ranks);
            bad_links(0, true, true);
            links.bad[2] = true;
            job.record_last = last > 0;
            dxt_window *window = arrivals_window(&job, "dispatch");
            /* In one of five operations somebody else was. */
            for (uint32_t i = 0; last == 2 && i < ranks; i++) {
                if (i == 2) continue;
                window->last[i * ranks + 2] -= window->ops / 5;
                window->last[i * ranks + (i == 1 ? 0 : 1)] += window->ops / 5;
            }
            dxt_findings *found = analyze(window, NULL);
            const dxt_finding *finding = only(found, DXT_SLOW_LINK);
            assert_int_equal(finding->rank, 2);
            assert_int_equal(finding->or_irregular, last != 1);
            assert_true((finding->confidence > 0.95) == (last == 1));
            dxt_findings_free(found);
            dxt_window_free(window);
        }
    }
}

static void several_links_may_be_slow_both_ways(void **state)
{
    (void)state;
    healthy(16, 5);
    bad_links(0, true, true);
    for (uint32_t r = 1; r < 16; r += 4) links.bad[r] = true;
    dxt_findings *found = judge_with_nodes(0);
    assert_int_equal(found->finding_count, 4);
    for (size_t f = 0; f < 4; f++) {
        assert_int_equal(found->findings[f].kind, DXT_SLOW_LINK);
        assert_int_equal(found->findings[f].rank % 4, 1);
    }
    dxt_findings_free(found);
}

/* Of three ranks two may share a node that the third is not on; of two either may be it. */
static void of_three_ranks_it_must_be_known_that_they_share_a_node(void **state)
{
    (void)state;
    for (uint32_t ranks = 2; ranks <= 3; ranks++) {
        for (uint32_t node = 0; node <= 3; node += 3) {
            healthy(ranks, 5);
            bad_links(0, true, true);
            links.bad[1] = true;
            dxt_findings *found = judge_with_nodes(node);
            if (ranks == 3 && node == 3)
                assert_int_equal(only(found, DXT_SLOW_LINK)->rank, 1);
            else if (ranks == 3)
                assert_int_equal(found->verdict, DXT_VERDICT_INCONCLUSIVE);
            for (size_t f = 0; f < found->finding_count; f++)
                assert_true(found->findings[f].kind == DXT_SYSTEMIC_SKEW || node == 3);
            dxt_findings_free(found);
        }
    }
}

/* One to seven of the eight ranks of one or of all nodes, each way. */
static void links_to_other_nodes_are_the_ranks(void **state)
{
    (void)state;
    for (uint32_t nodes = 2; nodes <= 8; nodes *= 2) {
        for (uint32_t bad = 1; bad < 8; bad++) {
            for (unsigned way = DXT_DIRECTION_IN; way <= DXT_DIRECTION_BOTH; way++) {
                healthy(8 * nodes, 11 * bad + way);
                bad_links(8, way & DXT_DIRECTION_IN, way & DXT_DIRECTION_OUT);
                bool everywhere = bad % 2;
                uint32_t count = everywhere ? bad * nodes : bad;
                for (uint32_t r = 0; r < job.ranks; r++)
                    links.bad[r] = r % 8 < bad && (everywhere || r / 8 == 1);
                dxt_findings *found = judge_with_nodes(8);
                assert_int_equal(found->finding_count, count);
                for (size_t f = 0; f < count; f++) {
                    assert_int_equal(found->findings[f].kind, DXT_SLOW_LINK);
                    assert_int_equal(found->findings[f].direction, way);
                    assert_true(found->findings[f].between_nodes);
                    assert_true(links.bad[found->findings[f].rank]);
                }
                assert_int_equal(found->row_count, way & DXT_DIRECTION_IN ? count : 0);
                assert_int_equal(found->col_count, way & DXT_DIRECTION_OUT ? count : 0);
                dxt_findings_free(found);
            }
        }
    }
}

static uint32_t good;

static double link_with_good_ones(uint32_t i, uint32_t j)
{
    uint32_t other = links.in ? j : i;
    bool by_itself = other / 8 == 3 && other % 8 < good;
    return by_itself ? links.between : link_path(i, j);
}

/* One in 16 of its waits may be short by itself, and no more. */
static void few_good_ways_do_not_make_a_good_link(void **state)
{
    (void)state;
    for (unsigned way = DXT_DIRECTION_IN; way <= DXT_DIRECTION_OUT; way++)
        for (good = 0; good <= 4; good++) {
            healthy(40, 5);
            bad_links(8, way & DXT_DIRECTION_IN, way & DXT_DIRECTION_OUT);
            links.bad[2] = true;
            job.path = link_with_good_ones;
            dxt_findings *found = judge_with_nodes(8);
            bool link = found->finding_count > 0 && found->findings[0].kind == DXT_SLOW_LINK &&
                        found->findings[0].rank == 2 && found->findings[0].between_nodes;
            assert_int_equal(link, good <= 2);
            dxt_findings_free(found);
        }
}

static void all_links_of_a_node_are_its_uplink(void **state)
{
    (void)state;
    for (uint32_t nodes = 3; nodes <= 12; nodes++) {
        for (unsigned way = DXT_DIRECTION_IN; way <= DXT_DIRECTION_BOTH; way++) {
            healthy(8 * nodes, nodes);
            bad_links(8, way & DXT_DIRECTION_IN, way & DXT_DIRECTION_OUT);
            links.uplink = links.bad[1] = true;
            dxt_findings *found = judge_with_nodes(8);
            const dxt_finding *finding = only(found, DXT_SLOW_NODE_LINK);
            assert_int_equal(finding->node, 11);
            assert_int_equal(finding->direction, way);
            assert_int_equal(finding->rank_count, 8);
            assert_int_equal(finding->ranks[0], 8);
            assert_near(finding->wait, links.size, 4 * US);
            dxt_findings_free(found);
        }
    }
}

/* Half of the ways between four nodes, and most of those between three, are over its uplink. */
static void of_few_nodes_the_uplink_shows_among_many_slow_ways(void **state)
{
    (void)state;
    for (uint32_t nodes = 3; nodes <= 4; nodes++) {
        for (uint64_t seed = 1; seed <= 30; seed++) {
            healthy(8 * nodes, seed);
            bad_links(8, true, true);
            links.uplink = links.bad[1] = true;
            for (uint32_t r = 0; r < 8; r++) job.late[r] = -(double)(seed % 5) * US;
            dxt_findings *found = judge_with_nodes(8);
            assert_true(found->finding_count >= 1);
            assert_int_equal(found->findings[0].kind, DXT_SLOW_NODE_LINK);
            assert_int_equal(found->findings[0].direction, DXT_DIRECTION_BOTH);
            dxt_findings_free(found);
        }
    }
}

/* As large as chance, nothing is told; larger, the uplink, never its ways one by one. */
static void a_small_slow_uplink_is_not_its_ways(void **state)
{
    (void)state;
    for (uint32_t nodes = 4; nodes <= 32; nodes *= 2) {
        uint32_t told = 0;
        for (uint32_t size = 10; size <= 40; size += 1) {
            healthy(4 * nodes, size);
            bad_links(4, true, true);
            links.uplink = links.bad[1] = true;
            links.size = size * US;
            job.jitter = 12 * US;
            job.ops = 20;
            dxt_findings *found = judge_with_nodes(4);
            for (size_t f = 0; f < found->finding_count; f++)
                assert_int_equal(found->findings[f].kind, DXT_SLOW_NODE_LINK);
            told += found->finding_count == 1;
            dxt_findings_free(found);
        }
        assert_true(told > 0);
    }
}

static double ways[3][3];

static double uneven_ways(uint32_t i, uint32_t j)
{
    uint32_t a = i / 8, b = j / 8;
    return a == b ? 0 : ways[a][b] + (a == 1 && b == 2 ? 100 * US : 0);
}

/* Each of three nodes has two ways, of which one may be slow. */
static void a_slow_way_of_three_is_no_uplink(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t draw = seed * 77 + 5;
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < a; b++)
                ways[a][b] = ways[b][a] = (10 + 2 * (2 * arrivals_uniform(&draw) - 1)) * US;
        healthy(24, seed);
        job.path = uneven_ways;
        dxt_findings *found = judge_with_nodes(8);
        uint32_t paths = 0;
        for (size_t f = 0; f < found->finding_count; f++) {
            const dxt_finding *finding = &found->findings[f];
            assert_false(finding->kind == DXT_SLOW_NODE_LINK && finding->confidence >= 0.99);
            if (finding->kind != DXT_SLOW_NODE_PATH) continue;
            paths++;
            assert_near(finding->wait, 100 * US, 5 * US);
        }
        assert_int_equal(paths, 1);
        dxt_findings_free(found);
    }
}

static double small_uplink;

static double small_uplink_and_a_way(uint32_t i, uint32_t j)
{
    uint32_t a = i / 4, b = j / 4;
    if (a == b) return 0;
    return 4 * US + (a == 1 || b == 1 ? small_uplink : 0) + (a == 1 && b == 2 ? 100 * US : 0);
}

/* One of its ways is slow enough to look for an uplink, which itself is not worth telling. */
static void an_uplink_below_the_floor_is_not_told(void **state)
{
    (void)state;
    uint32_t told = 0;
    for (uint32_t nodes = 8; nodes <= 16; nodes += 8)
        for (uint32_t tenths = 5; tenths <= 60; tenths += 1) {
            healthy(4 * nodes, tenths);
            job.path = small_uplink_and_a_way;
            small_uplink = tenths * US / 10;
            dxt_findings *found = judge_with_nodes(4);
            for (size_t f = 0; f < found->finding_count; f++) {
                if (found->findings[f].kind != DXT_SLOW_NODE_LINK) continue;
                told++;
                assert_true(found->findings[f].wait >= found->floor);
            }
            dxt_findings_free(found);
        }
    assert_true(told > 0);
}

static void late_ranks_next_to_bad_links_are_found(void **state)
{
    (void)state;
    healthy(32, 7);
    bad_links(8, true, true);
    links.bad[9] = true;
    job.late[3] = 30 * US;
    job.late[20] = -60 * US;
    dxt_findings *found = judge_with_nodes(8);
    assert_int_equal(found->finding_count, 3);
    assert_int_equal(found->findings[0].kind, DXT_SLOW_LINK);
    assert_int_equal(found->findings[0].rank, 9);
    assert_int_equal(found->findings[1].kind, DXT_LATE_RANK);
    assert_int_equal(found->findings[1].rank, 3);
    assert_int_equal(found->findings[2].kind, DXT_EARLY_RANK);
    assert_int_equal(found->findings[2].rank, 20);
    dxt_findings_free(found);
}

/* Between nodes it is further, and from rank 90 to one node further still. */
static double uneven_way(uint32_t i, uint32_t j)
{
    double way = i / 8 == j / 8 ? 0 : 6 * US;
    return way + (i / 8 == links.node && j == 90 ? 12 * US : 0);
}

/* Its ranks wait for no other node, so that they say of no link what it takes. */
static void a_late_node_makes_no_bad_links_elsewhere(void **state)
{
    (void)state;
    for (uint32_t node = 0; node < 11; node++) {
        healthy(96, 5 + node);
        job.path = uneven_way;
        job.transfer = 10 * US;
        links.node = node;
        for (uint32_t r = 0; r < 8; r++) job.late[8 * node + r] = 20 * US;
        dxt_findings *found = judge_with_nodes(8);
        assert_int_equal(only(found, DXT_LATE_NODE)->node, node + 10);
        dxt_findings_free(found);
    }
}

static void jitter_is_no_bad_link(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {3, 4, 8, 16, 32, 64};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (uint64_t seed = 1; seed <= 40; seed++) {
            for (uint32_t node = 0; node <= 8; node += 4) {
                healthy(sizes[k], seed);
                bad_links(node, false, false);
                job.jitter = 15 * US;
                dxt_findings *found = judge_with_nodes(node ? node : sizes[k]);
                for (size_t f = 0; f < found->finding_count; f++) {
                    assert_int_not_equal(found->findings[f].kind, DXT_SLOW_LINK);
                    assert_int_not_equal(found->findings[f].kind, DXT_SLOW_NODE_LINK);
                }
                dxt_findings_free(found);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_that_is_slow_both_ways_is_the_ranks),
        cmocka_unit_test(of_few_ranks_it_is_as_sure_as_of_many_and_no_skew),
        cmocka_unit_test(the_doubt_is_said_unless_the_link_is_last_each_time),
        cmocka_unit_test(several_links_may_be_slow_both_ways),
        cmocka_unit_test(of_three_ranks_it_must_be_known_that_they_share_a_node),
        cmocka_unit_test(links_to_other_nodes_are_the_ranks),
        cmocka_unit_test(few_good_ways_do_not_make_a_good_link),
        cmocka_unit_test(all_links_of_a_node_are_its_uplink),
        cmocka_unit_test(of_few_nodes_the_uplink_shows_among_many_slow_ways),
        cmocka_unit_test(a_small_slow_uplink_is_not_its_ways),
        cmocka_unit_test(a_slow_way_of_three_is_no_uplink),
        cmocka_unit_test(an_uplink_below_the_floor_is_not_told),
        cmocka_unit_test(late_ranks_next_to_bad_links_are_found),
        cmocka_unit_test(a_late_node_makes_no_bad_links_elsewhere),
        cmocka_unit_test(jitter_is_no_bad_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
