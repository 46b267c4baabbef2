/* SPDX-License-Identifier: Apache-2.0 */
/* The readers: every form they accept, and the exact message for every form they do not. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <deepxtrace/matrix.h>

#include "alloc_fail.h"
#include "base/base.h"
#include "matrix/json.h"
#include "matrix/reader.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define TITLE " Wait Recv Cost Per Token Matrix[src_rank, dst_rank]"
#define HEAD(size, phase)                                                 \
    "[2025-09-15T16:28:53.686] [Diagnose] InstanceID: 7f-1 EPSize: " size \
    ", diagnose: {'abnormal_cols': [[2, 3.5, 3.1]]}, " phase TITLE

static dxt_reader *open_text(const char *text, size_t size)
{
    dxt_reader *reader = NULL;
    assert_int_equal(dxt_reader_open_memory(text, size, "t", &reader), DXT_OK);
    return reader;
}

static dxt_status collect(void *context, const void *data, size_t size)
{
    dxt_text_append(context, data, size);
    return DXT_OK;
}

/* All windows of a text as lines of a recording; the status that ended it. */
static dxt_status read_all(dxt_reader *reader, dxt_text *out)
{
    dxt_window *window = NULL;
    dxt_status status;
    while ((status = dxt_reader_next(reader, &window)) == DXT_OK) {
        dxt_status written = dxt_window_write(window, collect, out);
        dxt_window_free(window);
        if (written != DXT_OK) return written;
        if (out->failed) return DXT_ERR_NO_MEMORY;
    }
    return status;
}

static void assert_reads(const char *text, const char *expected)
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

/* ---- what is accepted ---- */

#define W "\"wait\":[[1,2],[3,4]]"
#define R(fields) "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2," fields "}\n"
#define OUT(fields) "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2,\"unit\":\"cycles\"," fields "}\n"

static void recordings_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {R(W), OUT(W)},
        {"{\"wait\" : [ [1 , 2] ,\t[3,4] ] ,\"ranks\":2,\"phase\":\"x\",\"v\":1}\r\n",
         "{\"v\":1,\"phase\":\"x\",\"ranks\":2,\"unit\":\"cycles\"," W "}\n"},
        {"\xef\xbb\xbf\n\n  \n" R(W) "\n" R(W), OUT(W) OUT(W)},
        {"{\"v\":1,\"phase\":\"a\\u0041\\u20ac\\ud83d\\ude00\\\"\\/\",\"ranks\":2," W "}",
         "{\"v\":1,\"phase\":\"aA\u20ac\U0001f600\\\"/\",\"ranks\":2,\"unit\":\"cycles\"," W "}\n"},
        {R("\"window\":7,\"ops\":3,\"samples\":5,\"elapsed_ns\":9,\"unit\":\"ns\"," W),
         "{\"v\":1,\"phase\":\"dispatch\",\"window\":7,\"ranks\":2,\"ops\":3,\"samples\":5,"
         "\"unit\":\"ns\",\"elapsed_ns\":9," W "}\n"},
        {R("\"nodes\":[0,1],\"hosts\":[\"a\\tb\",\"\\u00e9\"],\"instance\":\"i\",\"begin\":\"b\","
           "\"source\":\"s\",\"case\":\"c\",\"ticks_per_second\":[1.5,2e9]," W),
         "{\"v\":1,\"source\":\"s\",\"case\":\"c\",\"instance\":\"i\",\"begin\":\"b\","
         "\"phase\":\"dispatch\",\"ranks\":2,\"nodes\":[0,1],\"hosts\":[\"a\\u0009b\",\"\u00e9\"],"
         "\"unit\":\"cycles\",\"ticks_per_second\":[1.5,2000000000]," W "}\n"},
        {R("\"ticks_per_second\":1.98e9," W), OUT("\"ticks_per_second\":1980000000," W)},
        {R("\"ticks_per_second\":[1.1,1.1]," W), OUT("\"ticks_per_second\":1.1," W)},
        {R("\"wait\":[null,[0,9223372036854775807]]"),
         OUT("\"wait\":[null,[0,9223372036854775807]]")},
        {R("\"wait\":[[1,2],null]"), OUT("\"wait\":[[1,2],null]")},
        {R("\"wait\":[null,null]"), OUT("\"wait\":[null,null]")},
        {R(W ",\"samples\":[[1,1],[1,2]],\"bytes\":[[0,9],[8,7]],\"last\":[[0,1],[1,0]]"),
         OUT(W ",\"samples\":[[1,1],[1,2]],\"bytes\":[[0,9],[8,7]],\"last\":[[0,1],[1,0]]")},
        {R(W ",\"label\" : {\"cols\": [3]},\"\\u0078\":[1e3,true,null,\"\\\\\"],\"\":-0.5"),
         OUT(W ",\"label\":{\"cols\": [3]},\"\\u0078\":[1e3,true,null,\"\\\\\"],\"\":-0.5")},
        {R(W ",\"window\":null,\"ops\":null,\"nodes\":null,\"samples\":null,\"unit\":null,"
             "\"ticks_per_second\":null,\"hosts\":null,\"bytes\":null,\"instance\":null"),
         OUT(W)},
        {R("\"\\u0077ait\":[[1,2],[3,4]]"), OUT(W)},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
}

