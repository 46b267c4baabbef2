/* SPDX-License-Identifier: Apache-2.0 */
/* Files that `top` follows: what grows, what is cut, what is packed, and failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "growing.h"
#include "system/zstd.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "growing-test.XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a.jsonl",     "a.jsonl.1", "a.log",    "b.jsonl.gz",
                                        "c.jsonl.zst", "d.log.zst", "other.txt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unlink(path_of(names[i]));
    return rmdir(folder);
}

static void put(const char *name, const char *mode, const void *bytes, size_t size)
{
    FILE *file = fopen(path_of(name), mode);
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void put_text(const char *name, const char *mode, const char *text)
{
    put(name, mode, text, strlen(text));
}

/* A seed of fuzz_unpack. */
static void put_seed(const char *name, const char *seed)
{
    char path[1024], bytes[4096];
    const char *source = getenv("DXT_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/fuzz_unpack/%s", source ? source : "../..",
             seed);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    put(name, "wb", bytes, size);
}

static const char line[] = "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2,\"wait\":[[0,5],[5,0]]}\n";

/* What came, by file. */
struct seen {
    growing *f;
    size_t windows;
    char last[128];
};

static dxt_status take(void *context, size_t file, dxt_window *window)
{
    struct seen *seen = context;
    seen->windows++;
    snprintf(seen->last, sizeof seen->last, "%s", seen->f->files[file].path);
    dxt_window_free(window);
    return DXT_OK;
}

static growing *begin(struct seen *seen, char **operand, bool once)
{
    growing *f = calloc(1, sizeof *f);
    assert_non_null(f);
    *f = (growing){.once = once, .take = take, .context = seen};
    *seen = (struct seen){.f = f};
    assert_int_equal(growing_begin(f, operand, 1), GO_ON);
    return f;
}

static size_t read_all(growing *f, struct seen *seen)
{
    size_t before = seen->windows;
    while (growing_step(f)) continue;
    return seen->windows - before;
}

static void end(growing *f)
{
    growing_end(f);
    free(f);
}

static void lines_are_taken_as_they_come(void **state)
{
    (void)state;
    struct seen seen;
    char *operand = folder;
    put_text("a.jsonl", "w", line);
    put_text("other.txt", "w", line);
    growing *f = begin(&seen, &operand, false);
    assert_int_equal(read_all(f, &seen), 1);
    assert_int_equal(read_all(f, &seen), 0);
    /* Half a line waits for its end. */
    put("a.jsonl", "a", line, 20);
    assert_int_equal(read_all(f, &seen), 0);
    put_text("a.jsonl", "a", line + 20);
    put_text("a.jsonl", "a", "{no window}\n");
    assert_int_equal(read_all(f, &seen), 1);
    assert_int_equal(f->bad, 1);
    /* Rotated: the old one is known, the new one is read. */
    char old[128];
    strcpy(old, path_of("a.jsonl"));
    assert_int_equal(rename(old, path_of("a.jsonl.1")), 0);
    put_text("a.jsonl", "w", line);
    assert_int_equal(read_all(f, &seen), 1);
    /* Cut back: it begins again. */
    put_text("a.jsonl", "a", line);
    assert_int_equal(read_all(f, &seen), 1);
    assert_int_equal(truncate(path_of("a.jsonl"), 0), 0);
    assert_int_equal(read_all(f, &seen), 0);
    put_text("a.jsonl", "a", line);
    assert_int_equal(read_all(f, &seen), 1);
    end(f);
}

static void packed_files_are_read_once(void **state)
{
    (void)state;
    struct seen seen;
    char *operand = folder;
    put_seed("b.jsonl.gz", "log.gz");
    growing *f = begin(&seen, &operand, false);
    assert_int_equal(read_all(f, &seen), 1);
    assert_int_equal(read_all(f, &seen), 0);
    if (dxt_zstd_library()) {
        /* The same text, packed otherwise, was read; another one was not. */
        put_seed("c.jsonl.zst", "log.zst");
        assert_int_equal(read_all(f, &seen), 0);
        unlink(path_of("b.jsonl.gz"));
        end(f);
        put_seed("d.log.zst", "two.zst");
        f = begin(&seen, &operand, false);
        assert_int_equal(read_all(f, &seen), 1);
        assert_int_equal(f->bad, 0);
        assert_non_null(strstr(seen.last, ".zst"));
    }
    end(f);
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    struct seen seen;
    char *operand = folder;
    put_text("b.jsonl.gz", "w", "PK\3\4 no archive");
    growing *f = begin(&seen, &operand, true);
    assert_int_equal(read_all(f, &seen), 0);
    assert_non_null(strstr(f->why, "a zip archive that is damaged, or none"));
    end(f);
}

static void a_file_that_is_cut_off_is_looked_at_again(void **state)
{
    (void)state;
    struct seen seen;
    char *operand = folder;
    put_seed("b.jsonl.gz", "log.gz");
    assert_int_equal(truncate(path_of("b.jsonl.gz"), 40), 0);
    growing *f = begin(&seen, &operand, false);
    assert_int_equal(read_all(f, &seen), 0);
    put_seed("b.jsonl.gz", "log.gz");
    assert_int_equal(read_all(f, &seen), 1);
    assert_int_equal(read_all(f, &seen), 0);
    end(f);
}

/* Recordings, a log and packed files, once through. */
static dxt_status read_once(size_t *windows)
{
    char *operand = folder;
    struct seen seen = {.windows = 0};
    static growing f_of_test;
    growing *f = &f_of_test;
    *f = (growing){.once = true, .take = take, .context = &seen};
    seen.f = f;
    outcome begun = growing_begin(f, &operand, 1);
    while (begun == GO_ON && f->failed == DXT_OK && growing_step(f)) continue;
    dxt_status status = f->failed;
    *windows = begun == GO_ON ? seen.windows : 0;
    growing_end(f);
    return status;
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    size_t whole = 0, windows = 0;
    char log[256];
    put_text("a.jsonl", "w", line);
    snprintf(log, sizeof log,
             "x InstanceID: i EPSize: 2 Dispatch Wait Recv Cost Per Token "
             "Matrix[src_rank, dst_rank]\nrank=0 [ 0 5]\nrank=1 [ 5 0]\n");
    put_text("a.log", "w", log);
    put_seed("b.jsonl.gz", "log.gz");
    if (dxt_zstd_library()) put_seed("d.log.zst", "two.zst");
    assert_int_equal(read_once(&whole), DXT_OK);
    assert_true(whole >= 3);
    long k = 1;
    for (dxt_status status; alloc_fail_arm(k), status = read_once(&windows), alloc_fail_disarm();
         k++) {
        assert_true(status == DXT_ERR_NO_MEMORY || status == DXT_OK);
        assert_true(windows <= whole);
    }
    assert_int_equal(windows, whole);
    assert_true(k > 20);
}

int main(void)
{
#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(lines_are_taken_as_they_come),
        IN_FOLDER(packed_files_are_read_once),
        IN_FOLDER(what_cannot_be_read_says_why),
        IN_FOLDER(a_file_that_is_cut_off_is_looked_at_again),
        IN_FOLDER(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
