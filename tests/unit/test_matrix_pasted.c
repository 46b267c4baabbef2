/* SPDX-License-Identifier: Apache-2.0 */
/* What people paste: JSON and Python values, drawn tables, prints of pandas, UTF-16, launchers that
 * write their rank in front of every line, cells that nobody observed. */
#include "test_matrix_reading.h"

#include "alloc_fail.h"

#define BOTH ONE PLAIN("combine", "0", "[[5,6],[7,8]]")
#define THREE                                                                                      \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":3,\"unit\":\"cycles\",\"wait\":[[1,2," \
    "3],[4,5,6],[7,8,9]]}\n"
#define RECORDED \
    "{\"v\":1,\"phase\":\"combine\",\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[5,6],[7,8]]}\n"

static void values_of_json_and_python_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"dispatch\": [[1, 2], [3, 4]]}\n", ONE},
        {"{\"dispatch\": [[1, 2], [3, 4]], \"combine\": [[5, 6], [7, 8]]}\n", BOTH},
        {"{\n \"dispatch\": [\n  [\n   1,\n   2\n  ],\n  [\n   3,\n   4\n  ]\n ]\n}\n", ONE},
        {"[\n  [\n    1,\n    2\n  ],\n  [\n    3,\n    4\n  ]\n]\n", ONE},
        {"{\"step\": 5, \"stats\": {\"dispatch\": [[1, 2], [3, 4]], \"combine\": [[5, 6], [7, "
         "8]]}}",
         BOTH},
        {"{\"op\": \"combine\", \"ranks\": 2, \"matrix\": [[5, 6], [7, 8]]}",
         PLAIN("combine", "0", "[[5,6],[7,8]]")},
        {"{\"wait\": [[1, 2], [3, 4]]}\n", ONE},
        {"{'dispatch': [[1, 2], [3, 4]], 'combine': [[5, 6], [7, 8]]}\n", BOTH},
        {"INFO stats {'dispatch': [[1, 2], [3, 4]]}\n", ONE},
        {"{'dispatch': tensor([[1, 2],\n        [3, 4]], device='cuda:0'), 'combine': "
         "tensor([[5, 6],\n        [7, 8]], device=device(type='cuda', index=0))}\n",
         BOTH},
        {"[tensor([1, 2], device='cuda:0'), tensor([3, 4], device='cuda:0')]\n", ONE},
        {"[array([1, 2]),\n array([3, 4])]\n", ONE},
        {"[[np.int64(1), np.int64(2)], [np.int64(3), np.int64(4)]]\n", ONE},
        {"((1, 2), (3, 4))\n", ONE},
        {"(1, 2)\n(3, 4)\n", ONE},
        {"{{1, 2},\n {3, 4}}\n", ONE},
        {"[1, 2,],\n[3, 4,],\n", ONE},
        {"M = [1 2; 3 4];\n", ONE},
        {"[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]\n", ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]")},
        {"{\"0\": [1, 2], \"1\": [3, 4]}\n", ONE},
        {"{\"rank1\": [3, 4],\n \"rank0\": [1, 2]}\n", ONE},
        {"{\"rank\": 0, \"wait\": [1, 2]}\n{\"rank\": 1, \"wait\": [3, 4]}\n", ONE},
        {"{\"rank\": 0, \"phase\": \"combine\", \"w\": [5, 6]}\n"
         "{\"rank\": 1, \"phase\": \"combine\", \"w\": [7, 8]}\n",
         PLAIN("combine", "0", "[[5,6],[7,8]]")},
        {"{\n  \"v\": 1,\n  \"phase\": \"combine\",\n  \"ranks\": 2,\n  \"wait\": [\n    [5, 6],\n"
         "    [7, 8]\n  ]\n}\n",
         RECORDED},
        {"[{\"v\":1,\"phase\":\"combine\",\"ranks\":2,\"wait\":[[5,6],[7,8]]},\n"
         "{\"v\":1,\"phase\":\"combine\",\"ranks\":2,\"wait\":[[5,6],[7,8]]}]\n",
         RECORDED RECORDED},
        {"{'wait': [[5, 6], [7, 8]], 'v': 1, 'phase': 'combine', 'ranks': 2}\n", RECORDED},
        {"INFO [{'v': 1, 'phase': 'combine', 'ranks': 2, 'wait': [[5, 6], [7, 8]], 'hosts': "
         "None}]\n",
         RECORDED},
        {"{'v': 1, 'phase': 'combine', 'ranks': 2, 'source': 'a\\xe9b \"\\'', 'wait': [[5, 6], [7, "
         "8]]}\n",
         "{\"v\":1,\"source\":\"a\xc3\xa9"
         "b "
         "\\\"'\",\"phase\":\"combine\",\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[5,6],[7,8]]}\n"},
        {"{\"V\":1,\"Phase\":\"combine\",\"ranks\":2,\"wait\":[[5,6],[7,8]]}\n",
         PLAIN("combine", "0", "[[5,6],[7,8]]")},
        {"{\n  \"config\": {\"a\": [1, 2]}\nINFO no more\n1 2\n3 4\n", ONE},
        {"{\"losses\": [1, 2, 3], \"shape\": [2, 2]}\n[[1, 2], [3, 4]]\n", ONE},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
    static const bad_case bad[] = {
        {"{\"dispatch\": [[1, 2],\n", DXT_ERR_FORMAT, "t:1: the value that begins here is cut off"},
        {"{\n \"a\": 1,\n \"b\": [1, 2]\n}\n", DXT_ERR_FORMAT,
         "t:4: no window: JSON, but no recording (no \"v\", \"phase\", \"ranks\", \"wait\")"},
        {"{\n \"a\": 1,\n \"traceEvents\": [{\"x\": 1}]\n}\n", DXT_ERR_FORMAT,
         "t:1: this looks like a trace of events (Chrome or PyTorch profiler); what is read: "
         "recordings (JSON Lines with \"v\", \"phase\", \"ranks\", \"wait\"), logs of a "
         "diagnosis, and matrices as text or .npy"},
    };
    REFUSE(bad);
}

