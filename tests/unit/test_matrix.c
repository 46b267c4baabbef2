/* SPDX-License-Identifier: Apache-2.0 */
/* Windows: their values, their sums, and that writing and reading them loses nothing. */
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
#include "random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static dxt_status collect(void *context, const void *data, size_t size)
{
    dxt_text_append(context, data, size);
    return DXT_OK;
}

static void *copy_of(const void *data, size_t size)
{
    void *copy = malloc(size);
    assert_non_null(copy);
    return memcpy(copy, data, size);
}

/* Two ranks: wait 10 20 / 30 40. */
static dxt_window *small_window(void)
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(2, "dispatch", &window), DXT_OK);
    for (int i = 0; i < 4; i++) window->wait[i] = 10 * (i + 1);
    return window;
}

static dxt_window *read_one(const char *text, size_t size)
{
    dxt_reader *reader;
    dxt_window *window = NULL, *none = NULL;
    assert_int_equal(dxt_reader_open_memory(text, size, "t", &reader), DXT_OK);
    dxt_status status = dxt_reader_next(reader, &window);
    if (status != DXT_OK) print_error("%s\n", dxt_error());
    assert_int_equal(status, DXT_OK);
    assert_int_equal(dxt_reader_next(reader, &none), DXT_END);
    dxt_reader_close(reader);
    return window;
}

/* ---- creation and values ---- */

static void windows_are_made_within_limits(void **state)
{
    (void)state;
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(1, "x", &window), DXT_ERR_INVALID);
    assert_int_equal(dxt_window_create(4097, "x", &window), DXT_ERR_LIMIT);
    assert_int_equal(dxt_window_create(2, "", &window), DXT_ERR_INVALID);
    assert_int_equal(dxt_window_create(2, "\x7f", &window), DXT_ERR_INVALID);
    assert_int_equal(dxt_window_create(2, NULL, &window), DXT_ERR_INVALID);
    assert_null(window);
    assert_int_equal(dxt_window_create(4096, "x", &window), DXT_OK);
    assert_int_equal(window->wait[4096u * 4096u - 1], 0);
    assert_int_equal(window->index, -1);
    assert_int_equal(dxt_window_check(window), DXT_OK);
    dxt_window_free(window);
    dxt_window_free(NULL);
}

static void values_follow_what_is_known(void **state)
{
    (void)state;
    double row[2];
    dxt_window *window = small_window();
    assert_int_equal(dxt_window_measure(window), DXT_MEASURE_CYCLES);
    assert_true(dxt_window_value(window, 1, 0) == 30);
    window->ops = 5;
    assert_int_equal(dxt_window_measure(window), DXT_MEASURE_CYCLES_PER_OP);
    assert_true(dxt_window_value(window, 1, 0) == 6);
    window->samples_each = 10;
    assert_true(dxt_window_value(window, 1, 0) == 3);
    /* each rank's own clock: 1 GHz and 2 GHz */
    window->ticks_per_second = copy_of((double[]){1e9, 2e9}, 2 * sizeof(double));
    assert_int_equal(dxt_window_measure(window), DXT_MEASURE_NS_PER_OP);
    assert_true(dxt_window_value(window, 0, 1) == 2);
    assert_true(dxt_window_value(window, 1, 0) == 1.5);
    window->samples = copy_of((int64_t[]){1, 0, 2, 4}, 4 * sizeof(int64_t));
    dxt_window_row(window, 0, row);
    assert_true(row[0] == 10 && row[1] == 0);
    dxt_window_row(window, 1, row);
    assert_true(row[0] == 7.5 && row[1] == 5);
    window->unit = DXT_UNIT_NS; /* clocks do not matter then */
    assert_true(dxt_window_value(window, 1, 0) == 15);
    free(window->samples);
    window->samples = NULL;
    window->samples_each = window->ops = 0;
    assert_int_equal(dxt_window_measure(window), DXT_MEASURE_NS);
    window->missing = copy_of("\0\1", 2);
    assert_true(isnan(dxt_window_value(window, 1, 0)));
    dxt_window_row(window, 1, row);
    assert_true(isnan(row[0]) && isnan(row[1]));
    assert_true(dxt_window_value(window, 0, 0) == 10);
    dxt_window_free(window);
}

