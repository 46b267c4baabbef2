/* SPDX-License-Identifier: Apache-2.0 */
#include "render/timeline_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/layout.h"
#include "render/palette.h"

#define WIDEST_CELL 24.0
#define WIDTH 900.0

double dxt_course_height(const dxt_course *course)
{
    return fmin(14, fmax(4, floor(640.0 / course->rows)));
}

double dxt_course_width(const dxt_course *course)
{
    return fmin(WIDEST_CELL, fmax(3, floor(WIDTH / (double)course->columns)));
}

void dxt_course_text(dxt_pen *pen, double x, double y, double size, dxt_anchor anchor,
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

bool dxt_course_clean(dxt_pen *pen, const char *string)
{
    pen->scratch.size = 0;
    dxt_text_clean(&pen->scratch, string, true);
    return !pen->scratch.failed;
}

static void draw_cell(dxt_pen *pen, const dxt_course *course, double value, double x, double y,
                      double height)
{
    double width = dxt_course_width(course);
    if (isnan(value)) return; /* what is silent is hatched */
    dxt_pen_box(pen, (dxt_box){.x = x,
                               .y = y,
                               .width = width > 6 ? width - 1 : width,
                               .height = height > 6 ? height - 1 : height,
                               .fill = DXT_PAINT_DATA |
                                       dxt_palette_rgb(dxt_course_position(course, value))});
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
    double height = dxt_course_height(course), width = dxt_course_width(course);
    for (size_t i = 0; i < panel->mark_count; i++) {
        const dxt_timeline_mark *mark = &panel->marks[i];
        uint32_t run = run_of(panel, i), row = mark->rank / course->block;
        double top = y + row * height;
        if (run == 0) continue;
        uint32_t rows = (mark->rank + run - 1) / course->block - row + 1;
        size_t first = mark->first / course->group, last = mark->last / course->group;
        draw_outline(pen, x + (double)first * width, top, (double)(last - first + 1) * width - 1,
                     rows * height - 1);
    }
}

/* A rank that is named has its own number, where others have that of their block; several of a
 * block, such as a node, have the first and the last. */
static void label_row(dxt_pen *pen, const dxt_course *course, uint32_t row, double x, double y)
{
    uint32_t last, marked = dxt_course_marked(course, row, &last);
    uint32_t named = dxt_course_named(course, row);
    char text[32];
    snprintf(text, sizeof text, "%" PRIu32, named == DXT_NO_RANK ? row * course->block : named);
    if (marked != last)
        snprintf(text + strlen(text), sizeof text - strlen(text), "–%" PRIu32, last);
    dxt_pen_text(pen, (dxt_label){.x = x - 6,
                                  .y = y + fmax(dxt_course_height(course) - 3, 6),
                                  .size = DXT_COURSE_SMALL,
                                  .anchor = DXT_ANCHOR_END,
                                  .bold = marked != DXT_NO_RANK,
                                  .paint = marked == DXT_NO_RANK ? DXT_PAINT_MUTED : DXT_PAINT_MARK,
                                  .string = text});
}

/* Whether a row in reach of a label has its own number: then that one has the room. */
static bool gives_way(const dxt_course *course, uint32_t row)
{
    double height = dxt_course_height(course);
    uint32_t reach = (uint32_t)ceil(12 / height);
    for (uint32_t near = row > reach ? row - reach + 1 : 0; near < row + reach; near++)
        if (near < course->rows && dxt_course_named(course, near) != DXT_NO_RANK) return true;
    return false;
}

/* Hosts at the right, as many as fit; those of marked ranks first. */
static void draw_hosts(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    double height = dxt_course_height(course), free_from = -INFINITY;
    double right = x + (double)course->columns * dxt_course_width(course) + 8;
    for (uint32_t row = 0; row < course->rows; row++) {
        double top = y + row * height;
        const char *host = dxt_course_host(course, row);
        bool marked = dxt_course_marked(course, row, NULL) != DXT_NO_RANK;
        if (!host || top < free_from || (!marked && gives_way(course, row))) continue;
        if (!dxt_course_clean(pen, host)) return;
        free_from = top + 12;
        dxt_course_text(pen, right, top + fmax(height - 3, 6), DXT_COURSE_SMALL, DXT_ANCHOR_START,
                        pen->scratch.data);
    }
}

/* The stretches in which a rank is silent; where a row stands for several, a stripe of it, beside
 * which some colour of the others is left. */
static void draw_silent(dxt_pen *pen, const dxt_course *course, uint32_t rank, double x, double y)
{
    double row = dxt_course_height(course), each = row / course->block;
    double width = dxt_course_width(course), gap = width > 6 ? 1 : 0;
    double height = course->block > 1 ? fmax(each, row - 1) : row > 6 ? row - 1 : row;
    double top = y + fmin(rank % course->block * each, row - height);
    for (size_t first = 0, end; first < course->columns; first = end + 1) {
        for (end = first; end < course->columns && dxt_course_is_silent(course, rank, end);) end++;
        if (end > first)
            dxt_draw_silence(pen, x + (double)first * width, top,
                             (double)(end - first) * width - gap, height);
    }
}

void dxt_course_rows(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    double height = dxt_course_height(course), width = dxt_course_width(course),
           labelled = -INFINITY;
    uint32_t step = 1;
    while (step * height < 12) step *= 2;
    for (uint32_t row = 0; row < course->rows; row++) {
        double top = y + row * height;
        for (size_t k = 0; k < course->columns; k++)
            draw_cell(pen, course, dxt_course_value(course, row, k), x + (double)k * width, top,
                      height);
        for (uint32_t rank = row * course->block;
             rank < (row + 1) * course->block && rank < course->panel->ranks; rank++)
            draw_silent(pen, course, rank, x, top);
        bool marked = dxt_course_named(course, row) != DXT_NO_RANK;
        if (top - labelled < 12 || (!marked && (row % step || gives_way(course, row)))) continue;
        labelled = top;
        label_row(pen, course, row, x, top);
    }
    draw_marks(pen, course, x, y);
    draw_hosts(pen, course, x, y);
}

double dxt_course_strips(dxt_pen *pen, const dxt_course *course, double x, double y)
{
    double width = dxt_course_width(course), height = 14;
    for (size_t s = 0; s < course->panel->strip_count; s++) {
        for (size_t k = 0; k < course->columns; k++)
            draw_cell(pen, course, dxt_course_strip(course, s, k), x + (double)k * width,
                      y + 6 + (double)s * height, height);
        if (!dxt_course_clean(pen, course->panel->strips[s].name)) return 0;
        double at = y + 6 + (double)(s + 1) * height - 3;
        dxt_course_text(pen, x - 6, at, DXT_COURSE_SMALL, DXT_ANCHOR_END, pen->scratch.data);
        const char *host = course->panel->strips[s].host;
        if (!host) continue;
        if (!dxt_course_clean(pen, host)) return 0;
        dxt_course_text(pen, x + (double)course->columns * width + 8, at, DXT_COURSE_SMALL,
                        DXT_ANCHOR_START, pen->scratch.data);
    }
    return course->panel->strip_count ? 6 + (double)course->panel->strip_count * height : 0;
}
