/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "reported.h"

/* ---- sentences ---- */

static void a_late_rank_is_said_in_one_sentence(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding finding = make_finding(DXT_LATE_RANK);
    set_column(window, 2, 10310000);
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 is late in dispatch: +1.03 ms per operation, 38 % of the step; all 15 "
                    "others wait for it");
    /* Another late rank does not wait; nor does one that sent nothing count. */
    window->wait[5 * 16 + 2] = 0;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 is late in dispatch: +1.03 ms per operation, 38 % of the step; 14 of "
                    "15 others wait for it");
    window->missing = calloc(16, 1);
    assert_non_null(window->missing);
    window->missing[5] = 1;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 is late in dispatch: +1.03 ms per operation, 38 % of the step; all 14 "
                    "others wait for it");
    finding.share = NAN;
    set_column(window, 2, 0);
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 is late in dispatch: +1.03 ms per operation");
    dxt_window_free(window);
}

static void of_two_ranks_the_other_is_named(void **state)
{
    (void)state;
    dxt_window *window = make_window(2);
    dxt_finding finding = make_finding(DXT_LATE_RANK);
    finding.rank = 1;
    finding.wait = 950;
    finding.share = 0.0123;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 1 is late in dispatch: +950 ns per operation, 1.2 % of the step; rank 0 "
                    "waits for it");
    dxt_window_free(window);
}

static void every_kind_has_its_sentence(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding finding = make_finding(DXT_EARLY_RANK);
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 is early in dispatch: it waits 1.03 ms longer per operation than the "
                    "others (harmless: nobody waits for it)");
    window->origin = DXT_ORIGIN_DURATION;
    expect_sentence(
        window, &finding, DXT_MEASURE_NS_PER_OP,
        "rank 2 waits 1.03 ms longer per operation in dispatch than the others: it comes "
        "earlier, or leaves later");
    window->origin = DXT_ORIGIN_UNKNOWN;
    finding.kind = DXT_SLOW_RECEIVER;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 receives slowly in dispatch: +1.03 ms per operation, 38 % of the step; "
                    "it waits for everybody");
    finding.kind = DXT_HOT_EXPERT;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 receives more than its share (hot expert) in dispatch and answers "
                    "late: +1.03 ms per operation, 38 % of the step");
    finding.kind = DXT_SLOW_PATH;
    finding.source = 0;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "the path 0 → 2 is slow in dispatch: rank 2 waits 1.03 ms longer per operation "
                    "for rank 0 than for others, 38 % of the step");
    finding.kind = DXT_SYSTEMIC_SKEW;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "everybody waits for everybody in dispatch: 1.03 ms per operation, 38 % of the "
                    "step; nobody in particular is late");
    finding.share_most = 0.71;
    finding.share = 0.15;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "everybody waits for everybody in dispatch: it costs 15 to 71 % of the step; "
                    "nobody in particular is late");
    finding.share_most = NAN;
    finding.kind = DXT_SILENT_RANK;
    finding.rank = 5;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 5 sent no counters: stopped, hung or dead?");
    finding.silence = DXT_SILENCE_NO_PART;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 5 takes no part in dispatch: nobody waits for it, and it for nobody; "
                    "hung or masked?");
    int64_t issued[16] = {0}, *none = window->issued;
    window->issued = issued;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 5 takes no part in dispatch: nobody waits for it, and it for nobody; "
                    "hung or masked?");
    issued[9] = 1;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 5 takes no part in dispatch: it has begun fewer operations than the "
                    "others; hung or masked?");
    window->issued = none;
    finding.silence = DXT_SILENCE_TIMED_OUT;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 5 timed out in dispatch: the others gave up waiting for it; hung or "
                    "dead?");
    strcpy(window->phase, "combine");
    finding = make_finding(DXT_HOT_EXPERT);
    set_column(window, 2, 10000000);
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "rank 2 receives more than its share (hot expert) and answers late in combine: "
                    "+1.03 ms per operation, 38 % of the step; all 15 others wait for it");
    dxt_window_free(window);
}

