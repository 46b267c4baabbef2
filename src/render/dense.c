/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix on a terminal without figures: a cell is one or two characters, or half of one. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/palette.h"
#include "render/terminal.h"

/* Taller pictures do not fit on a screen. */
#define TALLEST_COLOR 96u
#define MOST_BLOCKS 64u
#define MOST_SHADED_BLOCKS 48u
#define WIDE_MOST 40u
#define GREY 0x7d8590u

/* A line of cells is one row, or, in half height, two. */
struct shape {
    uint32_t width; /* characters per cell */
    uint32_t rows;  /* per line */
};

static uint32_t room(const dxt_screen *screen)
{
    return screen->columns - screen->label_digits - 1;
}

/* Whether two rows of cells share a line. */
static bool halves(const dxt_screen *screen)
{
    return screen->color != DXT_COLOR_NONE && !screen->ascii;
}

uint32_t dxt_dense_most(const dxt_screen *screen, bool single)
{
    uint32_t most = room(screen);
    if (!halves(screen)) {
        if (single) return most;
        return most / 2 < MOST_SHADED_BLOCKS ? most / 2 : MOST_SHADED_BLOCKS;
    }
    uint32_t limit = single ? TALLEST_COLOR : MOST_BLOCKS;
    return most < limit ? most : limit;
}

static struct shape shape_for(const dxt_screen *screen)
{
    uint32_t side = screen->model->side;
    bool two = halves(screen);
    if (2 * side <= room(screen) && (!two || side <= WIDE_MOST)) return (struct shape){2, 1};
    return (struct shape){1, two ? 2 : 1};
}

/* Whether a cell is drawn as a dot: most of its block was not observed. */
static bool is_dot(const dxt_screen *screen, uint32_t row, uint32_t column)
{
    const dxt_model *model = screen->model;
    return row < model->side && dxt_model_sparse(model, row, column) &&
           !isnan(dxt_model_value(model, row, column));
}

/* Colour of a cell; grey if it is silent, the terminal's own if there is none, or nobody observed
 * it. */
static uint32_t color_of(const dxt_screen *screen, uint32_t row, uint32_t column)
{
    if (row >= screen->model->side) return DXT_PLAIN;
    /* A line is no finer: every other cell is that of the silent rank. */
    if (dxt_model_partly_silent(screen->model, row) && column % 2) return GREY;
    double position = dxt_model_position(screen->model, row, column);
    if (!isnan(position)) return dxt_palette_rgb(position);
    return dxt_model_silent(screen->model, row) ? GREY : DXT_PLAIN;
}

static void draw_shaded(dxt_screen *screen, uint32_t row, uint32_t column, uint32_t width)
{
    double position = dxt_model_position(screen->model, row, column);
    const char *empty = dxt_model_silent(screen->model, row) ? "–" : "·";
    const char *shade = isnan(position) ? empty : dxt_palette_shade(position);
    if (dxt_model_partly_silent(screen->model, row) && column % 2) shade = "–";
    bool point = dxt_model_point(screen->model, row, column);
    bool dot = is_dot(screen, row, column);
    if (dot && width == 1 && *shade == ' ') shade = "•";
    for (uint32_t i = 0; i < width; i++) {
        bool last = i + 1 == width;
        dxt_text_puts(&screen->text, last && point ? "*" : last && dot ? "•" : shade);
    }
}

/* Of two cells in a character, if both are dots: one in the colour of the longer wait. A dot beside
 * a whole cell is left out. @return Whether there is something to draw, which is done then. */
