/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are packed: gzip in several streams, members of zip archives, and damage of each. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <deepxtrace/matrix.h>

#include "alloc_fail.h"
#include "system/zstd.h"
#include "unpack.h"

#define SEEDS "/tests/fuzz/corpus/fuzz_unpack/"

static char *path_of(const char *name)
{
    static char path[1024];
    const char *source = getenv("DXT_SOURCE_DIR");
    snprintf(path, sizeof path, "%s%s%s", source ? source : "../..", SEEDS, name);
    return path;
}

static int go_on(void *context, dxt_remark kind, const char *message)
{
    (void)kind;
    (void)message;
    ++*(int *)context;
    return 1;
}

/* Read all windows of a file. @return The status that ended it; DXT_END is the end. */
static dxt_status read_windows(char *path, int *windows, int *remarks, char *why, size_t why_size)
{
    char *paths[] = {path};
    unpack *files;
    dxt_reader *reader;
    dxt_window *window;
    *windows = *remarks = 0;
    dxt_status status = unpack_open(paths, 1, &files, why, why_size);
    if (status != DXT_OK) return status;
    const dxt_source source = {sizeof source, files, unpack_read, unpack_next};
    status = dxt_reader_open_source(&source, unpack_name(files), &reader);
    if (status == DXT_OK) {
        dxt_reader_on_remark(reader, go_on, remarks);
        while ((status = dxt_reader_next(reader, &window)) == DXT_OK) {
            ++*windows;
            dxt_window_free(window);
        }
        dxt_reader_close(reader);
    }
    unpack_close(files);
    return status;
}

static void packed_files_are_unpacked(void **state)
{
    (void)state;
    static const char *const names[] = {
        "log.gz",   "two.gz",    "stored.npz", "deflated.npz", "twice.gz",  "npz.gz",
        "gz.zip",   "page.html", "log.zst",    "two.zst",      "gz.zst",    "skipped.zst",
        "logs.tgz", "npz.tgz",   "tar.tgz",    "pax.tgz",      "plain.tar", "npz.zip"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int windows, remarks;
        char why[256] = "";
        if (strstr(names[i], ".zst") && !dxt_zstd_library()) continue;
        assert_int_equal(read_windows(path_of(names[i]), &windows, &remarks, why, sizeof why),
                         DXT_END);
        assert_int_equal(windows, 1);
        assert_int_equal(remarks, 0);
    }
}

/* A copy of a seed, cut and with a byte changed. */
static void make_copy(const char *name, const char *copy, size_t cut, size_t change)
{
    unsigned char bytes[4096];
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > cut && size > change);
    if (change) bytes[size - change] ^= 0x55;
    file = fopen(copy, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size - cut, file), size - cut);
    assert_int_equal(fclose(file), 0);
}

/* What wants more memory than 128 MiB to be unpacked is refused before it is taken. */
static void a_window_that_is_too_large_is_refused(void **state)
{
    (void)state;
    char why[256] = "";
    int windows, remarks;
    if (!dxt_zstd_library()) skip();
    assert_int_equal(read_windows(path_of("long.zst"), &windows, &remarks, why, sizeof why),
                     DXT_ERR_LIMIT);
    assert_non_null(strstr(why, "long.zst: packed with zstd --long=28 or more"));
}

static void damage_is_told(void **state)
{
    (void)state;
    char copy[] = "dxt-unpack-XXXXXX", why[256];
    int windows, remarks, file = mkstemp(copy);
    assert_true(file >= 0);
    close(file);
    /* Cut off: what was unpacked counts, and something is said. */
    make_copy("log.gz", copy, 9, 0);
    read_windows(copy, &windows, &remarks, why, sizeof why);
    assert_true(remarks >= 1);
    for (size_t cut = 1; cut < 100 && dxt_zstd_library(); cut += 7) {
        make_copy("log.zst", copy, cut, 0);
        read_windows(copy, &windows, &remarks, why, sizeof why);
        assert_true(remarks >= 1);
        make_copy("two.zst", copy, 0, cut);
        read_windows(copy, &windows, &remarks, why, sizeof why);
    }
    /* The check sum is wrong. */
    make_copy("log.gz", copy, 0, 8);
    read_windows(copy, &windows, &remarks, why, sizeof why);
    assert_int_equal(windows, 1);
    assert_int_equal(remarks, 1);
    /* A directory that is not there, or points beyond the archive. */
    make_copy("stored.npz", copy, 4, 0);
    assert_int_equal(read_windows(copy, &windows, &remarks, why, sizeof why), DXT_ERR_FORMAT);
    assert_non_null(strstr(why, ": a zip archive that is damaged, or none"));
    for (size_t i = 22; i <= 200; i++) {
        make_copy("stored.npz", copy, 0, i);
        read_windows(copy, &windows, &remarks, why, sizeof why);
        make_copy("deflated.npz", copy, 0, i);
        read_windows(copy, &windows, &remarks, why, sizeof why);
    }
    unlink(copy);
}