static void nodes_are_named_with_their_ranks(void **state)
{
    (void)state;
    static const uint32_t scattered[] = {0, 1, 3, 5, 6, 7};
    dxt_window *window = make_window(16);
    dxt_finding finding = make_finding(DXT_LATE_NODE);
    finding.rank = DXT_NO_RANK;
    finding.node = 1;
    finding.ranks = node_ranks;
    finding.rank_count = 8;
    finding.wait = 1500;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "node 1 (ranks 8–15) is late, or its uplink slow, in dispatch: +1.50 µs per "
                    "operation, 38 % of the step; all 8 ranks of other nodes wait for it");
    finding.ranks = scattered;
    finding.rank_count = 6;
    finding.wait = 1e9;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "node 1 (ranks 0, 1, 3, 5–7) is late, or its uplink slow, in dispatch: +1.00 s "
                    "per operation, 38 % of the step");
    finding = make_finding(DXT_SLOW_NODE_PATH);
    finding.node = 1;
    finding.source_node = 0;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "the path node 0 → node 1 is slow in dispatch: node 1 waits 1.03 ms "
                    "longer per operation for node 0 than for others, 38 % of the step");
    dxt_window_free(window);
}

static void units_follow_the_measure(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding finding = make_finding(DXT_LATE_RANK);
    finding.wait = 2089715;
    finding.share = 0.0004;
    expect_sentence(window, &finding, DXT_MEASURE_CYCLES_PER_OP,
                    "rank 2 is late in dispatch: +2.1M cycles per operation, less than 0.1 % of "
                    "the step");
    finding.share = NAN;
    expect_sentence(window, &finding, DXT_MEASURE_CYCLES,
                    "rank 2 is late in dispatch: +2.1M cycles in the window");
    expect_sentence(window, &finding, DXT_MEASURE_NS,
                    "rank 2 is late in dispatch: +2.09 ms in the window");
    finding.wait = 117;
    expect_sentence(window, &finding, DXT_MEASURE_CYCLES_PER_OP,
                    "rank 2 is late in dispatch: +117 cycles per operation; all 15 others wait for "
                    "it");
    finding.wait = NAN;
    finding.share = 0.25;
    expect_sentence(window, &finding, DXT_MEASURE_NS,
                    "rank 2 is late in dispatch: 25 % of the step");
    dxt_window_free(window);
}

static void hosts_are_named_and_cleaned(void **state)
{
    (void)state;
    dxt_window *window = make_window(2);
    window->hosts = calloc(2, sizeof *window->hosts);
    assert_non_null(window->hosts);
    window->hosts[0] = strdup("gpu-17");
    window->hosts[1] = strdup("b\033[2J\xff\xc3\xa9");
    dxt_finding finding = make_finding(DXT_SLOW_PATH);
    finding.rank = 0;
    finding.source = 1;
    finding.share = NAN;
    expect_sentence(window, &finding, DXT_MEASURE_NS_PER_OP,
                    "the path 1 → 0 is slow in dispatch: rank 0 (host gpu-17) waits 1.03 ms longer "
                    "per operation for rank 1 (host b?[2J?é) than for others");
    dxt_window_free(window);
}

static void a_short_buffer_never_holds_half_a_character(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding finding = make_finding(DXT_SLOW_PATH);
    finding.source = 0;
    dxt_findings findings = make_findings(&finding, 1);
    char whole[256], buffer[256];
    size_t length = dxt_report_sentence(window, &findings, 0, whole, sizeof whole);
    for (size_t size = 1; size <= length; size++) {
        assert_int_equal(dxt_report_sentence(window, &findings, 0, buffer, size), length);
        assert_true(strlen(buffer) < size);
        json_t *valid = json_string(buffer); /* refuses what is not UTF-8 */
        assert_non_null(valid);
        json_decref(valid);
        assert_memory_equal(buffer, whole, strlen(buffer));
    }
    assert_int_equal(dxt_report_sentence(window, &findings, 0, NULL, 0), length);
    assert_int_equal(dxt_report_sentence(window, &findings, 1, buffer, sizeof buffer), 0);
    dxt_window_free(window);
}

