/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the command: whole or not there, recordings that grow, and bad ends of both. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
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
#include "options.h"
#include "outcome.h"
#include "output.h"

static char directory[64];
static char path[128];

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "output-test.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory); /* fails if anything else was left there */
}

static void put(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_content(const char *text)
{
    char content[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(content, text);
}

static void a_file_appears_whole_or_not_at_all(void **state)
{
    (void)state;
    output_file output;
    struct stat there;
    assert_int_equal(output_open(&output, "test", path, false), -1);
    assert_int_equal(output_write(&output, "abc", 3), DXT_OK);
    assert_int_equal(output_flush(&output), DXT_OK);
    assert_int_not_equal(stat(path, &there), 0);
    assert_int_equal(output_commit(&output), -1);
    expect_content("abc");
    assert_int_equal(stat(path, &there), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(there.st_mode & 0777, 0666 & ~mask);
    assert_int_equal(output_open(&output, "test", path, true), -1);
    assert_int_equal(output_write(&output, "xy", 2), DXT_OK);
    output_abandon(&output);
    output_abandon(&output);
    expect_content("abc");
    assert_int_equal(output_open(&output, "test", path, true), -1);
    assert_int_equal(output_write(&output, "xy", 2), DXT_OK);
    assert_int_equal(output_commit(&output), -1);
    expect_content("xy");
}

static void what_exists_is_kept(void **state)
{
    (void)state;
    output_file output;
    put("old");
    assert_int_equal(output_open(&output, "test", path, false), EXIT_USAGE);
    expect_content("old");
    assert_int_equal(output_open(&output, "test", directory, true), EXIT_USAGE);
    assert_int_equal(output_open(&output, "test", "no/such/directory", true), EXIT_USAGE);
    assert_int_equal(output_open(&output, "test", "", true), EXIT_USAGE);
    /* One that comes to exist while ours is written is kept too. */
    unlink(path);
    assert_int_equal(output_open(&output, "test", path, false), -1);
    assert_int_equal(output_write(&output, "new", 3), DXT_OK);
    put("other");
    assert_int_equal(output_commit(&output), EXIT_USAGE);
    expect_content("other");
}

static void a_full_disk_is_a_failure(void **state)
{
    (void)state;
    output_file output;
    assert_int_equal(output_open(&output, "test", "/dev/full", false), -1);
    assert_int_equal(output_write(&output, "abc", 3), DXT_OK);
    assert_int_equal(output_flush(&output), DXT_ERR_IO);
    assert_int_equal(output_write(&output, "abc", 3), DXT_ERR_IO);
    assert_int_equal(output_commit(&output), EXIT_FAILED);
    assert_int_equal(access("/dev/full", F_OK), 0);
}

/* ---- recordings ---- */

static void a_recording_has_its_name_from_the_start(void **state)
{
    (void)state;
    output_file output;
    assert_int_equal(output_open(&output, "test", path, false), -1);
    assert_int_equal(output_grow(&output), -1);
    expect_content("");
    assert_int_equal(output_write(&output, "one\n", 4), DXT_OK);
    assert_int_equal(output_flush(&output), DXT_OK);
    expect_content("one\n");
    assert_int_equal(output_commit(&output), -1);
    expect_content("one\n");
}

static void a_recording_is_cut_back_and_kept(void **state)
{
    (void)state;
    static const struct {
        const char *written, *left;
    } cases[] = {
        {"one\ntwo\n", "one\ntwo\n"}, {"one\ntw", "one\n"}, {"\n", "\n"}, {"on", NULL}, {"", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        output_file output;
        assert_int_equal(output_open(&output, "test", path, true), -1);
        assert_int_equal(output_grow(&output), -1);
        assert_int_equal(output_write(&output, cases[i].written, strlen(cases[i].written)), DXT_OK);
        output_abandon(&output);
        assert_int_equal(output.kept, cases[i].left != NULL);
        if (cases[i].left)
            expect_content(cases[i].left);
        else
            assert_int_not_equal(access(path, F_OK), 0);
        output_abandon(&output);
        unlink(path);
    }
}

static void a_recording_that_is_taken_away_is_told(void **state)
{
    (void)state;
    char renamed[300];
    snprintf(renamed, sizeof renamed, "%s.old", path);
    for (int removed = 0; removed < 2; removed++) {
        output_file output;
        assert_int_equal(output_open(&output, "test", path, true), -1);
        assert_int_equal(output_grow(&output), -1);
        assert_int_equal(output_write(&output, "one\n", 4), DXT_OK);
        assert_int_equal(removed ? unlink(path) : rename(path, renamed), 0);
        put("other");
        assert_int_equal(output_commit(&output), removed ? EXIT_FAILED : -1);
        expect_content("other");
    }
    unlink(renamed);
}

/* Over NFS a file that is removed while it is open still has a name. One of two names is not known
 * to be the other. */
static void what_may_be_lost_is_not_called_renamed(void **state)
{
    (void)state;
    char other[300];
    for (int nfs = 0; nfs < 2; nfs++) {
        output_file output;
        snprintf(other, sizeof other, "%s/%s", directory, nfs ? ".nfs00000001" : "other");
        assert_int_equal(output_open(&output, "test", path, true), -1);
        assert_int_equal(output_grow(&output), -1);
        assert_int_equal(output_write(&output, "one\n", 4), DXT_OK);
        if (!nfs) assert_int_equal(link(path, other), 0);
        assert_int_equal(nfs ? rename(path, other) : unlink(path), 0);
        assert_int_equal(output_commit(&output), EXIT_FAILED);
        unlink(other);
    }
}

/* Lines that are longer than what is looked at in one piece. */
static void long_lines_are_cut_back_too(void **state)
{
    (void)state;
    static char line[20000];
    output_file output;
    struct stat there;
    memset(line, 'x', sizeof line);
    line[9000] = '\n';
    assert_int_equal(output_open(&output, "test", path, false), -1);
    assert_int_equal(output_grow(&output), -1);
    assert_int_equal(output_write(&output, line, sizeof line), DXT_OK);
    output_abandon(&output);
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_size, 9001);
}

/* What another has put under the name meanwhile is not ours to delete. */
static void an_empty_recording_goes_alone(void **state)
{
    (void)state;
    output_file output;
    assert_int_equal(output_open(&output, "test", path, false), -1);
    assert_int_equal(output_grow(&output), -1);
    assert_int_equal(unlink(path), 0);
    put("other");
    output_abandon(&output);
    expect_content("other");
}

/* A disk that is full in the middle of a line. */
static void a_full_disk_costs_the_last_line_alone(void **state)
{
    (void)state;
    const struct rlimit little = {10000, RLIM_INFINITY};
    struct rlimit before;
    output_file output;
    char line[101], content[10001];
    size_t lines = 0;
    memset(line, 'x', 99);
    strcpy(line + 99, "\n");
    line[0] = '[';
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(output_open(&output, "test", path, false), -1);
    assert_int_equal(output_grow(&output), -1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    while (output_write(&output, line, 70) == DXT_OK && output_write(&output, line + 70, 30) == 0)
        lines++;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(lines > 90);
    /* There is room again, but what would be written now would follow a gap. */
    assert_int_equal(output_flush(&output), DXT_ERR_IO);
    assert_int_equal(output_commit(&output), EXIT_FAILED);
    assert_true(output.kept);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(content, 1, sizeof content, file);
    fclose(file);
    assert_true(size >= 9000 && size % 100 == 0);
    for (size_t at = 0; at < size; at += 100) assert_memory_equal(content + at, line, 100);
}

/* ---- bad ends ---- */

static size_t entries(void)
{
    size_t count = 0;
    DIR *folder = opendir(directory);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.' || entry->d_name[1] == 'f';
    closedir(folder);
    return count;
}

static void a_signal_takes_what_is_not_finished_along(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            const struct rlimit none = {0, 0};
            output_file done, open;
            setrlimit(RLIMIT_CORE, &none);
            bool ready = output_open(&done, "test", path, true) == -1 &&
                         output_write(&done, "done", 4) == DXT_OK && output_commit(&done) == -1 &&
                         output_open(&open, "test", path, true) == -1 && entries() == 2;
            if (ready) raise(signals[i]);
            _exit(1);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        expect_content("done");
        assert_int_equal(entries(), 1);
    }
}

static void a_signal_leaves_no_empty_recording(void **state)
{
    (void)state;
    for (int lines = 0; lines < 2; lines++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            output_file output;
            bool ready = output_open(&output, "test", path, true) == -1 &&
                         output_grow(&output) == -1 &&
                         (lines == 0 || output_write(&output, "one\n", 4) == DXT_OK) &&
                         output_flush(&output) == DXT_OK;
            if (ready) raise(SIGHUP);
            _exit(1);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(entries(), lines);
        if (lines) expect_content("one\n");
    }
}

/* ---- a signal at the very moment at which a file gets its name ---- */

static int raised;      /* when a file has just been moved */
static bool old_kernel; /* it, or the file system, knows no renameat2() */

int __real_renameat2(int from, const char *old, int to, const char *now, unsigned flags);
int __wrap_renameat2(int from, const char *old, int to, const char *now, unsigned flags);
int __real_rename(const char *old, const char *now);
int __wrap_rename(const char *old, const char *now);

int __wrap_renameat2(int from, const char *old, int to, const char *now, unsigned flags)
{
    errno = EINVAL;
    int result = old_kernel ? -1 : __real_renameat2(from, old, to, now, flags);
    if (raised) raise(raised);
    return result;
}

int __wrap_rename(const char *old, const char *now)
{
    int result = __real_rename(old, now);
    if (raised) raise(raised);
    return result;
}

/* A link to nothing is there, too: it stays, and nothing is made where it leads. */
static void what_comes_to_exist_is_kept_on_old_kernels(void **state)
{
    (void)state;
    output_file output;
    char target[8];
    old_kernel = true;
    assert_int_equal(output_open(&output, "test", path, false), -1);
    assert_int_equal(output_write(&output, "new", 3), DXT_OK);
    assert_int_equal(symlink("nothing", path), 0);
    assert_int_equal(output_commit(&output), EXIT_USAGE);
    assert_int_equal(readlink(path, target, sizeof target), 7);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(output_open(&output, "test", path, false), -1);
    assert_int_equal(output_write(&output, "new", 3), DXT_OK);
    assert_int_equal(output_commit(&output), -1);
    old_kernel = false;
    expect_content("new");
}

/* What a child does with a file until a signal ends it. */
static void end_by_signal(int number, void (*act)(output_file *output, int number), bool replace)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        output_file output;
        setrlimit(RLIMIT_CORE, &none);
        if (output_open(&output, "test", path, replace) == GO_ON) act(&output, number);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number);
}

static void name_it(output_file *output, int number)
{
    raised = number;
    output_grow(output);
}

static void finish_it(output_file *output, int number)
{
    if (output_write(output, "done", 4) != DXT_OK) return;
    raised = number;
    output_commit(output);
}

static void a_signal_finds_a_name_given_or_not(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        for (int replace = 0; replace < 2; replace++) {
            end_by_signal(signals[i], name_it, replace);
            assert_int_equal(entries(), 0);
            end_by_signal(signals[i], finish_it, replace);
            expect_content("done");
            assert_int_equal(entries(), 1);
            unlink(path);
        }
    }
}

