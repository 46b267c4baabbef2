/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time on a terminal. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/palette.h"
#include "render/terminal.h"
#include "render/timeline.h"
#include "system/ascii.h"

/* More ranks are drawn as blocks. */
#define MOST_ROWS 64u

static void put_cell(dxt_screen *screen, const dxt_course *course, double value)
{
    double position = isnan(value) ? 0 : dxt_course_position(course, value);
    if (isnan(value)) {
        dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
        dxt_text_puts(&screen->text, "–");
    } else if (screen->color == DXT_COLOR_NONE) {
        dxt_text_puts(&screen->text, dxt_palette_shade(position));
    } else {
        dxt_screen_colors(screen, DXT_PLAIN, dxt_palette_rgb(position));
        dxt_text_puts(&screen->text, " ");
    }
}

static void put_scale(dxt_screen *screen, const dxt_course *course)
{
    const dxt_scale *scale = &course->scale;
    double unit = dxt_measure_shown(course->panel->measure);
    size_t used = 0;
    char more[64];
    snprintf(more, sizeof more, " %s and more", dxt_course_unit(course->panel));
    for (unsigned i = 0; i < DXT_SHADES; i++) {
        char figure[DXT_FIGURE_SIZE];
        double from = scale->low * pow(scale->high / scale->low, (double)i / DXT_SHADES);
        dxt_short_figure(i ? from / unit : 0, figure, sizeof figure);
        size_t width = strlen("[ ] ") + strlen(figure);
        if (i == DXT_SHADES - 1) width += strlen(more);
        bool breaks = used > 0 && used + 2 + width > screen->columns;
        dxt_text_puts(&screen->text, breaks ? "\n[" : i ? "  [" : "[");
        used = breaks || i == 0 ? width : used + 2 + width;
        put_cell(screen, course, from * pow(scale->high / scale->low, 0.5 / DXT_SHADES));
        dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
        dxt_text_printf(&screen->text, "] %s", figure);
    }
    dxt_text_printf(&screen->text, "%s\n", more);
}

static void put_wrapped(dxt_screen *screen, const char *string)
{
    dxt_text clean = {0};
    dxt_text_clean(&clean, string, true);
    dxt_screen_wrapped(screen, clean.data, false);
    screen->text.failed = screen->text.failed || clean.failed;
    free(clean.data);
}

/* A name from outside, as it will be seen. @return Its width. */
static size_t clean_name(const dxt_screen *screen, const char *string, dxt_text *name)
{
    dxt_text_clean(name, string, false);
    if (name->failed) return 0;
    if (screen->ascii) dxt_make_ascii(name->data);
    return (size_t)dxt_width_of(name->data, dxt_terminal_width);
}

/* Numbers, or times, of columns below them: as many as fit. */
static void put_axis(dxt_screen *screen, const dxt_course *course, size_t label, bool times)
{
    const dxt_timeline_panel *panel = course->panel;
    char figure[48];
    int64_t number = dxt_course_last(course, course->columns - 1);
    int digits = snprintf(figure, sizeof figure, "%" PRId64, number);
    int64_t step = dxt_course_step(course, panel->times ? 10 : digits + 2);
    size_t used = 0;
    const char *name = times ? "time" : "window";
    dxt_text_puts(&screen->text, name);
    dxt_screen_spaces(screen, label - strlen(name));
    for (size_t k = 0; k < course->columns; k++) {
        if ((used > 0 && k < used + 2) || !dxt_course_tick(course, k, step, &number)) continue;
        if (times)
            snprintf(figure, sizeof figure, "%s", panel->times[k * course->group]);
        else
            snprintf(figure, sizeof figure, "%" PRId64, number);
        size_t length = strlen(figure);
        if (label + k + length > screen->columns) break;
        dxt_screen_spaces(screen, k - used);
        dxt_text_puts(&screen->text, figure);
        used = k + length;
    }
    dxt_screen_newline(screen);
}

