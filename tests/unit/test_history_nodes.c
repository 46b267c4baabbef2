/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of one run that do not say the nodes: what is measured from a rank's node in one operator
 * is measured from it in the other one, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/history.h>

#include "coupled.h"

enum { WINDOWS = 8, NODE = 8, BAD = 15 };

static int slow_in; /* the operator in which the link of rank BAD is slow both ways */

static double slow_both_ways(int op, uint32_t i, uint32_t j)
{
    return op == slow_in && apart(i, j) && (i == BAD || j == BAD) ? 60 * US : 0;
}

static double to_rank_1(int op, uint32_t i, uint32_t j)
{
    (void)j;
    return op == DISPATCH && i == 1 ? 60 * US : 0;
}

static double late_in_combine(int op, uint32_t k)
{
    return op == COMBINE && k == BAD ? 60 * US : 0;
}

static void without_nodes(dxt_window *windows[OPERATORS], int64_t index)
{
    simulate(windows);
    for (int op = 0; op < OPERATORS; op++) {
        free(windows[op]->nodes);
        windows[op]->nodes = NULL;
        windows[op]->index = index;
    }
}

/* Judge a run of which nobody told the nodes.
 * @param size  ranks of a node as the options have it; 0 = only the waits show it.
 * @return The windows of operator @p of in which rank BAD is called late. */
static uint32_t called_late(uint32_t size, int of, uint64_t seed)
{
    dxt_history *history;
    uint32_t late = 0;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    for (int64_t w = 0; w < WINDOWS; w++) {
        dxt_window *windows[OPERATORS];
        run.seed = seed * WINDOWS + (uint64_t)w;
        without_nodes(windows, w);
        for (int op = 0; op < OPERATORS; op++) {
            dxt_findings *alone, *judged;
            const dxt_analysis_options options = {.struct_size = sizeof options,
                                                  .companion = windows[1 - op],
                                                  .ranks_per_node = size};
            assert_int_equal(dxt_analyze(windows[op], &options, &alone), DXT_OK);
            assert_int_equal(alone->node_size, NODE);
            assert_int_equal(dxt_history_judge(history, windows[op], alone, &judged), DXT_OK);
            assert_int_equal(judged->node_size, NODE);
            for (size_t f = 0; op == of && f < judged->finding_count; f++)
                late +=
                    judged->findings[f].kind == DXT_LATE_RANK && judged->findings[f].rank == BAD;
            dxt_findings_free(judged);
            dxt_findings_free(alone);
        }
        for (int op = 0; op < OPERATORS; op++) dxt_window_free(windows[op]);
    }
    dxt_history_destroy(history);
    return late;
}

static void who_hears_late_is_not_late_in_the_other_operator(void **state)
{
    (void)state;
    for (uint32_t ranks = 16; ranks <= 32; ranks *= 2) {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            for (slow_in = 0; slow_in < OPERATORS; slow_in++) {
                begin(ranks, NODE, seed);
                run.gap = 30 * US;
                run.path = slow_both_ways;
                assert_int_equal(called_late(NODE, 1 - slow_in, seed), 0);
                assert_int_equal(called_late(0, 1 - slow_in, seed), 0);
            }
        }
    }
}

static void who_is_late_itself_is_called_so(void **state)
{
    (void)state;
    begin(32, NODE, 1);
    run.gap = 30 * US;
    run.late = late_in_combine;
    assert_int_equal(called_late(NODE, COMBINE, 1), WINDOWS);
    assert_int_equal(called_late(0, COMBINE, 1), WINDOWS);
}

/* Nodes of one rank each are of no use: lateness is measured from all ranks, and so is who leaves
 * late. */
static void who_hears_late_on_a_node_of_its_own_is_not_late(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 8; ranks++) {
        dxt_history *history;
        assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
        for (int64_t w = 0; w < WINDOWS; w++) {
            dxt_window *windows[OPERATORS];
            begin(ranks, 1, ranks * WINDOWS + (uint64_t)w);
            run.path = to_rank_1;
            simulate(windows);
            for (int op = 0; op < OPERATORS; op++) {
                dxt_findings *alone, *judged;
                const dxt_analysis_options options = {.struct_size = sizeof options,
                                                      .companion = windows[1 - op]};
                windows[op]->index = w;
                assert_int_equal(dxt_analyze(windows[op], &options, &alone), DXT_OK);
                assert_int_equal(dxt_history_judge(history, windows[op], alone, &judged), DXT_OK);
                assert_int_equal(count_of(judged, DXT_LATE_RANK), 0);
                assert_int_equal(judged->row_count, op == DISPATCH);
                dxt_findings_free(judged);
                dxt_findings_free(alone);
            }
            for (int op = 0; op < OPERATORS; op++) dxt_window_free(windows[op]);
        }
        dxt_history_destroy(history);
    }
}

/* A window that says its nodes needs no size, and one node has none. */
static void what_is_told_or_one_node_has_no_size(void **state)
{
    dxt_findings *found[OPERATORS];
    (void)state;
    for (uint32_t node = 0; node <= NODE; node += NODE) {
        begin(32, node, 1);
        run.gap = 30 * US;
        judge(found);
        for (int op = 0; op < OPERATORS; op++) assert_int_equal(found[op]->node_size, 0);
        release(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_hears_late_is_not_late_in_the_other_operator),
        cmocka_unit_test(who_is_late_itself_is_called_so),
        cmocka_unit_test(who_hears_late_on_a_node_of_its_own_is_not_late),
        cmocka_unit_test(what_is_told_or_one_node_has_no_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