/* Of the recording in a page: what came out before counts, and something is said. */
static void a_page_that_is_damaged_is_told(void **state)
{
    (void)state;
    char copy[] = "dxt-unpack-XXXXXX", why[256];
    int windows, remarks, file = mkstemp(copy);
    assert_true(file >= 0);
    close(file);
    /* Within the second piece. */
    make_copy("page.html", copy, 30, 0);
    read_windows(copy, &windows, &remarks, why, sizeof why);
    assert_int_equal(windows, 1);
    assert_int_equal(remarks, 1);
    /* Within the first. */
    make_copy("page.html", copy, 150, 0);
    assert_int_equal(read_windows(copy, &windows, &remarks, why, sizeof why), DXT_ERR_FORMAT);
    for (size_t i = 1; i <= 400; i++) {
        make_copy("page.html", copy, 0, i);
        read_windows(copy, &windows, &remarks, why, sizeof why);
        assert_in_range(windows, 0, 1);
    }
    unlink(copy);
}

/* Of a tar archive that is cut off or damaged what lies before counts, and something is said. */
static void a_tar_archive_that_is_damaged_is_told(void **state)
{
    (void)state;
    char copy[] = "dxt-unpack-XXXXXX", why[256];
    int windows, remarks, file = mkstemp(copy);
    assert_true(file >= 0);
    close(file);
    make_copy("plain.tar", copy, 600, 0);
    read_windows(copy, &windows, &remarks, why, sizeof why);
    assert_int_equal(windows, 0);
    assert_true(remarks >= 1);
    /* The head of the second member. */
    make_copy("plain.tar", copy, 0, 1000);
    read_windows(copy, &windows, &remarks, why, sizeof why);
    assert_int_equal(windows, 0);
    assert_true(remarks >= 1);
    for (size_t i = 1; i <= 500; i++) {
        make_copy("npz.tgz", copy, 0, i % 280 + 1);
        read_windows(copy, &windows, &remarks, why, sizeof why);
        make_copy("plain.tar", copy, 2 * i, 0);
        read_windows(copy, &windows, &remarks, why, sizeof why);
        assert_in_range(windows, 0, 1);
    }
    unlink(copy);
}

/* A file that GNU's tar stores without its holes is told; those behind it are read. */
static void a_file_with_holes_is_told(void **state)
{
    (void)state;
    unsigned char archive[8192];
    FILE *plain = fopen(path_of("plain.tar"), "rb");
    assert_non_null(plain);
    size_t size = fread(archive, 1, sizeof archive, plain);
    assert_true(size > 1024 && size < sizeof archive);
    fclose(plain);
    /* With and without a block in which more places of holes follow. */
    for (unsigned char more = 0; more < 2; more++) {
        unsigned char head[1536] = "holes.log";
        size_t data = more ? 1024 : 512;
        strcpy((char *)head + 124, "00000000006");
        head[156] = 'S';
        memcpy(head + 257, "ustar  ", 8);
        head[482] = more;
        memcpy(head + data, "1 2\n3 4", 6);
        unsigned sum = 8 * ' ';
        for (size_t i = 0; i < 512; i++) sum += head[i];
        snprintf((char *)head + 148, 8, "%06o", sum);
        char copy[] = "dxt-unpack-XXXXXX", why[256];
        int windows, remarks, file = mkstemp(copy);
        assert_true(file >= 0);
        assert_int_equal(write(file, head, data + 512), data + 512);
        assert_int_equal(write(file, archive + 1024, size - 1024), size - 1024);
        close(file);
        assert_int_equal(read_windows(copy, &windows, &remarks, why, sizeof why), DXT_END);
        assert_int_equal(windows, 1);
        assert_int_equal(remarks, 1);
        unlink(copy);
    }
}