static void windows_of_one_file_may_differ_in_size(void **state)
{
    (void)state;
    assert_reads(R(W) "{\"v\":1,\"phase\":\"c\",\"ranks\":3,\"wait\":[[1,2,3],null,[4,5,6]]}",
                 OUT(W) "{\"v\":1,\"phase\":\"c\",\"ranks\":3,\"unit\":\"cycles\","
                        "\"wait\":[[1,2,3],null,[4,5,6]]}\n");
}

#define LOGGED(phase, window, wait)                                                           \
    "{\"v\":1,\"instance\":\"7f-1\",\"begin\":\"2025-09-15T16:28:53.686\",\"phase\":\"" phase \
    "\",\"window\":" window ",\"ranks\":2,\"unit\":\"cycles\",\"wait\":" wait "}\n"

static void logs_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {HEAD("2", "Dispatch") "\n[2025-09-15T16:28:53.686] rank=0 [ 1 2]\n"
                               "[2025-09-15T16:28:53.687] rank=1 [    3        4 ]\n",
         LOGGED("dispatch", "0", "[[1,2],[3,4]]")},
        /* other lines between, bare rows, both operators, two windows, one that has no rows */
        {"INFO started [1] rank=7\n" HEAD(
             "2", "Dispatch") ":\n[1 2]\n[pid 7] busy\n[     3    4]\n"
                              "[12345] worker\n" HEAD("2", "Combine") "\n[[5 6]\n [7 8]]\n" HEAD(
                                  "2", "Combine") "\n" HEAD("2",
                                                            "Dispatch") "\n[[ 9 9\n]\nsome line\n "
                                                                        "[ 8\n 8 ]\n]\n",
         LOGGED("dispatch", "0", "[[1,2],[3,4]]") LOGGED("combine", "0", "[[5,6],[7,8]]")
             LOGGED("dispatch", "1", "[[9,9],[8,8]]")},
        /* rows out of order, and a missing one */
        {HEAD("2", "Combine") "\nx rank=1 [3, 4]\n" HEAD("2", "Combine") "\nrank=1 [7 8]\n"
                                                                         "rank=0 [5 6]\n",
         LOGGED("combine", "0", "[null,[3,4]]") LOGGED("combine", "1", "[[5,6],[7,8]]")},
        /* a rotated file begins with rows; an old time stamp */
        {"[x] rank=1 [1 2 3]\n[4 5 6]\n[2025-09-15 16:28:53] [Diagnose] InstanceID: u EPSize: 2, "
         "diagnose: {}, Dispatch" TITLE "\n[2025-09-15 16:28:53] [1 2]\n[3 4]",
         "{\"v\":1,\"instance\":\"u\",\"begin\":\"2025-09-15T16:28:53\",\"phase\":\"dispatch\","
         "\"window\":0,\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[1,2],[3,4]]}\n"},
        /* no time stamp, no instance */
        {"[Diagnose] EPSize: 2, Dispatch" TITLE "\n[1 2]\n[3 4]",
         "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":2,\"unit\":\"cycles\","
         "\"wait\":[[1,2],[3,4]]}\n"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
}

#define PLAIN(phase, window, wait)                        \
    "{\"v\":1,\"phase\":\"" phase "\",\"window\":" window \
    ",\"ranks\":2,\"unit\":\"cycles\",\"wait\":" wait "}\n"

