/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are one log: folders, parts that were rotated, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "files.h"
#include "options.h"

#define RECORDING(instance, time)                                                           \
    "{\"v\":1,\"instance\":\"" instance "\",\"begin\":\"" time "\",\"phase\":\"dispatch\"," \
    "\"window\":0,\"ranks\":2,\"wait\":[[1,2],[3,4]]}\n"

static char folder[] = "dxt-files-XXXXXX";

static char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    put("run.jsonl", RECORDING("a", "2026-03-04T05:06:09"));
    put("run.jsonl.1", RECORDING("a", "2026-03-04T05:06:08"));
    put("run.jsonl.2", RECORDING("a", "2026-03-04T05:06:07"));
    put("other.jsonl", RECORDING("b", "2026-03-04T05:06:07"));
    put("matrix.txt", "1 2\n3 4\n");
    put("notes.md", "nothing to read\n");
    complain_mute(true);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"run.jsonl",   "run.jsonl.1", "run.jsonl.2",
                                        "other.jsonl", "matrix.txt",  "notes.md"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unlink(path_of(names[i]));
    return rmdir(folder);
}

/* "run.jsonl.2 run.jsonl.1 run.jsonl|other.jsonl|…", in the order of the groups. */
static void describe(const file_groups *groups, char *text)
{
    *text = '\0';
    for (size_t i = 0; i < groups->count; i++)
        for (size_t j = 0; j < groups->groups[i].count; j++) {
            strcat(text, j ? " " : i ? "|" : "");
            strcat(text, strrchr(groups->groups[i].paths[j], '/') + 1);
        }
}

#define WANTED "matrix.txt|other.jsonl|run.jsonl.2 run.jsonl.1 run.jsonl"

static void a_folder_is_its_logs(void **state)
{
    (void)state;
    char text[256], *operands[] = {folder};
    file_groups groups;
    assert_int_equal(files_find("test", operands, 1, &groups), GO_ON);
    describe(&groups, text);
    assert_string_equal(text, WANTED);
    files_free(&groups);
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    char nothing[] = "", *operands[] = {nothing};
    file_groups groups;
    assert_int_equal(files_find("test", operands, 1, &groups), EXIT_USAGE);
    files_free(&groups);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    char text[256], *operands[] = {folder};
    long k = 1;
    for (;; k++) {
        file_groups groups = {0};
        alloc_fail_arm(k);
        outcome result = files_find("test", operands, 1, &groups);
        bool failed = alloc_fail_disarm();
        if (result == GO_ON) {
            /* Nothing may be missing without a word. */
            describe(&groups, text);
            assert_string_equal(text, WANTED);
            files_free(&groups);
        } else {
            assert_int_equal(result, EXIT_FAILED);
        }
        if (!failed) break;
    }
    assert_true(k > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_its_logs),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
