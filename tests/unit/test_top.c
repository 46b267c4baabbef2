/* SPDX-License-Identifier: Apache-2.0 */
/* What `top` keeps of the lines that it reads, and what its screen shows of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "screen.h"

static const analysis_options usual;

/* A window of four ranks of which rank 2 is 200 µs late, if it is. */
static size_t make_line(char line[512], const char *phase, int number, bool late, const char *group)
{
    int more = late ? 200000 : 0;
    return (size_t)snprintf(
        line, 512,
        "{\"v\":1,\"phase\":\"%s\",\"ranks\":4,\"unit\":\"ns\",\"ops\":1,\"window\":%d,"
        "\"elapsed_ns\":400000,\"group\":\"%s\",\"begin\":\"2026-11-26T03:00:%02dZ\",\"wait\":"
        "[[0,1500,%d,1400],[1300,0,%d,1200],[%d,%d,0,%d],[1600,1500,%d,0]]}",
        phase, number, group, number % 60, 1400 + more, 1500 + more, late ? 0 : 1500,
        late ? 0 : 1400, late ? 0 : 1300, 1600 + more);
}

static dxt_status take_text(watched *w, const char *path, bool log, const char *text, size_t size)
{
    dxt_reader *reader;
    dxt_window *window = NULL;
    dxt_status status = dxt_reader_open_memory(text, size, path, &reader);
    if (status != DXT_OK) return status;
    status = dxt_reader_next(reader, &window);
    dxt_reader_close(reader);
    return status == DXT_OK ? watched_take(w, 0, path, log, window) : status;
}

static dxt_status take(watched *w, const char *phase, int number, bool late, const char *group)
{
    char line[512];
    size_t size = make_line(line, phase, number, late, group);
    return take_text(w, "logs/run.jsonl", false, line, size);
}

static void windows_are_judged_with_their_interval(void **state)
{
    (void)state;
    watched w = {.analysis = &usual};
    assert_int_equal(take(&w, "dispatch", 0, true, "a"), DXT_OK);
    assert_int_equal(w.windows, 0); /* the combine may come */
    assert_int_equal(take(&w, "combine", 0, false, "a"), DXT_OK);
    assert_int_equal(w.windows, 2);
    assert_int_equal(take(&w, "dispatch", 1, true, "a"), DXT_OK);
    assert_int_equal(watched_rest(&w), DXT_OK);
    assert_int_equal(w.windows, 3);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.groups[0]->count, 2);
    assert_int_equal(w.groups[0]->operators[0].count, 2);
    assert_int_equal(w.groups[0]->operators[0].windows[1].findings->findings[0].rank, 2);
    watched_free(&w);
}

static void what_is_kept_has_a_most(void **state)
{
    (void)state;
    watched w = {.analysis = &usual};
    char group[16];
    for (int i = 0; i < 200; i++) assert_int_equal(take(&w, "dispatch", i, false, "a"), DXT_OK);
    assert_int_equal(w.groups[0]->operators[0].count, WATCHED_WINDOWS);
    for (int i = 0; i < 100; i++) {
        snprintf(group, sizeof group, "g%d", i);
        assert_int_equal(take(&w, "dispatch", 0, false, group), DXT_OK);
    }
    assert_int_equal(w.count, WATCHED_GROUPS);
    assert_string_equal(w.groups[w.count - 1]->name, "g99");
    /* A run that begins anew. */
    snprintf(group, sizeof group, "g99");
    assert_int_equal(take(&w, "dispatch", 1, false, group), DXT_OK);
    assert_int_equal(take(&w, "dispatch", 0, false, group), DXT_OK);
    assert_int_equal(watched_rest(&w), DXT_OK);
    assert_int_equal(w.groups[w.count - 1]->operators[0].count, 1);
    watched_free(&w);
}

static void the_log_of_a_recorded_instance_is_left_out(void **state)
{
    (void)state;
    static const char window[] =
        "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2,\"unit\":\"ns\",\"ops\":1,"
        "\"instance\":\"a\",\"wait\":[[0,5],[5,0]]}";
    static const char other[] =
        "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2,\"unit\":\"ns\",\"ops\":1,"
        "\"instance\":\"b\",\"wait\":[[0,5],[5,0]]}";
    watched w = {.analysis = &usual};
    assert_int_equal(take_text(&w, "x.log", true, window, sizeof window - 1), DXT_OK);
    assert_int_equal(take_text(&w, "x.log", true, other, sizeof other - 1), DXT_OK);
    assert_int_equal(w.count, 2);
    /* Its recording turns up, and takes the place of the log. */
    assert_int_equal(take_text(&w, "x.jsonl", false, window, sizeof window - 1), DXT_OK);
    assert_int_equal(w.count, 2);
    assert_string_equal(w.groups[0]->instance, "b");
    assert_false(w.groups[1]->log);
    assert_int_equal(take_text(&w, "x.log", true, window, sizeof window - 1), DXT_OK);
    assert_int_equal(w.count, 2);
    watched_free(&w);
}

