/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time, on a terminal and as SVG. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/render.h>

#include "alloc_fail.h"

#define MOST_RANKS 4096u
#define MOST_WINDOWS 100u

static char *output;
static size_t used;
static double values[MOST_RANKS * MOST_WINDOWS];
static int64_t numbers[MOST_WINDOWS];

static dxt_status keep(void *context, const void *data, size_t size)
{
    (void)context;
    char *grown = realloc(output, used + size + 1);
    if (!grown) return DXT_ERR_NO_MEMORY;
    output = grown;
    memcpy(output + used, data, size);
    output[used += size] = '\0';
    return DXT_OK;
}

static int forget(void **state)
{
    (void)state;
    free(output);
    output = NULL;
    used = 0;
    return 0;
}

/* Rank 1 is 7 µs late from window 12 on, rank 2 silent in the first window, the rest early. */
static dxt_timeline_panel make(uint32_t ranks, size_t windows)
{
    for (size_t k = 0; k < windows; k++) {
        numbers[k] = 10 + (int64_t)k;
        for (uint32_t r = 0; r < ranks; r++) values[r * windows + k] = -100;
        if (k >= 2) values[windows + k] = 7000;
    }
    if (ranks > 2) values[2 * windows] = NAN;
    return (dxt_timeline_panel){.ranks = ranks,
                                .windows = windows,
                                .index = numbers,
                                .values = values,
                                .measure = DXT_MEASURE_NS_PER_OP,
                                .ordinary = 2000,
                                .title = "lateness <in> dispatch"};
}

static size_t count_of(const char *what)
{
    size_t count = 0;
    for (const char *at = output; (at = strstr(at, what)); at += strlen(what)) count++;
    return count;
}

static void the_terminal_shows_a_line_per_rank(void **state)
{
    (void)state;
    dxt_timeline_panel panel = make(4, 5);
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL), DXT_OK);
    assert_string_equal(output, "lateness <in> dispatch\n"
                                "windows 10 to 14\n"
                                "rank 0 |     |\n"
                                "rank 1 |  ▓▓▓|\n"
                                "rank 2 |–    |\n"
                                "rank 3 |     |\n"
                                "window  10\n"
                                "[ ] 0  [░] 1.32  [▒] 2.60  [▓] 5.13  [█] 10.1 µs and more\n"
                                "–: silent, no counters\n"
                                "the largest lateness is 7.00 µs: the scale goes on, so that usual "
                                "lateness is\nblank\n");
}

static void a_narrow_terminal_breaks_the_key(void **state)
{
    (void)state;
    dxt_timeline_panel panel = make(4, 5);
    const dxt_heatmap_options options = {.struct_size = sizeof options, .columns = 40};
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, &options, keep, NULL),
                     DXT_OK);
    assert_non_null(strstr(output, "\n[ ] 0  [░] 1.32  [▒] 2.60  [▓] 5.13\n"
                                   "[█] 10.1 µs and more\n"));
}

/* However little it is. */
static void what_is_named_ends_the_scale(void **state)
{
    (void)state;
    static const dxt_timeline_mark mark = {.rank = 1, .first = 2, .last = 4};
    dxt_timeline_panel panel = make(4, 5);
    panel.marks = &mark;
    panel.mark_count = 1;
    panel.caption = "rank 1 late";
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "\nrank 1*|  ███|\n"));
    assert_non_null(
        strstr(output, "\nrank 1 late\nmarked *: named above\n–: silent, no counters\n"));
    assert_null(strstr(output, "the scale goes on"));
    /* A rank that is early has no place on the scale. */
    static const dxt_timeline_mark early = {.rank = 3, .first = 0, .last = 4};
    panel.marks = &early;
    forget(NULL);
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "\nrank 1 |  ▓▓▓|\n"));
    assert_non_null(strstr(output, "\nrank 3*|     |\n"));
}

/* A rank that is red without a mark, as one that the caption explains, has its own number. */
static void what_is_red_has_its_number(void **state)
{
    (void)state;
    dxt_timeline_panel panel = make(200, 20);
    for (size_t k = 0; k < 20; k++) values[20 + k] = 0, values[37 * 20 + k] = 30000;
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "\nrank  37 |████████████████████|\n"));
    forget(NULL);
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_SVG, NULL, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, ">37</text>"));
    assert_null(strstr(output, ">36</text>"));
}

