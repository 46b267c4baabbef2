/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <deepxtrace/deepxtrace.h>

#include "alloc_fail.h"
#include "base/base.h"
#include "base/block.h"

static char logged[256];
static int logged_count;

static void keep(void *context, dxt_log_level level, const char *message)
{
    assert_ptr_equal(context, &logged_count);
    assert_int_equal(level, DXT_LOG_ERROR);
    strcpy(logged, message);
    logged_count++;
}

static void failures_reach_the_log_and_the_thread(void **state)
{
    (void)state;
    dxt_set_log(keep, &logged_count);
    assert_int_equal(dxt_fail(DXT_ERR_INVALID, "rank %d", 7), DXT_ERR_INVALID);
    assert_string_equal(logged, "rank 7");
    assert_string_equal(dxt_error(), "rank 7");
    errno = ENOSPC;
    assert_int_equal(dxt_fail_errno("after %s", dxt_error()), DXT_ERR_IO);
    assert_string_equal(dxt_error(), "after rank 7: No space left on device");
    dxt_set_log(NULL, NULL);
    dxt_fail(DXT_ERR_LIMIT, "quiet");
    assert_int_equal(logged_count, 2);
    assert_string_equal(dxt_error(), "quiet");
}

static void every_status_has_a_text(void **state)
{
    (void)state;
    for (int status = DXT_ERR_STATE; status <= DXT_AGAIN; status++)
        assert_string_not_equal(dxt_status_string((dxt_status)status), "unknown status");
    assert_string_equal(dxt_status_string((dxt_status)-99), "unknown status");
}

static void spans_read_well(void **state)
{
    (void)state;
    static const struct {
        double ns;
        const char *text;
    } cases[] = {{0, "0 ns"},        {840, "840 ns"},       {999.96, "1.00 µs"},
                 {12345, "12.3 µs"}, {1.03e6, "1.03 ms"},   {-4.2e3, "-4.20 µs"},
                 {2.5e9, "2.50 s"},  {123456789, "123 ms"}, {7e12, "7000 s"},
                 {99960, "100 µs"},  {9.996e3, "10.0 µs"}};
    char buffer[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(dxt_format_ns(cases[i].ns, buffer, sizeof buffer), cases[i].text);
}

static void reals_read_back_in_few_digits(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {1.0 / 3, "0.3333333333333333"},
                 {-2.5e-300, "-2.5e-300"},
                 {1980000000, "1980000000"},
                 {1e22, "1e+22"},
                 {0, "0"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"}};
    char text[DXT_REAL_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(dxt_format_real(cases[i].value, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
        assert_true(strtod(text, NULL) == cases[i].value);
    }
}

static void characters_are_decoded_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t code;
        size_t size;
    } cases[] = {{"a", 'a', 1},
                 {"\xc2\xb5s", 0xb5, 2},
                 {"\xe2\x86\x92", 0x2192, 3},
                 {"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
                 {"\xf4\x90\x80\x80", DXT_UTF8_NONE, 1}, /* above the last */
                 {"\xc0\x80", DXT_UTF8_NONE, 1},         /* overlong */
                 {"\xe0\x80\x80", DXT_UTF8_NONE, 1},
                 {"\xed\xa0\x80", DXT_UTF8_NONE, 1}, /* surrogate */
                 {"\x80", DXT_UTF8_NONE, 1},
                 {"\xff", DXT_UTF8_NONE, 1},
                 {"\xe2\x86", DXT_UTF8_NONE, 1}}; /* cut short */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = 99;
        assert_int_equal(dxt_utf8_decode(cases[i].text, SIZE_MAX, &size), cases[i].code);
        assert_int_equal(size, cases[i].size);
    }
    size_t size;
    assert_int_equal(dxt_utf8_decode("\xe2\x86\x92", 2, &size), DXT_UTF8_NONE);
}

static dxt_status collect(void *context, const void *data, size_t size)
{
    assert_true(size < 4096);
    memcpy(context, data, size);
    return DXT_OK;
}

static dxt_status build(char *out)
{
    dxt_text text = {0};
    dxt_text_puts(&text, "a");
    for (int i = 0; i < 300; i++) dxt_text_printf(&text, "%d,", i % 10);
    dxt_text_append(&text, "z", 1);
    return dxt_text_flush(&text, collect, out);
}

static void text_grows_and_survives_failed_allocations(void **state)
{
    (void)state;
    static char out[4096];
    assert_int_equal(build(out), DXT_OK);
    assert_memory_equal(out, "a0,1,2,", 7);
    assert_int_equal(out[601], 'z');
    long k = 1;
    dxt_status status;
    for (; alloc_fail_arm(k), status = build(out), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_true(k > 2);
}

static void sums_and_products_notice_overflow(void **state)
{
    (void)state;
    size_t product = 5;
    assert_false(dxt_mul_size(SIZE_MAX / 2, 3, &product));
    assert_int_equal(product, 5);
    assert_true(dxt_mul_size(6, 7, &product));
    assert_int_equal(product, 42);
    int64_t sum = 1;
    assert_false(dxt_add_i64(INT64_MAX, 1, &sum));
    assert_int_equal(sum, 1);
}

static void a_missing_part_says_why(void **state)
{
    (void)state;
    const char *why = NULL;
    assert_null(dxt_part_function("no-such-part", "f", &why));
    assert_non_null(why);
    dxt_part parts[8];
    size_t count = dxt_parts(parts, 8);
    assert_in_range(count, 1, 8);
    for (size_t i = 0; i < count; i++) assert_true(strlen(parts[i].why) > 0);
}

static void sleeping_ends_no_earlier_than_asked(void **state)
{
    (void)state;
    int64_t until = dxt_now_ns() + 2000000;
    dxt_sleep_until_ns(until);
    assert_true(dxt_now_ns() >= until);
    assert_true(dxt_realtime_ns() > 1600000000000000000);
}

struct options {
    size_t struct_size;
    int first, second;
    double third;
};

static void structs_of_other_versions_are_taken(void **state)
{
    (void)state;
    struct {
        struct options known;
        int later;
    } given = {{sizeof given, 1, 2, 3}, 4};
    struct {
        struct options known;
        int behind;
    } taken = {.known = {.first = 9}, .behind = 7};
    size_t needed = DXT_SIZE_UP_TO(struct options, first);
    assert_int_equal(needed, sizeof(size_t) + sizeof(int));
    assert_true(dxt_take_struct(&taken, sizeof taken.known, &given, needed));
    assert_int_equal(taken.known.struct_size, sizeof taken.known);
    assert_int_equal(taken.known.second, 2);
    assert_true(taken.known.third == 3);
    assert_int_equal(taken.behind, 7);
    given.known.struct_size = needed;
    assert_true(dxt_take_struct(&taken, sizeof taken.known, &given, needed));
    assert_int_equal(taken.known.struct_size, sizeof taken.known);
    assert_int_equal(taken.known.first, 1);
    assert_int_equal(taken.known.second, 0);
    assert_true(taken.known.third == 0);
    given.known = (struct options){needed - 1, 5, 5, 5};
    assert_false(dxt_take_struct(&taken, sizeof taken.known, &given, needed));
    assert_int_equal(taken.known.first, 1);
}

static int64_t constant(const char *name)
{
    static dxt_constant all[512];
    size_t count = dxt_constants(all, 512);
    int64_t value = INT64_MIN;
    assert_true(count <= 512);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].name, name) != 0) continue;
        assert_int_equal(value, INT64_MIN); /* no name twice */
        value = all[i].value;
    }
    return value;
}