/* ---- check ---- */

static void break_size(dxt_window *w)
{
    w->struct_size = 8;
}
static void break_few(dxt_window *w)
{
    w->ranks = 1;
}
static void break_phase(dxt_window *w)
{
    w->phase[0] = '\n';
}
static void break_unit(dxt_window *w)
{
    w->unit = (dxt_unit)7;
}
static void break_index(dxt_window *w)
{
    w->index = -2;
}
static void break_wait(dxt_window *w)
{
    w->wait[2] = -2;
}
static void break_samples(dxt_window *w)
{
    w->samples[3] = -1;
}
static void break_bytes(dxt_window *w)
{
    w->bytes[0] = INT64_MIN;
}
static void break_last(dxt_window *w)
{
    w->last[0] = -1;
}
static void break_each(dxt_window *w)
{
    w->samples_each = -1;
}
static void break_ops(dxt_window *w)
{
    w->ops = -1;
}
static void break_elapsed(dxt_window *w)
{
    w->elapsed_ns = -1;
}
static void break_flag(dxt_window *w)
{
    w->missing[0] = 2;
}
static void break_row(dxt_window *w)
{
    w->missing[1] = 1;
}
static void break_rate(dxt_window *w)
{
    w->ticks_per_second[1] = 0;
}
static void break_nan(dxt_window *w)
{
    w->ticks_per_second[0] = NAN;
}
static void break_node(dxt_window *w)
{
    w->nodes[1] = -1;
}
static void break_host(dxt_window *w)
{
    w->hosts[1][0] = '\xff';
}
static void break_source(dxt_window *w)
{
    w->source[0] = '\x80';
}
static void break_extra_end(dxt_window *w)
{
    w->extra[6] = ' ';
}
static void break_extra_name(dxt_window *w)
{
    w->extra[2] = 'v';
}
static void break_extra_rest(dxt_window *w)
{
    strcpy(w->extra, "{}  {}");
}
static void break_extra_twice(dxt_window *w)
{
    free(w->extra);
    w->extra = strdup("{\"a\":1,\"\\u0061\":2}");
}

static dxt_window *full_window(void)
{
    dxt_window *window = small_window();
    window->index = 3;
    window->samples = copy_of((int64_t[]){1, 2, 3, 4}, 4 * sizeof(int64_t));
    window->bytes = copy_of((int64_t[]){5, 6, 7, INT64_MAX}, 4 * sizeof(int64_t));
    window->last = copy_of((int64_t[]){0, 1, 1, 0}, 4 * sizeof(int64_t));
    window->missing = copy_of("\0\0", 2);
    window->ticks_per_second = copy_of((double[]){1.98e9, 1e9 / 3}, 2 * sizeof(double));
    window->nodes = copy_of((int32_t[]){0, INT32_MAX}, 2 * sizeof(int32_t));
    window->hosts = calloc(2, sizeof *window->hosts);
    window->hosts[0] = strdup("a\"\\\n");
    window->hosts[1] = strdup("b");
    window->ops = 9;
    window->elapsed_ns = 77;
    window->instance = strdup("é");
    window->begin = strdup("2025-09-15T16:28:53.686");
    window->source = strdup("s");
    window->case_name = strdup("");
    window->extra = strdup("{\"x\":1}");
    return window;
}