static void rows_behind_others_are_their_own(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"[{\"0\":null,\"1\":2},{\"0\":3,\"1\":null}]\n",
         PLAIN("dispatch", "0", "[[null,2],[3,null]]")},
        {"0 0 0 5\n1 0 1 7\n2 1 0 3\n3 1 1 9\n",
         "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":4,\"unit\":\"cycles\",\"wait\":[["
         "0,0,0,5],"
         "[1,0,1,7],[2,1,0,3],[3,1,1,9]]}\n"},
        /* Rows with ranks behind a table whose columns are printed in blocks. */
        {"   0  1  \\\n0  9  2\n1  4  5\nINFO next\nrank 0: 1 2\nrank 1: 3 4\n", ONE},
        {"   0  1  \\\n0  9  2\n1  4  5\n2  7  8\n\n   2\n0  3\n1  6\n2  9\nrank 0: 1 2\nrank 1: 3 "
         "4\n",
         ONE},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
}

static void texts_in_json_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"kubernetes\":{\"pod\":\"x\"},\"record\":{\"log\":\"rank 0 [1 2]\"}}\n"
        "{\"kubernetes\":{\"pod\":\"x\"},\"record\":{\"log\":\"rank 1 [3 4]\"}}\n",
        "{\"data\":{\"result\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"17\",\"rank 0 [1 2]\"],"
        "[\"18\",\"rank 1 [3 4]\"]]}]}}\n",
        "{\"logRecords\":[{\"body\":{\"stringValue\":\"rank 0 [1 2]\"}},"
        "{\"body\":{\"stringValue\":\"rank 1 [3 4]\"}}]}\n",
        "INFO - [{\"rank\": 1, \"wait\": [3, 4]}, {\"rank\": 0, \"wait\": [1, 2]}]\n",
        "2026-11-26 03:00:00,123 - INFO - [{\"dispatch\": [[1, 2], [3, 4]]}]\n",
        "\"17\",\"{\"\"pod\"\":\"\"x\"\",\"\"n\"\":1}\",\"rank 0 [1 2]\",\"17_ab\"\n"
        "\"18\",\"{\"\"pod\"\":\"\"x\"\",\"\"n\"\":1}\",\"rank 1 [3 4]\",\"18_cd\"\n",
        "{\"MESSAGE\":[114,97,110,107,32,48,32,91,49,32,50,93]}\n"
        "{\"MESSAGE\":[114,97,110,107,32,49,32,91,51,32,52,93]}\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], ONE);
    assert_reads("\"1\",\"{\"\"h\"\":\"\"5\\\"\" disk\"\",\"\"wait\"\":[[1,2],[3,4]],\"\"v\"\":1,"
                 "\"\"phase\"\":\"\"dispatch\"\",\"\"ranks\"\":2}\"\n",
                 "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2,\"unit\":\"cycles\","
                 "\"wait\":[[1,2],[3,4]],\"h\":\"5\\\" disk\"}\n");
    static const char *const logs[] = {
        "'" HEAD("2", "Dispatch") "\\nrank=0 [1 2]\\nrank=1 [3 4]'\n",
        /* Labels of a pod beside a line of the log; tabs for its blanks. */
        "\"1\",\"{\"\"pod\"\":\"\"x\"\"}\",\"" HEAD(
            "2", "Dispatch") "\"\n"
                             "\"2\",\"{\"\"pod\"\":\"\"x\"\"}\",\"rank=0 [1 2]\"\n"
                             "\"3\",\"{\"\"pod\"\":\"\"x\"\"}\",\"rank=1 [3 4]\"\n",
        "[2025-09-15T16:28:53.686]\t[Diagnose]\tInstanceID:\t7f-1\tEPSize:\t2,\tDispatch\tWait\t "
        "Recv\tCost\tMatrix[\nrank=0 [1\t2]\nrank=1\t[3\t4]\n",
    };
    for (size_t i = 0; i < LENGTH(logs); i++)
        assert_reads(logs[i],
                     "{\"v\":1,\"instance\":\"7f-1\",\"begin\":\"2025-09-15T16:28:53.686\","
                     "\"phase\":\"dispatch\",\"window\":0,\"ranks\":2,\"unit\":\"cycles\","
                     "\"wait\":[[1,2],[3,4]]}\n");
}

