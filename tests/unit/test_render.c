/* SPDX-License-Identifier: Apache-2.0 */
/* Whole pictures: SVG and the terminal; pages are in test_page.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "render/model.h"
#include "render/words.h"
#include "test_render_windows.h"

static const uint32_t all_ranks[] = {2, 3, 8, 16, 64, 513, 2048};
static const unsigned contents[] = {WINDOW_HEALTHY,
                                    WINDOW_LATE,
                                    WINDOW_LATE | WINDOW_SILENT,
                                    WINDOW_ZERO,
                                    WINDOW_HUGE,
                                    WINDOW_LATE | WINDOW_CYCLES,
                                    WINDOW_HUGE | WINDOW_SILENT | WINDOW_CYCLES};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A panel with one mark of each kind and words that try to break out. */
static dxt_heatmap_panel make_panel(uint32_t ranks, unsigned content, dxt_mark marks[3])
{
    marks[0] = (dxt_mark){DXT_MARK_COLUMN, 0, ranks * 5 / 8};
    marks[1] = (dxt_mark){DXT_MARK_ROW, ranks - 1, 0};
    marks[2] = (dxt_mark){DXT_MARK_POINT, ranks / 4, ranks / 3};
    return (dxt_heatmap_panel){.window = make_window(ranks, content),
                               .marks = marks,
                               .mark_count = 3,
                               .title = "<b>&\"title'\033[31m",
                               .caption = "]]> a caption of several words\nin two lines é"};
}

static void free_panel(dxt_heatmap_panel *panel)
{
    dxt_window_free((dxt_window *)panel->window);
}

/* ---- XML ---- */

/* Check one tag and step behind it; keeps the stack of open elements. */
static const char *check_tag(const char *at, const char *open[16], size_t *depth)
{
    bool closing = at[1] == '/', quoted = false;
    const char *name = at + 1 + closing, *end = name;
    size_t length = strcspn(name, " />\n");
    assert_true(length > 0);
    for (; *end && (quoted || *end != '>'); end++) {
        if (*end == '"') quoted = !quoted;
        assert_int_not_equal(*end, '<');
    }
    assert_int_equal(*end, '>');
    if (closing) {
        assert_true(*depth > 0);
        assert_memory_equal(open[--*depth], name, length);
    } else if (end[-1] != '/') {
        assert_true(*depth < 16);
        open[(*depth)++] = name;
    }
    return end + 1;
}

/* Elements are nested and closed, references are known, characters are allowed. */
static void check_xml(const char *at, const char *end)
{
    const char *open[16];
    size_t depth = 0;
    if (strncmp(at, "<?xml", 5) == 0) at = strstr(at, "?>") + 2;
    while (at < end) {
        if (*at == '<') {
            at = check_tag(at, open, &depth);
            continue;
        }
        if (*at == '&')
            assert_true(!strncmp(at, "&amp;", 5) || !strncmp(at, "&lt;", 4) ||
                        !strncmp(at, "&gt;", 4) || !strncmp(at, "&quot;", 6) ||
                        !strncmp(at, "&#39;", 5));
        assert_true((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t');
        at++;
    }
    assert_int_equal(depth, 0);
}

static void svg_is_well_formed_and_small(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_mark marks[3];
    for (size_t n = 0; n < COUNT(all_ranks); n++) {
        size_t step = all_ranks[n] > 1000 ? 3 : 1; /* the largest take their time */
        for (size_t c = 0; c < COUNT(contents); c += step) {
            dxt_heatmap_panel panel = make_panel(all_ranks[n], contents[c], marks);
            assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_SVG, DXT_COLOR_NONE, 0), DXT_OK);
            check_xml(sink.data, sink.data + sink.size);
            assert_true(sink.size < 2000000);
            assert_non_null(strstr(sink.data, ">&lt;b&gt;&amp;&quot;title&#39;[31m</text>"));
            assert_non_null(strstr(sink.data, ">in two lines é</text>"));
            assert_non_null(strstr(sink.data, ">awaited rank</text>"));
            assert_non_null(strstr(sink.data, ">waiting rank</text>"));
            bool cycles = contents[c] & WINDOW_CYCLES, blocks = all_ranks[n] > 128;
            assert_int_equal(strstr(sink.data, ">mean wait in µs</text>") != NULL, !cycles);
            assert_int_equal(strstr(sink.data, ">sum of waits in cycles</text>") != NULL, cycles);
            assert_int_equal(strstr(sink.data, ">one block = ") != NULL, blocks);
            assert_int_equal(strstr(sink.data, "silent") != NULL,
                             (contents[c] & WINDOW_SILENT) != 0);
            assert_int_equal(strstr(sink.data, "all waits are 0") != NULL,
                             contents[c] == WINDOW_ZERO);
            free_panel(&panel);
        }
    }
    empty_sink(&sink);
}