static void a_silent_rank_is_hatched(void **state)
{
    (void)state;
    for (uint32_t ranks = 2; ranks <= 4096; ranks = ranks == 2 ? 4 : 32 * ranks) {
        dxt_timeline_panel panel = make(ranks, 5);
        assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_SVG, NULL, keep, NULL), DXT_OK);
        /* Where it is and in the key; of two ranks here nobody is. */
        assert_int_equal(count_of("<title>silent: no counters"), ranks == 2 ? 0 : 2);
        assert_int_equal(count_of(">hatched: silent, no counters<"), ranks == 2 ? 0 : 1);
        assert_int_equal(count_of(">rank<") + count_of(">window<"), 2);
        forget(NULL);
    }
}

static void colours_are_closed_again(void **state)
{
    (void)state;
    dxt_timeline_panel panel = make(4, 5);
    dxt_heatmap_options options = {.struct_size = sizeof options, .color = DXT_COLOR_256};
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, &options, keep, NULL),
                     DXT_OK);
    assert_true(count_of("\033[48;5;") >= 5);
    for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n")) {
        const char *last = strrchr(line, '\033');
        if (last) assert_memory_equal(last, "\033[0m", 4);
    }
}

static void many_windows_and_ranks_are_drawn_as_blocks(void **state)
{
    (void)state;
    dxt_timeline_panel panel = make(4096, 100);
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "\nwindows 10 to 109, 2 in a column; rows of 64 ranks\n"));
    assert_int_equal(count_of("rank "), 64);
    assert_non_null(strstr(output, "rank    0 | ▓▓"));
    assert_non_null(strstr(output, "rank   64 |  "));
}

/* Columns that are blocks already, times, hosts, a mark, a strip and words. */
static void what_is_known_besides_is_drawn(void **state)
{
    (void)state;
    static const int64_t last[] = {13, 17, 21, 25, 29};
    static const char *const times[] = {"03:00:00", "03:01:20", "03:02:40", "03:04:00", "03:05:20"};
    static const char *hosts[200];
    static const double strip[] = {0, 0, 0, 3000, 3000};
    static const dxt_timeline_mark mark = {.rank = 1, .first = 2, .last = 4};
    static const dxt_timeline_strip strips[] = {{"6 → 1", strip, "gpu-00 → gpu-<1>"}};
    dxt_timeline_panel panel = make(200, 5);
    for (int i = 0; i < 200; i++) hosts[i] = "gpu-<1>";
    for (int k = 0; k < 5; k++) numbers[k] = 10 + 4 * k;
    panel.last = last;
    panel.times = times;
    panel.hosts = hosts;
    panel.caption = "rank 1 late since window 18";
    panel.marks = &mark;
    panel.mark_count = 1;
    panel.strips = strips;
    panel.strip_count = 1;
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "\nwindows 10 to 29, 4 in a column; rows of 4 ranks\n"
                                   "rank   1*|– ███| gpu-<1>\n"
                                   "rank   4 |     |\n"));
    assert_non_null(strstr(output, "\n    6 → 1|   ░░| gpu-00 → gpu-<1>\n"));
    assert_non_null(strstr(output, "\ntime      03:00:00\n"));
    assert_non_null(strstr(output, "\nrank 1 late since window 18\n"));
    forget(NULL);
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_SVG, NULL, keep, NULL), DXT_OK);
    static const char *const there[] = {"gpu-&lt;1&gt;", ">1</text>",
                                        ">6 → 1<",       ">20</text>",
                                        ">03:02:40<",    ">rank 1 late since window 18<",
                                        "4 in a column", ">gpu-00 → gpu-&lt;1&gt;<"};
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
        assert_non_null(strstr(output, there[i]));
    forget(NULL);
    dxt_timeline_mark outside = {.rank = 1, .first = 2, .last = 5};
    panel.marks = &outside;
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_SVG, NULL, keep, NULL),
                     DXT_ERR_INVALID);
    panel.marks = &mark;
    panel.strip_count = 17;
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_SVG, NULL, keep, NULL),
                     DXT_ERR_INVALID);
}