static void inconsistent_windows_are_found(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(dxt_window *window);
        const char *message;
    } cases[] = {
        {break_size, "window.struct_size is 8; set it to sizeof(dxt_window)"},
        {break_few, "ranks: below 2"},
        {break_phase, "phase: must be 1 to 255 bytes of UTF-8 without control characters"},
        {break_unit, "unit: not known"},
        {break_index, "index: below -1"},
        {break_wait, "wait: row 1, column 0: -2 is negative"},
        {break_samples, "samples: row 1, column 1: -1 is negative"},
        {break_bytes, "bytes: row 0, column 0: -9223372036854775808 is negative"},
        {break_last, "last: row 0, column 0: -1 is negative"},
        {break_each, "samples_each: negative"},
        {break_ops, "ops: negative"},
        {break_elapsed, "elapsed_ns: negative"},
        {break_flag, "missing: must be 0 or 1"},
        {break_row, "wait: a missing row does not hold zeros"},
        {break_rate, "ticks_per_second: not 1 to 1e12"},
        {break_nan, "ticks_per_second: not 1 to 1e12"},
        {break_node, "nodes: negative"},
        {break_host, "hosts: not UTF-8"},
        {break_source, "source: not UTF-8"},
        {break_extra_end, "extra: the line ends too early"},
        {break_extra_name, "extra: it holds a field that has a place of its own"},
        {break_extra_rest, "extra: text behind the object"},
        {break_extra_twice, "extra: it is there twice"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dxt_window *window = full_window();
        dxt_text out = {0};
        assert_int_equal(dxt_window_check(window), DXT_OK);
        uint32_t ranks = window->ranks;
        cases[i].spoil(window);
        assert_int_equal(dxt_window_check(window), DXT_ERR_INVALID);
        assert_string_equal(dxt_error(), cases[i].message);
        assert_int_equal(dxt_window_write(window, collect, &out), DXT_ERR_INVALID);
        assert_null(out.data);
        window->ranks = ranks;
        dxt_window_free(window);
    }
    dxt_window *window = small_window();
    window->ranks = 4097;
    assert_int_equal(dxt_window_check(window), DXT_ERR_LIMIT);
    window->ranks = 2;
    dxt_window_free(window);
    assert_int_equal(dxt_window_check(NULL), DXT_ERR_INVALID);
}

/* ---- sums ---- */

static void sums_hold_what_both_have(void **state)
{
    (void)state;
    dxt_window *sum = full_window(), *window = full_window();
    window->bytes[3] = 0;
    assert_int_equal(dxt_window_add(sum, window), DXT_OK);
    assert_int_equal(sum->wait[3], 80);
    assert_int_equal(sum->samples[3], 8);
    assert_int_equal(sum->bytes[3], INT64_MAX);
    assert_int_equal(sum->last[1], 2);
    assert_int_equal(sum->ops, 18);
    assert_int_equal(sum->elapsed_ns, 154);
    assert_int_equal(sum->index, 3);
    /* one of them lacks the rest */
    free(window->bytes);
    free(window->last);
    window->bytes = window->last = NULL;
    window->ops = window->elapsed_ns = 0;
    free(window->samples);
    window->samples = NULL;
    window->samples_each = 5;
    memset(window->wait + 2, 0, 2 * sizeof *window->wait);
    window->missing[1] = 1;
    assert_int_equal(dxt_window_add(sum, window), DXT_OK);
    assert_null(sum->bytes);
    assert_null(sum->last);
    assert_int_equal(sum->ops, 0);
    assert_int_equal(sum->elapsed_ns, 0);
    assert_int_equal(sum->samples[1], 9);
    assert_int_equal(sum->wait[1], 60);
    assert_int_equal(sum->wait[3], 0);
    assert_int_equal(sum->missing[0], 0);
    assert_int_equal(sum->missing[1], 1);
    window->samples_each = 0;
    assert_int_equal(dxt_window_add(sum, window), DXT_OK);
    assert_null(sum->samples);
    assert_int_equal(dxt_window_check(sum), DXT_OK);
    dxt_window_free(sum);
    dxt_window_free(window);
}