static void two_columns_in_a_block_are_both_named(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_mark marks[] = {
        {DXT_MARK_COLUMN, 0, 17}, {DXT_MARK_COLUMN, 0, 19}, {DXT_MARK_COLUMN, 0, 21}};
    dxt_window *window = make_window(256, WINDOW_HEALTHY);
    dxt_heatmap_panel panel = {.window = window, .marks = marks, .mark_count = 2};
    assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, DXT_COLOR_NONE, 40), DXT_OK);
    assert_non_null(strstr(sink.data, " 17,19*\n"));
    free(sink.data);
    sink = (test_sink){0};
    panel.mark_count = 3;
    assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, DXT_COLOR_NONE, 40), DXT_OK);
    assert_non_null(strstr(sink.data, " 17…*\n"));
    free(sink.data);
    dxt_window_free(window);
}

static void svg_has_every_cell_and_label(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_mark mark = {DXT_MARK_COLUMN, 0, 5};
    dxt_window *window = make_window(8, WINDOW_LATE);
    window->wait[3] = 123400;
    window->wait[4] = 67890000;
    dxt_heatmap_panel panel = {.window = window, .marks = &mark, .mark_count = 1};
    assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_SVG, DXT_COLOR_NONE, 0), DXT_OK);
    assert_int_equal(occurrences(sink.data, " waits for rank "), 64);
    assert_non_null(strstr(sink.data, "<title>rank 0 waits for rank 3: 1.23 µs</title>"));
    assert_non_null(strstr(sink.data, ">1.23</text>"));
    assert_non_null(strstr(sink.data, ">679</text>"));
    assert_non_null(strstr(sink.data, ">dispatch, window 3</text>"));
    assert_non_null(strstr(sink.data, ">8 ranks, mean wait in µs (1000 µs = 1 ms)</text>"));
    for (int rank = 0; rank < 8; rank++) {
        char label[32];
        snprintf(label, sizeof label, ">%d</text>", rank);
        assert_true(occurrences(sink.data, label) >= 2);
    }
    /* The flagged one is bold, once, and outlined. */
    assert_int_equal(occurrences(sink.data, "font-weight=\"bold\" fill=\"#ffffff\""), 1);
    assert_int_equal(occurrences(sink.data, "stroke=\"#12256e\" stroke-width=\"2\" pointer-events"),
                     2);
    dxt_window_free(window);
    empty_sink(&sink);
}

/* An outline each, but one around the paths between two nodes. */
static void neighbouring_paths_have_one_outline(void **state)
{
    (void)state;
    /* Rows of paths; how many outlines they need. */
    static const struct {
        const char *rows[4];
        int outlines;
    } shapes[] = {{{"....", ".xx.", ".xx.", "...."}, 1}, {{"x...", ".x..", "..x.", "...x"}, 4},
                  {{"xxxx", "xxxx", "xxxx", "xxxx"}, 1}, {{"xx..", "x...", "xx..", "...."}, 3},
                  {{"x..x", "....", "....", "x..x"}, 4}, {{"....", "....", "....", "...."}, 0}};
    test_sink sink = {0};
    dxt_window *window = make_window(4, WINDOW_HEALTHY);
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        dxt_mark marks[16];
        size_t count = 0;
        for (uint32_t i = 0; i < 16; i++)
            if (shapes[k].rows[i / 4][i % 4] == 'x')
                marks[count++] = (dxt_mark){DXT_MARK_POINT, i / 4, i % 4};
        dxt_heatmap_panel panel = {.window = window, .marks = marks, .mark_count = count};
        empty_sink(&sink);
        assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_SVG, DXT_COLOR_NONE, 0), DXT_OK);
        assert_int_equal(occurrences(sink.data, "fill=\"none\" stroke=\"#12256e\""),
                         shapes[k].outlines);
    }
    dxt_window_free(window);
    empty_sink(&sink);
}

