/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that nobody told, and cells that a hybrid mode cannot observe. */
#include <stdlib.h>

#include "judged.h"

static double gap;

static double between(uint32_t i, uint32_t j)
{
    return i / 8 != j / 8 ? gap : 0;
}

static double one_way(uint32_t i, uint32_t j)
{
    return i / 8 == 0 && j / 8 == 1 ? 60 * US : 0;
}

static double uplink_of_rank(uint32_t i, uint32_t j)
{
    return 4 * US * (i / 8 != j / 8) + (i / 8 != j / 8 && (i == 15 || j == 15) ? 80 * US : 0);
}

static dxt_findings *judge_path(uint32_t ranks, double (*path)(uint32_t, uint32_t), uint32_t late)
{
    healthy(ranks, 7);
    job.path = path;
    if (late < ranks) job.late[late] = 40 * US;
    return diagnose("dispatch");
}

static void blocks_are_a_hint_and_no_ranks(void **state)
{
    (void)state;
    for (uint32_t ranks = 16; ranks <= 64; ranks *= 2) {
        gap = 30 * US;
        dxt_findings *found = judge_path(ranks, between, ranks);
        assert_int_equal(found->finding_count, 0);
        assert_int_equal(found->likely_node_size, 8);
        assert_int_equal(found->verdict, DXT_VERDICT_HEALTHY);
        dxt_findings_free(found);
        /* Of its own size, not half as large again. */
        found = judge_path(ranks, between, 5);
        assert_int_equal(only(found, DXT_LATE_RANK)->rank, 5);
        assert_near(found->findings[0].wait, 40 * US, 3 * US);
        dxt_findings_free(found);
    }
    /* Who it is, the way or the node, is not said of nodes that are only likely. */
    dxt_findings *found = judge_path(16, one_way, 16);
    assert_int_equal(found->finding_count, 0);
    assert_int_equal(found->likely_node_size, 8);
    assert_int_equal(found->verdict, DXT_VERDICT_INCONCLUSIVE);
    dxt_findings_free(found);
    found = judge_path(16, uplink_of_rank, 16);
    assert_int_equal(only(found, DXT_SLOW_LINK)->rank, 15);
    dxt_findings_free(found);
}

/* Another job's window that is given as the other operator says nothing of the nodes. */
static void blocks_of_other_ranks_are_no_hint(void **state)
{
    (void)state;
    for (uint32_t ranks = 8; ranks <= 32; ranks += 8) {
        gap = 30 * US;
        healthy(16, 7);
        job.path = between;
        dxt_window *other = arrivals_window(&job, "dispatch");
        healthy(ranks, 7);
        dxt_window *window = arrivals_window(&job, "combine");
        dxt_analysis_options options = {.struct_size = sizeof options, .companion = other};
        dxt_findings *found = analyze(window, &options);
        assert_int_equal(found->likely_node_size, ranks == 16 ? 8 : 0);
        dxt_findings_free(found);
        dxt_window_free(window);
        dxt_window_free(other);
    }
}

static void one_node_has_no_blocks(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 64; ranks *= 2) {
        for (uint64_t seed = 1; seed <= 60; seed++) {
            healthy(ranks, seed);
            if (seed % 2) job.jitter = 15 * US;
            if (seed % 3 == 0) job.late[1] = 50 * US;
            dxt_findings *found = diagnose("dispatch");
            assert_int_equal(found->likely_node_size, 0);
            dxt_findings_free(found);
        }
    }
}

/* Own node and own rail, as hybrid modes have it; `zero`: as libraries write what never came. */
static dxt_findings *judge_sparse(uint32_t ranks, bool zero, bool nodes)
{
    dxt_window *window = arrivals_window(&job, "dispatch");
    for (uint32_t i = 0; i < ranks; i++)
        for (uint32_t j = 0; j < ranks; j++)
            if (i / 8 != j / 8 && i % 8 != j % 8)
                window->wait[i * ranks + j] = zero ? 0 : DXT_NOT_OBSERVED;
    if (nodes) give_nodes(window, 8);
    dxt_findings *found = analyze(window, NULL);
    dxt_window_free(window);
    return found;
}

static void what_was_not_observed_blames_nobody(void **state)
{
    (void)state;
    for (uint32_t ranks = 16; ranks <= 32; ranks += 16) {
        for (int how = 0; how < 4; how++) {
            for (uint32_t late = 0; late <= ranks; late += 3) {
                healthy(ranks, 5);
                gap = 4 * US;
                job.path = between;
                if (late < ranks) job.late[late] = 40 * US;
                dxt_findings *found = judge_sparse(ranks, how & 1, how & 2);
                if (late < ranks)
                    assert_int_equal(only(found, DXT_LATE_RANK)->rank, late);
                else
                    assert_int_equal(found->finding_count, 0);
                dxt_findings_free(found);
            }
        }
    }
}

static void a_late_node_is_one_finding_there_too(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        healthy(32, 5);
        gap = 4 * US;
        job.path = between;
        for (uint32_t r = 16; r < 24; r++) job.late[r] = 60 * US;
        dxt_findings *found = judge_sparse(32, how & 1, how & 2);
        assert_int_equal(only(found, DXT_LATE_NODE)->node, how & 2 ? 12 : 2);
        dxt_findings_free(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_a_hint_and_no_ranks),
        cmocka_unit_test(blocks_of_other_ranks_are_no_hint),
        cmocka_unit_test(one_node_has_no_blocks),
        cmocka_unit_test(what_was_not_observed_blames_nobody),
        cmocka_unit_test(a_late_node_is_one_finding_there_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
