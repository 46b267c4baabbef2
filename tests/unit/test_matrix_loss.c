/* SPDX-License-Identifier: Apache-2.0 */
/* One bad line loses one window; writers that share a log; files that end too early. */
#include "test_matrix_reading.h"

#include "alloc_fail.h"

/* What was said, one line each: its kind and its text. */
static int listen(void *context, dxt_remark kind, const char *message)
{
    static const char *const kinds[] = {"lost", "cut", "note"};
    dxt_text_printf(context, "%s %s\n", kinds[kind], message);
    return 1;
}

/* Read with a listener: windows as "phase index wait", and what was said. */
static dxt_status read_on(dxt_reader *reader, dxt_text *windows, dxt_text *said)
{
    dxt_window *window;
    dxt_status status;
    dxt_reader_on_remark(reader, listen, said);
    while ((status = dxt_reader_next(reader, &window)) == DXT_OK) {
        dxt_text_printf(windows, "%s%s %s%d:", windows->size ? " " : "",
                        window->instance ? window->instance : "-", window->phase,
                        (int)window->index);
        for (uint32_t row = 0; row < window->ranks; row++) {
            dxt_text_puts(windows, row ? "/" : "");
            bool missing = window->missing && window->missing[row];
            for (uint32_t j = 0; j < window->ranks && !missing; j++)
                dxt_text_printf(windows, j ? ",%lld" : "%lld",
                                (long long)window->wait[(size_t)row * window->ranks + j]);
        }
        dxt_window_free(window);
    }
    return status;
}

static void check(const char *text, dxt_status status, const char *windows, const char *said)
{
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_text read = {0}, heard = {0};
    dxt_text_puts(&read, "");
    dxt_text_puts(&heard, "");
    dxt_status got = read_on(reader, &read, &heard);
    if (got != status || strcmp(read.data, windows) != 0 || strcmp(heard.data, said) != 0)
        print_error("%s\n%s\n%s\n%s\n", text, read.data, heard.data, dxt_error());
    assert_int_equal(got, status);
    assert_string_equal(read.data, windows);
    assert_string_equal(heard.data, said);
    free(read.data);
    free(heard.data);
    dxt_reader_close(reader);
}

#define H(id, size, phase, time)                                              \
    "[2025-09-15T16:28:" time "] [Diagnose] InstanceID: " id " EPSize: " size \
    ", diagnose: {'abnormal_cols': []}, " phase TITLE "\n"
#define A(time) H("a", "2", "Dispatch", time)
#define B(time) H("b", "2", "Dispatch", time)
#define TWICE(line) line line
#define R0 "rank=0 [1 2]\n"
#define R1 "rank=1 [3 4]\n"

static void one_bad_line_loses_one_window(void **state)
{
    (void)state;
    check(A("01") R0 "rank=1 [3 -4]\n" A("02") R0 R1, DXT_END, "a dispatch0:1,2/3,4",
          "lost t:3: row 1, column 1: -4 is negative: the counter ran over\n");
    check(A("01") "rank=0 [1 x]\n" R1 A("02") R0 R1, DXT_END, "a dispatch0:1,2/3,4",
          "lost t:2: row 0, column 1: x is not a number\n");
    check(A("01") "[1 2]\n[3 4 5]\n" A("02") "[1 2]\n[3 4]\n", DXT_END, "a dispatch0:1,2/3,4",
          "lost t:3: row 1 has 3 values, 2 were expected\n");
    check(A("01") "[1 2]\n" A("02") "[1 2]\n[3 4]\n", DXT_END, "a dispatch0:1,2/3,4",
          "lost t:3: the matrix of line 1 ends after 1 of 2 rows\n");
    check(H("a", "x", "Dispatch", "01") R0 R1 A("02") R0 R1, DXT_END, "a dispatch0:1,2/3,4",
          "lost t:1: EPSize: x is not a number\n");
    check("[[1 2]\n [3 ... 4]]\n[[1 2]\n [3 4]]\n", DXT_END, "- dispatch0:1,2/3,4",
          "lost t:2: the print is shortened (\"...\"); to print it whole: "
          "numpy.set_printoptions(threshold=sys.maxsize) or "
          "torch.set_printoptions(profile=\"full\")\n");
    check("[[1 2 ... 3 4]\n ...\n [1 2 ... 3 4]]\n\n[[1 2]\n [3 4]]\n", DXT_END,
          "- dispatch0:1,2/3,4",
          "lost t:1: the print is shortened (\"...\"); to print it whole: "
          "numpy.set_printoptions(threshold=sys.maxsize) or "
          "torch.set_printoptions(profile=\"full\")\n");
    check("tensor([[1, -2],\n        [3, 4]], device='npu:0')\n[[1, 2], [3, 4]]\n", DXT_END,
          "- dispatch0:1,2/3,4",
          "lost t:1: row 0, column 1: -2 is negative: the counter ran over\n");
    check("1 2\n3 x\n\n1 2\n3 4\n", DXT_END, "- dispatch0:1,2/3,4",
          "lost t:2: row 1, column 1: x is not a number\n");
    check("{\"v\":1,\"ranks\":2}\n"
          "{\"v\":1,\"phase\":\"c\",\"ranks\":2,\"wait\":[[1,2],[3,4]]}\n{\"v\":1,\n",
          DXT_END, "- c-1:1,2/3,4",
          "lost t:1: wait is missing\n"
          "lost t:3: column 8: the line ends too early\n");
    check(A("01") R0 "rank=1 [3 -4]\n", DXT_ERR_FORMAT, "",
          "lost t:3: row 1, column 1: -4 is negative: the counter ran over\n");
    assert_string_equal(dxt_error(), "t:3: row 1, column 1: -4 is negative: the counter ran over");
    check("{\"v\":1,\n{\"v\":2}\n", DXT_ERR_FORMAT, "",
          "lost t:1: column 8: the line ends too early\n"
          "lost t:2: v: version 2, but this program reads version 1\n");
    assert_string_equal(dxt_error(), "t:2: none of 2 windows could be read");
}

