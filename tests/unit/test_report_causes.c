/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of links, of several paths that are one cause, and of many findings. */
#include <time.h>

#include "alloc_fail.h"
#include "reported.h"

static void links_say_which_way_and_to_whom(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding finding = make_finding(DXT_SLOW_LINK);
    finding.direction = DXT_DIRECTION_BOTH;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "the link of rank 2 is slow in both directions in dispatch: +1.03 ms per "
                    "operation, 38 % of the step, with all other ranks");
    finding.or_irregular = 1;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "the link of rank 2 is slow in both directions in dispatch: +1.03 ms per "
                    "operation, 38 % of the step, with all other ranks; or its work is irregular, "
                    "now early, now late");
    finding.or_irregular = 0;
    finding.direction = DXT_DIRECTION_IN;
    finding.between_nodes = 1;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "the link of rank 2 receives slowly in dispatch: +1.03 ms per "
                    "operation, 38 % of the step, with all ranks of other nodes");
    finding = make_finding(DXT_SLOW_NODE_LINK);
    finding.direction = DXT_DIRECTION_OUT;
    finding.node = 1;
    finding.ranks = node_ranks;
    finding.rank_count = 8;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "the uplink of node 1 (ranks 8–15) sends slowly in dispatch: "
                    "+1.03 ms per operation, 38 % of the step, with all other nodes");
    dxt_window_free(window);
}

/* What a rank's lateness comes from, where most of it can. */
static void a_rank_that_waited_for_a_core_says_so(void **state)
{
    (void)state;
    static const char *const LATE = "rank 2 is late in dispatch: +1.03 ms per operation, 38 % of "
                                    "the step";
    char expected[256];
    dxt_window *window = make_window(4);
    dxt_finding finding = make_finding(DXT_LATE_RANK);
    window->ops = 10;
    window->run_delay_ns = calloc(4, sizeof *window->run_delay_ns);
    assert_non_null(window->run_delay_ns);
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP, LATE);
    window->run_delay_ns[2] = 5100000;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP, LATE);
    window->run_delay_ns[2] = 5200000; /* half of it */
    snprintf(expected, sizeof expected, "%s; its thread waited 5.20 ms for a CPU core", LATE);
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP, expected);
    expect_sentence(window, &finding, DXT_MEASURE_NS,
                    "rank 2 is late in dispatch: +1.03 ms in the window, 38 % of the step; its "
                    "thread waited 5.20 ms for a CPU core");
    finding.wait = NAN;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 is late in dispatch: 38 % of the step");
    dxt_window_free(window);
}

/* As far as it is known: by host name, or by device. */
static void a_rank_is_a_place(void **state)
{
    (void)state;
    dxt_window *window = make_window(3);
    dxt_finding finding = make_finding(DXT_SILENT_RANK);
    window->devices = calloc(3, sizeof *window->devices);
    for (int r = 0; r < 3; r++) window->devices[r] = (dxt_place){.gpu = -1, .rank = -1};
    window->devices[2].gpu = 5;
    expect_sentence(window, &finding, DXT_MEASURE_NS,
                    "rank 2 (GPU 5) sent no counters: stopped, hung or dead?");
    strcpy(window->devices[2].host, "gpu-17");
    expect_sentence(window, &finding, DXT_MEASURE_NS,
                    "rank 2 (host gpu-17, GPU 5) sent no counters: stopped, hung or dead?");
    window->devices[2].gpu = -1;
    expect_sentence(window, &finding, DXT_MEASURE_NS,
                    "rank 2 (host gpu-17) sent no counters: stopped, hung or dead?");
    finding.rank = 1;
    expect_sentence(window, &finding, DXT_MEASURE_NS,
                    "rank 1 sent no counters: stopped, hung or dead?");
    dxt_findings findings = make_findings(&finding, 1);
    findings.ranks = 3;
    window->begin = strdup("2026-11-26T03:12:40.000Z");
    setenv("TZ", "<+01>-1", 1);
    tzset();
    out_size = 0;
    assert_int_equal(dxt_report_text(window, &findings, collect, NULL), DXT_OK);
    assert_non_null(strstr(out, ", 2026-11-26 04:12:40 +01:00, 3 ranks: "));
    unsetenv("TZ");
    tzset();
    dxt_window_free(window);
}

