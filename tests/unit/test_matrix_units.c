/* SPDX-License-Identifier: Apache-2.0 */
/* Units of time that stand only in a heading, or in a name. */
#include "test_matrix_reading.h"

#define TIMED(phase, window, wait)                        \
    "{\"v\":1,\"phase\":\"" phase "\",\"window\":" window \
    ",\"ranks\":2,\"unit\":\"ns\",\"wait\":" wait "}\n"
#define IN_US TIMED("dispatch", "0", "[[1000,2000],[3000,4000]]")

static void a_heading_says_the_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"dispatch wait (us)\n1 2\n3 4\n", IN_US},
        {"dispatch wait [\xc2\xb5s]:\n1 2\n3 4\n", IN_US},
        {"wait in microseconds\n1 2\n3 4\n", IN_US},
        {"wait unit: us\n1 2\n3 4\n", IN_US},
        {"dispatch wait (us): rank 0 comes first\n1 2\n3 4\n", IN_US},
        {"dispatch wait in us:\n1 2\n3 4\n", IN_US},
        {"# waits in us\n# dispatch\n1 2\n3 4\n\n# combine\n5 6\n7 8\n",
         IN_US TIMED("combine", "0", "[[5000,6000],[7000,8000]]")},
        {"wait_us,0,1\n0,1,2\n1,3,4\n", IN_US},
        {"src,dst,wait_us\n0,0,1\n0,1,2\n1,0,3\n1,1,4\n", IN_US},
        {"| wait (us) | 0 | 1 |\n|---|---|---|\n| 0 | 1 | 2 |\n| 1 | 3 | 4 |\n", IN_US},
        {"dispatch (us)\nrank=0 [1 2]\nrank=1 [3 4]\n", IN_US},
        {"dispatch_us = tensor([[1, 2], [3, 4]])\n", IN_US},
        {"dispatch (ms)\n0.001 0.002\n0.003 0.004\n", IN_US},
        {"dispatch (us)\n1 2\n3 4\n\ncombine (cycles)\n5 6\n7 8\n",
         IN_US PLAIN("combine", "0", "[[5,6],[7,8]]")},
        {"wait (us)\nINFO dispatch wait 1200 cycles\n1 2\n3 4\n", IN_US},
        {"dispatch wait (us)\n1 2\n3 4\n\ncombine wait cycles per token\n5 6\n7 8\n",
         IN_US PLAIN("combine", "0", "[[5,6],[7,8]]")},
        /* What stands behind the numbers is nearer to them. */
        {"dispatch wait (ms)\n1us 2us\n3us 4us\n", IN_US},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
}

static void a_name_says_the_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"unit\": \"us\", \"dispatch\": [[1, 2], [3, 4]]}\n", IN_US},
        {"{\"dispatch\": [[1, 2], [3, 4]], \"unit\": \"us\"}\n", IN_US},
        {"{\"dispatch_us\": [[1, 2], [3, 4]], \"combine\": [[5, 6], [7, 8]]}\n",
         IN_US PLAIN("combine", "0", "[[5,6],[7,8]]")},
        {"{'unit': 'us', 'dispatch': {'matrix': [[1, 2], [3, 4]]}}\n", IN_US},
        {"{\"rank\": 0, \"wait_us\": [1, 2]}\n{\"rank\": 1, \"wait_us\": [3, 4]}\n", IN_US},
        {"[{\"row\":0,\"col\":0,\"wait_us\":1},{\"row\":0,\"col\":1,\"wait_us\":2},{\"row\":1,"
         "\"col\":0,\"wait_us\":3},{\"row\":1,\"col\":1,\"wait_us\":4}]\n",
         IN_US},
        {"{\"unit\": \"GB\", \"dispatch\": [[1, 2], [3, 4]]}\n", ONE},
        {"{\"dispatch_us\": [[1, 2], [3, 4]]}\n{\"dispatch\": [[1, 2], [3, 4]]}\n",
         IN_US PLAIN("dispatch", "1", "[[1,2],[3,4]]")},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
}

