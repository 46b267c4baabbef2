/* SPDX-License-Identifier: Apache-2.0 */
/* What looks like a matrix of waits and is none, or is none of ranks 0 to N - 1: it is refused, or
 * what it was taken for is said. */
#include "test_matrix_reading.h"

#define WINDOW(phase, wait)                                                                        \
    "{\"v\":1,\"phase\":\"" phase "\",\"window\":0,\"ranks\":3,\"unit\":\"cycles\",\"wait\":" wait \
    "}\n"
#define THREE WINDOW("dispatch", "[[9,2,3],[4,5,6],[7,8,9]]")
#define OTHERS "[[0,12,13],[11,0,13],[11,12,0]]"

static int keep_first(void *context, dxt_remark kind, const char *message)
{
    char *first = context;
    (void)kind;
    if (!*first) snprintf(first, 256, "%s", message);
    return 1;
}

/* What is read of a text, and what is told first. */
static void assert_says(const char *text, const char *expected, const char *message)
{
    char first[256] = "";
    dxt_text out = {0};
    dxt_reader *reader = open_text(text, strlen(text));
    dxt_reader_on_remark(reader, keep_first, first);
    assert_int_equal(read_all(reader, &out), DXT_END);
    assert_string_equal(out.data, expected);
    assert_string_equal(first, message);
    dxt_reader_close(reader);
    free(out.data);
}

/* What is measured from time to time, or step to step, has as many columns as it likes. */
static void series_are_no_matrices(void **state)
{
    (void)state;
    static const char series[] =
        "t:2: the first column is a time or a step: each row of a wait matrix is a rank";
    static const char counted[] =
        "t:2: the ranks in the first column are not counted from 0 on; leave the column out, or "
        "count from 0 on";
    static const char times[] =
        "t:1: the times in the first column are no column of ranks, or more than a second apart; "
        "leave the column out if the rows are those of one matrix";
    static const char framed[] =
        "t:1: the ranks in the first row and column are not counted from 0 on; leave both out, or "
        "count from 0 on";
    static const bad_case bad[] = {
        {"Time,rank0,rank1,rank2\n1764126000,5,6,7\n1764126015,5,6,7\n1764126030,5,6,7\n",
         DXT_ERR_FORMAT, series},
        {"\"Time\",\"rank 0\",\"rank 1\",\"rank 2\"\n1764126000000,5,6,7\n1764126000001,5,6,7\n"
         "1764126000002,5,6,7\n",
         DXT_ERR_FORMAT, series},
        {"Time (s),a b,c\n1764126000,5,6\n1764126015,5,6\n1764126030,5,6\n", DXT_ERR_FORMAT,
         series},
        {"Time dispatch combine\n1764126000 5 6\n1764126001 5 7\n", DXT_ERR_FORMAT, series},
        {"iter,loss_us,fwd_us,bwd_us\n1200,5,6,7\n1201,5,6,7\n1202,5,6,7\n", DXT_ERR_FORMAT,
         series},
        {"step loss lr tok\n0 5 6 7\n1 5 6 7\n2 5 6 7\n", DXT_ERR_FORMAT, series},
        {"step,loss,lr\n1,5,6\n2,5,6\n3,5,6\n", DXT_ERR_FORMAT, series},
        {"| step | loss | lr |\n|---|---|---|\n| 7 | 5 | 6 |\n| 8 | 5 | 6 |\n| 9 | 5 | 6 |\n",
         DXT_ERR_FORMAT,
         "t:3: the first column is a time or a step: each row of a wait matrix is a rank"},
        {"1764126000 5 6 7\n1764126015 5 6 7\n1764126030 5 6 7\n", DXT_ERR_FORMAT, times},
        {"1764126000 5 6 7\n1764126015 5 6 7\n1764126030 5 6 7\n1764126045 5 6 7\n", DXT_ERR_FORMAT,
         "t:1: the first column is a time or a step: each row of a wait matrix is a rank"},
        {"rank,rank8,rank9,rank10\n8,0,6,7\n9,5,0,7\n10,5,6,0\n", DXT_ERR_FORMAT, counted},
        {"rank a b c\n4 5 6 7\n5 5 6 7\n6 5 6 7\n", DXT_ERR_FORMAT, counted},
        {"a b c\n4 5 6 7\n5 5 6 7\n6 5 6 7\n", DXT_ERR_FORMAT, counted},
        {"9223372036854775807 5 6 7\n8 5 6 7\n9 5 6 7\n", DXT_ERR_FORMAT,
         "t:3: the matrix is not square: 3 rows of 4 values"},
        {",8,9,10\n8,0,6,7\n9,5,0,7\n10,5,6,0\n", DXT_ERR_FORMAT, framed},
    };
    REFUSE(bad);
    /* Sentences are no headings of columns. */
    assert_reads("step 100 now\n9 2 3\n4 5 6\n7 8 9\n", THREE);
    assert_reads("Time waited us\n9 2 3\n4 5 6\n7 8 9\n", THREE);
    /* What is left out is said. */
    assert_says("1764126000001 9 2 3\n1764126000002 4 5 6\n1764126000999 7 8 9\n", THREE,
                "t:1: the first column is taken for times and left out");
    assert_says("7 9 2 3\n8 4 5 6\n9 7 8 9\n", THREE,
                "t:1: the first column is taken for numbers of lines and left out");
}

