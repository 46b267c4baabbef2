/* SPDX-License-Identifier: Apache-2.0 */
/* What people have that is no plain table: rows in parts, values that carry their ranks, YAML,
 * Markdown, members of JSON that say a unit or a factor, two operators in a line. */
#include "test_matrix_reading.h"

#include "alloc_fail.h"

#define BOTH ONE PLAIN("combine", "0", "[[5,6],[7,8]]")
#define ROWS3(wait)                                                                               \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":3,\"unit\":\"cycles\",\"wait\":" wait \
    "}\n"
#define THREE ROWS3("[[1,2,3],[4,5,6],[7,8,9]]")
#define NO_OWN ROWS3("[[null,2,3],[4,null,6],[7,8,null]]")
#define FOUR                                                                                       \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":4,\"unit\":\"cycles\",\"wait\":[[1,2," \
    "3,4],[5,6,7,8],[9,10,11,12],[13,14,15,16]]}\n"

typedef struct read_case {
    const char *text, *expected;
} read_case;

static void values_carry_their_ranks(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"0 0:1 1:2 2:3\n1 0:4 1:5 2:6\n2 0:7 1:8 2:9\n", THREE},
        {"0:1 1:2 2:3\n0:4 1:5 2:6\n0:7 1:8 2:9\n", THREE},
        {"rank 0: 0:1 1:2\nrank 1: 0:3 1:4\n", ONE},
        {"rank 0: 0: 1, 1: 2\nrank 1: 0: 3, 1: 4\n", ONE},
        {"rank 0 waits: rank0=1 rank1=2\nrank 1 waits: rank0=3 rank1=4\n", ONE},
        {"[rank1] 0=3; 1=4;\n[rank0] 0=1; 1=2;\n", ONE},
        /* A rank leaves itself out. */
        {"0 1:2 2:3\n1 0:4 2:6\n2 0:7 1:8\n", NO_OWN},
        {"rank 0: 1:2 2:3\nrank 1: 0:4 2:6\nrank 2: 0:7 1:8\n", NO_OWN},
        {"1 1:1 2:2 3:3\n2 1:4 2:5 3:6\n3 1:7 2:8 3:9\n", THREE},
        {"[0][0]=1 [0][1]=2\n[1][0]=3 [1][1]=4\n", ONE},
        {"wait[0][0] = 1; wait[0][1] = 2;\nwait[1][0] = 3; wait[1][1] = 4;\n", ONE},
        {"(0,0)=1, (0,1)=2, (1,0)=3, (1,1)=4\n", ONE},
        {"0->0:1 0->1:2\n1->0:3 1->1:4\n", ONE},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
    /* No rank is called so, one is left out that is another's, times of day. */
    static const char *const none[] = {"0 0:1 5:2 7:3\n1 0:4 5:5 7:6\n2 0:7 5:8 7:9\n",
                                       "rank 0: 0:1 2:3\nrank 1: 0:4 2:6\n",
                                       "12:30 13:45 14:10\n12:31 13:46 14:11\n15:00 16:00 17:00\n",
                                       "0 9223372036854775807:1 9223372036854775808:2\n"};
    for (size_t i = 0; i < LENGTH(none); i++)
        assert_int_not_equal(read_once(none[i], strlen(none[i])), DXT_END);
}

