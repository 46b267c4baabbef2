/* SPDX-License-Identifier: Apache-2.0 */
/* Bare numbers as people have them: behind what others put in front of a line, with units, with
 * cells left out. */
#include "test_matrix_reading.h"

#define MATRIX(ranks, unit, wait)                                                       \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":" ranks ",\"unit\":\"" unit \
    "\",\"wait\":" wait "}\n"
#define NINE "[[9,2,3],[4,5,6],[7,8,9]]"
#define THREE MATRIX("3", "cycles", NINE)
#define OWN MATRIX("3", "cycles", "[[null,2,3],[4,null,6],[7,8,null]]")

/* Rows behind the same text, with the rank in it, in another order. */
static void rows_behind_a_rank_stand_where_it_says(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "[1,%d]<stdout>: %s\n",
        "[1,%d]<stderr>:%s\n",
        "[prterun-h1-4321@1,%d]<stdout>: %s\n",
        "Thu Nov 26 10:11:12 2026[1,%d]<stdout>: %s\n",
        "[%d] %s\n",
        "[default%d]:%s\n",
        "worker-%d  | %s\n",
        "[pod/train-%d/main] %s\n",
        "(Worker%d pid=4123, ip=10.0.0.1) %s\n",
        "train-worker-%d main %s\n",
        "<%d> %s\n",
        "GPU %d: %s\n",
        "cuda:%d %s\n",
        "device cuda:%d: %s\n",
        "T0 R%d: %s\n",
    };
    for (size_t i = 0; i < LENGTH(formats); i++) {
        char text[1024];
        int size = 0;
        static const struct {
            int rank;
            const char *row;
        } rows[] = {{2, "7 8 9"}, {0, "9 2 3"}, {1, "4 5 6"}};
        for (size_t k = 0; k < LENGTH(rows); k++)
            size += snprintf(text + size, sizeof text - (size_t)size, formats[i], rows[k].rank,
                             rows[k].row);
        assert_reads(text, THREE);
    }
    assert_reads("[1,1]<stdout>: 3 4\n[1,0]<stdout>: 1 2\n",
                 MATRIX("2", "cycles", "[[1,2],[3,4]]"));
    assert_reads("[1,1]<stdout>: 4, 5, 6\n[1,0]<stdout>: 9, 2, 3\n[1,2]<stdout>: 7, 8, 9\n", THREE);
    assert_reads("[1,1]<stdout>: 4 - 6\n[1,0]<stdout>: - 2 3\n[1,2]<stdout>: 7 8 -\n", OWN);
}

/* A table behind the bar of docker compose; a row whose own cell is empty begins alike. */
static void a_table_stands_behind_the_bar_of_a_container(void **state)
{
    (void)state;
    assert_reads("web-1  | | 9 | 2 | 3 |\nweb-1  | | 4 | 5 | 6 |\nweb-1  | | 7 | 8 | 9 |\n", THREE);
    assert_reads("job_web_1    | |   | 0 | 1 | 2 |\njob_web_1    | |---|---|---|---|\n"
                 "job_web_1    | | 0 | 9 | 2 | 3 |\njob_web_1    | | 1 | 4 | 5 | 6 |\n"
                 "job_web_1    | | 2 | 7 | 8 | 9 |\n",
                 THREE);
    assert_reads("web-1  | | 9 | 2 | 3 |\r\nweb-1  | | 4 | 5 | 6 |\r\nweb-1  | | 7 | 8 | 9 |",
                 THREE);
    static const char *const own[] = {
        "h-1  | | 2 | 3 |\nh-2  | 4 | | 6 |\nh-3  | 7 | 8 | |\n",
        "a  | | 2 | 3 |\nb  | 4 | | 6 |\nc  | 7 | 8 | |\n",
        "h-1 | | 2 | 3 |\nh-2 | 4 | | 6 |\nh-3 | 7 | 8 | |\n",
        "0  | | 2 | 3 |\n1  | 4 | | 6 |\n2  | 7 | 8 | |\n",
        "h-1  |   | 2 | 3 |\nh-2  | 4 |   | 6 |\nh-3  | 7 | 8 |   |\n",
    };
    for (size_t i = 0; i < LENGTH(own); i++) assert_reads(own[i], OWN);
}