static void plain_matrices_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"1 2\n3 4\n", PLAIN("dispatch", "0", "[[1,2],[3,4]]")},
        {"1,2\r\n3 , 4\r\n", PLAIN("dispatch", "0", "[[1,2],[3,4]]")},
        {"# two windows of it\n# Combine\n1\t2\n3\t4\n\n\n5 6\n7 8\n# dispatch\n  0 0\n0 0\n",
         PLAIN("combine", "0", "[[1,2],[3,4]]") PLAIN("combine", "1", "[[5,6],[7,8]]")
             PLAIN("dispatch", "0", "[[0,0],[0,0]]")},
        {"1 2\n3 4\n\n1 2 3\n4 5 6\n7 8 9",
         PLAIN("dispatch", "0", "[[1,2],[3,4]]") "{\"v\":1,\"phase\":\"dispatch\",\"window\":1,"
                                                 "\"ranks\":3,\"unit\":\"cycles\",\"wait\":[[1,2,3]"
                                                 ",[4,5,6],[7,8,9]]}\n"},
        {"[[1 2]\n [3 4]]\n[[5 6]\n [7 8]]\n",
         PLAIN("dispatch", "0", "[[1,2],[3,4]]") PLAIN("dispatch", "1", "[[5,6],[7,8]]")},
        {"[[1, 2], [3, 4]]", PLAIN("dispatch", "0", "[[1,2],[3,4]]")},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
}

/* ---- what is refused ---- */

typedef struct bad_case {
    const char *text;
    dxt_status status;
    const char *message;
} bad_case;

static void assert_refused(const bad_case *bad, size_t size)
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

static void broken_json_is_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"{", DXT_ERR_FORMAT, "t:1: column 2: the line ends too early"},
        {"{}", DXT_ERR_FORMAT, "t:1: wait is missing"},
        {R(W) "\n{\"v\":1,\"wait\":[[1,2", DXT_ERR_FORMAT,
         "t:3: column 20: the line ends too early"},
        {R(W) "[]", DXT_ERR_FORMAT, "t:2: column 1: an object is missing"},
        {R(W) "{\"v\":1} x", DXT_ERR_FORMAT, "t:2: column 9: text behind the object"},
        {"{\"v\" 1}", DXT_ERR_FORMAT, "t:1: column 6: a colon is missing"},
        {"{\"v\":1,}", DXT_ERR_FORMAT, "t:1: column 8: a name in quotes is missing"},
        {"{\"v\":1 \"ranks\":2}", DXT_ERR_FORMAT, "t:1: column 8: a comma or } is missing"},
        {"{\"x\":[1 2]}", DXT_ERR_FORMAT, "t:1: column 9: a comma or ] is missing"},
        {"{\"x\":[1,]}", DXT_ERR_FORMAT, "t:1: column 9: a value is missing"},
        {"{\"x\":[}}", DXT_ERR_FORMAT, "t:1: column 7: a value is missing"},
        {"{\"x\":{\"y\":1]}", DXT_ERR_FORMAT, "t:1: column 12: a comma or } is missing"},
        {"{\"x\":nul}", DXT_ERR_FORMAT, "t:1: column 6: a value is missing"},
        {"{\"x\":01}", DXT_ERR_FORMAT, "t:1: column 7: a number begins with 0"},
        {"{\"x\":1.}", DXT_ERR_FORMAT, "t:1: column 8: a digit is missing"},
        {"{\"x\":1e+}", DXT_ERR_FORMAT, "t:1: column 9: a digit is missing"},
        {"{\"x\":-}", DXT_ERR_FORMAT, "t:1: column 7: a digit is missing"},
        {"{\"x\":\"\\x\"}", DXT_ERR_FORMAT, "t:1: column 7: no such escape"},
        {"{\"x\":\"\\u12g4\"}", DXT_ERR_FORMAT, "t:1: column 7: an escape is incomplete"},
        {"{\"x\":\"\\ud800\"}", DXT_ERR_FORMAT, "t:1: column 13: half a surrogate pair"},
        {"{\"x\":\"\\ud800\\ud800\"}", DXT_ERR_FORMAT, "t:1: column 19: half a surrogate pair"},
        {"{\"x\":\"\\udc00\"}", DXT_ERR_FORMAT, "t:1: column 13: half a surrogate pair"},
        {"{\"x\":\"a\tb\"}", DXT_ERR_FORMAT, "t:1: column 8: a control character in a string"},
        {"{\"x\":\"\xff\"}", DXT_ERR_FORMAT, "t:1: column 7: a string is not UTF-8"},
        {"{\"x\":\"\xc0\x80\"}", DXT_ERR_FORMAT, "t:1: column 7: a string is not UTF-8"},
        {"{\"x\":\"\xed\xa0\x80\"}", DXT_ERR_FORMAT, "t:1: column 7: a string is not UTF-8"},
        {"{\"case\":\"a\\u0000\"}", DXT_ERR_FORMAT, "t:1: column 11: U+0000 in a string"},
        {"{\"x\":1,\"\\u0078\":2}", DXT_ERR_FORMAT, "t:1: field \"\\u0078\": it is there twice"},
        {"{\"\xc2\x9b\":1,\"\xc2\x9b\":2}", DXT_ERR_FORMAT, "t:1: field \"??\": it is there twice"},
        {"{\"v\":1,\"v\":1}", DXT_ERR_FORMAT, "t:1: v is there twice"},
    };
    REFUSE(cases);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    for (int depth = DXT_JSON_DEPTH; depth <= DXT_JSON_DEPTH + 1; depth++) {
        char text[512] = R("\"x\":");
        size_t size = strcspn(text, "\n") - 1;
        memset(text + size, '[', (size_t)depth);
        memset(text + size + depth, ']', (size_t)depth);
        strcpy(text + size + 2 * depth, "," W "}");
        dxt_reader *reader = open_text(text, strlen(text));
        dxt_window *window = NULL;
        dxt_status status = dxt_reader_next(reader, &window);
        assert_int_equal(status, depth == DXT_JSON_DEPTH ? DXT_OK : DXT_ERR_FORMAT);
        if (status != DXT_OK) assert_non_null(strstr(dxt_error(), ": nested too deeply"));
        dxt_window_free(window);
        dxt_reader_close(reader);
    }
}