static void other_words_say_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "INFO dispatch latency (us): 12.5\n1 2\n3 4\n",
        "INFO dispatch took 12.5 ms\n1 2\n3 4\n",
        "wait of row(s)\n1 2\n3 4\n",
        "gauges (us)\n1 2\n3 4\n",
        "dispatch wait (cycles)\n1 2\n3 4\n",
        "waiting for all ranks, timeout in s: none\ndispatch:\n1 2\n3 4\n",
        "waits, interval in s\ndispatch:\n1 2\n3 4\n",
        "rank 3 waits in s: nobody\ndispatch:\n1 2\n3 4\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], ONE);
    /* Counters of a log are cycles, whatever stands above its header. */
    assert_reads("wait (us)\n" HEAD("2", "Dispatch") "\nrank=0 [1 2]\nrank=1 [3 4]\n",
                 "{\"v\":1,\"instance\":\"7f-1\",\"begin\":\"2025-09-15T16:28:53.686\",\"phase\":"
                 "\"dispatch\",\"window\":0,\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[1,2],[3,4]]}"
                 "\n");
}

static void the_unit_is_told_once(void **state)
{
    (void)state;
    const char *text = "# wait (ms)\n1 2\n3 4\n\n5 6\n7 8\n";
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_text out = {0};
    told_so_far[0] = '\0';
    dxt_reader_on_remark(reader, keep_told, NULL);
    assert_int_equal(read_all(reader, &out), DXT_END);
    assert_string_equal(told_so_far, "t:2: the values are in ms, as line 1 says");
    free(out.data);
    dxt_reader_close(reader);
    static const bad_case bad[] = {
        {"wait (ms)\n1 2\n3 9223372036854775807\n", DXT_ERR_LIMIT,
         "t:2: 9223372036854775807 is above 2^63 - 1 ns"},
    };
    REFUSE(bad);
    read_without_memory("{\"dispatch_us\": [[1, 2], [3, 4]]}\nwait (ms)\n1 2\n3 4\n");
}

static void a_heading_says_who_waits(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "waiting,awaited,wait\n0,0,1\n0,1,2\n1,0,3\n1,1,4\n",
        "awaited,waiting,wait\n0,0,1\n0,1,3\n1,0,2\n1,1,4\n",
        "dst_rank src_rank wait\n0 0 1\n0 1 3\n1 0 2\n1 1 4\n",
        /* down the columns */
        "waiting,awaited,wait\n0,0,1\n1,0,3\n0,1,2\n1,1,4\n",
        "awaited,waiting,wait\n0,0,1\n1,0,2\n0,1,3\n1,1,4\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], ONE);
    assert_reads(
        "src;dst;wait\n1;0;4\n2;0;7\n0;1;2\n2;1;8\n0;2;3\n1;2;6\n",
        "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":3,\"unit\":\"cycles\",\"wait\":"
        "[[null,2,3],[4,null,6],[7,8,null]]}\n");
    static const bad_case bad[] = {
        {"from=0 to=1 wait=5\nfrom=1 to=0 wait=6\n", DXT_ERR_FORMAT,
         "t:2: no window: line 1 is a wait of two ranks by their names; write the lines as "
         "numbers, "
         "\"waiting rank,awaited rank,wait\", in order (0,0,5 then 0,1,7)"},
        {"# TYPE x counter\nx_wait{from=\"0\",to=\"1\"} 5\n", DXT_ERR_FORMAT,
         "t:2: no window: line 2 is a wait of two ranks by their names; write the lines as "
         "numbers, "
         "\"waiting rank,awaited rank,wait\", in order (0,0,5 then 0,1,7)"},
    };
    REFUSE(bad);
}

static void a_unit_holds_for_its_table(void **state)
{
    (void)state;
#define MS "[[1000000,2000000],[3000000,4000000]]"
#define IN(phase, number, unit, wait)                                                     \
    "{\"v\":1,\"phase\":\"" phase "\",\"window\":" number ",\"ranks\":2,\"unit\":\"" unit \
    "\",\"wait\":" wait "}\n"
    assert_reads("dispatch wait (ms)\n1 2\n3 4\n\ncombine wait\n1 2\n3 4\n",
                 IN("dispatch", "0", "ns", MS) IN("combine", "0", "cycles", "[[1,2],[3,4]]"));
    /* What is said of all holds on, and so does a unit without a heading in between. */
    assert_reads("wait (ms)\ndispatch\n1 2\n3 4\n\ncombine\n1 2\n3 4\n",
                 IN("dispatch", "0", "ns", MS) IN("combine", "0", "ns", MS));
    assert_reads("dispatch wait (ms)\n1 2\n3 4\n\n1 2\n3 4\n",
                 IN("dispatch", "0", "ns", MS) IN("dispatch", "1", "ns", MS));
}

