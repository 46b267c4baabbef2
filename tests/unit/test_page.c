/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: what is in them, what is left out, and that nothing from outside gets out of its quotes.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <deepxtrace/page.h>

#include "alloc_fail.h"
#include "test_render_windows.h"

static unsigned sextet(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, digit);
    assert_true(at && *at);
    return (unsigned)(at - digits);
}

/* Bytes of the n-th part of a class, with a terminator behind them. */
static unsigned char *part_of(const char *page, const char *class, size_t n, size_t *size)
{
    char begin[80];
    snprintf(begin, sizeof begin, "<script type=\"text/plain\" class=\"%s\" data-coding=\"plain\">",
             class);
    const char *at = page;
    for (size_t i = 0; i <= n; i++) {
        at = strstr(at, begin);
        assert_non_null(at);
        at += strlen(begin);
    }
    size_t length = strcspn(at, "<");
    assert_int_equal(length % 4, 0);
    unsigned char *bytes = malloc(length / 4 * 3 + 1);
    *size = 0;
    for (size_t i = 0; i < length; i += 4) {
        unsigned four = sextet(at[i]) << 18 | sextet(at[i + 1]) << 12;
        if (at[i + 2] != '=') four |= sextet(at[i + 2]) << 6;
        if (at[i + 3] != '=') four |= sextet(at[i + 3]);
        bytes[(*size)++] = (unsigned char)(four >> 16);
        if (at[i + 2] != '=') bytes[(*size)++] = (unsigned char)(four >> 8);
        if (at[i + 3] != '=') bytes[(*size)++] = (unsigned char)four;
    }
    bytes[*size] = '\0';
    return bytes;
}

static json_t *about_of(const char *page)
{
    size_t size;
    unsigned char *bytes = part_of(page, "about", 0, &size);
    assert_null(memchr(bytes, '<', size));
    json_error_t error;
    json_t *about = json_loadb((const char *)bytes, size, 0, &error);
    if (!about) fail_msg("%s at %d", error.text, error.position);
    free(bytes);
    return about;
}

static json_t *operator_of(json_t *about, size_t run, size_t index)
{
    json_t *found = json_array_get(
        json_object_get(json_array_get(json_object_get(about, "runs"), run), "operators"), index);
    assert_non_null(found);
    return found;
}

static int64_t number_in(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static dxt_page *begin_page(const dxt_page_options *options)
{
    dxt_page *page = NULL;
    assert_int_equal(dxt_page_create(options, &page), DXT_OK);
    return page;
}

/* The value that a byte of a window's part stands for. */
static double decoded(const json_t *window, unsigned char code)
{
    double low = json_number_value(json_object_get(window, "low"));
    double steps = json_number_value(json_object_get(window, "steps"));
    if (code == 0) return NAN;
    return code == 1 ? 0 : low * exp2((code - 2) / steps);
}

/* ---- cells ---- */

static void small_matrices_are_exact(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(8, WINDOW_LATE | WINDOW_SILENT);
    dxt_page *page = begin_page(NULL);
    const dxt_page_window shown = {.struct_size = sizeof shown, .window = window};
    size_t size;
    assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_OK);
    unsigned char *bytes = part_of(sink.data, "part", 0, &size);
    assert_int_equal(size, 8 * 8 * sizeof(float));
    for (uint32_t i = 0; i < 64; i++) {
        float value, expected = (float)dxt_window_value(window, i / 8, i % 8);
        memcpy(&value, bytes + i * sizeof value, sizeof value);
        assert_true(isnan(expected) ? isnan(value) : value == expected);
    }
    free(bytes);
    json_t *about = about_of(sink.data),
           *row = json_array_get(json_object_get(operator_of(about, 0, 0), "windows"), 0);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(row, "missing"), 0)), 8 / 3);
    json_decref(about);
    dxt_page_free(page);
    dxt_window_free(window);
    empty_sink(&sink);
}

static void larger_ones_are_within_some_percent(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(64, WINDOW_LATE);
    dxt_page *page = begin_page(NULL);
    const dxt_page_window shown = {.struct_size = sizeof shown, .window = window};
    size_t size;
    assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_OK);
    json_t *about = about_of(sink.data),
           *row = json_array_get(json_object_get(operator_of(about, 0, 0), "windows"), 0);
    unsigned char *bytes = part_of(sink.data, "part", 0, &size);
    assert_int_equal(size, 64 * 64);
    for (uint32_t i = 0; i < 64 * 64; i++) {
        double expected = dxt_window_value(window, i / 64, i % 64), value = decoded(row, bytes[i]);
        assert_true(expected == 0 ? value == 0 : fabs(value / expected - 1) < 0.05);
    }
    free(bytes);
    json_decref(about);
    dxt_page_free(page);
    dxt_window_free(window);
    empty_sink(&sink);
}

