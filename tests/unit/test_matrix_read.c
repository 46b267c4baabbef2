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
#include "matrix/json.h"
#include "test_matrix_reading.h"

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

/* ---- what is refused ---- */

/* One line that is to be a recording's, whatever it looks like. */
static void assert_no_recording(const bad_case *bad)
{
    dxt_reader *reader = open_text("", 0);
    dxt_window *window = NULL;
    dxt_status status = dxt_read_recording(reader, bad->text, strcspn(bad->text, "\n"), &window);
    if (status != bad->status) print_error("%s\n%s\n", bad->text, dxt_error());
    assert_int_equal(status, bad->status);
    assert_string_equal(dxt_error(), bad->message);
    assert_null(window);
    dxt_reader_close(reader);
}

#define REFUSE_JSON(cases) \
    for (size_t i = 0; i < LENGTH(cases); i++) assert_no_recording(&cases[i])

static void broken_json_is_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"{", DXT_ERR_FORMAT, "t:1: column 2: the line ends too early"},
        {"{}", DXT_ERR_FORMAT, "t:1: wait is missing"},
        {"[]", DXT_ERR_FORMAT, "t:1: column 1: an object is missing"},
        {"{\"v\":1} x", DXT_ERR_FORMAT, "t:1: column 9: text behind the object"},
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
        {"{\"x\":\"\\x\"}", DXT_ERR_FORMAT, "t:1: column 7: this escape does not exist"},
        {"{\"x\":\"\\u12g4\"}", DXT_ERR_FORMAT, "t:1: column 7: an escape is incomplete"},
        {"{\"x\":\"\\ud800\"}", DXT_ERR_FORMAT,
         "t:1: column 13: an escape is half a surrogate pair"},
        {"{\"x\":\"\\ud800\\ud800\"}", DXT_ERR_FORMAT,
         "t:1: column 19: an escape is half a surrogate pair"},
        {"{\"x\":\"\\udc00\"}", DXT_ERR_FORMAT,
         "t:1: column 13: an escape is half a surrogate pair"},
        {"{\"x\":\"a\tb\"}", DXT_ERR_FORMAT, "t:1: column 8: a string holds a control character"},
        {"{\"x\":\"\xff\"}", DXT_ERR_FORMAT, "t:1: column 7: a string is not UTF-8"},
        {"{\"x\":\"\xc0\x80\"}", DXT_ERR_FORMAT, "t:1: column 7: a string is not UTF-8"},
        {"{\"x\":\"\xed\xa0\x80\"}", DXT_ERR_FORMAT, "t:1: column 7: a string is not UTF-8"},
        {"{\"case\":\"a\\u0000\"}", DXT_ERR_FORMAT, "t:1: column 11: a string holds U+0000"},
        {"{\"x\":1,\"\\u0078\":2}", DXT_ERR_FORMAT, "t:1: field \"\\u0078\": it is there twice"},
        {"{\"\xc2\x9b\":1,\"\xc2\x9b\":2}", DXT_ERR_FORMAT, "t:1: field \"??\": it is there twice"},
        {"{\"v\":1,\"v\":1}", DXT_ERR_FORMAT, "t:1: v is there twice"},
    };
    REFUSE_JSON(cases);
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
        if (status != DXT_OK)
            assert_non_null(strstr(dxt_error(), ": the value is nested too deeply"));
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
        {R("\"wait\":[[1,2,3],[3,4,5],null]"), DXT_ERR_FORMAT,
         "t:1: wait has 3 rows, but ranks is 2"},
        {R("\"wait\":[null,null,[1,2]]"), DXT_ERR_FORMAT,
         "t:1: wait: more than 2 rows of 2 values"},
        {R("\"wait\":[[]]"), DXT_ERR_FORMAT, "t:1: wait: row 0, column 0: a value is missing"},
        {R("\"wait\":[]"), DXT_ERR_FORMAT, "t:1: column 45: an array is missing"},
        {R("\"wait\":5"), DXT_ERR_FORMAT, "t:1: column 44: an array is missing"},
        {R("\"wait\":null"), DXT_ERR_FORMAT, "t:1: column 44: an array is missing"},
        {R("\"wait\":[[1,-2],[3,4]]"), DXT_ERR_FORMAT,
         "t:1: wait: row 0, column 1: -2 is negative: the counter ran over"},
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
        {R(W ",\"samples\":[[1]]"), DXT_ERR_FORMAT, "t:1: samples has 1 rows, but ranks is 2"},
        {R(W ",\"samples\":[null,[1,1]]"), DXT_ERR_FORMAT, "t:1: samples: row 0 is null"},
        {R(W ",\"bytes\":5"), DXT_ERR_FORMAT, "t:1: column 66: an array is missing"},
    };
    REFUSE(cases);
}