#define WINDOW(phase, number, wait)                                       \
    "{\"v\":1,\"phase\":\"" phase "\",\"window\":" number ",\"ranks\":3," \
    "\"unit\":\"cycles\",\"wait\":" wait "}\n"
#define OTHERS "[[0,12,13],[11,0,13],[11,12,0]]"

/* Write a text whose lines have the same in front, as `%s`. */
static void put_front(char *text, size_t size, const char *lines, const char *front)
{
    size_t length = 0;
    for (const char *end; *lines; lines = end + 1) {
        end = strchr(lines, '\n');
        assert_true(length < size);
        length += (size_t)snprintf(text + length, size - length, "%s%.*s\n", front,
                                   (int)(end - lines), lines);
    }
}

static const char *const same_fronts[] = {
    "[0] ", "INFO:root:", "worker-3 | ", "[1,3]<stdout>:", "[1,3]<stdout>: ",
    ">> ",  "4: ",        "4:",          "train.log:7:",   "(Worker pid=41) ",
};

/* What names the next operator, and an empty line, ends a matrix behind what stands in front. */
static void two_operators_stand_behind_the_same(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "dispatch\n9 2 3\n4 5 6\n7 8 9\ncombine\n0 12 13\n11 0 13\n11 12 0\n",
        "dispatch waits\n9 2 3\n4 5 6\n7 8 9\n\ncombine waits\n0 12 13\n11 0 13\n11 12 0\n"
        "all is well\n",
        "the combine comes\ndispatch:\n9 2 3\n4 5 6\n7 8 9\nthen combine:\n0 12 13\n11 0 13\n"
        "11 12 0\ndispatch begins\n",
    };
    char text[1024];
    for (size_t i = 0; i < LENGTH(same_fronts); i++) {
        for (size_t k = 0; k < LENGTH(lines); k++) {
            put_front(text, sizeof text, lines[k], same_fronts[i]);
            assert_reads(text, WINDOW("dispatch", "0", NINE) WINDOW("combine", "0", OTHERS));
        }
        put_front(text, sizeof text, "9 2 3\n4 5 6\n7 8 9\n\n0 12 13\n11 0 13\n11 12 0\n\n",
                  same_fronts[i]);
        assert_reads(text, WINDOW("dispatch", "0", NINE) WINDOW("dispatch", "1", OTHERS));
        put_front(text, sizeof text, "9 2 3\n4 5 6\n7 8 9\ncombine starts\n", same_fronts[i]);
        assert_reads(text, THREE);
    }
    /* A rank writes the next operator before others have written all of this one. */
    assert_reads("[0] dispatch\n[0] 9 2 3\n[0] combine\n[2] 7 8 9\n[1] 4 5 6\n[0] 0 12 13\n"
                 "[1] 11 0 13\n[2] 11 12 0\n",
                 WINDOW("dispatch", "0", NINE) WINDOW("combine", "0", OTHERS));
    /* An empty line between the rows is no end. */
    assert_reads("[0] 9 2 3\n[0] \n[1] 4 5 6\n[1] \n[2] 7 8 9\n[2] \n", THREE);
}

static void assert_passes(const char *text, const char *expected);

