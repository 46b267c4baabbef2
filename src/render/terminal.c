/* SPDX-License-Identifier: Apache-2.0 */
/* A panel on a terminal: words around the matrix. */
#include "render/terminal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/palette.h"
#include "render/pictures.h"

#define FEWEST_COLUMNS 24u
#define MOST_COLUMNS 1000u
#define LEGEND_COLUMNS 48u

/* ---- words ---- */

static void put_title(dxt_screen *screen, const dxt_figures *figures)
{
    dxt_text line = {0};
    dxt_screen_wrapped(screen, screen->model->title, true);
    dxt_model_subtitle(screen->model, figures ? figures->name : NULL, &line);
    if (line.failed)
        screen->text.failed = true;
    else
        dxt_screen_wrapped(screen, line.data, false);
    free(line.data);
    dxt_screen_wrapped(screen, "\nwaiting rank ↓  awaited rank →", false);
}

static double value_at(const dxt_model *model, double position)
{
    const dxt_scale *scale = &model->scale;
    double value = scale->low * pow(scale->high / scale->low, position);
    return value / dxt_measure_shown(model->measure);
}

/* What the heading says. */
static const char *unit_of(const dxt_model *model, const dxt_figures *figures)
{
    if (figures && figures->name) return figures->name;
    return dxt_measure_is_time(model->measure) ? "µs" : "cycles";
}

/* Which shade means what. */
static void put_shades(dxt_screen *screen)
{
    dxt_text line = {0};
    for (unsigned i = 0; i < DXT_SHADES; i++) {
        char figure[DXT_FIGURE_SIZE];
        dxt_short_figure(value_at(screen->model, (i + 1.0) / DXT_SHADES), figure, sizeof figure);
        const char *shade = i == 0 ? "blank" : dxt_palette_shade((i + 0.5) / DXT_SHADES);
        if (i + 1 < DXT_SHADES)
            dxt_text_printf(&line, "%s < %s  ", shade, figure);
        else
            dxt_text_printf(&line, "%s more %s", shade, unit_of(screen->model, NULL));
    }
    if (line.failed)
        screen->text.failed = true;
    else
        dxt_screen_wrapped(screen, line.data, false);
    free(line.data);
}

/* A line of figures, each below its place on the bar. */
static void put_ticks(dxt_screen *screen, const dxt_figures *figures, uint32_t width)
{
    const dxt_model *model = screen->model;
    double ticks[DXT_MAX_TICKS], unit = dxt_measure_shown(model->measure);
    if (figures) unit *= figures->unit;
    /* "10 µs": as many of them. */
    const char *name = unit_of(model, figures);
    bool times = name[0] >= '0' && name[0] <= '9';
    size_t count = dxt_scale_ticks(&model->scale, unit, ticks), used = 0;
    double span = log(model->scale.high / model->scale.low);
    for (size_t i = 0; i < count; i++) {
        char figure[DXT_FIGURE_SIZE];
        dxt_short_figure(ticks[i], figure, sizeof figure);
        double place = log(ticks[i] * unit / model->scale.low) / span * (width - 1);
        size_t length = strlen(figure), at = (size_t)fmax(place, 0);
        at = at > length / 2 ? at - length / 2 : 0;
        if ((used > 0 && at <= used) || at + length > width) continue;
        dxt_screen_spaces(screen, at - used);
        dxt_text_puts(&screen->text, figure);
        used = at + length;
    }
    size_t length = (size_t)dxt_width_of(name, dxt_terminal_width) + (times ? 2 : 0);
    if (used + 1 + length <= screen->columns)
        dxt_text_printf(&screen->text, " %s%s", times ? "× " : "", name);
    dxt_screen_newline(screen);
}