static void wrong_matrices_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {R("\"wait\":[[1,2],[3]]"), DXT_ERR_FORMAT, "t:1: wait: row 1 has 1 values, not 2"},
        {R("\"wait\":[[1,2],[3,4,5]]"), DXT_ERR_FORMAT, "t:1: wait: row 1 has more than 2 values"},
        {R("\"wait\":[[1,2]]"), DXT_ERR_FORMAT, "t:1: wait is not square: 1 rows of 2 values"},
        {R("\"wait\":[[1,2],[3,4],[5,6]]"), DXT_ERR_FORMAT,
         "t:1: wait: more than 2 rows of 2 values"},
        {R("\"wait\":[[1,2,3],[3,4,5],null]"), DXT_ERR_FORMAT, "t:1: wait has 3 rows, ranks is 2"},
        {R("\"wait\":[null,null,[1,2]]"), DXT_ERR_FORMAT,
         "t:1: wait: more than 2 rows of 2 values"},
        {R("\"wait\":[[]]"), DXT_ERR_FORMAT, "t:1: wait: row 0, column 0: a value is missing"},
        {R("\"wait\":[]"), DXT_ERR_FORMAT, "t:1: column 45: an array is missing"},
        {R("\"wait\":5"), DXT_ERR_FORMAT, "t:1: column 44: an array is missing"},
        {R("\"wait\":null"), DXT_ERR_FORMAT, "t:1: column 44: an array is missing"},
        {R("\"wait\":[[1,-2],[3,4]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 0, column 1: -2 is negative"},
        {R("\"wait\":[[1,2],[12.0,4]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 1, column 0: 12.0 is not an integer"},
        {R("\"wait\":[[1,2],[1e3,4]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 1, column 0: 1e3 is not an integer"},
        {R("\"wait\":[[1,NaN],[1,4]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 0, column 1: NaN is not a number"},
        {R("\"wait\":[[1,-Infinity],[1,4]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 0, column 1: -Infinity is not a number"},
        {R("\"wait\":[[1,\"2\"],[1,4]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 0, column 1: \"2\" is not a number"},
        {R("\"wait\":[[1,02],[1,4]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 0, column 1: 02 is not how an integer is written"},
        {R("\"wait\":[[1,9223372036854775808],[1,4]]"), DXT_ERR_LIMIT,
         "t:1: wait: row 0, column 1: 9223372036854775808 is above 2^63 - 1"},
        {R("\"wait\":[[1,99999999999999999999999999999],[1,4]]"), DXT_ERR_LIMIT,
         "t:1: wait: row 0, column 1: 999999999999999999999999... is above 2^63 - 1"},
        {R("\"wait\":[[1 2],[1,4]]"), DXT_ERR_FORMAT, "t:1: column 48: a comma or ] is missing"},
        {R(W ",\"samples\":[[1]]"), DXT_ERR_FORMAT, "t:1: samples has 1 rows, ranks is 2"},
        {R(W ",\"samples\":[null,[1,1]]"), DXT_ERR_FORMAT, "t:1: samples: row 0 is null"},
        {R(W ",\"bytes\":5"), DXT_ERR_FORMAT, "t:1: column 66: an array is missing"},
    };
    REFUSE(cases);
}

static void wrong_fields_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"{\"v\":2}", DXT_ERR_FORMAT, "t:1: v: version 2 is not known, only 1"},
        {"{\"v\":null}", DXT_ERR_FORMAT, "t:1: v: null is not a number"},
        {"{\"v\":1.0}", DXT_ERR_FORMAT, "t:1: v: 1.0 is not an integer"},
        {"{\"phase\":\"\"}", DXT_ERR_FORMAT,
         "t:1: phase: not 1 to 255 bytes without control characters"},
        {"{\"phase\":\"a\\nb\"}", DXT_ERR_FORMAT,
         "t:1: phase: not 1 to 255 bytes without control characters"},
        {"{\"ranks\":1}", DXT_ERR_FORMAT, "t:1: ranks: 1 is below 2"},
        {"{\"ranks\":4097}", DXT_ERR_LIMIT, "t:1: ranks: 4097 is above 4096"},
        {"{\"ranks\":-4}", DXT_ERR_FORMAT, "t:1: ranks: -4 is negative"},
        {"{\"window\":-1}", DXT_ERR_FORMAT, "t:1: window: -1 is negative"},
        {"{\"ops\":\"3\"}", DXT_ERR_FORMAT, "t:1: ops: \"3\" is not a number"},
        {"{\"unit\":\"ms\"}", DXT_ERR_FORMAT, "t:1: unit: neither \"cycles\" nor \"ns\""},
        {"{\"unit\":3}", DXT_ERR_FORMAT, "t:1: column 9: a name in quotes is missing"},
        {"{\"ticks_per_second\":0}", DXT_ERR_FORMAT, "t:1: ticks_per_second: 0 is not 1 to 1e12"},
        {"{\"ticks_per_second\":-1.5}", DXT_ERR_FORMAT,
         "t:1: ticks_per_second: -1.5 is not 1 to 1e12"},
        {"{\"ticks_per_second\":1e999}", DXT_ERR_FORMAT, "t:1: column 21: a number is too large"},
        {"{\"ticks_per_second\":[1,\"\"]}", DXT_ERR_FORMAT, "t:1: column 24: a number is missing"},
        {R("\"ticks_per_second\":[1]," W), DXT_ERR_FORMAT,
         "t:1: ticks_per_second has 1 elements, ranks is 2"},
        {R("\"nodes\":[0,0,1]," W), DXT_ERR_FORMAT, "t:1: nodes has 3 elements, ranks is 2"},
        {R("\"nodes\":[0,-1]," W), DXT_ERR_FORMAT, "t:1: nodes: element 1: -1 is negative"},
        {R("\"nodes\":[0,2147483648]," W), DXT_ERR_LIMIT,
         "t:1: nodes: element 1: 2147483648 is above 2147483647"},
        {R("\"hosts\":[\"a\"]," W), DXT_ERR_FORMAT, "t:1: hosts has 1 elements, ranks is 2"},
        {R("\"hosts\":[\"a\",1]," W), DXT_ERR_FORMAT,
         "t:1: column 50: a name in quotes is missing"},
        {R(W) R("\"window\":0"), DXT_ERR_FORMAT, "t:2: wait is missing"},
        {"{\"v\":1,\"ranks\":2," W "}", DXT_ERR_FORMAT, "t:1: phase is missing"},
        {"{\"v\":1,\"phase\":\"x\"," W "}", DXT_ERR_FORMAT, "t:1: ranks is missing"},
        {"{\"phase\":\"x\",\"ranks\":2," W "}", DXT_ERR_FORMAT, "t:1: v is missing"},
    };
    REFUSE(cases);
}

static void wrong_logs_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {HEAD("2", "Dispatch") "\n[1 2]\n[3 4 5]\n", DXT_ERR_FORMAT,
         "t:3: row 1 has more than 2 values"},
        {HEAD("2", "Dispatch") "\n[1 2]\n[3]\n", DXT_ERR_FORMAT,
         "t:3: row 1 has 1 values, 2 were expected"},
        {HEAD("2", "Dispatch") "\n[1 2]\n", DXT_ERR_FORMAT,
         "t:2: the matrix of line 1 ends after 1 of 2 rows"},
        {HEAD("2", "Dispatch") "\n[1 2]\nx\n" HEAD("2", "Dispatch") "\n", DXT_ERR_FORMAT,
         "t:3: the matrix of line 1 ends after 1 of 2 rows"},
        {HEAD("2", "Dispatch") "\n[1 2]\n[3\n", DXT_ERR_FORMAT,
         "t:3: the row of rank 1 has not ended"},
        {HEAD("2", "Dispatch") "\n[1\nrank=1 [2 2]\n", DXT_ERR_FORMAT,
         "t:3: the row of rank 0 has not ended"},
        {HEAD("2", "Dispatch") "\nrank=1 [1 2]\nrank=1 [1 2]\n", DXT_ERR_FORMAT,
         "t:3: the row of rank 1 is repeated"},
        {HEAD("2", "Dispatch") "\nrank=2 [1 2]\n", DXT_ERR_FORMAT,
         "t:2: rank 2 does not exist among 2 ranks"},
        {HEAD("2", "Dispatch") "\nrank=5000 [1 2]\n", DXT_ERR_FORMAT,
         "t:2: rank 5000 does not exist"},
        {HEAD("2", "Dispatch") "\n[1 2]\n[3 4]\n[5 6]\n", DXT_ERR_FORMAT,
         "t:4: one row too many behind line 1"},
        {HEAD("2", "Dispatch") "\n[[1 2] [3 4] [5 6]]\n", DXT_ERR_FORMAT,
         "t:2: one row too many for 2 ranks"},
        {HEAD("2", "Dispatch") "\n[1 2] 3\n", DXT_ERR_FORMAT, "t:2: text behind the row of rank 0"},
        {HEAD("2", "Dispatch") "\n[1 -2]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 1: -2 is negative"},
        {HEAD("2", "Dispatch") "\n[nan 2]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 0: nan is not a number"},
        {HEAD("2", "Dispatch") "\nrank=1 [1 x]\n", DXT_ERR_FORMAT,
         "t:2: row 1, column 1: x is not a number"},
        {HEAD("2", "Dispatch") "\n[1,,2]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 1: a value is missing"},
        {HEAD("2", "Dispatch") "\n[1,2,]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 2: a value is missing"},
        {HEAD("1", "Dispatch") "\n", DXT_ERR_FORMAT,
         "t:1: EPSize 1: a matrix has at least 2 ranks"},
        {HEAD("4097", "Dispatch") "\n", DXT_ERR_LIMIT, "t:1: EPSize 4097: at most 4096 ranks"},
        {"InstanceID: \xff EPSize: 2, Dispatch" TITLE, DXT_ERR_FORMAT,
         "t:1: InstanceID is no printable name"},
        {HEAD("x", "Dispatch") "\n", DXT_ERR_FORMAT, "t:1: EPSize: x is not a number"},
        {HEAD("2", "") "\n", DXT_ERR_FORMAT, "t:1: the header names no operator"},
        {HEAD("2", "Dispatch") "\n[2025-01-01] nothing\n", DXT_ERR_FORMAT,
         "t:2: no window up to here: neither a recording nor rows of a matrix"},
        {"Hello\nworld\n", DXT_ERR_FORMAT,
         "t:2: no window up to here: neither a recording nor rows of a matrix"},
        {"[1 2]\n[3 4]\nrank=2 [1 2]\n", DXT_ERR_FORMAT,
         "t:3: rank 2 does not exist among 2 ranks"},
        {"[[1 2]\n", DXT_ERR_FORMAT, "t:1: the matrix of line 1 ends after 1 of 2 rows"},
    };
    REFUSE(cases);
}

