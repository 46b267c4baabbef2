/* SPDX-License-Identifier: Apache-2.0 */
/* Windows: writing and reading them loses nothing. */
#include "test_matrix_windows.h"

#include <math.h>
#include <stdio.h>

#include "collect.h"
#include "random.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_written),
        cmocka_unit_test(a_failing_writer_stops_it),
        cmocka_unit_test(recorded_windows_survive),
        cmocka_unit_test(random_windows_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