static void yaml_is_read(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"0: {0: 1, 1: 2}\n1: {0: 3, 1: 4}\n", ONE},
        {"0: {1: 2, 2: 3}\n1: {0: 4, 2: 6}\n2: {0: 7, 1: 8}\n", NO_OWN},
        {"dispatch:\n  0: {0: 1, 1: 2}\n  1: {0: 3, 1: 4}\ncombine:\n  0: {0: 5, 1: 6}\n"
         "  1: {0: 7, 1: 8}\n",
         BOTH},
        {"dispatch:\n  0:\n    0: 1\n    1: 2\n  1:\n    0: 3\n    1: 4\n", ONE},
        {"dispatch:\n  rank0:\n    rank0: 1\n    rank1: 2\n  rank1:\n    rank0: 3\n    rank1: 4\n"
         "combine:\n  rank0:\n    rank0: 5\n    rank1: 6\n  rank1:\n    rank0: 7\n    rank1: 8\n",
         BOTH},
        {"dispatch:\n  0:\n    1: 2\n    2: 3\n  1:\n    0: 4\n    2: 6\n  2:\n    0: 7\n    1: "
         "8\n",
         NO_OWN},
        {"waits:\n  \"0\":\n  - 1\n  - 2\n  \"1\":\n  - 3\n  - 4\n", ONE},
        {"- {src: 0, dst: 0, wait: 1}\n- {src: 0, dst: 1, wait: 2}\n- {src: 1, dst: 0, wait: 3}\n"
         "- {src: 1, dst: 1, wait: 4}\n",
         ONE},
        {"{dispatch: [[1, 2], [3, 4]],}\n", ONE},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
}

static void markdown_is_read(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"`rank 0 [1, 2]`\n`rank 1 [3, 4]`\n", ONE},
        {"`1 2`\n`3 4`\n", ONE},
        {"- `rank 0`: `1 2`\n- `rank 1`: `3 4`\n", ONE},
        {"| src\\dst | 0 | 1 |\n|--|--|--|\n| 0 | `1` | `2` |\n| 1 | `3` | `4` |\n", ONE},
        {"> | | r0 | r1 |\n> |---|---|---|\n> | r0 | 1 | 2 |\n> | r1 | 3 | 4 |\n", ONE},
        {"```\n1 2\n3 4\n```\n", ONE},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
}

static void rows_without_brackets_come_in_parts(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"rank 0: 1 2\n        3 4\nrank 1: 5 6\n        7 8\nrank 2: 9 10\n        11 12\n"
         "rank 3: 13 14\n        15 16\n",
         FOUR},
        {"rank 0: 1 2\n        3\n        4\nrank 1: 5 6\n        7\n        8\nrank 2: 9 10\n"
         "        11\n        12\nrank 3: 13 14\n        15\n        16\n",
         FOUR},
        {"rank0: 1 2 3\nrank0: 4 5\nrank1: 6 7 8\nrank1: 9 10\nrank2: 11 12 13\nrank2: 14 15\n"
         "rank3: 16 17 18\nrank3: 19 20\nrank4: 21 22 23\nrank4: 24 25\n",
         "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":5,\"unit\":\"cycles\",\"wait\":[["
         "1,2,3,"
         "4,5],[6,7,8,9,10],[11,12,13,14,15],[16,17,18,19,20],[21,22,23,24,25]]}\n"},
        /* A matrix that one rank has printed. */
        {"rank0: 1 2 3\nrank0: 4 5 6\nrank0: 7 8 9\n", THREE},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
    assert_told("rank0: 1 2\nrank0: 3 4\nrank0: 5 6\nrank0: 7 8\nrank1: 1 2\nrank1: 3 4\n"
                "rank1: 5 6\nrank1: 7 8\n",
                "",
                "t:1: 4 rows of 2 values are of rank 0: they may be parts of one row; if they are "
                "matrices, write \"dispatch:\" on a line above them\n"
                "t:5: 4 rows of 2 values are of rank 1: they may be parts of one row; if they are "
                "matrices, write \"dispatch:\" on a line above them");
}