static void wrong_plain_matrices_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"1 2\n3\n", DXT_ERR_FORMAT, "t:2: row 1 has 1 values, 2 were expected"},
        {"1 2\n3 4 5\n", DXT_ERR_FORMAT, "t:2: row 1 has more than 2 values"},
        {"1 2\n", DXT_ERR_FORMAT, "t:1: the matrix is not square: 1 rows of 2 values"},
        {"1 2 3\n4 5 6\n\n", DXT_ERR_FORMAT, "t:3: the matrix is not square: 2 rows of 3 values"},
        {"1 2\n3 4\n5 6\n", DXT_ERR_FORMAT,
         "t:3: row 2: the matrix has rows of 2 values; a blank line must separate windows"},
        {"7\n", DXT_ERR_FORMAT, "t:1: row 0 has 1 value; a matrix has at least 2 ranks"},
        {"1 -2\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: -2 is negative"},
        {"1 2\n3 4.5\n", DXT_ERR_FORMAT, "t:2: row 1, column 1: 4.5 is not an integer"},
        {"NaN 2\n", DXT_ERR_FORMAT, "t:1: row 0, column 0: NaN is not a number"},
        {"1 9223372036854775808\n", DXT_ERR_LIMIT,
         "t:1: row 0, column 1: 9223372036854775808 is above 2^63 - 1"},
        {"1,,2\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: a value is missing"},
        {"1,2,\n", DXT_ERR_FORMAT, "t:1: row 0, column 2: a value is missing"},
        {"1 2}\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: 2 has text behind it"},
        {",1\n", DXT_ERR_FORMAT, "t:1: row 0, column 0: a value is missing"},
        {"1 x\xff\x1b\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: x?? is not a number"},
        {"", DXT_ERR_FORMAT, "t:1: no window: the input is empty"},
        {"\n \n", DXT_ERR_FORMAT,
         "t:2: no window up to here: neither a recording nor rows of a matrix"},
        {"# dispatch\n", DXT_ERR_FORMAT,
         "t:1: no window up to here: neither a recording nor rows of a matrix"},
        {"\x1f\x8b\x08", DXT_ERR_FORMAT, "t:1: binary data"},
        {"\n12\x01\n", DXT_ERR_FORMAT, "t:2: binary data"},
    };
    REFUSE(cases);
    static const bad_case binary = {"text\0more", DXT_ERR_FORMAT, "t:1: binary data"};
    assert_refused(&binary, 9);
    static const bad_case later = {"text\n\0more", DXT_ERR_FORMAT, "t:2: binary data"};
    assert_refused(&later, 10);
}