static void put_bar(dxt_screen *screen, const dxt_figures *figures)
{
    uint32_t width = screen->columns < LEGEND_COLUMNS ? screen->columns : LEGEND_COLUMNS;
    for (uint32_t i = 0; i < width; i++) {
        uint32_t rgb = dxt_palette_rgb((i + 0.5) / width);
        dxt_screen_colors(screen, DXT_PLAIN, rgb);
        dxt_text_puts(&screen->text, " ");
    }
    dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
    dxt_text_puts(&screen->text, "\n");
    put_ticks(screen, figures, width);
}

static void put_key(dxt_screen *screen, const dxt_figures *figures)
{
    bool colors = screen->color != DXT_COLOR_NONE;
    dxt_key_words words = {.mark = "marked *",
                           .silent = figures || !colors ? "–" : "grey",
                           .empty = figures || !colors ? "·" : "blank",
                           .sparse = "•",
                           .usual = colors    ? "green"
                                    : figures ? NULL
                                              : "blank"};
    dxt_text key = {0};
    dxt_text_puts(&screen->text, "\n");
    if (colors)
        put_bar(screen, figures);
    else if (!figures)
        put_shades(screen);
    if (screen->model->caption) dxt_screen_wrapped(screen, screen->model->caption, false);
    dxt_model_key(screen->model, &words, &key);
    if (key.failed)
        screen->text.failed = true;
    else
        dxt_screen_wrapped(screen, key.data, false);
    free(key.data);
}

/* ---- panels ---- */

static uint32_t digits_of(uint32_t number)
{
    uint32_t digits = 1;
    for (; number >= 10; number /= 10) digits++;
    return digits;
}

static dxt_status draw_blocks(dxt_screen *screen, dxt_model *model)
{
    uint32_t block = 1;
    if (model->ranks > dxt_dense_most(screen, true))
        block = dxt_block_for(model->ranks, dxt_dense_most(screen, false));
    dxt_status status = dxt_model_cells(model, block);
    if (status != DXT_OK) return status;
    put_title(screen, NULL);
    dxt_draw_dense(screen);
    put_key(screen, NULL);
    return DXT_OK;
}

/* Figures where they fit, else cells. */
static dxt_status draw_panel(dxt_screen *screen, dxt_model *model)
{
    dxt_figures figures = {0};
    bool fit = false;
    dxt_status status = DXT_OK;
    /* A figure takes two characters at least. */
    if (model->ranks <= screen->columns / 2) {
        status = dxt_model_cells(model, 1);
        if (status != DXT_OK) return status;
        fit = dxt_figures_fit(screen, &figures);
    }
    if (!fit) return draw_blocks(screen, model);
    put_title(screen, &figures);
    dxt_draw_figures(screen, &figures);
    put_key(screen, &figures);
    return DXT_OK;
}

static uint32_t columns_of(const dxt_heatmap_options *options)
{
    uint32_t columns = options->columns > 0 ? options->columns : 80;
    if (columns < FEWEST_COLUMNS) return FEWEST_COLUMNS;
    return columns < MOST_COLUMNS ? columns : MOST_COLUMNS;
}

static dxt_status write_panel(const dxt_job *job, size_t index)
{
    dxt_model *model = job->models[index];
    dxt_screen screen = {.model = model,
                         .color = job->options->color,
                         .ascii = job->options->ascii,
                         .columns = columns_of(job->options),
                         .ink = DXT_PLAIN,
                         .ground = DXT_PLAIN,
                         .label_digits = digits_of(model->ranks - 1)};
    if (index > 0) dxt_text_puts(&screen.text, "\n");
    if (index == 0 && job->heading) {
        dxt_screen_wrapped(&screen, job->heading, true);
        dxt_text_puts(&screen.text, "\n");
    }
    dxt_status status = draw_panel(&screen, model);
    if (status == DXT_OK) return dxt_screen_flush(&screen, job->write, job->context);
    free(screen.text.data);
    return status;
}

dxt_status dxt_write_terminal(const dxt_job *job)
{
    dxt_status status = DXT_OK;
    for (size_t i = 0; status == DXT_OK && i < job->count; i++) status = write_panel(job, i);
    return status;
}
