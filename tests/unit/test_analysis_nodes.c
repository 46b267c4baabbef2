/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of jobs on several nodes, and several causes at once. */
#include <stdlib.h>

#include "judged.h"

static double node_path(uint32_t i, uint32_t j)
{
    return i / 8 == 0 && j / 8 == 1 ? 70 * US : 0;
}

static void a_late_node_is_one_finding(void **state)
{
    (void)state;
    for (uint32_t nodes = 2; nodes <= 4; nodes++) {
        healthy(8 * nodes, 9);
        for (uint32_t r = 8; r < 16; r++) job.late[r] = 60 * US;
        job.late[3] = 30 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        give_nodes(window, 8);
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(found->finding_count, 2);
        assert_int_equal(found->findings[0].kind, DXT_LATE_NODE);
        assert_int_equal(found->findings[0].node, 11);
        assert_int_equal(found->findings[0].rank_count, 8);
        assert_int_equal(found->findings[0].ranks[0], 8);
        assert_near(found->findings[0].wait, 60 * US, 5 * US);
        /* Of two nodes either could be it, or the path between them. */
        assert_int_equal(found->findings[0].confidence <= 0.95, nodes == 2);
        assert_int_equal(found->findings[1].kind, DXT_LATE_RANK);
        assert_int_equal(found->col_count, 1);
        assert_int_equal(found->cols[0].rank, 3);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

static void a_slow_way_between_nodes_is_one_finding(void **state)
{
    (void)state;
    for (uint32_t nodes = 2; nodes <= 3; nodes++) {
        healthy(8 * nodes, 9);
        job.path = node_path;
        job.transfer = 10 * US;
        job.late[2] = 200 * US;
        dxt_window *window = arrivals_window(&job, "combine");
        dxt_analysis_options options = {.struct_size = sizeof options, .ranks_per_node = 8};
        dxt_findings *found = analyze(window, &options);
        assert_int_equal(found->finding_count, 2);
        assert_int_equal(found->findings[1].kind, DXT_SLOW_NODE_PATH);
        assert_int_equal(found->findings[1].node, 0);
        assert_int_equal(found->findings[1].source_node, 1);
        assert_int_equal(found->col_count, 1);
        assert_int_equal(found->cols[0].rank, 2);
        assert_int_equal(found->point_count, 0);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* Nodes of 8, 1, 1 and 1 ranks say as little as any when nothing is wrong. */
static void small_and_unequal_nodes_raise_no_alarm(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        healthy(11, seed);
        job.ops = 20;
        job.jitter = 15 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        give_nodes(window, 8);
        for (int32_t r = 8; r < 11; r++) window->nodes[r] = r;
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(found->finding_count, 0);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

static void a_late_node_of_one_rank_is_a_late_rank(void **state)
{
    (void)state;
    healthy(9, 3);
    job.late[8] = 50 * US;
    dxt_window *window = arrivals_window(&job, "dispatch");
    give_nodes(window, 8);
    dxt_findings *found = analyze(window, NULL);
    assert_int_equal(only(found, DXT_LATE_RANK)->rank, 8);
    assert_int_equal(found->col_count, 1);
    dxt_findings_free(found);
    dxt_window_free(window);
}

/* Inside a node of two an early rank looks like a late neighbour; the other nodes know better. */
static void an_early_rank_does_not_make_its_neighbour_late(void **state)
{
    (void)state;
    healthy(8, 5);
    job.late[4] = -50 * US;
    dxt_analysis_options options = {.struct_size = sizeof options, .ranks_per_node = 2};
    dxt_window *window = arrivals_window(&job, "dispatch");
    dxt_findings *found = analyze(window, &options);
    assert_int_equal(only(found, DXT_EARLY_RANK)->rank, 4);
    dxt_findings_free(found);
    dxt_window_free(window);
}

static double path_to_mate(uint32_t i, uint32_t j)
{
    return i == 2 && j == 3 ? 60 * US : 0;
}

/* There a slow path, and a rank that receives slowly, look like a late neighbour, too. */
static void nothing_else_makes_a_neighbour_late(void **state)
{
    (void)state;
    static const dxt_finding_kind kinds[] = {DXT_LATE_RANK, DXT_SLOW_PATH, DXT_SLOW_RECEIVER};
    for (uint32_t ranks = 4; ranks <= 64; ranks *= 2)
        for (int k = 0; k < (ranks > 4 ? 3 : 2); k++) {
            healthy(ranks, ranks);
            job.transfer = 10 * US;
            if (k == 0) job.late[3] = 60 * US;
            if (k == 1) job.path = path_to_mate;
            if (k == 2) job.receive[2] = 60 * US;
            dxt_analysis_options options = {.struct_size = sizeof options, .ranks_per_node = 2};
            dxt_window *window = arrivals_window(&job, "combine");
            dxt_findings *found = analyze(window, &options);
            const dxt_finding *one = only(found, kinds[k]);
            assert_int_equal(one->rank, k == 0 ? 3 : 2);
            if (k == 1) assert_int_equal(one->source, 3);
            assert_near(one->wait, 60 * US, 12 * US);
            dxt_findings_free(found);
            dxt_window_free(window);
        }
}

static bool is_only(const dxt_findings *found, dxt_finding_kind kind, uint32_t rank)
{
    return found->finding_count == 1 && found->findings[0].kind == kind &&
           found->findings[0].rank == rank;
}

/* What is ordinary is not taken from its node: what only adds to a wait looks like a large skew. */
static void who_receives_slowly_beside_one_mate_is_not_early(void **state)
{
    uint32_t wrong[2] = {0, 0};
    (void)state;
    for (uint32_t ranks = 8; ranks <= 64; ranks *= 2)
        for (uint64_t seed = 1; seed <= 10; seed++)
            for (int early = 0; early < 2; early++) {
                healthy(ranks, seed);
                job.step = 500 * US;
                if (early) job.late[2] = -200 * US;
                if (!early) job.receive[2] = 200 * US;
                dxt_analysis_options options = {.struct_size = sizeof options, .ranks_per_node = 2};
                dxt_window *window = arrivals_window(&job, "dispatch");
                dxt_findings *found = analyze(window, &options);
                wrong[early] += !is_only(found, early ? DXT_EARLY_RANK : DXT_SLOW_RECEIVER, 2);
                dxt_findings_free(found);
                dxt_window_free(window);
            }
    assert_int_equal(wrong[1], 0);
    /* One wait of its mate is all that tells the two apart. */
    assert_in_range(wrong[0], 0, 1);
}

static uint32_t own;

static double uplink_of_node_1(uint32_t i, uint32_t j)
{
    return i / own != 1 && j / own == 1 ? 150 * US : 0;
}

/* Of two ranks one that is late makes half of the waits inside longer. */
static void a_slow_uplink_of_a_late_rank_is_named(void **state)
{
    (void)state;
    for (own = 2; own <= 4; own++)
        for (uint32_t nodes = 4; nodes <= 16; nodes *= 2) {
            healthy(nodes * own, nodes);
            job.step = 600 * US;
            job.transfer = 10 * US;
            job.path = uplink_of_node_1;
            job.late[own] = 200 * US;
            dxt_analysis_options options = {.struct_size = sizeof options, .ranks_per_node = own};
            dxt_window *window = arrivals_window(&job, "dispatch");
            dxt_findings *found = analyze(window, &options);
            assert_int_equal(found->finding_count, 2);
            for (size_t f = 0; f < 2; f++) {
                const dxt_finding *finding = &found->findings[f];
                bool late = finding->kind == DXT_LATE_RANK;
                if (late) assert_int_equal(finding->rank, own);
                if (late) continue;
                assert_int_equal(finding->kind, DXT_SLOW_NODE_LINK);
                assert_int_equal(finding->node, 1);
                assert_int_equal(finding->direction, DXT_DIRECTION_OUT);
                assert_near(finding->wait, 150 * US, 10 * US);
            }
            dxt_findings_free(found);
            dxt_window_free(window);
        }
}

static void most_of_a_node_may_be_late(void **state)
{
    (void)state;
    healthy(32, 5);
    for (uint32_t r = 0; r < 5; r++) job.late[r] = 50 * US;
    dxt_analysis_options options = {.struct_size = sizeof options, .ranks_per_node = 8};
    dxt_window *window = arrivals_window(&job, "dispatch");
    dxt_findings *found = analyze(window, &options);
    assert_int_equal(found->finding_count, 5);
    assert_int_equal(found->col_count, 5);
    assert_int_equal(found->cols[4].rank, 4);
    dxt_findings_free(found);
    dxt_window_free(window);
}

static double pods(uint32_t i, uint32_t j)
{
    uint32_t a = i / 8, b = j / 8;
    if (a == b) return 0;
    return (a < 6) == (b < 6) ? 10 * US : 40 * US;
}

static void a_topology_of_tiers_is_not_a_fault(void **state)
{
    (void)state;
    for (int slow = 0; slow < 2; slow++) {
        healthy(64, 5);
        job.path = pods;
        if (slow) job.late[20] = 40 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        give_nodes(window, 8);
        dxt_findings *found = analyze(window, NULL);
        assert_int_equal(found->finding_count, slow);
        assert_int_equal(found->verdict, slow ? DXT_VERDICT_SLOW : DXT_VERDICT_HEALTHY);
        if (slow) assert_int_equal(only(found, DXT_LATE_RANK)->rank, 20);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* Who is never last because something later hides it is late all the same. */
static void causes_hidden_behind_later_ones_are_found(void **state)
{
    (void)state;
    healthy(16, 9);
    job.record_last = true;
    for (uint32_t r = 8; r < 16; r++) job.late[r] = 60 * US;
    job.late[3] = 30 * US;
    dxt_window *window = arrivals_window(&job, "dispatch");
    give_nodes(window, 8);
    dxt_findings *found = analyze(window, NULL);
    assert_int_equal(found->finding_count, 2);
    assert_int_equal(found->findings[1].kind, DXT_LATE_RANK);
    assert_int_equal(found->findings[1].rank, 3);
    dxt_findings_free(found);
    dxt_window_free(window);

    healthy(8, 9);
    job.record_last = true;
    job.late[1] = 80 * US;
    job.path = one_path;
    found = diagnose("dispatch");
    assert_int_equal(found->finding_count, 2);
    assert_int_equal(found->findings[1].kind, DXT_SLOW_PATH);
    assert_int_equal(found->findings[1].rank, 2);
    dxt_findings_free(found);
}

/* Two ranks late at different times: the means do not add up to a path between them. */
static void a_rank_late_sometimes_makes_no_path(void **state)
{
    (void)state;
    for (int recorded = 0; recorded < 2; recorded++) {
        healthy(8, 9);
        job.record_last = recorded;
        job.ops = 100;
        job.late[2] = 50 * US;
        job.sometimes = 4;
        job.sometimes_late = 200 * US;
        dxt_findings *found = diagnose("dispatch");
        assert_int_equal(found->finding_count, 2);
        assert_int_equal(found->col_count, 2);
        assert_int_equal(found->cols[0].rank, 2);
        assert_int_equal(found->cols[1].rank, 4);
        assert_int_equal(found->point_count, 0);
        dxt_findings_free(found);
    }
}

/* A rank that is late for both operators is no echo of itself, and a node that is late in one does
 * not excuse a rank of another in the next. */
static void the_companion_excuses_only_victims(void **state)
{
    (void)state;
    healthy(8, 9);
    job.transfer = 20 * US;
    job.late[2] = 14 * US;
    dxt_window *dispatch = arrivals_window(&job, "dispatch");
    dxt_window *combine = arrivals_window(&job, "combine");
    dxt_analysis_options options = {.struct_size = sizeof options, .companion = combine};
    dxt_findings *found = analyze(dispatch, &options);
    assert_int_equal(only(found, DXT_LATE_RANK)->rank, 2);
    dxt_findings_free(found);
    dxt_window_free(dispatch);
    dxt_window_free(combine);

    healthy(16, 9);
    for (uint32_t r = 8; r < 16; r++) job.late[r] = 60 * US;
    dispatch = arrivals_window(&job, "dispatch");
    give_nodes(dispatch, 8);
    healthy(16, 10);
    job.late[2] = 25 * US;
    combine = arrivals_window(&job, "combine");
    give_nodes(combine, 8);
    options.companion = dispatch;
    found = analyze(combine, &options);
    assert_int_equal(only(found, DXT_LATE_RANK)->rank, 2);
    dxt_findings_free(found);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
}

static void a_silent_rank_does_not_hide_a_path(void **state)
{
    (void)state;
    healthy(8, 9);
    job.path = one_path;
    dxt_window *window = arrivals_window(&job, "dispatch");
    window->missing = calloc(8, 1);
    assert_non_null(window->missing);
    window->missing[1] = 1;
    memset(window->wait + 8, 0, 8 * sizeof(int64_t));
    dxt_findings *found = analyze(window, NULL);
    assert_int_equal(found->finding_count, 2);
    assert_int_equal(found->findings[0].kind, DXT_SILENT_RANK);
    assert_int_equal(found->findings[1].kind, DXT_SLOW_PATH);
    assert_int_equal(found->findings[1].rank, 2);
    dxt_findings_free(found);
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_node_is_one_finding),
        cmocka_unit_test(a_slow_way_between_nodes_is_one_finding),
        cmocka_unit_test(small_and_unequal_nodes_raise_no_alarm),
        cmocka_unit_test(a_late_node_of_one_rank_is_a_late_rank),
        cmocka_unit_test(an_early_rank_does_not_make_its_neighbour_late),
        cmocka_unit_test(nothing_else_makes_a_neighbour_late),
        cmocka_unit_test(who_receives_slowly_beside_one_mate_is_not_early),
        cmocka_unit_test(a_slow_uplink_of_a_late_rank_is_named),
        cmocka_unit_test(most_of_a_node_may_be_late),
        cmocka_unit_test(a_topology_of_tiers_is_not_a_fault),
        cmocka_unit_test(causes_hidden_behind_later_ones_are_found),
        cmocka_unit_test(a_rank_late_sometimes_makes_no_path),
        cmocka_unit_test(the_companion_excuses_only_victims),
        cmocka_unit_test(a_silent_rank_does_not_hide_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
