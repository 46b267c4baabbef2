/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix itself: cells, outlines of what is flagged, rank numbers. */
#include "render/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "render/palette.h"

#define PILL_HEIGHT 15.0
#define PILL_PADDING 5.0
#define STEM 6.0
#define OUTLINE 2.0
#define CASING 4.5
/* On one axis fit fewer labels than this: the axis is at most 800 long and a label at least 12. */
#define MOST_LABELS 128

dxt_grid dxt_grid_for(const dxt_model *model)
{
    static const struct {
        uint32_t side;
        double width, height, value_size, label_size;
    } sizes[] = {{2, 104, 52, 14, 12},
                 {4, 80, 42, 14, 12},
                 {8, 62, 34, 13, 12},
                 {16, 48, 27, 12, 11.5},
                 {32, 39, 21, 10, 11}};
    for (size_t i = 0; model->block == 1 && i < sizeof sizes / sizeof sizes[0]; i++)
        if (model->side <= sizes[i].side)
            return (dxt_grid){.cell_width = sizes[i].width,
                              .cell_height = sizes[i].height,
                              .gap = 1,
                              .value_size = sizes[i].value_size,
                              .label_size = sizes[i].label_size,
                              .left = 40,
                              .top = 26};
    double size = fmin(floor(768.0 / model->side), 20);
    return (dxt_grid){.cell_width = size,
                      .cell_height = size,
                      .gap = size >= 12 ? 1 : 0,
                      .label_size = 11,
                      .left = 48,
                      .top = 26};
}

void dxt_draw_hatch(dxt_pen *pen, double x, double y, double width, double height)
{
    for (double at = 0; at < width; at += 8) {
        double run = fmin(height, width - at);
        dxt_pen_line(pen, (dxt_line){x + at, y + height, x + at + run, y + height - run, 1,
                                     DXT_PAINT_HATCH});
    }
}

/* ---- cells ---- */

static void draw_value(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid, uint32_t row,
                       uint32_t column, uint32_t rgb)
{
    char figure[DXT_FIGURE_SIZE];
    dxt_short_figure(dxt_model_shown(model, row, column), figure, sizeof figure);
    dxt_pen_text(pen, (dxt_label){.x = grid->x + (column + 0.5) * grid->cell_width - grid->gap / 2,
                                  .y = grid->y + (row + 0.5) * grid->cell_height - grid->gap / 2 +
                                       0.36 * grid->value_size,
                                  .size = grid->value_size,
                                  .anchor = DXT_ANCHOR_MIDDLE,
                                  .paint = DXT_PAINT_DATA | (dxt_black_on(rgb) ? 0 : 0xffffff),
                                  .string = figure});
}

static void draw_cell(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid, uint32_t row,
                      uint32_t column)
{
    uint32_t rgb = dxt_palette_rgb(dxt_model_position(model, row, column));
    pen->scratch.size = 0;
    dxt_model_hint(model, row, column, &pen->scratch);
    dxt_pen_box(pen, (dxt_box){.x = grid->x + column * grid->cell_width,
                               .y = grid->y + row * grid->cell_height,
                               .width = grid->cell_width - grid->gap,
                               .height = grid->cell_height - grid->gap,
                               .fill = DXT_PAINT_DATA | rgb,
                               .hint = pen->scratch.data});
    if (grid->value_size > 0) draw_value(pen, model, grid, row, column, rgb);
}

static void draw_silent_row(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid,
                            uint32_t row)
{
    double width = model->side * grid->cell_width - grid->gap;
    double height = grid->cell_height - grid->gap, y = grid->y + row * grid->cell_height;
    dxt_pen_box(pen, (dxt_box){.x = grid->x,
                               .y = y,
                               .width = width,
                               .height = height,
                               .fill = DXT_PAINT_SILENT,
                               .hint = "silent: no counters"});
    dxt_draw_hatch(pen, grid->x, y, width, height);
    for (uint32_t column = 0; grid->value_size > 0 && column < model->side; column++) {
        double middle = grid->x + (column + 0.5) * grid->cell_width - grid->gap / 2;
        dxt_pen_box(pen, (dxt_box){.x = middle - 9,
                                   .y = y + height / 2 - 7,
                                   .width = 18,
                                   .height = 14,
                                   .fill = DXT_PAINT_SILENT});
        dxt_pen_text(pen, (dxt_label){.x = middle,
                                      .y = y + height / 2 + 0.36 * grid->value_size,
                                      .size = grid->value_size,
                                      .anchor = DXT_ANCHOR_MIDDLE,
                                      .paint = DXT_PAINT_MUTED,
                                      .string = "–"});
    }
}