/* A row is not there: what follows is not counted on into the next matrix of the operator. */
static void headings_end_what_is_torn(void **state)
{
    (void)state;
    static const char *const fronts[] = {
        "", "INFO:root:", "2026-11-26 10:11:12,123 ", "[1764126000.123] ", "[10:11:12] ", "0: ",
    };
    static const char *const texts[] = {
        "dispatch:\n[1 2 3]\n[4 5 6]\ncombine:\n[0 12 13]\n[11 0 13]\n[11 12 0]\n"
        "dispatch:\n[9 2 3]\n[4 5 6]\n[7 8 9]\n",
        "dispatch\nrank=1 [4 5 6]\nrank=2 [7 8 9]\ncombine\nrank=0 [0 12 13]\n"
        "rank=1 [11 0 13]\nrank=2 [11 12 0]\ndispatch\nrank=0 [9 2 3]\nrank=1 [4 5 6]\n"
        "rank=2 [7 8 9]\n",
    };
    for (size_t i = 0; i < LENGTH(fronts) * LENGTH(texts); i++) {
        char text[1024];
        put_front(text, sizeof text, texts[i / LENGTH(fronts)], fronts[i % LENGTH(fronts)]);
        assert_passes(text, WINDOW("combine", "0", OTHERS) WINDOW("dispatch", "0", NINE));
    }
    /* Each row has its own heading. */
    assert_reads("dispatch:\n[9 2 3]\ncombine:\n[0 12 13]\ndispatch:\n[4 5 6]\ncombine:\n"
                 "[11 0 13]\ndispatch:\n[7 8 9]\ncombine:\n[11 12 0]\n",
                 WINDOW("dispatch", "0", NINE) WINDOW("combine", "0", OTHERS));
    assert_reads("[9 2 3]\n[4 5 6]\ndispatch took 12 ms\n[7 8 9]\n", THREE);
    /* The number of a line is none of a row. */
    assert_reads("     1\tdispatch:\n     2\t[9 2 3]\n     3\t[4 5 6]\n     4\t[7 8 9]\n"
                 "     5\tcombine:\n     6\t[0 12 13]\n     7\t[11 0 13]\n     8\t[11 12 0]\n",
                 WINDOW("dispatch", "0", NINE) WINDOW("combine", "0", OTHERS));
}

/* As assert_reads(), whatever is told of the rest of it. */
static void assert_passes(const char *text, const char *expected)
{
    dxt_text out = {0};
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_reader_on_remark(reader, pass, NULL);
    assert_int_equal(read_all(reader, &out), DXT_END);
    assert_string_equal(out.data, expected);
    dxt_reader_close(reader);
    free(out.data);
}

/* A line with brackets that is no row of it. */
static void brackets_end_a_matrix(void **state)
{
    (void)state;
    static const char *const behind[] = {"[3]\n", "ranks: [0, 1, 2]\n", "done [ok] [1]\n"};
    for (size_t i = 0; i < LENGTH(behind); i++) {
        char text[256];
        snprintf(text, sizeof text, "9 2 3\n4 5 6\n7 8 9\n%s", behind[i]);
        assert_passes(text, THREE);
        snprintf(text, sizeof text, "[1] 4 5 6\n[2] 7 8 9\n[0] 9 2 3\n%s", behind[i]);
        assert_passes(text, THREE);
    }
}

static void ranks_stand_in_front_of_bars(void **state)
{
    (void)state;
    assert_reads("rank 2: | 7 | 8 | 9 |\nrank 0: | 9 | 2 | 3 |\nrank 1: | 4 | 5 | 6 |\n", THREE);
    assert_reads("[rank 2] | 7 | 8 | 9 |\n[rank 0] | 9 | 2 | 3 |\n[rank 1] | 4 | 5 | 6 |\n", THREE);
    assert_reads("INFO x.py:8 r1 - | 4 | 5 | 6 |\nINFO x.py:8 r0 - | 9 | 2 | 3 |\n"
                 "INFO x.py:8 r2 - | 7 | 8 | 9 |\n",
                 THREE);
}

