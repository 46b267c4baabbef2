/* SPDX-License-Identifier: Apache-2.0 */
/* Texts through the readers: what comes out, and what is said. */
#ifndef DXT_TESTS_MATRIX_READING_H
#define DXT_TESTS_MATRIX_READING_H

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
#include "matrix/reader.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define TITLE " Wait Recv Cost Per Token Matrix[src_rank, dst_rank]"
#define HEAD(size, phase)                                                 \
    "[2025-09-15T16:28:53.686] [Diagnose] InstanceID: 7f-1 EPSize: " size \
    ", diagnose: {'abnormal_cols': [[2, 3.5, 3.1]]}, " phase TITLE

/* A window of two ranks, and the one that most texts hold. */
#define PLAIN(phase, window, wait)                        \
    "{\"v\":1,\"phase\":\"" phase "\",\"window\":" window \
    ",\"ranks\":2,\"unit\":\"cycles\",\"wait\":" wait "}\n"
#define ONE PLAIN("dispatch", "0", "[[1,2],[3,4]]")

/* For dxt_reader_on_remark(): go on, whatever is told. */
static inline int pass(void *context, dxt_remark kind, const char *message)
{
    (void)context;
    (void)kind;
    (void)message;
    return 1;
}

static inline dxt_reader *open_text(const char *text, size_t size)
{
    dxt_reader *reader = NULL;
    assert_int_equal(dxt_reader_open_memory(text, size, "t", &reader), DXT_OK);
    return reader;
}

/* All windows of a text as lines of a recording; the status that ended it. */
static inline dxt_status read_all(dxt_reader *reader, dxt_text *out)
{
    dxt_window *window = NULL;
    dxt_status status;
    while ((status = dxt_reader_next(reader, &window)) == DXT_OK) {
        dxt_status written = dxt_window_check(window);
        assert_true(written == DXT_OK || written == DXT_ERR_NO_MEMORY);
        if (written == DXT_OK) written = dxt_window_write(window, collect, out);
        dxt_window_free(window);
        if (written != DXT_OK) return written;
        if (out->failed) return DXT_ERR_NO_MEMORY;
    }
    return status;
}

static char told_so_far[1024];

static inline int keep_told(void *context, dxt_remark kind, const char *message)
{
    (void)context;
    (void)kind;
    size_t size = strlen(told_so_far);
    snprintf(told_so_far + size, sizeof told_so_far - size, "%s%s", size ? "\n" : "", message);
    return 1;
}

/* Read a text with a listener, and find these windows and these remarks, a line each. */
static inline void assert_told(const char *text, const char *windows, const char *told)
{
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_text out = {0};
    dxt_text_puts(&out, "");
    told_so_far[0] = '\0';
    dxt_reader_on_remark(reader, keep_told, NULL);
    read_all(reader, &out);
    assert_string_equal(out.data, windows);
    assert_string_equal(told_so_far, told);
    free(out.data);
    dxt_reader_close(reader);
}

/* The same of a text, from opening to closing; the windows are not kept. */
static inline dxt_status read_once(const char *text, size_t size)
{
    dxt_reader *reader;
    dxt_text out = {0};
    dxt_status status = dxt_reader_open_memory(text, size, "t", &reader);
    if (status != DXT_OK) return status;
    status = read_all(reader, &out);
    free(out.data);
    dxt_reader_close(reader);
    return status;
}

/* Read a text with each of its allocations failing in turn, and then as it is. */
static inline void read_without_memory(const char *text)
{
    long k = 1;
    dxt_status status;
    for (; alloc_fail_arm(k), status = read_once(text, strlen(text)), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    if (status != DXT_END) print_error("%s\n%s\n", text, dxt_error());
    assert_int_equal(status, DXT_END);
    assert_true(k > 5);
}

static inline void assert_reads(const char *text, const char *expected)
{
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_text out = {0};
    dxt_status status = read_all(reader, &out);
    if (status != DXT_END) print_error("%s\n%s\n", text, dxt_error());
    assert_int_equal(status, DXT_END);
    assert_string_equal(out.data, expected);
    free(out.data);
    dxt_reader_close(reader);
}

typedef struct bad_case {
    const char *text;
    dxt_status status;
    const char *message;
} bad_case;

static inline void assert_refused(const bad_case *bad, size_t size)
{
    dxt_reader *reader = open_text(bad->text, size);
    dxt_text out = {0};
    dxt_status status = read_all(reader, &out);
    if (status != bad->status) print_error("%s\n%s\n", bad->text, dxt_error());
    assert_int_equal(status, bad->status);
    assert_string_equal(dxt_error(), bad->message);
    /* and it stays so */
    dxt_fail(DXT_ERR_STATE, "something else");
    dxt_window *window = NULL;
    assert_int_equal(dxt_reader_next(reader, &window), bad->status);
    assert_null(window);
    assert_string_equal(dxt_error(), bad->message);
    free(out.data);
    dxt_reader_close(reader);
}

#define REFUSE(cases) \
    for (size_t i = 0; i < LENGTH(cases); i++) assert_refused(&cases[i], strlen(cases[i].text))

#endif