static void operators_share_a_line(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"Stats(rank=0, dispatch=[1, 2], combine=[5, 6])\n"
         "Stats(rank=1, dispatch=[3, 4], combine=[7, 8])\n",
         BOTH},
        {"[rank0] dispatch=tensor([1, 2], device='cuda:0') combine=tensor([5, 6], "
         "device='cuda:0')\n[rank1] dispatch=tensor([3, 4], device='cuda:1') "
         "combine=tensor([7, 8], device='cuda:1')\n",
         BOTH},
        {"rank 0 samples=[9, 9] dispatch: [1, 2] combine: [5, 6]\n"
         "rank 1 samples=[9, 9] dispatch: [3, 4] combine: [7, 8]\n",
         BOTH},
        {"rank0 | dispatch: 1 2 | combine: 5 6\nrank1 | dispatch: 3 4 | combine: 7 8\n", BOTH},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
    assert_told("rank 0 [1, 2] [5, 6]\nrank 1 [3, 4] [7, 8]\n", ONE,
                "t:1: several lists of 2 numbers stand in a line: of each the first is read");
    assert_told("rank 0 (1, 2) (5, 6)\nrank 1 (3, 4) (7, 8)\n", ONE,
                "t:1: several lists of 2 numbers stand in a line: of each the first is read");
}

static void members_say_units_and_factors(void **state)
{
    (void)state;
#define IN_US                                                                            \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":2,\"unit\":\"ns\",\"wait\":" \
    "[[1000,2000],[3000,4000]]}\n"
#define SAID_US "t:1: the values are in \xc2\xb5s, as line 1 says"
    static const char *const units[] = {
        "{\"units\": {\"wait\": \"us\"}, \"wait\": [[1, 2], [3, 4]]}\n",
        "{\"dispatch\": [[1, 2], [3, 4]], \"units\": {\"dispatch\": \"us\", \"size\": \"GB\"}}\n",
        "{\"meta\": {\"unit\": \"us\"}, \"wait\": [[1, 2], [3, 4]]}\n",
        "{\"timeUnit\": \"us\", \"wait\": [[1, 2], [3, 4]]}\n",
        "{\"wait_unit\": \"microseconds\", \"wait\": [[1, 2], [3, 4]]}\n",
        "{\"dispatch\": {\"unit\": \"us\", \"values\": [[1, 2], [3, 4]]}}\n",
    };
    for (size_t i = 0; i < LENGTH(units); i++) assert_told(units[i], IN_US, SAID_US);
    assert_told("unit: us\ndispatch:\n- [1, 2]\n- [3, 4]\n", IN_US,
                "t:3: the values are in \xc2\xb5s, as line 1 says");
#define BESIDE(what) "t:1: " what " is not applied: the values are read as they stand"
    static const struct {
        const char *text, *told;
    } beside[] = {
        {"{\"scale\": 1000, \"wait\": [[1, 2], [3, 4]]}\n", BESIDE("\"scale\": 1000")},
        {"{'dispatch': [[1, 2], [3, 4]], 'scale_factor': 0.5}\n", BESIDE("\"scale_factor\": 0.5")},
        {"{\"unit\": \"furlongs\", \"wait\": [[1, 2], [3, 4]]}\n", BESIDE("\"unit\": furlongs")},
        {"{\"unit\": \"10ns\", \"wait\": [[1, 2], [3, 4]]}\n", BESIDE("\"unit\": 10ns")},
        {"{\"clock_mhz\": 1980, \"wait\": [[1, 2], [3, 4]]}\n", BESIDE("\"clock_mhz\": 1980")},
        {"{\"scale\": \"us\", \"wait\": [[1, 2], [3, 4]]}\n", BESIDE("\"scale\": us")},
        {"{\"ns_per_tick\": 32, \"wait\": [[1, 2], [3, 4]]}\n", BESIDE("\"ns_per_tick\": 32")},
        {"{\"ops\": 100, \"wait\": [[1, 2], [3, 4]]}\n", BESIDE("\"ops\": 100")},
        {"{\"layout\": \"[dst][src]\", \"wait\": [[1, 2], [3, 4]]}\n",
         BESIDE("\"layout\": [dst][src]")},
        {"{\"meta\": {\"scale\": 10}, \"wait\": [[1, 2], [3, 4]]}\n", BESIDE("\"scale\": 10")},
    };
    for (size_t i = 0; i < LENGTH(beside); i++) assert_told(beside[i].text, ONE, beside[i].told);
    assert_told("scale: 1000\ndispatch:\n- [1, 2]\n- [3, 4]\n", ONE,
                "t:3: line 1 has a factor or a unit that is not applied: the values are read as "
                "they stand");
#define FACTOR \
    "t:2: line 1 has a factor or a unit that is not applied: the values are read as they stand"
    static const char *const factors[] = {"waits (in thousands of cycles)\n1 2\n3 4\n",
                                          "dispatch wait (kcycles)\n1 2\n3 4\n",
                                          "wait (100 ns)\n1 2\n3 4\n",
                                          "# values x1000\n1 2\n3 4\n",
                                          "# wait in kcycles summed over the window\n1 2\n3 4\n",
                                          "# wait, thousands of clock cycles\n1 2\n3 4\n",
                                          "# wait, thousand GPU cycles\n1 2\n3 4\n",
                                          "# wait, x1000 dispatch\n1 2\n3 4\n"};
    for (size_t i = 0; i < LENGTH(factors); i++) assert_told(factors[i], ONE, FACTOR);
    static const char *const plain[] = {
        "{\"scale\": 1, \"unit\": \"cycles\", \"wait\": [[1, 2], [3, 4]]}\n",
        "{\"scale\": 1000, \"name\": \"x\"}\n{\"wait\": [[1, 2], [3, 4]]}\n",
        "# wait in cycles, thousands of iterations\n1 2\n3 4\n",
        "# thousands of tokens in cycles\n1 2\n3 4\n",
    };
    for (size_t i = 0; i < LENGTH(plain); i++) assert_told(plain[i], ONE, "");
}