/* A group of some ranks of the job: the rows stand in their order, which is said. */
static void ranks_of_a_group_are_told(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[rank9] 4 5 6\n[rank8] 9 2 3\n[rank10] 7 8 9\n",
        "[rank9]: tensor([4, 5, 6])\n[rank8]: tensor([9, 2, 3])\n[rank10]: tensor([7, 8, 9])\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_says(texts[i], THREE,
                    "t:1: the rows name ranks 8 to 10: here they are ranks 0 to 2, in this order");
    }
    assert_says("GPU9 4 5 6\nGPU8 9 2 3\nGPU10 7 8 9\n", THREE,
                "t:1: the rows name ranks 8 to 10: here they are ranks 0 to 2, in this order");
    assert_says("GPU2 4 5 6\nGPU1 9 2 3\nGPU3 7 8 9\n", THREE,
                "t:1: the rows name ranks 1 to 3: here they are ranks 0 to 2, in this order");
    assert_reads("GPU1 9 2 3\nGPU2 4 5 6\nGPU3 7 8 9\n", THREE);
    assert_reads("[rank8] 9 2 3\n[rank8] 4 5 6\n[rank8] 7 8 9\n", THREE);
}

/* A row that a message has torn is missing, whatever the message names. */
static void torn_rows_are_told(void **state)
{
    (void)state;
    static const bad_case bad[] = {
        {"1 2 3\n4 5 6\n1 2 x combine\n7 8 9\n", DXT_ERR_FORMAT,
         "t:3: row 2, column 2: x is not a number"},
        {"dispatch\n0 2 3 4\n1 0 3 4\n1 2 combine x\n1 2 0 4\n1 2 3 0\n", DXT_ERR_FORMAT,
         "t:4: row 2, column 2: combine is not a number"},
    };
    REFUSE(bad);
    assert_says("dispatch:\n0 2 3\n1 0 dispatch done\n1 2 0\ncombine:\n0 12 13\n11 0 13\n"
                "11 12 0\n",
                WINDOW("combine", OTHERS), "t:3: row 1, column 2: dispatch is not a number");
    assert_says("dispatch:\n9 2 3\n4 5 6\ncombine:\n0 12 13\n11 0 13\n11 12 0\n",
                WINDOW("combine", OTHERS), "t:4: the matrix is not square: 2 rows of 3 values");
    static const char *const fronts[] = {"INFO:root: ", "10:11:12,100 ", "[10:11:12] ",
                                         "2026-11-26 10:11:12,100 - INFO - "};
    for (size_t i = 0; i < LENGTH(fronts); i++) {
        char text[512];
        const char *front = fronts[i];
        snprintf(text, sizeof text,
                 "%sdispatch:\n%s9 2 3\n%s4 5 6\n%scombine:\n%s0 12 13\n%s11 0 13\n%s11 12 0\n",
                 front, front, front, front, front, front, front);
        assert_says(text, WINDOW("combine", OTHERS),
                    "t:4: the matrix is not square: 2 rows of 3 values");
    }
    /* Messages that name an operator end nothing. */
    assert_reads("INFO rank=0 [9 2 3]\nrank=1 [4 5 6]\nINFO dispatch done\nrank=2 [7 8 9]\n",
                 THREE);
    assert_reads("rank=0 [9 2 3]\nrank=1 [4 5 6]\ndispatch:\nrank=2 [7 8 9]\n", THREE);
}