static void sums_of_unlike_windows_are_refused(void **state)
{
    (void)state;
    dxt_window *sum = small_window(), *window = small_window(), *larger = NULL;
    assert_int_equal(dxt_window_create(3, "dispatch", &larger), DXT_OK);
    assert_int_equal(dxt_window_add(sum, larger), DXT_ERR_INVALID);
    assert_string_equal(
        dxt_error(),
        "windows that differ in ranks cannot be added; add those of one run and operator");
    dxt_window_free(larger);
    window->phase[0] = 'D';
    assert_int_equal(dxt_window_add(sum, window), DXT_ERR_INVALID);
    assert_string_equal(
        dxt_error(),
        "windows that differ in phase cannot be added; add those of one run and operator");
    window->phase[0] = 'd';
    window->unit = DXT_UNIT_NS;
    assert_int_equal(dxt_window_add(sum, window), DXT_ERR_INVALID);
    window->unit = DXT_UNIT_CYCLES;
    window->ticks_per_second = copy_of((double[]){1e9, 2e9}, 2 * sizeof(double));
    assert_int_equal(dxt_window_add(sum, window), DXT_ERR_INVALID);
    sum->ticks_per_second = copy_of((double[]){1e9, 1e9}, 2 * sizeof(double));
    assert_int_equal(dxt_window_add(sum, window), DXT_ERR_INVALID);
    assert_string_equal(dxt_error(), "windows that differ in ticks_per_second cannot be added; add "
                                     "those of one run and operator");
    sum->ticks_per_second[1] = 2e9;
    assert_int_equal(dxt_window_add(sum, window), DXT_OK);
    dxt_window_free(sum);
    dxt_window_free(window);
}

static void sums_that_do_not_fit_change_nothing(void **state)
{
    (void)state;
    for (int field = 0; field < 6; field++) {
        dxt_window *sum = full_window(), *window = full_window();
        int64_t *places[] = {&sum->wait[3], &sum->samples[3], &sum->bytes[2],
                             &sum->last[1], &sum->ops,        &sum->elapsed_ns};
        window->bytes[3] = 0;
        *places[field] = INT64_MAX;
        assert_int_equal(dxt_window_add(sum, window), DXT_ERR_LIMIT);
        assert_string_equal(dxt_error(),
                            "a sum of two windows is above 2^63 - 1; add fewer windows");
        assert_int_equal(*places[field], INT64_MAX);
        assert_int_equal(sum->wait[0], 10);
        assert_int_equal(sum->samples[0], 1);
        dxt_window_free(sum);
        dxt_window_free(window);
    }
    dxt_window *sum = small_window(), *window = small_window();
    sum->samples_each = INT64_MAX;
    window->samples_each = 1;
    assert_int_equal(dxt_window_add(sum, window), DXT_ERR_LIMIT);
    dxt_window_free(sum);
    dxt_window_free(window);
}

/* ---- writing ---- */

static void every_field_is_written(void **state)
{
    (void)state;
    dxt_window *window = full_window();
    dxt_text out = {0}, again = {0};
    assert_int_equal(dxt_window_write(window, collect, &out), DXT_OK);
    assert_string_equal(
        out.data,
        "{\"v\":1,\"source\":\"s\",\"case\":\"\",\"instance\":\"é\","
        "\"begin\":\"2025-09-15T16:28:53.686\",\"phase\":\"dispatch\",\"window\":3,\"ranks\":2,"
        "\"nodes\":[0,2147483647],\"hosts\":[\"a\\\"\\\\\\u000a\",\"b\"],\"ops\":9,"
        "\"unit\":\"cycles\",\"ticks_per_second\":[1980000000,333333333.3333333],"
        "\"elapsed_ns\":77,\"wait\":[[10,20],[30,40]],\"samples\":[[1,2],[3,4]],"
        "\"bytes\":[[5,6],[7,9223372036854775807]],\"last\":[[0,1],[1,0]],\"x\":1}\n");
    dxt_window *back = read_one(out.data, out.size);
    assert_memory_equal(back->ticks_per_second, window->ticks_per_second, 2 * sizeof(double));
    assert_string_equal(back->extra, window->extra);
    assert_int_equal(dxt_window_write(back, collect, &again), DXT_OK);
    assert_string_equal(again.data, out.data);
    dxt_window_free(back);
    dxt_window_free(window);
    free(out.data);
    free(again.data);
}

