/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix itself: cells, outlines of what is flagged, rank numbers. */
#include "render/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/palette.h"

#define OUTLINE 2.0
#define CASING 4.5
#define THINNEST_STRIPE 4.0
/* Pixels of a block that are coloured however little of it was observed. */
#define LEAST_PART 2.0

static dxt_grid grid_of(const dxt_model *model)
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

dxt_grid dxt_grid_for(const dxt_model *model)
{
    dxt_grid grid = grid_of(model);
    grid.right = dxt_node_names(model);
    grid.left = fmax(grid.left, dxt_row_labels(model, grid.label_size));
    return grid;
}

void dxt_draw_hatch(dxt_pen *pen, double x, double y, double width, double height)
{
    for (double at = 0; at < width; at += 8) {
        double run = fmin(height, width - at);
        dxt_pen_line(pen, (dxt_line){x + at, y + height, x + at + run, y + height - run, 1,
                                     DXT_PAINT_HATCH});
    }
}

void dxt_draw_silence(dxt_pen *pen, double x, double y, double width, double height)
{
    dxt_pen_box(pen, (dxt_box){.x = x,
                               .y = y,
                               .width = width,
                               .height = height,
                               .fill = DXT_PAINT_SILENT,
                               .hint = "silent: no counters"});
    dxt_draw_hatch(pen, x, y, width, height);
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
    double position = dxt_model_position(model, row, column);
    bool empty = isnan(position);
    uint32_t rgb = empty ? 0 : dxt_palette_rgb(position);
    pen->scratch.size = 0;
    dxt_model_hint(model, row, column, &pen->scratch);
    /* Of a block the part that was observed is coloured. */
    double width = grid->cell_width - grid->gap, height = grid->cell_height - grid->gap;
    double part = empty ? 1 : sqrt(dxt_model_observed(model, row, column));
    double wide = fmax(part * width, LEAST_PART), high = fmax(part * height, LEAST_PART);
    dxt_pen_box(pen, (dxt_box){.x = grid->x + column * grid->cell_width + (width - wide) / 2,
                               .y = grid->y + row * grid->cell_height + (height - high) / 2,
                               .width = wide,
                               .height = high,
                               .fill = empty ? DXT_PAINT_PAPER : DXT_PAINT_DATA | rgb,
                               .stroke = empty && grid->gap > 0 ? DXT_PAINT_SILENT : 0,
                               .stroke_width = empty && grid->gap > 0 ? 1 : 0,
                               .hint = pen->scratch.data});
    if (grid->value_size > 0 && !empty) draw_value(pen, model, grid, row, column, rgb);
}

static void draw_silent_row(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid,
                            uint32_t row)
{
    double width = model->side * grid->cell_width - grid->gap;
    double height = grid->cell_height - grid->gap, y = grid->y + row * grid->cell_height;
    dxt_draw_silence(pen, grid->x, y, width, height);
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

/* Of blocks of ranks only the stripes of those that are silent. */
static void draw_silent_stripes(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid)
{
    double width = model->side * grid->cell_width - grid->gap;
    double each = grid->cell_height / model->block, height = fmax(each, THINNEST_STRIPE);
    for (uint32_t rank = 0; rank < model->ranks; rank++) {
        if (!(model->row_marked[rank] & DXT_FLAG_SILENT) ||
            !dxt_model_partly_silent(model, rank / model->block))
            continue;
        double y = grid->y + (rank + 0.5) * each - height / 2;
        dxt_draw_silence(pen, grid->x, y, width, height);
        /* So thin a stripe is seen by its edges. */
        for (int edge = 0; edge < 2 && height > each; edge++)
            dxt_pen_line(pen, (dxt_line){grid->x, y + edge * height, grid->x + width,
                                         y + edge * height, 1, DXT_PAINT_MUTED});
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

/* From a path on: as many cells to the right, and then as many rows of these, as are flagged and
 * have no outline yet. */
static void draw_rectangle(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid,
                           uint8_t *outlined, uint32_t row, uint32_t column)
{
    size_t side = model->side;
    uint32_t right = column, below = row;
    while (right < side && dxt_model_point(model, row, right) && !outlined[row * side + right])
        right++;
    for (bool whole = true; whole && below < side; below += whole)
        for (uint32_t c = column; c < right; c++)
            whole = whole && dxt_model_point(model, below, c) && !outlined[below * side + c];
    for (uint32_t r = row; r < below; r++) memset(outlined + r * side + column, 1, right - column);
    draw_outline(pen, grid->x + column * grid->cell_width, grid->y + row * grid->cell_height,
                 (right - column) * grid->cell_width - grid->gap,
                 (below - row) * grid->cell_height - grid->gap);
}

/* One outline around the paths between two nodes. */
static void draw_paths(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid)
{
    size_t side = model->side;
    uint8_t *outlined = calloc(side, side);
    if (!outlined) {
        pen->scratch.failed = true;
        return;
    }
    for (uint32_t row = 0; row < side; row++)
        for (uint32_t column = 0; column < side; column++)
            if (dxt_model_point(model, row, column) && !outlined[row * side + column])
                draw_rectangle(pen, model, grid, outlined, row, column);
    free(outlined);
}

/* One outline around neighbours that are flagged, such as the ranks of a node. */
static void draw_outlines(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid)
{
    double wide = model->side * grid->cell_width - grid->gap;
    double high = model->side * grid->cell_height - grid->gap;
    for (uint32_t cell = 0, run; cell < model->side; cell += run ? run : 1)
        if ((run = dxt_model_run(model, model->row_marked, cell)) > 0)
            draw_outline(pen, grid->x, grid->y + cell * grid->cell_height, wide,
                         run * grid->cell_height - grid->gap);
    for (uint32_t cell = 0, run; cell < model->side; cell += run ? run : 1)
        if ((run = dxt_model_run(model, model->column_marked, cell)) > 0)
            draw_outline(pen, grid->x + cell * grid->cell_width, grid->y,
                         run * grid->cell_width - grid->gap, high);
    draw_paths(pen, model, grid);
}

void dxt_grid_draw(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid)
{
    for (uint32_t row = 0; row < model->side; row++) {
        if (dxt_model_silent(model, row)) {
            draw_silent_row(pen, model, grid, row);
            continue;
        }
        for (uint32_t column = 0; column < model->side; column++)
            draw_cell(pen, model, grid, row, column);
    }
    draw_silent_stripes(pen, model, grid);
    dxt_draw_nodes(pen, model, grid);
    draw_outlines(pen, model, grid);
    dxt_draw_axis(pen, model, grid, true);
    dxt_draw_axis(pen, model, grid, false);
}