/* The end of a row, and the host that belongs to it where there is room. */
static void put_end(dxt_screen *screen, const dxt_course *course, const char *host)
{
    size_t used = screen->label_digits + 8 + course->columns;
    dxt_text name = {0};
    dxt_text_puts(&screen->text, "|");
    if (host && used + clean_name(screen, host, &name) < screen->columns) {
        dxt_text_puts(&screen->text, " ");
        dxt_text_puts(&screen->text, name.failed ? "" : name.data);
    }
    dxt_text_puts(&screen->text, "\n");
    screen->text.failed = screen->text.failed || name.failed;
    free(name.data);
}

static void put_row(dxt_screen *screen, const dxt_course *course, uint32_t row)
{
    uint32_t marked = dxt_course_marked(course, row, NULL);
    uint32_t named = dxt_course_named(course, row);
    dxt_text_printf(&screen->text, "rank %*" PRIu32 "%s|", (int)screen->label_digits,
                    named == DXT_NO_RANK ? row * course->block : named,
                    marked == DXT_NO_RANK ? " " : "*");
    for (size_t k = 0; k < course->columns; k++) {
        /* Whoever else is in its block: a rank that is silent is to be seen. */
        bool silent = dxt_course_silent(course, row, k, 0) != DXT_NO_RANK;
        put_cell(screen, course, silent ? (double)NAN : dxt_course_value(course, row, k));
    }
    dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
    put_end(screen, course, dxt_course_host(course, row));
}

static void put_strip(dxt_screen *screen, const dxt_course *course, size_t strip)
{
    dxt_text name = {0};
    size_t label = screen->label_digits + 6;
    size_t width = clean_name(screen, course->panel->strips[strip].name, &name);
    if (width < label) dxt_screen_spaces(screen, label - width);
    dxt_text_puts(&screen->text, name.failed ? "" : name.data);
    dxt_text_puts(&screen->text, "|");
    for (size_t k = 0; k < course->columns; k++)
        put_cell(screen, course, dxt_course_strip(course, strip, k));
    dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
    put_end(screen, course, course->panel->strips[strip].host);
    screen->text.failed = screen->text.failed || name.failed;
    free(name.data);
}

static void put_panel(dxt_screen *screen, const dxt_timeline_panel *panel)
{
    dxt_course course = dxt_course_of(panel, MOST_ROWS, screen->columns - screen->label_digits - 8);
    if (panel->title) dxt_text_clean(&screen->text, panel->title, false);
    dxt_text_puts(&screen->text, "\n");
    dxt_course_words(&course, &screen->text);
    dxt_text_puts(&screen->text, "\n");
    for (uint32_t row = 0; row < course.rows; row++) put_row(screen, &course, row);
    for (size_t strip = 0; strip < panel->strip_count; strip++) put_strip(screen, &course, strip);
    if (course.columns > 1) put_axis(screen, &course, screen->label_digits + 7, false);
    if (panel->times) put_axis(screen, &course, screen->label_digits + 7, true);
    put_scale(screen, &course);
    if (panel->caption) put_wrapped(screen, panel->caption);
    dxt_text key = {0};
    dxt_key_words words = {.mark = "marked *",
                           .silent = "–",
                           .usual = screen->color == DXT_COLOR_NONE ? "blank" : "green"};
    dxt_course_key(&course, &words, &key);
    if (key.data) put_wrapped(screen, key.data);
    screen->text.failed = screen->text.failed || key.failed;
    free(key.data);
}

dxt_status dxt_write_timeline_text(const dxt_timeline_panel *panels, size_t count,
                                   const dxt_heatmap_options *options, dxt_write_fn write,
                                   void *context)
{
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < count && status == DXT_OK; p++) {
        dxt_screen screen = {.color = options->color,
                             .ascii = options->ascii,
                             .columns = options->columns > 24 ? options->columns : 80,
                             .ink = DXT_PLAIN,
                             .ground = DXT_PLAIN,
                             .label_digits = 1};
        for (uint32_t last = panels[p].ranks - 1; last >= 10; last /= 10) screen.label_digits++;
        if (p == 0 && options->heading) {
            dxt_text_clean(&screen.text, options->heading, false);
            dxt_text_puts(&screen.text, "\n");
        }
        if (p > 0 || options->heading) dxt_text_puts(&screen.text, "\n");
        put_panel(&screen, &panels[p]);
        status = dxt_screen_flush(&screen, write, context);
    }
    return status;
}