static dxt_status stop_later(void *context, const void *data, size_t size)
{
    (void)data;
    assert_true(size > 0 && size <= 65536);
    return --*(int *)context == 0 ? DXT_ERR_IO : DXT_OK;
}

static void a_failing_writer_stops_it(void **state)
{
    (void)state;
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(300, "x", &window), DXT_OK);
    for (int calls = 1; calls <= 3; calls++) {
        int left = calls;
        assert_int_equal(dxt_window_write(window, stop_later, &left), DXT_ERR_IO);
        assert_int_equal(left, 0);
    }
    dxt_window_free(window);
}

/* ---- round trips ---- */

/* Lines that the writer gives back byte by byte; the three that lack "unit" gain it. */
static void round_trip_file(const char *name, size_t *lines, size_t *changed)
{
    const char *root = getenv("DXT_SOURCE_DIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/recorded/data/%s", root ? root : ".", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    while ((size = getline(&line, &capacity, file)) > 0) {
        dxt_window *window = read_one(line, (size_t)size);
        dxt_text out = {0}, again = {0};
        assert_int_equal(dxt_window_write(window, collect, &out), DXT_OK);
        dxt_window *back = read_one(out.data, out.size);
        assert_int_equal(dxt_window_write(back, collect, &again), DXT_OK);
        assert_string_equal(out.data, again.data);
        if (strcmp(out.data, line) != 0) ++*changed;
        ++*lines;
        dxt_window_free(window);
        dxt_window_free(back);
        free(out.data);
        free(again.data);
    }
    free(line);
    fclose(file);
}

static void recorded_windows_survive(void **state)
{
    (void)state;
    size_t lines = 0, changed = 0;
    round_trip_file("deepep-ep4-h200.jsonl", &lines, &changed);
    assert_int_equal(lines, 1120);
    assert_int_equal(changed, 0);
    round_trip_file("reference-matrices.jsonl", &lines, &changed);
    assert_int_equal(lines, 1125);
    assert_int_equal(changed, 3);
}

static uint64_t random_state = RANDOM_SEED;

static int64_t *random_cells(uint32_t ranks)
{
    int64_t *cells = malloc((size_t)ranks * ranks * sizeof *cells);
    assert_non_null(cells);
    for (size_t i = 0; i < (size_t)ranks * ranks; i++)
        cells[i] =
            (int64_t)((random_bits(&random_state) >> 1) >> (random_bits(&random_state) % 63));
    return cells;
}

static char *random_string(void)
{
    char text[8] = {0};
    for (size_t i = 0; i < random_bits(&random_state) % sizeof text; i++)
        text[i] = (char)(1 + random_bits(&random_state) % 127);
    return strdup(text);
}

static dxt_window *random_window(void)
{
    dxt_window *window = NULL;
    uint32_t ranks = 2 + (uint32_t)(random_bits(&random_state) % 40);
    assert_int_equal(dxt_window_create(ranks, "combine", &window), DXT_OK);
    uint64_t flags = random_bits(&random_state);
    free(window->wait);
    window->wait = random_cells(ranks);
    window->unit = flags & 1 ? DXT_UNIT_NS : DXT_UNIT_CYCLES;
    window->index = (int64_t)(flags % 5) - 1;
    window->ops = (int64_t)(flags >> 32 & 7);
    if (flags & 2) window->samples = random_cells(ranks);
    if (!(flags & 2)) window->samples_each = (int64_t)(flags >> 35 & 3);
    if (flags & 4) window->bytes = random_cells(ranks);
    if (flags & 8) window->last = random_cells(ranks);
    if (flags & 16) window->source = random_string();
    if (flags & 32) window->ticks_per_second = calloc(ranks, sizeof *window->ticks_per_second);
    if (flags & 64) window->missing = calloc(ranks, 1);
    if (flags & 128) window->hosts = calloc(ranks, sizeof *window->hosts);
    for (uint32_t i = 0; i < ranks; i++) {
        if (flags & 32)
            window->ticks_per_second[i] =
                1 + (double)(random_bits(&random_state) % 1000000) * pow(10, (double)(i % 6)) / 7;
        if (flags & 128) window->hosts[i] = random_string();
        if (!(flags & 64) || random_bits(&random_state) % 4) continue;
        window->missing[i] = 1;
        memset(window->wait + (size_t)i * ranks, 0, ranks * sizeof *window->wait);
    }
    return window;
}

static void assert_same_cells(const int64_t *a, const int64_t *b, uint32_t ranks)
{
    assert_int_equal(!a, !b);
    if (a) assert_memory_equal(a, b, (size_t)ranks * ranks * sizeof *a);
}

static void random_windows_survive(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        dxt_window *window = random_window();
        uint32_t ranks = window->ranks;
        dxt_text out = {0};
        assert_int_equal(dxt_window_write(window, collect, &out), DXT_OK);
        dxt_window *back = read_one(out.data, out.size);
        assert_int_equal(back->ranks, ranks);
        assert_int_equal(back->unit, window->unit);
        assert_int_equal(back->index, window->index);
        assert_int_equal(back->ops, window->ops);
        assert_int_equal(back->samples_each, window->samples_each);
        assert_same_cells(back->wait, window->wait, ranks);
        assert_same_cells(back->samples, window->samples, ranks);
        assert_same_cells(back->bytes, window->bytes, ranks);
        assert_same_cells(back->last, window->last, ranks);
        for (uint32_t i = 0; i < ranks; i++) {
            bool missing = window->missing && window->missing[i];
            assert_int_equal(back->missing && back->missing[i], missing);
            if (window->hosts) assert_string_equal(back->hosts[i], window->hosts[i]);
        }
        assert_int_equal(!back->ticks_per_second, !window->ticks_per_second);
        if (window->ticks_per_second)
            assert_memory_equal(back->ticks_per_second, window->ticks_per_second,
                                ranks * sizeof(double));
        assert_int_equal(!back->source, !window->source);
        if (window->source) assert_string_equal(back->source, window->source);
        dxt_window_free(back);
        dxt_window_free(window);
        free(out.data);
    }
}