/* The numbers of columns stand at even steps, up to the last one that fits. */
static void columns_are_numbered_evenly(void **state)
{
    (void)state;
    static const char anchor[] = "text-anchor=\"middle\"";
    test_sink sink = {0};
    for (uint32_t ranks = 65; ranks < 200; ranks += 7) {
        dxt_window *window = make_window(ranks, WINDOW_HEALTHY);
        dxt_heatmap_panel panel = {.window = window};
        assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_SVG, DXT_COLOR_NONE, 0), DXT_OK);
        long step = 0, newest = -1;
        for (const char *at = sink.data; (at = strstr(at, anchor)) && newest + step < ranks;) {
            at = strchr(at, '>') + 1;
            char *end;
            long number = strtol(at, &end, 10);
            if (end == at || *end != '<') continue;
            if (newest == 0) step = number;
            assert_int_equal(number, newest < 0 ? 0 : newest + step);
            newest = number;
        }
        assert_true(step > 0 && newest + step >= ranks);
        dxt_window_free(window);
        empty_sink(&sink);
    }
}

/* One late rank among 2048 must not drown in its block. */
static void a_late_rank_stands_out_among_thousands(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(2048, WINDOW_LATE);
    dxt_heatmap_panel panel = {.window = window};
    assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_SVG, DXT_COLOR_NONE, 0), DXT_OK);
    assert_int_equal(occurrences(sink.data, " for 1280–1295: 1.00 ms"), 128);
    assert_non_null(strstr(sink.data, "one block = 16 × 16 ranks, colour: longest wait in it"));
    assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, DXT_COLOR_NONE, 80), DXT_OK);
    assert_int_equal(occurrences(sink.data, "██"), 32);
    assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, DXT_COLOR_TRUE, 80), DXT_OK);
    assert_non_null(strstr(sink.data, "one block = 32 × 32 ranks"));
    dxt_window_free(window);
    empty_sink(&sink);
}

/* ---- terminal ---- */

/* Length of the longest line; escape sequences are counted and skipped. */
static unsigned longest_line(const char *at, size_t *escapes)
{
    unsigned longest = 0, width = 0;
    *escapes = 0;
    while (*at) {
        if (*at == '\033') {
            (*escapes)++;
            at = strchr(at, 'm') + 1;
            continue;
        }
        size_t size;
        uint32_t character = dxt_utf8_next(at, &size);
        assert_int_not_equal(character, 0xfffd);
        width = character == '\n' ? 0 : width + (unsigned)dxt_terminal_width(character);
        if (width > longest) longest = width;
        at += size;
    }
    return longest;
}

static void terminal_pictures_fit(void **state)
{
    (void)state;
    static const uint32_t columns[] = {1, 24, 40, 80, 132, 250};
    test_sink sink = {0};
    dxt_mark marks[3];
    for (size_t n = 0; n < COUNT(all_ranks); n++) {
        size_t step = all_ranks[n] > 1000 ? 4 : 1;
        for (size_t i = 0; i < COUNT(columns) * 3; i += step) {
            uint32_t fits = columns[i / 3] < 24 ? 24 : columns[i / 3];
            dxt_color color = (dxt_color)(i % 3);
            dxt_heatmap_panel panel =
                make_panel(all_ranks[n], contents[i % COUNT(contents)], marks);
            assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, color, columns[i / 3]),
                             DXT_OK);
            size_t escapes;
            unsigned longest = longest_line(sink.data, &escapes);
            assert_true(longest <= fits);
            assert_int_equal(escapes > 0, color != DXT_COLOR_NONE);
            assert_int_equal(occurrences(sink.data, "8;5;") > 0, color == DXT_COLOR_256);
            assert_int_equal(occurrences(sink.data, "8;2;") > 0, color == DXT_COLOR_TRUE);
            assert_int_equal(sink.data[sink.size - 1], '\n');
            assert_null(strstr(sink.data, "\033[31m"));
            free_panel(&panel);
        }
    }
    empty_sink(&sink);
}