static void drawn_tables_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "| | rank 0 | rank 1 |\n|---|---|---|\n| rank 0 | 1 | 2 |\n| rank 1 | 3 | 4 |\n",
        "| | 0 | 1 |\n|:---:|---:|---:|\n| **0** | 1 | **2** |\n| **1** | 3 | 4 |\n",
        "| r0 | r1 |\n|---|---|\n| `1` | `2` |\n| `3` | `4` |\n",
        "| 1 | 2 |\n| 3 | 4 |\n",
        "\"1,2\"\n\"3,4\"\n",
        "\xe2\x94\x82 a   \xe2\x94\x86 b   \xe2\x94\x82\n"
        "\xe2\x94\x82 --- \xe2\x94\x86 --- \xe2\x94\x82\n"
        "\xe2\x94\x82 1   \xe2\x94\x86 2   \xe2\x94\x82\n"
        "\xe2\x94\x82 3   \xe2\x94\x86 4   \xe2\x94\x82\n",
        " rank | c0 | c1 \n------+----+----\n    0 |  1 |  2 \n    1 |  3 |  4 \n(2 rows)\n",
        "+------+----+----+\n| rank | c0 | c1 |\n+------+----+----+\n|    0 |  1 |  2 |\n"
        "|    1 |  3 |  4 |\n+------+----+----+\n",
        "+---+---+\n| 1 | 2 |\n+---+---+\n| 3 | 4 |\n+---+---+\n",
        "\xe2\x94\x8c\xe2\x94\x80\xe2\x94\xac\xe2\x94\x80\xe2\x94\x90\n\xe2\x94\x82 1 \xe2\x94\x82"
        " 2 \xe2\x94\x82\n\xe2\x94\x82 3 \xe2\x94\x82 4 \xe2\x94\x82\n",
        "||r0||r1||\n|1|2|\n|3|4|\n",
        "1|2\n3|4\n",
        "1 & 2 \\\\\n3 & 4 \\\\\n",
        "RANK 0 | 1 2\nRANK 1 | 3 4\n",
        "      GPU0 GPU1\nGPU0 1 2\nGPU1 3 4\n",
        "sep=;\n1;2\n3;4\n",
        "rank,r0,r1\nr0,1,2\nr1,3,4\nsum,4,6\n",
        "1\n2\n3\n4\n",
        "dispatch:\n1.0\n2.0\n3.0\n4.0\n",
        "src,dst,wait\n0,0,1\n0,1,2\n1,0,3\n1,1,4\n",
        "   0 \\\n0  1\n1  3\n\n   1\n0  2\n1  4\n",
        "    r0 \\\nr0   1\nr1   3\n\n    r1\nr0   2\nr1   4\n\n[2 rows x 2 columns]\n",
        "  ------ ------\n  1 2\n  3 4\n",
        "\xef\xbb\xbf"
        "1\xc2\xa0"
        "2\n3\xe2\x80\xaf"
        "4\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], ONE);
    assert_reads("## Dispatch\n\n| | 0 | 1 |\n|---|---|---|\n| 0 | 1 | 2 |\n| 1 | 3 | 4 |\n\n"
                 "## Combine\n\n| | 0 | 1 |\n|---|---|---|\n| 0 | 5 | 6 |\n| 1 | 7 | 8 |\n",
                 BOTH);
    assert_reads("\"1,000\",\"2,000,000\"\n\"3\",\"4\"\n",
                 PLAIN("dispatch", "0", "[[1000,2000000],[3,4]]"));
    assert_reads("1.000,00;2\n3;4\n", PLAIN("dispatch", "0", "[[1000,2],[3,4]]"));
    assert_reads("1\n2\n3\n4\n\n5\n6\n7\n8\n", ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
    assert_reads("4\n7\nnothing\n[[1 2]\n [3 4]]\n", ONE);
    assert_reads("   0  1  \\\n0  1  2\n1  4  5\n2  7  8\n\n   2\n0  3\n1  6\n2  9\n", THREE);
}

