/* SPDX-License-Identifier: Apache-2.0 */
#include "render/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/palette.h"

#define MARGIN 24.0
#define NARROWEST 520.0
#define AXIS_TITLE 18.0
#define BETWEEN_PANELS 30.0
#define LEGEND_STEPS 64

/* How a paragraph is set. */
struct style {
    double size, leading;
    bool bold;
    dxt_paint paint;
};

static const struct style heading_style = {20, 27, true, DXT_PAINT_TEXT};
static const struct style title_style = {16, 22, true, DXT_PAINT_TEXT};
static const struct style subtitle_style = {12.5, 18, false, DXT_PAINT_MUTED};
static const struct style caption_style = {13.5, 19, false, DXT_PAINT_TEXT};
static const struct style key_style = {11.5, 17, false, DXT_PAINT_MUTED};

/* Set a text in lines no longer than `width`. @return Its height. */
static double paragraph(dxt_pen *pen, const char *text, struct style style, double x, double y,
                        double width)
{
    double used = 0;
    while (text && *text) {
        const char *line;
        /* Bold type runs wider. */
        double em = width / style.size / (style.bold ? 1.08 : 1);
        size_t length = dxt_wrap(&text, &line, em, dxt_font_width);
        used += style.leading;
        if (!pen->backend) continue;
        dxt_text string = {0};
        dxt_text_append(&string, line, length);
        if (string.failed)
            pen->scratch.failed = true;
        else
            dxt_pen_text(pen, (dxt_label){.x = x,
                                          .y = y + used - 0.3 * style.leading,
                                          .size = style.size,
                                          .bold = style.bold,
                                          .paint = style.paint,
                                          .string = string.data});
        free(string.data);
    }
    return used;
}

static void legend_ticks(dxt_pen *pen, const dxt_model *model, double x, double y, double width)
{
    double ticks[DXT_MAX_TICKS], unit = dxt_measure_shown(model->measure), free_from = -INFINITY;
    size_t count = dxt_scale_ticks(&model->scale, unit, ticks);
    double span = log(model->scale.high / model->scale.low);
    for (size_t i = 0; i < count; i++) {
        char figure[DXT_FIGURE_SIZE];
        dxt_short_figure(ticks[i], figure, sizeof figure);
        double at = x + width * log(ticks[i] * unit / model->scale.low) / span;
        double half = dxt_width_of(figure, dxt_font_width) * key_style.size / 2 + 3;
        dxt_pen_line(pen, (dxt_line){at, y, at, y + 5, 1, DXT_PAINT_RULE});
        if (at - half < free_from) continue;
        free_from = at + half;
        dxt_pen_text(pen, (dxt_label){.x = at,
                                      .y = y + 16,
                                      .size = key_style.size,
                                      .anchor = DXT_ANCHOR_MIDDLE,
                                      .paint = DXT_PAINT_TEXT,
                                      .string = figure});
    }
}

/* The colour bar with its ticks, and a patch of the hatching where a rank is silent. @return Its
 * height. */
static double legend(dxt_pen *pen, const dxt_model *model, double x, double y, double matrix_width)
{
    /* The narrowest page has room for the bar and the patch. */
    double widest = model->silent > 0 ? 340 : 420, height = 12;
    double width = fmin(fmax(matrix_width, 260), widest);
    y += paragraph(pen, dxt_model_quantity(model), key_style, x, y, 1000) + 3;
    for (int i = 0; i < LEGEND_STEPS; i++) {
        double from = floor(width * i / LEGEND_STEPS), to = floor(width * (i + 1) / LEGEND_STEPS);
        double position = (i + 0.5) / LEGEND_STEPS;
        dxt_pen_box(pen, (dxt_box){.x = x + from,
                                   .y = y,
                                   .width = to - from,
                                   .height = height,
                                   .fill = DXT_PAINT_DATA | dxt_palette_rgb(position)});
    }
    legend_ticks(pen, model, x, y + height, width);
    if (model->silent > 0) {
        double patch = x + width + 28;
        dxt_pen_box(
            pen,
            (dxt_box){.x = patch, .y = y, .width = 28, .height = height, .fill = DXT_PAINT_SILENT});
        dxt_draw_hatch(pen, patch, y, 28, height);
        dxt_pen_text(pen, (dxt_label){.x = patch + 35,
                                      .y = y + height - 2,
                                      .size = key_style.size,
                                      .paint = DXT_PAINT_TEXT,
                                      .string = "silent"});
    }
    return key_style.leading + 3 + height + 20;
}