static void terminal_figures_and_marks_need_no_colour(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(4, WINDOW_ZERO);
    const dxt_mark marks[] = {
        {DXT_MARK_COLUMN, 0, 2}, {DXT_MARK_ROW, 1, 0}, {DXT_MARK_POINT, 3, 0}};
    window->wait[2] = 12340000;
    window->wait[12] = 150000;
    window->missing = calloc(4, 1);
    assert_non_null(window->missing);
    window->missing[2] = 1;
    dxt_heatmap_panel panel = {.window = window, .marks = marks, .mark_count = 3, .caption = "why"};
    assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, DXT_COLOR_NONE, 0), DXT_OK);
    assert_string_equal(sink.data, "dispatch, window 3\n"
                                   "4 ranks, mean wait in µs\n"
                                   "\n"
                                   "waiting rank ↓  awaited rank →\n"
                                   "     0    1    2*   3\n"
                                   "0    0    0  123    0\n"
                                   "1*   0    0    0    0\n"
                                   "2    –    –    –    –\n"
                                   "3 1.50*   0    0    0\n"
                                   "\n"
                                   "why\n"
                                   "marked *: column 2; row 1; path 0 → 3\n"
                                   "–: silent, no counters from rank 2\n"
                                   "row = the rank that waits, column = the rank it waits for\n");
    dxt_window_free(window);
    empty_sink(&sink);
}

/* ---- common ---- */

static void marks_show_at_every_size(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_mark marks[3];
    for (size_t n = 0; n < COUNT(all_ranks); n++) {
        for (unsigned color = 0; color < 3; color++) {
            char column[32], row[32];
            dxt_heatmap_panel panel = make_panel(all_ranks[n], WINDOW_LATE, marks);
            snprintf(column, sizeof column, "%u*", marks[0].column);
            snprintf(row, sizeof row, "%u*", marks[1].row);
            assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, (dxt_color)color, 80),
                             DXT_OK);
            assert_non_null(strstr(sink.data, column));
            assert_non_null(strstr(sink.data, row));
            assert_true(occurrences(sink.data, "*") >= 4);
            free_panel(&panel);
        }
    }
    empty_sink(&sink);
}

/* In cells, a flagged column at the very right, and paths in both halves of a line. */
static void marks_at_the_edges_stay_inside(void **state)
{
    (void)state;
    test_sink sink = {0};
    size_t escapes;
    dxt_window *window = make_window(64, WINDOW_HEALTHY);
    const dxt_mark marks[] = {{DXT_MARK_COLUMN, 0, 63},
                              {DXT_MARK_POINT, 62, 0},
                              {DXT_MARK_POINT, 63, 1},
                              {DXT_MARK_POINT, 0, 63}};
    dxt_heatmap_panel panel = {.window = window, .marks = marks, .mark_count = 4};
    for (unsigned color = 0; color < 3; color++) {
        assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, (dxt_color)color, 67),
                         DXT_OK);
        assert_int_equal(longest_line(sink.data, &escapes), 67);
        assert_non_null(strstr(sink.data, "                                 63*\n"));
        /* Three paths, the column, and the key. */
        assert_int_equal(occurrences(sink.data, "*"), 5);
    }
    dxt_window_free(window);
    empty_sink(&sink);
}