/* ---- flagged ranks ---- */

/* An outline that stands out on every colour of the scale: dark, in a light casing. */
static void draw_outline(dxt_pen *pen, double x, double y, double width, double height)
{
    static const dxt_paint paints[] = {DXT_PAINT_DATA | 0xffffff, DXT_PAINT_DATA | 0x12256e};
    static const double widths[] = {CASING, OUTLINE};
    /* Around the cells, not on them: the cells may be no wider than the lines. */
    double away = CASING / 2;
    for (int i = 0; i < 2; i++)
        dxt_pen_box(pen, (dxt_box){.x = x - away,
                                   .y = y - away,
                                   .width = width + 2 * away,
                                   .height = height + 2 * away,
                                   .radius = 1,
                                   .stroke = paints[i],
                                   .stroke_width = widths[i]});
}

static void draw_outlines(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid)
{
    double wide = model->side * grid->cell_width - grid->gap;
    double high = model->side * grid->cell_height - grid->gap;
    double width = grid->cell_width - grid->gap, height = grid->cell_height - grid->gap;
    for (uint32_t cell = 0; cell < model->side; cell++) {
        double x = grid->x + cell * grid->cell_width, y = grid->y + cell * grid->cell_height;
        if (dxt_model_flagged(model, model->row_marked, cell, 1) != DXT_NO_RANK)
            draw_outline(pen, grid->x, y, wide, height);
        if (dxt_model_flagged(model, model->column_marked, cell, 1) != DXT_NO_RANK)
            draw_outline(pen, x, grid->y, width, high);
    }
    for (uint32_t row = 0; row < model->side; row++)
        for (uint32_t column = 0; column < model->side; column++)
            if (dxt_model_point(model, row, column))
                draw_outline(pen, grid->x + column * grid->cell_width,
                             grid->y + row * grid->cell_height, width, height);
}

/* ---- rank numbers ---- */

/* One axis, and the stretches of it that have a label. */
struct axis {
    dxt_pen *pen;
    const dxt_model *model;
    const dxt_grid *grid;
    const uint8_t *flags;
    bool rows;
    double cell; /* length of a cell along the axis */
    size_t count;
    double begin[MOST_LABELS], end[MOST_LABELS];
};

/* Claim the stretch of a label. */
static bool claim(struct axis *axis, double middle, double length)
{
    double begin = middle - length / 2, end = middle + length / 2;
    for (size_t i = 0; i < axis->count; i++)
        if (begin < axis->end[i] && end > axis->begin[i]) return false;
    if (axis->count == MOST_LABELS) return false;
    axis->begin[axis->count] = begin;
    axis->end[axis->count++] = end;
    return true;
}

static double label_width(const struct axis *axis, const char *string)
{
    return dxt_width_of(string, dxt_font_width) * axis->grid->label_size;
}

/* How much of the axis a label takes. */
static double label_length(const struct axis *axis, const char *string, double space)
{
    return axis->rows ? fmax(PILL_HEIGHT, axis->grid->label_size + space)
                      : label_width(axis, string) + 2 * space;
}

static void draw_pill(const struct axis *axis, double middle, const char *string)
{
    double width = label_width(axis, string) + 2 * PILL_PADDING;
    double x = axis->rows ? axis->grid->x - STEM - width : middle - width / 2;
    double y = axis->rows ? middle - PILL_HEIGHT / 2 : axis->grid->y - STEM - PILL_HEIGHT;
    dxt_pen_box(axis->pen, (dxt_box){.x = x,
                                     .y = y,
                                     .width = width,
                                     .height = PILL_HEIGHT,
                                     .radius = 4,
                                     .fill = DXT_PAINT_MARK});
}