static void rows_behind_a_loggers_text_are_read(void **state)
{
    (void)state;
    static const char *const fronts[] = {
        "2025-09-15 16:28:53,686 - INFO - ",
        "INFO:root:",
        "I1126 10:11:12.123456  4123 moe.cc:88] ",
        "INFO 11-26 10:11:12 [diag.py:12] ",
        "2026-11-26 10:11:12.123 ",
        "[10:11:12] ",
        "Nov 26 10:11:12 host1 python[4123]: ",
        "2026-11-26 10:11:12.123 | INFO     | __main__:f:12 - ",
        "2026-11-26 10:11:12,123 ",
        "2026-11-26 10:11:12,123 - ",
        "[2026-11-26 10:11:12,123] ",
        "[2026-11-26 10:11:12 DP0 TP0 EP0] ",
        "2026/11/26 10:11:12 ",
        "10:11:12 ",
        "10:11:12.123 ",
        "10:11:12,123 ",
        "1764126000.123 ",
        "diag.log.10:10:",
        "run.log:10:",
        ">> ",
        "+ ",
        "* ",
    };
    static const char *const separators[] = {" ", ",", ", ", "\t"};
    for (size_t i = 0; i < LENGTH(fronts) * LENGTH(separators); i++) {
        const char *front = fronts[i % LENGTH(fronts)], *to = separators[i / LENGTH(fronts)];
        char text[1024];
        snprintf(text, sizeof text, "%s9%s2%s3\n%s4%s5%s6\n%s7%s8%s9\n", front, to, to, front, to,
                 to, front, to, to);
        assert_reads(text, THREE);
    }
    assert_reads("2026-11-26 10:11:12,123 | a | b | c |\n2026-11-26 10:11:12,123 |---|---|---|\n"
                 "2026-11-26 10:11:12,123 | 9 | 2 | 3 |\n2026-11-26 10:11:12,123 | 4 | 5 | 6 |\n"
                 "2026-11-26 10:11:12,123 | 7 | 8 | 9 |\n",
                 THREE);
    assert_reads("2026-11-26 10:11:12.123 | INFO | a:f:1 - | 9 | 2 | 3 |\n"
                 "2026-11-26 10:11:12.123 | INFO | a:f:2 - | 4 | 5 | 6 |\n"
                 "2026-11-26 10:11:12.123 | INFO | a:f:3 - | 7 | 8 | 9 |\n",
                 THREE);
    assert_reads("1:| 9 | 2 | 3 |\n2:| 4 | 5 | 6 |\n3:| 7 | 8 | 9 |\n", THREE);
    assert_reads("     1\t| 9 | 2 | 3 |\n     2\t| 4 | 5 | 6 |\n     3\t| 7 | 8 | 9 |\n", THREE);
    assert_reads("INFO:root:| 9 | 2 | 3 |\nINFO:root:| 4 | 5 | 6 |\nINFO:root:| 7 | 8 | 9 |\n",
                 THREE);
    assert_reads("job\tstep\t2026-11-26T10:11:12.1234567Z 9 2 3\n"
                 "job\tstep\t2026-11-26T10:11:12.1234567Z 4 5 6\n"
                 "job\tstep\t2026-11-26T10:11:13.1234567Z 7 8 9\n",
                 THREE);
}

static void numbers_of_lines_are_passed_over(void **state)
{
    (void)state;
    for (int first = 8; first < 100; first++) {
        char text[256];
        snprintf(text, sizeof text, "%d:dispatch\n%d:30 2 3\n%d:4 5 6\n%d:7 8 9\n", first - 1,
                 first, first + 1, first + 2);
        assert_reads(text, MATRIX("3", "cycles", "[[30,2,3],[4,5,6],[7,8,9]]"));
    }
    assert_reads("     9\t9\t2\t3\n    10\t4\t5\t6\n    11\t7\t8\t9\n", THREE);
    assert_reads("    84\t7\t4\n     9\t72\t51\n    19\t14\t34\n",
                 MATRIX("3", "cycles", "[[84,7,4],[9,72,51],[19,14,34]]"));
    assert_reads("     9\t12,345\n    10\t678,90\n", MATRIX("2", "cycles", "[[12,345],[678,90]]"));
    assert_reads("2026-11-26T10:11:12.123456789Z 9,2,3\n2026-11-26T10:11:12.123456789Z 4,5,6\n"
                 "2026-11-26T10:11:12.123456789Z 7,8,9\n",
                 THREE);
    assert_reads("INFO x.py:8 - | a | b | c |\nINFO x.py:8 - |---|---|---|\n"
                 "INFO x.py:8 - | 9 | 2 | 3 |\nINFO x.py:8 - | 4 | 5 | 6 |\n"
                 "INFO x.py:8 - | 7 | 8 | 9 |\n",
                 THREE);
    assert_reads("rank2 | 7 | 8 | 9 |\nrank0 | 9 | 2 | 3 |\nrank1 | 4 | 5 | 6 |\n", THREE);
    assert_reads("> 9;2;3\n> 4;5;6\n> 7;8;9\n", THREE);
    assert_reads("     1\t9 2 3\n     2\t4 5 6\n     3\t7 8 9\n", THREE);
}