static void too_many_ranks_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *one, *message;
    } cases[] = {
        {"", "1 ", "t:1: row 0 has more than 4096 values, the most ranks"},
        {"[", "1 ", "t:1: row 0 has more than 4096 values, the most ranks"},
        {"{\"wait\":[[1", ",1", "t:1: wait: row 0 has more than 4096 values"},
        {"{\"wait\":[null", ",null", "t:1: wait: more than 4096 rows"},
        {"{\"nodes\":[1", ",1", "t:1: nodes: more than 4096 elements"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dxt_text text = {0};
        dxt_text_puts(&text, cases[i].before);
        for (int k = 0; k <= 4096; k++) dxt_text_puts(&text, cases[i].one);
        assert_refused(&(bad_case){text.data, DXT_ERR_LIMIT, cases[i].message}, text.size);
        free(text.data);
    }
    dxt_text text = {0};
    for (int k = 0; k <= (int)DXT_MAX_OPERATORS; k++) dxt_text_printf(&text, "#p%d\n1 2\n3 4\n", k);
    assert_refused(&(bad_case){text.data, DXT_ERR_LIMIT, "t:51: more than 16 phases"}, text.size);
    free(text.data);
}

/* ---- files ---- */

static void files_are_read(void **state)
{
    (void)state;
    char path[] = "dxt-matrix-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dxt_text text = {0};
    /* longer than the first buffer, so that lines cross its end */
    dxt_text_printf(&text, R(W ",\"x\":\"%070000d\""), 0);
    for (int i = 0; i < 2000; i++) dxt_text_puts(&text, R(W));
    assert_int_equal(write(fd, text.data, text.size), text.size);
    close(fd);
    dxt_reader *reader = NULL;
    assert_int_equal(dxt_reader_open(path, &reader), DXT_OK);
    assert_int_equal(dxt_reader_line(reader), 0);
    dxt_window *window;
    for (uint64_t line = 1; line <= 2001; line++) {
        assert_int_equal(dxt_reader_next(reader, &window), DXT_OK);
        assert_int_equal(dxt_reader_line(reader), line);
        assert_int_equal(window->wait[3], 4);
        dxt_window_free(window);
    }
    assert_int_equal(dxt_reader_next(reader, &window), DXT_END);
    assert_int_equal(dxt_reader_next(reader, &window), DXT_END);
    dxt_reader_close(reader);

    assert_int_equal(dxt_reader_open(path, &reader), DXT_OK);
    reader->input.line_max = 60000;
    assert_int_equal(dxt_reader_next(reader, &window), DXT_ERR_LIMIT);
    assert_string_equal(dxt_error() + strlen(path), ":1: the line is longer than 60000 bytes");
    dxt_reader_close(reader);
    free(text.data);
    unlink(path);
}

