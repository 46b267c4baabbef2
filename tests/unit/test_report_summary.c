/* SPDX-License-Identifier: Apache-2.0 */
/* A run summed up, as text and as JSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include <deepxtrace/report.h>

#include "alloc_fail.h"

static char output[8192];
static size_t used;

static dxt_status keep(void *context, const void *data, size_t size)
{
    (void)context;
    assert_true(used + size < sizeof output);
    memcpy(output + used, data, size);
    output[used += size] = '\0';
    return DXT_OK;
}

static const dxt_finding late = {.kind = DXT_LATE_RANK,
                                 .rank = 3,
                                 .source = DXT_NO_RANK,
                                 .node = -1,
                                 .source_node = -1,
                                 .wait = 22e3,
                                 .share = 0.1,
                                 .severity = DXT_SEVERITY_MAJOR,
                                 .confidence = 0.999};

/* Judge one window of 8 ranks that the given findings are said of. */
static void judge(dxt_history *history, int64_t index, dxt_finding *findings, size_t count)
{
    static double lateness[8], error[8];
    dxt_window *window;
    dxt_findings *judged;
    assert_int_equal(dxt_window_create(8, "dispatch", &window), DXT_OK);
    window->unit = DXT_UNIT_NS;
    window->ops = 50;
    window->index = index;
    window->case_name = strdup("a \"case\"");
    dxt_findings found = {.struct_size = sizeof found,
                          .ranks = 8,
                          .step = NAN,
                          .findings = findings,
                          .finding_count = count,
                          .lateness = lateness,
                          .lateness_error = error};
    assert_int_equal(dxt_history_judge(history, window, &found, &judged), DXT_OK);
    dxt_findings_free(judged);
    dxt_window_free(window);
}

static dxt_history *start(void)
{
    dxt_history *history;
    used = 0;
    output[0] = '\0';
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    return history;
}

/* One episode of every kind, a second one of a rank, and one window of silence. */
static dxt_history *eventful(void)
{
    dxt_history *history = start();
    uint32_t node[] = {4, 5};
    for (int64_t k = 0; k < 40; k++) {
        dxt_finding all[9];
        for (int f = 0; f < 9; f++) {
            all[f] = late;
            all[f].kind = (dxt_finding_kind)f;
        }
        all[DXT_EARLY_RANK].rank = 1;
        all[DXT_SLOW_PATH].source = 6;
        all[DXT_LATE_NODE].rank = all[DXT_SLOW_NODE_PATH].rank = DXT_NO_RANK;
        all[DXT_SYSTEMIC_SKEW].rank = DXT_NO_RANK;
        all[DXT_LATE_NODE].node = all[DXT_SLOW_NODE_PATH].node = 2;
        all[DXT_SLOW_NODE_PATH].source_node = 0;
        all[DXT_LATE_NODE].ranks = node;
        all[DXT_LATE_NODE].rank_count = 2;
        all[DXT_SILENT_RANK].wait = all[DXT_SILENT_RANK].share = NAN;
        judge(history, k, all, k == 0 ? 9 : k < 20 || k == 39 ? 1 : 0);
    }
    return history;
}

static void the_text_says_who_since_when_and_how_often(void **state)
{
    (void)state;
    dxt_history *history = eventful();
    assert_int_equal(dxt_report_summary_text(history, keep, NULL), DXT_OK);
    static const char *const lines[] = {
        "summary of 40 windows, case a \"case\":\n  rank 3 silent in dispatch once, in window 0\n",
        "  rank 3 late in dispatch from window 0 to 19, in 20 of 20 windows: +22.0 µs per\n"
        "    operation, 10 % of the step\n",
        "  rank 3 late in dispatch once, in window 39: +22.0 µs per operation, 10 % of\n"
        "    the step\n",
        "  path 6 → 3 slow in dispatch once, in window 0: +22.0 µs per operation, 10 % of\n",
        "  node 2 late in dispatch once, in window 0: ",
        "  path node 0 → node 2 slow in dispatch once, in window 0: ",
        "  everybody waits for everybody in dispatch once, in window 0: ",
        "  rank 1 early in dispatch once, in window 0: 22.0 µs per operation (harmless)\n",
    };
    for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++)
        if (!strstr(output, lines[k])) fail_msg("'%s' is not in\n%s", lines[k], output);
    dxt_history_destroy(history);
}