static void units_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1us 2us 3us\n4us 5us 6us\n7us 8us 9us\n",
        "1 us  2 us  3 us\n4 us 5 us 6 us\n7 us 8 us 9 us\n",
        "0.001 ms,2us,3us\n4us,5000ns,6us\n7us,8us,9us\n",
        "1\xc2\xb5s;2\xce\xbcs;3us\n4us;5us;6us\n7us;8us;9us\n",
        "rank,r0,r1,r2\n0,1us,2us,3us\n1,4us,5us,6us\n2,7us,8us,9us\n",
        "| r0 | 1 us | 2 us  |3 us |\n| r1 | 4 us | 5 us | 6 us |\n| r2 | 7 us | 8 us | 9 us |\n",
        " rank |  r0  |  r1  |  r2\n------+------+------+------\n    0 | 1 us | 2 us | 3 us\n"
        "    1 | 4 us | 5 us | 6 us\n    2 | 7 us | 8 us | 9 us\n",
        "r0 ; 1 us ; 2 us ; 3 us\nr1 ; 4 us ; 5 us ; 6 us\nr2 ; 7 us ; 8 us ; 9 us \n",
        "1 us , 2 us , 3 us\n4 us , 5 us , 6 us\n7 us , 8 us , 9 us\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_reads(texts[i],
                     MATRIX("3", "ns", "[[1000,2000,3000],[4000,5000,6000],[7000,8000,9000]]"));
    assert_reads("[1,1]<stdout>: 4us 5 us 6us\n[1,0]<stdout>: 1us 2us 3us\n"
                 "[1,2]<stdout>: 7us 8us 9 us\n",
                 MATRIX("3", "ns", "[[1000,2000,3000],[4000,5000,6000],[7000,8000,9000]]"));
    assert_reads("1.5k 2M\n300 0\n", MATRIX("2", "cycles", "[[1500,2000000],[300,0]]"));
    assert_reads("0 2us\n3us 0\n", MATRIX("2", "ns", "[[0,2000],[3000,0]]"));
    static const bad_case bad[] = {
        {"1us 2us\n3 4us\n", DXT_ERR_FORMAT,
         "t:1: some values have a unit of time, others have none"},
        {"1% 2%\n3% 4%\n", DXT_ERR_FORMAT,
         "t:2: no window: row 0, column 0: a share (%) is neither a counter nor a time"},
    };
    for (size_t i = 0; i < LENGTH(bad); i++) assert_refused(&bad[i], strlen(bad[i].text));
}

static void points_and_commas_part_thousands(void **state)
{
    (void)state;
    assert_reads("12;1.607\n445;9\n", MATRIX("2", "cycles", "[[12,1607],[445,9]]"));
    assert_reads("12\t1.607\n445\t9\n", MATRIX("2", "cycles", "[[12,1607],[445,9]]"));
    assert_reads("12 300 4\n1 445 9,316\n7 8 9\n",
                 MATRIX("3", "cycles", "[[12,300,4],[1,445,9316],[7,8,9]]"));
    assert_reads("Rang;R0;R1;R2\n0;0;1.203,5;1.107\n1;12;0;1.211\n2;1.108;1.211;0\n",
                 MATRIX("3", "cycles", "[[0,1204,1107],[12,0,1211],[1108,1211,0]]"));
    /* Decimals, in thousandths. */
    assert_reads("12;1.607\n445;0.5\n", MATRIX("2", "cycles", "[[12000,1607],[445000,500]]"));
}

