/* SPDX-License-Identifier: Apache-2.0 */
/* Windows: their values, their sums, what is wrong with them. */
#include "test_matrix_windows.h"

#include <math.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Note that something was written. */
static dxt_status note(void *context, const void *data, size_t size)
{
    (void)data;
    *(bool *)context = size > 0;
    return DXT_OK;
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
        {break_row, "wait: a missing row must hold only zeros"},
        {break_rate, "ticks_per_second: not 1 to 1e12"},
        {break_nan, "ticks_per_second: not 1 to 1e12"},
        {break_node, "nodes: negative"},
        {break_host, "hosts: not UTF-8"},
        {break_source, "source: not UTF-8"},
        {break_extra_end, "extra: the line ends too early"},
        {break_extra_name, "extra: it holds a field that a recording already has"},
        {break_extra_rest, "extra: text behind the object"},
        {break_extra_twice, "extra: it is there twice"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dxt_window *window = full_window();
        bool written = false;
        assert_int_equal(dxt_window_check(window), DXT_OK);
        uint32_t ranks = window->ranks;
        cases[i].spoil(window);
        assert_int_equal(dxt_window_check(window), DXT_ERR_INVALID);
        assert_string_equal(dxt_error(), cases[i].message);
        assert_int_equal(dxt_window_write(window, note, &written), DXT_ERR_INVALID);
        assert_false(written);
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

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    dxt_window *sum = full_window(), *window = full_window(), *made = NULL;
    bool written;
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
         alloc_fail_arm(k), status = dxt_window_write(window, note, &written), alloc_fail_disarm();
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
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
