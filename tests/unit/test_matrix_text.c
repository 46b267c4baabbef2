/* SPDX-License-Identifier: Apache-2.0 */
/* Logs, prints of matrices and tables: every form that is read, and the words for what is not. */
#include "test_matrix_reading.h"

#include "alloc_fail.h"

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

static void wrong_logs_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {HEAD("2", "Dispatch") "\n[1 2]\n[3 4 5]\n", DXT_ERR_FORMAT,
         "t:3: row 1 has 3 values, 2 were expected"},
        {HEAD("2", "Dispatch") "\n[1 2]\n", DXT_ERR_FORMAT,
         "t:2: the last window is incomplete: the matrix of line 1 ends after 1 of 2 rows"},
        {HEAD("2", "Dispatch") "\n[1 2]\nx\n" HEAD("2", "Dispatch") "\n", DXT_ERR_FORMAT,
         "t:4: the matrix of line 1 ends after 1 of 2 rows"},
        {HEAD("2", "Dispatch") "\n[1 2]\n[3\n", DXT_ERR_FORMAT,
         "t:3: the last window is incomplete: the matrix of line 1 ends after 1 of 2 rows"},
        {HEAD("2", "Dispatch") "\n[1\nrank=1 [2 2]\n", DXT_ERR_FORMAT,
         "t:3: the row of line 2 has not ended"},
        {HEAD("2", "Dispatch") "\nrank=1 [1 2]\nrank=1 [1 3]\n", DXT_ERR_FORMAT,
         "t:3: the row of rank 1 is repeated"},
        {HEAD("2", "Dispatch") "\nrank=2 [1 2]\n", DXT_ERR_FORMAT,
         "t:2: rank 2 does not exist among 2 ranks"},
        {HEAD("2", "Dispatch") "\nrank=5000 [1 2]\n", DXT_ERR_FORMAT,
         "t:2: rank 5000 does not exist among 2 ranks"},
        {HEAD("2", "Dispatch") "\n[1 2]\n[3 4]\n[5 6]\n", DXT_ERR_FORMAT,
         "t:4: one row too many behind line 1"},
        {HEAD("2", "Dispatch") "\n[[1 2] [3 4] [5 6]]\n", DXT_ERR_FORMAT,
         "t:2: one row too many behind line 1"},
        {HEAD("2", "Dispatch") "\n[1 -2]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 1: -2 is negative: the counter ran over"},
        {HEAD("2", "Dispatch") "\n[nan 2]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 0: nan is not a number"},
        {HEAD("2", "Dispatch") "\nrank=1 [1 x]\n", DXT_ERR_FORMAT,
         "t:2: row 1, column 1: x is not a number"},
        {HEAD("2", "Dispatch") "\n[1,,2]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 1: a value is missing"},
        {HEAD("2", "Dispatch") "\n[1,,2,]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 1: a value is missing"},
        {HEAD("1", "Dispatch") "\n", DXT_ERR_FORMAT,
         "t:1: EPSize 1: a matrix has at least 2 ranks"},
        {HEAD("4097", "Dispatch") "\n", DXT_ERR_LIMIT, "t:1: EPSize 4097: at most 4096 ranks"},
        {"InstanceID: \xff EPSize: 2, Dispatch" TITLE, DXT_ERR_FORMAT,
         "t:1: InstanceID is not a printable name"},
        {HEAD("x", "Dispatch") "\n", DXT_ERR_FORMAT, "t:1: EPSize: x is not a number"},
        {HEAD("2", "") "\n", DXT_ERR_FORMAT, "t:1: the header names no operator"},
        {HEAD("2", "Dispatch") "\n[2025-01-01] nothing\n", DXT_ERR_FORMAT,
         "t:2: no window: headers without rows; the rows are written with "
         "DEEPEP_DIAGNOSE_LOG_DETAILS=1"},
        {"Hello\nworld\n", DXT_ERR_FORMAT,
         "t:2: no window: neither a recording nor rows of a matrix"},
        {"[1 2]\n[3 4]\nrank=2 [1 2]\n", DXT_ERR_FORMAT,
         "t:3: rank 2 does not exist among 2 ranks"},
        {"[[1 2]\n", DXT_ERR_FORMAT,
         "t:1: the last window is incomplete: the matrix of line 1 ends after 1 of 2 rows"},
        {"[[1 2 3]\n [4 5 6]]\n", DXT_ERR_FORMAT,
         "t:2: the matrix is not square: 2 rows of 3 values"},
        {"[[1 2]\n [3 4 5]]\n", DXT_ERR_FORMAT, "t:2: row 1 has 3 values, 2 were expected"},
        {"[[1 2 ... 3 4]\n", DXT_ERR_FORMAT,
         "t:1: the print is shortened (\"...\"); to print it whole: "
         "numpy.set_printoptions(threshold=sys.maxsize) or "
         "torch.set_printoptions(profile=\"full\")"},
        {"[[1 2]\n [3 99999999999999999999]]", DXT_ERR_LIMIT,
         "t:2: row 1, column 1: 99999999999999999999 is above 2^63 - 1"},
        {"[7 1e30]\n[1 2]\n", DXT_ERR_LIMIT, "t:1: 1e+30 is above 2^63 - 1"},
    };
    REFUSE(cases);
}