/* ---- text and JSON ---- */

static dxt_status refuse(void *context, const void *data, size_t size)
{
    (void)context, (void)data, (void)size;
    return DXT_ERR_IO;
}

static void expect_text(const dxt_window *window, const dxt_findings *findings,
                        const char *expected)
{
    out_size = 0;
    assert_int_equal(dxt_report_text(window, findings, collect, NULL), DXT_OK);
    assert_string_equal(out, expected);
    assert_int_equal(dxt_report_text(window, findings, refuse, NULL), DXT_ERR_IO);
}

static void the_text_begins_with_the_verdict(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_findings findings = make_findings(NULL, 0);
    findings.verdict = DXT_VERDICT_HEALTHY;
    window->wait[0] = 99999999; /* a rank's wait for itself is no wait for anybody */
    window->wait[1] = 123456;
    expect_text(window, &findings,
                "dispatch, window 3, 16 ranks: healthy — nobody waits more than 12.3 µs per\n"
                "    operation for anybody\n");
    window->index = 1234567890123; /* a figure and its unit stay together */
    expect_text(window, &findings,
                "dispatch, window 1234567890123, 16 ranks: healthy — nobody waits more than\n"
                "    12.3 µs per operation for anybody\n");
    findings.verdict = DXT_VERDICT_INCONCLUSIVE;
    window->index = -1;
    expect_text(window, &findings,
                "dispatch, 16 ranks: inconclusive — too short or too noisy to tell, or something\n"
                "    that happened once\n");
    findings.lost_share = 0.284;
    expect_text(window, &findings,
                "dispatch, 16 ranks: inconclusive — about 28 % of the step is lost by ranks that\n"
                "    wait for each other, and nothing says for whom\n");
    findings.apart_share = 0.31;
    expect_text(window, &findings,
                "dispatch, 16 ranks: inconclusive — the path between the two nodes takes 31 % of\n"
                "    the step, in either direction. Distance and an uplink that is slow both ways\n"
                "    look alike: if it took less before, or takes less between other nodes, it is\n"
                "    an uplink. Test the link (ib_write_bw, iperf3)\n");
    json_t *open = report_json(window, &findings);
    assert_float_equal(json_number_value(json_object_get(open, "lost_share")), 0.284, 1e-6);
    assert_float_equal(json_number_value(json_object_get(open, "apart_share")), 0.31, 1e-6);
    json_decref(open);
    findings.lost_share = findings.apart_share = 0;
    window->case_name = strdup("d_col2_50us");
    expect_text(window, &findings,
                "dispatch, case d_col2_50us, 16 ranks: inconclusive — too short or too noisy to\n"
                "    tell, or something that happened once\n");
    memset(window->wait, 0, 16 * 16 * sizeof *window->wait);
    expect_text(window, &findings,
                "dispatch, case d_col2_50us, 16 ranks: inconclusive — nothing was counted\n");
    findings.delayed_ns = 180000000;
    findings.delayed_rank = 2;
    expect_text(window, &findings,
                "dispatch, case d_col2_50us, 16 ranks: inconclusive — rank 2 waited 180 ms for a\n"
                "    CPU core, which may be all there is to it\n");
    json_t *root = report_json(window, &findings);
    assert_int_equal(json_integer_value(json_object_get(root, "delayed_rank")), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "delayed_ns")), 180000000);
    json_decref(root);
    findings.verdict = DXT_VERDICT_HEALTHY;
    findings.inherited = 1;
    expect_text(window, &findings,
                "dispatch, case d_col2_50us, 16 ranks: healthy — its waits come from what the\n"
                "    other operator's findings name\n");
    findings.ranks = 8;
    assert_int_equal(dxt_report_text(window, &findings, collect, NULL), DXT_ERR_INVALID);
    assert_int_equal(dxt_report_json(window, &findings, collect, NULL), DXT_ERR_INVALID);
    dxt_window_free(window);
}