static void what_was_not_observed_is_no_number(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "nan 2\n3 nan\n",
        "-  2\n3  -\n",
        "GPU0 X 2\nGPU1 3 X\n",
        ",2\n3,\n",
        "0,,2\n1,3,\n",
        "[[nan, 2],\n [3, nan]]\n",
        "{\"dispatch\": [[null, 2], [3, null]]}\n",
        "| - | 2 |\n| 3 | - |\n",
        "i,j,w\n0,1,2\n1,0,3\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_reads(texts[i], PLAIN("dispatch", "0", "[[null,2],[3,null]]"));
    static const bad_case bad[] = {
        {"0,5,6,7\n1,0,6,7\n0,,0,7\n1,2,3,0\n", DXT_ERR_FORMAT,
         "t:3: row 2, column 1: a value is missing"},
        {"0,5,6,7\n1,0,6,7\n2,9,0,\n1,2,3,0\n", DXT_ERR_FORMAT,
         "t:3: row 2, column 3: a value is missing"},
        {"0.5,5,6,7\n1,0,6,7\n2,9,0,\n1,2,3,0\n", DXT_ERR_FORMAT,
         "t:3: row 2, column 3: a value is missing"},
        {"rank,0,1,2\n1,4,0,7\n2,8,9,0\n0,0,,6\n", DXT_ERR_FORMAT,
         "t:4: row 0, column 1: a value is missing"},
        {"GPU0 of 1,0,,6\nGPU1 of 1,4,0,7\nGPU2 of 1,8,9,0\n", DXT_ERR_FORMAT,
         "t:1: row 0, column 1: a value is missing"},
        {"rank,0,1,2\n1,4,nan,7\n2,8,9,nan\n0,5,nan,6\n", DXT_ERR_FORMAT,
         "t:4: row 0, column 1: nan is not a number"},
        {"0:01 [9 nan]\n0:01 [4 nan]\n", DXT_ERR_FORMAT, "t:2: nan is not a number"},
        {"0 5 6 7\n2 0 6 7\n1 3 0 7\n\n9 2 3 0\n", DXT_ERR_FORMAT,
         "t:4: the matrix is not square: 3 rows of 4 values"},
        {"r0 r1 r2 r3\n0 5 6 7\n2 0 6 7\n1 3 0 7\n", DXT_ERR_FORMAT,
         "t:4: the matrix is not square: 3 rows of 4 values"},
        {"1,2,3\n4,,\n", DXT_ERR_FORMAT, "t:2: row 1, column 2: a value is missing"},
        {"1 2\n3 nan\n", DXT_ERR_FORMAT, "t:2: row 1: nan is not a number"},
        {"1 nan\n3 4\n", DXT_ERR_FORMAT, "t:1: row 0, column 1: nan is not a number"},
        {"[[1 2]\n [3 nan]]\n", DXT_ERR_FORMAT, "t:2: nan is not a number"},
        {"[[nan nan]\n [3 4]]\n", DXT_ERR_FORMAT, "t:1: row 0, column 0: nan is not a number"},
        {HEAD("2", "Dispatch") "\n[nan 2]\n", DXT_ERR_FORMAT,
         "t:2: row 0, column 0: nan is not a number"},
    };
    REFUSE(bad);
}