/* Longest wait of a block that is in no whole row or column. */
static double longest(const dxt_window *window, uint32_t block, uint32_t row, uint32_t column,
                      const dxt_mark *mark)
{
    double most = NAN;
    for (uint32_t i = row * block; i < (row + 1) * block && i < window->ranks; i++)
        for (uint32_t j = column * block; j < (column + 1) * block && j < window->ranks; j++)
            if (i != j && j != mark->column) most = fmax(most, dxt_window_value(window, i, j));
    return most;
}

static void many_ranks_are_in_blocks(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(513, WINDOW_LATE);
    const dxt_mark mark = {DXT_MARK_COLUMN, 0, 513 * 5 / 8};
    const dxt_page_window shown = {
        .struct_size = sizeof shown, .window = window, .marks = &mark, .mark_count = 1};
    dxt_page *page = begin_page(NULL);
    size_t size;
    assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_OK);
    json_t *about = about_of(sink.data),
           *row = json_array_get(json_object_get(operator_of(about, 0, 0), "windows"), 0);
    assert_int_equal(number_in(row, "block"), 8);
    assert_int_equal(number_in(row, "side"), 65);
    unsigned char *bytes = part_of(sink.data, "part", 0, &size);
    assert_int_equal(size, 65 * 65 + 513);
    for (uint32_t i = 0; i < 65 * 65; i++) {
        double expected = longest(window, 8, i / 65, i % 65, &mark), value = decoded(row, bytes[i]);
        if (isnan(expected))
            assert_true(isnan(value));
        else
            assert_true(expected == 0 ? value == 0 : fabs(value / expected - 1) < 0.05);
    }
    for (uint32_t i = 0; i < 513; i++) {
        double expected = dxt_window_value(window, i, mark.column),
               value = decoded(row, bytes[65 * 65 + i]);
        assert_true(expected == 0 ? value == 0 : fabs(value / expected - 1) < 0.05);
    }
    free(bytes);
    assert_int_equal(json_array_size(json_object_get(about, "left_out")), 1);
    json_decref(about);
    dxt_page_free(page);
    dxt_window_free(window);
    empty_sink(&sink);
}

/* ---- which windows ---- */

static bool has_window(const json_t *windows, int64_t number)
{
    size_t index;
    json_t *window;
    json_array_foreach(windows, index,
                       window) if (number_in(window, "window") == number) return true;
    return false;
}

static void what_changes_stays(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(64, WINDOW_HEALTHY);
    const dxt_mark mark = {DXT_MARK_COLUMN, 0, 9};
    const dxt_page_options options = {
        .struct_size = sizeof options, .most_windows = 40, .most_bytes = 300000};
    dxt_page *page = begin_page(&options);
    for (window->index = 0; window->index < 1000; window->index++) {
        bool named = window->index >= 501 && window->index < 640;
        const dxt_page_window shown = {.struct_size = sizeof shown,
                                       .window = window,
                                       .marks = &mark,
                                       .mark_count = named ? 1 : 0};
        assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
    }
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_OK);
    assert_true(sink.size <= options.most_bytes);
    json_t *about = about_of(sink.data),
           *windows = json_object_get(operator_of(about, 0, 0), "windows");
    size_t count = json_array_size(windows);
    assert_in_range(count, 10, 40);
    static const int64_t there[] = {0, 500, 501, 502, 639, 640, 641, 999};
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
        assert_true(has_window(windows, there[i]));
    assert_non_null(strstr(json_string_value(json_array_get(json_object_get(about, "left_out"), 0)),
                           "1000 windows were read"));
    json_decref(about);
    dxt_page_free(page);
    dxt_window_free(window);
    empty_sink(&sink);
}

static void a_page_keeps_to_its_size(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(128, WINDOW_LATE);
    const dxt_page_options options = {.struct_size = sizeof options, .most_bytes = 200000};
    dxt_page *page = begin_page(&options);
    for (window->index = 0; window->index < 50; window->index++) {
        const dxt_page_window shown = {.struct_size = sizeof shown, .window = window};
        assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
    }
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_OK);
    assert_in_range(sink.size, 100000, 200000);
    dxt_page_free(page);
    const dxt_page_options tiny = {.struct_size = sizeof tiny, .most_bytes = 1000};
    page = begin_page(&tiny);
    const dxt_page_window shown = {.struct_size = sizeof shown, .window = window};
    assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_ERR_LIMIT);
    dxt_page_free(page);
    dxt_window_free(window);
    empty_sink(&sink);
}