static void lines_of_others_lose_nothing(void **state)
{
    (void)state;
#define OTHERS                                                                       \
    "INFO 09-15 16:28:53 [metrics.py:12] 12.3 tokens/s [1, 2, 3]\n[7, 8, 9]\n[12]\n" \
    "rank 3: loaded 12 of 40\nrank=3 loss 0.3\n{\"level\":\"info\"}\nshape (3, 4) in 3.5 ms\n"
    check(OTHERS A("01") OTHERS R0 OTHERS R1 OTHERS A("02") OTHERS R0 R1 OTHERS, DXT_END,
          "a dispatch0:1,2/3,4 a dispatch1:1,2/3,4", "");
    check(A("01") "INFO [9, 9, 9]\n[1 2]\nINFO [9, 9, 9]\n[3 4]\nINFO [9, 9, 9]\n", DXT_END,
          "a dispatch0:1,2/3,4", "");
}

static void what_ends_too_early_is_left_out(void **state)
{
    (void)state;
    static const char last[] = "a dispatch0:1,2/3,4";
    check(A("01") R0 R1 A("02") R0, DXT_END, last,
          "cut t:5: the last window is incomplete: the matrix of line 4 ends after 1 of 2 rows\n");
    check(A("01") R0 R1 A("02") R0 "rank=1 [3", DXT_END, last,
          "cut t:6: the last window is incomplete: the matrix of line 4 ends after 1 of 2 rows\n");
    check(A("01") R0 R1 A("02") "rank=0 [3", DXT_END, last,
          "cut t:5: the last window is incomplete: the matrix of line 4 ends after 0 of 2 rows\n");
    check(A("01") R0 R1 A("02"), DXT_END, last, "");
    /* A row that is missing before the last one is a silent rank; so is one that is missing when
     * its writer goes on. */
    check(A("01") R1, DXT_END, "a dispatch0:/3,4", "");
    check(A("01") R0 A("02") R0 R1, DXT_END, "a dispatch0:1,2/ a dispatch1:1,2/3,4", "");
    check(A("01") R0 "[2025-09-15T16:28:01] [Diagnose] InstanceID: a EPSize: 2, finding: rank 1\n",
          DXT_END, "a dispatch0:1,2/", "");
    /* Another writer that goes on says nothing of this one. */
    check(B("01") R0 A("01") R0 R1, DXT_END, last,
          "cut t:5: the last window is incomplete: the matrix of line 1 ends after 1 of 2 rows\n");
    check("{\"v\":1,\"phase\":\"c\",\"ranks\":2,\"wait\":[[1,2],[3,4]]}\n{\"v\":1,\"phase\":\"c",
          DXT_END, "- c-1:1,2/3,4", "cut t:2: column 18: the line ends too early\n");
    check("1 2\n3 4\n\n1 2\n", DXT_END, "- dispatch0:1,2/3,4",
          "cut t:4: the matrix is not square: 1 rows of 2 values\n");
    check("rank=1 [3 4]\n" A("02") R0 R1, DXT_END, last, "");
}