/* Ranks print in any order: the number in front of a row that is each rank once says whose it is.
 */
static void rows_in_any_order_are_put_in_their_places(void **state)
{
    (void)state;
#define SIZED(ranks, wait)                                          \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":" ranks \
    ",\"unit\":\"cycles\",\"wait\":" wait "}\n"
#define IN_ORDER SIZED("3", "[[1,2,3],[4,5,6],[7,8,9]]")
    static const char *const texts[] = {
        "[rank2]: tensor([7, 8, 9])\n[rank0]: tensor([1, 2, 3])\n[rank1]: tensor([4, 5, 6])\n",
        "1: [4, 5, 6]\n0: [1, 2, 3]\n2: [7, 8, 9]\n",
        "2: 7 8 9\n1: 4 5 6\n0: 1 2 3\n",
        "[1,2]<stdout>: [7, 8, 9]\n[1,0]<stdout>: [1, 2, 3]\n[1,1]<stdout>: [4, 5, 6]\n",
        "16:28:53 TP1 waits [4 5 6]\n16:28:54 TP0 waits [1 2 3]\n16:28:55 TP2 waits [7 8 9]\n",
        "rank,0,1,2\n2,7,8,9\n0,1,2,3\n1,4,5,6\n",
        "rank,1,2,3\n3,7,8,9\n1,1,2,3\n2,4,5,6\n",
        "rank2 7 8 9\nrank1 4 5 6\nrank0 1 2 3\n",
        "| GPU1 | 4 | 5 | 6 |\n| GPU2 | 7 | 8 | 9 |\n| GPU0 | 1 | 2 | 3 |\n",
        "Rank 1/3: [4, 5, 6]\nRank 0/3: [1, 2, 3]\nRank 2/3: [7, 8, 9]\n",
        "rank 2 waits: 7 8 9\nrank 1 waits: 4 5 6\nrank 0 waits: 1 2 3\n",
        "rank=2 (7, 8, 9)\nrank=1 (4, 5, 6)\nrank=0 (1, 2, 3)\n",
        "rank 2 waits 7 8 9\nrank 1 waits 4 5 6\nrank 0 waits 1 2 3\n",
        "rank 2 dispatch_wait 7 8 9\nrank 1 dispatch_wait 4 5 6\nrank 0 dispatch_wait 1 2 3\n",
        "rank 2 Wait recv cost per token: 7 8 9\nrank 1 dispatch: 4 5 6\nrank 0 row=1 2 3\n",
        /* Times differ, and say nothing. */
        "16:28:55 [1 2 3]\n16:28:54 [4 5 6]\n16:28:53 [7 8 9]\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], IN_ORDER);
    /* A heading in words, or the waits of ranks for themselves, show what the first column is. */
    assert_reads("rank,r0,r1,r2\n2,7,8,9\n0,1,2,3\n1,4,5,6\n", IN_ORDER);
    assert_reads("dst/src r0 r1 r2\n2 7 8 9\n0 1 2 3\n1 4 5 6\n", IN_ORDER);
    assert_reads("# rank r0 r1 r2\n2 7 8 9\n0 1 2 3\n1 4 5 6\n", IN_ORDER);
    assert_reads("2 8 9 0\n0 0 5 6\n1 4 0 7\n", SIZED("3", "[[0,5,6],[4,0,7],[8,9,0]]"));
    assert_reads("3 8.5e3 9e3 0.7\n1 0.7 5e3 6e3\n2 4e3 0.7 7e3\n",
                 SIZED("3", "[[1,5000,6000],[4000,1,7000],[8500,9000,1]]"));
    /* Rows of one more rank, with a line of somebody else between them. */
    assert_reads("0 5 6 7\n2 0 6 7\n1 3 0 7\nx\n9 2 3 0\n",
                 SIZED("4", "[[0,5,6,7],[2,0,6,7],[1,3,0,7],[9,2,3,0]]"));
    /* Holes are where the ranks say. */
    static const char *const holes[] = {
        "rank,0,1,2\n0,,5,6\n2,8,9,\n1,4,,7\n",
        "1,4,,7\n2,8,9,\n0,,5,6\n",
        "rank,0,1,2\n2,8,9,nan\n0,nan,5,6\n1,4,nan,7\n",
        "GPU1,4,,7\nGPU2,8,9,\nGPU0,,5,6\n",
        "[rank2]: [8, 9, nan]\n[rank0]: [nan, 5, 6]\n[rank1]: [4, nan, 7]\n",
    };
    for (size_t i = 0; i < LENGTH(holes); i++)
        assert_reads(holes[i], SIZED("3", "[[null,5,6],[4,null,7],[8,9,null]]"));
    /* Decimals, and what was not observed, move along. */
    assert_reads("[rank1]: [2000.4, nan]\n[rank0]: [nan, 7]\n",
                 PLAIN("dispatch", "0", "[[null,7],[2000,null]]"));
    /* Node and rank on it. */
    assert_reads("n1:0 [9 9 9 9]\nn0:1 [5 6 7 8]\nn1:1 [7 7 7 7]\nn0:0 [1 2 3 4]\n",
                 SIZED("4", "[[1,2,3,4],[5,6,7,8],[9,9,9,9],[7,7,7,7]]"));
    /* Two operators of each rank. */
    assert_reads("rank1: dispatch tensor([3, 4])\nrank1: combine tensor([7, 8])\n"
                 "rank0: dispatch tensor([1, 2])\nrank0: combine tensor([5, 6])\n",
                 BOTH);
    assert_reads("[rank1] {'dispatch': [3, 4], 'combine': [7, 8]}\n"
                 "[rank0] {'dispatch': [1, 2], 'combine': [5, 6]}\n",
                 BOTH);
    /* A heading that begins with the word. */
    assert_reads(
        "rank 0 1 2 3 4\n0 1 2 3 4 9\n1 1 2 3 4 9\n2 1 2 3 4 9\n3 1 2 3 4 9\n4 1 2 3 4 9\n",
        SIZED("5", "[[1,2,3,4,9],[1,2,3,4,9],[1,2,3,4,9],[1,2,3,4,9],[1,2,3,4,9]]"));
}

/* Values within calls, with names or behind one, and several in a line. */
static void values_in_calls_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "OrderedDict([('dispatch', array([[1, 2],\n [3, 4]])), ('combine', array([[5, 6],\n [7, "
        "8]]))])\n",
        "defaultdict(<class 'list'>, {'dispatch': [[1, 2], [3, 4]], 'combine': [[5, 6], [7, "
        "8]]})\n",
        "dispatch=array([[1, 2],\n [3, 4]]) combine=array([[5, 6],\n [7, 8]])\n",
        "Stats(dispatch=array([[1, 2],\n [3, 4]]), combine=array([[5, 6],\n [7, 8]]))\n",
        "Stats(dispatch=[[1, 2], [3, 4]], combine=[[5, 6], [7, 8]], step=12)\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], BOTH);
    assert_reads("$1 = {{1, 2},\n  {3, 4}}\n", ONE);
    assert_reads("int64_t w[2][2] = {{1, 2}, {3, 4}};\n", ONE);
    assert_reads("(array([[1, 2],\n [3, 4]]), array([[5, 6],\n [7, 8]]))\n",
                 ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
    assert_reads("masked_array(\n  data=[[--, 2],\n        [3, --]],\n  mask=[[ True, False],\n"
                 "        [False,  True]],\n  fill_value=999999)\n",
                 PLAIN("dispatch", "0", "[[null,2],[3,null]]"));
    assert_reads(
        "time,message\n\"12:01\",\"{\"\"v\"\":1,\"\"phase\"\":\"\"combine\"\",\"\"ranks\"\":"
        "2,\"\"wait\"\":[[5,6],[7,8]]}\"\n",
        RECORDED);
}

static int keep_remark(void *context, dxt_remark kind, const char *message)
{
    snprintf(context, 200, "%d %s", (int)kind, message);
    return 1;
}

/* Text in a tar archive is read, and it is said that packed files in it are not. */
static void tar_archives_are_told(void **state)
{
    (void)state;
    char tar[1024] = "logs/a.log", said[200] = "";
    dxt_window *window;
    memcpy(tar + 257, "ustar", 5);
    strcpy(tar + 512, HEAD("2", "Dispatch") "\nrank=0 [1 2]\nrank=1 [3 4]\n");
    dxt_reader *reader = open_text(tar, sizeof tar);
    dxt_reader_on_remark(reader, keep_remark, said);
    assert_int_equal(dxt_reader_next(reader, &window), DXT_OK);
    assert_int_equal(window->wait[3], 4);
    dxt_window_free(window);
    assert_non_null(strstr(said, "a tar archive: its logs are read as one text"));
    dxt_reader_close(reader);
    tar[512] = 1; /* what is packed */
    tar[513] = '\n';
    memset(tar, 'x', 257);
    tar[3] = 2;
    reader = open_text(tar, sizeof tar);
    assert_int_equal(dxt_reader_next(reader, &window), DXT_ERR_FORMAT);
    assert_non_null(strstr(dxt_error(), "this looks like a tar archive of packed files"));
    dxt_reader_close(reader);
}

/* Between tabs a comma is a decimal point, unless it parts thousands. */
static void commas_between_tabs(void **state)
{
    (void)state;
    assert_reads("1,5\t2,0\n3,5\t4,0\n", PLAIN("dispatch", "0", "[[1500,2000],[3500,4000]]"));
    assert_reads("1,500\t2,000\n3,500\t4,000\n",
                 PLAIN("dispatch", "0", "[[1500,2000],[3500,4000]]"));
    assert_reads("1,\t2,\n3,\t4,\n", ONE);
    static const bad_case bad[] = {
        {"1,500\t2,000\n3,50\t4,00\n", DXT_ERR_FORMAT,
         "t:2: commas part thousands in some lines and are decimal points in others"},
    };
    REFUSE(bad);
}

static void parts_of_two_streams_are_kept_apart(void **state)
{
    (void)state;
#define CRI(stream, tag, text) "2025-09-15T16:28:53.6Z " stream " " tag " " text "\n"
    assert_reads(CRI("stdout", "P", "rank 0 [1") CRI("stderr", "F", "some line")
                     CRI("stdout", "F", " 2]") CRI("stderr", "P", "x")
                         CRI("stdout", "F", "rank 1 [3 4]") CRI("stderr", "F", "y"),
                 ONE);
}

/* ---- UTF-16 ---- */

/* ASCII as UTF-16. @return Bytes. */
static size_t widen(const char *text, bool big, bool mark, char *to)
{
    size_t size = 0;
    if (mark) memcpy(to, big ? "\xfe\xff" : "\xff\xfe", size = 2);
    for (; *text; text++) {
        to[size + big] = *text;
        to[size + !big] = 0;
        size += 2;
    }
    return size;
}

static void utf16_is_read(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        char wide[256];
        dxt_text out = {0};
        size_t size = widen("rank 0 [1 2]\r\nrank 1 [3 4]\r\n", kind & 1, kind & 2, wide);
        dxt_reader *reader = open_text(wide, size);
        assert_int_equal(read_all(reader, &out), DXT_END);
        assert_string_equal(out.data, ONE);
        free(out.data);
        dxt_reader_close(reader);
    }
}