static const char *written; /* before the signal */

static void write_it(output_file *output, int number)
{
    if (output_grow(output) != GO_ON) return;
    if (output_write(output, written, strlen(written)) != DXT_OK) return;
    if (output_flush(output) == DXT_OK) raise(number);
}

static void a_signal_cuts_a_recording_back(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"one\ntwo\n", "one\ntwo\n"}, {"one\ntw", "one\n"}, {"on", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        written = cases[i][0];
        end_by_signal(SIGTERM, write_it, false);
        assert_int_equal(entries(), cases[i][1] != NULL);
        if (cases[i][1]) expect_content(cases[i][1]);
        unlink(path);
    }
}

/* Lines in pieces, without end. */
static void *write_lines(void *context)
{
    static const char half[50] = "[................................................";
    for (;;) {
        output_write(context, half, 49);
        output_flush(context);
        output_write(context, half + 1, 48);
        output_write(context, "\n", 1);
    }
    return NULL;
}

static void write_beside(output_file *output, int number)
{
    pthread_t thread;
    struct stat there = {.st_size = 0};
    if (output_grow(output) != GO_ON) return;
    if (pthread_create(&thread, NULL, write_lines, output) != 0) return;
    while (there.st_size < 5000 && stat(path, &there) == 0) poll(NULL, 0, 1);
    raise(number);
}