static void draw_label(const struct axis *axis, double middle, const char *string, uint8_t flag)
{
    const dxt_grid *grid = axis->grid;
    bool pill = (flag & DXT_FLAG_AXIS) != 0;
    if (pill) draw_pill(axis, middle, string);
    double inset = STEM + PILL_PADDING;
    dxt_pen_text(axis->pen, (dxt_label){.x = axis->rows ? grid->x - inset : middle,
                                        .y = axis->rows ? middle + 0.36 * grid->label_size
                                                        : grid->y - STEM - 3.5,
                                        .size = grid->label_size,
                                        .anchor = axis->rows ? DXT_ANCHOR_END : DXT_ANCHOR_MIDDLE,
                                        .bold = flag != 0,
                                        .paint = pill   ? DXT_PAINT_ON_MARK
                                                 : flag ? DXT_PAINT_MARK
                                                        : DXT_PAINT_TEXT,
                                        .string = string});
}

static void draw_stem(const struct axis *axis, double middle, dxt_paint paint, double width)
{
    double x = axis->grid->x, y = axis->grid->y;
    if (axis->rows)
        dxt_pen_line(axis->pen, (dxt_line){x - STEM, middle, x - 1, middle, width, paint});
    else
        dxt_pen_line(axis->pen, (dxt_line){middle, y - STEM, middle, y - 1, width, paint});
}

static double middle_of(const struct axis *axis, uint32_t cell)
{
    double begin = axis->rows ? axis->grid->y : axis->grid->x;
    return begin + (cell + 0.5) * axis->cell - axis->grid->gap / 2;
}

/* Flagged ranks have their labels first; where they crowd, their stems remain. */
static void label_flagged(struct axis *axis, uint8_t mask)
{
    char string[16];
    for (uint32_t rank = 0; rank < axis->model->ranks; rank++) {
        if (!(axis->flags[rank] & mask)) continue;
        double middle = middle_of(axis, rank / axis->model->block);
        draw_stem(axis, middle, DXT_PAINT_MARK, OUTLINE);
        snprintf(string, sizeof string, "%" PRIu32, rank);
        /* A path's ends have no label of their own where the rank itself is flagged. */
        if (mask == DXT_FLAG_POINT && (axis->flags[rank] & DXT_FLAG_AXIS)) continue;
        if (claim(axis, middle, label_length(axis, string, PILL_PADDING)))
            draw_label(axis, middle, string, mask);
    }
}

static void label_others(struct axis *axis)
{
    const dxt_model *model = axis->model;
    char string[16];
    snprintf(string, sizeof string, "%" PRIu32, model->ranks - 1);
    double length = label_length(axis, string, 3);
    uint32_t step = 1;
    while (step * axis->cell < length) step *= 2;
    for (uint32_t cell = 0; cell < model->side; cell += step) {
        double middle = middle_of(axis, cell);
        snprintf(string, sizeof string, "%" PRIu32, cell * model->block);
        if (!claim(axis, middle, label_length(axis, string, 0.5))) continue;
        draw_label(axis, middle, string, 0);
        if (step > 1) draw_stem(axis, middle, DXT_PAINT_RULE, 1);
    }
}

static void draw_axis(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid, bool rows)
{
    struct axis axis = {.pen = pen,
                        .model = model,
                        .grid = grid,
                        .flags = rows ? model->row_marked : model->column_marked,
                        .rows = rows,
                        .cell = rows ? grid->cell_height : grid->cell_width};
    label_flagged(&axis, DXT_FLAG_AXIS);
    label_flagged(&axis, DXT_FLAG_POINT);
    label_others(&axis);
}

void dxt_grid_draw(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid)
{
    for (uint32_t row = 0; row < model->side; row++) {
        if (isnan(dxt_model_value(model, row, 0))) {
            draw_silent_row(pen, model, grid, row);
            continue;
        }
        for (uint32_t column = 0; column < model->side; column++)
            draw_cell(pen, model, grid, row, column);
    }
    draw_outlines(pen, model, grid);
    draw_axis(pen, model, grid, true);
    draw_axis(pen, model, grid, false);
}