static void an_episode_has_time_and_place(void **state)
{
    (void)state;
    dxt_finding finding = late;
    dxt_history *history = start();
    static double lateness[8], error[8];
    dxt_findings *judged, found = {.struct_size = sizeof found,
                                   .ranks = 8,
                                   .step = NAN,
                                   .findings = &finding,
                                   .finding_count = 1,
                                   .lateness = lateness,
                                   .lateness_error = error};
    for (int64_t k = 0; k < 2; k++) {
        dxt_window *window;
        assert_int_equal(dxt_window_create(8, "dispatch", &window), DXT_OK);
        window->unit = DXT_UNIT_NS;
        window->ops = 50;
        window->index = k;
        window->begin = strdup(k == 0 ? "2026-11-26T03:12:40.500Z" : "2026-11-26T03:12:42.500Z");
        window->devices = calloc(8, sizeof *window->devices);
        window->hosts = calloc(8, sizeof *window->hosts);
        window->devices[3] = (dxt_place){.gpu = 5, .rank = 11, .uuid = "GPU-5f"};
        window->hosts[3] = strdup("gpu-17");
        assert_int_equal(dxt_history_judge(history, window, &found, &judged), DXT_OK);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    setenv("TZ", "<+01>-1", 1);
    tzset();
    assert_int_equal(dxt_report_summary_text(history, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "  rank 3 (host gpu-17, GPU 5) late in dispatch since window 0, "
                                   "in 2 of 2\n    windows: +22.0 µs per operation, 10 % of the "
                                   "step; first at\n    2026-11-26 04:12:40 +01:00\n"));
    unsetenv("TZ");
    tzset();
    used = 0;
    assert_int_equal(dxt_report_summary_json(history, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, ",\"rank\":3,\"host\":\"gpu-17\",\"device\":{\"gpu\":5,"
                                   "\"uuid\":\"GPU-5f\",\"rank\":11},"
                                   "\"begin\":\"2026-11-26T03:12:40.500Z\",\"first\":0,"));
    dxt_history_destroy(history);
}

/* Two of eight ranks is enough here: what the episode says is said. */
static void an_episode_may_be_either(void **state)
{
    (void)state;
    dxt_history *history = start();
    dxt_finding finding = late;
    finding.rank = 1;
    finding.or_early = 1;
    for (int64_t k = 0; k < 3; k++) judge(history, k, &finding, 1);
    assert_int_equal(dxt_report_summary_text(history, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "  rank 1 late or rank 0 early in dispatch since window 0, in 3 "
                                   "of 3 windows:\n    22.0 µs per operation, up to 10 % of the "
                                   "step\n"));
    used = 0;
    assert_int_equal(dxt_report_summary_json(history, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, ",\"rank\":1,\"or_early\":0,\"first\":0,"));
    finding.or_early = 0;
    judge(history, 3, &finding, 1);
    used = 0;
    assert_int_equal(dxt_report_summary_json(history, keep, NULL), DXT_OK);
    assert_null(strstr(output, "early"));
    dxt_history_destroy(history);
}

static void the_json_has_the_same(void **state)
{
    (void)state;
    dxt_history *history = eventful();
    assert_int_equal(dxt_report_summary_json(history, keep, NULL), DXT_OK);
    assert_ptr_equal(strchr(output, '\n'), output + used - 1);
    json_t *object = json_loads(output, 0, NULL);
    assert_non_null(object);
    const json_t *list = json_object_get(object, "summary"), *second = json_array_get(list, 1);
    assert_int_equal(json_array_size(list), 10);
    assert_int_equal(json_integer_value(json_object_get(object, "windows")), 40);
    assert_string_equal(json_string_value(json_object_get(object, "case")), "a \"case\"");
    assert_true(json_is_null(json_object_get(object, "instance")));
    assert_string_equal(json_string_value(json_object_get(second, "kind")), "late_rank");
    assert_int_equal(json_integer_value(json_object_get(second, "last")), 19);
    assert_int_equal(json_integer_value(json_object_get(second, "seen")), 20);
    assert_true(json_is_false(json_object_get(second, "ongoing")));
    assert_true(json_real_value(json_object_get(second, "wait_us")) == 22.0);
    assert_true(json_is_null(json_object_get(json_array_get(list, 0), "share")));
    json_decref(object);
    dxt_history_destroy(history);
}

/* Paths of one cause: they have a source, a receiver or a rail in common, or nothing. */
static dxt_history *bundled(void)
{
    dxt_history *history = start();
    static uint32_t low[] = {0, 1, 2, 3}, high[] = {4, 5, 6, 7}, part[] = {5, 6, 7};
    static uint32_t pairs[] = {0, 3, 1, 3, 2, 3};
    for (int64_t k = 0; k < 6; k++) {
        dxt_finding all[5];
        for (int f = 0; f < 5; f++) {
            all[f] = late;
            all[f].kind = f < 4 ? DXT_SLOW_PATH : DXT_PATH_STALLS;
            all[f].rank = all[f].source = DXT_NO_RANK;
            all[f].paths = pairs;
            all[f].path_count = 3;
            all[f].path_total = 12;
        }
        all[0].source = 3;
        all[1].rank = 5;
        all[2].ranks = low;
        all[2].rank_count = 4;
        all[3].ranks = k % 2 ? part : high;
        all[3].rank_count = k % 2 ? 3 : 4;
        judge(history, k, all, 5);
    }
    return history;
}

static void paths_of_one_cause_are_called_by_it(void **state)
{
    (void)state;
    dxt_history *history = bundled();
    assert_int_equal(dxt_report_summary_text(history, keep, NULL), DXT_OK);
    static const char *const lines[] = {
        "  up to 12 paths from rank 3 slow in dispatch since window 0, in 6 of 6 windows:",
        "  up to 12 paths to rank 5 slow in dispatch since window 0, in 6 of 6 windows:",
        "  up to 12 paths between ranks 0–3 slow in dispatch since window 0, in 6 of 6\n",
        "  up to 12 paths between ranks 4–7 slow in dispatch since window 0, in 6 of 6\n",
        "  up to 12 paths stall now and then in dispatch since window 0, in 6 of 6\n",
    };
    for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++)
        if (!strstr(output, lines[k])) fail_msg("'%s' is not in\n%s", lines[k], output);
    used = 0;
    assert_int_equal(dxt_report_summary_json(history, keep, NULL), DXT_OK);
    static const char *const fields[] = {
        "\"phase\":\"dispatch\",\"source\":3,\"path_count\":12,\"first\":0",
        "\"phase\":\"dispatch\",\"rank\":5,\"path_count\":12,\"first\":0",
        "\"phase\":\"dispatch\",\"ranks\":[0,1,2,3],\"path_count\":12,\"first\":0",
        "\"phase\":\"dispatch\",\"ranks\":[4,5,6,7],\"path_count\":12,\"first\":0",
        "\"kind\":\"path_stalls\",\"phase\":\"dispatch\",\"path_count\":12,\"first\":0",
    };
    for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
        if (!strstr(output, fields[k])) fail_msg("'%s' is not in\n%s", fields[k], output);
    json_t *object = json_loads(output, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(object, "summary")), 5);
    assert_null(strstr(output, "4294967295"));
    json_decref(object);
    dxt_history_destroy(history);
}