static void findings_follow_and_wrap_at_words(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    set_column(window, 2, 10310000);
    dxt_finding list[] = {make_finding(DXT_LATE_RANK), make_finding(DXT_SILENT_RANK)};
    list[1].rank = 11;
    list[1].severity = DXT_SEVERITY_MINOR;
    list[1].confidence = 1;
    dxt_findings findings = make_findings(list, 2);
    expect_text(
        window, &findings,
        "dispatch, window 3, 16 ranks: slow — 2 findings\n"
        "  critical  rank 2 is late in dispatch: +1.03 ms per operation, 38 % of the\n"
        "            step; all 15 others wait for it (confidence 98 %)\n"
        "  minor     rank 11 sent no counters: stopped, hung or dead? (confidence 100 %)\n");
    findings.finding_count = 1;
    out_size = 0;
    assert_int_equal(dxt_report_text(window, &findings, collect, NULL), DXT_OK);
    assert_non_null(strstr(out, "slow — 1 finding\n"));
    dxt_window_free(window);
}

static const dxt_abnormal_axis columns[] = {{2, 2089715.4, 7.25}, {9, 0.1 + 0.2, 1.0 / 3}};
static const dxt_abnormal_axis rows[] = {{6, 5, 3.5}};
static const dxt_abnormal_point points[] = {{3, 4, 125, 8.0391}};

static dxt_findings ratio_findings(void)
{
    dxt_findings findings = make_findings(NULL, 0);
    findings.method = DXT_METHOD_RATIO;
    findings.cols = columns;
    findings.col_count = 2;
    findings.rows = rows;
    findings.row_count = 1;
    findings.points = points;
    findings.point_count = 1;
    return findings;
}

static void ratio_lists_columns_rows_and_points(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_findings findings = ratio_findings();
    expect_text(window, &findings,
                "dispatch, window 3, 16 ranks: slow — 2 abnormal columns, 1 abnormal row, 1\n"
                "    abnormal point\n"
                "  column 2: mean 2.1M, 7.25 times the mean of all columns\n"
                "  column 9: mean 0.3, 0.33 times the mean of all columns\n"
                "  row 6: mean 5, 3.50 times the mean of all rows\n"
                "  point: rank 3 waits for rank 4: 125, 8.04 times the mean\n");
    findings = make_findings(NULL, 0);
    findings.method = DXT_METHOD_RATIO;
    findings.verdict = DXT_VERDICT_HEALTHY;
    expect_text(window, &findings,
                "dispatch, window 3, 16 ranks: healthy — no column, row or point above its\n"
                "    threshold\n");
    dxt_window_free(window);
}

static void json_has_its_keys_in_order(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "v",       "phase",         "window",        "ranks",           "method",
        "verdict", "abnormal_cols", "abnormal_rows", "abnormal_points", "findings"};
    dxt_window *window = make_window(16);
    dxt_findings findings = ratio_findings();
    json_t *root = report_json(window, &findings);
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach(root, key, value) assert_string_equal(key, keys[i++]);
    assert_int_equal(i, sizeof keys / sizeof keys[0]);
    /* To the last bit. */
    json_t *axis = json_array_get(json_object_get(root, "abnormal_cols"), 1);
    assert_true(json_real_value(json_array_get(axis, 1)) == 0.1 + 0.2);
    assert_true(json_real_value(json_array_get(axis, 2)) == 1.0 / 3);
    assert_non_null(strstr(out, "\"abnormal_rows\":[[6,5.0,3.5]]"));
    assert_non_null(strstr(out, "\"abnormal_points\":[[3,4,125.0,8.0391]]"));
    assert_int_equal(json_integer_value(json_object_get(root, "window")), 3);
    json_decref(root);
    window->index = -1;
    free(window->phase);
    window->phase = strdup("a\"b\\c\n\x80");
    root = report_json(window, &findings);
    assert_true(json_is_null(json_object_get(root, "window")));
    assert_string_equal(json_string_value(json_object_get(root, "phase")), "a\"b\\c\n?");
    json_decref(root);
    dxt_window_free(window);
}

