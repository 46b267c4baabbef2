/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between the rows of a matrix and is none: other lines, times, sentences, the turns of
 * logs that are torn or run backwards. */
#include "test_matrix_reading.h"

#define MATRIX(ranks, unit, wait)                                                       \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":" ranks ",\"unit\":\"" unit \
    "\",\"wait\":" wait "}\n"
#define NINE "[[9,2,3],[4,5,6],[7,8,9]]"
#define THREE MATRIX("3", "cycles", NINE)

/* Numbers at the end of a line that are no rows leave a matrix alone. */
static void other_lines_stand_in_between(void **state)
{
    (void)state;
    assert_reads("INFO: loss 0.1 0.2 0.3\n9 2 3\nINFO: x loss 0.1 0.2 0.3\n4 5 6\n7 8 9\n", THREE);
    assert_reads("a b: 5 5 5\n[1,0]<stdout>: 9 2 3\n[1,1]<stdout>: 4 5 6\na b: 9 2 3 4\n"
                 "[1,2]<stdout>: 7 8 9\na b: 7 7 7\n",
                 THREE);
    assert_reads("dst ranks 0 1 2\n9 2 3\n4 5 6\n7 8 9\n", THREE);
    static const bad_case bad[] = {
        {"epoch 1 loss: 0.5 0.6\nepoch 2 loss: 0.5 0.6\n", DXT_ERR_FORMAT,
         "t:2: no window: neither a recording nor rows of a matrix"},
        {"all of it took 9 2 8 4\n", DXT_ERR_FORMAT,
         "t:1: no window: 1 rows of 4 values; a matrix has as many rows as values"},
        {"[1,0]<stdout>: 9 2 3\n[1,1]<stdout>: 9 2 3\n", DXT_ERR_FORMAT,
         "t:2: the matrix is not square: 2 rows of 3 values"},
    };
    for (size_t i = 0; i < LENGTH(bad); i++) assert_refused(&bad[i], strlen(bad[i].text));
}

/* Times of day are no numbers of lines, and what follows them at the same minute no row. */
static void times_are_no_values(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "10:30 2 3\n12:31 5 6\n14:32 8 9\n",
        "10:30 2 3\n11:30 5 6\n12:30 8 9\n",
        "09:30 2 3\n10:31 5 6\n11:32 8 9\n",
        "at 10:30 2 3\nat 11:31 5 6\nat 12:32 8 9\n",
        "10:30 12 13\n11:31 14 13\n12:32 12 17\n",
        "10:11:12 0.53 0.38 0.96\n10:11:27 0.53 0.38 0.96\n10:11:42 0.53 0.38 0.96\n",
        "2026-11-26 10:11:12,100 2,3,4\n2026-11-26 10:11:27,100 2,3,4\n"
        "2026-11-26 10:11:42,100 2,3,4\n",
        "2026-11-26 10:11:12,100 2,3,4\n2026-11-27 10:11:12,100 2,3,4\n"
        "2026-11-28 10:11:12,100 2,3,4\n",
        "10:00:00 2 3 4\n10:01:01 2 3 4\n10:02:02 2 3 4\n",
        "[10:11:12] 2 3 4\n[10:11:13] 2 3 4\n[10:11:14] 2 3 4\n",
        "[1764126000.123] 2 3 4\n[1764126015.123] 2 3 4\n[1764126030.123] 2 3 4\n",
        "[12345.678901] 2 3 4\n[12347.678901] 2 3 4\n[12349.678901] 2 3 4\n",
        "10:11:12,5 2\n10:11:13,6 3\n",
        "1764126000 5 2 3\n1764127000 5 2 3\n1764128000 5 2 3\n",
        "1764126000 5 2 3\n1764125999 5 2 3\n1764126001 5 2 3\n",
        "99 5 2 3\n99 5 2 3\n99 5 2 3\n",
        "    84\t7066\t1710\n    13\t72\t551\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        if (read_once(texts[i], strlen(texts[i])) == DXT_END) print_error("%s\n", texts[i]);
        assert_int_equal(read_once(texts[i], strlen(texts[i])), DXT_ERR_FORMAT);
    }
}