/* The name in a message says in which member of which archive. */
static void members_are_named(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"npz.tgz", "npz.tgz:dump/waits.npz:"},
                                           {"logs.tgz", "logs.tgz:pod/pod.yaml"},
                                           {"tar.tgz", "tar.tgz:inner.tar.gz:a.log"},
                                           {"npz.zip", "npz.zip:dump/note.txt"},
                                           {"long-names.tgz", "nnnn/readme"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[1024], why[256];
        snprintf(path, sizeof path, "%s", path_of(names[i][0]));
        char *paths[] = {path};
        unpack *files;
        assert_int_equal(unpack_open(paths, 1, &files, why, sizeof why), DXT_OK);
        assert_non_null(strstr(unpack_name(files), names[i][1]));
        unpack_close(files);
    }
}

/* What a directory claims is believed up to a limit. */
static void archives_have_limits(void **state)
{
    (void)state;
    char copy[] = "dxt-unpack-XXXXXX", why[256];
    /* The last 22 bytes: 65535 members, or a directory that lies where zip64 says. */
    static const unsigned char ends[2][22] = {
        {'P', 'K', 5, 6, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
        {'P', 'K', 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 46, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}};
    for (int i = 0; i < 2; i++) {
        int windows, remarks, file = mkstemp(copy);
        assert_true(file >= 0);
        assert_int_equal(write(file, "PK\3\4", 4), 4);
        assert_int_equal(write(file, ends[i], sizeof ends[i]), sizeof ends[i]);
        close(file);
        assert_int_equal(read_windows(copy, &windows, &remarks, why, sizeof why), DXT_ERR_LIMIT);
        assert_non_null(strstr(why, "more than 1 GiB or 65535 members"));
        unlink(copy);
        memcpy(copy, "dxt-unpack-XXXXXX", sizeof copy);
    }
}

static void what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    char none[] = "no/such/file", folder[] = ".", why[256];
    int windows, remarks;
    assert_int_equal(read_windows(none, &windows, &remarks, why, sizeof why), DXT_ERR_IO);
    assert_string_equal(why, "no/such/file: No such file or directory");
    assert_int_equal(read_windows(folder, &windows, &remarks, why, sizeof why), DXT_ERR_IO);
    assert_string_equal(why, ".: Is a directory");
}

/* The second of two files may be gone by the time it is read. */
static void a_later_file_that_is_gone_is_an_error(void **state)
{
    (void)state;
    char first[1024], second[] = "no/such/file", why[256];
    snprintf(first, sizeof first, "%s", path_of("log.gz"));
    char *paths[] = {first, second};
    unpack *files;
    const char *name = NULL;
    assert_int_equal(unpack_open(paths, 2, &files, why, sizeof why), DXT_OK);
    assert_int_equal(unpack_next(files, &name), DXT_ERR_IO);
    assert_string_equal(name, "no/such/file");
    unpack_close(files);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    static const char *const names[] = {"log.gz",    "deflated.npz", "stored.npz", "npz.gz",
                                        "page.html", "two.zst",      "npz.tgz",    "tar.tgz",
                                        "pax.tgz",   "npz.zip"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int windows, remarks;
        char why[256];
        long k = 1;
        dxt_status status;
        if (strstr(names[i], ".zst") && !dxt_zstd_library()) continue;
        for (;; k++) {
            alloc_fail_arm(k);
            status = read_windows(path_of(names[i]), &windows, &remarks, why, sizeof why);
            if (!alloc_fail_disarm()) break;
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        }
        assert_int_equal(status, DXT_END);
        assert_true(k > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_files_are_unpacked),
        cmocka_unit_test(a_window_that_is_too_large_is_refused),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(a_page_that_is_damaged_is_told),
        cmocka_unit_test(a_tar_archive_that_is_damaged_is_told),
        cmocka_unit_test(a_file_with_holes_is_told),
        cmocka_unit_test(members_are_named),
        cmocka_unit_test(archives_have_limits),
        cmocka_unit_test(what_cannot_be_opened_says_why),
        cmocka_unit_test(a_later_file_that_is_gone_is_an_error),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