static void wrong_fields_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"{\"v\":2}", DXT_ERR_FORMAT, "t:1: v: version 2, but this program reads version 1"},
        {"{\"v\":null}", DXT_ERR_FORMAT, "t:1: v: null is not a number"},
        {"{\"v\":1.0}", DXT_ERR_FORMAT, "t:1: v: 1.0 is not an integer"},
        {"{\"phase\":\"\"}", DXT_ERR_FORMAT,
         "t:1: phase: must be 1 to 255 bytes without control characters"},
        {"{\"phase\":\"a\\nb\"}", DXT_ERR_FORMAT,
         "t:1: phase: must be 1 to 255 bytes without control characters"},
        {"{\"ranks\":1}", DXT_ERR_FORMAT, "t:1: ranks: 1, but a window has at least 2"},
        {"{\"ranks\":4097}", DXT_ERR_LIMIT, "t:1: ranks: 4097 is above 4096"},
        {"{\"ranks\":-4}", DXT_ERR_FORMAT, "t:1: ranks: -4 is negative"},
        {"{\"window\":-1}", DXT_ERR_FORMAT, "t:1: window: -1 is negative"},
        {"{\"ops\":\"3\"}", DXT_ERR_FORMAT, "t:1: ops: \"3\" is not a number"},
        {"{\"unit\":\"ms\"}", DXT_ERR_FORMAT, "t:1: unit: must be \"cycles\" or \"ns\""},
        {"{\"unit\":3}", DXT_ERR_FORMAT, "t:1: column 9: a name in quotes is missing"},
        {"{\"ticks_per_second\":0}", DXT_ERR_FORMAT,
         "t:1: ticks_per_second: 0, but must be 1 to 1e12"},
        {"{\"ticks_per_second\":-1.5}", DXT_ERR_FORMAT,
         "t:1: ticks_per_second: -1.5, but must be 1 to 1e12"},
        {"{\"ticks_per_second\":1e999}", DXT_ERR_FORMAT, "t:1: column 21: a number is too large"},
        {"{\"ticks_per_second\":[1,\"\"]}", DXT_ERR_FORMAT, "t:1: column 24: a number is missing"},
        {R("\"ticks_per_second\":[1]," W), DXT_ERR_FORMAT,
         "t:1: ticks_per_second has 1 elements, but ranks is 2"},
        {R("\"nodes\":[0,0,1]," W), DXT_ERR_FORMAT, "t:1: nodes has 3 elements, but ranks is 2"},
        {R("\"nodes\":[0,-1]," W), DXT_ERR_FORMAT, "t:1: nodes: element 1: -1 is negative"},
        {R("\"nodes\":[0,2147483648]," W), DXT_ERR_LIMIT,
         "t:1: nodes: element 1: 2147483648 is above 2147483647"},
        {R("\"hosts\":[\"a\"]," W), DXT_ERR_FORMAT, "t:1: hosts has 1 elements, but ranks is 2"},
        {R("\"hosts\":[\"a\",1]," W), DXT_ERR_FORMAT,
         "t:1: column 50: a name in quotes is missing"},
        {"{\"window\":0}", DXT_ERR_FORMAT, "t:1: wait is missing"},
        {"{\"v\":1,\"ranks\":2," W "}", DXT_ERR_FORMAT, "t:1: phase is missing"},
        {"{\"v\":1,\"phase\":\"x\"," W "}", DXT_ERR_FORMAT, "t:1: ranks is missing"},
        {"{\"phase\":\"x\",\"ranks\":2," W "}", DXT_ERR_FORMAT, "t:1: v is missing"},
    };
    REFUSE_JSON(cases);
}

static void too_many_ranks_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *one, *message;
    } cases[] = {
        {"{\"wait\":[[1", ",1", "t:1: wait: row 0 has more than 4096 values"},
        {"{\"wait\":[null", ",null", "t:1: wait: more than 4096 rows"},
        {"{\"nodes\":[1", ",1", "t:1: nodes: more than 4096 elements"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dxt_text text = {0};
        dxt_text_puts(&text, cases[i].before);
        for (int k = 0; k <= 4096; k++) dxt_text_puts(&text, cases[i].one);
        assert_no_recording(&(bad_case){text.data, DXT_ERR_LIMIT, cases[i].message});
        free(text.data);
    }
}

static void broken_lines_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {R(W) "\n{\"v\":1,\"wait\":[[1,2", DXT_ERR_FORMAT,
         "t:3: column 20: the line ends too early"},
        {R(W) R("\"window\":0"), DXT_ERR_FORMAT, "t:2: wait is missing"},
        {"{}", DXT_ERR_FORMAT,
         "t:1: no window: JSON, but no recording (no \"v\", \"phase\", \"ranks\", \"wait\")"},
    };
    REFUSE(cases);
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
    for (size_t i = 0; i < LENGTH(texts); i++) read_without_memory(texts[i]);
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
        cmocka_unit_test(broken_json_is_refused),
        cmocka_unit_test(broken_lines_are_refused),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(wrong_matrices_are_refused),
        cmocka_unit_test(wrong_fields_are_refused),
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