static void lines_that_come_twice_are_read_once(void **state)
{
    (void)state;
    check(TWICE(A("01")) TWICE(R0) TWICE(R1) TWICE(A("02")) TWICE(R0) TWICE(R1), DXT_END,
          "a dispatch0:1,2/3,4 a dispatch1:1,2/3,4", "");
    check(TWICE(A("01")) TWICE("[1 2]\n") TWICE("[1 2]\n") TWICE(A("02")) TWICE("[5 6]\n")
              TWICE("[7 8]\n"),
          DXT_END, "a dispatch0:1,2/1,2 a dispatch1:5,6/7,8", "");
    check("x " A("01") "y " A("01") "x " R0 "y " R0 "x " R1 "y " R1, DXT_END, "a dispatch0:1,2/3,4",
          "");
    check(A("01") R0 R1 A("01") R0 R1 A("02") R0 R1, DXT_END,
          "a dispatch0:1,2/3,4 a dispatch1:1,2/3,4", "");
    check(TWICE(R0) TWICE(R1), DXT_END, "- dispatch0:1,2/3,4", "");
    check(TWICE(A("01")) TWICE(B("01")) TWICE(R0) TWICE(R0) TWICE(R1) TWICE(R1), DXT_END,
          "a dispatch0:1,2/3,4 b dispatch0:1,2/3,4", "");
}

static void writers_take_turns(void **state)
{
    (void)state;
    static const char both[] = "a dispatch0:1,2/3,4 b dispatch0:5,6/7,8";
#define S0 "rank=0 [5 6]\n"
#define S1 "rank=1 [7 8]\n"
    check(A("01") B("01") R0 S0 R1 S1, DXT_END, both, "");
    check(A("01") R0 B("01") R1 S0 S1, DXT_END, both, "");
    check(A("01") B("01") "[1 2]\n[5 6]\n[3 4]\n[7 8]\n", DXT_END, both, "");
    check("[p0] " A("01") "[p1] " B("01") "[p0] " R0 "[p0] " R1 "[p1] " S0 "[p1] " S1, DXT_END,
          both, "");
    /* They differ in size. */
    check(H("a", "3", "Dispatch", "01") B("01") "rank=0 [1 2 3]\n" S0 "rank=1 [4 5 6]\n" S1
                                                "rank=2 [7 8 9]\n",
          DXT_END, "b dispatch0:5,6/7,8 a dispatch0:1,2,3/4,5,6/7,8,9", "");
    /* Rank 1 of a is silent, and b writes all its rows behind. */
    check(A("01") R0 B("01") S0 S1 A("02") R0 R1, DXT_END,
          "b dispatch0:5,6/7,8 a dispatch0:1,2/ a dispatch1:1,2/3,4", "");
}

static void decimals_are_scaled_if_small(void **state)
{
    (void)state;
    check("0.25 1.5\n2 3\n", DXT_END, "- dispatch0:250,1500/2000,3000",
          "note t:1: decimals below 1000 are counted in thousandths\n");
    check("[[1e-6 2e-6]\n [3.5e-6 0]]\n", DXT_END, "- dispatch0:1000,2000/3500,0",
          "note t:1: decimals below 1000 are counted in billionths\n");
    check("1000.25 2\n3 4\n", DXT_END, "- dispatch0:1000,2/3,4", "");
    check("0 0.0\n0e5 -0.0\n", DXT_END, "- dispatch0:0,0/0,0", "");
}

static void a_listener_may_end_the_reading(void **state)
{
    (void)state;
    check("1 2\n3 4\n", DXT_END, "- dispatch0:1,2/3,4", "");
    dxt_reader *reader = open_text("1 x\n3 4\n", 8);
    dxt_window *window = NULL;
    dxt_reader_on_remark(reader, NULL, NULL);
    assert_int_equal(dxt_reader_next(reader, &window), DXT_ERR_FORMAT);
    assert_string_equal(dxt_error(), "t:1: row 0, column 1: x is not a number");
    dxt_reader_close(reader);
}

/* ---- sources ---- */

/* Files in memory, handed out in small pieces. */
typedef struct files {
    const char *const *texts;
    size_t file, at, piece;
    dxt_status end; /* of a file */
} files;

static dxt_status read_piece(void *context, void *buffer, size_t size, size_t *got)
{
    files *of = context;
    const char *text = of->texts[of->file] + of->at;
    size_t left = strlen(text);
    *got = left < size ? left : size;
    if (*got > of->piece) *got = of->piece;
    memcpy(buffer, text, *got);
    of->at += *got;
    return *got == 0 ? of->end : DXT_OK;
}

