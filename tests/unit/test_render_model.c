/* SPDX-License-Identifier: Apache-2.0 */
/* What the pictures are made of: scale, palette, figures, lines, blocks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "render/layout.h"
#include "render/model.h"
#include "render/palette.h"

#define US INT64_C(1000)

/* A window of mean waits in ns, all the same off the diagonal and 0 on it. */
static dxt_window *even_window(uint32_t ranks, int64_t ns)
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(ranks, "combine", &window), DXT_OK);
    window->unit = DXT_UNIT_NS;
    window->samples_each = 1;
    for (uint32_t i = 0; i < ranks * ranks; i++) window->wait[i] = i / ranks == i % ranks ? 0 : ns;
    return window;
}

static void set_column(dxt_window *window, uint32_t column, int64_t ns)
{
    for (uint32_t row = 0; row < window->ranks; row++)
        window->wait[row * window->ranks + column] = ns;
}

static dxt_scale scale_of(const dxt_window *window)
{
    dxt_scale scale = {0};
    assert_int_equal(dxt_scale_choose(window, &scale), DXT_OK);
    assert_true(scale.low > 0 && scale.low * 29.9 < scale.high);
    assert_true(scale.high <= scale.low * 1.0001e4);
    return scale;
}

static void healthy_waits_stay_green(void **state)
{
    (void)state;
    static const int64_t levels[] = {1, 300, 2 * US, 50 * US, 10000 * US};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        dxt_window *window = even_window(8, levels[i]);
        window->wait[3] = levels[i] * 2;
        dxt_scale scale = scale_of(window);
        assert_true(dxt_scale_position(&scale, (double)levels[i]) < 0.02);
        assert_true(dxt_scale_position(&scale, 2.0 * (double)levels[i]) < 0.25);
        assert_true(scale.high >= 30 * 0.96 * (double)levels[i]);
        dxt_window_free(window);
    }
}

static void outliers_are_red(void **state)
{
    (void)state;
    for (uint32_t ranks = 2; ranks <= 64; ranks *= 2) {
        dxt_window *window = even_window(ranks, 2 * US);
        set_column(window, ranks - 1, 1000 * US);
        for (uint32_t column = 0; column < ranks; column++)
            window->wait[(ranks - 1) * ranks + column] = 200;
        dxt_scale scale = scale_of(window);
        assert_true(dxt_scale_position(&scale, 1000e3) > 0.99);
        assert_true(dxt_scale_position(&scale, 2e3) < 0.25);
        dxt_window_free(window);
    }
}

static void a_hot_column_among_zeros_is_red(void **state)
{
    (void)state;
    dxt_window *window = even_window(16, 0);
    set_column(window, 5, 700 * US);
    dxt_scale scale = scale_of(window);
    assert_true(dxt_scale_position(&scale, 700e3) > 0.99);
    assert_true(dxt_scale_position(&scale, 0) == 0);
    dxt_window_free(window);
}

static void one_timeout_does_not_turn_a_late_rank_green(void **state)
{
    (void)state;
    dxt_window *window = even_window(16, 2 * US);
    set_column(window, 5, 1000 * US);
    window->wait[1] = INT64_C(1) << 62;
    dxt_scale scale = scale_of(window);
    assert_true(dxt_scale_position(&scale, 1000e3) > 0.6);
    assert_true(dxt_scale_position(&scale, 0x1p62) == 1);
    assert_true(scale.largest == 0x1p62);
    dxt_window_free(window);
}

static void odd_matrices_have_a_scale(void **state)
{
    (void)state;
    dxt_window *window = even_window(4, 0);
    assert_true(scale_of(window).largest == 0);
    for (uint32_t i = 0; i < 4; i++) window->wait[i * 5] = 40 * US;
    assert_true(scale_of(window).high >= 40e3);
    window->missing = malloc(4);
    assert_non_null(window->missing);
    memset(window->missing, 1, 4);
    assert_true(scale_of(window).largest == 0);
    window->unit = DXT_UNIT_CYCLES;
    window->samples_each = 0;
    scale_of(window);
    dxt_window_free(window);
}