static void keys_may_be_those_of_columns(void **state)
{
    (void)state;
#define OUTER                                                                                    \
    "t:1: the outer keys are taken for the ranks that wait; of pandas' to_dict() and to_json() " \
    "they are the columns: print df.T there"
    assert_told("{\"rank0\": [1, 2], \"rank1\": [3, 4]}\n", ONE, OUTER);
    assert_told("{'r0': [1, 2], 'r1': [3, 4]}\n", ONE, OUTER);
    assert_told("{\"dispatch\": {\"gpu0\": [1, 2], \"gpu1\": [3, 4]}}\n", ONE, OUTER);
    assert_told("{\"schema\": {\"fields\": [{\"name\": \"0\"}]}, \"data\": [{\"index\": 0, \"0\": "
                "1, \"1\": 2}, {\"index\": 1, \"0\": 3, \"1\": 4}]}\n",
                ONE, "");
}

static void lines_of_pairs_come_in_any_order(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"src,dst,wait\n1,1,4\n0,1,2\n1,0,3\n0,0,1\n", ONE},
        {"dst,src,wait\n1,1,4\n1,0,2\n0,1,3\n0,0,1\n", ONE},
        {"src,dst,wait\n2,1,8\n0,1,2\n1,0,4\n0,2,3\n2,0,7\n1,2,6\n", NO_OWN},
        {"phase,src,dst,wait\ndispatch,1,1,4\ndispatch,0,1,2\ndispatch,1,0,3\ndispatch,0,0,1\n"
         "combine,1,1,8\ncombine,0,1,6\ncombine,1,0,7\ncombine,0,0,5\n",
         BOTH},
        {"step,src,dst,wait\n7,1,1,4\n7,0,1,2\n7,1,0,3\n7,0,0,1\n8,0,0,5\n8,0,1,6\n8,1,0,7\n8,1,1,"
         "8\n",
         ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]")},
        {"[{\"src\":1,\"dst\":1,\"wait\":4},{\"src\":0,\"dst\":1,\"wait\":2},{\"src\":1,\"dst\":0,"
         "\"wait\":3},{\"src\":0,\"dst\":0,\"wait\":1}]\n",
         ONE},
        {"[{\"src\":\"0\",\"dst\":\"0\",\"wait\":\"1\"},{\"src\":\"0\",\"dst\":\"1\",\"wait\":"
         "\"2\"},{\"src\":\"1\",\"dst\":\"0\",\"wait\":\"3\"},{\"src\":\"1\",\"dst\":\"1\","
         "\"wait\":\"4\"}]\n",
         ONE},
        {"[{\"op\":\"combine\",\"src\":0,\"dst\":0,\"wait\":5},{\"op\":\"combine\",\"src\":0,"
         "\"dst\":1,\"wait\":6},{\"op\":\"combine\",\"src\":1,\"dst\":0,\"wait\":7},{\"op\":"
         "\"combine\",\"src\":1,\"dst\":1,\"wait\":8}]\n",
         PLAIN("combine", "0", "[[5,6],[7,8]]")},
        {"{(1, 1): 4, (0, 1): 2, (1, 0): 3, (0, 0): 1}\n", ONE},
        {"{\"0,1\": 2, \"0,0\": 1, \"1,0\": 3, \"1,1\": 4}\n", ONE},
        {"{\"(0, 0)\": 1, \"(0, 1)\": 2, \"(1, 0)\": 3, \"(1, 1)\": 4}\n", ONE},
        {"{\"r0->r1\": 2, \"r0->r0\": 1, \"r1->r0\": 3, \"r1->r1\": 4}\n", ONE},
        {"{\"0\": {\"1\": 2, \"2\": 3}, \"1\": {\"0\": 4, \"2\": 6}, \"2\": {\"0\": 7, \"1\": "
         "8}}\n",
         NO_OWN},
        {"{\"0\": {\"1\": 2, \"2\": 3, \"0\": 1}, \"1\": {\"0\": 4, \"1\": 5, \"2\": 6}, \"2\": "
         "{\"0\": 7, \"1\": 8, \"2\": 9}}\n",
         THREE},
        {"INFO wait[0][0]=1\nINFO wait[0][1]=2\nINFO wait[1][0]=3\nINFO wait[1][1]=4\n", ONE},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