static bool draw_dots(dxt_screen *screen, uint32_t row, uint32_t column, struct shape shape)
{
    const dxt_model *model = screen->model;
    bool above = is_dot(screen, row, column);
    bool below = shape.rows == 2 && is_dot(screen, row + 1, column);
    if (!above && !below) return false;
    uint32_t upper = color_of(screen, row, column), ground = DXT_PLAIN;
    uint32_t lower = shape.rows == 2 ? color_of(screen, row + 1, column) : DXT_PLAIN;
    bool whole = shape.rows == 2 && ((!above && upper != ground) || (!below && lower != ground));
    if (whole) {
        dxt_screen_colors(screen, above ? lower : upper, ground);
        dxt_text_puts(&screen->text, above ? "▄" : "▀");
        return true;
    }
    bool longer = below && (!above || dxt_model_value(model, row + 1, column) >
                                          dxt_model_value(model, row, column));
    dxt_screen_colors(screen, longer ? lower : upper, ground);
    dxt_text_puts(&screen->text, shape.width == 2 ? "• " : "•");
    return true;
}

static void draw_colored(dxt_screen *screen, uint32_t row, uint32_t column, struct shape shape)
{
    uint32_t upper = color_of(screen, row, column);
    uint32_t lower = shape.rows == 2 ? color_of(screen, row + 1, column) : upper;
    const dxt_model *model = screen->model;
    bool above = dxt_model_point(model, row, column);
    bool below =
        shape.rows == 2 && row + 1 < model->side && dxt_model_point(model, row + 1, column);
    if (above || below) {
        /* The star needs the whole character; its cell's colour is the one that counts. */
        uint32_t ground = above ? upper : lower;
        dxt_screen_colors(screen, dxt_screen_ink(screen, ground), ground);
        dxt_text_puts(&screen->text, shape.width == 2 ? " *" : "*");
    } else if (draw_dots(screen, row, column, shape)) {
        return;
    } else if (upper == lower) {
        dxt_screen_colors(screen, DXT_PLAIN, upper);
        dxt_screen_spaces(screen, shape.width);
    } else {
        dxt_screen_colors(screen, upper, lower);
        dxt_text_puts(&screen->text, "▀");
    }
}

/* The first rank among @p count cells that has a flag, else DXT_NO_RANK. */
static uint32_t first_with(const dxt_model *model, const uint8_t *flags, uint8_t flag,
                           uint32_t cell, uint32_t count)
{
    uint32_t end = (cell + count) * model->block;
    for (uint32_t rank = cell * model->block; rank < end && rank < model->ranks; rank++)
        if (flags[rank] & flag) return rank;
    return DXT_NO_RANK;
}

static void draw_row_label(dxt_screen *screen, uint32_t row, struct shape shape)
{
    const dxt_model *model = screen->model;
    uint32_t step = shape.rows == 2 ? 8 : shape.width == 2 ? 1 : 4;
    uint32_t flagged = dxt_model_flagged(model, model->row_marked, row, shape.rows);
    uint32_t silent = first_with(model, model->row_marked, DXT_FLAG_SILENT, row, shape.rows);
    uint32_t point = first_with(model, model->row_marked, DXT_FLAG_POINT, row, shape.rows);
    if (flagged != DXT_NO_RANK)
        dxt_screen_row_label(screen, flagged, "*");
    else if (silent != DXT_NO_RANK)
        dxt_screen_row_label(screen, silent, "–");
    else if (point != DXT_NO_RANK)
        dxt_screen_row_label(screen, point, " ");
    else
        dxt_screen_row_label(screen, row % step == 0 ? row * model->block : DXT_NO_RANK, " ");
}

/* A number above every few columns; its first digit stands on its cell. */
static void draw_column_labels(dxt_screen *screen, struct shape shape)
{
    const dxt_model *model = screen->model;
    uint32_t used = 0, step = 1, line = model->side * shape.width;
    while (step * shape.width < screen->label_digits + 2) step *= 2;
    dxt_screen_row_label(screen, DXT_NO_RANK, " ");
    for (uint32_t column = 0; column < model->side; column += step) {
        char label[16];
        uint32_t at = column * shape.width;
        uint32_t length =
            (uint32_t)snprintf(label, sizeof label, "%" PRIu32, column * model->block);
        if (at + length > line && at + length > room(screen)) break;
        dxt_screen_spaces(screen, at - used);
        dxt_text_puts(&screen->text, label);
        used = at + length;
    }
    dxt_screen_newline(screen);
}

