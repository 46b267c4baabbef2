/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time as a picture. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/layout.h"
#include "render/palette.h"
#include "render/pictures.h"
#include "render/timeline.h"
#include "render/timeline_rows.h"

/* More ranks and columns are drawn as blocks. */
#define MOST_ROWS 128u
#define MOST_COLUMNS 256u
#define MARGIN 24.0
#define LABEL_ROOM 64.0
#define LINE 18.0
#define LEGEND_WIDTH 300.0
#define LEGEND_STEPS 60
#define SMALL DXT_COURSE_SMALL
/* Right of the colour bar: the unit, then the patch of what is silent. */
#define UNIT_ROOM 44.0
#define PATCH_ROOM 94.0
#define PATCH_WIDTH 28.0

static dxt_course course_of(const dxt_timeline_panel *panel)
{
    return dxt_course_of(panel, MOST_ROWS, MOST_COLUMNS);
}

/* Room for the hosts of ranks and of slow paths and links, at the right. */
static double host_room(const dxt_timeline_panel *panel)
{
    dxt_course course = course_of(panel);
    double widest = 0;
    for (uint32_t row = 0; row < course.rows; row++) {
        const char *host = dxt_course_host(&course, row);
        if (host) widest = fmax(widest, dxt_width_of(host, dxt_font_width) * SMALL + 10);
    }
    for (size_t s = 0; s < panel->strip_count; s++) {
        const char *host = panel->strips[s].host;
        if (host) widest = fmax(widest, dxt_width_of(host, dxt_font_width) * SMALL + 10);
    }
    return fmin(widest, 240);
}

static double panel_width(const dxt_timeline_panel *panel)
{
    dxt_course course = course_of(panel);
    double patch = dxt_course_any_silent(&course) ? PATCH_ROOM : 0;
    return ceil(
        fmax(LABEL_ROOM + LEGEND_WIDTH + UNIT_ROOM + patch,
             LABEL_ROOM + (double)course.columns * dxt_course_width(&course) + host_room(panel)));
}

/* ---- around them ---- */

/* Numbers of the windows, and below them times. @return Its height. */
static double draw_axis(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    double width = dxt_course_width(course), free_from = -INFINITY;
    const char *const *times = course->panel->times;
    char text[32];
    dxt_course_text(pen, x - 6, y + 15, SMALL, DXT_ANCHOR_END, "window");
    if (times) dxt_course_text(pen, x - 6, y + 29, SMALL, DXT_ANCHOR_END, "time");
    int64_t number = dxt_course_last(course, course->columns - 1);
    snprintf(text, sizeof text, "%" PRId64, number);
    double room = times ? 66 : dxt_width_of(text, dxt_font_width) * SMALL + 14;
    int64_t step = dxt_course_step(course, room / width);
    for (size_t k = 0; k < course->columns; k++) {
        double at = x + ((double)k + 0.5) * width;
        if (at < free_from || !dxt_course_tick(course, k, step, &number)) continue;
        free_from = at + room - width;
        snprintf(text, sizeof text, "%" PRId64, number);
        dxt_pen_line(pen, (dxt_line){at, y + 1, at, y + 4, 1, DXT_PAINT_RULE});
        dxt_course_text(pen, at, y + 15, SMALL, DXT_ANCHOR_MIDDLE, text);
        if (!times || !times[k * course->group] || !dxt_course_clean(pen, times[k * course->group]))
            continue;
        /* Not over the word at the left. */
        double half = dxt_width_of(pen->scratch.data, dxt_font_width) * SMALL / 2;
        dxt_course_text(pen, fmax(at, x + half), y + 29, SMALL, DXT_ANCHOR_MIDDLE,
                        pen->scratch.data);
    }
    return times ? 34 : 20;
}

static double draw_legend(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    const dxt_scale *scale = &course->scale;
    double ticks[DXT_MAX_TICKS], unit = dxt_measure_shown(course->panel->measure);
    double step = LEGEND_WIDTH / LEGEND_STEPS;
    for (int i = 0; i < LEGEND_STEPS; i++)
        dxt_pen_box(pen,
                    (dxt_box){.x = x + i * step,
                              .y = y,
                              .width = step,
                              .height = 10,
                              .fill = DXT_PAINT_DATA | dxt_palette_rgb((i + 0.5) / LEGEND_STEPS)});
    size_t count = dxt_scale_ticks(scale, unit, ticks);
    double free_from = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        char figure[DXT_FIGURE_SIZE];
        double at =
            x + LEGEND_WIDTH * log(ticks[i] * unit / scale->low) / log(scale->high / scale->low);
        if (at < free_from) continue;
        free_from = at + 36;
        dxt_course_text(pen, at, y + 24, SMALL, DXT_ANCHOR_MIDDLE,
                        dxt_short_figure(ticks[i], figure, sizeof figure));
    }
    dxt_course_text(pen, x + LEGEND_WIDTH + 10, y + 10, SMALL, DXT_ANCHOR_START,
                    dxt_course_unit(course->panel));
    if (dxt_course_any_silent(course)) {
        double patch = x + LEGEND_WIDTH + UNIT_ROOM;
        dxt_draw_silence(pen, patch, y, PATCH_WIDTH, 10);
        dxt_course_text(pen, patch + PATCH_WIDTH + 7, y + 10, SMALL, DXT_ANCHOR_START, "silent");
    }
    return 34;
}

