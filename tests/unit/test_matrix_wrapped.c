/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that were cut, wrapped or escaped on their way, and tables as other programs print them. */
#include "test_matrix_reading.h"

#define BOTH ONE PLAIN("combine", "0", "[[5,6],[7,8]]")
#define BIG PLAIN("dispatch", "0", "[[300,1607000],[12345,1200]]")
#define THREE                                                                                      \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":3,\"unit\":\"cycles\",\"wait\":[[1,2," \
    "3],[4,5,6],[7,8,9]]}\n"

#define HOLES                                                                                      \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":3,\"unit\":\"cycles\",\"wait\":[[null" \
    ",2,3],[4,null,6],[7,8,null]]}\n"

static const char *const diary[] = {
    HEAD("3", "Dispatch"),         "rank=0 [ 1000458 20436 2089715 ]",
    "rank=1 [ 1824 30428 7109 ]",  "rank=2 [ 482 540 4000000 ]",
    HEAD("3", "Combine"),          "rank=0 [ 58 36 15 ]",
    "rank=1 [ 24 1000428 70009 ]", "rank=2 [ 82 40 8 ]",
};

static char *read_text(const char *text, dxt_status *status)
{
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_text out = {0};
    dxt_text_puts(&out, "");
    *status = read_all(reader, &out);
    dxt_reader_close(reader);
    return out.data;
}

/* Break every line at a column, or at the last blank before it. */
static void wrap(dxt_text *to, const char *line, size_t width, bool words, const char *mark)
{
    size_t left = strlen(line);
    while (left > 0) {
        size_t size = left < width ? left : width, skip = 0;
        if (words && size < left) {
            size_t blank = size;
            while (blank > 0 && line[blank] != ' ') blank--;
            if (blank > 0) size = blank, skip = 1;
        }
        dxt_text_puts(to, mark);
        dxt_text_append(to, line, size);
        dxt_text_puts(to, "\n");
        line += size + skip;
        left -= size + skip;
    }
}

static void wrapped_logs_are_read_as_they_were(void **state)
{
    (void)state;
    dxt_text whole = {0}, text = {0};
    dxt_status status;
    for (size_t i = 0; i < LENGTH(diary); i++) dxt_text_printf(&whole, "%s\n", diary[i]);
    char *expected = read_text(whole.data, &status);
    assert_int_equal(status, DXT_END);
    assert_non_null(strstr(expected, "[1000458,20436,2089715]"));
    for (int words = 0; words < 2; words++)
        for (size_t width = 52; width < 200; width++)
            for (int quoted = 0; quoted < 2; quoted++) {
                text.size = 0;
                for (size_t i = 0; i < LENGTH(diary); i++)
                    wrap(&text, diary[i], width, words, quoted ? "> " : "");
                char *read = read_text(text.data, &status);
                if (status != DXT_END || strcmp(read, expected) != 0)
                    print_error("%zu %d %d:\n%s\n", width, words, quoted, text.data);
                assert_int_equal(status, DXT_END);
                assert_string_equal(read, expected);
                free(read);
            }
    /* Rows that are cut within numbers. */
    for (size_t width = 12; width < 40; width++) {
        text.size = 0;
        for (size_t i = 0; i < LENGTH(diary); i++)
            wrap(&text, diary[i], i % 4 ? width : 200, false, "");
        char *read = read_text(text.data, &status);
        assert_int_equal(status, DXT_END);
        assert_string_equal(read, expected);
        free(read);
    }
    free(expected);
    free(text.data);
    free(whole.data);
}

static void wrapped_rows_in_doubt_are_refused(void **state)
{
    (void)state;
    /* Two rows of two, or of three. */
    static const bad_case cases[] = {
        {"rank=0 [ 11 2\n2 33 ]\nrank=1 [ 44 5\n5 66 ]\n", DXT_ERR_FORMAT,
         "t:2: its lines are wrapped, and a number may be cut in two: take the file itself, or a "
         "wider terminal"},
        {"rank=0 [ 1 2 3 ]\nrank=1 [ 4 5 6 ]\n", DXT_ERR_FORMAT,
         "t:2: the last window is incomplete: the matrix of line 1 ends after 2 of 3 rows"},
    };
    REFUSE(cases);
}