/* The recording that a page carries: whole lines, in order. */
static void a_page_carries_its_recording(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(8, WINDOW_LATE);
    const dxt_page_options options = {.struct_size = sizeof options, .most_raw = 1 << 20};
    dxt_page *page = begin_page(&options);
    for (window->index = 0; window->index < 3; window->index++) {
        const dxt_page_window shown = {.struct_size = sizeof shown, .window = window};
        assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
    }
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_OK);
    for (size_t i = 0; i < 3; i++) {
        size_t size;
        unsigned char *bytes = part_of(sink.data, "raw", i, &size);
        dxt_reader *reader;
        dxt_window *read;
        assert_int_equal(dxt_reader_open_memory(bytes, size, "raw", &reader), DXT_OK);
        assert_int_equal(dxt_reader_next(reader, &read), DXT_OK);
        assert_int_equal(read->index, i);
        assert_memory_equal(read->wait, window->wait, 64 * sizeof *read->wait);
        dxt_window_free(read);
        dxt_reader_close(reader);
        free(bytes);
    }
    dxt_page_free(page);
    dxt_window_free(window);
    empty_sink(&sink);
}

/* ---- runs, words ---- */

static void give_texts(dxt_window *window, const char *text)
{
    window->hosts = calloc(window->ranks, sizeof *window->hosts);
    for (uint32_t i = 0; i < window->ranks; i++) window->hosts[i] = strdup(text);
    window->case_name = strdup(text);
    window->source = strdup(text);
}

static void texts_stay_texts(void **state)
{
    (void)state;
    static const char evil[] = "</script><script>alert(1)</script>\"\\\xe2\x80\xae\xff";
    test_sink sink = {0};
    dxt_window *window = make_window(4, WINDOW_LATE);
    give_texts(window, evil);
    const dxt_page_options options = {.struct_size = sizeof options, .title = evil};
    dxt_page *page = begin_page(&options);
    const dxt_page_window shown = {.struct_size = sizeof shown,
                                   .window = window,
                                   .caption = evil,
                                   .diagnosis = "{\"text\":\"</script><b>\"}\n"};
    assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
    assert_int_equal(dxt_page_say(page, evil), DXT_OK);
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_OK);
    assert_memory_equal(sink.data, "<!DOCTYPE html>", 15);
    assert_null(strstr(sink.data, "alert(1)</script>"));
    assert_int_equal(occurrences(sink.data, "<script>"), 1);
    assert_int_equal(occurrences(sink.data, "http"), 1); /* http-equiv */
    json_t *about = about_of(sink.data), *run = json_array_get(json_object_get(about, "runs"), 0);
    const char *host = json_string_value(json_array_get(json_object_get(run, "hosts"), 0));
    assert_string_equal(host, "</script><script>alert(1)</script>\"\\??");
    assert_string_equal(json_string_value(json_array_get(json_object_get(run, "lines"), 0)), host);
    json_decref(about);
    dxt_page_free(page);
    dxt_window_free(window);
    empty_sink(&sink);
}

static void runs_are_apart(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_page *page = begin_page(NULL);
    for (uint32_t i = 0; i < 4; i++) {
        dxt_window *window = make_window(4 + i % 2, WINDOW_LATE);
        window->index = i;
        const dxt_page_window shown = {.struct_size = sizeof shown, .window = window};
        assert_int_equal(dxt_page_add(page, &shown), DXT_OK);
        dxt_window_free(window);
    }
    const int64_t index[2] = {1, 3};
    double values[5 * 2] = {0, 1e6, NAN, 5};
    const dxt_timeline_panel panel = {
        .ranks = 5, .windows = 2, .index = index, .values = values, .ordinary = 1000};
    assert_int_equal(dxt_page_timeline(page, "dispatch", &panel), DXT_OK);
    assert_int_equal(dxt_page_timeline(page, "no such", &panel), DXT_ERR_INVALID);
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_OK);
    json_t *about = about_of(sink.data);
    assert_int_equal(json_array_size(json_object_get(about, "runs")), 2);
    json_t *timeline = json_object_get(operator_of(about, 1, 0), "timeline");
    size_t size;
    unsigned char *bytes = part_of(sink.data, "part", (size_t)number_in(timeline, "part"), &size);
    assert_int_equal(size, 10);
    assert_int_equal(bytes[0], 1);
    assert_true(fabs(decoded(timeline, bytes[1]) / 1e6 - 1) < 0.05);
    assert_int_equal(bytes[2], 0);
    assert_int_equal(bytes[3], 1);
    free(bytes);
    json_decref(about);
    dxt_page_free(page);
    empty_sink(&sink);
}