/* Where some hosts are not known, the others stand beside their rows. */
static void hosts_may_be_known_in_part(void **state)
{
    (void)state;
    static const char *const lists[][3] = {
        {"gpu-1", NULL, "gpu-2"}, {"gpu-1", "", "gpu-2"}, {NULL, "gpu-1", "gpu-2"}};
    dxt_timeline_panel panel = make(3, 5);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        panel.hosts = lists[i];
        assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL),
                         DXT_OK);
        assert_int_equal(count_of("| gpu-1\n"), 1);
        assert_int_equal(count_of("| gpu-2\n"), 1);
        forget(NULL);
        assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_SVG, NULL, keep, NULL), DXT_OK);
        assert_int_equal(count_of("gpu-"), 2);
        forget(NULL);
    }
    static const char *const unknown[3] = {NULL, NULL, NULL};
    panel.hosts = unknown;
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL), DXT_OK);
    assert_int_equal(count_of("gpu-"), 0);
}

/* Also what comes from outside; and what is wider for it still fits. */
static void a_terminal_without_letters_gets_ascii(void **state)
{
    (void)state;
    static const double strip[] = {0, 0, 0, 3000, 3000};
    static const dxt_timeline_strip strips[] = {{"6 → 1", strip, "gpu-ä → b"}};
    dxt_timeline_panel panel = make(4, 5);
    panel.strips = strips;
    panel.strip_count = 1;
    panel.caption = "→ → → → → → → → → → → → → → → → → → → →";
    for (int color = DXT_COLOR_NONE; color <= DXT_COLOR_TRUE; color++) {
        dxt_heatmap_options options = {
            .struct_size = sizeof options, .color = (dxt_color)color, .columns = 40, .ascii = 1};
        assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, &options, keep, NULL),
                         DXT_OK);
        for (const char *c = output; *c; c++) assert_true((unsigned char)*c < 0x80);
        assert_non_null(strstr(output, "\n 6 -> 1|"));
        assert_non_null(strstr(output, "| gpu-? -> b\n"));
        assert_non_null(strstr(output, " us and more\n"));
        for (const char *at = output; color == DXT_COLOR_NONE && *at;
             at += strspn(at, "\n"), at += strcspn(at, "\n"))
            assert_true(strcspn(at + strspn(at, "\n"), "\n") <= 40 || strchr("[w", at[1]));
        forget(NULL);
    }
}

/* As dxt_heatmap_write() takes them: what an older caller does not know has its default. */
static void options_of_an_older_caller_are_taken(void **state)
{
    (void)state;
    dxt_timeline_panel panel = make(4, 5);
    dxt_heatmap_options options = {.struct_size = offsetof(dxt_heatmap_options, heading),
                                   .color = DXT_COLOR_256,
                                   .heading = "not known to it"};
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, &options, keep, NULL),
                     DXT_OK);
    assert_true(count_of("\033[48;5;") >= 5);
    assert_int_equal(count_of("not known"), 0);
    options.struct_size = 0;
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, &options, keep, NULL),
                     DXT_ERR_INVALID);
}

static void svg_has_a_rectangle_per_cell(void **state)
{
    (void)state;
    dxt_timeline_panel panels[] = {make(4, 20), make(4, 20)};
    dxt_heatmap_options options = {.struct_size = sizeof options, .heading = "a & b"};
    assert_int_equal(dxt_timeline_write(panels, 2, DXT_FORMAT_SVG, &options, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "lateness &lt;in&gt; dispatch"));
    assert_non_null(strstr(output, "a &amp; b"));
    /* The paper, and for each panel its cells, one of them hatched by 3 lines, the steps of the
     * colour bar and ticks, and the hatching in the key. */
    assert_int_equal(count_of("<path"), 1 + 2 * (4 * 20 + 3 + 60 + 10 + 5));
    assert_null(strstr(output, "nan"));
    forget(NULL);
    panels[0] = make(4096, 20);
    assert_int_equal(dxt_timeline_write(panels, 1, DXT_FORMAT_SVG, NULL, keep, NULL), DXT_OK);
    assert_non_null(strstr(output, "rows of 32 ranks"));
    /* One rank of a block is silent in one window: its own stripe, hatched. */
    assert_int_equal(count_of("<path"), 1 + 128 * 20 + 4 + 60 + 10 + 5);
}