/* Windows in a row are told from lines without an end by the ranks in front. */
static void lines_without_an_end_are_no_rows(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "h [0] NCCL INFO Channel 00/03 : 0 2 1\nh [0] NCCL INFO Channel 01/03 : 1 0 2\n"
        "h [0] NCCL INFO Channel 02/03 : 2 1 0\n",
        "h [0] Rings 00/03 : 0 2 1\nh [0] Rings 01/03 : 1 0 2\nh [0] Rings 02/03 : 2 1 0\n",
        "a 0 of it: 5 1 2\na 1 of it: 4 5 6\na 2 of it: 7 8 9\na 3 of it: 7 8 9\n",
        "a of it: 5 1 2\na of it: 4 5 6\na of it: 7 8 9\na of it: 7 8 9\n",
        "x step: 5 1 2\nx step: 4 5 6\nx step: 7 8 9\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_int_equal(read_once(texts[i], strlen(texts[i])), DXT_ERR_FORMAT);
    assert_reads(
        "[1,1]<stdout>: 3 4\n[1,0]<stdout>: 1 2\n[1,0]<stdout>: 5 6\n"
        "[1,1]<stdout>: 7 8\n",
        MATRIX("2", "cycles", "[[1,2],[3,4]]") "{\"v\":1,\"phase\":\"dispatch\",\"window\":1,"
                                               "\"ranks\":2,\"unit\":\"cycles\","
                                               "\"wait\":[[5,6],[7,8]]}\n");
}

/* Sentences that end in as many numbers as there are lines. */
static void sentences_are_no_rows(void **state)
{
    (void)state;
    static const char *const lines[] = {
        " 10:11:12 up 3 days,  2:03,  2 users,  load average: 3.12, 4.50, 5.00\n",
        "Mem:  62 10 20\n",
        "Mem:  62 10 20\nSwap: 8 0 8\n",
        "INFO tensor shape (1, 2, 3): 128 4096 7168\n",
        "INFO 11-26 10:11:12 [x.py:8] strides of (4, 5): 128 4096 7168\n",
        "[INFO] 2026-11-26 10:11:12 gpu temps 45 46 47\n",
        "INFO:root:gpu temps 45 46 47\n",
        "train.py:20 throughput 100 200 300\n",
        "[x.py:8] throughput 100 200 300\n",
        "INFO GPU utilization: 99 98 97\n",
    };
    for (size_t i = 0; i < LENGTH(lines); i++) {
        char text[512];
        int size = snprintf(text, sizeof text, "%s%s%s", lines[i], lines[i], lines[i]);
        dxt_status status = read_once(text, (size_t)size);
        if (status != DXT_ERR_FORMAT) print_error("%s", text);
        assert_int_equal(status, DXT_ERR_FORMAT);
    }
    /* Where some line says what they are, or a rank stands in front, they are. */
    assert_reads("all waits that were\nINFO of each one: 9 2 3\nINFO of each one: 4 5 6\n"
                 "INFO of each one: 7 8 9\n",
                 THREE);
    assert_reads("INFO their waits: 9 2 3\nINFO their waits: 4 5 6\nINFO their waits: 7 8 9\n",
                 THREE);
    assert_reads(
        "INFO of GPU 1 here: 4 5 6\nINFO of GPU 0 here: 9 2 3\nINFO of GPU 2 here: 7 8 9\n", THREE);
    assert_reads(
        "train-worker-3 main 9 2 3\ntrain-worker-3 main 4 5 6\ntrain-worker-3 main 7 8 9\n", THREE);
}

/* A log that was cut while it was written begins with zeros; a machine that goes down leaves some.
 */
