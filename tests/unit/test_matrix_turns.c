/* SPDX-License-Identifier: Apache-2.0 */
/* Rows without headers that operators and writers print in turns, and prints in blocks. */
#include "test_matrix_reading.h"

#define WINDOW(phase, number, wait)                                       \
    "{\"v\":1,\"phase\":\"" phase "\",\"window\":" number ",\"ranks\":3," \
    "\"unit\":\"cycles\",\"wait\":" wait "}\n"
#define NINE "[[9,2,3],[4,5,6],[7,8,9]]"
#define OTHERS "[[0,12,13],[11,0,13],[11,12,0]]"

#define MIXED(at, line)                                                                       \
    "t:" at ": the matrix of line " line " is lost: several writers take turns, and nothing " \
    "says whose this row is"
#define ENDS(at, line) "t:" at ": the matrix of line " line " ends after 1 of 3 rows"
#define HOSTS(a, b, c, step) \
    a " rank 0: " step " 1 5\n" b " rank 1: " step " 2 5\n" c " rank 2: " step " 3 5\n"
#define STEP(number, step) \
    WINDOW("dispatch", number, "[[" step ",1,5],[" step ",2,5],[" step ",3,5]]")

/* The operator stands between the rank and its row. */
static void operators_take_turns(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "rank 0 dispatch: 9 2 3\nrank 0 combine: 0 12 13\nrank 1 dispatch: 4 5 6\n"
        "rank 1 combine: 11 0 13\nrank 2 dispatch: 7 8 9\nrank 2 combine: 11 12 0\n",
        "rank 0 dispatch: [9, 2, 3]\nrank 0 combine: [0, 12, 13]\nrank 2 dispatch: [7, 8, 9]\n"
        "rank 2 combine: [11, 12, 0]\nrank 1 dispatch: [4, 5, 6]\nrank 1 combine: [11, 0, 13]\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_reads(texts[i], WINDOW("dispatch", "0", NINE) WINDOW("combine", "0", OTHERS));
    assert_reads("rank 0 dispatch: 1 2\nrank 0 combine: 5 6\nrank 1 dispatch: 3 4\n"
                 "rank 1 combine: 7 8\n",
                 ONE PLAIN("combine", "0", "[[5,6],[7,8]]"));
}