static void a_timeline_of_nothing_is_drawn(void **state)
{
    (void)state;
    dxt_timeline_panel panel = make(1, 1);
    values[0] = NAN;
    panel.ordinary = 0;
    panel.title = NULL;
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, NULL, keep, NULL), DXT_OK);
    assert_int_equal(dxt_timeline_write(&panel, 1, DXT_FORMAT_SVG, NULL, keep, NULL), DXT_OK);
    assert_null(strstr(output, "nan"));
}

/* Also one of which nothing is left once it is cleaned. */
static void titles_and_headings_may_be_empty(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "\xe2\x80\xae", "\xef\xbf\xbf", "\x1b"};
    static const dxt_format formats[] = {DXT_FORMAT_TERMINAL, DXT_FORMAT_SVG};
    for (size_t i = 0; i < 8; i++) {
        dxt_timeline_panel panel = make(3, 4);
        panel.title = empty[i % 4];
        dxt_heatmap_options options = {.struct_size = sizeof options, .heading = empty[i % 4]};
        dxt_status status = dxt_timeline_write(&panel, 1, formats[i / 4], &options, keep, NULL);
        assert_int_equal(status, DXT_OK);
        if (empty[i % 4][0]) assert_null(strstr(output, empty[i % 4]));
        forget(NULL);
    }
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    dxt_timeline_panel good = make(4, 5), bad = good;
    assert_int_equal(dxt_timeline_write(&good, 1, DXT_FORMAT_HTML, NULL, keep, NULL),
                     DXT_ERR_UNSUPPORTED);
    assert_int_equal(dxt_timeline_write(&good, 0, DXT_FORMAT_SVG, NULL, keep, NULL),
                     DXT_ERR_INVALID);
    assert_int_equal(dxt_timeline_write(&good, 65, DXT_FORMAT_SVG, NULL, keep, NULL),
                     DXT_ERR_INVALID);
    assert_int_equal(dxt_timeline_write(&good, 1, (dxt_format)9, NULL, keep, NULL),
                     DXT_ERR_INVALID);
    bad.ranks = 4097;
    assert_int_equal(dxt_timeline_write(&bad, 1, DXT_FORMAT_SVG, NULL, keep, NULL),
                     DXT_ERR_INVALID);
    bad = good;
    bad.windows = 0;
    assert_int_equal(dxt_timeline_write(&bad, 1, DXT_FORMAT_SVG, NULL, keep, NULL),
                     DXT_ERR_INVALID);
    assert_null(output);
}

static dxt_status ignore(void *context, const void *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
    return DXT_OK;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const dxt_format formats[] = {DXT_FORMAT_TERMINAL, DXT_FORMAT_SVG};
    dxt_timeline_panel panel = make(8, 20);
    dxt_heatmap_options options = {.struct_size = sizeof options, .heading = "heading"};
    for (size_t f = 0; f < 2; f++) {
        dxt_status status;
        long k = 1;
        for (; alloc_fail_arm(k),
               status = dxt_timeline_write(&panel, 1, formats[f], &options, ignore, NULL),
               alloc_fail_disarm();
             k++)
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_int_equal(status, DXT_OK);
        assert_true(k > 1);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_terminal_shows_a_line_per_rank),
        TEST(a_narrow_terminal_breaks_the_key),
        TEST(what_is_named_ends_the_scale),
        TEST(what_is_red_has_its_number),
        TEST(a_silent_rank_is_hatched),
        TEST(colours_are_closed_again),
        TEST(many_windows_and_ranks_are_drawn_as_blocks),
        TEST(what_is_known_besides_is_drawn),
        TEST(hosts_may_be_known_in_part),
        TEST(a_terminal_without_letters_gets_ascii),
        TEST(options_of_an_older_caller_are_taken),
        TEST(svg_has_a_rectangle_per_cell),
        TEST(a_timeline_of_nothing_is_drawn),
        TEST(titles_and_headings_may_be_empty),
        TEST(bad_input_is_refused),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