/* A host without a name, or none, is not told of. */
static void hosts_may_be_known_of_some_ranks(void **state)
{
    (void)state;
    static const char *const unknown[] = {NULL, ""};
    dxt_window *window = make_window(3);
    dxt_finding finding = make_finding(DXT_SILENT_RANK);
    dxt_findings findings = make_findings(&finding, 1);
    findings.ranks = 3;
    window->hosts = calloc(3, sizeof *window->hosts);
    assert_non_null(window->hosts);
    window->hosts[0] = strdup("gpu-17");
    for (size_t i = 0; i < 2; i++) {
        finding.rank = 2;
        window->hosts[2] = unknown[i] ? strdup(unknown[i]) : NULL;
        expect_sentence(window, &finding, DXT_MEASURE_NS,
                        "rank 2 sent no counters: stopped, hung or dead?");
        out_size = 0;
        assert_int_equal(dxt_report_json(window, &findings, collect, NULL), DXT_OK);
        assert_null(strstr(out, "\"host\""));
        finding.rank = 0;
        out_size = 0;
        assert_int_equal(dxt_report_json(window, &findings, collect, NULL), DXT_OK);
        assert_non_null(strstr(out, "\"host\":\"gpu-17\""));
        free(window->hosts[2]);
        window->hosts[2] = NULL;
    }
    dxt_window_free(window);
}

/* Which of two it is cannot always be told: what it costs if it is the late one. */
static void of_two_ranks_it_may_be_either(void **state)
{
    (void)state;
    dxt_window *window = make_window(2);
    dxt_finding finding = make_finding(DXT_LATE_RANK);
    finding.rank = 1;
    finding.or_early = 1;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 1 is late or rank 0 early in dispatch: 1.03 ms per operation, up to 38 % "
                    "of the step");
    finding.share = NAN;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 1 is late or rank 0 early in dispatch: 1.03 ms per operation");
    finding.wait = NAN;
    finding.share = 0.38;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 1 is late or rank 0 early in dispatch: up to 38 % of the step");
    dxt_findings findings = make_findings(&finding, 1);
    findings.ranks = 2;
    out_size = 0;
    assert_int_equal(dxt_report_json(window, &findings, collect, NULL), DXT_OK);
    assert_non_null(strstr(out, "\"kind\":\"late_rank\",\"rank\":1,\"or_early\":0,"));
    finding.or_early = 0;
    out_size = 0;
    assert_int_equal(dxt_report_json(window, &findings, collect, NULL), DXT_OK);
    assert_null(strstr(out, "or_early"));
    dxt_window_free(window);
}

static void paths_of_one_cause_are_counted(void **state)
{
    (void)state;
    static const uint32_t list[] = {3, 11, 11, 3}, rail[] = {3, 11};
    static const int32_t between[] = {0, 1};
    dxt_window *window = make_window(16);
    dxt_finding finding = make_finding(DXT_SLOW_PATH);
    finding.rank = DXT_NO_RANK;
    finding.paths = list;
    finding.path_count = 2;
    finding.path_total = 5;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "5 paths are slow in dispatch: +1.03 ms per operation, 38 % of the step");
    finding.source = 3;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "5 paths from rank 3 are slow in dispatch: +1.03 ms per operation, 38 % of the "
                    "step");
    finding.source = DXT_NO_RANK;
    finding.rank = 3;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "5 paths to rank 3 are slow in dispatch: +1.03 ms per operation, 38 % of the "
                    "step");
    finding.ranks = rail;
    finding.rank_count = 2;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "5 paths between ranks 3, 11 are slow in dispatch: +1.03 ms per operation, "
                    "38 % of the step");
    finding.kind = DXT_PATH_STALLS;
    finding.nodes = between;
    finding.node_count = 2;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "5 paths stall now and then between nodes 0, 1 in dispatch: up to 1.03 ms per "
                    "operation, 38 % of the step; no path in particular");
    dxt_window_free(window);
}