static void wrong_plain_matrices_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"1 2\n3\n", DXT_ERR_FORMAT, "t:2: row 1 has 1 values, 2 were expected"},
        {"1 2\n3 4 5\n", DXT_ERR_FORMAT, "t:2: row 1 has 3 values, 2 were expected"},
        {"1 2\n", DXT_ERR_FORMAT, "t:1: the matrix is not square: 1 rows of 2 values"},
        {"1 2 3\n4 5 6\n\n", DXT_ERR_FORMAT, "t:3: the matrix is not square: 2 rows of 3 values"},
        {"1 2\n3 4\n5 6\n", DXT_ERR_FORMAT,
         "t:3: the matrix is not square: 3 rows of 2 values; a blank line must separate windows"},
        {"7\n", DXT_ERR_FORMAT, "t:1: no window: row 0 has 1 value; a matrix has at least 2 ranks"},
        {"1 -2\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: -2 is negative: the counter ran over"},
        {"inf 2\n", DXT_ERR_FORMAT, "t:1: row 0, column 0: inf is not a number"},
        {"1\n2\n3\n4\n5\n", DXT_ERR_FORMAT, "t:5: 5 numbers, one a line, make no square matrix"},
        {"1 2 ... 3\n", DXT_ERR_FORMAT, "t:1: " DXT_SHORTENED},
        {"1 9223372036854775808\n", DXT_ERR_LIMIT,
         "t:1: row 0, column 1: 9223372036854775808 is above 2^63 - 1"},
        {"1,,2\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: a value is missing"},
        {"1 2}\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: 2 has text behind it"},
        {"1 x\xff\x1b\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: x? is not a number"},
        {"", DXT_ERR_FORMAT, "t:1: no window: the input is empty"},
        {"\n \n", DXT_ERR_FORMAT, "t:2: no window: neither a recording nor rows of a matrix"},
        {"# dispatch\n", DXT_ERR_FORMAT,
         "t:1: no window: neither a recording nor rows of a matrix"},
    };
    REFUSE(cases);
}

static void too_many_ranks_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *message;
    } cases[] = {
        {"", "t:1: row 0 has more than 4096 values, the most ranks"},
        {"[", "t:1: row 0, column 4096: more values than the most ranks, 4096"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dxt_text text = {0};
        dxt_text_puts(&text, cases[i].before);
        for (int k = 0; k <= 4096; k++) dxt_text_puts(&text, "1 ");
        if (i == 1) dxt_text_puts(&text, "]");
        assert_refused(&(bad_case){text.data, DXT_ERR_LIMIT, cases[i].message}, text.size);
        free(text.data);
    }
}

/* In time that grows with the length: with the square of this one it takes minutes. */
static void read_long_line(const char *first, const char *part, const char *last)
{
    dxt_text text = {0};
    dxt_text_puts(&text, first);
    while (text.size < 1000000) dxt_text_puts(&text, part);
    dxt_text_puts(&text, last);
    dxt_text_puts(&text, "\n[1 2]\n[3 4]\n");
    dxt_reader *reader = open_text(text.data, text.size);
    dxt_text out = {0};
    read_all(reader, &out);
    free(out.data);
    free(text.data);
    dxt_reader_close(reader);
}