/* The lines of a text, wrapped. @return Their height. */
static double draw_words(dxt_pen *pen, const char *string, double size, double x, double y,
                         double width)
{
    dxt_text words = {0};
    double used = 0;
    dxt_text_clean(&words, string, true);
    const char *rest = words.data;
    while (rest && *rest && !words.failed) {
        const char *line;
        size_t length = dxt_wrap(&rest, &line, width / size, dxt_font_width);
        used += LINE;
        pen->scratch.size = 0;
        dxt_text_append(&pen->scratch, line, length);
        if (!pen->scratch.failed)
            dxt_course_text(pen, x, y + used - 5, size, DXT_ANCHOR_START, pen->scratch.data);
    }
    pen->scratch.failed = pen->scratch.failed || words.failed;
    free(words.data);
    return used;
}

/* Draw or, without a back end, measure a panel. @return Its height. */
static double draw_panel(dxt_pen *pen, const dxt_timeline_panel *panel, double x, double y,
                         double width)
{
    dxt_course course = course_of(panel);
    double top = y;
    if (panel->title && dxt_course_clean(pen, panel->title)) {
        dxt_course_text(pen, x, y + LINE, 16, DXT_ANCHOR_START, pen->scratch.data);
        y += 1.4 * LINE;
    }
    dxt_text words = {0};
    dxt_course_words(&course, &words);
    if (words.failed)
        pen->scratch.failed = true;
    else
        y += draw_words(pen, words.data, 12, x, y, width) + 4;
    free(words.data);
    /* Above the numbers of the rows. */
    y += LINE - 4;
    dxt_course_text(pen, x + LABEL_ROOM - 6, y - 5, SMALL, DXT_ANCHOR_END, "rank");
    if (pen->backend) dxt_course_rows(pen, &course, x + LABEL_ROOM, y);
    y += course.rows * dxt_course_height(&course);
    y += dxt_course_strips(pen, &course, x + LABEL_ROOM, y);
    y += draw_axis(pen, &course, x + LABEL_ROOM, y) + 6;
    y += draw_legend(pen, &course, x + LABEL_ROOM, y) + 4;
    if (panel->caption) y += draw_words(pen, panel->caption, 13.5, x, y, width);
    static const dxt_key_words key = {.mark = "outlined", .silent = "hatched", .usual = "green"};
    words = (dxt_text){0};
    dxt_course_key(&course, &key, &words);
    if (words.failed)
        pen->scratch.failed = true;
    else if (words.data)
        y += draw_words(pen, words.data, 12, x, y, width);
    free(words.data);
    return y - top;
}

static double draw_all(dxt_pen *pen, const dxt_timeline_panel *panels, size_t count,
                       const char *heading, double width)
{
    double y = MARGIN;
    if (heading && dxt_course_clean(pen, heading)) {
        dxt_course_text(pen, MARGIN, y + LINE, 20, DXT_ANCHOR_START, pen->scratch.data);
        y += 2 * LINE;
    }
    for (size_t p = 0; p < count && !pen->scratch.failed; p++)
        y += draw_panel(pen, &panels[p], MARGIN, y, width) + LINE;
    return y + MARGIN;
}

dxt_status dxt_write_timeline_page(const dxt_timeline_panel *panels, size_t count,
                                   const dxt_heatmap_options *options, dxt_format format,
                                   dxt_write_fn write, void *context)
{
    dxt_pen pen = {0};
    const dxt_backend *backend;
    dxt_page page = {.format = format, .write = write, .context = context};
    dxt_status status = dxt_page_backend(format, &backend);
    if (status != DXT_OK) return status;
    double width = 0;
    for (size_t p = 0; p < count; p++) width = fmax(width, panel_width(&panels[p]));
    page.width = width + 2 * MARGIN;
    page.height = ceil(draw_all(&pen, panels, count, options->heading, width));
    page.title = "lateness of ranks over time";
    status = pen.scratch.failed ? dxt_fail_memory(0) : backend->begin(&page, &pen.canvas);
    if (status == DXT_OK) {
        pen.backend = backend;
        dxt_pen_box(&pen,
                    (dxt_box){.width = page.width, .height = page.height, .fill = DXT_PAINT_PAPER});
        draw_all(&pen, panels, count, options->heading, width);
        status = backend->end(pen.canvas, !pen.scratch.failed);
        if (pen.scratch.failed && status == DXT_OK) status = dxt_fail_memory(0);
    }
    free(pen.scratch.data);
    return dxt_page_status(format, status);
}