static dxt_status next_text(void *context, const char **name)
{
    files *of = context;
    if (!of->texts[of->file + 1]) return DXT_END;
    of->file++;
    of->at = 0;
    *name = "u";
    return DXT_OK;
}

static void check_files(const char *const *texts, dxt_status end, const char *windows,
                        const char *said)
{
    for (size_t piece = 1; piece < 200; piece += 61) {
        files of = {.texts = texts, .piece = piece, .end = end};
        const dxt_source source = {sizeof source, &of, read_piece, next_text};
        dxt_reader *reader;
        dxt_text read = {0}, heard = {0};
        dxt_text_puts(&heard, "");
        assert_int_equal(dxt_reader_open_source(&source, "t", &reader), DXT_OK);
        assert_int_equal(read_on(reader, &read, &heard), DXT_END);
        assert_string_equal(read.data, windows);
        assert_string_equal(heard.data, said);
        free(read.data);
        free(heard.data);
        dxt_reader_close(reader);
    }
}

static void files_of_one_log_are_one(void **state)
{
    (void)state;
    /* The log was rotated within a window. */
    check_files((const char *const[]){A("01") R0 R1 A("02") R0, R1 A("03") R0 R1, NULL}, DXT_OK,
                "a dispatch0:1,2/3,4 a dispatch1:1,2/3,4 a dispatch2:1,2/3,4", "");
    check_files((const char *const[]){A("01") R0 R1 A("02") R0, A("03") R0 R1, NULL}, DXT_OK,
                "a dispatch0:1,2/3,4 a dispatch1:1,2/ a dispatch2:1,2/3,4", "");
    check_files((const char *const[]){"\x89PNG", A("03") R0 R1, NULL}, DXT_OK,
                "a dispatch0:1,2/3,4", "");
    check_files((const char *const[]){A("01") R0 R1 A("02") R0, NULL}, DXT_ERR_FORMAT,
                "a dispatch0:1,2/3,4",
                "cut t:6: the packed data are damaged or cut off here\n"
                "cut t:5: the last window is incomplete: the matrix of line 4 ends after 1 of 2 "
                "rows\n");
}

static void many_matrices_in_a_line_are_read(void **state)
{
    (void)state;
    enum { MOST = 65536 };
    dxt_text text = {0}, said = {0};
    for (int i = 0; i < MOST + 3; i++) dxt_text_puts(&text, "[[1,2],[3,4]] ");
    dxt_text_puts(&text, "\n\n[[5,6],[7,8]]\n");
    dxt_reader *reader = open_text(text.data, text.size);
    dxt_reader_on_remark(reader, listen, &said);
    dxt_window *window;
    int64_t first = 0;
    int count = 0;
    for (; dxt_reader_next(reader, &window) == DXT_OK; count++) {
        first = window->wait[0];
        assert_int_equal(dxt_reader_line(reader), count < MOST ? 1 : 3);
        dxt_window_free(window);
    }
    assert_int_equal(count, MOST + 1);
    assert_int_equal(first, 5);
    assert_string_equal(said.data, "lost t:1: more than 65536 matrices in one line\n");
    dxt_reader_close(reader);
    free(text.data);
    free(said.data);
}

/* What comes before a mistake is handed out before it is told. */
static void windows_before_a_mistake_are_handed_out(void **state)
{
    (void)state;
    static const char text[] = "[[1,2],[3,4]] [[5,6],[7,8]] [[1,2,3]]\n";
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_window *window = NULL;
    for (int64_t i = 0; i < 2; i++) {
        assert_int_equal(dxt_reader_next(reader, &window), DXT_OK);
        assert_int_equal(window->wait[0], 1 + 4 * i);
        dxt_window_free(window);
    }
    assert_int_equal(dxt_reader_next(reader, &window), DXT_ERR_FORMAT);
    assert_string_equal(dxt_error(), "t:1: the matrix is not square: 1 rows of 3 values");
    dxt_reader_close(reader);
}

static void cells_beyond_the_matrix_are_none(void **state)
{
    (void)state;
    check("0 0 1\n1 0 1\n2 0 1\n2 2 1\n2 4 1\n2 6 1\n2 8 1\n2 10 1\n2 12 1\n2 14 1\n2 16 1\n"
          "2 18 1\n3 0 1\n3 1 1\n3 2 1\n3 3 1\n",
          DXT_ERR_FORMAT, "",
          "lost t:16: the matrix is not square: 16 rows of 3 values; a blank line must separate "
          "windows\n");
}

