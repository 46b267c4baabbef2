/* SPDX-License-Identifier: Apache-2.0 */
/* The one loader of parts: where it looks, what it takes, and why it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "system/loader.h"

static char folder[] = "/tmp/dxt-loader-XXXXXX", file[64];
static char why[DXT_LOADER_WHY_SIZE];
static int asked;

/* A file of that name that is no library. */
static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/libdeepxtrace-test.so.0", folder);
    FILE *out = fopen(file, "w");
    if (!out) return -1;
    fputs("no library\n", out);
    return fclose(out);
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static bool count_and(void *library, void *context)
{
    assert_non_null(library);
    asked++;
    return *(bool *)context;
}

static void what_is_wrong_with_a_file_is_said(void **state)
{
    (void)state;
    setenv("DEEPXTRACE_PARTS", folder, 1);
    assert_null(dxt_load_part("test", folder, NULL, NULL, why, sizeof why));
    assert_non_null(strstr(why, file)); /* not that there is none elsewhere */
    unsetenv("DEEPXTRACE_PARTS");
    assert_null(dxt_load_part("test", folder, NULL, NULL, why, sizeof why));
    assert_null(strstr(why, file));
    assert_true(why[0]);
}

static void a_part_of_another_version_is_not_taken(void **state)
{
    (void)state;
    char *path = realpath(BUILT_PART, NULL);
    assert_non_null(path);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(symlink(path, file), 0);
    free(path);
    setenv("DEEPXTRACE_PARTS", folder, 1);
    bool fits = false;
    assert_null(dxt_load_part("test", folder, count_and, &fits, why, sizeof why));
    assert_int_equal(asked, 1);
    assert_non_null(strstr(why, file));
    assert_non_null(strstr(why, "of another version"));
    fits = true;
    void *library = dxt_load_part("test", folder, count_and, &fits, why, sizeof why);
    assert_non_null(library);
    assert_int_equal(asked, 2);
    assert_string_equal(why, file);
    int (*number)(void) = NULL;
    dxt_part_symbol(library, "loader_number", &number);
    assert_non_null(number);
    assert_int_equal(number(), 42);
    dxt_part_symbol(library, "no_such_function", &number);
    assert_null(number);
    unsetenv("DEEPXTRACE_PARTS");
}

static void an_mpi_is_told_from_what_started_the_program(void **state)
{
    (void)state;
    static const char *const names[] = {"DEEPXTRACE_MPI", "OMPI_COMM_WORLD_SIZE", "PMI_RANK",
                                        "PMI_FD", "PMIX_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unsetenv(names[i]);
    assert_null(dxt_which_mpi(why, sizeof why));
    assert_non_null(strstr(why, "mpirun"));
    setenv("PMIX_RANK", "0", 1);
    assert_string_equal(dxt_which_mpi(why, sizeof why), "openmpi");
    setenv("PMI_RANK", "0", 1);
    assert_string_equal(dxt_which_mpi(why, sizeof why), "mpich");
    setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
    assert_string_equal(dxt_which_mpi(why, sizeof why), "openmpi");
    setenv("DEEPXTRACE_MPI", "mpich", 1);
    assert_string_equal(dxt_which_mpi(why, sizeof why), "mpich");
    setenv("DEEPXTRACE_MPI", "other", 1);
    assert_null(dxt_which_mpi(why, sizeof why));
    assert_non_null(strstr(why, "\"other\""));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unsetenv(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_with_a_file_is_said),
        cmocka_unit_test(a_part_of_another_version_is_not_taken),
        cmocka_unit_test(an_mpi_is_told_from_what_started_the_program),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