static void a_factor_is_applied(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "tensor([[0.001, 0.002], [0.003, 0.004]]) * 1e3\n",
        "tensor([[0.001, 0.002],\n        [0.003, 0.004]]) * 1000\n",
        "1e-3 * array([[1000, 2000], [3000, 4000]])\n",
        "x = 1e-3 * tensor([[1000, 2000],\n        [3000, 4000]])\n",
        "[[10, 20], [30, 40]] / 10\n",
        "[[10 20]\n [30 40]] * 0.1\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], ONE);
    /* It is that of one matrix. */
    assert_reads("0.1 * [[10, 20], [30, 40]]\n[[5 6]\n [7 8]]\n",
                 ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
    assert_reads("[[10 20]\n [30 40]] * 0.1\n5 6\n7 8\n",
                 ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
    assert_reads("0.1 * array([[[10, 20], [30, 40]],\n [[50, 60], [70, 80]]])\n",
                 ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
    read_without_memory("1e-3 * array([[1000, 2000], [3000, 4000]])\n[[1, 2], [3, 4]] * 10\n");
}

static void what_may_be_otherwise_is_told(void **state)
{
    (void)state;
#define TURNED                                                                                  \
    "line 1 may say that the axes are turned, but the matrix is read as it stands: rows wait, " \
    "columns are waited for"
    assert_told("transposed\n1 2\n3 4\n", ONE, "t:2: " TURNED);
    assert_told("wait.T: tensor([[1, 2], [3, 4]])\n", ONE, "t:1: " TURNED);
    assert_told("rows: awaited, columns: waiting\n1 2\n3 4\n", ONE, "t:2: " TURNED);
    assert_told("cols=waiter\n1 2\n3 4\n", ONE, "t:2: " TURNED);
    static const char *const plain[] = {"rows: waiting, columns: awaited\n1 2\n3 4\n",
                                        "begun at 12.T\n1 2\n3 4\n", "columns: 2\n1 2\n3 4\n"};
    for (size_t i = 0; i < LENGTH(plain); i++) assert_told(plain[i], ONE, "");
#define OUTER                                                                                    \
    "t:1: the outer keys are taken for the ranks that wait; of pandas' to_dict() and to_json() " \
    "they are the columns: print df.T there"
    assert_told("{0: {0: 1, 1: 2}, 1: {0: 3, 1: 4}}\n", ONE, OUTER);
    assert_told("{\"dispatch\": {\"0\": {\"0\": 1, \"1\": 2}, \"1\": {\"0\": 3, \"1\": 4}}}\n", ONE,
                OUTER);
    assert_told("{\"rank0 -> \": {\"0\": 1, \"1\": 2}, \"rank1 -> \": {\"0\": 3, \"1\": 4}}\n", ONE,
                OUTER);
    assert_told("{\"0\": [1, 2], \"1\": [3, 4]}\n", ONE, OUTER);
    assert_told("[{\"0\": 1, \"1\": 2}, {\"0\": 3, \"1\": 4}]\n", ONE, "");
    assert_told("[1] 1 2\n[1] 3 4\n", ONE,
                "t:1: each row begins with rank 1: read as one matrix that rank 1 printed, whose "
                "rows are ranks 0, 1, ...");
    assert_told("[rank3]: [[1 2]\n[rank3]:  [3 4]]\n", ONE, "");
#define TORN                                                                                 \
    "t:1: both rows of 2 values are of rank 3: they may be parts of one row; if they are a " \
    "matrix, write \"dispatch:\" on a line above them"
    static const bad_case bad[] = {
        {"[3] 5031 812\n[3] 14 655\n", DXT_ERR_FORMAT, TORN},
        {"rank3: 5031 812\nrank3: 14 655\n", DXT_ERR_FORMAT, TORN},
        {"[1,3]<stdout>: 5031 812\n[1,3]<stdout>: 14 655\n", DXT_ERR_FORMAT, TORN},
    };
    REFUSE(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heading_says_the_unit),  cmocka_unit_test(a_name_says_the_unit),
        cmocka_unit_test(other_words_say_none),     cmocka_unit_test(the_unit_is_told_once),
        cmocka_unit_test(a_heading_says_who_waits), cmocka_unit_test(a_unit_holds_for_its_table),
        cmocka_unit_test(a_factor_is_applied),      cmocka_unit_test(what_may_be_otherwise_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
