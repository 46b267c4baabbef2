/* SPDX-License-Identifier: Apache-2.0 */
/* The ratio rule on matrices that are no windows; to the last bit it is held against NumPy in
 * tests/python/test_matrix.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/ratio.h>
#include <deepxtrace/status.h>

#include "alloc_fail.h"

#define ROWS 5u
#define COLUMNS 8u

/* Column 2, row 4 and the cell (1, 6) stand out; the cell most. */
static void fill(double *values)
{
    for (size_t k = 0; k < ROWS * COLUMNS; k++) values[k] = 0.5;
    for (size_t i = 0; i < ROWS; i++) values[i * COLUMNS + 2] = 40;
    for (size_t j = 0; j < COLUMNS; j++) values[4 * COLUMNS + j] = 60;
    values[COLUMNS + 6] = 200;
}

static const dxt_ratio_rule low = {
    .struct_size = sizeof low, .threshold_col = 1.5, .threshold_row = 2, .threshold_point = 4};

static void columns_rows_and_cells_in_their_order(void **state)
{
    (void)state;
    double values[ROWS * COLUMNS];
    dxt_ratio_place *places = NULL;
    size_t count = 0;
    fill(values);
    assert_int_equal(dxt_ratio_matrix(values, ROWS, COLUMNS, &low, &places, &count), DXT_OK);
    assert_int_equal(count, 3);
    assert_int_equal(places[0].row, DXT_RATIO_WHOLE);
    assert_int_equal(places[0].column, 2);
    assert_true(places[0].value == 44);
    assert_int_equal(places[1].row, DXT_RATIO_WHOLE);
    assert_int_equal(places[1].column, 6);
    assert_int_equal(places[2].row, 4);
    assert_int_equal(places[2].column, DXT_RATIO_WHOLE);
    assert_true(places[2].value == 60);
    free(places);
}

static void cells_of_what_is_flagged_are_kept_if_asked_for(void **state)
{
    (void)state;
    double values[ROWS * COLUMNS];
    dxt_ratio_place *places = NULL;
    size_t count = 0;
    dxt_ratio_rule rule = low;
    fill(values);
    rule.keep_points = 1;
    assert_int_equal(dxt_ratio_matrix(values, ROWS, COLUMNS, &rule, &places, &count), DXT_OK);
    assert_int_equal(count, 4);
    assert_int_equal(places[3].row, 1);
    assert_int_equal(places[3].column, 6);
    assert_true(places[3].value == 200);
    free(places);
}

static void nothing_stands_out(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3, 4, 5, 6}, zeros[4] = {0};
    const dxt_ratio_rule no_zeros = {.struct_size = sizeof no_zeros,
                                     .threshold_col = 3,
                                     .threshold_row = 3,
                                     .threshold_point = 5,
                                     .excluding_zeros = 1};
    dxt_ratio_place none, *places = &none;
    size_t count = 7;
    assert_int_equal(dxt_ratio_matrix(values, 2, 3, NULL, &places, &count), DXT_OK);
    assert_null(places);
    assert_int_equal(count, 0);
    assert_int_equal(dxt_ratio_matrix(zeros, 2, 2, &no_zeros, &places, &count), DXT_OK);
    assert_int_equal(count, 0);
}

static void what_is_refused_leaves_the_result_alone(void **state)
{
    (void)state;
    const double values[4] = {1, 1, 1, 1};
    const dxt_ratio_rule unset = {.threshold_col = 1};
    dxt_ratio_place none, *places = &none;
    size_t count = 7;
    assert_int_equal(dxt_ratio_matrix(NULL, 2, 2, NULL, &places, &count), DXT_ERR_INVALID);
    assert_int_equal(dxt_ratio_matrix(values, 0, 2, NULL, &places, &count), DXT_ERR_INVALID);
    assert_int_equal(dxt_ratio_matrix(values, 2, 0, NULL, &places, &count), DXT_ERR_INVALID);
    assert_int_equal(dxt_ratio_matrix(values, 2, 2, &unset, &places, &count), DXT_ERR_INVALID);
    assert_int_equal(dxt_ratio_matrix(values, 2, 2, NULL, NULL, &count), DXT_ERR_INVALID);
    assert_int_equal(dxt_ratio_matrix(values, 2, 2, NULL, &places, NULL), DXT_ERR_INVALID);
    assert_int_equal(dxt_ratio_matrix(values, (size_t)1 << 40, 2, NULL, &places, &count),
                     DXT_ERR_LIMIT);
    assert_int_equal(dxt_ratio_matrix(values, INT32_MAX, INT32_MAX, NULL, &places, &count),
                     DXT_ERR_LIMIT);
    assert_ptr_equal(places, &none);
    assert_int_equal(count, 7);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    double values[ROWS * COLUMNS];
    dxt_ratio_place none, *places = &none;
    size_t count = 7;
    dxt_ratio_rule rule = low;
    fill(values);
    rule.excluding_zeros = 1;
    dxt_status status;
    long k = 1;
    for (; alloc_fail_arm(k),
           status = dxt_ratio_matrix(values, ROWS, COLUMNS, &rule, &places, &count),
           alloc_fail_disarm();
         k++) {
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_ptr_equal(places, &none);
    }
    assert_int_equal(status, DXT_OK);
    assert_int_equal(k, 4);
    free(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_rows_and_cells_in_their_order),
        cmocka_unit_test(cells_of_what_is_flagged_are_kept_if_asked_for),
        cmocka_unit_test(nothing_stands_out),
        cmocka_unit_test(what_is_refused_leaves_the_result_alone),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