/* ---- allocations ---- */

static dxt_status ignore(void *context, const void *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
    return DXT_OK;
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    dxt_window *sum = full_window(), *window = full_window(), *made = NULL;
    window->bytes[3] = 0;
    dxt_status status;
    long k = 1;
    for (; alloc_fail_arm(k), status = dxt_window_create(2, "x", &made), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_int_equal(k, 4);
    dxt_window_free(made);
    for (k = 1; alloc_fail_arm(k), status = dxt_window_add(sum, window), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_int_equal(k, 6);
    for (k = 1;
         alloc_fail_arm(k), status = dxt_window_write(window, ignore, NULL), alloc_fail_disarm();
         k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_int_equal(k, 2);
    dxt_window_free(sum);
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_made_within_limits),
        cmocka_unit_test(values_follow_what_is_known),
        cmocka_unit_test(inconsistent_windows_are_found),
        cmocka_unit_test(sums_hold_what_both_have),
        cmocka_unit_test(sums_of_unlike_windows_are_refused),
        cmocka_unit_test(sums_that_do_not_fit_change_nothing),
        cmocka_unit_test(every_field_is_written),
        cmocka_unit_test(a_failing_writer_stops_it),
        cmocka_unit_test(recorded_windows_survive),
        cmocka_unit_test(random_windows_survive),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