static void json_has_lists_directions_and_reasons(void **state)
{
    (void)state;
    static const uint32_t paths[] = {3, 11, 11, 3}, rail[] = {3, 11};
    static const int32_t between[] = {0, 1};
    dxt_window *window = make_window(16);
    dxt_finding list[5];
    for (size_t i = 0; i < 5; i++) list[i] = make_finding(DXT_SLOW_LINK);
    list[0].direction = DXT_DIRECTION_BOTH;
    list[0].between_nodes = 1;
    list[1].kind = DXT_SLOW_PATH;
    list[1].rank = DXT_NO_RANK;
    list[1].ranks = rail;
    list[1].rank_count = 2;
    list[1].paths = paths;
    list[1].path_count = 2;
    list[1].path_total = 7;
    list[2].kind = DXT_PATH_STALLS;
    list[2].rank = DXT_NO_RANK;
    list[2].path_total = 90;
    list[2].nodes = between;
    list[2].node_count = 2;
    list[2].share_most = 0.7;
    list[3].kind = DXT_SLOW_NODE_LINK;
    list[3].direction = DXT_DIRECTION_IN;
    list[3].node = 1;
    list[3].ranks = node_ranks;
    list[3].rank_count = 8;
    list[4].kind = DXT_SILENT_RANK;
    list[4].silence = DXT_SILENCE_TIMED_OUT;
    dxt_findings findings = make_findings(list, 5);
    findings.likely_node_size = 8;
    json_decref(report_json(window, &findings));
    static const char *const parts[] = {
        "{\"kind\":\"slow_link\",\"rank\":2,\"direction\":\"both\",\"between_nodes\":true,",
        "{\"kind\":\"slow_path\",\"ranks\":[3,11],\"paths\":[[3,11],[11,3]],\"path_count\":7,",
        "{\"kind\":\"path_stalls\",\"path_count\":90,\"nodes\":[0,1],",
        "\"share\":0.38,\"share_most\":0.7,",
        "{\"kind\":\"slow_node_link\",\"node\":1,\"ranks\":[8,9,10,11,12,13,14,15],"
        "\"direction\":\"in\",",
        "{\"kind\":\"silent_rank\",\"rank\":2,\"reason\":\"timed out\",",
        "}],\"likely_ranks_per_node\":8}",
    };
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
        if (!strstr(out, parts[k])) fail_msg("'%s' is not in\n%s", parts[k], out);
    dxt_mark *marks;
    size_t count;
    assert_int_equal(dxt_report_marks(window, &findings, &marks, &count), DXT_OK);
    assert_int_equal(count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        /* What comes in slowly stands in the rows of the node. */
        assert_int_equal(marks[i].kind, DXT_MARK_ROW);
        assert_int_equal(marks[i].row, 8 + i);
    }
    free(marks);
    list[3].direction = DXT_DIRECTION_OUT;
    assert_int_equal(dxt_report_marks(window, &findings, &marks, &count), DXT_OK);
    assert_int_equal(count, 8);
    assert_int_equal(marks[7].kind, DXT_MARK_COLUMN);
    assert_int_equal(marks[7].column, 15);
    free(marks);
    list[3].direction = DXT_DIRECTION_BOTH;
    assert_int_equal(dxt_report_marks(window, &findings, &marks, &count), DXT_OK);
    assert_int_equal(count, 16);
    assert_int_equal(marks[7].kind, DXT_MARK_COLUMN);
    assert_int_equal(marks[8].kind, DXT_MARK_ROW);
    free(marks);
    dxt_window_free(window);
}

static void a_path_between_nodes_marks_what_is_observed_of_it(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    static const int32_t nodes[16] = {0, 1, 0, 1, 2, 2};
    dxt_finding finding = make_finding(DXT_SLOW_NODE_PATH);
    finding.node = 1;
    finding.source_node = 2;
    dxt_findings findings = make_findings(&finding, 1);
    dxt_mark *marks;
    size_t count;
    assert_int_equal(dxt_report_marks(window, &findings, &marks, &count), DXT_OK);
    assert_int_equal(count, 0); /* whose ranks these are nobody knows */
    free(marks);
    window->nodes = malloc(sizeof nodes);
    assert_non_null(window->nodes);
    memcpy(window->nodes, nodes, sizeof nodes);
    window->wait[3 * 16 + 4] = DXT_NOT_OBSERVED;
    static const uint32_t expected[][2] = {{1, 4}, {1, 5}, {3, 5}};
    assert_int_equal(dxt_report_marks(window, &findings, &marks, &count), DXT_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(marks[i].kind, DXT_MARK_POINT);
        assert_int_equal(marks[i].row, expected[i][0]);
        assert_int_equal(marks[i].column, expected[i][1]);
    }
    free(marks);
    dxt_window_free(window);
}