static void json_findings_name_their_subject(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding list[5];
    for (size_t i = 0; i < 5; i++) list[i] = make_finding(DXT_LATE_RANK);
    list[1].kind = DXT_SLOW_PATH;
    list[1].source = 0;
    list[1].share = NAN;
    list[2] = (dxt_finding){.kind = DXT_LATE_NODE,
                            .rank = DXT_NO_RANK,
                            .node = 1,
                            .ranks = node_ranks,
                            .rank_count = 8,
                            .wait = INFINITY,
                            .share = 1};
    list[3].kind = DXT_SLOW_NODE_PATH;
    list[3].node = 2;
    list[3].source_node = 5;
    list[4].kind = DXT_SYSTEMIC_SKEW;
    list[4].rank = DXT_NO_RANK;
    dxt_findings findings = make_findings(list, 5);
    json_t *root = report_json(window, &findings);
    json_decref(root);
    assert_non_null(strstr(
        out, "[{\"kind\":\"late_rank\",\"rank\":2,\"wait_us\":1030.0,\"share\":0.38,\"severity\":"
             "\"critical\",\"confidence\":0.987,\"text\":\"rank 2 is late in dispatch: "));
    assert_non_null(
        strstr(out, "{\"kind\":\"slow_path\",\"path\":[2,0],\"wait_us\":1030.0,\"share\":null,"));
    assert_non_null(strstr(out, "{\"kind\":\"late_node\",\"node\":1,\"ranks\":[8,9,10,11,12,13,14,"
                                "15],\"wait_us\":null,\"share\":1.0,"));
    assert_non_null(strstr(out, "{\"kind\":\"slow_node_path\",\"path_nodes\":[2,5],"));
    assert_non_null(strstr(out, "{\"kind\":\"systemic_skew\",\"wait_us\":1030.0,"));
    assert_null(strstr(out, "wait_cycles"));
    findings.measure = DXT_MEASURE_CYCLES_PER_OP;
    json_decref(report_json(window, &findings));
    assert_non_null(strstr(out, "\"rank\":2,\"wait_us\":null,\"wait_cycles\":1030000.0,"));
    dxt_window_free(window);
}

/* Since when, of which job, and where: what is asked first at night. */
static void json_says_when_and_where(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding late = make_finding(DXT_LATE_RANK);
    dxt_findings findings = make_findings(&late, 1);
    json_decref(report_json(window, &findings));
    assert_null(strstr(out, "\"begin\""));
    assert_null(strstr(out, "\"device\""));
    window->begin = strdup("2026-11-26T04:34:48.250+01:00");
    window->instance = strdup("job \"7\"");
    window->devices = calloc(16, sizeof *window->devices);
    assert_non_null(window->devices);
    for (uint32_t r = 0; r < 16; r++) window->devices[r] = (dxt_place){.gpu = -1, .rank = -1};
    json_decref(report_json(window, &findings));
    assert_non_null(strstr(out,
                           ",\"begin\":\"2026-11-26T03:34:48.250Z\",\"instance\":\"job \\\"7\\\"\","
                           "\"findings\":["));
    assert_non_null(strstr(out, "\"rank\":2,\"device\":{},\"wait_us\""));
    window->devices[2] = (dxt_place){.pid = 4711,
                                     .rank = 18,
                                     .gpu = 3,
                                     .host = "gpu-07",
                                     .uuid = "GPU-5f",
                                     .pci = "0000:3b:00.0"};
    json_decref(report_json(window, &findings));
    assert_non_null(
        strstr(out, "\"rank\":2,\"host\":\"gpu-07\",\"device\":{\"gpu\":3,\"uuid\":\"GPU-5f\","
                    "\"pci\":\"0000:3b:00.0\",\"pid\":4711,\"rank\":18},\"wait_us\""));
    dxt_window_free(window);
}