static void the_live_page_has_a_policy(void **state)
{
    (void)state;
    test_sink sink = {0};
    assert_int_equal(dxt_page_live("{\"advice\":{}}", into_sink, &sink), DXT_OK);
    assert_non_null(strstr(sink.data, dxt_page_policy()));
    assert_non_null(strstr(sink.data, "connect-src 'self'"));
    assert_null(strstr(sink.data, "unsafe-"));
    assert_non_null(strstr(dxt_page_policy(), "default-src 'none'; script-src 'sha256-"));
    empty_sink(&sink);
}

/* ---- what goes wrong ---- */

static void nonsense_is_refused(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(4, WINDOW_LATE);
    const dxt_mark outside = {DXT_MARK_COLUMN, 0, 4};
    const dxt_page_window marked = {
        .struct_size = sizeof marked, .window = window, .marks = &outside, .mark_count = 1};
    const dxt_page_window none = {.struct_size = sizeof none};
    const dxt_page_options small = {.struct_size = 4};
    dxt_page *page = NULL;
    assert_int_equal(dxt_page_create(NULL, NULL), DXT_ERR_INVALID);
    assert_int_equal(dxt_page_create(&small, &page), DXT_ERR_INVALID);
    page = begin_page(NULL);
    assert_int_equal(dxt_page_write(page, into_sink, &sink), DXT_ERR_INVALID);
    assert_int_equal(dxt_page_say(page, "nothing yet"), DXT_ERR_INVALID);
    assert_int_equal(dxt_page_add(page, &none), DXT_ERR_INVALID);
    assert_int_equal(dxt_page_add(page, &marked), DXT_ERR_INVALID);
    assert_int_equal(dxt_page_add(NULL, &marked), DXT_ERR_INVALID);
    assert_int_equal(dxt_page_live(NULL, NULL, NULL), DXT_ERR_INVALID);
    dxt_page_free(page);
    dxt_page_free(NULL);
    dxt_window_free(window);
}

/* As a library that compresses would, so that this path has its failures, too. */
static dxt_status pack(const void *data, size_t size, void **packed, size_t *packed_size)
{
    *packed = malloc(size + 1);
    if (!*packed) return DXT_ERR_NO_MEMORY;
    memcpy(*packed, data, size);
    *packed_size = size;
    return DXT_OK;
}

static dxt_status whole_page(const dxt_window *window, test_sink *sink)
{
    const dxt_page_options options = {
        .struct_size = sizeof options, .title = "t", .pack = pack, .most_raw = 1 << 20};
    const dxt_mark mark = {DXT_MARK_POINT, 1, 2};
    const dxt_page_window shown = {.struct_size = sizeof shown,
                                   .window = window,
                                   .title = "t",
                                   .caption = "c",
                                   .marks = &mark,
                                   .mark_count = 1,
                                   .diagnosis = "{}"};
    const int64_t index = 0;
    const double values[4] = {0};
    const dxt_timeline_panel panel = {.ranks = 4, .windows = 1, .index = &index, .values = values};
    dxt_page *page;
    dxt_status status = dxt_page_create(&options, &page);
    if (status != DXT_OK) return status;
    status = dxt_page_add(page, &shown);
    if (status == DXT_OK) status = dxt_page_say(page, "line");
    if (status == DXT_OK) status = dxt_page_timeline(page, "dispatch", &panel);
    if (status == DXT_OK) status = dxt_page_write(page, into_sink, sink);
    dxt_page_free(page);
    return status;
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(4, WINDOW_LATE);
    give_texts(window, "host");
    dxt_status status;
    for (long k = 1; alloc_fail_arm(k), status = whole_page(window, &sink), alloc_fail_disarm();
         k++) {
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
        empty_sink(&sink);
    }
    assert_int_equal(status, DXT_OK);
    dxt_window_free(window);
    empty_sink(&sink);
}

static void a_sink_that_fails_ends_it(void **state)
{
    (void)state;
    dxt_window *window = make_window(4, WINDOW_LATE);
    for (int call = 1; call < 12; call++) {
        test_sink sink = {.fail_at = call};
        assert_int_equal(whole_page(window, &sink), DXT_ERR_TIMEOUT);
        assert_int_equal(sink.calls, call);
        empty_sink(&sink);
    }
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_matrices_are_exact),
        cmocka_unit_test(larger_ones_are_within_some_percent),
        cmocka_unit_test(many_ranks_are_in_blocks),
        cmocka_unit_test(what_changes_stays),
        cmocka_unit_test(a_page_keeps_to_its_size),
        cmocka_unit_test(a_page_carries_its_recording),
        cmocka_unit_test(texts_stay_texts),
        cmocka_unit_test(runs_are_apart),
        cmocka_unit_test(the_live_page_has_a_policy),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(failed_allocations_are_survived),
        cmocka_unit_test(a_sink_that_fails_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