/* The first row was somebody else's, and rows that carry their ranks follow. */
static void rows_of_others_leave_nothing_behind(void **state)
{
    (void)state;
    check(H("a", "3", "Dispatch", "01") "foo [7 8 9]\n[1 2]\nrank=1 [1 2 3]\nrank=2 [4 5 6]\n",
          DXT_END, "a dispatch0:/1,2,3/4,5,6", "");
    check(H("a", "3", "Dispatch", "01") "foo [7.5 8 9]\n[1 2]\nrank=1 [1 2 3]\nrank=2 [4 5 6]\n",
          DXT_END, "a dispatch0:/1,2,3/4,5,6", "");
}

/* However many ranks a header claims: nothing as large as its matrix is allocated. */
static void lost_windows_have_no_cells(void **state)
{
    (void)state;
#define LOST(id) H(id, "4096", "Dispatch", "01") "rank=0 [-1]\n"
    dxt_text said = {0};
    long counts[2];
    for (int i = 0; i < 2; i++) {
        static const char *const texts[] = {LOST("a"), LOST("a") LOST("b") LOST("c") LOST("d")};
        dxt_reader *reader = open_text(texts[i], strlen(texts[i]));
        dxt_window *window;
        dxt_reader_on_remark(reader, listen, &said);
        alloc_count_begin();
        assert_int_equal(dxt_reader_next(reader, &window), DXT_ERR_FORMAT);
        counts[i] = alloc_count();
        dxt_reader_close(reader);
    }
    /* instance, begin, and which rows are missing */
    assert_true(counts[1] - counts[0] <= 3 * 3 + 2);
    free(said.data);
}

static dxt_status read_said(const char *text)
{
    dxt_reader *reader;
    dxt_text windows = {0}, said = {0};
    dxt_status status = dxt_reader_open_memory(text, strlen(text), "t", &reader);
    if (status != DXT_OK) return status;
    status = read_on(reader, &windows, &said);
    free(windows.data);
    free(said.data);
    dxt_reader_close(reader);
    return status;
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    static const char *const texts[] = {
        A("01") B("01") R0 R0 R1 R1 "[[1.5 2]\n[3 4]]\n",
        "\x1b[1m1.5,2\n3,4\n5,6\n\n[[1.5 2]\n[3 4]]\n",
        "{\"log\":\"rank=0 [1 2]\\nrank=1 [3 4]\\n\"}\n",
        "[[1,2],[3,4]] [[1,2],[3,4]]\n",
        "2025-09-15T16:28:53.6Z stderr P rank=0 [\n2025-09-15T16:28:53.6Z stderr F 1 2]\n" R1,
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        long k = 1;
        dxt_status status;
        for (; alloc_fail_arm(k), status = read_said(texts[i]), alloc_fail_disarm(); k++)
            assert_true(status == DXT_ERR_NO_MEMORY || status == DXT_END);
        assert_int_equal(status, DXT_END);
        assert_true(k > 5);
    }
}

/* The end of its name, and the reason. */
static void a_long_name_leaves_room_for_the_reason(void **state)
{
    (void)state;
    char name[3000];
    memset(name, 'd', sizeof name);
    strcpy(name + sizeof name - sizeof "/job.jsonl", "/job.jsonl");
    static const char text[] = "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2}\n";
    dxt_reader *reader;
    dxt_window *window;
    assert_int_equal(dxt_reader_open_memory(text, strlen(text), name, &reader), DXT_OK);
    assert_int_equal(dxt_reader_next(reader, &window), DXT_ERR_FORMAT);
    assert_true(strncmp(dxt_error(), "...ddd", 6) == 0);
    const char *end = strstr(dxt_error(), "/job.jsonl:1: ");
    assert_non_null(end);
    assert_non_null(strstr(end, "wait"));
    dxt_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bad_line_loses_one_window),
        cmocka_unit_test(lines_of_others_lose_nothing),
        cmocka_unit_test(what_ends_too_early_is_left_out),
        cmocka_unit_test(lines_that_come_twice_are_read_once),
        cmocka_unit_test(writers_take_turns),
        cmocka_unit_test(decimals_are_scaled_if_small),
        cmocka_unit_test(a_listener_may_end_the_reading),
        cmocka_unit_test(files_of_one_log_are_one),
        cmocka_unit_test(many_matrices_in_a_line_are_read),
        cmocka_unit_test(windows_before_a_mistake_are_handed_out),
        cmocka_unit_test(cells_beyond_the_matrix_are_none),
        cmocka_unit_test(rows_of_others_leave_nothing_behind),
        cmocka_unit_test(lost_windows_have_no_cells),
        cmocka_unit_test(a_long_name_leaves_room_for_the_reason),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