static void ticks_are_round(void **state)
{
    (void)state;
    static const struct {
        double low, high, unit;
        size_t count;
        double first, last;
    } cases[] = {{200, 1.1e6, 1000, 4, 1, 1000},   {1e3, 36e3, 1000, 5, 1, 20},
                 {1, 1e18, 1, 7, 1, 1e18},         {2e3, 60e3, 1000, 5, 2, 50},
                 {9.9e3, 10.1e3, 1000, 1, 10, 10}, {1e3, 1e6, 1000, 10, 1, 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double ticks[DXT_MAX_TICKS];
        dxt_scale scale = {cases[i].low, cases[i].high, cases[i].high};
        size_t count = dxt_scale_ticks(&scale, cases[i].unit, ticks);
        assert_int_equal(count, cases[i].count);
        assert_true(fabs(ticks[0] / cases[i].first - 1) < 1e-9);
        assert_true(fabs(ticks[count - 1] / cases[i].last - 1) < 1e-9);
        for (size_t k = 1; k < count; k++) assert_true(ticks[k] > ticks[k - 1]);
    }
}

static void the_palette_darkens_from_green_to_red(void **state)
{
    (void)state;
    double before = 2, at_eighth = 2;
    for (unsigned i = 0; i < DXT_PALETTE_STEPS; i++) {
        uint32_t rgb = dxt_palette_rgb(i / (DXT_PALETTE_STEPS - 1.0));
        double luminance = dxt_luminance(rgb);
        double contrast = dxt_black_on(rgb) ? (luminance + 0.05) / 0.05 : 1.05 / (luminance + 0.05);
        /* A step may be rounded to the wrong side by one part in 255 of a channel. */
        assert_true(luminance < before + 0.002);
        assert_true(i % 8 != 0 || luminance < at_eighth);
        if (i % 8 == 0) at_eighth = luminance;
        assert_true(contrast > 4.5);
        before = luminance;
    }
    assert_true(dxt_palette_rgb(0) == 0xb4f7ba && dxt_palette_rgb(-1) == 0xb4f7ba);
    assert_true(dxt_palette_rgb(1) == 0x90101a && dxt_palette_rgb(7) == 0x90101a);
    assert_int_equal(dxt_palette_256(0x000000), 16);
    assert_int_equal(dxt_palette_256(0xffffff), 231);
    assert_int_equal(dxt_palette_256(0xff0000), 196);
    assert_int_equal(dxt_palette_256_rgb(208), 0xff8700);
    assert_string_equal(dxt_palette_shade(0), " ");
    assert_string_equal(dxt_palette_shade(0.5), "▒");
    assert_string_equal(dxt_palette_shade(1), "█");
}

static void figures_are_short(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},           {0.234, "0.23"},     {1.0, "1"},
                 {9.994, "9.99"},    {9.996, "10.0"},     {16, "16"},
                 {99.96, "100"},     {631.4, "631"},      {1060.4, "1060"},
                 {9999, "9999"},     {10000, "10k"},      {12345, "12.3k"},
                 {999600, "1.00M"},  {2089715, "2.09M"},  {4e9, "4G"},
                 {0x1p62, "4.6e18"}, {9.99e17, "1.0e18"}, {46.1168e12, "46.1T"}};
    char buffer[DXT_FIGURE_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(dxt_short_figure(cases[i].value, buffer, sizeof buffer), cases[i].text);
    assert_string_equal(dxt_wait_figure(DXT_MEASURE_NS_PER_OP, 1.03e6, buffer, sizeof buffer),
                        "1.03 ms");
    assert_string_equal(dxt_wait_figure(DXT_MEASURE_CYCLES, 2089715, buffer, sizeof buffer),
                        "2.09M cycles");
}

static void numbers_have_no_idle_zeros(void **state)
{
    (void)state;
    dxt_text text = {0};
    static const double values[] = {0, -0.001, 12, 12.5, -3.25, 1.0049, 1e15, 600};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        dxt_text_fixed(&text, values[i], 2);
        dxt_text_puts(&text, " ");
    }
    assert_string_equal(text.data, "0 0 12 12.5 -3.25 1 1000000000000000 600 ");
    free(text.data);
}