static void panels_follow_each_other(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *one = make_window(4, WINDOW_LATE), *two = make_window(300, WINDOW_HEALTHY);
    dxt_heatmap_panel panels[65] = {{.window = one, .title = "first"},
                                    {.window = two, .title = "second"}};
    dxt_heatmap_options options = {.struct_size = sizeof options, .heading = "above <all>"};
    for (dxt_format format = DXT_FORMAT_TERMINAL; format <= DXT_FORMAT_SVG; format++) {
        empty_sink(&sink);
        assert_int_equal(dxt_heatmap_write(panels, 2, format, &options, into_sink, &sink), DXT_OK);
        const char *first = strstr(sink.data, "first\n"), *second = strstr(sink.data, "second\n");
        if (format != DXT_FORMAT_TERMINAL) {
            first = strstr(sink.data, ">first</text>");
            second = strstr(sink.data, ">second</text>");
        }
        assert_non_null(first);
        assert_true(second > first);
        const char *heading = format == DXT_FORMAT_TERMINAL ? "above <all>" : "above &lt;all&gt;";
        assert_true(strstr(sink.data, heading) < first);
    }
    empty_sink(&sink);
    assert_int_equal(dxt_heatmap_write(panels, 2, DXT_FORMAT_HTML, &options, into_sink, &sink),
                     DXT_OK);
    assert_non_null(strstr(sink.data, "<title>above &lt;all&gt;</title>"));
    assert_int_equal(occurrences(sink.data, "class=\"part\""), 2);
    for (size_t i = 0; i < 65; i++) panels[i].window = one;
    empty_sink(&sink);
    assert_int_equal(dxt_heatmap_write(panels, 64, DXT_FORMAT_SVG, NULL, into_sink, &sink), DXT_OK);
    assert_int_equal(dxt_heatmap_write(panels, 65, DXT_FORMAT_SVG, NULL, into_sink, &sink),
                     DXT_ERR_INVALID);
    dxt_window_free(one);
    dxt_window_free(two);
    empty_sink(&sink);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    test_sink sink = {0};
    dxt_window *window = make_window(2, WINDOW_LATE);
    dxt_heatmap_panel panel = {.window = window};
    dxt_heatmap_options options = {.struct_size = sizeof options.struct_size - 1};
    dxt_format svg = DXT_FORMAT_SVG;
    assert_int_equal(dxt_heatmap_write(NULL, 1, svg, NULL, into_sink, &sink), DXT_ERR_INVALID);
    assert_int_equal(dxt_heatmap_write(&panel, 0, svg, NULL, into_sink, &sink), DXT_ERR_INVALID);
    assert_int_equal(dxt_heatmap_write(&panel, 1, svg, NULL, NULL, &sink), DXT_ERR_INVALID);
    assert_int_equal(dxt_heatmap_write(&panel, 1, (dxt_format)5, NULL, into_sink, &sink),
                     DXT_ERR_INVALID);
    assert_int_equal(dxt_heatmap_write(&panel, 1, svg, &options, into_sink, &sink),
                     DXT_ERR_INVALID);
    options = (dxt_heatmap_options){.struct_size = sizeof options, .color = (dxt_color)3};
    assert_int_equal(dxt_heatmap_write(&panel, 1, svg, &options, into_sink, &sink),
                     DXT_ERR_INVALID);
    assert_null(sink.data);
    /* From before there were colours: what it does not cover is not looked at. */
    options.struct_size = offsetof(dxt_heatmap_options, color);
    assert_int_equal(dxt_heatmap_write(&panel, 1, svg, &options, into_sink, &sink), DXT_OK);
    empty_sink(&sink);
    dxt_window_free(window);
}

static void what_the_writer_says_is_returned(void **state)
{
    (void)state;
    dxt_mark marks[3];
    dxt_heatmap_panel panel = make_panel(16, WINDOW_LATE | WINDOW_SILENT, marks);
    for (dxt_format format = DXT_FORMAT_TERMINAL; format <= DXT_FORMAT_HTML; format++) {
        test_sink sink = {.fail_at = 1};
        while (draw_into(&sink, &panel, format, DXT_COLOR_TRUE, 0) != DXT_OK) {
            assert_int_equal(sink.calls, sink.fail_at);
            sink.fail_at++;
        }
        assert_true(sink.fail_at > 1);
        sink.fail_at = 1;
        assert_int_equal(draw_into(&sink, &panel, format, DXT_COLOR_TRUE, 0), DXT_ERR_TIMEOUT);
        empty_sink(&sink);
    }
    free_panel(&panel);
}

static dxt_status discard(void *context, const void *data, size_t size)
{
    (void)context, (void)data, (void)size;
    return DXT_OK;
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    static const uint32_t some_ranks[] = {3, 300};
    dxt_heatmap_options options = {
        .struct_size = sizeof options, .color = DXT_COLOR_TRUE, .heading = "heading"};
    for (size_t i = 0; i < COUNT(some_ranks) * 3; i++) {
        dxt_mark marks[3];
        dxt_format format = (dxt_format)(i % 3);
        dxt_heatmap_panel panel = make_panel(some_ranks[i / 3], WINDOW_LATE | WINDOW_SILENT, marks);
        dxt_status status;
        long k = 1;
        for (; alloc_fail_arm(k),
               status = dxt_heatmap_write(&panel, 1, format, &options, discard, NULL),
               alloc_fail_disarm();
             k++)
            assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_int_equal(status, DXT_OK);
        assert_true(k > 10);
        free_panel(&panel);
    }
}