/* Between tabs an empty cell is one, if it is one alone and not a wide column. */
static void cells_are_left_out_between_tabs(void **state)
{
    (void)state;
    assert_reads("\t2\t3\n4\t\t6\n7\t8\t\n", OWN);
    assert_reads("r0\tr1\tr2\n\t2\t3\n4\t\t6\n7\t8\t\n", OWN);
    assert_reads("0\t\t2\t3\n1\t4\t\t6\n2\t7\t8\t\n", OWN);
    assert_reads("9\t\t2\t3\n4\t\t5\t6\n7\t\t8\t9\n", THREE);
    assert_reads("rank0\t\t9\t2\t3\nrank1\t\t4\t5\t6\nrank2\t\t7\t8\t9\n", THREE);
    assert_reads("9\t\t2\t\t3\n4\t\t5\t\t6\n7\t\t8\t\t9\n", THREE);
    /* Columns that somebody has lined up: two tabs behind what is short. */
    assert_reads("0\t\t12345678\t12345678\n12345678\t0\t\t12345678\n12345678\t12345678\t0\n",
                 MATRIX("3", "cycles",
                        "[[0,12345678,12345678],[12345678,0,12345678],"
                        "[12345678,12345678,0]]"));
    assert_reads("0\t0\t\t12345678\n1\t12345678\t0\n",
                 MATRIX("2", "cycles", "[[0,12345678],[12345678,0]]"));
    static const bad_case bad[] = {
        {"1\t2\t3\n4\t5\t\n7\t8\t9\n", DXT_ERR_FORMAT, "t:2: row 1, column 2: a value is missing"},
        {"1,2,\n4,5,6\n7,8,9\n", DXT_ERR_FORMAT, "t:1: row 0, column 2: a value is missing"},
        {"a,b,c\n1,2,\n4,5,6\n7,8,9\n", DXT_ERR_FORMAT, "t:2: row 0, column 2: a value is missing"},
        {"1,2,3\n,5,6\n7,8,9\n", DXT_ERR_FORMAT, "t:2: row 1, column 0: a value is missing"},
    };
    for (size_t i = 0; i < LENGTH(bad); i++) assert_refused(&bad[i], strlen(bad[i].text));
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[1,1]<stdout>: 4 5 6\n[1,0]<stdout>: 9 2 3\n[1,2]<stdout>: 7 8 9\n",
        "1us 2 us\n3us 4us\n",
        "\t2\t3\n4\t\t6\n7\t8\t\n",
        "9 2 3\r4 5 6\r7 8 9\r",
        "{\"data\":[{\"message\":\"rank=1 [3 4]\"},{\"message\":\"rank=0 [1 2]\"},"
        "{\"message\":\"EPSize: 2, Dispatch" TITLE "\"}]}\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) read_without_memory(texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_behind_a_rank_stand_where_it_says),
        cmocka_unit_test(a_table_stands_behind_the_bar_of_a_container),
        cmocka_unit_test(two_operators_stand_behind_the_same),
        cmocka_unit_test(headings_end_what_is_torn),
        cmocka_unit_test(brackets_end_a_matrix),
        cmocka_unit_test(ranks_stand_in_front_of_bars),
        cmocka_unit_test(rows_behind_a_loggers_text_are_read),
        cmocka_unit_test(numbers_of_lines_are_passed_over),
        cmocka_unit_test(units_are_read),
        cmocka_unit_test(points_and_commas_part_thousands),
        cmocka_unit_test(cells_are_left_out_between_tabs),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
