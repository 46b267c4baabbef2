/* SPDX-License-Identifier: Apache-2.0 */
/* The files that are written for programs of MPI: whole windows, and nothing of others is lost. */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "pmpi.h"

static char folder[] = "/tmp/dxt-record-XXXXXX";

static int prepare(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : 1;
}

static int clean(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void add(pmpi_file *file, char letter, size_t count)
{
    for (size_t k = 0; k < count; k++) pmpi_file_put(file, &letter, 1);
    pmpi_file_put(file, "\n", 1);
    pmpi_file_commit(file);
}

/* While nothing more fits, parts are left out as a whole; later ones stand behind those before. */
static void what_does_not_fit_is_left_out(void **state)
{
    struct rlimit before, small;
    char path[128], text[16] = "";
    (void)state;
    snprintf(path, sizeof path, "%s/f.log", folder);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (size_t size = 100; size < 100000; size *= 100) { /* in the buffer, and beyond */
        pmpi_file *file = pmpi_file_open(path);
        assert_non_null(file);
        add(file, 'a', 2);
        small = (struct rlimit){.rlim_cur = 50, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        add(file, 'b', size);
        add(file, 'c', size);
        add(file, 'd', 3);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        add(file, 'e', 1);
        pmpi_file_close(file);
        FILE *back = fopen(path, "r");
        assert_non_null(back);
        assert_int_equal(fread(text, 1, sizeof text - 1, back), 9);
        fclose(back);
        assert_string_equal(text, "aa\nddd\ne\n");
        unlink(path);
    }
    assert_null(pmpi_file_open("/nowhere/at/all"));
}

/* A child forked while a window is being written ends like any program, which flushes its files. */
static void a_forked_child_writes_nothing(void **state)
{
    char path[128], text[16] = "";
    int status = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/h.log", folder);
    pmpi_file *file = pmpi_file_open(path);
    assert_non_null(file);
    pmpi_file_put(file, "half", 4);
    pid_t child = fork();
    if (child == 0) {
        fflush(NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    add(file, '.', 1);
    pmpi_file_close(file);
    FILE *back = fopen(path, "r");
    assert_non_null(back);
    assert_int_equal(fread(text, 1, sizeof text - 1, back), 6);
    fclose(back);
    unlink(path);
    assert_string_equal(text, "half.\n");
}

/* What is in a file below the folder, which is removed. @return "-" if there is none. */
static const char *taken(const char *name)
{
    static char text[64];
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *back = fopen(path, "r");
    if (!back) return "-";
    text[fread(text, 1, sizeof text - 1, back)] = '\0';
    fclose(back);
    unlink(path);
    return text;
}

static void write_at(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_file_that_is_removed_is_made_again(void **state)
{
    char below[96], deep[112], path[128];
    struct stat is;
    (void)state;
    snprintf(below, sizeof below, "%s/below", folder);
    snprintf(deep, sizeof deep, "%s/deep", below);
    snprintf(path, sizeof path, "%s/i.log", deep);
    assert_int_equal(mkdir(below, 0700), 0);
    assert_int_equal(mkdir(deep, 0700), 0);
    pmpi_file *file = pmpi_file_open(path);
    assert_non_null(file);
    add(file, 'a', 1);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(deep), 0);
    assert_int_equal(rmdir(below), 0);
    add(file, 'b', 1);
    add(file, 'c', 1);
    pmpi_file_close(file);
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0666);
    assert_string_equal(taken("below/deep/i.log"), "b\nc\n");
    rmdir(deep);
    rmdir(below);
}

/* Of others nothing is written over: neither a file that has the name, nor what a link leads to,
 * nor a file of that name where the program is now. */
static void making_a_file_again_destroys_nothing(void **state)
{
    char path[128], kept[128], below[128], before[PATH_MAX];
    (void)state;
    snprintf(path, sizeof path, "%s/j.log", folder);
    snprintf(kept, sizeof kept, "%s/kept", folder);
    snprintf(below, sizeof below, "%s/below", folder);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    pmpi_file *file = pmpi_file_open("./j.log");
    assert_non_null(file);
    add(file, 'a', 1);
    assert_int_equal(unlink(path), 0);
    pmpi_file *other = pmpi_file_open(path);
    assert_non_null(other);
    add(other, 'A', 1);
    add(file, 'b', 1);
    add(other, 'B', 1);
    add(file, 'c', 1);
    pmpi_file_close(other);
    assert_string_equal(taken("j.1.log"), "A\nB\n");
    assert_string_equal(taken("j.log"), "b\nc\n");

    write_at(kept, "precious\n");
    assert_int_equal(symlink("kept", path), 0);
    add(file, 'd', 1);
    assert_string_equal(taken("kept"), "precious\n");
    assert_int_equal(unlink(path), 0);
    add(file, 'e', 1);
    assert_string_equal(taken("j.log"), "e\n");

    assert_int_equal(mkdir(below, 0700), 0);
    assert_int_equal(chdir(below), 0);
    write_at("j.log", "precious\n");
    add(file, 'f', 1);
    assert_string_equal(taken("below/j.log"), "precious\n");
    assert_string_equal(taken("j.log"), "f\n");
    pmpi_file_close(file);
    assert_int_equal(chdir(before), 0);
    rmdir(below);
}

/* Names of files: no file system at hand leaves them uncounted, or counts one that is gone. */
static _Atomic long names = -1; /* -1 = as it is */

int __real_fstat(int fd, struct stat *is);
int __wrap_fstat(int fd, struct stat *is);

int __wrap_fstat(int fd, struct stat *is)
{
    int status = __real_fstat(fd, is);
    if (names >= 0) is->st_nlink = (nlink_t)names;
    return status;
}

/* 0 as with some of FUSE, 1 as over NFS. */
static void how_many_names_a_file_has_does_not_matter(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/k.log", folder);
    for (long count = 0; count < 2; count++) {
        names = count;
        pmpi_file *file = pmpi_file_open(path);
        assert_non_null(file);
        for (char letter = 'a'; letter < 'd'; letter++) add(file, letter, 1);
        assert_string_equal(taken("k.log"), "a\nb\nc\n");
        add(file, 'd', 1); /* another job may be about to take the name */
        add(file, 'e', 1);
        assert_string_equal(taken("k.log"), "e\n");
        add(file, 'f', 1);
        pmpi_file *other = pmpi_file_open(path);
        for (int k = 0; k < 3; k++) add(file, 'g', 1), add(other, 'G', 1);
        pmpi_file_close(other);
        pmpi_file_close(file);
        names = -1;
        assert_string_equal(taken("k.log"), "G\nG\nG\n");
    }
}

/* A job that goes on beside another in its folder goes on in the file that it has. */
static void a_file_that_got_another_name_is_written_on(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/l.log", folder);
    pmpi_file *file = pmpi_file_open(path);
    assert_non_null(file);
    add(file, 'a', 1);
    pmpi_file *other = pmpi_file_open(path);
    assert_non_null(other);
    for (int k = 0; k < 3; k++) add(file, 'b', 1), add(other, 'B', 1);
    pmpi_file_close(file);
    pmpi_file_close(other);
    assert_string_equal(taken("l.1.log"), "a\nb\nb\nb\n");
    assert_string_equal(taken("l.log"), "B\nB\nB\n");
}

/* Of three jobs in one folder, the last has the name. */
static void what_another_job_has_written_stays(void **state)
{
    static const char *const left[] = {"f.1.log", "f.2.log", "f.log"};
    char path[128], text[16];
    (void)state;
    snprintf(path, sizeof path, "%s/f.log", folder);
    for (int job = 0; job < 3; job++) {
        pmpi_file *file = pmpi_file_open(path);
        assert_non_null(file);
        add(file, (char)('a' + job), 1);
        pmpi_file_close(file);
    }
    for (int job = 0; job < 3; job++) {
        snprintf(path, sizeof path, "%s/%s", folder, left[job]);
        FILE *back = fopen(path, "r");
        assert_non_null(back);
        assert_int_equal(fread(text, 1, sizeof text, back), 2);
        assert_int_equal(text[0], 'a' + job);
        fclose(back);
        unlink(path);
    }
}

/* In a folder that others may write to, a name may lead anywhere: nothing is written there, be it
 * the first file or what the older one is to be called. A pipe is not waited for. */
static void links_and_pipes_are_not_followed(void **state)
{
    char path[128], kept[128], older[128], target[16];
    (void)state;
    snprintf(path, sizeof path, "%s/m.log", folder);
    snprintf(kept, sizeof kept, "%s/kept", folder);
    snprintf(older, sizeof older, "%s/m.1.log", folder);
    for (int empty = 0; empty < 2; empty++) {
        write_at(kept, empty ? "" : "precious\n");
        assert_int_equal(symlink("kept", path), 0);
        assert_null(pmpi_file_open(path));
        assert_string_equal(taken("kept"), empty ? "" : "precious\n");
        assert_null(pmpi_file_open(path)); /* a link to nothing */
        assert_string_equal(taken("kept"), "-");
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(pmpi_file_open(path));
    assert_int_equal(unlink(path), 0);

    write_at(path, "older\n");
    assert_int_equal(symlink("nothing", older), 0);
    pmpi_file *file = pmpi_file_open(path);
    assert_non_null(file);
    add(file, 'a', 1);
    pmpi_file_close(file);
    assert_int_equal(readlink(older, target, sizeof target), 7);
    assert_int_equal(unlink(older), 0);
    assert_string_equal(taken("m.2.log"), "older\n");
    assert_string_equal(taken("m.log"), "a\n");
}

/* An empty file of an earlier job is used; one that a job is about to fill is not. */
static void jobs_that_begin_together_have_a_file_each(void **state)
{
    enum { JOBS = 3 };
    static const char *const left[JOBS] = {"n.1.log", "n.2.log", "n.log"};
    pmpi_file *files[JOBS];
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/n.log", folder);
    write_at(path, "");
    for (int job = 0; job < JOBS; job++) assert_non_null(files[job] = pmpi_file_open(path));
    for (int round = 0; round < 2; round++)
        for (int job = 0; job < JOBS; job++) add(files[job], (char)('a' + job), 1);
    for (int job = 0; job < JOBS; job++) pmpi_file_close(files[job]);
    for (int job = 0; job < JOBS; job++) {
        const char want[] = {(char)('a' + job), '\n', (char)('a' + job), '\n', '\0'};
        assert_string_equal(taken(left[job]), want);
    }
}

/* Processes that begin at the same moment, again and again: each has all that it wrote. */
static void nobody_writes_over_what_another_process_has(void **state)
{
    enum { PROCESSES = 4, EACH = 25 };
    char path[128];
    int status = 0, whole = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/o.log", folder);
    for (int p = 0; p < PROCESSES; p++) {
        if (fork() != 0) continue;
        for (int k = 0; k < EACH; k++) {
            pmpi_file *file = pmpi_file_open(path);
            if (!file) _exit(1);
            add(file, (char)('a' + p), 5);
            pmpi_file_close(file);
        }
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    for (int number = 0; number < PROCESSES * EACH; number++) {
        char name[32] = "o.log";
        if (number > 0) snprintf(name, sizeof name, "o.%d.log", number);
        whole += strlen(taken(name)) == 6;
    }
    assert_int_equal(whole, PROCESSES * EACH);
}

/* Bytes that opening a file says on standard error where the k-th allocation fails; 0 = it opened.
 */
static long said_of_open(const char *path, long k)
{
    int before = dup(STDERR_FILENO);
    FILE *said = tmpfile();
    assert_true(said && before >= 0 && dup2(fileno(said), STDERR_FILENO) >= 0);
    alloc_fail_arm(k);
    pmpi_file *file = pmpi_file_open(path);
    bool failed = alloc_fail_disarm();
    dup2(before, STDERR_FILENO);
    close(before);
    assert_int_equal(file == NULL, failed);
    pmpi_file_close(file);
    long size = lseek(fileno(said), 0, SEEK_END);
    fclose(said);
    assert_int_equal(size > 0, failed);
    return size;
}

static void a_file_that_cannot_be_opened_is_told(void **state)
{
    char path[128];
    long k = 1;
    (void)state;
    snprintf(path, sizeof path, "%s/g.log", folder);
    while (said_of_open(path, k) > 0) k++;
    assert_true(k > 2);
    unlink(path);
}

/* What opening a file says, which fails. */
static const char *why_not(const char *path)
{
    static char text[256];
    int before = dup(STDERR_FILENO);
    FILE *said = tmpfile();
    assert_true(said && before >= 0 && dup2(fileno(said), STDERR_FILENO) >= 0);
    pmpi_file *file = pmpi_file_open(path);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_null(file);
    rewind(said);
    text[fread(text, 1, sizeof text - 1, said)] = '\0';
    fclose(said);
    return text;
}

/* The reason is the true one, and found the first time. */
static void a_name_that_is_not_free_is_told_why(void **state)
{
    enum { MOST = 9999 };
    char path[128], older[128];
    (void)state;
    snprintf(path, sizeof path, "%s/q.log", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_non_null(strstr(why_not(path), "/q.log: this is a link, or no file; move it away"));
    assert_int_equal(rmdir(path), 0);
    write_at(path, "of others\n");
    for (int number = 1; number <= MOST; number++) {
        snprintf(older, sizeof older, "%s/q.%d.log", folder, number);
        assert_int_equal(symlink("nothing", older), 0);
    }
    assert_non_null(strstr(why_not(path), "/q.log: thousands of older files are beside it"));
    for (int number = 1; number <= MOST; number++) {
        snprintf(older, sizeof older, "%s/q.%d.log", folder, number);
        assert_int_equal(unlink(older), 0);
    }
    assert_string_equal(taken("q.log"), "of others\n");
    snprintf(path, sizeof path, "%s/none/q.log", folder);
    assert_non_null(strstr(why_not(path), "/q.log: No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(a_forked_child_writes_nothing),
        cmocka_unit_test(a_file_that_is_removed_is_made_again),
        cmocka_unit_test(making_a_file_again_destroys_nothing),
        cmocka_unit_test(how_many_names_a_file_has_does_not_matter),
        cmocka_unit_test(a_file_that_got_another_name_is_written_on),
        cmocka_unit_test(what_another_job_has_written_stays),
        cmocka_unit_test(links_and_pipes_are_not_followed),
        cmocka_unit_test(jobs_that_begin_together_have_a_file_each),
        cmocka_unit_test(nobody_writes_over_what_another_process_has),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_told),
        cmocka_unit_test(a_name_that_is_not_free_is_told_why),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