static char *see(screen *s, const watched *w)
{
    char *text = screen_text(s, w);
    assert_non_null(text);
    return text;
}

/* Whether the screen has a text after a key. */
static bool key_shows(screen *s, const watched *w, const char *key, const char *expected)
{
    assert_true(screen_key(s, w, key));
    char *text = see(s, w);
    bool there = strstr(text, expected) != NULL;
    free(text);
    return there;
}

static void keys_choose(void **state)
{
    (void)state;
    watched w = {.analysis = &usual};
    screen s = {.rows = 60, .columns = 80};
    assert_true(key_shows(&s, &w, "x", "no window yet"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(take(&w, "dispatch", i, i == 2, "a\xe2\x80\xae"), DXT_OK);
        assert_int_equal(take(&w, "combine", i, false, "a\xe2\x80\xae"), DXT_OK);
    }
    assert_int_equal(take(&w, "dispatch", 7, false, "b"), DXT_OK);
    assert_int_equal(watched_rest(&w), DXT_OK);
    assert_true(key_shows(&s, &w, "x", "dispatch  window 2, 03:00:02  slow"));
    assert_true(key_shows(&s, &w, "x", "rank 2 is late in dispatch"));
    assert_true(key_shows(&s, &w, "p", "window 1, 03:00:01  "));
    assert_true(key_shows(&s, &w, "\033[D", "window 0"));
    assert_true(key_shows(&s, &w, "\033[D", "window 0"));
    assert_true(key_shows(&s, &w, "x", "(not the newest)"));
    assert_true(key_shows(&s, &w, "n", "window 1"));
    assert_true(key_shows(&s, &w, "\033[F", "window 2"));
    assert_true(key_shows(&s, &w, "o", "combine  window 2"));
    assert_true(key_shows(&s, &w, "o", "dispatch  window 2"));
    assert_true(key_shows(&s, &w, "O", "combine  window 2"));
    assert_true(key_shows(&s, &w, "g", "b  4 ranks  dispatch  window 7"));
    assert_true(key_shows(&s, &w, "G", "a???  4 ranks"));
    assert_true(key_shows(&s, &w, " ", "PAUSED"));
    assert_true(key_shows(&s, &w, "?", "next, previous group"));
    assert_false(key_shows(&s, &w, "?", "next, previous group"));
    assert_false(screen_key(&s, &w, "q"));
    watched_free(&w);
}

/* The column of rank 2, which is silent, is red and numbered, and nobody is late. */
static void who_stands_out_unnamed_is_explained(void **state)
{
    (void)state;
    static const char silent[] =
        "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":4,\"unit\":\"ns\",\"ops\":1,\"window\":0,"
        "\"elapsed_ns\":400000,\"wait\":[[0,1500,200000,1400],[1300,0,200000,1200],null,"
        "[1600,1500,200000,0]]}";
    watched w = {.analysis = &usual};
    screen s = {.rows = 60, .columns = 80};
    assert_int_equal(take_text(&w, "x", false, silent, sizeof silent - 1), DXT_OK);
    assert_int_equal(watched_rest(&w), DXT_OK);
    char *text = see(&s, &w);
    assert_non_null(strstr(text, "column 2: the others wait for rank 2, which is silent"));
    free(text);
    watched_free(&w);
}

/* A path is slow in two windows of three: nobody is late, and it has a row of its own. */
static void a_slow_path_has_a_row_in_the_timeline(void **state)
{
    (void)state;
    watched w = {.analysis = &usual};
    for (int i = 0; i < 3; i++) {
        char line[512];
        int size = snprintf(
            line, sizeof line,
            "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":4,\"unit\":\"ns\",\"ops\":1,\"window\":%d,"
            "\"elapsed_ns\":400000,\"begin\":\"2026-11-26T03:00:%02dZ\",\"wait\":"
            "[[0,1500,1400,1400],[1300,0,1500,%d],[1500,1400,0,1300],[1600,1500,1600,0]]}",
            i, i, i == 1 ? 1200 : 200000);
        assert_int_equal(take_text(&w, "run.jsonl", false, line, (size_t)size), DXT_OK);
    }
    assert_int_equal(watched_rest(&w), DXT_OK);
    screen s = {.rows = 100, .columns = 80};
    char *text = see(&s, &w);
    if (!strstr(text, "3 → 1|")) printf("%s\n", text);
    assert_non_null(strstr(text, "3 → 1|█ █|"));
    free(text);
    watched_free(&w);
}

/* Paths are slow one after the other, a window each: more of them than there are rows. */
static void the_newest_slow_paths_have_the_rows(void **state)
{
    (void)state;
    watched w = {.analysis = &usual};
    int from = 0, to = 0;
    for (int i = 0; i < 10; i++) {
        from = i % 4;
        to = (from + 1 + i / 4) % 4;
        long wait[4][4];
        for (int r = 0; r < 4; r++)
            for (int s = 0; s < 4; s++) wait[r][s] = r == s ? 0 : 1300 + 100 * ((r + s) % 4);
        wait[from][to] = 200000;
        char line[512];
        int size = snprintf(
            line, sizeof line,
            "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":4,\"unit\":\"ns\",\"ops\":1,"
            "\"window\":%d,\"elapsed_ns\":400000,\"begin\":\"2026-11-26T03:00:%02dZ\",\"wait\":[",
            i, i);
        for (int r = 0; r < 4; r++)
            size += snprintf(line + size, sizeof line - (size_t)size, "%s[%ld,%ld,%ld,%ld]",
                             r ? "," : "", wait[r][0], wait[r][1], wait[r][2], wait[r][3]);
        size += snprintf(line + size, sizeof line - (size_t)size, "]}");
        assert_int_equal(take_text(&w, "run.jsonl", false, line, (size_t)size), DXT_OK);
    }
    assert_int_equal(watched_rest(&w), DXT_OK);
    screen s = {.rows = 100, .columns = 80};
    char *text = see(&s, &w), last[32];
    snprintf(last, sizeof last, "%d → %d|         █|", to, from);
    if (!strstr(text, last) || strstr(text, "1 → 0|")) printf("%s\n", text);
    assert_non_null(strstr(text, last));
    assert_null(strstr(text, "1 → 0|")); /* the first */
    assert_null(strstr(text, "2 → 1|"));
    assert_non_null(strstr(text, "3 → 2|")); /* the eighth, counted from the last */
    free(text);
    watched_free(&w);
}

static void the_screen_is_as_high_as_the_terminal(void **state)
{
    (void)state;
    watched w = {.analysis = &usual};
    assert_int_equal(take(&w, "dispatch", 0, true, "a"), DXT_OK);
    assert_int_equal(watched_rest(&w), DXT_OK);
    for (uint32_t rows = 4; rows < 50; rows += 3) {
        screen s = {.rows = rows, .columns = 60, .scroll = 1000};
        char *text = see(&s, &w);
        size_t lines = 1;
        for (const char *at = text; *at; at++) lines += *at == '\n';
        assert_true(lines <= rows);
        free(text);
    }
    /* What is not on the screen is told, and where it is. */
    screen low = {.rows = 12, .columns = 60};
    assert_true(key_shows(&low, &w, "x", " lines below (j)"));
    assert_false(key_shows(&low, &w, "x", " above (k)"));
    assert_true(key_shows(&low, &w, "\033[6~", "-- 6 lines above (k), "));
    assert_true(key_shows(&low, &w, "j", "-- 7 lines above (k), "));
    assert_false(key_shows(&low, &w, "\033[5~", "-- 7 lines above (k), "));
    for (int i = 0; i < 9; i++) screen_key(&low, &w, "\033[6~");
    assert_false(key_shows(&low, &w, "x", " below (j)"));
    assert_true(key_shows(&low, &w, "x", " lines above (k)"));
    screen high = {.rows = 100, .columns = 60};
    assert_false(key_shows(&high, &w, "x", " lines below (j)"));
    screen small = {.rows = 3, .columns = 10};
    char *text = see(&small, &w);
    assert_non_null(strstr(text, "too small"));
    free(text);
    watched_free(&w);
}

static dxt_status all(char **text)
{
    watched w = {.analysis = &usual};
    screen s = {.rows = 30, .columns = 60};
    dxt_status status = take(&w, "dispatch", 0, true, "a");
    static const char named[] =
        "{\"v\":1,\"phase\":\"dispatch\",\"ranks\":2,\"unit\":\"ns\",\"ops\":1,"
        "\"instance\":\"a\",\"wait\":[[0,5],[5,0]]}";
    if (status == DXT_OK) status = take_text(&w, "x", false, named, sizeof named - 1);
    if (status == DXT_OK) status = take(&w, "combine", 0, false, "a");
    if (status == DXT_OK) status = watched_rest(&w);
    *text = status == DXT_OK ? screen_text(&s, &w) : NULL;
    if (status == DXT_OK && !*text) status = DXT_ERR_NO_MEMORY;
    watched_free(&w);
    return status;
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    char *text;
    dxt_status status;
    for (long k = 1; alloc_fail_arm(k), status = all(&text), alloc_fail_disarm(); k++) {
        assert_true(status == DXT_ERR_NO_MEMORY || status == DXT_OK);
        free(text);
    }
    assert_int_equal(status, DXT_OK);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_judged_with_their_interval),
        cmocka_unit_test(who_stands_out_unnamed_is_explained),
        cmocka_unit_test(what_is_kept_has_a_most),
        cmocka_unit_test(the_log_of_a_recorded_instance_is_left_out),
        cmocka_unit_test(keys_choose),
        cmocka_unit_test(a_slow_path_has_a_row_in_the_timeline),
        cmocka_unit_test(the_newest_slow_paths_have_the_rows),
        cmocka_unit_test(the_screen_is_as_high_as_the_terminal),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