static void zeros_and_turns_stand_between_lines(void **state)
{
    (void)state;
    static const char zeros[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                "9 2 3\n4 5 6\0\0\0\0"
                                "7 8 9\n";
    dxt_reader *reader = open_text(zeros, sizeof zeros - 1);
    dxt_text out = {0};
    assert_int_equal(read_all(reader, &out), DXT_END);
    assert_string_equal(out.data, THREE);
    out.size = 0;
    dxt_reader_close(reader);
    /* Of a torn recording what follows is read. */
    static const char torn[] = "{\"v\":1,\"phase\":\0\0\0" THREE;
    reader = open_text(torn, sizeof torn - 1);
    assert_int_equal(read_all(reader, &out), DXT_ERR_FORMAT);
    dxt_reader_close(reader);
    reader = open_text(torn, sizeof torn - 1);
    dxt_reader_on_remark(reader, pass, NULL);
    out.size = 0;
    assert_int_equal(read_all(reader, &out), DXT_END);
    assert_string_equal(out.data, THREE);
    dxt_reader_close(reader);
    free(out.data);
    assert_reads("9 2 3\r4 5 6\r7 8 9\r", THREE);
}

#define ROWS_DOWN "rank=1 [3 4]\nrank=0 [1 2]\n"
#define BARE "[3 4]\n[1 2]\n"
#define NEXT(wait)                                              \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":1,\"ranks\":2," \
    "\"unit\":\"cycles\",\"wait\":" wait "}\n"
#define AT(second, phase) \
    "[2025-09-15 16:28:" second ",5] [Diagnose] InstanceID: 7f-1 EPSize: 2, " phase TITLE "\n"
#define TIMED(phase, number, second, wait)                                \
    "{\"v\":1,\"instance\":\"7f-1\",\"begin\":\"2025-09-15T16:28:" second \
    ".5\",\"phase\":\"" phase "\",\"window\":" number                     \
    ",\"ranks\":2,\"unit\":\"cycles\",\"wait\":" wait "}\n"

static int keep_backwards(void *context, dxt_remark kind, const char *message)
{
    (void)kind;
    unsigned line;
    bool told = strstr(message, "runs backwards") || strstr(message, "is not known");
    if (told && sscanf(message, "t:%u:", &line) == 1) *(unsigned *)context = line;
    return 1;
}

/* What is read of a log, and at which line it is told to run backwards. */
static void assert_tells(const char *text, const char *expected, unsigned line)
{
    dxt_text out = {0};
    unsigned told = 0;
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_reader_on_remark(reader, keep_backwards, &told);
    dxt_status status = read_all(reader, &out);
    assert_int_equal(status, *expected ? DXT_END : DXT_ERR_FORMAT);
    assert_string_equal(out.data ? out.data : "", expected);
    assert_int_equal(told, line);
    dxt_reader_close(reader);
    free(out.data);
}

static void logs_that_run_backwards_are_told(void **state)
{
    (void)state;
    static const bad_case bad[] = {
        {ROWS_DOWN HEAD("2", "Combine") "\n" ROWS_DOWN HEAD("2", "Dispatch") "\n", DXT_ERR_FORMAT,
         "t:3: the log runs backwards, newest line first (tac FILE | deepxtrace analyze -)"},
    };
    for (size_t i = 0; i < LENGTH(bad); i++) assert_refused(&bad[i], strlen(bad[i].text));
    /* The newest window is cut; rows have no ranks: what stands above a header is not read as that
     * of the one before. */
    assert_tells("rank=0 [1 2]\n" AT("54", "Combine") ROWS_DOWN AT("53", "Dispatch"), "", 2);
    assert_tells(BARE AT("54", "Combine") BARE AT("53", "Dispatch") BARE AT("52", "Combine"), "",
                 3);
    /* Headers of one time: rows above the first and none below the last. */
    static const bad_case unknown[] = {
        {"[1 2]\n" AT("54", "Combine") BARE AT("54", "Dispatch"), DXT_ERR_FORMAT,
         "t:2: rows stand above the first header, but none below the last one, which has the same "
         "time: which header they belong to is not known (leave out what is above the first "
         "header, or below the last rows)"},
    };
    REFUSE(unknown);
    assert_tells(BARE AT("54", "Combine") BARE AT("54", "Dispatch"), "", 3);
    assert_tells("[1 2]\n" AT("54", "Combine") BARE AT("54", "Dispatch"), "", 2);
    assert_tells("rank=0 [1 2]\n" AT("54", "Combine") ROWS_DOWN AT("54", "Dispatch"), "", 2);
    assert_tells(BARE AT("54", "Combine") BARE AT("54", "Dispatch") BARE AT("53", "Combine")
                     BARE AT("53", "Dispatch"),
                 "", 3);
    assert_reads("[1 2]\n" AT("54", "Dispatch") BARE AT("54", "Combine") "[5 6]\n[7 8]\n",
                 TIMED("dispatch", "0", "54", "[[3,4],[1,2]]")
                     TIMED("combine", "0", "54", "[[5,6],[7,8]]"));
    assert_reads("[1 2]\n" AT("54", "Dispatch") BARE AT("54", "Combine") BARE AT("55", "Dispatch"),
                 TIMED("dispatch", "0", "54", "[[3,4],[1,2]]")
                     TIMED("combine", "0", "54", "[[3,4],[1,2]]"));
    /* A whole matrix above a header that need not be its own, and one that cannot be. */
    assert_reads(BARE AT("53", "Dispatch") BARE, TIMED("dispatch", "0", "53", "[[3,4],[1,2]]"));
    assert_reads("[1 2 3]\n[4 5 6]\n[7 8 9]\n" AT("53", "Combine") BARE,
                 MATRIX("3", "cycles", "[[1,2,3],[4,5,6],[7,8,9]]")
                     TIMED("combine", "0", "53", "[[3,4],[1,2]]"));
    assert_reads("[1 2]\n[3 4]\n[5 6]\n[7 8]\n",
                 MATRIX("2", "cycles", "[[1,2],[3,4]]") NEXT("[[5,6],[7,8]]"));
    /* Rows may come in any order in a log that was rotated. */
    assert_reads(ROWS_DOWN AT("53", "Dispatch") ROWS_DOWN AT("54", "Combine") ROWS_DOWN,
                 TIMED("dispatch", "0", "53", "[[1,2],[3,4]]")
                     TIMED("combine", "0", "54", "[[1,2],[3,4]]"));
    assert_reads("rank=0 [1 2]\n" AT("53", "Dispatch") BARE,
                 TIMED("dispatch", "0", "53", "[[3,4],[1,2]]"));
    assert_reads(ROWS_DOWN, MATRIX("2", "cycles", "[[1,2],[3,4]]"));
    /* What a service hands out as one value is turned round. */
    const char *text = "{\"data\":[{\"message\":\"rank=1 [3 4]\"},{\"message\":\"rank=0 [1 2]\"},"
                       "{\"message\":\"EPSize: 2, Dispatch" TITLE "\"}]}\n";
    assert_reads(text, MATRIX("2", "cycles", "[[1,2],[3,4]]"));
}

/* Lists of a value for each rank stand beside a matrix, or alone. */
static void values_of_ranks_are_no_matrices(void **state)
{
    (void)state;
#define NO_RECORDING \
    "t:1: no window: JSON, but no recording (no \"v\", \"phase\", \"ranks\", \"wait\")"
    static const bad_case bad[] = {
        {"{\"size\": 5, \"values\": [1, 2, 3, 4, 5]}\n", DXT_ERR_FORMAT, NO_RECORDING},
        {"{\"world_size\": 8, \"w\": [1, 2, 3, 4, 5, 6, 7, 8]}\n", DXT_ERR_FORMAT, NO_RECORDING},
        {"{\"rows\": 4, \"cols\": 4, \"values\": [1, 2, 3, 4]}\n", DXT_ERR_FORMAT,
         "t:1: the shape says 16 values, and there are 4"},
    };
    REFUSE(bad);
    assert_reads("{\"world_size\": 4, \"wait_mean\": [1, 2, 3, 4], \"wait\": [[1, 2], [3, 4]]}\n",
                 ONE);
}

/* The columns of a square are all of it, whatever a heading calls them. */
static void squares_have_no_sums(void **state)
{
    (void)state;
    assert_reads("p50 p90 max\n9 2 3\n4 5 6\n7 8 9\n", THREE);
    assert_reads("rank p50 p90 max\nrank0 9 2 3\nrank1 4 5 6\nrank2 7 8 9\n", THREE);
    assert_reads("r0 r1 all\n9 2 3\n4 5 6\n7 8 9\n", THREE);
    assert_reads("r0 r1 all\n1 2 3\n3 4 9\n", ONE);
}

static void arguments_hold_no_matrix(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "dispatch=[[1,2],[3,4]], dtype=int64 combine=[[5,6],[7,8]], dtype=int64)\n",
        "dispatch=[[1,2],[3,4]], dtype=int64; combine=[[5,6],[7,8]], dtype=int64)\n",
        "dispatch=[[1,2],[3,4]], dtype=<i8, combine=[[5,6],[7,8]])\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_reads(texts[i], ONE PLAIN("combine", "0", "[[5,6],[7,8]]"));
}

/* Tags in a cell are no ends of lines, and what begins as one has an end soon or is none. */
static void tags_stand_in_cells(void **state)
{
    (void)state;
    assert_reads("1,\"<p>[1 2 3] was slow</p>\",\"[[1 2] [3 4]]\"\n", ONE);
    assert_reads("1,\"[[1 2]<p> [3 4]]\"\n", ONE);
    assert_reads("out: <pre>[[1 2]<br> [3 4]]</pre>\n", ONE);
    assert_reads("<p class='x'>[[1 2]</p><p> [3 4]]</p>\n", ONE);
    for (size_t size = 500; size <= 1500; size += 1000) {
        char text[2048] = "<br>[[1 2]<p ";
        size_t at = strlen(text);
        memset(text + at, 'x', size);
        strcpy(text + at + size, "> [3 4]]\n");
        assert_int_equal(read_once(text, strlen(text)), size < 1000 ? DXT_END : DXT_ERR_FORMAT);
    }
}

/* What looks like a mark of the reader's own ends where its line does. */
static void forged_marks_end_with_their_lines(void **state)
{
    (void)state;
    char text[300] = "#\b", said[300] = "t:1: ";
    memset(text + 2, 'x', 199);
    memcpy(said + 5, text + 2, 199);
    strcpy(text + 201, "\n");
    const bad_case bad = {text, DXT_ERR_FORMAT, said};
    assert_refused(&bad, strlen(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_lines_stand_in_between),
        cmocka_unit_test(times_are_no_values),
        cmocka_unit_test(lines_without_an_end_are_no_rows),
        cmocka_unit_test(sentences_are_no_rows),
        cmocka_unit_test(zeros_and_turns_stand_between_lines),
        cmocka_unit_test(logs_that_run_backwards_are_told),
        cmocka_unit_test(values_of_ranks_are_no_matrices),
        cmocka_unit_test(squares_have_no_sums),
        cmocka_unit_test(arguments_hold_no_matrix),
        cmocka_unit_test(tags_stand_in_cells),
        cmocka_unit_test(forged_marks_end_with_their_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