static void names_tell_the_format(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        dxt_format format;
    } cases[] = {{"a.svg", DXT_FORMAT_SVG},   {"dir.d/B.PNG", DXT_FORMAT_PNG},
                 {"x.y.pdf", DXT_FORMAT_PDF}, {"a.html", DXT_FORMAT_HTML},
                 {"a.Htm", DXT_FORMAT_HTML},  {"a.txt", DXT_FORMAT_TERMINAL}};
    static const char *const unknown[] = {"", "svg", ".svg", "a.svg.gz", "a.jpeg", "a.svg/b"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        dxt_format format = (dxt_format)99;
        assert_int_equal(dxt_format_from_name(cases[i].name, &format), DXT_OK);
        assert_int_equal(format, cases[i].format);
    }
    for (size_t i = 0; i < COUNT(unknown); i++) {
        dxt_format format = (dxt_format)99;
        assert_int_equal(dxt_format_from_name(unknown[i], &format), DXT_ERR_UNSUPPORTED);
        assert_int_equal(format, 99);
    }
}

/* ---- golden files ---- */

static void compare_with_file(const char *path, const test_sink *sink)
{
    if (getenv("DXT_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(sink->data, 1, sink->size, file), sink->size);
        assert_int_equal(fclose(file), 0);
    }
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *expected = malloc(sink->size + 1);
    assert_non_null(expected);
    assert_int_equal(fread(expected, 1, sink->size + 1, file), sink->size);
    assert_memory_equal(expected, sink->data, sink->size);
    free(expected);
    fclose(file);
}

static void a_recording_looks_as_it_did(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        dxt_format format;
        dxt_color color;
    } cases[] = {{"small.svg", DXT_FORMAT_SVG, DXT_COLOR_NONE},
                 {"small.txt", DXT_FORMAT_TERMINAL, DXT_COLOR_NONE},
                 {"small.256.txt", DXT_FORMAT_TERMINAL, DXT_COLOR_256},
                 {"small.true.txt", DXT_FORMAT_TERMINAL, DXT_COLOR_TRUE}};
    const char *source = getenv("DXT_SOURCE_DIR");
    if (!source) skip();
    char path[1024];
    dxt_reader *reader = NULL;
    dxt_window *window = NULL;
    snprintf(path, sizeof path, "%s/tests/recorded/golden-render/small.jsonl", source);
    assert_int_equal(dxt_reader_open(path, &reader), DXT_OK);
    assert_int_equal(dxt_reader_next(reader, &window), DXT_OK);
    dxt_reader_close(reader);
    const dxt_mark marks[] = {{DXT_MARK_COLUMN, 0, 2}, {DXT_MARK_POINT, 5, 1}};
    dxt_heatmap_panel panel = {
        .window = window, .marks = marks, .mark_count = 2, .caption = "rank 2 is late in dispatch"};
    test_sink sink = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(draw_into(&sink, &panel, cases[i].format, cases[i].color, 80), DXT_OK);
        snprintf(path, sizeof path, "%s/tests/recorded/golden-render/%s", source, cases[i].file);
        compare_with_file(path, &sink);
    }
    dxt_window_free(window);
    empty_sink(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(svg_is_well_formed_and_small),
        cmocka_unit_test(two_columns_in_a_block_are_both_named),
        cmocka_unit_test(svg_has_every_cell_and_label),
        cmocka_unit_test(neighbouring_paths_have_one_outline),
        cmocka_unit_test(columns_are_numbered_evenly),
        cmocka_unit_test(a_late_rank_stands_out_among_thousands),
        cmocka_unit_test(terminal_pictures_fit),
        cmocka_unit_test(terminal_figures_and_marks_need_no_colour),
        cmocka_unit_test(marks_show_at_every_size),
        cmocka_unit_test(marks_at_the_edges_stay_inside),
        cmocka_unit_test(panels_follow_each_other),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(what_the_writer_says_is_returned),
        cmocka_unit_test(failed_allocations_are_survived),
        cmocka_unit_test(names_tell_the_format),
        cmocka_unit_test(a_recording_looks_as_it_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
