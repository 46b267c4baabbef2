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
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], ONE);
    /* Counters of a log are cycles, whatever stands above its header. */
    assert_reads("wait (us)\n" HEAD("2", "Dispatch") "\nrank=0 [1 2]\nrank=1 [3 4]\n",
                 "{\"v\":1,\"instance\":\"7f-1\",\"begin\":\"2025-09-15T16:28:53.686\",\"phase\":"
                 "\"dispatch\",\"window\":0,\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[1,2],[3,4]]}"
                 "\n");
}

static char said[256];

static int keep(void *context, dxt_remark kind, const char *message)
{
    (void)context;
    assert_int_equal(kind, DXT_REMARK_NOTE);
    assert_true(said[0] == '\0'); /* once */
    snprintf(said, sizeof said, "%s", message);
    return 1;
}

static void the_unit_is_told_once(void **state)
{
    (void)state;
    const char *text = "# wait (ms)\n1 2\n3 4\n\n5 6\n7 8\n";
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_text out = {0};
    dxt_reader_on_remark(reader, keep, NULL);
    assert_int_equal(read_all(reader, &out), DXT_END);
    assert_string_equal(said, "t:2: the values are in ms, as line 1 says");
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
        {"src=0 dst=1 wait=5\nsrc=1 dst=0 wait=6\n", DXT_ERR_FORMAT,
         "t:2: no window: line 1 is a wait of two ranks by their names; write the lines as "
         "numbers, "
         "\"waiting rank,awaited rank,wait\", in order (0,0,5 then 0,1,7)"},
        {"# TYPE x counter\nx_wait{src=\"0\",dst=\"1\"} 5\n", DXT_ERR_FORMAT,
         "t:2: no window: line 2 is a wait of two ranks by their names; write the lines as "
         "numbers, "
         "\"waiting rank,awaited rank,wait\", in order (0,0,5 then 0,1,7)"},
    };
    REFUSE(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heading_says_the_unit),  cmocka_unit_test(a_name_says_the_unit),
        cmocka_unit_test(other_words_say_none),     cmocka_unit_test(the_unit_is_told_once),
        cmocka_unit_test(a_heading_says_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
