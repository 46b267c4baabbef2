/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix on a terminal with the waits as figures. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/palette.h"
#include "render/terminal.h"

/* So few ranks have figures even where they do not fit: without, there is little to see. */
#define FIGURES_ALWAYS 16u
#define LONGEST_FIGURE 32

static void figure_of(const dxt_screen *screen, const dxt_figures *figures, uint32_t row,
                      uint32_t column, char *buffer)
{
    double value = dxt_model_shown(screen->model, row, column) / figures->unit;
    if (isnan(value))
        strcpy(buffer, "–");
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

/* Width of each column; the sum of all with their markers and the row labels is returned. */
static size_t measure(const dxt_screen *screen, dxt_figures *figures)
{
    uint32_t side = screen->model->side;
    size_t total = screen->label_digits + 1;
    char figure[LONGEST_FIGURE];
    for (uint32_t column = 0; column < side; column++) {
        int label = snprintf(figure, sizeof figure, "%" PRIu32, column);
        /* One more, or a marked label would touch the next. */
        size_t widest = (size_t)label + 1;
        for (uint32_t row = 0; row < side; row++) {
            figure_of(screen, figures, row, column, figure);
            size_t width = width_of(figure);
            if (width > widest) widest = width;
        }
        figures->widths[column] = (uint8_t)widest;
        total += widest + 1;
    }
    return total;
}

/* Count in thousands as long as the longest wait has more than four digits. */
static void choose_unit(const dxt_model *model, dxt_figures *figures)
{
    static const char *const times[] = {NULL, "ms", "s"};
    static const char *const cycles[] = {NULL, "thousand cycles", "million cycles",
                                         "billion cycles"};
    bool time = dxt_measure_is_time(model->measure);
    size_t last = time ? 2 : 3, i = 0;
    double largest = model->scale.largest / dxt_measure_shown(model->measure);
    for (figures->unit = 1; i < last && largest / figures->unit >= 9999.5; i++)
        figures->unit *= 1000;
    figures->name = time ? times[i] : cycles[i];
}

dxt_status dxt_figures_fit(const dxt_screen *screen, dxt_figures *out, bool *fit)
{
    uint32_t side = screen->model->side;
    dxt_figures figures = {.unit = 1, .widths = calloc(side, 1)};
    if (!figures.widths) return dxt_fail_memory(side);
    bool fits = measure(screen, &figures) <= screen->columns;
    if (!fits) {
        figures.compact = true;
        choose_unit(screen->model, &figures);
        fits = measure(screen, &figures) <= screen->columns;
    }
    *fit = fits || side <= FIGURES_ALWAYS;
    if (*fit)
        *out = figures;
    else
        free(figures.widths);
    return DXT_OK;
}

static void draw_labels(dxt_screen *screen, const dxt_figures *figures)
{
    const dxt_model *model = screen->model;
    dxt_screen_row_label(screen, DXT_NO_RANK, false);
    for (uint32_t column = 0; column < model->side; column++) {
        bool flagged = model->column_marked[column] & DXT_FLAG_AXIS;
        bool bold = flagged && screen->color != DXT_COLOR_NONE;
        dxt_text_printf(&screen->text, "%s%*" PRIu32 "%s%s", bold ? "\033[1m" : "",
                        figures->widths[column], column, flagged ? "*" : " ",
                        bold ? "\033[0m" : "");
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
    dxt_screen_spaces(screen, figures->widths[column] - width_of(figure));
    dxt_text_puts(&screen->text, figure);
    dxt_text_puts(&screen->text, dxt_model_point(screen->model, row, column) ? "*" : " ");
}

void dxt_draw_figures(dxt_screen *screen, const dxt_figures *figures)
{
    const dxt_model *model = screen->model;
    draw_labels(screen, figures);
    for (uint32_t row = 0; row < model->side; row++) {
        dxt_screen_row_label(screen, row, model->row_marked[row] & DXT_FLAG_AXIS);
        for (uint32_t column = 0; column < model->side; column++)
            draw_cell(screen, figures, row, column);
        dxt_screen_newline(screen);
    }
}