static void files_that_cannot_be_read_say_why(void **state)
{
    (void)state;
    dxt_reader *reader = NULL;
    assert_int_equal(dxt_reader_open("no/such/file", &reader), DXT_ERR_IO);
    assert_string_equal(dxt_error(), "no/such/file: No such file or directory");
    assert_int_equal(dxt_reader_open(".", &reader), DXT_ERR_IO);
    assert_string_equal(dxt_error(), ".: Is a directory");
    assert_null(reader);
}

static void standard_input_is_read(void **state)
{
    (void)state;
    int keep = dup(STDIN_FILENO), ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "1 2\n3 x\n", 8), 8);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    dxt_reader *reader;
    dxt_window *window;
    assert_int_equal(dxt_reader_open("-", &reader), DXT_OK);
    assert_int_equal(dxt_reader_next(reader, &window), DXT_ERR_FORMAT);
    assert_string_equal(dxt_error(), "standard input:2: row 1, column 1: x is not a number");
    dxt_reader_close(reader);
    close(ends[0]);
    if (keep >= 0) {
        dup2(keep, STDIN_FILENO);
        close(keep);
    }
}

static void a_locale_with_a_comma_changes_nothing(void **state)
{
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8")) skip();
    assert_reads(R("\"ticks_per_second\":2.5," W), OUT("\"ticks_per_second\":2.5," W));
    setlocale(LC_NUMERIC, "C");
}