static void parts_of_containers_lines_are_joined(void **state)
{
    (void)state;
    assert_reads(
        "{\"log\":\"rank 0 [1\",\"stream\":\"stderr\"}\n"
        "{\"log\":\"other\\n\",\"stream\":\"stdout\"}\n"
        "{\"log\":\" 2\",\"stream\":\"stderr\"}\n{\"log\":\"]\\n\",\"stream\":\"stderr\"}\n"
        "{\"log\":\"rank 1 [3 \",\"stream\":\"stderr\"}\n"
        "{\"log\":\"4]\\n\",\"stream\":\"stderr\"}\n",
        ONE);
    /* Without any newline they are lines. */
    assert_reads("{\"log\":\"rank 0 [1 2]\"}\n{\"log\":\"rank 1 [3 4]\"}\n", ONE);
    /* The collector says so itself. */
    assert_reads("{\"log\":\"rank 0 [1\",\"logtag\":\"P\"}\n{\"log\":\" 2]\",\"logtag\":\"F\"}\n"
                 "{\"log\":\"rank 1 [3 4]\",\"logtag\":\"F\"}\n",
                 ONE);
    assert_reads("2025-09-15T16:28:53.686123456Z stderr P 1\n"
                 "2025-09-15T16:28:53.686123456Z stderr F  2\n"
                 "2025-09-15T16:28:53.686123456Z stderr F 3 4\n",
                 ONE);
}

static void many_lines_without_a_newline_are_not_held_back(void **state)
{
    (void)state;
    dxt_text text = {0};
    for (int i = 0; i < 70; i++) dxt_text_printf(&text, "{\"log\":\"step %d\"}\n", i);
    dxt_text_puts(&text, "{\"log\":\"rank 0 [1 2]\"}\n{\"log\":\"rank 1 [3 4]\"}\n");
    assert_reads(text.data, ONE);
    free(text.data);
}

static void escaped_lines_are_read(void **state)
{
    (void)state;
    assert_reads("host app: rank=0 [ 1 2 ]#012rank=1 [ 3#0114 ]\n", ONE);
    assert_reads("#033[32mrank=0 [ 1 2 ]#033[0m\nissue #0999 and #012\nrank=1 [ 3 4 ]\n", ONE);
    assert_reads("Content-Transfer-Encoding: quoted-printable\n\nrank=3D0 [ 1=\n 2 ]\n"
                 "rank=3D1 [ 3 4 ]=20\n",
                 ONE);
    static const bad_case packed[] = {{"Content-Transfer-Encoding: base64\n\ncmFuaz0w\n",
                                       DXT_ERR_FORMAT,
                                       "t:3: no window: a mail whose text is packed as base64: "
                                       "save the text itself"}};
    REFUSE(packed);
}

static void parted_thousands_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "300;1 607 000\n12 345;1 200\n",
        "300;1'607'000\n12'345;1'200\n",
        "300 1_607_000\n12_345 1_200\n",
        "300;1\xe2\x80\x99"
        "607\xe2\x80\x99"
        "000\n12\xe2\x80\x99"
        "345;1\xe2\x80\x99"
        "200\n",
        "300;1\xe2\x80\xaf"
        "607\xe2\x80\xaf"
        "000\n12\xe2\x80\xaf"
        "345;1\xe2\x80\xaf"
        "200\n",
        "| 300 | 1,607,000 |\n|---|---|\n| 12,345 | 1,200 |\n",
        "| 300 | 1 607 000 |\n|---|---|\n| 12 345 | 1 200 |\n",
        "300\t1 607 000\n12 345\t1 200\n",
        "\"300\",\"1,607,000\"\n\"12,345\",\"1,200\"\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], BIG);
    /* Where commas may separate as well, two parted numbers of a line tell. */
    assert_reads("1,000   2,000\n3,000   4,000\n",
                 PLAIN("dispatch", "0", "[[1000,2000],[3000,4000]]"));
    assert_reads("100,200\n300,400\n", PLAIN("dispatch", "0", "[[100,200],[300,400]]"));
    assert_reads("0 100,200\n1 300,400\n", PLAIN("dispatch", "0", "[[100,200],[300,400]]"));
}