static void of_many_findings_ten_are_told_and_the_rest_counted(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding list[13];
    for (size_t i = 0; i < 13; i++) {
        list[i] = make_finding(DXT_LATE_RANK);
        list[i].rank = (uint32_t)i;
    }
    dxt_findings findings = make_findings(list, 13);
    out_size = 0;
    assert_int_equal(dxt_report_text(window, &findings, collect, NULL), DXT_OK);
    assert_non_null(strstr(out, "13 findings"));
    assert_non_null(strstr(out, "rank 9 is late"));
    assert_null(strstr(out, "rank 10 is late"));
    assert_non_null(strstr(out, "\n  and 3 more that cost less (--json has them all)\n"));
    findings.finding_count = 0;
    findings.verdict = DXT_VERDICT_HEALTHY;
    findings.likely_node_size = 8;
    out_size = 0;
    assert_int_equal(dxt_report_text(window, &findings, collect, NULL), DXT_OK);
    assert_non_null(strstr(out, "ranks 8–15, and so on,"));
    assert_non_null(strstr(out, "--ranks-per-node 8\n"));
    dxt_window_free(window);
}

static const double ahead_or_late[16] = {0, 0, 0, 0, -50, -60, 0, 1, 30, 40, 0, 0, 0, 0, 0, 55};

/* Rank 15 is named; ranks 8 and 9 are held up by something else, ranks 4 and 5 come early. */
static void who_stands_out_unnamed_is_explained(void **state)
{
    (void)state;
    unsigned char ranks[16];
    char words[DXT_EXPLAINED_SIZE];
    dxt_window *window = make_window(16);
    dxt_finding finding = make_finding(DXT_LATE_RANK);
    dxt_abnormal_axis column = {.rank = 15};
    dxt_findings findings = make_findings(&finding, 1);
    findings.cols = &column;
    findings.col_count = 1;
    findings.lateness = ahead_or_late;
    findings.floor = 10;
    findings.inherited = 1;
    assert_int_equal(
        dxt_report_explained(window, &findings, DXT_EXPLAINED_HELD_UP, ranks, words, sizeof words),
        2);
    assert_string_equal(words, "columns 8–9 are no findings of their own");
    assert_true(ranks[8] && ranks[9] && !ranks[15]);
    /* What findings name is the reason, so nothing is told of those ahead. */
    assert_int_equal(dxt_report_explained(window, &findings, DXT_EXPLAINED_AHEAD, ranks, NULL, 0),
                     0);
    findings.finding_count = findings.col_count = 0;
    findings.inherited = 0;
    assert_int_equal(dxt_report_explained(window, &findings, DXT_EXPLAINED_AHEAD, ranks, words, 10),
                     2);
    assert_string_equal(words, "rows 4–");
    /* Who wants no words needs no memory for them. */
    alloc_count_begin();
    assert_int_equal(dxt_report_explained(window, &findings, DXT_EXPLAINED_AHEAD, ranks, NULL, 0),
                     2);
    assert_int_equal(alloc_count(), 0);
    out_size = 0;
    assert_int_equal(dxt_report_json(window, &findings, collect, NULL), DXT_OK);
    assert_non_null(strstr(out, "\"explained\":[{\"why\":\"ahead\",\"rows\":[4,5],\"text\":"
                                "\"rows 4–5 are no findings of their own\"}]"));
    /* What is not worth telling is not told. */
    findings.floor = 60;
    out_size = 0;
    assert_int_equal(dxt_report_json(window, &findings, collect, NULL), DXT_OK);
    assert_null(strstr(out, "explained"));
    window->missing = calloc(16, 1);
    assert_non_null(window->missing);
    window->missing[3] = 1;
    set_column(window, 3, 90000000);
    assert_int_equal(
        dxt_report_explained(window, &findings, DXT_EXPLAINED_SILENT, ranks, words, sizeof words),
        1);
    assert_string_equal(words, "column 3: the others wait for rank 3, which is silent");
    dxt_window_free(window);
}