/* ---- allocations ---- */

static dxt_status read_text(const char *text)
{
    dxt_reader *reader;
    dxt_text out = {0};
    dxt_status status = dxt_reader_open_memory(text, strlen(text), "t", &reader);
    if (status != DXT_OK) return status;
    status = read_all(reader, &out);
    free(out.data);
    dxt_reader_close(reader);
    return status;
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    static const char *const texts[] = {
        R("\"ticks_per_second\":1.5,\"nodes\":[0,1],\"hosts\":[\"a\",\"b\"],\"instance\":\"i\","
          "\"x\":[1],\"y\":2,\"unit\":\"ns\",\"samples\":[[1,1],[1,1]],\"bytes\":[[1,1],[1,1]],"
          "\"wait\":[null,[1,2]]") R("\"ticks_per_second\":[1,2]," W) R("\"wait\":[null,null]"),
        HEAD("2", "Dispatch") "\nrank=1 [1 2]\n" HEAD("2", "Combine") "\n[[1 2]\n[3 4]]\n",
        "1 2\n3 4\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        long k = 1;
        dxt_status status;
        for (; alloc_fail_arm(k), status = read_text(texts[i]), alloc_fail_disarm(); k++)
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_int_equal(status, DXT_END);
        assert_true(k > 5);
    }
}

static void failed_allocations_of_a_file_are_reported(void **state)
{
    (void)state;
    dxt_status status;
    dxt_reader *reader = NULL;
    for (long k = 1; k <= 2; k++) {
        alloc_fail_arm(k);
        assert_int_equal(dxt_reader_open("/dev/null", &reader), DXT_ERR_NO_MEMORY);
        assert_true(alloc_fail_disarm());
    }
    assert_int_equal(dxt_reader_open("/dev/null", &reader), DXT_OK);
    dxt_window *window;
    alloc_fail_arm(1);
    status = dxt_reader_next(reader, &window);
    assert_true(alloc_fail_disarm());
    assert_int_equal(status, DXT_ERR_NO_MEMORY);
    dxt_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recordings_are_read),
        cmocka_unit_test(windows_of_one_file_may_differ_in_size),
        cmocka_unit_test(logs_are_read),
        cmocka_unit_test(plain_matrices_are_read),
        cmocka_unit_test(broken_json_is_refused),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(wrong_matrices_are_refused),
        cmocka_unit_test(wrong_fields_are_refused),
        cmocka_unit_test(wrong_logs_are_refused),
        cmocka_unit_test(wrong_plain_matrices_are_refused),
        cmocka_unit_test(too_many_ranks_are_refused),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(files_that_cannot_be_read_say_why),
        cmocka_unit_test(standard_input_is_read),
        cmocka_unit_test(a_locale_with_a_comma_changes_nothing),
        cmocka_unit_test(failed_allocations_are_reported),
        cmocka_unit_test(failed_allocations_of_a_file_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