/* The thread that takes the signal is not the one that writes. */
static void another_thread_writes_no_half_line(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        end_by_signal(SIGTERM, write_beside, false);
        FILE *file = fopen(path, "r");
        char line[200];
        size_t lines = 0;
        assert_non_null(file);
        for (; fgets(line, sizeof line, file); lines++) {
            assert_int_equal(strlen(line), 98);
            assert_int_equal(line[0], '[');
        }
        fclose(file);
        assert_true(lines >= 50);
        unlink(path);
    }
}

static void a_child_deletes_nothing_of_its_parent(void **state)
{
    (void)state;
    output_file output;
    assert_int_equal(output_open(&output, "test", path, false), -1);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGTERM);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(output_write(&output, "abc", 3), DXT_OK);
    assert_int_equal(output_commit(&output), -1);
    expect_content("abc");
}

static void what_replaces_is_no_more_open(void **state)
{
    (void)state;
    static const mode_t modes[] = {0600, 0640, 0444, 0755, 0666, 0200};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        for (int grows = 0; grows < 2; grows++) {
            output_file output;
            struct stat there;
            put("old");
            assert_int_equal(chmod(path, modes[i]), 0);
            assert_int_equal(output_open(&output, "test", path, true), -1);
            if (grows) assert_int_equal(output_grow(&output), -1);
            assert_int_equal(output_write(&output, "new\n", 4), DXT_OK);
            assert_int_equal(output_commit(&output), -1);
            assert_int_equal(stat(path, &there), 0);
            assert_int_equal(there.st_mode & 0777, modes[i]);
            unlink(path);
        }
    }
}

