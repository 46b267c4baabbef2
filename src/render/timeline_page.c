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

/* More ranks and columns are drawn as blocks. */
#define MOST_ROWS 128u
#define MOST_COLUMNS 256u
#define MARGIN 24.0
#define WIDEST_CELL 24.0
#define WIDTH 900.0
#define LABEL_ROOM 64.0
#define LINE 18.0
#define LEGEND_WIDTH 300.0
#define LEGEND_STEPS 60
#define SMALL 11.0

static double cell_height(uint32_t rows)
{
    return fmin(14, fmax(4, floor(640.0 / rows)));
}

static double cell_width(const dxt_course *course)
{
    return fmin(WIDEST_CELL, fmax(3, floor(WIDTH / (double)course->columns)));
}

static dxt_course course_of(const dxt_timeline_panel *panel)
{
    return dxt_course_of(panel, MOST_ROWS, MOST_COLUMNS);
}

/* Room for the hosts of marked ranks and of slow paths and links, at the right. */
static double host_room(const dxt_timeline_panel *panel)
{
    double widest = 0;
    for (size_t i = 0; panel->hosts && i < panel->mark_count; i++) {
        const char *host = panel->hosts[panel->marks[i].rank];
        if (host && host[0]) widest = fmax(widest, dxt_width_of(host, dxt_font_width) * SMALL + 10);
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
    return ceil(fmax(LABEL_ROOM + LEGEND_WIDTH + 80,
                     LABEL_ROOM + (double)course.columns * cell_width(&course) + host_room(panel)));
}

static void put_text(dxt_pen *pen, double x, double y, double size, dxt_anchor anchor,
                     const char *string)
{
    dxt_pen_text(pen, (dxt_label){.x = x,
                                  .y = y,
                                  .size = size,
                                  .anchor = anchor,
                                  .bold = size > 14,
                                  .paint = size > 12 ? DXT_PAINT_TEXT : DXT_PAINT_MUTED,
                                  .string = string});
}

/* A clean copy of text from outside. @return false if there is no memory. */
static bool clean(dxt_pen *pen, const char *string)
{
    pen->scratch.size = 0;
    dxt_text_clean(&pen->scratch, string, true);
    return !pen->scratch.failed;
}

/* ---- cells ---- */

static void draw_cell(dxt_pen *pen, const dxt_course *course, double value, double x, double y,
                      double height)
{
    double width = cell_width(course);
    dxt_paint fill = DXT_PAINT_SILENT;
    if (!isnan(value)) fill = DXT_PAINT_DATA | dxt_palette_rgb(dxt_course_position(course, value));
    dxt_pen_box(pen, (dxt_box){.x = x,
                               .y = y,
                               .width = width > 6 ? width - 1 : width,
                               .height = height > 6 ? height - 1 : height,
                               .fill = fill});
}

/* How many ranks behind that of mark `i` are marked over the same stretch, such as those of a node:
 * one outline. 0: it is one of those behind another. */
static uint32_t run_of(const dxt_timeline_panel *panel, size_t i)
{
    const dxt_timeline_mark *mark = &panel->marks[i];
    uint32_t count = 1;
    for (size_t k = 0; k < panel->mark_count; k++)
        if (panel->marks[k].rank + 1 == mark->rank && panel->marks[k].first == mark->first &&
            panel->marks[k].last == mark->last)
            return 0;
    for (size_t k = i + 1; k < panel->mark_count; k++)
        if (panel->marks[k].rank == mark->rank + count && panel->marks[k].first == mark->first &&
            panel->marks[k].last == mark->last)
            count++;
    return count;
}

/* Around a stretch that is named. */
static void draw_outline(dxt_pen *pen, double x, double y, double width, double height)
{
    static const dxt_paint paints[] = {DXT_PAINT_DATA | 0xffffff, DXT_PAINT_DATA | 0x12256e};
    for (int i = 0; i < 2; i++)
        dxt_pen_box(pen, (dxt_box){.x = x - 1.5,
                                   .y = y - 1.5,
                                   .width = width + 3,
                                   .height = height + 3,
                                   .radius = 1,
                                   .stroke = paints[i],
                                   .stroke_width = i ? 1.5 : 3.5});
}

static void draw_marks(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    const dxt_timeline_panel *panel = course->panel;
    double height = cell_height(course->rows), width = cell_width(course);
    for (size_t i = 0; i < panel->mark_count; i++) {
        const dxt_timeline_mark *mark = &panel->marks[i];
        uint32_t run = run_of(panel, i), row = mark->rank / course->block;
        double top = y + row * height;
        if (run == 0) continue;
        uint32_t rows = (mark->rank + run - 1) / course->block - row + 1;
        size_t first = mark->first / course->group, last = mark->last / course->group;
        draw_outline(pen, x + (double)first * width, top, (double)(last - first + 1) * width - 1,
                     rows * height - 1);
        const char *host = panel->hosts ? panel->hosts[mark->rank] : NULL;
        if (!host || !host[0] || !clean(pen, host)) continue;
        put_text(pen, x + (double)course->columns * width + 8, top + fmax(height - 3, 6), SMALL,
                 DXT_ANCHOR_START, pen->scratch.data);
    }
}

/* A rank that is named has its own number, where others have that of their block; several of a
 * block, such as a node, have the first and the last. */
static void label_row(dxt_pen *pen, const dxt_course *course, uint32_t row, double x, double y)
{
    uint32_t last, marked = dxt_course_marked(course, row, &last);
    char text[32];
    snprintf(text, sizeof text, "%" PRIu32, marked == DXT_NO_RANK ? row * course->block : marked);
    if (marked != last)
        snprintf(text + strlen(text), sizeof text - strlen(text), "–%" PRIu32, last);
    dxt_pen_text(pen, (dxt_label){.x = x - 6,
                                  .y = y + fmax(cell_height(course->rows) - 3, 6),
                                  .size = SMALL,
                                  .anchor = DXT_ANCHOR_END,
                                  .bold = marked != DXT_NO_RANK,
                                  .paint = marked == DXT_NO_RANK ? DXT_PAINT_MUTED : DXT_PAINT_MARK,
                                  .string = text});
}

/* Whether a row in reach of a label is marked: then that one has the room. */
static bool gives_way(const dxt_course *course, uint32_t row)
{
    double height = cell_height(course->rows);
    uint32_t reach = (uint32_t)ceil(12 / height);
    for (uint32_t near = row > reach ? row - reach + 1 : 0; near < row + reach; near++)
        if (near < course->rows && dxt_course_marked(course, near, NULL) != DXT_NO_RANK)
            return true;
    return false;
}

/* Where a row stands for several ranks, the stripes of those that are silent. */
static void draw_silent_stripes(dxt_pen *pen, const dxt_course *course, uint32_t row, double x,
                                double y)
{
    double each = cell_height(course->rows) / course->block, width = cell_width(course);
    for (size_t k = 0; course->block > 1 && k < course->columns; k++)
        for (uint32_t rank = 0; (rank = dxt_course_silent(course, row, k, rank)) != DXT_NO_RANK;
             rank++) {
            double top = y + (rank - row * course->block) * each;
            dxt_pen_box(pen, (dxt_box){.x = x + (double)k * width,
                                       .y = top,
                                       .width = width,
                                       .height = fmax(each, 3),
                                       .fill = DXT_PAINT_SILENT});
        }
}

static void draw_rows(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    double height = cell_height(course->rows), width = cell_width(course), labelled = -INFINITY;
    uint32_t step = 1;
    while (step * height < 12) step *= 2;
    for (uint32_t row = 0; row < course->rows; row++) {
        double top = y + row * height;
        for (size_t k = 0; k < course->columns; k++)
            draw_cell(pen, course, dxt_course_value(course, row, k), x + (double)k * width, top,
                      height);
        draw_silent_stripes(pen, course, row, x, top);
        bool marked = dxt_course_marked(course, row, NULL) != DXT_NO_RANK;
        if (top - labelled < 12 || (!marked && (row % step || gives_way(course, row)))) continue;
        labelled = top;
        label_row(pen, course, row, x, top);
    }
    draw_marks(pen, course, x, y);
}

static double draw_strips(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    double width = cell_width(course), height = 14;
    for (size_t s = 0; s < course->panel->strip_count; s++) {
        for (size_t k = 0; k < course->columns; k++)
            draw_cell(pen, course, dxt_course_strip(course, s, k), x + (double)k * width,
                      y + 6 + (double)s * height, height);
        if (!clean(pen, course->panel->strips[s].name)) return 0;
        double at = y + 6 + (double)(s + 1) * height - 3;
        put_text(pen, x - 6, at, SMALL, DXT_ANCHOR_END, pen->scratch.data);
        const char *host = course->panel->strips[s].host;
        if (!host) continue;
        if (!clean(pen, host)) return 0;
        put_text(pen, x + (double)course->columns * width + 8, at, SMALL, DXT_ANCHOR_START,
                 pen->scratch.data);
    }
    return course->panel->strip_count ? 6 + (double)course->panel->strip_count * height : 0;
}

/* ---- around them ---- */

/* Numbers of the windows, and below them times. @return Its height. */
static double draw_axis(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    double width = cell_width(course), free_from = -INFINITY;
    const char *const *times = course->panel->times;
    char text[32];
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
        put_text(pen, at, y + 15, SMALL, DXT_ANCHOR_MIDDLE, text);
        if (!times || !times[k * course->group] || !clean(pen, times[k * course->group])) continue;
        put_text(pen, at, y + 29, SMALL, DXT_ANCHOR_MIDDLE, pen->scratch.data);
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
        put_text(pen, at, y + 24, SMALL, DXT_ANCHOR_MIDDLE,
                 dxt_short_figure(ticks[i], figure, sizeof figure));
    }
    put_text(pen, x + LEGEND_WIDTH + 10, y + 10, SMALL, DXT_ANCHOR_START,
             dxt_course_unit(course->panel));
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
            put_text(pen, x, y + used - 5, size, DXT_ANCHOR_START, pen->scratch.data);
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
    if (panel->title && clean(pen, panel->title)) {
        put_text(pen, x, y + LINE, 16, DXT_ANCHOR_START, pen->scratch.data);
        y += 1.4 * LINE;
    }
    dxt_text words = {0};
    dxt_course_words(&course, &words);
    if (words.failed)
        pen->scratch.failed = true;
    else
        y += draw_words(pen, words.data, 12, x, y, width) + 4;
    free(words.data);
    if (pen->backend) draw_rows(pen, &course, x + LABEL_ROOM, y);
    y += course.rows * cell_height(course.rows);
    y += draw_strips(pen, &course, x + LABEL_ROOM, y);
    y += draw_axis(pen, &course, x + LABEL_ROOM, y) + 6;
    y += draw_legend(pen, &course, x + LABEL_ROOM, y) + 4;
    if (panel->caption) y += draw_words(pen, panel->caption, 13.5, x, y, width);
    return y - top;
}

static double draw_all(dxt_pen *pen, const dxt_timeline_panel *panels, size_t count,
                       const char *heading, double width)
{
    double y = MARGIN;
    if (heading && clean(pen, heading)) {
        put_text(pen, MARGIN, y + LINE, 20, DXT_ANCHOR_START, pen->scratch.data);
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