/* A file in small pieces, and characters of every length. */
typedef struct pieces {
    const char *bytes;
    size_t size, at, piece;
} pieces;

static dxt_status read_piece(void *context, void *buffer, size_t size, size_t *got)
{
    pieces *of = context;
    *got = of->size - of->at < of->piece ? of->size - of->at : of->piece;
    if (*got > size) *got = size;
    memcpy(buffer, of->bytes + of->at, *got);
    of->at += *got;
    return DXT_OK;
}

static void utf16_in_pieces_is_read(void **state)
{
    (void)state;
    /* "é€𝄞" and half a pair, then a matrix. */
    static const char head[] = "\xff\xfe\xe9\0\xac\x20\x34\xd8\x1e\xdd\x34\xd8\n";
    char wide[256];
    memcpy(wide, head, sizeof head);
    size_t size = sizeof head + widen("1 2\n3 4\n", false, false, wide + sizeof head);
    for (size_t piece = 1; piece < 9; piece++) {
        pieces of = {wide, size, 0, piece};
        const dxt_source source = {
            .struct_size = sizeof source, .context = &of, .read = read_piece};
        dxt_reader *reader;
        dxt_text out = {0};
        assert_int_equal(dxt_reader_open_source(&source, "t", &reader), DXT_OK);
        assert_int_equal(read_all(reader, &out), DXT_END);
        assert_string_equal(out.data, ONE);
        free(out.data);
        dxt_reader_close(reader);
    }
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    char wide[64];
    size_t wide_size = widen("1 2\n3 4\n", true, true, wide);
    static const char *const texts[] = {
        "{'dispatch': [[1, 2], [3, 4]],\n 'log': \"x\"}\n",
        "{\"a\":{\"log\":\"rank 0 [1 2]\"}}\n{\"a\":{\"log\":\"rank 1 [3 4]\"}}\n",
        "| 1 | 2 |\n| 3 | 4 |\n",
        "   0 \\\n0  1\n1  3\n\n   1\n0  2\n1  4\n",
        "i,j,w\n0,1,2\n1,0,3\n",
        "'" HEAD("2", "Dispatch") "\\nrank=0 [1 2]\\nrank=1 [3 4]'\n",
        "rank0: 1.5 2000\nrank0: 3 4\n",
        "[rank1] [3 4]\n[rank0] [1 2]\n",
        "GPU1 3 4\nGPU0 1.5 2000\n",
        "rank,0,1,2\n2,7,8,9\n0,1,2,3\n1,4,5,6\n",
        "x=[[1, 2], [3, 4]], y=[[5, 6], [7, 8]]\n",
        "m,\"{\"\"v\"\":1,\"\"phase\"\":\"\"x\"\",\"\"ranks\"\":2,\"\"wait\"\":[[5,6],[7,8]]}\"\n",
        NULL,
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        const char *text = texts[i] ? texts[i] : wide;
        size_t size = texts[i] ? strlen(text) : wide_size;
        long k = 1;
        dxt_status status;
        for (; alloc_fail_arm(k), status = read_once(text, size), alloc_fail_disarm(); k++)
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_int_equal(status, DXT_END);
        assert_true(k > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_json_and_python_are_read),
        cmocka_unit_test(rows_behind_others_are_their_own),
        cmocka_unit_test(texts_in_json_are_read),
        cmocka_unit_test(drawn_tables_are_read),
        cmocka_unit_test(what_was_not_observed_is_no_number),
        cmocka_unit_test(rows_in_any_order_are_put_in_their_places),
        cmocka_unit_test(values_in_calls_are_read),
        cmocka_unit_test(commas_between_tabs),
        cmocka_unit_test(tar_archives_are_told),
        cmocka_unit_test(parts_of_two_streams_are_kept_apart),
        cmocka_unit_test(utf16_is_read),
        cmocka_unit_test(utf16_in_pieces_is_read),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