/* What stands in front of its rows tells two jobs apart. */
static void writers_without_headers_take_turns(void **state)
{
    (void)state;
    assert_reads("a rank 0: [1, 2]\nb rank 0: [5, 6]\na rank 1: [3, 4]\nb rank 1: [7, 8]\n",
                 ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"));
    assert_reads("a rank 0: 9 2 3\nb rank 0: 0 12 13\nb rank 1: 11 0 13\na rank 1: 4 5 6\n"
                 "a rank 2: 7 8 9\nb rank 2: 11 12 0\n",
                 WINDOW("dispatch", "0", NINE) WINDOW("dispatch", "1", OTHERS));
    /* A matrix that is torn is not filled with rows of a later one. */
    assert_told("step 1 rank 0: 1 1 1\nstep 2 rank 0: 9 2 3\nstep 2 rank 1: 4 5 6\n"
                "step 2 rank 2: 7 8 9\nstep 3 rank 1: 11 0 13\nstep 3 rank 0: 0 12 13\n"
                "step 3 rank 2: 11 12 0\n",
                WINDOW("dispatch", "0", NINE) WINDOW("dispatch", "1", OTHERS),
                "t:4: the matrix of line 1 ends after 1 of 3 rows");
    /* Of ranks on different hosts nothing says whose they are. */
    assert_told("a rank 0: 9 2 3\nb rank 0: 0 12 13\nc rank 1: 11 0 13\nd rank 1: 4 5 6\n"
                "e rank 2: 7 8 9\nf rank 2: 11 12 0\n",
                "", MIXED("3", "1") "\n" MIXED("3", "2"));
    /* One launcher's rank is in front of each line. */
    assert_reads("rank 3: [1, 2]\nrank 3: [3, 4]\n", ONE);
}

/* Behind rows that nobody knows the writers of, matrices are read again once they come whole, one
 * behind the other, and never put together from the rows of several. */
static void writers_are_told_again(void **state)
{
    (void)state;
    /* The ranks have moved to other hosts. */
    assert_told(HOSTS("a", "b", "c", "1") "a rank 0: 2 1 5\n" HOSTS("x", "y", "z", "3")
                    HOSTS("x", "y", "z", "4") HOSTS("x", "y", "z", "6") HOSTS("x", "y", "z", "7"),
                STEP("0", "1") STEP("1", "4") STEP("2", "6") STEP("3", "7"),
                MIXED("6", "4") "\n" MIXED("6", "5"));
    /* From the last rank to the first. */
    assert_told("a rank 2: 2 3 5\nx rank 2: 3 3 5\ny rank 1: 3 2 5\nz rank 0: 3 1 5\n"
                "x rank 2: 4 3 5\ny rank 1: 4 2 5\nz rank 0: 4 1 5\n",
                STEP("0", "4"), MIXED("3", "1") "\n" MIXED("3", "2"));
    /* The rows of both go on in turns, and come one job behind the other at last. */
    assert_told("a rank 0: 1 1 5\nx rank 0: 2 1 5\nb rank 1: 1 2 5\ny rank 1: 2 2 5\n"
                "c rank 2: 1 3 5\nz rank 2: 2 3 5\n"
                "a rank 0: 3 1 5\nx rank 0: 4 1 5\ny rank 1: 4 2 5\nb rank 1: 3 2 5\n"
                "c rank 2: 3 3 5\nz rank 2: 4 3 5\n" HOSTS("a", "b", "c", "6")
                    HOSTS("x", "y", "z", "7"),
                STEP("0", "7"),
                MIXED("3", "1") "\n" MIXED("3", "2") "\n" MIXED("7", "7") "\n" MIXED(
                    "8", "8") "\n" MIXED("13", "13"));
    /* What stands in front tells the writers of the others. */
    assert_told("a rank 0: 1 1 5\nb rank 0: 2 1 5\nc rank 1: 1 2 5\na rank 1: 1 2 5\n"
                "b rank 1: 2 2 5\na rank 2: 1 3 5\nb rank 2: 2 3 5\n"
                "a rank 0: 3 1 5\nb rank 0: 4 1 5\na rank 1: 3 2 5\nb rank 1: 4 2 5\n"
                "a rank 2: 3 3 5\nb rank 2: 4 3 5\n",
                STEP("0", "3") STEP("1", "4"), MIXED("3", "1") "\n" MIXED("3", "2"));
    /* A job of another size. */
    assert_told("a rank 0: 1 1 5\nx rank 0: 2 1 5\nb rank 1: 1 2 5\na rank 1: [3, 4]\n"
                "a rank 0: [1, 2]\nb rank 1: [3, 4]\n",
                ONE, MIXED("3", "1") "\n" MIXED("3", "2"));
    /* A row that is spoilt begins nothing. */
    assert_told("a rank 0: 1 1 5\nx rank 0: 2 1 5\ny rank 1: 2 2 5\nz rank 2: 2 3 5\n"
                "x rank 0: [3, oops, 5]\n" HOSTS("x", "y", "z", "4") HOSTS("x", "y", "z", "6"),
                STEP("0", "6"),
                MIXED("3", "1") "\n" MIXED("3", "2") "\n" MIXED("5", "5") "\n" MIXED("6", "6"));
    static const bad_case bad[] = {
        {"a rank 0: 1 1 5\nx rank 0: 2 1 5\ny rank 1: 2 2 5\n", DXT_ERR_FORMAT, MIXED("3", "1")},
    };
    REFUSE(bad);
}

/* Two rows of one rank may be a launcher's, or the first ones of two matrices: another rank tells.
 */
static void torn_matrices_are_no_launchers(void **state)
{
    (void)state;
    assert_told("a rank 0: 1 1 5\n" HOSTS("a", "b", "c", "2") HOSTS("a", "b", "c", "3"),
                STEP("0", "2") STEP("1", "3"), ENDS("3", "1"));
    assert_told(HOSTS("a", "b", "c", "1") "a rank 0: 2 1 5\n" HOSTS("a", "b", "c", "3")
                    HOSTS("a", "b", "c", "4"),
                STEP("0", "1") STEP("1", "3") STEP("2", "4"), ENDS("5", "4"));
    assert_told("rank 2: [1.5, 3, 5]\nrank 2: [1000.5, 3, 5]\nrank 1: [6, 2, 5]\n"
                "rank 0: [6, 1, 5]\n",
                WINDOW("dispatch", "0", "[[6,1,5],[6,2,5],[1000,3,5]]"), ENDS("3", "1"));
    /* Nothing of a torn one stays in a row that is missing. */
    assert_told("rank 3: [1, 2, 3, 4]\nrank 3: [5, 6, 7, 8]\nrank 0: [8, 7, 6, 5]\n"
                "rank 0: [4, 3, 2, 1]\nrank 1: [8, 6, 4, 2]\nrank 2: [7, 5, 3, 1]\n"
                "rank 3: [1, 3, 5, 7]\n",
                "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":4,\"unit\":\"cycles\","
                "\"wait\":[[8,7,6,5],null,null,[5,6,7,8]]}\n"
                "{\"v\":1,\"phase\":\"dispatch\",\"window\":1,\"ranks\":4,\"unit\":\"cycles\","
                "\"wait\":[[4,3,2,1],[8,6,4,2],[7,5,3,1],[1,3,5,7]]}\n",
                "t:3: the matrix of line 1 ends after 1 of 4 rows");
    /* Two of 2 ranks, behind a whole one. */
    assert_told("a rank 0: 1 2\nb rank 1: 3 4\na rank 0: 5 0\na rank 0: 5 6\nb rank 1: 7 8\n",
                ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]"),
                "t:4: the matrix of line 3 ends after 1 of 2 rows");
    /* The newest one may be another writer's. */
    assert_told("a rank 0: 1 1 5\na rank 0: 2 1 5\nx rank 0: 3 1 5\nb rank 1: 2 2 5\n"
                "y rank 1: 3 2 5\nc rank 2: 2 3 5\nz rank 2: 3 3 5\n" HOSTS("a", "b", "c", "4")
                    HOSTS("a", "b", "c", "6"),
                STEP("0", "6"),
                ENDS("3", "1") "\n" MIXED("4", "2") "\n" MIXED("4", "3") "\n" MIXED("8", "8"));
    assert_told("a rank 0: [1, 1, 5, 5]\na rank 0: [2, 1, 5, 5]\nsizes: [7, 8, 9, 9]\n"
                "a rank 1: [2, 2, 5, 5]\n",
                "",
                "t:4: the matrix of line 1 ends after 1 of 4 rows\n"
                "t:4: one more behind line 1 ends after 1 of 4 rows\n" MIXED("4", "3"));
    /* The third one is spoilt. */
    assert_told("rank 0: [1, 1, 5]\nrank 0: [2, 1, 5]\nrank 0: [2, oops, 5]\nrank 1: [2, 2, 5]\n"
                "rank 2: [2, 3, 5]\nrank 0: [4, 1, 5]\nrank 1: [4, 2, 5]\nrank 2: [4, 3, 5]\n",
                STEP("0", "4"),
                "t:3: row 0, column 1: oops is not a number\n"
                "t:6: the matrix of line 4 ends after 2 of 3 rows");
    static const bad_case bad[] = {
        {"rank 0: 1 1 5\nrank 0: 2 1 5\nrank 1: 2 2 5\n", DXT_ERR_FORMAT, ENDS("3", "1")},
    };
    REFUSE(bad);
}