static void failed_allocations_leave_nothing(void **state)
{
    (void)state;
    output_file output;
    outcome result;
    long k = 1;
    complain_mute(true);
    for (;
         alloc_fail_arm(k), result = output_open(&output, "test", path, false), alloc_fail_disarm();
         k++) {
        assert_int_equal(result, EXIT_FAILED);
        assert_int_equal(entries(), 0);
    }
    complain_mute(false);
    assert_true(k > 1);
    assert_int_equal(result, -1);
    output_abandon(&output);
    assert_int_equal(entries(), 0);
}

int main(void)
{
#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_appears_whole_or_not_at_all),
        IN_FOLDER(what_exists_is_kept),
        IN_FOLDER(what_comes_to_exist_is_kept_on_old_kernels),
        cmocka_unit_test(a_full_disk_is_a_failure),
        IN_FOLDER(a_recording_has_its_name_from_the_start),
        IN_FOLDER(a_recording_is_cut_back_and_kept),
        IN_FOLDER(a_recording_that_is_taken_away_is_told),
        IN_FOLDER(what_may_be_lost_is_not_called_renamed),
        IN_FOLDER(long_lines_are_cut_back_too),
        IN_FOLDER(an_empty_recording_goes_alone),
        IN_FOLDER(a_full_disk_costs_the_last_line_alone),
        IN_FOLDER(a_signal_takes_what_is_not_finished_along),
        IN_FOLDER(a_signal_leaves_no_empty_recording),
        IN_FOLDER(a_signal_finds_a_name_given_or_not),
        IN_FOLDER(a_signal_cuts_a_recording_back),
        IN_FOLDER(another_thread_writes_no_half_line),
        IN_FOLDER(a_child_deletes_nothing_of_its_parent),
        IN_FOLDER(what_replaces_is_no_more_open),
        IN_FOLDER(failed_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