/* "5*", or of neighbours that are flagged, such as a node, "8–15*". @return How many cells. */
static uint32_t number_run(const dxt_screen *screen, uint32_t column, uint32_t rank, char *label,
                           size_t size)
{
    const dxt_model *model = screen->model;
    uint32_t run = dxt_model_run(model, model->column_marked, column), last = rank;
    for (uint32_t r = rank; r < (column + run) * model->block && r < model->ranks; r++)
        if (model->column_marked[r] & DXT_FLAG_AXIS) last = r;
    bool whole = last > rank;
    for (uint32_t r = rank; r <= last && whole; r++)
        whole = model->column_marked[r] & DXT_FLAG_AXIS;
    if (whole) {
        snprintf(label, size, "%" PRIu32 "–%" PRIu32 "*", rank, last);
        return run;
    }
    uint32_t end = (column + 1) * model->block, second = DXT_NO_RANK, count = 0;
    for (uint32_t r = rank; r < end && r < model->ranks; r++) {
        if (!(model->column_marked[r] & DXT_FLAG_AXIS)) continue;
        if (++count == 2) second = r;
    }
    if (count == 2)
        snprintf(label, size, "%" PRIu32 ",%" PRIu32 "*", rank, second);
    else
        snprintf(label, size, "%" PRIu32 "%s*", rank, count < 3 ? "" : screen->ascii ? "+" : "…");
    return 1;
}

/* Below flagged columns, and those of paths, a hat, and below that their numbers where they do not
 * crowd: with a star where the column as a whole is flagged. */
static void draw_flagged_columns(dxt_screen *screen, struct shape shape, bool numbers)
{
    const dxt_model *model = screen->model;
    uint32_t used = 0;
    dxt_screen_row_label(screen, DXT_NO_RANK, " ");
    for (uint32_t column = 0; column < model->side; column++) {
        uint32_t rank = dxt_model_flagged(model, model->column_marked, column, 1);
        uint32_t point = first_with(model, model->column_marked, DXT_FLAG_POINT, column, 1);
        if (rank == DXT_NO_RANK && point == DXT_NO_RANK) continue;
        char label[32] = "^";
        uint32_t at = column * shape.width;
        if (numbers && rank == DXT_NO_RANK)
            snprintf(label, sizeof label, "%" PRIu32, point);
        else if (numbers)
            column += number_run(screen, column, rank, label, sizeof label) - 1;
        uint32_t length = (uint32_t)dxt_width_of(label, dxt_terminal_width);
        if (at + length > room(screen)) at = room(screen) - length;
        if (at < used + (numbers && used > 0)) continue;
        dxt_screen_spaces(screen, at - used);
        dxt_text_puts(&screen->text, label);
        used = at + length;
    }
    dxt_screen_newline(screen);
}

void dxt_draw_dense(dxt_screen *screen)
{
    const dxt_model *model = screen->model;
    struct shape shape = shape_for(screen);
    draw_column_labels(screen, shape);
    for (uint32_t row = 0; row < model->side; row += shape.rows) {
        draw_row_label(screen, row, shape);
        for (uint32_t column = 0; column < model->side; column++) {
            if (screen->color == DXT_COLOR_NONE)
                draw_shaded(screen, row, column, shape.width);
            else
                draw_colored(screen, row, column, shape);
        }
        dxt_screen_end_row(screen, row, shape.rows,
                           screen->label_digits + 1 + model->side * shape.width);
    }
    for (uint32_t column = 0; column < model->ranks; column++) {
        if (!(model->column_marked[column] & (DXT_FLAG_AXIS | DXT_FLAG_POINT))) continue;
        draw_flagged_columns(screen, shape, false);
        draw_flagged_columns(screen, shape, true);
        break;
    }
}