static void text_from_outside_is_cleaned(void **state)
{
    (void)state;
    static const struct {
        const char *dirty, *clean;
    } cases[] = {{"plain", "plain"},
                 {"\033[31mred\a\r", "[31mred"},
                 {"a\tb\nc", "a b\nc"},
                 {"\xff\xc0\xafz", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},
                 {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                 {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
                 {"é 日本 😀", "é 日本 😀"},
                 {"\xe2\x80\xaeright", "right"},
                 {"\xc2\x9b"
                  "31m",
                  "31m"},
                 {"\xef\xbf\xbe!", "!"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dxt_text text = {0};
        dxt_text_clean(&text, cases[i].dirty, true);
        assert_string_equal(text.data, cases[i].clean);
        free(text.data);
    }
    dxt_text text = {0};
    dxt_text_clean(&text, "a\nb", false);
    dxt_text_escape(&text, "<&>\"'");
    assert_string_equal(text.data, "a b&lt;&amp;&gt;&quot;&#39;");
    free(text.data);
}

/* Lines joined by "|". */
static void expect_lines(const char *text, double fits, const char *expected)
{
    dxt_text lines = {0};
    while (text && *text) {
        const char *line;
        size_t length = dxt_wrap(&text, &line, fits, dxt_terminal_width);
        dxt_text_append(&lines, line, length);
        dxt_text_puts(&lines, "|");
    }
    assert_string_equal(lines.data, expected);
    free(lines.data);
}

static void lines_are_wrapped_at_words(void **state)
{
    (void)state;
    expect_lines("one two three", 80, "one two three|");
    expect_lines("one two three", 7, "one two|three|");
    /* A figure stays with its per cent, a time in one piece. */
    expect_lines("lost 20 % of it", 8, "lost|20 % of|it|");
    expect_lines("at 2026-11-26 03:34:48 UTC", 20, "at|2026-11-26 03:34:48|UTC|");
    expect_lines("at 2026-11-26 03:34:48 UTC", 24, "at|2026-11-26 03:34:48 UTC|");
    expect_lines("one two three", 8, "one two|three|");
    expect_lines("one  two", 3, "one|two|");
    expect_lines("abcdefgh ij", 3, "abc|def|gh|ij|");
    expect_lines("a\n\nb", 10, "a||b|");
    expect_lines("日本語", 4, "日本|語|");
    expect_lines("日", 1, "日|");
    expect_lines(" x", 1, "|x|");
    assert_true(dxt_width_of("e\xcc\x81日", dxt_terminal_width) == 3);
}

static dxt_model *model_of(const dxt_heatmap_panel *panel)
{
    dxt_heatmap_options options = {.struct_size = sizeof options};
    dxt_model *model = NULL;
    assert_int_equal(dxt_model_create(panel, &options, &model), DXT_OK);
    return model;
}

static void blocks_show_their_longest_wait(void **state)
{
    (void)state;
    dxt_window *window = even_window(11, 2 * US);
    window->missing = calloc(11, 1);
    assert_non_null(window->missing);
    window->wait[2 * 11 + 7] = 900 * US;
    memset(window->missing + 8, 1, 3);
    dxt_model *model = model_of(&(dxt_heatmap_panel){.window = window});
    assert_int_equal(dxt_model_cells(model, 4), DXT_OK);
    assert_int_equal(model->side, 3);
    assert_int_equal(model->silent, 3);
    assert_true(!dxt_model_silent(model, 0) && dxt_model_silent(model, 2));
    assert_true(dxt_model_value(model, 0, 1) == 900e3);
    assert_true(dxt_model_shown(model, 0, 1) == 900);
    assert_true(dxt_model_value(model, 0, 0) == 2e3);
    assert_true(dxt_model_value(model, 1, 2) == 2e3);
    assert_true(isnan(dxt_model_value(model, 2, 0)));
    assert_true(isnan(dxt_model_position(model, 2, 2)));
    assert_true(dxt_model_position(model, 0, 1) > 0.99);
    dxt_text hint = {0};
    dxt_model_hint(model, 2, 1, &hint);
    assert_string_equal(hint.data, "8–10 for 4–7: silent");
    free(hint.data);
    dxt_model_free(model);
    dxt_window_free(window);
}

static void blocks_are_powers_of_two(void **state)
{
    (void)state;
    assert_int_equal(dxt_block_for(128, 128), 1);
    assert_int_equal(dxt_block_for(129, 128), 2);
    assert_int_equal(dxt_block_for(513, 128), 8);
    assert_int_equal(dxt_block_for(2048, 128), 16);
    assert_int_equal(dxt_block_for(4096, 9), 512);
}

/* Of one cell in four the wait is six times as long: so it is in each block, and green. */
static void what_most_blocks_have_is_green(void **state)
{
    (void)state;
    dxt_window *window = even_window(64, 2 * US);
    for (size_t row = 0; row < 64; row += 2)
        for (size_t column = 0; column < 64; column += 2) window->wait[row * 64 + column] = 12 * US;
    for (size_t row = 0; row < 64; row++) window->wait[row * 64 + 33] = 90 * US;
    dxt_mark mark = {DXT_MARK_NUMBER, 0, 33};
    dxt_heatmap_panel panel = {.window = window, .marks = &mark, .mark_count = 1};
    dxt_model *model = model_of(&panel);
    assert_int_equal(dxt_model_cells(model, 1), DXT_OK);
    double single = dxt_model_position(model, 2, 2);
    assert_true(single > 0.3);
    assert_int_equal(dxt_model_cells(model, 8), DXT_OK);
    assert_true(dxt_model_position(model, 1, 1) < 0.02);
    /* What is explained but not named ends the scale, has its number, and no outline. */
    assert_true(dxt_model_position(model, 1, 4) > 0.98);
    assert_int_equal(model->column_marked[33], DXT_FLAG_POINT);
    assert_false(dxt_model_point(model, 0, 4));
    assert_int_equal(dxt_model_cells(model, 1), DXT_OK);
    assert_true(dxt_model_position(model, 2, 2) == single);
    dxt_model_free(model);
    dxt_window_free(window);
}

static void the_key_says_what_is_drawn(void **state)
{
    (void)state;
    dxt_window *window = even_window(40, 2 * US);
    dxt_mark marks[24] = {{DXT_MARK_ROW, 7, 0}, {DXT_MARK_POINT, 4, 3}};
    for (uint32_t i = 2; i < 24; i++)
        marks[i] = (dxt_mark){DXT_MARK_COLUMN, 0, i < 16 ? 2 * i : 37};
    window->missing = calloc(40, 1);
    assert_non_null(window->missing);
    memset(window->missing + 8, 1, 8);
    memset(window->missing + 20, 1, 2);
    dxt_heatmap_panel panel = {.window = window, .marks = marks, .mark_count = 24};
    dxt_model *model = model_of(&panel);
    assert_int_equal(dxt_model_cells(model, 2), DXT_OK);
    dxt_text text = {0};
    dxt_model_key(model, &(dxt_key_words){"flagged", "empty", "blank", "•", "green"}, &text);
    assert_string_equal(text.data,
                        "one block = 2 × 2 ranks, colour: longest wait in it\n"
                        "flagged: columns 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26 and 3 more; "
                        "row 7; path 3 → 4\n"
                        "empty: silent, no counters from ranks 8–15, 20, 21\n"
                        "the longest wait is 2.00 µs: the scale goes on, so that usual waits are "
                        "green\n"
                        "row = the rank that waits, column = the rank it waits for\n");
    free(text.data);
    dxt_model_free(model);
    dxt_window_free(window);
}

/* Paths between two nodes are one thing; others beside it stay what they are. */
static void paths_between_nodes_are_one_in_the_key(void **state)
{
    (void)state;
    dxt_window *window = even_window(16, 2 * US);
    dxt_mark marks[15];
    size_t count = 0;
    marks[count++] = (dxt_mark){DXT_MARK_POINT, 9, 2};
    for (uint32_t i = 0; i < 12; i++) marks[count++] = (dxt_mark){DXT_MARK_POINT, i / 4, 8 + i % 4};
    marks[count++] = (dxt_mark){DXT_MARK_POINT, 12, 5}; /* a row of two is no block */
    marks[count++] = (dxt_mark){DXT_MARK_POINT, 12, 6};
    dxt_heatmap_panel panel = {.window = window, .marks = marks, .mark_count = count};
    dxt_model *model = model_of(&panel);
    assert_int_equal(dxt_model_cells(model, 1), DXT_OK);
    dxt_text text = {0};
    dxt_model_key(model, &(dxt_key_words){"flagged", "empty", "blank", "•", "green"}, &text);
    assert_non_null(strstr(text.data, "flagged: paths 2 → 9, 8–11 → 0–2, 5 → 12, 6 → 12\n"));
    free(text.data);
    dxt_model_free(model);
    dxt_window_free(window);
}

static void panels_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    dxt_window *window = even_window(4, 2 * US);
    dxt_heatmap_options options = {.struct_size = sizeof options};
    dxt_model *model = NULL;
    static const dxt_mark bad[] = {{DXT_MARK_ROW, 4, 0},    {DXT_MARK_COLUMN, 0, 4},
                                   {DXT_MARK_POINT, 1, 4},  {DXT_MARK_POINT, 4, 1},
                                   {DXT_MARK_NUMBER, 0, 4}, {(dxt_mark_kind)4, 0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        dxt_heatmap_panel panel = {.window = window, .marks = &bad[i], .mark_count = 1};
        assert_int_equal(dxt_model_create(&panel, &options, &model), DXT_ERR_INVALID);
    }
    dxt_heatmap_panel panel = {.window = window, .mark_count = 1};
    assert_int_equal(dxt_model_create(&panel, &options, &model), DXT_ERR_INVALID);
    panel = (dxt_heatmap_panel){0};
    assert_int_equal(dxt_model_create(&panel, &options, &model), DXT_ERR_INVALID);
    panel.window = window;
    static const double scales[][2] = {{5, 5}, {6, 5}, {-1, 5}, {NAN, 5}, {1, INFINITY}, {1, 0}};
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        options.scale_min = scales[i][0];
        options.scale_max = scales[i][1];
        assert_int_equal(dxt_model_create(&panel, &options, &model), DXT_ERR_INVALID);
    }
    assert_null(model);
    options.scale_min = 0;
    options.scale_max = 5e6;
    assert_int_equal(dxt_model_create(&panel, &options, &model), DXT_OK);
    assert_true(model->scale.low == 5e3 && model->scale.high == 5e6);
    assert_string_equal(model->title, "combine");
    dxt_model_free(model);
    dxt_window_free(window);
}

static void failed_allocations_of_the_model_are_survived(void **state)
{
    (void)state;
    dxt_window *window = even_window(4, 2 * US);
    dxt_heatmap_options options = {.struct_size = sizeof options};
    dxt_heatmap_panel panel = {.window = window, .title = "t", .caption = "c"};
    dxt_model *model = NULL;
    dxt_status status;
    long k = 1;
    for (; alloc_fail_arm(k), status = dxt_model_create(&panel, &options, &model),
                              alloc_fail_disarm();
         k++) {
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_null(model);
    }
    assert_int_equal(status, DXT_OK);
    assert_true(k > 5);
    for (k = 1; alloc_fail_arm(k), status = dxt_model_cells(model, 2), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    dxt_model_free(model);
    dxt_window_free(window);
}

/* Of a block it is known how much was observed, and said how it looks. */
static void blocks_tell_what_was_not_observed(void **state)
{
    (void)state;
    dxt_window *window;
    assert_int_equal(dxt_window_create(8, "dispatch", &window), DXT_OK);
    /* Blocks of 4: of the upper right one the diagonal, of the lower left one all but a cell. */
    for (size_t row = 0; row < 4; row++)
        for (size_t column = 4; column < 8; column++)
            if (column - 4 != row) window->wait[row * 8 + column] = DXT_NOT_OBSERVED;
    window->wait[4 * 8] = DXT_NOT_OBSERVED;
    window->missing = calloc(8, 1);
    assert_non_null(window->missing);
    window->missing[3] = 1;
    dxt_heatmap_panel panel = {.window = window};
    dxt_model *model = model_of(&panel);
    assert_int_equal(dxt_model_cells(model, 1), DXT_OK);
    assert_false(model->sparse || model->holed);
    assert_true(dxt_model_observed(model, 0, 4) == 1);
    assert_int_equal(dxt_model_cells(model, 4), DXT_OK);
    assert_true(dxt_model_observed(model, 0, 0) == 1);
    assert_true(dxt_model_observed(model, 0, 1) == 0.25);
    assert_true(dxt_model_observed(model, 1, 0) == 15.0 / 16);
    assert_true(model->sparse && model->holed && !model->unobserved);
    dxt_text text = {0};
    dxt_model_key(model, &(dxt_key_words){"flagged", "empty", "blank", "•", "green"}, &text);
    assert_non_null(strstr(text.data, "\n•: most of the block was not observed\nof some blocks a "
                                      "part was not observed\n"));
    text.size = 0;
    dxt_model_key(model, &(dxt_key_words){"flagged", "empty", "blank", NULL, "green"}, &text);
    assert_non_null(strstr(text.data, "\nthe coloured part of a block is the part that was "
                                      "observed\n"));
    free(text.data);
    dxt_model_free(model);
    dxt_window_free(window);
}

/* Several ranks of a block in one label, which has the room that it takes. */
static void labels_of_rows_have_room(void **state)
{
    (void)state;
    dxt_window *window;
    assert_int_equal(dxt_window_create(1024, "dispatch", &window), DXT_OK);
    dxt_heatmap_panel panel = {.window = window};
    dxt_model *model = model_of(&panel);
    assert_int_equal(dxt_model_cells(model, 8), DXT_OK);
    assert_true(dxt_grid_for(model).left == 48);
    dxt_model_free(model);
    window->missing = calloc(1024, 1);
    assert_non_null(window->missing);
    window->missing[512] = window->missing[514] = 1;
    model = model_of(&panel);
    assert_int_equal(dxt_model_cells(model, 8), DXT_OK);
    assert_true(dxt_grid_for(model).left > 60);
    dxt_model_free(model);
    dxt_window_free(window);
}

static void long_hosts_keep_what_tells_them_apart(void **state)
{
    (void)state;
    static char *const hosts[][2] = {
        {"gpu-7", "gpu-7"},
        {"host-000.cluster.example", "host-000.cluster.example"},
        {"host-000.cluster.example1", "host-000.cluster.exampl…"},
        {"pretrain-moe-671b-worker-0017", "pretrain-mo…-worker-0017"},
        {"pretrain-moe-671b-worker-0017.default.svc", "pretrain-mo…-worker-0017"},
        {"äöüäöüäöüäöüäöüäöüäöüäöüäöü17", "äöüäöüäöüäö…üäöüäöüäöü17"},
        {"a-name-of-23-characters.and.its.domain", "a-name-of-23-characters…"},
    };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char *names[2] = {hosts[i][0], hosts[i][0]};
        dxt_window window = {.struct_size = sizeof window, .ranks = 2, .hosts = names};
        dxt_model model = {.window = &window, .ranks = 2};
        dxt_text text = {0};
        dxt_model_node_name(&model, 1, &text);
        assert_string_equal(text.data, hosts[i][1]);
        free(text.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_of_rows_have_room),
        cmocka_unit_test(long_hosts_keep_what_tells_them_apart),
        cmocka_unit_test(blocks_tell_what_was_not_observed),
        cmocka_unit_test(healthy_waits_stay_green),
        cmocka_unit_test(outliers_are_red),
        cmocka_unit_test(a_hot_column_among_zeros_is_red),
        cmocka_unit_test(one_timeout_does_not_turn_a_late_rank_green),
        cmocka_unit_test(odd_matrices_have_a_scale),
        cmocka_unit_test(ticks_are_round),
        cmocka_unit_test(the_palette_darkens_from_green_to_red),
        cmocka_unit_test(figures_are_short),
        cmocka_unit_test(numbers_have_no_idle_zeros),
        cmocka_unit_test(text_from_outside_is_cleaned),
        cmocka_unit_test(lines_are_wrapped_at_words),
        cmocka_unit_test(blocks_show_their_longest_wait),
        cmocka_unit_test(blocks_are_powers_of_two),
        cmocka_unit_test(what_most_blocks_have_is_green),
        cmocka_unit_test(the_key_says_what_is_drawn),
        cmocka_unit_test(paths_between_nodes_are_one_in_the_key),
        cmocka_unit_test(panels_that_contradict_themselves_are_refused),
        cmocka_unit_test(failed_allocations_of_the_model_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