static void bindings_can_ask_for_the_numbers(void **state)
{
    (void)state;
    size_t count = dxt_constants(NULL, 0);
    dxt_constant few[2] = {{NULL, 0}, {"untouched", 7}};
    assert_int_equal(dxt_constants(few, 1), count);
    assert_non_null(few[0].name);
    assert_string_equal(few[1].name, "untouched");
    assert_int_equal(constant("sizeof dxt_window"), sizeof(dxt_window));
    assert_int_equal(constant("dxt_window.elapsed_ns"), offsetof(dxt_window, elapsed_ns));
    assert_int_equal(constant("dxt_session_config.on_diagnosis_context"),
                     offsetof(dxt_session_config, on_diagnosis_context));
    assert_int_equal(constant("DXT_ERR_STATE"), DXT_ERR_STATE);
    assert_int_equal(constant("DXT_MAX_RANKS"), DXT_MAX_RANKS);
}

static void what_would_not_be_seen_is_unprintable(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0,      '\t',   '\n',    0x1b,     0x7f,         0x80,   0x9b,
                                   0x9d,   0x61c,  0x200e,  0x2028,   0x202e,       0x2066, 0xfdd0,
                                   0xfffe, 0xffff, 0x1fffe, 0x10ffff, DXT_UTF8_NONE};
    static const uint32_t good[] = {' ', '~', 0xa0, 0xb5, 0x200d, 0x2030, 0x4e2d, 0xfffd, 0x1f600};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_true(dxt_is_unprintable(bad[i]));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_false(dxt_is_unprintable(good[i]));
    char text[] = "a\x1b[31m\xc2\x9b \xe2\x80\xaegpu \xc2\xb5s \xff";
    dxt_make_printable(text);
    dxt_make_printable(NULL);
    assert_string_equal(text, "a?[31m?? ???gpu \xc2\xb5s ?");
}

