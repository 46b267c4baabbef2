/* SPDX-License-Identifier: Apache-2.0 */
/* Which windows stay on a page that has no room for all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "render/page/shelf.h"

/* Two operators of 1000 windows; from 400 on something stands out in one of them. */
static void both_operators_of_a_window_stay(void **state)
{
    (void)state;
    dxt_page_shelf shelf = {0};
    for (uint64_t ordinal = 0; ordinal < 1000; ordinal++)
        for (uint32_t phase = 0; phase < 2; phase++) {
            dxt_worth worth = phase == 1 || ordinal < 400 ? DXT_WORTH_ORDINARY
                              : ordinal == 400            ? DXT_WORTH_CHANGE
                                                          : DXT_WORTH_NAMED;
            if (worth == DXT_WORTH_CHANGE) dxt_shelf_raise(&shelf, 0, 399, DXT_WORTH_BESIDE);
            const dxt_page_item item = {.phase = phase, .ordinal = ordinal, .worth = worth};
            assert_int_equal(dxt_shelf_add(&shelf, &item), DXT_OK);
            while (shelf.count > 200) assert_true(dxt_shelf_thin(&shelf));
        }
    assert_true(shelf.count > 100);
    uint64_t before = 0, behind = 0, widest = 0, newest = 0;
    for (size_t i = 0; i < shelf.count; i++) {
        uint64_t ordinal = shelf.items[i].ordinal;
        before += ordinal < 399;
        behind += ordinal > 400;
        if (ordinal > 400 && newest >= 400 && ordinal - newest > widest) widest = ordinal - newest;
        newest = ordinal;
    }
    assert_true(before >= 8 && behind > 80 && widest <= 16);
    for (size_t i = 0; i + 1 < shelf.count; i += 2) {
        assert_int_equal(shelf.items[i].phase, 0);
        assert_int_equal(shelf.items[i + 1].phase, 1);
        assert_true(shelf.items[i].ordinal == shelf.items[i + 1].ordinal);
    }
    bool around[2] = {false};
    for (size_t i = 0; i < shelf.count; i++)
        if (shelf.items[i].ordinal - 399 < 2) around[shelf.items[i].ordinal - 399] = true;
    assert_true(around[0] && around[1]);
    dxt_shelf_free(&shelf);
}

/* All of RUNS with WINDOWS each are worth as much, the first one of each run excepted. */
static void thin_alike(uint32_t runs, uint64_t windows, dxt_worth worth)
{
    dxt_page_shelf shelf = {0};
    for (uint32_t run = 0; run < runs; run++)
        for (uint64_t ordinal = 0; ordinal < windows; ordinal++) {
            const dxt_page_item item = {
                .run = run, .ordinal = ordinal, .worth = ordinal == 0 ? DXT_WORTH_BESIDE : worth};
            assert_int_equal(dxt_shelf_add(&shelf, &item), DXT_OK);
            while (shelf.count > 60) assert_true(dxt_shelf_thin(&shelf));
        }
    assert_int_equal(shelf.count, runs * windows < 60 ? runs * windows : 60);
    dxt_shelf_free(&shelf);
}

static void windows_that_are_all_worth_keeping_go_one_by_one(void **state)
{
    (void)state;
    thin_alike(1, 400, DXT_WORTH_CHANGE);
    thin_alike(20, 20, DXT_WORTH_CHANGE);
    thin_alike(200, 1, DXT_WORTH_CHANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_operators_of_a_window_stay),
        cmocka_unit_test(windows_that_are_all_worth_keeping_go_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