static void prints_of_other_programs_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"     [,1] [,2]\n[1,]    1    2\n[2,]    3    4\n", ONE},
        {"> m\n     [,1] [,2]\n[1,] 1 2 \n[2,] 3 4\n     [,3]\n", ONE},
        {"     [,1] [,2]\n[1,] 1 2\n[2,] 4 5\n[3,] 7 8\n     [,3]\n[1,] 3\n[2,] 6\n[3,] 9\n",
         THREE},
        {"m =\n\n  Columns 1 through 2\n\n   1   2\n   4   5\n   7   8\n\n  Column 3\n\n   3\n   "
         "6\n"
         "   9\n\n",
         THREE},
        {"m =\n\n Columns 1 and 2:\n\n   1   2\n   4   5\n   7   8\n\n Column 3:\n\n   3\n   6\n   "
         "9\n\n",
         THREE},
        {"m =\n\n   1.0e+03 *\n\n   0.3000   1607.0\n   12.345   1.2000\n", BIG},
        {"m = [1 2;\n     3 4];\n", ONE},
        {"int m[2][2] = {\n  {1, 2},\n  {3, 4},\n};\n", ONE},
        {"<tf.Tensor: shape=(2, 2), dtype=int64, numpy=\narray([[1, 2],\n       [3, 4]])>\n", ONE},
        {"Tensor(shape=[2, 2], dtype=int64, place=Place(gpu:0), stop_gradient=True,\n"
         "       [[1, 2],\n        [3, 4]])\n",
         ONE},
        {"(0, 0): 1\n(0, 1): 2\n(1, 0): 3\n(1, 1): 4\n", ONE},
        {"w[0][0] = 1\nw[0][1] = 2\nw[1][0] = 3\nw[1][1] = 4\n", ONE},
        {"0 -> 0: 1\n0 -> 1: 2\n1 -> 0: 3\n1 -> 1: 4\n", ONE},
        {"{(0, 0): 1, (0, 1): 2,\n (1, 0): 3, (1, 1): 4}\n", ONE},
        {"{'combine': {(0, 0): 5, (0, 1): 6, (1, 0): 7, (1, 1): 8}}\n",
         PLAIN("combine", "0", "[[5,6],[7,8]]")},
        {"[{\"row\":0,\"col\":0,\"value\":1},{\"row\":0,\"col\":1,\"value\":2},{\"row\":1,\"col\":"
         "0,"
         "\"value\":3},{\"row\":1,\"col\":1,\"value\":4}]\n",
         ONE},
        /* Three values a line, of three ranks: with and without a rank's wait for itself. */
        {"0 0 1\n0 1 2\n0 2 3\n1 0 4\n1 1 5\n1 2 6\n2 0 7\n2 1 8\n2 2 9\n", THREE},
        {"0 1 2\n0 2 3\n1 0 4\n1 2 6\n2 0 7\n2 1 8\n", HOLES},
        {"(0, 1): 2\n(0, 2): 3\n(1, 0): 4\n(1, 2): 6\n(2, 0): 7\n(2, 1): 8\n", HOLES},
        {"dispatch:\n- [1, 2]\n- [3, 4]\ncombine:\n- [5, 6]\n- [7, 8]\n", BOTH},
        {"- - 1\n  - 2\n- - 3\n  - 4\n", ONE},
        {"dispatch:\n  - - 1\n    - 2\n  - - 3\n    - 4\ncombine:\n  - - 5\n    - 6\n  - - 7\n    "
         "- 8\n",
         BOTH},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
    static const bad_case bad[] = {
        {"2\xc3\x97"
         "2 Matrix{Int64}:\n 1  \xe2\x80\xa6  2\n 3  \xe2\x80\xa6  4\n",
         DXT_ERR_FORMAT, "t:2: " DXT_SHORTENED},
        {"     [,1] [,2]\n[1,] 1 2\n[2,] 4 5\n[3,] 7 8\n", DXT_ERR_FORMAT,
         "t:4: the matrix is not square: 3 rows of 2 values; a blank line must separate windows"},
    };
    REFUSE(bad);
}

