/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix on a terminal with the waits as figures. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/palette.h"
#include "render/terminal.h"

#define LONGEST_FIGURE 32

static void figure_of(const dxt_screen *screen, const dxt_figures *figures, uint32_t row,
                      uint32_t column, char *buffer)
{
    double value = dxt_model_shown(screen->model, row, column) / figures->unit;
    if (isnan(value))
        strcpy(buffer, dxt_model_silent(screen->model, row) ? "–" : "·");
    else if (figures->whole)
        snprintf(buffer, LONGEST_FIGURE, "%.0f", value);
    else if (!figures->compact || value >= 9999.5 || (value == floor(value) && figures->unit == 1))
        dxt_short_figure(value, buffer, LONGEST_FIGURE);
    else if (value >= 9.95)
        snprintf(buffer, LONGEST_FIGURE, "%.0f", value);
    else if (value < 0.05)
        strcpy(buffer, "0");
    else
        snprintf(buffer, LONGEST_FIGURE, "%d.%d", (int)lround(value * 10) / 10,
                 (int)lround(value * 10) % 10);
}

static size_t width_of(const char *figure)
{
    return (size_t)dxt_width_of(figure, dxt_terminal_width);
}

/* Width of the columns, and whether all with their markers and the row labels fit. */
static bool measure(const dxt_screen *screen, dxt_figures *figures)
{
    uint32_t side = screen->model->side;
    char figure[LONGEST_FIGURE];
    figures->width = (size_t)snprintf(figure, sizeof figure, "%" PRIu32, side - 1);
    for (uint32_t row = 0; row < side; row++)
        for (uint32_t column = 0; column < side; column++) {
            figure_of(screen, figures, row, column, figure);
            size_t width = width_of(figure);
            if (width > figures->width) figures->width = width;
        }
    return screen->label_digits + 1 + side * (figures->width + 1) <= screen->columns;
}

/* Count in thousands as long as the longest wait is above `most`. */
static void choose_unit(const dxt_model *model, dxt_figures *figures, double most)
{
    static const char *const times[] = {NULL, "ms", "s"};
    static const char *const cycles[] = {NULL, "thousand cycles", "million cycles",
                                         "billion cycles"};
    bool time = dxt_measure_is_time(model->measure);
    size_t last = time ? 2 : 3, i = 0;
    double largest = model->scale.largest / dxt_measure_shown(model->measure);
    for (figures->unit = 1; i < last && largest / figures->unit >= most; i++) figures->unit *= 1000;
    figures->name = time ? times[i] : cycles[i];
}

/* Count in tens, hundreds … until two digits will do. */
static void choose_tens(const dxt_model *model, dxt_figures *figures)
{
    static const char *const times[] = {NULL,    "10 µs",  "100 µs", "ms",
                                        "10 ms", "100 ms", "s",      "10 s"};
    static const char *const cycles[] = {NULL,
                                         "10 cycles",
                                         "100 cycles",
                                         "thousand cycles",
                                         "10 thousand cycles",
                                         "100 thousand cycles",
                                         "million cycles",
                                         "10 million cycles",
                                         "100 million cycles",
                                         "billion cycles",
                                         "10 billion cycles"};
    bool time = dxt_measure_is_time(model->measure);
    size_t last = (time ? sizeof times : sizeof cycles) / sizeof *times - 1, i = 0;
    double largest = model->scale.largest / dxt_measure_shown(model->measure);
    for (figures->unit = 1; i < last && largest / figures->unit >= 99.5; i++) figures->unit *= 10;
    figures->name = time ? times[i] : cycles[i];
    figures->whole = true;
}

bool dxt_figures_fit(const dxt_screen *screen, dxt_figures *figures)
{
    *figures = (dxt_figures){.unit = 1};
    if (measure(screen, figures)) return true;
    figures->compact = true;
    static const double most[] = {9999.5, 999.5};
    for (int i = 0; i < 2; i++) {
        choose_unit(screen->model, figures, most[i]);
        if (measure(screen, figures)) return true;
    }
    choose_tens(screen->model, figures);
    return measure(screen, figures);
}

static void draw_labels(dxt_screen *screen, const dxt_figures *figures)
{
    const dxt_model *model = screen->model;
    dxt_screen_row_label(screen, DXT_NO_RANK, " ");
    for (uint32_t column = 0; column < model->side; column++) {
        bool flagged = model->column_marked[column] & DXT_FLAG_AXIS;
        bool bold = flagged && screen->color != DXT_COLOR_NONE;
        dxt_text_printf(&screen->text, "%s%*" PRIu32 "%s%s", bold ? "\033[1m" : "",
                        (int)figures->width, column, flagged ? "*" : " ", bold ? "\033[0m" : "");
    }
    dxt_screen_newline(screen);
}

static void draw_cell(dxt_screen *screen, const dxt_figures *figures, uint32_t row, uint32_t column)
{
    char figure[LONGEST_FIGURE];
    double position = dxt_model_position(screen->model, row, column);
    if (isnan(position)) {
        dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
    } else {
        uint32_t rgb = dxt_palette_rgb(position);
        dxt_screen_colors(screen, dxt_screen_ink(screen, rgb), rgb);
    }
    figure_of(screen, figures, row, column, figure);
    dxt_screen_spaces(screen, figures->width - width_of(figure));
    dxt_text_puts(&screen->text, figure);
    dxt_text_puts(&screen->text, dxt_model_point(screen->model, row, column) ? "*" : " ");
}

void dxt_draw_figures(dxt_screen *screen, const dxt_figures *figures)
{
    const dxt_model *model = screen->model;
    draw_labels(screen, figures);
    for (uint32_t row = 0; row < model->side; row++) {
        bool flagged = model->row_marked[row] & DXT_FLAG_AXIS;
        dxt_screen_row_label(screen, row, flagged ? "*" : " ");
        for (uint32_t column = 0; column < model->side; column++)
            draw_cell(screen, figures, row, column);
        dxt_screen_end_row(screen, row, 1,
                           screen->label_digits + 1 + model->side * (figures->width + 1));
    }
}