static void marks_are_columns_rows_and_points(void **state)
{
    (void)state;
    dxt_window *window = make_window(16);
    dxt_finding node = make_finding(DXT_LATE_NODE);
    node.ranks = node_ranks;
    node.rank_count = 8;
    dxt_findings findings = ratio_findings();
    dxt_mark *marks;
    size_t count;
    findings.findings = &node;
    findings.finding_count = 1;
    assert_int_equal(dxt_report_marks(window, &findings, &marks, &count), DXT_OK);
    /* Column 9 is abnormal and of the node; it is marked once. */
    assert_int_equal(count, 2 + 7 + 1 + 1);
    assert_int_equal(marks[0].column, 2);
    assert_int_equal(marks[2].column, 8);
    assert_int_equal(marks[3].column, 10);
    assert_int_equal(marks[9].kind, DXT_MARK_ROW);
    assert_int_equal(marks[9].row, 6);
    assert_int_equal(marks[10].kind, DXT_MARK_POINT);
    assert_int_equal(marks[10].row, 3);
    assert_int_equal(marks[10].column, 4);
    free(marks);
    findings = make_findings(NULL, 0);
    assert_int_equal(dxt_report_marks(window, &findings, &marks, &count), DXT_OK);
    assert_null(marks);
    assert_int_equal(count, 0);
    dxt_window_free(window);
}

typedef dxt_status (*producer)(const dxt_window *, const dxt_findings *);

static dxt_status as_text(const dxt_window *window, const dxt_findings *findings)
{
    out_size = 0;
    return dxt_report_text(window, findings, collect, NULL);
}

static dxt_status as_json(const dxt_window *window, const dxt_findings *findings)
{
    out_size = 0;
    return dxt_report_json(window, findings, collect, NULL);
}

static dxt_status as_marks(const dxt_window *window, const dxt_findings *findings)
{
    dxt_mark *marks = NULL;
    size_t count;
    dxt_status status = dxt_report_marks(window, findings, &marks, &count);
    free(marks);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const producer producers[] = {as_text, as_json, as_marks};
    dxt_window *window = make_window(16);
    dxt_finding list[] = {make_finding(DXT_LATE_RANK), make_finding(DXT_SILENT_RANK)};
    dxt_findings findings = ratio_findings();
    findings.findings = list;
    findings.finding_count = 2;
    findings.method = DXT_METHOD_ROBUST;
    findings.verdict = DXT_VERDICT_HEALTHY;
    for (size_t p = 0; p < 3; p++) {
        dxt_status status;
        long k = 1;
        for (; alloc_fail_arm(k), status = producers[p](window, &findings), alloc_fail_disarm();
             k++)
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_int_equal(status, DXT_OK);
        assert_true(k > 1);
    }
    /* A finding that is not said would be taken for none. */
    char buffer[64] = "";
    alloc_fail_arm(1);
    size_t length = dxt_report_sentence(window, &findings, 0, buffer, sizeof buffer);
    assert_true(alloc_fail_disarm());
    assert_int_equal(length, strlen(buffer));
    assert_non_null(strstr(buffer, dxt_finding_kind_name(findings.findings[0].kind)));
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_rank_is_said_in_one_sentence),
        cmocka_unit_test(of_two_ranks_the_other_is_named),
        cmocka_unit_test(every_kind_has_its_sentence),
        cmocka_unit_test(nodes_are_named_with_their_ranks),
        cmocka_unit_test(units_follow_the_measure),
        cmocka_unit_test(hosts_are_named_and_cleaned),
        cmocka_unit_test(a_short_buffer_never_holds_half_a_character),
        cmocka_unit_test(the_text_begins_with_the_verdict),
        cmocka_unit_test(findings_follow_and_wrap_at_words),
        cmocka_unit_test(ratio_lists_columns_rows_and_points),
        cmocka_unit_test(json_has_its_keys_in_order),
        cmocka_unit_test(json_findings_name_their_subject),
        cmocka_unit_test(json_says_when_and_where),
        cmocka_unit_test(marks_are_columns_rows_and_points),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
