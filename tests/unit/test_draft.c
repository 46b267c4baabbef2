/* SPDX-License-Identifier: Apache-2.0 */
/* Findings keep their lists while the draft grows, is packed and is copied. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "analysis/pack.h"

#define FINDINGS 40u

/* Paths, a rail's ranks and nodes for each finding, and a node whose ranks are filled in. */
static void write_all(dxt_draft *draft)
{
    dxt_draft_reset(draft, DXT_METHOD_ROBUST);
    for (uint32_t k = 0; k < FINDINGS; k++) {
        uint32_t paths[] = {k, k + 1, k + 2, k + 3}, ranks[] = {k, 100};
        int32_t nodes[] = {(int32_t)k, -7};
        dxt_finding *finding = dxt_draft_finding(draft, DXT_SLOW_PATH);
        if (!finding) return;
        finding->wait = FINDINGS - k;
        dxt_draft_list(draft, DXT_LIST_PATHS, paths, 2);
        dxt_draft_list(draft, DXT_LIST_RANKS, ranks, 2);
        dxt_draft_list(draft, DXT_LIST_NODES, nodes, 2);
    }
    dxt_finding *node = dxt_draft_finding(draft, DXT_SLOW_NODE_LINK);
    if (!node) return;
    node->node = 3;
    node->wait = 0.5;
}

static void assert_all(const dxt_findings *findings)
{
    assert_int_equal(findings->finding_count, FINDINGS + 1);
    for (uint32_t k = 0; k < FINDINGS; k++) {
        const dxt_finding *finding = &findings->findings[k];
        assert_int_equal(finding->path_count, 2);
        assert_int_equal(finding->path_total, 2);
        for (uint32_t p = 0; p < 4; p++) assert_int_equal(finding->paths[p], k + p);
        assert_int_equal(finding->rank_count, 2);
        assert_int_equal(finding->ranks[0], k);
        assert_int_equal(finding->ranks[1], 100);
        assert_int_equal(finding->node_count, 2);
        assert_int_equal(finding->nodes[0], k);
        assert_int_equal(finding->nodes[1], -7);
    }
    const dxt_finding *node = &findings->findings[FINDINGS];
    assert_int_equal(node->rank_count, 2);
    assert_int_equal(node->ranks[0], 2);
    assert_int_equal(node->ranks[1], 3);
}

static dxt_window *window;
static const int32_t nodes_of_ranks[] = {2, 2, 3, 3};

static dxt_status pack(dxt_draft *draft, dxt_block *result)
{
    write_all(draft);
    return dxt_draft_pack(draft, window, nodes_of_ranks, result);
}

static dxt_status copy(const dxt_findings *from, dxt_draft *draft, dxt_block *result)
{
    dxt_draft_reset(draft, DXT_METHOD_ROBUST);
    for (size_t f = 0; f < from->finding_count; f++) dxt_draft_copy(draft, &from->findings[f]);
    return dxt_draft_pack(draft, window, nodes_of_ranks, result);
}

static void lists_survive_growth_packing_and_copying(void **state)
{
    (void)state;
    dxt_draft draft = {0};
    dxt_block first = {0}, second = {0};
    assert_int_equal(pack(&draft, &first), DXT_OK);
    assert_all(first.data);
    assert_int_equal(copy(first.data, &draft, &second), DXT_OK);
    free(first.data);
    dxt_draft_free(&draft);
    assert_all(second.data);
    free(second.data);
}

static void what_is_reserved_is_not_allocated_again(void **state)
{
    (void)state;
    dxt_draft draft = {0};
    dxt_block result = {0};
    assert_int_equal(dxt_draft_reserve(&draft, 4, 0, &result), DXT_OK);
    alloc_count_begin();
    assert_int_equal(pack(&draft, &result), DXT_OK);
    assert_int_equal(alloc_count(), 0);
    assert_all(result.data);
    dxt_draft_free(&draft);
    free(result.data);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    long k = 1;
    dxt_status status;
    for (;; k++) {
        dxt_draft draft = {0};
        dxt_block first = {0}, second = {0};
        alloc_fail_arm(k);
        status = pack(&draft, &first);
        if (status == DXT_OK) status = copy(first.data, &draft, &second);
        bool failed = alloc_fail_disarm();
        dxt_draft_free(&draft);
        free(first.data);
        free(second.data);
        if (!failed) break;
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    }
    assert_int_equal(status, DXT_OK);
    assert_true(k > 4);
}

static void directions_and_reasons_have_names(void **state)
{
    (void)state;
    assert_string_equal(dxt_finding_kind_name(DXT_SLOW_LINK), "slow_link");
    assert_string_equal(dxt_finding_kind_name(DXT_PATH_STALLS), "path_stalls");
    assert_string_equal(dxt_finding_kind_name(DXT_SLOW_NODE_LINK), "slow_node_link");
    assert_string_equal(dxt_direction_name(DXT_DIRECTION_NONE), "none");
    assert_string_equal(dxt_direction_name(DXT_DIRECTION_IN), "in");
    assert_string_equal(dxt_direction_name(DXT_DIRECTION_OUT), "out");
    assert_string_equal(dxt_direction_name(DXT_DIRECTION_BOTH), "both");
    assert_string_equal(dxt_silence_name(DXT_SILENCE_NO_COUNTERS), "no counters");
    assert_string_equal(dxt_silence_name(DXT_SILENCE_NO_PART), "takes no part");
    assert_string_equal(dxt_silence_name(DXT_SILENCE_TIMED_OUT), "timed out");
    assert_string_equal(dxt_method_name(DXT_METHOD_ROBUST), "robust");
    assert_string_equal(dxt_method_name(DXT_METHOD_RATIO), "ratio");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_survive_growth_packing_and_copying),
        cmocka_unit_test(what_is_reserved_is_not_allocated_again),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(directions_and_reasons_have_names),
    };
    if (dxt_window_create(4, "dispatch", &window) != DXT_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dxt_window_free(window);
    return failed;
}