/* However long others wait for it: who is no later than is worth telling was held up by nobody. */
static void who_is_hardly_late_was_not_held_up(void **state)
{
    (void)state;
    static const double lateness[16] = {[3] = -50, [7] = 20, [15] = 55};
    unsigned char ranks[16];
    char words[DXT_EXPLAINED_SIZE];
    dxt_window *window = make_window(16);
    dxt_findings findings = make_findings(NULL, 0);
    findings.lateness = lateness;
    findings.inherited = 1;
    set_column(window, 2, 90000000);
    findings.floor = 54;
    assert_int_equal(
        dxt_report_explained(window, &findings, DXT_EXPLAINED_HELD_UP, ranks, words, sizeof words),
        1);
    assert_string_equal(words, "column 15 is no finding of its own");
    assert_true(ranks[15] && !ranks[2]);
    findings.floor = 56;
    memset(ranks, 1, sizeof ranks);
    assert_int_equal(
        dxt_report_explained(window, &findings, DXT_EXPLAINED_HELD_UP, ranks, words, sizeof words),
        0);
    assert_string_equal(words, "");
    for (int r = 0; r < 16; r++) assert_int_equal(ranks[r], 0);
    out_size = 0;
    assert_int_equal(dxt_report_json(window, &findings, collect, NULL), DXT_OK);
    assert_null(strstr(out, "explained"));
    findings.floor = 10;
    findings.lateness = NULL;
    assert_int_equal(
        dxt_report_explained(window, &findings, DXT_EXPLAINED_HELD_UP, ranks, words, sizeof words),
        0);
    dxt_window_free(window);
}

/* All of an answer or none; nothing is left allocated. */
static void without_memory_nothing_is_explained(void **state)
{
    (void)state;
    static const double lateness[16] = {[3] = 50, [4] = 55, [15] = -60};
    dxt_window *window = make_window(16);
    dxt_abnormal_axis column = {.rank = 9};
    dxt_findings findings = make_findings(NULL, 0);
    findings.cols = &column;
    findings.col_count = 1;
    findings.lateness = lateness;
    findings.floor = 10;
    window->missing = calloc(16, 1);
    assert_non_null(window->missing);
    window->missing[3] = 1;
    set_column(window, 3, 90000000);
    for (int why = DXT_EXPLAINED_HELD_UP; why <= DXT_EXPLAINED_AHEAD; why++) {
        unsigned char ranks[16];
        char words[DXT_EXPLAINED_SIZE];
        uint32_t count;
        long k = 1;
        findings.inherited = why == DXT_EXPLAINED_HELD_UP;
        for (; alloc_fail_arm(k),
               count = dxt_report_explained(window, &findings, (dxt_explained)why, ranks, words,
                                            sizeof words),
               alloc_fail_disarm();
             k++) {
            assert_int_equal(count, 0);
            assert_string_equal(words, "");
            for (int r = 0; r < 16; r++) assert_int_equal(ranks[r], 0);
        }
        assert_true(k > 1);
        assert_true(count > 0 && words[0]);
        dxt_status status;
        for (k = 1; alloc_fail_arm(k), out_size = 0,
            status = dxt_report_json(window, &findings, collect, NULL), alloc_fail_disarm();
             k++)
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_int_equal(status, DXT_OK);
        assert_non_null(strstr(out, words));
    }
    dxt_window_free(window);
}

/* Of others than those of the window nothing is told. */
static void findings_of_other_ranks_explain_nothing(void **state)
{
    (void)state;
    unsigned char ranks[16];
    char words[DXT_EXPLAINED_SIZE] = "as before";
    dxt_window *window = make_window(8);
    dxt_findings findings = make_findings(NULL, 0);
    findings.ranks = 16;
    findings.lateness = ahead_or_late;
    findings.floor = 10;
    assert_int_equal(
        dxt_report_explained(window, &findings, DXT_EXPLAINED_AHEAD, ranks, words, sizeof words),
        0);
    assert_string_equal(words, "");
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_say_which_way_and_to_whom),
        cmocka_unit_test(a_rank_is_a_place),
        cmocka_unit_test(hosts_may_be_known_of_some_ranks),
        cmocka_unit_test(a_rank_that_waited_for_a_core_says_so),
        cmocka_unit_test(of_two_ranks_it_may_be_either),
        cmocka_unit_test(paths_of_one_cause_are_counted),
        cmocka_unit_test(json_has_lists_directions_and_reasons),
        cmocka_unit_test(a_path_between_nodes_marks_what_is_observed_of_it),
        cmocka_unit_test(who_stands_out_unnamed_is_explained),
        cmocka_unit_test(who_is_hardly_late_was_not_held_up),
        cmocka_unit_test(without_memory_nothing_is_explained),
        cmocka_unit_test(findings_of_other_ranks_explain_nothing),
        cmocka_unit_test(of_many_findings_ten_are_told_and_the_rest_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