#define ARROW_AT(line)                                                                     \
    "t:" #line                                                                             \
    ": in \"0 -> 1\", rank 0 is read as the one that waits, as in \"src -> dst\"; but in " \
    "--slow-path 0->1, rank 1 waits for rank 0"
#define ARROW ARROW_AT(1)
    assert_told("{\"r0->r1\": 2, \"r0->r0\": 1, \"r1->r0\": 3, \"r1->r1\": 4}\n", ONE, ARROW);
    assert_told("0 -> 0: 1\n0 -> 1: 2\n1 -> 0: 3\n1 -> 1: 4\n", ONE, ARROW);
    assert_told("(0, 0) -> 1\n(0, 1) -> 2\n(1, 0) -> 3\n(1, 1) -> 4\n", ONE, "");
    static const bad_case bad[] = {
        /* Of 1 and rank 100: no thousands. */
        {"waits\n0->1:5,100->2:7\n1->0:5,100->3:7\n", DXT_ERR_FORMAT,
         "t:2: the 4 lines of two ranks and a wait lack some pairs of ranks"},
        /* Minutes and seconds. */
        {"rank 0: 00:12 01:31\nrank 1: 00:10 01:11\n", DXT_ERR_FORMAT,
         "t:2: no window: neither a recording nor rows of a matrix"},
        {"src,dst,wait\n0,0,1\n0,1,2\n1,0,3\n1,0,4\n", DXT_ERR_FORMAT,
         "t:2: the 4 lines of two ranks and a wait lack some pairs of ranks"},
        {"src,dst,wait\n0,1,5\n0,2,7\n1,0,3\n", DXT_ERR_FORMAT,
         "t:2: the 3 lines of two ranks and a wait lack some pairs of ranks"},
        {"src,dst,wait\n0,1,1\n0,1,2\n", DXT_ERR_FORMAT,
         "t:2: two lines name the same pair of ranks"},
        {"src,dst,wait\n0,0,1\n0,9223372036854775807,2\n1,0,3\n1,1,4\n5,5,5\n", DXT_ERR_FORMAT,
         "t:6: row 4: the matrix has rows of 3 values; a blank line must separate windows"},
    };
    REFUSE(bad);
}

