/* SPDX-License-Identifier: Apache-2.0 */
/* What a window says of its origin: cells that nobody observed, places, tokens, operations of each
 * rank, group and mix. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/matrix.h>

#include "alloc_fail.h"
#include "base/base.h"
#include "collect.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define R(fields) "{\"v\":1,\"phase\":\"x\",\"ranks\":2," fields "}\n"
#define W "\"wait\":[[0,1],[2,0]]"
/* With the writer's order and its unit. */
#define OUT(before, after) "{\"v\":1,\"phase\":\"x\"," before "\"unit\":\"cycles\"," after "}\n"
/* 300 bytes are more than any place of a text holds. */
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static dxt_status read_text(const char *text, dxt_window **window)
{
    dxt_reader *reader;
    dxt_status status = dxt_reader_open_memory(text, strlen(text), "t", &reader);
    if (status != DXT_OK) return status;
    status = dxt_reader_next(reader, window);
    dxt_reader_close(reader);
    return status;
}

static dxt_window *read_one(const char *text)
{
    dxt_window *window = NULL;
    dxt_status status = read_text(text, &window);
    if (status != DXT_OK) print_error("%s\n%s\n", text, dxt_error());
    assert_int_equal(status, DXT_OK);
    return window;
}

static void assert_reads(const char *text, const char *expected)
{
    dxt_window *window = read_one(text);
    dxt_text out = {0};
    assert_int_equal(dxt_window_write(window, collect, &out), DXT_OK);
    assert_string_equal(out.data, expected);
    dxt_window_free(window);
    free(out.data);
}

static void every_field_comes_out_again(void **state)
{
    (void)state;
    assert_reads(R("\"wait\":[[null,1],[null,null]]"),
                 OUT("\"ranks\":2,", "\"wait\":[[null,1],[null,null]]"));
    assert_reads(R("\"tokens\":[null,7],\"min_share\":0.05,\"mix\":12,\"group\":\"ep\"," W),
                 "{\"v\":1,\"group\":\"ep\",\"phase\":\"x\",\"mix\":\"12\",\"ranks\":2,"
                 "\"unit\":\"cycles\",\"min_share\":0.05," W ",\"tokens\":[null,7]}\n");
    assert_reads(
        R("\"tokens\":[null,[1,null,3]],\"mix\":\"a\\\"b\"," W),
        OUT("\"mix\":\"a\\\"b\",\"ranks\":2,", W ",\"tokens\":[[null,null,null],[1,null,3]]"));
    assert_reads(
        R("\"tokens\":[[1],[2]],\"origin\":\"duration\",\"ops\":[3,null]," W),
        OUT("\"ranks\":2,\"origin\":\"duration\",\"ops\":[3,null],", W ",\"tokens\":[1,2]"));
    assert_reads(R("\"tokens\":[null,null],\"origin\":null," W),
                 OUT("\"ranks\":2,", W ",\"tokens\":[null,null]"));
    assert_reads(R("\"devices\":[{\"pid\":7,\"rank\":12,\"gpu\":0,\"uuid\":\"GPU-1\",\"x\":[{}],"
                   "\"pci\":\"0000:3b:00.0\",\"host\":\"é\"},null],\"origin\":\"source\"," W),
                 OUT("\"ranks\":2,\"devices\":[{\"host\":\"é\",\"gpu\":0,\"uuid\":\"GPU-1\","
                     "\"pci\":\"0000:3b:00.0\",\"pid\":7,\"rank\":12},{}],\"origin\":\"source\",",
                     W));
    assert_reads(R("\"run_delay_ns\":[null,9223372036854775807],\"issued\":[0,null]," W),
                 OUT("\"ranks\":2,", W ",\"issued\":[0,null],"
                                       "\"run_delay_ns\":[null,9223372036854775807]"));
    assert_reads(R("\"run_delay_ns\":null," W), OUT("\"ranks\":2,", W));
    assert_reads(R("\"devices\":[{},{\"gpu\":null}],\"origin\":\"barrier\"," W),
                 OUT("\"ranks\":2,\"devices\":[{},{}],\"origin\":\"barrier\",", W));
}