static double matrix_width(const dxt_model *model, const dxt_grid *grid)
{
    return model->side * grid->cell_width - grid->gap;
}

/* Width of a panel without margins. */
static double panel_width(const dxt_model *model)
{
    dxt_grid grid = dxt_grid_for(model);
    return fmax(NARROWEST, AXIS_TITLE + grid.left + matrix_width(model, &grid) + grid.right);
}

static void axis_titles(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid)
{
    double high = model->side * grid->cell_height - grid->gap;
    dxt_label label = {.x = grid->x + matrix_width(model, grid) / 2,
                       .y = grid->y - grid->top - 2,
                       .size = subtitle_style.size,
                       .anchor = DXT_ANCHOR_MIDDLE,
                       .paint = DXT_PAINT_MUTED,
                       .string = "awaited rank"};
    dxt_pen_text(pen, label);
    label.x = grid->x - grid->left - 4;
    label.y = grid->y + high / 2;
    label.turned = true;
    label.string = "waiting rank";
    dxt_pen_text(pen, label);
}

/* Draw a panel with its top left corner at x, y. @return Its height. */
static double panel(dxt_pen *pen, const dxt_model *model, double x, double y, double width)
{
    static const dxt_key_words words = {
        .mark = "outlined", .silent = "hatched", .empty = "empty", .usual = "green"};
    double top = y;
    dxt_grid grid = dxt_grid_for(model);
    y += paragraph(pen, model->title, title_style, x, y, width);
    pen->scratch.size = 0;
    dxt_model_subtitle(model, NULL, &pen->scratch);
    if (pen->scratch.failed) return y - top;
    y += paragraph(pen, pen->scratch.data, subtitle_style, x, y, width);
    grid.x = x + AXIS_TITLE + grid.left;
    grid.y = y + 16 + AXIS_TITLE + grid.top;
    axis_titles(pen, model, &grid);
    if (pen->backend) dxt_grid_draw(pen, model, &grid);
    y = grid.y + model->side * grid.cell_height + 14;
    y += legend(pen, model, grid.x, y, matrix_width(model, &grid)) + 6;
    if (model->caption) y += paragraph(pen, model->caption, caption_style, x, y, width) + 5;
    dxt_text key = {0};
    dxt_model_key(model, &words, &key);
    if (key.failed)
        pen->scratch.failed = true;
    else
        y += paragraph(pen, key.data, key_style, x, y, width);
    free(key.data);
    return y - top;
}

/* Draw or measure all. @return The height without margins. */
static double page_body(dxt_pen *pen, dxt_model *const *models, size_t count, const char *heading,
                        double width)
{
    double y = MARGIN;
    if (heading) y += paragraph(pen, heading, heading_style, MARGIN, y, width) + 10;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) y += BETWEEN_PANELS;
        y += panel(pen, models[i], MARGIN, y, width);
    }
    return y - MARGIN;
}

static dxt_status draw_page(dxt_pen *pen, dxt_model *const *models, size_t count,
                            const char *heading, const dxt_page *page)
{
    const dxt_backend *backend = pen->backend;
    dxt_status status = backend->begin(page, &pen->canvas);
    if (status != DXT_OK) return status;
    dxt_pen_box(pen,
                (dxt_box){.width = page->width, .height = page->height, .fill = DXT_PAINT_PAPER});
    page_body(pen, models, count, heading, page->width - 2 * MARGIN);
    return backend->end(pen->canvas, !pen->scratch.failed);
}

dxt_status dxt_layout_draw(dxt_model *const *models, size_t count, const char *heading,
                           const dxt_backend *backend, dxt_page *page)
{
    dxt_pen pen = {0};
    double width = 0;
    for (size_t i = 0; i < count; i++) width = fmax(width, panel_width(models[i]));
    page->width = ceil(width + 2 * MARGIN);
    page->height = ceil(page_body(&pen, models, count, heading, width) + 2 * MARGIN);
    page->title = heading ? heading : models[0]->title;
    pen.backend = backend;
    dxt_status status = DXT_OK;
    if (!pen.scratch.failed) status = draw_page(&pen, models, count, heading, page);
    if (pen.scratch.failed && status == DXT_OK) status = dxt_fail_memory(0);
    free(pen.scratch.data);
    return status;
}