static void commas_of_pairs_part_thousands(void **state)
{
    (void)state;
#define PARTED(line) "t:" #line ": commas are read as those of thousands: \"1,234\" is 1234"
#define LARGE PLAIN("dispatch", "0", "[[1,1234],[1234567,4]]")
    assert_told("(0, 0): 1\n(0, 1): 1,234\n(1, 0): 1,234,567\n(1, 1): 4\n", LARGE, PARTED(2));
    assert_told("w[0][0]=1, w[0][1]=1,234, w[1][0]=1,234,567, w[1][1]=4\n", LARGE, PARTED(1));
    assert_told("(0, 0): 1,(0, 1): 1234,(1, 0): 1234567,(1, 1): 4\n", LARGE, "");
    assert_told("0->0:1,0->1:1,234\n1->0:1,234,567, 1->1:4\n", LARGE, PARTED(1) "\n" ARROW);
    /* The waits of a rank for itself are below 1000; a count does not begin with 0. */
    assert_told("(0, 0): 0\n(0, 1): 57,100\n(1, 0): 5,100\n(1, 1): 0\n",
                PLAIN("dispatch", "0", "[[0,57100],[5100,0]]"), PARTED(2));
    assert_told("(0, 1): 1,034,567\n(1, 0): 2,345,678\n",
                PLAIN("dispatch", "0", "[[null,1034567],[2345678,null]]"), PARTED(1));
    assert_told("waits\nrank 0->rank 0: 1\nrank 0->rank 1: 1,234\nrank 1->rank 0: 1,234,567\n"
                "rank 1->rank 1: 4\n",
                LARGE, PARTED(3) "\n" ARROW_AT(2));
    assert_told("rank 0 waits for rank 0: 1,001\nrank 0 waits for rank 1: 1,002\nrank 1 waits for "
                "rank 0: 1,003\nrank 1 waits for rank 1: 1,004\n",
                PLAIN("dispatch", "0", "[[1001,1002],[1003,1004]]"), "");
    /* A count is that of a window, and so of all its waits. */
    assert_told("(0, 0): 1,100\n(0, 1): 57,100\n(1, 0): 58,123\n(1, 1): 1,100\n",
                PLAIN("dispatch", "0", "[[1100,57100],[58123,1100]]"), PARTED(1));
    assert_told("waits\nrank 0 -> rank 1: 57,100\nrank 1 -> rank 0: 58,123\n",
                PLAIN("dispatch", "0", "[[null,57100],[58123,null]]"), PARTED(2) "\n" ARROW_AT(2));
#define UNSURE(line)                                                                        \
    "t:" #line ": waits such as \"57,100\" in each line may be thousands, or a wait and a " \
    "count: write the waits without commas"
    static const bad_case bad[] = {
        {"(0, 0): 1,100\n(0, 1): 57,100\n(1, 0): 58,100\n(1, 1): 1,100\n", DXT_ERR_FORMAT,
         UNSURE(1)},
        {"(0, 1): 57,100\n(1, 0): 58,100\n", DXT_ERR_FORMAT, UNSURE(1)},
        {"waits\n0->1: 57,100,128 1->0: 58,100,128\n", DXT_ERR_FORMAT, UNSURE(2)},
        {"waits\nrank 0 -> rank 1: 57,100\nrank 1 -> rank 0: 58,100\n", DXT_ERR_FORMAT, UNSURE(2)},
    };
    REFUSE(bad);
}

#define LEFT_OUT(name) \
    "t:1: the name \"" name "\" says that it counts something other than waits: it is left out"
#define PERHAPS(name)                                                                          \
    "t:1: the name \"" name "\" may count something other than waits; the values are read as " \
    "waits"