/* "[[" begins another print: the one before was torn, and is not filled with its rows. */
static void prints_that_are_torn_end(void **state)
{
    (void)state;
    assert_told("[[9, 2, 3],\n [4, 5, 6],\n[[0, 12, 13],\n [11, 0, 13],\n [11, 12, 0]]\n",
                WINDOW("dispatch", "0", OTHERS),
                "t:3: the matrix of line 1 ends after 2 of 3 rows");
    assert_told("1: [[9, 2, 3],\n2:  [4, 5, 6],\n3: [[0, 12, 13],\n4:  [11, 0, 13],\n"
                "5:  [11, 12, 0]]\n",
                WINDOW("dispatch", "0", OTHERS),
                "t:3: the matrix of line 1 ends after 2 of 3 rows");
    /* Whose rows come in turns is not known. */
    assert_told("a: [9, 2, 3]\nb: [0, 12, 13]\na: [4, 5, 6]\nb: [11, 0, 13]\na: [7, 8, 9]\n", "",
                "t:3: several writers take turns, and nothing says whose this row is\n"
                "t:5: the last window is incomplete: the matrix of line 5 ends after 1 of 3 rows");
    /* A column of steps is no rank's. */
    static const bad_case bad[] = {
        {"step,rank,r0,r1\n1,0,1,2\n1,1,3,4\n2,0,5,6\n2,1,7,8\n", DXT_ERR_FORMAT,
         "t:2: the first column is a time or a step: each row of a wait matrix is a rank"},
    };
    REFUSE(bad);
}