static void times_of_day_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"1970-01-01T00:00:00Z", 0},
                {"2026-11-26T03:34:48", INT64_C(1795664088000000000)},
                {"2026-11-26 03:34:48.25", INT64_C(1795664088250000000)},
                {"2026-11-26T04:34:48,000000001+01:00", INT64_C(1795664088000000001)},
                {"2026-11-25T22:04:48-0530", INT64_C(1795664088000000000)}};
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "2026-11-26",
                                      "2026-13-01T00:00:00Z",
                                      "2026-11-26T25:00:00",
                                      "2026-11-26T00:00:00+",
                                      "2026-11-26T00:00:00+99:00",
                                      "2026-11-26T00:00:00Zulu",
                                      "0001-01-01T00:00:00Z"};
    char buffer[DXT_UTC_SIZE];
    int64_t ns = 7;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(dxt_parse_time(good[i].text, &ns));
        assert_int_equal(ns, good[i].ns);
    }
    ns = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(dxt_parse_time(bad[i], &ns));
    assert_false(dxt_parse_time(NULL, &ns));
    assert_int_equal(ns, 7);
    assert_string_equal(dxt_format_utc(INT64_C(1795664088250999999), buffer),
                        "2026-11-26T03:34:48.250Z");
    assert_string_equal(dxt_format_utc(-1, buffer), "1969-12-31T23:59:59.999Z");
    static const struct {
        const char *zone, *text;
    } zones[] = {{"UTC", "2026-11-26 03:34:48 UTC"},
                 {"<+0530>-5:30", "2026-11-26 09:04:48 +05:30"},
                 {"<-0930>9:30", "2026-11-25 18:04:48 -09:30"}};
    for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
        setenv("TZ", zones[z].zone, 1);
        tzset();
        assert_string_equal(dxt_format_local(INT64_C(1795664088250999999), buffer), zones[z].text);
    }
    unsetenv("TZ");
    tzset();
}

static atomic_bool stop;

static void *fail_all_the_time(void *context)
{
    while (!atomic_load(&stop)) {
        dxt_fail(DXT_ERR_INVALID, "again");
        dxt_set_log(NULL, context);
        const char *why;
        dxt_part_function("nothing", "nothing", &why);
    }
    return NULL;
}

/* A lock that another thread holds when the process is forked is never released in the child. */
static void a_forked_child_can_fail(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fail_all_the_time, NULL), 0);
    int ended = 0;
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            const char *why;
            alarm(20);
            dxt_fail(DXT_ERR_INVALID, "in the child");
            dxt_part_function("nothing", "nothing", &why);
            _exit(0);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status)) break; /* one child that hangs is enough to know */
        ended++;
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(ended, 300);
}

/* The kernel's flags of the mapping that holds an address, " rd wr hg"; empty if it says none. */
static void flags_of(const void *address, char *flags, size_t size)
{
    char line[512];
    unsigned long begin, end;
    bool there = false;
    flags[0] = '\0';
    FILE *maps = fopen("/proc/self/smaps", "re");
    while (maps && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
            there = (uintptr_t)address >= begin && (uintptr_t)address < end;
        else if (there && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, size, "%.*s", (int)size - 1, line + 8);
    }
    if (maps) fclose(maps);
}

/* Whether such a wish can be seen here: not under an emulator. */
static bool wishes_are_shown(void)
{
    char flags[256];
    const size_t size = (size_t)8 << 20;
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return false;
    madvise(data, size, MADV_HUGEPAGE);
    flags_of((char *)data + size / 2, flags, sizeof flags);
    munmap(data, size);
    return strstr(flags, " hg") != NULL;
}

static void what_is_large_asks_for_large_pages(void **state)
{
    (void)state;
    char small[256], large[256];
    const size_t size = (size_t)8 << 20;
    dxt_block block = {0};
    char *data = dxt_block_fit(&block, 4096);
    assert_non_null(data);
    flags_of(data, small, sizeof small);
    data = dxt_block_fit(&block, size);
    assert_non_null(data);
    memset(data, 1, size);
    flags_of(data + size / 2, large, sizeof large);
    assert_int_equal(data[0] + data[size - 1], 2);
    free(block.data);
    char matrix[256];
    const uint32_t ranks = 1024;
    dxt_window *window;
    assert_int_equal(dxt_window_create(ranks, "dispatch", &window), DXT_OK);
    flags_of(window->wait + (size_t)ranks * ranks / 2, matrix, sizeof matrix);
    dxt_window_free(window);
    if (!wishes_are_shown()) skip();
    assert_non_null(strstr(large, " hg"));
    assert_non_null(strstr(matrix, " hg"));
    assert_null(strstr(small, " hg"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_reach_the_log_and_the_thread),
        cmocka_unit_test(structs_of_other_versions_are_taken),
        cmocka_unit_test(every_status_has_a_text),
        cmocka_unit_test(spans_read_well),
        cmocka_unit_test(reals_read_back_in_few_digits),
        cmocka_unit_test(characters_are_decoded_or_refused),
        cmocka_unit_test(what_would_not_be_seen_is_unprintable),
        cmocka_unit_test(times_of_day_are_read_and_written),
        cmocka_unit_test(a_forked_child_can_fail),
        cmocka_unit_test(text_grows_and_survives_failed_allocations),
        cmocka_unit_test(sums_and_products_notice_overflow),
        cmocka_unit_test(a_missing_part_says_why),
        cmocka_unit_test(bindings_can_ask_for_the_numbers),
        cmocka_unit_test(sleeping_ends_no_earlier_than_asked),
        cmocka_unit_test(what_is_large_asks_for_large_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