static void long_lines_of_anything_are_read(void **state)
{
    (void)state;
    static const char *const parts[] = {"[",
                                        "[ ",
                                        "rank0 [",
                                        "[1] ",
                                        "{",
                                        "{\"a\":",
                                        "nan",
                                        "\"1;",
                                        "rank1: 1 2 [1 2] ",
                                        "\x1b[1m",
                                        "2025-09-15 ",
                                        "rank1 ",
                                        "rank1 (",
                                        "[1 2]]",
                                        "rank1 wait ",
                                        "[[1 2]]a",
                                        "x={{1, ",
                                        "3: 1 2 ",
                                        "1,5\t",
                                        "rank 0 1 2 ",
                                        "{\"\"a\"\":",
                                        "]] [[",
                                        "OrderedDict([",
                                        "(array([1, ",
                                        "x(a=[[1, 2], "};
    for (size_t i = 0; i < LENGTH(parts); i++) read_long_line("", parts[i], "");
    /* What is looked for comes once, at the end. */
    read_long_line("rank=0 [1,2]", "a]]", "[[");
    read_long_line("rank 0 (1, 2) ", "]] a ", "[[ 1");
    read_long_line("rank=0 [1,2]", "]", "a[[");
    /* The separator comes once, at the beginning. */
    read_long_line("0:|", "1'000 ", "");
    read_long_line("a\t", "1 ", "");
}

static void other_files_are_told(void **state)
{
    (void)state;
#define IS(what)                                                                                  \
    "t:1: this looks like " what "; what is read: recordings (JSON Lines with \"v\", \"phase\", " \
    "\"ranks\", \"wait\"), logs of a diagnosis, and matrices as text or .npy"
    static const bad_case cases[] = {
        {"\x1f\x8b\x08zipped", DXT_ERR_FORMAT, IS("gzip data (zcat FILE | deepxtrace analyze -)")},
        {"\x89PNG\r\n\x1a\n", DXT_ERR_FORMAT, IS("a PNG picture")},
        {"12\x01 more\n", DXT_ERR_FORMAT, IS("binary data")},
        {"{\"traceEvents\": [\n", DXT_ERR_FORMAT,
         IS("a trace of events (Chrome or PyTorch profiler)")},
        {"# out-of-place in-place\n#  size count type redop root time algbw busbw\n 8 2 float\n",
         DXT_ERR_FORMAT, IS("the table of nccl-tests")},
        {"<!DOCTYPE html>\n", DXT_ERR_FORMAT, IS("HTML or XML (save the table in it as CSV)")},
        {"{\"name\": \"x\",\n", DXT_ERR_FORMAT,
         "t:1: no window: JSON, but no recording (no \"v\", \"phase\", \"ranks\", \"wait\")"},
    };
    REFUSE(cases);
}

/* ---- whatever stands around ---- */

#define ROWS(a, b) a "rank=0 [ 1 2]" b "\n" a "rank=1 [3 4]" b "\n"
#define HEADED(a, b) a HEAD("2", "Dispatch") b "\n" ROWS(a "[2025-09-15T16:28:53.686] ", b)

static void any_prefix_is_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEADED("2025-09-15T16:28:53.686123456Z ", ""),
        HEADED("2025-09-15T16:28:53.686123456Z stderr F ", ""),
        HEADED("2025-09-15 16:28:53,686 - INFO - ", ""),
        HEADED("0: ", ""),
        HEADED("[1] ", ""),
        HEADED("Sep 15 16:28:53 node-a python3[4242]: ", "\r"),
        HEADED("[default0]:", ""),
        HEADED("[rank0]: ", ""),
        HEADED("rank0: ", ""),
        HEADED("(EngineCore pid=4242, ip=10.0.0.1) ", ""),
        HEADED("diagnose_rank0.log:17:", ""),
        HEADED("diagnose_rank0.log-17-", ""),
        HEADED("    17\t", ""),
        HEADED("> ", "  "),
        HEADED("\x1b[32m", "\x1b[0m"),
        HEADED("\x1b]8;;x\x07\x1b[1;31m", "\x1b(B\x1b[m"),
        HEADED("level=info msg=\"", "\""),
        HEADED("17 | ", " |"),
        HEADED("", "") "\0\0\0\0",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_reads(texts[i], LOGGED("dispatch", "0", "[[1,2],[3,4]]"));
}

/* Written by json.dumps(), passed on by whatever adds times and labels. */
static void a_recording_is_found_behind_a_prefix(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"2025-09-15T16:28:53.686123456Z ",
                                           "2025-09-15T16:28:53.686123456Z stderr F ",
                                           "0: ",
                                           "{app=\"x\",pod=\"y\"} ",
                                           "[2025-09-15T16:28:53.686] ",
                                           "rank 0 {'a': 1} "};
    for (size_t i = 0; i < LENGTH(prefixes); i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "%s{\"v\": 1, \"phase\": \"dispatch\", \"ranks\": 2, \"wait\": [[1, 2], [3, 4]]}\n",
            prefixes[i]);
        assert_reads(text, "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2,\"unit\":\"cycles\","
                           "\"wait\":[[1,2],[3,4]]}\n");
    }
}