static void a_quiet_run_says_so(void **state)
{
    (void)state;
    dxt_history *history = start();
    assert_int_equal(dxt_report_summary_text(history, keep, NULL), DXT_ERR_INVALID);
    assert_int_equal(dxt_report_summary_json(NULL, keep, NULL), DXT_ERR_INVALID);
    judge(history, 0, NULL, 0);
    assert_int_equal(dxt_report_summary_text(history, keep, NULL), DXT_OK);
    assert_string_equal(output, "summary of 1 window, case a \"case\": nobody stands out\n");
    used = 0;
    assert_int_equal(dxt_report_summary_json(history, keep, NULL), DXT_OK);
    assert_string_equal(output, "{\"v\":1,\"summary\":[],\"ranks\":8,\"windows\":1,"
                                "\"instance\":null,\"case\":\"a \\\"case\\\"\"}\n");
    dxt_history_destroy(history);
}

static dxt_status of_rank_2(const dxt_history *history, dxt_write_fn write, void *context)
{
    return dxt_report_summary_of_rank(history, 2, -1, 0, write, context);
}

static void a_rank_has_a_summary_of_its_own(void **state)
{
    (void)state;
    dxt_history *history = eventful();
    static const struct {
        uint32_t rank;
        int32_t node;
        const char *is;
    } cases[] = {
        {1, -1,
         "summary of 40 windows, case a \"case\", of rank 1:\n"
         "  rank 1 early in dispatch once, in window 0: 22.0 µs per operation (harmless)\n"},
        {6, 0,
         "summary of 40 windows, case a \"case\", of rank 6:\n"
         "  path 6 → 3 slow in dispatch once, in window 0: +22.0 µs per operation, 10 % of\n"
         "    the step\n"
         "  path node 0 → node 2 slow in dispatch once, in window 0: +22.0 µs per\n"
         "    operation, 10 % of the step\n"},
        {7, -1, "summary of 40 windows, case a \"case\": nothing is said of rank 7\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        used = 0;
        assert_int_equal(
            dxt_report_summary_of_rank(history, cases[i].rank, cases[i].node, 0, keep, NULL),
            DXT_OK);
        assert_string_equal(output, cases[i].is);
    }
    used = 0;
    assert_int_equal(dxt_report_summary_of_rank(history, 1, -1, 1, keep, NULL), DXT_OK);
    json_t *object = json_loads(output, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(object, "summary")), 1);
    json_decref(object);
    assert_int_equal(dxt_report_summary_of_rank(history, DXT_NO_RANK, -1, 0, keep, NULL),
                     DXT_ERR_INVALID);
    dxt_history_destroy(history);
    history = bundled();
    used = 0;
    assert_int_equal(dxt_report_summary_of_rank(history, 6, -1, 0, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "paths between ranks 4–7 slow"));
    assert_null(strstr(output, "paths between ranks 0–3"));
    dxt_history_destroy(history);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static dxt_status (*const writers[])(const dxt_history *, dxt_write_fn, void *) = {
        dxt_report_summary_text, dxt_report_summary_json, of_rank_2};
    dxt_history *history = eventful();
    for (size_t w = 0; w < sizeof writers / sizeof writers[0]; w++) {
        dxt_status status;
        long k = 1;
        for (; used = 0, alloc_fail_arm(k), status = writers[w](history, keep, NULL),
               alloc_fail_disarm();
             k++)
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_int_equal(status, DXT_OK);
        assert_true(k > 2);
    }
    dxt_history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_says_who_since_when_and_how_often),
        cmocka_unit_test(the_json_has_the_same),
        cmocka_unit_test(an_episode_may_be_either),
        cmocka_unit_test(an_episode_has_time_and_place),
        cmocka_unit_test(paths_of_one_cause_are_called_by_it),
        cmocka_unit_test(a_quiet_run_says_so),
        cmocka_unit_test(a_rank_has_a_summary_of_its_own),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
