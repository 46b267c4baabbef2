/* SPDX-License-Identifier: Apache-2.0 */
/* Windows for tests of windows. */
#ifndef DXT_TEST_MATRIX_WINDOWS_H
#define DXT_TEST_MATRIX_WINDOWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/matrix.h>

#include "alloc_fail.h"
#include "base/base.h"

static inline void *copy_of(const void *data, size_t size)
{
    void *copy = malloc(size);
    assert_non_null(copy);
    return memcpy(copy, data, size);
}

/* Two ranks: wait 10 20 / 30 40. */
static inline dxt_window *small_window(void)
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(2, "dispatch", &window), DXT_OK);
    for (int i = 0; i < 4; i++) window->wait[i] = 10 * (i + 1);
    return window;
}

/* Every field is set. */
static inline dxt_window *full_window(void)
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

#endif