static void rows_of_two_operators_may_take_turns(void **state)
{
    (void)state;
    assert_reads("{\"rank\":0,\"dispatch\":[1,2],\"combine\":[5,6],\"tokens\":[9,9]}\n"
                 "{\"rank\":1,\"dispatch\":[3,4],\"combine\":[7,8],\"tokens\":[9,9]}\n",
                 BOTH);
    assert_reads(
        "{\"rank\":0,\"op\":\"dispatch\",\"w\":[1,2]}\n{\"rank\":0,\"op\":\"combine\",\"w\":"
        "[5,6]}\n{\"rank\":1,\"op\":\"dispatch\",\"w\":[3,4]}\n"
        "{\"rank\":1,\"op\":\"combine\",\"w\":[7,8]}\n",
        BOTH);
    assert_reads("{\"0\":{\"dispatch\":[1,2],\"combine\":[5,6]},\"1\":{\"dispatch\":[3,4],"
                 "\"combine\":[7,8]}}\n",
                 BOTH);
    assert_reads(
        "{\"rank\":0,\"wait_ns\":[1,2],\"tokens\":[9,9]}\n"
        "{\"rank\":1,\"wait_ns\":[3,4],\"tokens\":[9,9]}\n",
        "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":2,\"unit\":\"ns\",\"wait\":[["
        "1,2],[3,4]]}\n");
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[Diagnose] InstanceID: 7f-1 EP\nSize: 2, Dispatch" TITLE "\nrank=0 [ 11 2\n2 ]\nrank=1 [ "
        "3 4 ]\n",
        "{\"log\":\"rank 0 [1\",\"stream\":\"stderr\"}\n{\"log\":\" "
        "2]\\n\",\"stream\":\"stderr\"}\n"
        "{\"log\":\"rank 1 [3 4]\\n\",\"stream\":\"stderr\"}\n",
        "rank=0 [ 1 2 ]#012rank=1 [ 3#0114 ]\n",
        "rank=3D0 [ 1=\n 2 ]\nrank=3D1 [ 3 4 ]\n",
        "     [,1]\n[1,] 1\n[2,] 3\n     [,2]\n[1,] 2\n[2,] 4\n",
        "(0, 0): 1\n(0, 1): 2\n(1, 0): 3\n(1, 1): 4\n",
        "- - 1\n  - 2\n- - 3\n  - 4\n",
        "{(0, 0): 1, (0, 1): 2, (1, 0): 3, (1, 1): 4}\n",
        "{\"rank\":0,\"dispatch\":[1,2],\"combine\":[5,6]}\n"
        "{\"rank\":1,\"dispatch\":[3,4],\"combine\":[7,8]}\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) read_without_memory(texts[i]);
}

/* A text as a text in an object, "depth" times; free() it. */
static char *nested(const char *text, int depth)
{
    dxt_text now = {0};
    dxt_text_puts(&now, text);
    while (depth-- > 0) {
        dxt_text outer = {0};
        dxt_text_puts(&outer, "{\"a\": {\"log\": \"");
        for (size_t i = 0; i < now.size; i++) {
            if (now.data[i] == '"' || now.data[i] == '\\') dxt_text_puts(&outer, "\\");
            dxt_text_append(&outer, now.data + i, 1);
        }
        dxt_text_puts(&outer, "\"}}");
        free(now.data);
        now = outer;
    }
    assert_false(now.failed);
    return now.data;
}

static void texts_in_texts_come_to_an_end(void **state)
{
    (void)state;
    char *text = nested("[[1, 2], [3, 4]]", DXT_MOST_WRAPS);
    assert_reads(text, ONE);
    free(text);
    text = nested("[[1, 2], [3, 4]]", DXT_MOST_WRAPS + 1);
    const bad_case deeper = {text, DXT_ERR_FORMAT,
                             "t:1: no window: texts stand in each other more than 16 deep"};
    assert_refused(&deeper, strlen(text));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrapped_logs_are_read_as_they_were),
        cmocka_unit_test(wrapped_rows_in_doubt_are_refused),
        cmocka_unit_test(parts_of_containers_lines_are_joined),
        cmocka_unit_test(many_lines_without_a_newline_are_not_held_back),
        cmocka_unit_test(escaped_lines_are_read),
        cmocka_unit_test(parted_thousands_are_read),
        cmocka_unit_test(prints_of_other_programs_are_read),
        cmocka_unit_test(rows_of_two_operators_may_take_turns),
        cmocka_unit_test(failed_allocations_are_reported),
        cmocka_unit_test(texts_in_texts_come_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