static void containers_are_read(void **state)
{
    (void)state;
#define DOCKER(text) \
    "{\"log\":\"" text "\\n\",\"stream\":\"stderr\",\"time\":\"2025-09-15T16:28:53Z\"}\n"
#define ESCAPED_HEAD                                                                         \
    "[2025-09-15T16:28:53.686] [Diagnose] InstanceID: 7f-1 EPSize: 2, diagnose: {'a': []}, " \
    "Dispatch" TITLE
    static const char *const texts[] = {
        DOCKER(ESCAPED_HEAD) DOCKER("rank=0 [1 2]") DOCKER("[x] rank=1 [3 4]"),
        DOCKER(ESCAPED_HEAD "\\nrank=0 [1 2]\\r\\nrank=1 [3 4]"),
        "{\"MESSAGE\":\"" ESCAPED_HEAD "\"}\n{\"a\":1,\"MESSAGE\":\"rank=0 [1 2]\"}\n"
        "{\"MESSAGE\":\"rank=1 [3 4]\",\"b\":[{}]}\n",
        DOCKER("\\u001b[31m" ESCAPED_HEAD "\\u001b[0m") DOCKER("{\\\"msg\\\":\\\"rank=0 [1 2]\\\"}")
            DOCKER("rank=1 [3 4]"),
        "2025-09-15T16:28:53.6Z stderr F " HEAD(
            "2", "Dispatch") "\n"
                             "2025-09-15T16:28:53.6Z stderr P rank=0 [\n2025-09-15T16:28:53.6Z "
                             "stderr P 1\n"
                             "2025-09-15T16:28:53.6Z stderr F  2]\n2025-09-15T16:28:53.6Z stderr F "
                             "rank=1 [3 4]\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_reads(texts[i], LOGGED("dispatch", "0", "[[1,2],[3,4]]"));
#define RECORDED \
    "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[1,2],[3,4]]}\n"
    assert_reads("2025-09-15T16:28:53Z stdout F started\n2025-09-15T16:28:53Z stdout F " RECORDED,
                 RECORDED);
    assert_reads(DOCKER("{\\\"v\\\":1,\\\"phase\\\":\\\"dispatch\\\",\\\"ranks\\\":2,"
                        "\\\"wait\\\":[[1,2],[3,4]]}"),
                 RECORDED);
    assert_reads("2025-09-15T16:28:53Z {\"v\": 1, \"phase\": \"dispatch\", \"ranks\": 2, "
                 "\"wait\": [[1, 2], [3, 4]]}\n",
                 RECORDED);
    assert_reads("INFO begins\n" RECORDED "{\"level\":\"info\",\"step\":3}\nINFO ends\n", RECORDED);
}

static void docker_cuts_long_lines(void **state)
{
    (void)state;
    dxt_text text = {0};
    dxt_text_puts(&text, DOCKER(ESCAPED_HEAD));
    for (int rank = 0; rank < 2; rank++) {
        dxt_text_printf(&text, "{\"log\":\"rank=%d [%16384d", rank, 2 * rank + 1);
        dxt_text_printf(&text, "\"}\n{\"log\":\" %d]\\n\"}\n", 2 * rank + 2);
    }
    assert_reads(text.data, LOGGED("dispatch", "0", "[[1,2],[3,4]]"));
    free(text.data);
}

static void any_print_of_a_matrix_is_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "tensor([[1, 2],\n        [3, 4]], device='npu:0')\n",
        "tensor([[1, 2],\n        [3, 4]],\n       device='cuda:1', dtype=torch.int32)\n",
        "tensor([[1., 2.],\n        [3., 4.]])\n",
        "tensor([[1.0000e+00, 2.0000e+00],\n        [3.0000e+00, 4.0000e+00]])\n",
        "array([[1, 2],\n       [3, 4]])\n",
        "stats = array([[1, 2],\n       [3, 4]], dtype=int32)\n",
        "2025-09-15 16:28:53,686 - INFO - tensor([[1, 2],\n        [3, 4]])\n",
        "[rank0]: tensor([[1,\n[rank0]:          2],\n[rank0]:         [3,\n[rank0]:          "
        "4]])\n",
        "2025-09-15T16:28:53Z tensor([[1,\n2025-09-15T16:28:54Z          2],\n"
        "2025-09-15T16:28:54Z         [3,\n2025-09-15T16:28:54Z          4]])\n",
        "rank 0 [1 2]\nrank 1 [3 4]\n",
        "rank0: [1, 2]\nrank1: [3, 4]\n",
        "Rank: 0 [1, 2]\nRank: 1 [3, 4]\n",
        "rank0: 1 2\nrank1: 3 4\n",
        "rank 1: 3, 4\nrank 0: 1, 2\n",
        "rank 0: tensor([1, 2], device='cuda:0')\nrank 1: tensor([3, 4], device='cuda:1')\n",
        "rank=0 [ 1 2]\nrank=1 [ 3 4]\n",
        "[2025-09-15T16:28:53.686] rank=1 [3 4]\n[2025-09-15T16:28:53.686] rank=0 [1 2]\n",
        "rank,r0,r1\n0,1,2\n1,3,4\n",
        "\"rank\";\"r0\";\"r1\"\n\"0\";\"1\";\"2\"\n\"1\";\"3\";\"4\"\n",
        ",0,1\n0,1,2\n1,3,4\n",
        "r0,r1\n1,2\n3,4\n",
        "0,1,2\n1,3,4\n",
        "0 1\n1 2\n3 4\n",
        "rank0,1,2\nrank1,3,4\n",
        "src \\ dst\t0\t1\nrank 0\t1\t2\nrank 1\t3\t4\n",
        "1;2\n3;4\n",
        "1;2;\n3;4;\n",
        "1,0;2,0\n3,0;4,0\n",
        "\"1\",\"2\"\n\"3\",\"4\"\n",
        "1.0 2.0\n3.0 4.0\n",
        "1.000000000000000000e+00 2.000000000000000000e+00\n3e0 +4.0E+0\n",
        "1 2\nINFO a line of others\n3 4\n",
        "# rank0..1\n1,2\n3,4\n",
        "0: 1 2\n1: 3 4\n",
        "1,2,\n3,4,\n",
        "   0 1\n0  1 2\n1  3 4\n",
        "     r0  r1\nr0    1   2\nr1    3   4\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_reads(texts[i], PLAIN("dispatch", "0", "[[1,2],[3,4]]"));
    assert_reads("Combine wait recv cost stats:\ntensor([[1, 2],\n        [3, 4]])\n",
                 PLAIN("combine", "0", "[[1,2],[3,4]]"));
    assert_reads("2025-09-15T16:28:53Z Combine stats:\n2025-09-15T16:28:53Z [[1, 2],\n"
                 "2025-09-15T16:28:53Z  [3, 4]]\n",
                 PLAIN("combine", "0", "[[1,2],[3,4]]"));
    assert_reads("rank=0 [1 2]\nrank=1 [3 4]\nrank=0 [5 6]\nrank=1 [7 8]\n",
                 PLAIN("dispatch", "0", "[[1,2],[3,4]]") PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
}

static void what_is_left_of_a_log_that_grows(void **state)
{
    (void)state;
    static const char text[] = "EPSize: 2 a\nrank=0 [1 2]\nfinding\nEPSize: 2 b\n";
    size_t size = strlen(text), first = strlen("EPSize: 2 a\n"), header = size - first;
    assert_int_equal(dxt_log_rest(text, size, 0, 0), 0);
    assert_int_equal(dxt_log_rest(text, size, 1, 0), 0);
    assert_int_equal(dxt_log_rest(text, size, 2, 0), first);
    assert_int_equal(dxt_log_rest(text, size, 9, 0), size);
    assert_int_equal(dxt_log_rest(text, size, 0, 1), header);
    assert_int_equal(dxt_log_rest(text, size, 1, 1), header);
    /* The last header is that of the last window. */
    assert_int_equal(dxt_log_rest(text, size, 4, 1), size);
    assert_int_equal(dxt_log_rest(text, header, 1, 1), header);
    assert_int_equal(dxt_log_rest("foo\n", 4, 0, 1), 4);
    assert_int_equal(dxt_log_rest(text, 0, 1, 1), 0);
    assert_int_equal(dxt_log_rest(NULL, 3, 1, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_are_read),
        cmocka_unit_test(plain_matrices_are_read),
        cmocka_unit_test(wrong_logs_are_refused),
        cmocka_unit_test(wrong_plain_matrices_are_refused),
        cmocka_unit_test(too_many_ranks_are_refused),
        cmocka_unit_test(long_lines_of_anything_are_read),
        cmocka_unit_test(other_files_are_told),
        cmocka_unit_test(any_prefix_is_read),
        cmocka_unit_test(a_recording_is_found_behind_a_prefix),
        cmocka_unit_test(containers_are_read),
        cmocka_unit_test(docker_cuts_long_lines),
        cmocka_unit_test(any_print_of_a_matrix_is_read),
        cmocka_unit_test(what_is_left_of_a_log_that_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