static void wrong_fields_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dxt_status status;
        const char *message;
    } cases[] = {
        {R("\"wait\":[[0,nul],[0,0]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 0, column 1: nul is not a number"},
        {R(W ",\"last\":[[null,0],[0,0]]"), DXT_ERR_FORMAT,
         "t:1: last: row 0, column 0: null is not a number"},
        {R("\"origin\":\"guess\"," W), DXT_ERR_FORMAT,
         "t:1: origin: must be \"source\", \"barrier\" or \"duration\""},
        {R("\"min_share\":0," W), DXT_ERR_FORMAT,
         "t:1: min_share: 0, but must be above 0 and at most 1"},
        {R("\"min_share\":1.5," W), DXT_ERR_FORMAT,
         "t:1: min_share: 1.5, but must be above 0 and at most 1"},
        {R("\"mix\":-1," W), DXT_ERR_FORMAT, "t:1: mix: -1 is negative"},
        {R("\"ops\":[1]," W), DXT_ERR_FORMAT, "t:1: ops has 1 elements, but ranks is 2"},
        {R("\"ops\":[1,-1]," W), DXT_ERR_FORMAT, "t:1: ops: element 1: -1 is negative"},
        {R("\"run_delay_ns\":[1]," W), DXT_ERR_FORMAT,
         "t:1: run_delay_ns has 1 elements, but ranks is 2"},
        {R("\"run_delay_ns\":[1,-1]," W), DXT_ERR_FORMAT,
         "t:1: run_delay_ns: element 1: -1 is negative"},
        {R("\"tokens\":[1,2,3]," W), DXT_ERR_FORMAT, "t:1: tokens has 3 elements, but ranks is 2"},
        {R("\"tokens\":[1,[2]]," W), DXT_ERR_FORMAT,
         "t:1: tokens: element 1 must have as many values as those before it"},
        {R("\"tokens\":[[1,2],[2]]," W), DXT_ERR_FORMAT,
         "t:1: tokens: element 1 must have as many values as those before it"},
        {R("\"tokens\":[[1,2],[]]," W), DXT_ERR_FORMAT,
         "t:1: tokens: element 1: a value is missing"},
        {R("\"devices\":[{}]," W), DXT_ERR_FORMAT, "t:1: devices has 1 elements, but ranks is 2"},
        {R("\"devices\":[{},3]," W), DXT_ERR_FORMAT, "t:1: column 44: an object is missing"},
        {R("\"devices\":[{\"gpu\":-1},{}]," W), DXT_ERR_FORMAT,
         "t:1: devices: gpu: element 0: -1 is negative"},
        {R("\"devices\":[{\"uuid\":\"" HUNDRED "\"},{}]," W), DXT_ERR_LIMIT,
         "t:1: devices: element 0: uuid has more than 63 bytes"},
        {R("\"devices\":[{},{\"host\":\"" HUNDRED HUNDRED HUNDRED "\"}]," W), DXT_ERR_LIMIT,
         "t:1: devices: element 1: host has more than 255 bytes"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dxt_window *window = NULL;
        assert_int_equal(read_text(cases[i].text, &window), cases[i].status);
        assert_string_equal(dxt_error(), cases[i].message);
        assert_null(window);
    }
}

/* Every field, in a group of three. */
static dxt_window *full(void)
{
    return read_one(
        "{\"v\":1,\"phase\":\"x\",\"ranks\":3,\"unit\":\"ns\",\"group\":\"g\",\"mix\":1,"
        "\"wait\":[[0,30,null],[60,0,60],[8,8,0]],\"ops\":[10,20,0],"
        "\"origin\":\"barrier\",\"min_share\":0.02,\"tokens\":[[1,2],[3,4],[5,null]],"
        "\"run_delay_ns\":[10,0,null],"
        "\"devices\":[{\"gpu\":1},null,{\"host\":\"h\"}]}");
}

static void each_row_is_divided_by_its_own_operations(void **state)
{
    (void)state;
    dxt_window *window = full();
    double row[3];
    assert_int_equal(window->ops, 10);
    assert_int_equal(dxt_window_measure(window), DXT_MEASURE_NS_PER_OP);
    assert_true(dxt_window_value(window, 0, 1) == 3 && dxt_window_value(window, 1, 0) == 3);
    assert_true(isnan(dxt_window_value(window, 0, 2)));
    dxt_window_row(window, 0, row);
    assert_true(row[0] == 0 && row[1] == 3 && isnan(row[2]));
    assert_true(dxt_window_value(window, 2, 0) == 0); /* it has done nothing */
    window->rank_ops[2] = DXT_NOT_OBSERVED;
    assert_int_equal(dxt_window_ops(window, 1), 20);
    assert_int_equal(dxt_window_ops(window, 2), 10);
    assert_true(dxt_window_value(window, 2, 0) == 0.8);
    window->samples_each = 4;
    assert_true(dxt_window_value(window, 1, 0) == 15);
    dxt_window_free(window);
    window = read_one(R("\"ops\":[null,null]," W));
    assert_int_equal(window->ops, 0);
    assert_int_equal(dxt_window_measure(window), DXT_MEASURE_CYCLES);
    dxt_window_free(window);
    window = read_one("{\"v\":1,\"phase\":\"x\",\"ranks\":4,\"ops\":[9,5,5,7],"
                      "\"wait\":[null,null,null,[1,2,3,4]]}");
    assert_int_equal(window->ops, 7); /* the upper median */
    dxt_window_free(window);
}

static void wrong_windows_are_found(void **state)
{
    (void)state;
    dxt_window *w = full();
#define SPOIL(place, wrong, right, message)                     \
    do {                                                        \
        (place) = (wrong);                                      \
        assert_int_equal(dxt_window_check(w), DXT_ERR_INVALID); \
        assert_string_equal(dxt_error(), (message));            \
        (place) = (right);                                      \
        assert_int_equal(dxt_window_check(w), DXT_OK);          \
    } while (0)
    SPOIL(w->origin, (dxt_origin)9, DXT_ORIGIN_BARRIER, "origin: not known");
    SPOIL(w->min_share, NAN, 0.5, "min_share: not 0 to 1");
    SPOIL(w->min_share, 2, 0.5, "min_share: not 0 to 1");
    SPOIL(w->rank_ops[1], -2, 3, "rank_ops: negative");
    SPOIL(w->run_delay_ns[1], -2, 3, "run_delay_ns: negative");
    SPOIL(w->tokens[1], -2, 3, "tokens: negative");
    SPOIL(w->local_experts, 0, 2, "local_experts: not 1 to 4096");
    SPOIL(w->local_experts, 4097, 2, "local_experts: not 1 to 4096");
    SPOIL(w->devices[1].gpu, -2, 0, "devices: gpu must be -1 or more");
    SPOIL(w->devices[1].rank, -2, 0, "devices: rank must be -1 or more");
    SPOIL(w->devices[1].pid, -1, 0, "devices: pid must be 0 or more");
    SPOIL(w->devices[2].host[0], '\xff', 'h', "devices: a text is not UTF-8, or does not end");
    SPOIL(w->mix[0], '\xff', '1', "mix: not UTF-8");
    SPOIL(w->group[0], '\xff', 'g', "group: not UTF-8");
    int64_t *tokens = w->tokens;
    SPOIL(w->tokens, NULL, tokens, "local_experts: without tokens");
    memset(w->devices[0].uuid, 'x', sizeof w->devices[0].uuid);
    assert_int_equal(dxt_window_check(w), DXT_ERR_INVALID);
    dxt_window_free(w);
}

static void sums_hold_what_was_observed_in_both(void **state)
{
    (void)state;
    dxt_window *sum = full(), *window = full();
    window->wait[2] = 5;
    window->wait[1] = DXT_NOT_OBSERVED;
    window->rank_ops[0] = 11;
    window->mix[0] = '2';
    assert_int_equal(dxt_window_add(sum, window), DXT_OK);
    assert_int_equal(sum->wait[1], DXT_NOT_OBSERVED);
    assert_int_equal(sum->wait[2], DXT_NOT_OBSERVED);
    assert_int_equal(sum->wait[3], 120);
    assert_int_equal(sum->ops, 20);
    assert_int_equal(sum->rank_ops[0], 21);
    assert_int_equal(sum->rank_ops[1], 40);
    assert_int_equal(sum->tokens[3], 8);
    assert_int_equal(sum->run_delay_ns[0], 20);
    assert_int_equal(sum->run_delay_ns[2], DXT_NOT_OBSERVED);
    assert_int_equal(sum->tokens[5], DXT_NOT_OBSERVED);
    assert_int_equal(sum->devices[0].gpu, 1);
    assert_true(sum->min_share == 0.02);
    assert_null(sum->mix);
    assert_int_equal(dxt_window_check(sum), DXT_OK);
    free(window->rank_ops);
    window->rank_ops = NULL; /* 10 each */
    free(window->run_delay_ns);
    window->run_delay_ns = NULL;
    free(window->tokens);
    window->tokens = NULL;
    window->local_experts = 0;
    assert_int_equal(dxt_window_add(sum, window), DXT_OK);
    assert_int_equal(sum->rank_ops[0], 31);
    assert_null(sum->tokens);
    assert_null(sum->run_delay_ns);
    assert_int_equal(sum->local_experts, 0);
    window->origin = DXT_ORIGIN_SOURCE;
    assert_int_equal(dxt_window_add(sum, window), DXT_ERR_INVALID);
    assert_string_equal(
        dxt_error(),
        "windows that differ in origin cannot be added; add those of one run and operator");
    window->origin = sum->origin;
    window->group[0] = 'h';
    assert_int_equal(dxt_window_add(sum, window), DXT_ERR_INVALID);
    assert_string_equal(
        dxt_error(),
        "windows that differ in group cannot be added; add those of one run and operator");
    dxt_window_free(sum);
    dxt_window_free(window);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    static const char text[] = R("\"origin\":\"source\",\"ops\":[1,2],\"tokens\":[[1,2],[3,4]],"
                                 "\"mix\":3,\"group\":\"g\",\"devices\":[{\"host\":\"h\"},{}],"
                                 "\"run_delay_ns\":[1,2],\"issued\":[3,4]," W);
    dxt_window *window = NULL, *sum = full(), *other = full();
    dxt_status status;
    long k = 1;
    for (; alloc_fail_arm(k), status = read_text(text, &window), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_true(k > 12);
    for (k = 1; alloc_fail_arm(k), status = dxt_window_add(sum, other), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_int_equal(k, 5);
    dxt_window_free(window);
    dxt_window_free(sum);
    dxt_window_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_out_again),
        cmocka_unit_test(wrong_fields_are_refused),
        cmocka_unit_test(each_row_is_divided_by_its_own_operations),
        cmocka_unit_test(wrong_windows_are_found),
        cmocka_unit_test(sums_hold_what_was_observed_in_both),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