static void the_rank_of_who_prints_is_no_row(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "rank0: 1 2\nrank0: 3 4\n",
        "rank3: [1 2]\nrank3: [3 4]\n",
        "rank1: 1 2\nrank1: 3 4\n",
        "[rank0]: 1 2\n[rank0]: 3 4\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], ONE);
    assert_reads("rank0: 1 2\nrank0: 3 4\nrank0: 5 6\nrank0: 7 8\n",
                 ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
    static const bad_case bad[] = {
        {"rank 2: 1 2\nrank 1: 3 4\nrank 0: 5 6\n", DXT_ERR_FORMAT,
         "t:1: rank 2 does not exist among 2 ranks"},
    };
    REFUSE(bad);
    assert_reads("rank0: 1.5 2000\nrank0: 3 4\n", PLAIN("dispatch", "0", "[[2,2000],[3,4]]"));
    assert_reads("rank0: 1 2\nrank1: 3 4\nrank0: 5 6\nrank1: 7 8\n",
                 ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
    assert_reads("rank0: " HEAD("2", "Dispatch") "\nrank0: [1 2]\nrank0: [3 4]\n",
                 "{\"v\":1,\"instance\":\"7f-1\",\"begin\":\"2025-09-15T16:28:53.686\",\"phase\":"
                 "\"dispatch\",\"window\":0,\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[1,2],[3,4]]}"
                 "\n");
}

/* A list of somebody else's that is as long as a row. */
static void lists_of_others_are_no_rows(void **state)
{
    (void)state;
#define LOGGED                                                                        \
    "{\"v\":1,\"instance\":\"7f-1\",\"begin\":\"2025-09-15T16:28:53.686\",\"phase\":" \
    "\"dispatch\",\"window\":0,\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[1,2],[3,4]]}\n"
    static const char *const texts[] = {
        HEAD("2", "Dispatch") "\nexperts [9, 9]\n[1 2]\nexperts [9, 9]\n[3 4]\nexperts [9, 9]\n",
        HEAD("2", "Dispatch") "\n[2025-09-15T16:28:53.686] [1 2]\nexperts [9, 8]\n"
                              "[2025-09-15T16:28:53.686] [3 4]\nexperts [9, 7]\n",
        "7: " HEAD("2", "Dispatch") "\n8: [1 2]\n9: [3 4]\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], LOGGED);
}

/* Files of others hold lists, too. */
static void what_is_no_matrix_is_refused(void **state)
{
    (void)state;
#define NONE(line, what) "t:" line ": no window" what
#define OTHER_JSON NONE("1", ": JSON, but no recording (no \"v\", \"phase\", \"ranks\", \"wait\")")
#define OTHER_LIST ": a list of 2 numbers; a matrix has a value for each pair of ranks"
#define OTHER_TEXT ": neither a recording nor rows of a matrix"
    static const bad_case cases[] = {
        {"- 5\n- 6\n", DXT_ERR_FORMAT, NONE("2", OTHER_LIST)},
        {"ports:\n  - 80\n  - 81\n", DXT_ERR_FORMAT, NONE("3", OTHER_LIST)},
        {"torch.Size([8, 8])\n[8, 8]\n", DXT_ERR_FORMAT,
         "t:2: the last window is incomplete: the matrix of line 2 ends after 1 of 2 rows"},
        {"x.shape: [2, 2]\nsize = [2, 2]\n", DXT_ERR_FORMAT, NONE("2", OTHER_TEXT)},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}\n", DXT_ERR_FORMAT, OTHER_JSON},
        {"{\"a\":{\"bbox\":{\"of\":[[1,2,3],[3,4,5],[6,7,8]]}}}\n", DXT_ERR_FORMAT, OTHER_JSON},
        {"{\"data\":{\"result\":[[1,2],[3,4]]}}\n", DXT_ERR_FORMAT, OTHER_JSON},
        {"{\"loss\":[3,2,1],\"epoch\":[0,1,2],\"lr\":[1,1,1]}\n", DXT_ERR_FORMAT, OTHER_JSON},
        {"{\"raw\":[1,2],\"line\":[3,4],\"text\":\"hello\",\"body\":{\"value\":7}}\n",
         DXT_ERR_FORMAT, NONE("1", OTHER_TEXT)},
        {"{\"event\":\"start\",\"value\":1}\n{\"event\":\"stop\",\"value\":2}\n", DXT_ERR_FORMAT,
         NONE("2", OTHER_TEXT)},
        {"{\"m\":\"dispatch 3\",\"value\":[1,2]}\n{\"m\":\"x\",\"value\":[3,4]}\n", DXT_ERR_FORMAT,
         NONE("2", OTHER_TEXT)},
    };
    REFUSE(cases);
}

/* Behind a rank, words that are no name of its counters: what others log. */
static void what_ranks_log_is_no_row(void **state)
{
    (void)state;
    static const char *const words[] = {
        "borrowed 100 200",
        "throwing 100 200",
        "waiting 100 200",
        "awaits 100 200",
        "dispatch took 100 200",
        "dispatched 100 200",
        "dispatch took: 100 200",
        "dispatch shape=(100, 200)",
        "dispatch grid (100, 200)",
        "costly: 100 200",
        "arrow=100 200",
    };
    for (size_t i = 0; i < LENGTH(words); i++) {
        char text[256];
        snprintf(text, sizeof text, "rank 0 %s\nrank 1 %s\n[1 2]\n[3 4]\n", words[i], words[i]);
        assert_reads(text, ONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_no_matrices),
        cmocka_unit_test(ranks_of_a_group_are_told),
        cmocka_unit_test(torn_rows_are_told),
        cmocka_unit_test(the_rank_of_who_prints_is_no_row),
        cmocka_unit_test(lists_of_others_are_no_rows),
        cmocka_unit_test(what_is_no_matrix_is_refused),
        cmocka_unit_test(what_ranks_log_is_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