/* pandas calls its columns and rows what people call them, and prints wide ones in blocks. */
static void named_rows_in_blocks_are_read(void **state)
{
    (void)state;
    assert_reads("       rank0  rank1  \\\nrank0      9      2   \nrank1      4      5   \n"
                 "rank2      7      8   \n\n       rank2  \nrank0      3  \nrank1      6  \n"
                 "rank2      9  \n",
                 WINDOW("dispatch", "0", NINE));
    assert_reads("       rank0  rank1  rank2  \\\nrank0      1      2      3   \n"
                 "rank1      5      6      7   \nrank2      1      2      3   \n"
                 "rank3      5      6      7   \n\n       rank3  \nrank0      4  \nrank1      8  \n"
                 "rank2      4  \nrank3      8  \n",
                 "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":4,\"unit\":\"cycles\","
                 "\"wait\":[[1,2,3,4],[5,6,7,8],[1,2,3,4],[5,6,7,8]]}\n");
}

/* Where blanks separate, commas part thousands behind a rank as well. */
static void ranks_with_thousands_are_read(void **state)
{
    (void)state;
    static const char expected[] =
        "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":3,\"unit\":\"cycles\","
        "\"wait\":[[1234,52617,3],[4,5,6],[1007,8,1234567]]}\n";
    static const char *const texts[] = {
        "rank 0   1,234  52,617          3\nrank 1       4       5          6\n"
        "rank 2   1,007       8  1,234,567\n",
        "rank 0: 1,234 52,617 3\nrank 1: 4 5 6\nrank 2: 1,007 8 1,234,567\n",
        "rank0: 1,234 52,617 3\nrank1: 4 5 6\nrank2: 1,007 8 1,234,567\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) assert_reads(texts[i], expected);
    assert_reads("rank 0: 9,2,3\nrank 1: 4,5,6\nrank 2: 7,8,9\n", WINDOW("dispatch", "0", NINE));
}

/* The operator stands in the first column of a long table. */
static void operators_in_a_column_are_told_apart(void **state)
{
    (void)state;
    assert_reads("phase,src,dst,wait\ndispatch,0,0,1\ndispatch,0,1,2\ndispatch,1,0,3\n"
                 "dispatch,1,1,4\ncombine,0,0,5\ncombine,0,1,6\ncombine,1,0,7\ncombine,1,1,8\n",
                 ONE PLAIN("combine", "0", "[[5,6],[7,8]]"));
    assert_reads("dispatch,1,2\ndispatch,3,4\ncombine,5,6\ncombine,7,8\n",
                 ONE PLAIN("combine", "0", "[[5,6],[7,8]]"));
    static const bad_case bad[] = {
        {"dispatch,1,2\ncombine,3,4\n", DXT_ERR_FORMAT,
         "t:2: row 1 is one of combine, those before are of dispatch"},
    };
    REFUSE(bad);
}

/* pandas writes the numbers of lines in front of row, column and value. */
static void numbered_cells_are_read(void **state)
{
    (void)state;
    assert_reads(",src,dst,wait\n0,0,0,9\n1,0,1,2\n2,0,2,3\n3,1,0,4\n4,1,1,5\n5,1,2,6\n"
                 "6,2,0,7\n7,2,1,8\n8,2,2,9\n",
                 WINDOW("dispatch", "0", NINE));
    assert_reads("   src  dst  wait\n0    0    0     1\n1    0    1     2\n2    1    0     3\n"
                 "3    1    1     4\n",
                 ONE);
    assert_reads("0 1 2 3\n1 0 4 5\n2 3 4 5\n3 4 5 6\n",
                 "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":4,\"unit\":\"cycles\","
                 "\"wait\":[[0,1,2,3],[1,0,4,5],[2,3,4,5],[3,4,5,6]]}\n");
}

/* An object for each row, its columns called by their numbers. */
static void records_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[{\"0\":9,\"1\":2,\"2\":3},{\"0\":4,\"1\":5,\"2\":6},{\"0\":7,\"1\":8,\"2\":9}]\n",
        "[{\"rank\":2,\"rank0\":7,\"rank1\":8,\"rank2\":9},\n"
        " {\"rank\":0,\"rank0\":9,\"rank1\":2,\"rank2\":3},\n"
        " {\"rank\":1,\"rank0\":4,\"rank1\":5,\"rank2\":6}]\n",
        "[{0: 9, 1: 2, 2: 3}, {0: 4, 1: 5, 2: 6}, {0: 7, 1: 8, 2: 9}]\n",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_reads(texts[i], WINDOW("dispatch", "0", NINE));
}

/* What a logger puts in front stands in front of the numbers of the columns, too; Jira writes two
 * bars around names; the names of both axes stand above the numbers. */
static void headings_of_tables_are_passed_over(void **state)
{
    (void)state;
    assert_reads("INFO:root:   0  1  2\nINFO:root:0  9  2  3\nINFO:root:1  4  5  6\n"
                 "INFO:root:2  7  8  9\n",
                 WINDOW("dispatch", "0", NINE));
    assert_reads("|| ||r0||r1||r2||\n||r0|9|2|3|\n||r1|4|5|6|\n||r2|7|8|9|\n",
                 WINDOW("dispatch", "0", NINE));
    assert_reads("||2|3|\n|4||6|\n|7|8||\n",
                 WINDOW("dispatch", "0", "[[null,2,3],[4,null,6],[7,8,null]]"));
    assert_reads("dst  0  1  \\\nsrc         \n0    9  2   \n1    4  5   \n2    7  8   \n\n"
                 "dst  2  \nsrc     \n0    3  \n1    6  \n2    9  \n",
                 WINDOW("dispatch", "0", NINE));
}

/* A launcher writes the rank of who prints in front of each part of a row as well. */
static void parts_behind_a_rank_are_put_together(void **state)
{
    (void)state;
    assert_reads("rank0: [[9\nrank0:   2\nrank0:   3]\nrank0:  [4\nrank0:   5\nrank0:   6]\n"
                 "rank0:  [7\nrank0:   8\nrank0:   9]]\n",
                 WINDOW("dispatch", "0", NINE));
    assert_reads("rank0: [[1 2\nrank0:   3 4\nrank0:   5 6]\nrank0:  [2 2\nrank0:   3 4\nrank0:   "
                 "5 6]\nrank0:  [3 2\nrank0:   3 4\nrank0:   5 6]\nrank0:  [4 2\nrank0:   3 "
                 "4\nrank0:   5 6]\nrank0:  [5 2\nrank0:   3 4\nrank0:   5 6]\nrank0:  [6 "
                 "2\nrank0:   3 4\nrank0:   5 6]]\n",
                 "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":6,\"unit\":\"cycles\","
                 "\"wait\":[[1,2,3,4,5,6],[2,2,3,4,5,6],[3,2,3,4,5,6],[4,2,3,4,5,6],[5,2,3,4,5,6],["
                 "6,2,3,4,5,6]]}\n");
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    read_without_memory("rank 0: 1,234 52,617 3\nrank 1: 4 5 6\nrank 2: 1,007 8 1,234,567\n");
    read_without_memory("a rank 0: [1, 2]\nb rank 0: [5, 6]\na rank 1: [3, 4]\nb rank 1: [7, 8]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_take_turns),
        cmocka_unit_test(writers_without_headers_take_turns),
        cmocka_unit_test(writers_are_told_again),
        cmocka_unit_test(torn_matrices_are_no_launchers),
        cmocka_unit_test(prints_that_are_torn_end),
        cmocka_unit_test(named_rows_in_blocks_are_read),
        cmocka_unit_test(ranks_with_thousands_are_read),
        cmocka_unit_test(operators_in_a_column_are_told_apart),
        cmocka_unit_test(numbered_cells_are_read),
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(headings_of_tables_are_passed_over),
        cmocka_unit_test(parts_behind_a_rank_are_put_together),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