static void names_count_other_things(void **state)
{
    (void)state;
    static const char *const waits[] = {
        "dispatch_cycles_per_token",
        "dispatch_us_per_token",
        "time_per_sample",
        "per_token",
        "stall_counts_cycles",
        "account",
        "country",
        "usPerToken",
        "cost_per_received_token",
        "tokenizer",
    };
    static const char *const counts[] = {
        "tokens",
        "samples",
        "bytes_sent",
        "numTokens",
        "num_tokens_per_rank",
        "ntokens",
        "Bytes",
        "per_rank_tokens",
        "recv_counts",
        "bytes_per_us",
        "token-sum",
        "count",
        "sample_of_a_name_that_is_longer_than_it_need_be",
    };
    char text[256], told[256];
    for (size_t i = 0; i < LENGTH(waits); i++) {
        snprintf(text, sizeof text, "{\"%s\": [[1, 2], [3, 4]]}\n", waits[i]);
        dxt_reader *reader = open_text(text, strlen(text));
        dxt_text out = {0};
        read_all(reader, &out);
        assert_non_null(strstr(out.data, "\"wait\":[[1,2],[3,4]]"));
        free(out.data);
        dxt_reader_close(reader);
    }
    for (size_t i = 0; i < LENGTH(counts); i++) {
        snprintf(text, sizeof text, "{\"%s\": [[9, 9], [9, 9]], \"wait\": [[1, 2], [3, 4]]}\n",
                 counts[i]);
        snprintf(told, sizeof told, LEFT_OUT("%.40s"), counts[i]);
        assert_told(text, ONE, told);
    }
    assert_told("{'tokens': array([[9, 9], [9, 9]]), 'wait': array([[1, 2], [3, 4]])}\n", ONE,
                LEFT_OUT("tokens"));
    assert_told("{\"dispatch_tokens\": [[1, 2], [3, 4]]}\n", ONE, PERHAPS("dispatch_tokens"));
    /* Samples in time. */
    assert_told(
        "{\"samples\": [{\"dispatch\": [[1, 2], [3, 4]]}, {\"dispatch\": [[5, 6], [7, 8]]}]}\n",
        ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"), "");
}

static void objects_say_what_belongs_together(void **state)
{
    (void)state;
    assert_told("{\"rank\":0,\"step\":1,\"wait\":[1,2]}\n{\"rank\":0,\"step\":2,\"wait\":[5,6]}\n"
                "{\"rank\":1,\"step\":1,\"wait\":[3,4]}\n{\"rank\":1,\"step\":2,\"wait\":[7,8]}\n",
                ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"), "");
    assert_told("{\"samples\": [[9, 9], [9, 9]], \"wait\": [[1, 2], [3, 4]]}\n", ONE,
                LEFT_OUT("samples"));
    assert_told("{\"rank\": 0, \"wait\": [\"1\", \"2\"]}\n{\"rank\": \"1\", \"wait\": [\"3\", "
                "\"4\"]}\n",
                ONE, "");
    /* Waits beside the words of a logger. */
    assert_told("{\"event\":\"waits\",\"rank\":1,\"wait\":[3,4]}\n"
                "{\"event\":\"waits\",\"rank\":0,\"wait\":[1,2]}\n",
                ONE, "");
    assert_told("{\"rank\":\"rank1\",\"wait\":[3,4]}\n{\"global_rank\":0,\"wait\":[1,2]}\n", ONE,
                "");
}

static void headings_say_other_things(void **state)
{
    (void)state;
    assert_told("rank,r1,r0\nr0,2,1\nr1,4,3\n", "",
                "t:2: the heading names the columns in another order than the ranks': put them in "
                "order");
    assert_told("rank,r0,r1\nr0,1,2\nr1,3,4\n", ONE, "");
    assert_told("node0 node0\n1 2\n3 4\n", ONE, "");
#define AXES(at)                                                                               \
    "t:" at ": line 1 may say that the axes are turned, but the matrix is read as it stands: " \
    "rows wait, columns are waited for"
    assert_told("dst\\src,0,1\n0,1,2\n1,3,4\n", ONE, AXES("2"));
    assert_told("sender,receiver,wait\n0,0,1\n0,1,2\n1,0,3\n1,1,4\n", ONE, AXES("2"));
    assert_told("<xarray.DataArray (dst: 2, src: 2)>\narray([[1, 2],\n       [3, 4]])\n", ONE,
                AXES("2"));
    assert_told(
        "col 0: 11 2 3\ncol 1: 4 5 6\ncol 2: 7 8 9\n", ROWS3("[[11,2,3],[4,5,6],[7,8,9]]"),
        "t:1: line 3 may say that the axes are turned, but the matrix is read as it stands: "
        "rows wait, columns are waited for");
    assert_told(
        "waited for rank 0: [1, 2]\nwaited for rank 1: [3, 4]\n", ONE,
        "t:1: line 2 may say that the axes are turned, but the matrix is read as it stands: "
        "rows wait, columns are waited for");
    assert_told("src\\dst,0,1\n0,1,2\n1,3,4\n", ONE, "");
#define OTHER "t:2: line 1 names something other than waits; the values are read as waits"
    assert_told("Bandwidth (GB/s)\n1 2\n3 4\n", ONE, OTHER);
    assert_told("tokens sent\n1 2\n3 4\n", ONE, OTHER);
    assert_told("iter 0: [1, 2]\niter 1: [3, 4]\n", ONE,
                "t:1: line 2 names something other than waits; the values are read as waits");
    assert_told("step 100 dispatch:\n1 2\n3 4\n", ONE, "");
    assert_told("# high-bandwidth mode\n1 2\n3 4\n", ONE, "");
    assert_told("wait per token\n1 2\n3 4\n", ONE, "");
    assert_told("num_tokens=128\n1 2\n3 4\n", ONE, "");
    assert_reads("n.a.;2;3\n4;n.a.;6\n7;8;#N/A\n", NO_OWN);
    assert_reads("#N/A;2;3\n4;#N/A;6\n7;8;#N/A\n", NO_OWN);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "rank 0: 0:1 1:2\nrank 1: 0:3 1:4\n",
        "[0][0]=1 [0][1]=2\n[1][0]=3 [1][1]=4\n",
        "dispatch:\n  0:\n    0: 1\n    1: 2\n  1:\n    0: 3\n    1: 4\n",
        "`rank 0 [1, 2]`\n`rank 1 [3, 4]`\n",
        "rank0: 1 2 3\nrank0: 4 5 6\nrank0: 7 8 9\n",
        "rank 0: 1 2\n  3\nrank 1: 4 5\n  6\nrank 2: 7 8\n  9\n",
        "rank 0 dispatch: [1, 2] combine: [5, 6]\nrank 1 dispatch: [3, 4] combine: [7, 8]\n",
        "src,dst,wait\n1,1,4\n0,1,2\n1,0,3\n0,0,1\n",
        "{\"op\": \"combine\", \"0,1\": 2, \"0,0\": 1, \"1,0\": 3, \"1,1\": 4}\n[1, 2]\n[3, 4]\n",
        "{\"meta\": {\"unit\": \"us\"}, \"scale\": 5, \"wait\": [[1, 2], [3, 4]]}\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) read_without_memory(texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_carry_their_ranks),
        cmocka_unit_test(yaml_is_read),
        cmocka_unit_test(markdown_is_read),
        cmocka_unit_test(rows_without_brackets_come_in_parts),
        cmocka_unit_test(operators_share_a_line),
        cmocka_unit_test(members_say_units_and_factors),
        cmocka_unit_test(keys_may_be_those_of_columns),
        cmocka_unit_test(lines_of_pairs_come_in_any_order),
        cmocka_unit_test(commas_of_pairs_part_thousands),
        cmocka_unit_test(names_count_other_things),
        cmocka_unit_test(objects_say_what_belongs_together),
        cmocka_unit_test(headings_say_other_things),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
