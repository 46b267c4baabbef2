/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time: a row is a rank, a column a window. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/layout.h"
#include "render/palette.h"
#include "render/pictures.h"
#include "render/terminal.h"

#define MOST_PANELS 64u
#define MOST_WINDOWS 4096u
/* Rows of a picture, and of a terminal: more ranks are drawn as blocks. */
#define PICTURE_ROWS 128u
#define SCREEN_ROWS 64u
#define MARGIN 24.0
#define CELL_WIDTH 12.0
#define LABEL_ROOM 44.0
#define LINE 18.0
#define LEGEND_WIDTH 300.0
#define LEGEND_STEPS 60

static dxt_status check_panel(const dxt_timeline_panel *panel)
{
    if (!panel->values || !panel->index || panel->ranks < 1 || panel->ranks > DXT_MAX_RANKS ||
        panel->windows < 1 || panel->windows > MOST_WINDOWS)
        return dxt_fail(DXT_ERR_INVALID, "a timeline of %" PRIu32 " ranks and %zu windows",
                        panel->ranks, panel->windows);
    return DXT_OK;
}

static dxt_status check(const dxt_timeline_panel *panels, size_t count, dxt_format format,
                        dxt_write_fn write)
{
    if (!panels || count == 0 || count > MOST_PANELS || !write)
        return dxt_fail(DXT_ERR_INVALID, "a timeline needs 1 to %u panels and somewhere to go",
                        MOST_PANELS);
    if ((unsigned)format > DXT_FORMAT_PDF)
        return dxt_fail(DXT_ERR_INVALID, "heat map format %d does not exist", (int)format);
    if (format == DXT_FORMAT_HTML)
        return dxt_fail(DXT_ERR_UNSUPPORTED, "a timeline is drawn as text, SVG, PNG or PDF only");
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < count && status == DXT_OK; p++) status = check_panel(&panels[p]);
    return status;
}

/* From a tenth of what is nothing to look at, over three decades at most. Noise stays green then,
 * also where there is nothing else. */
static dxt_scale scale_of(const dxt_timeline_panel *panel)
{
    double largest = 0;
    for (size_t k = 0; k < panel->ranks * panel->windows; k++)
        if (isfinite(panel->values[k])) largest = fmax(largest, panel->values[k]);
    double high = fmax(fmax(largest, 10 * panel->ordinary), 1e-3);
    return (dxt_scale){
        .low = fmax(panel->ordinary / 10, high / 1000), .high = high, .largest = largest};
}

/* Largest value of a block of ranks in a window; NaN when all are silent. */
static double block_value(const dxt_timeline_panel *panel, uint32_t block, uint32_t row,
                          size_t column)
{
    double value = NAN;
    uint32_t end = (row + 1) * block < panel->ranks ? (row + 1) * block : panel->ranks;
    for (uint32_t r = row * block; r < end; r++)
        value = fmax(value, panel->values[(size_t)r * panel->windows + column]);
    return value;
}

static uint32_t rows_of(const dxt_timeline_panel *panel, uint32_t block)
{
    return (panel->ranks + block - 1) / block;
}

static const char *unit_of(const dxt_timeline_panel *panel)
{
    return dxt_measure_is_time(panel->measure) ? "µs" : "cycles";
}

/* ---- pictures ---- */

static double cell_height(uint32_t rows)
{
    return fmin(14, fmax(4, floor(640.0 / rows)));
}

static double panel_height(const dxt_timeline_panel *panel)
{
    uint32_t rows = rows_of(panel, dxt_block_for(panel->ranks, PICTURE_ROWS));
    return (panel->title ? 1.5 * LINE : 0) + rows * cell_height(rows) + 5 * LINE;
}

static double panel_width(const dxt_timeline_panel *panel)
{
    return fmax(LABEL_ROOM + LEGEND_WIDTH + 80, LABEL_ROOM + panel->windows * CELL_WIDTH);
}

static void put_text(dxt_pen *pen, double x, double y, double size, dxt_anchor anchor,
                     const char *string)
{
    dxt_pen_text(pen, (dxt_label){.x = x,
                                  .y = y,
                                  .size = size,
                                  .anchor = anchor,
                                  .bold = size > 14,
                                  .paint = size > 14 ? DXT_PAINT_TEXT : DXT_PAINT_MUTED,
                                  .string = string});
}

static void draw_row(dxt_pen *pen, const dxt_timeline_panel *panel, const dxt_scale *scale,
                     uint32_t block, uint32_t row, double x, double y)
{
    double height = cell_height(rows_of(panel, block));
    for (size_t k = 0; k < panel->windows; k++) {
        double value = block_value(panel, block, row, k);
        dxt_paint fill = DXT_PAINT_SILENT;
        if (!isnan(value))
            fill = DXT_PAINT_DATA | dxt_palette_rgb(dxt_scale_position(scale, fmax(0, value)));
        dxt_pen_box(pen, (dxt_box){.x = x + k * CELL_WIDTH,
                                   .y = y,
                                   .width = CELL_WIDTH - 1,
                                   .height = height > 6 ? height - 1 : height,
                                   .fill = fill});
    }
}

static void draw_legend(dxt_pen *pen, const dxt_timeline_panel *panel, const dxt_scale *scale,
                        double x, double y)
{
    double ticks[DXT_MAX_TICKS], unit = dxt_measure_shown(panel->measure);
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
        put_text(pen, at, y + 24, 11, DXT_ANCHOR_MIDDLE,
                 dxt_short_figure(ticks[i], figure, sizeof figure));
    }
    put_text(pen, x + LEGEND_WIDTH + 10, y + 10, 11, DXT_ANCHOR_START, unit_of(panel));
}

static void draw_panel(dxt_pen *pen, const dxt_timeline_panel *panel, double x, double y)
{
    uint32_t block = dxt_block_for(panel->ranks, PICTURE_ROWS), rows = rows_of(panel, block);
    double height = cell_height(rows), labelled = -INFINITY;
    dxt_scale scale = scale_of(panel);
    char text[96];
    if (panel->title) {
        pen->scratch.size = 0;
        dxt_text_clean(&pen->scratch, panel->title, false);
        if (pen->scratch.failed) return;
        put_text(pen, x, y + LINE, 16, DXT_ANCHOR_START, pen->scratch.data);
        y += 1.5 * LINE;
    }
    for (uint32_t row = 0; row < rows; row++) {
        double top = y + row * height;
        draw_row(pen, panel, &scale, block, row, x + LABEL_ROOM, top);
        if (top - labelled < 12) continue;
        labelled = top;
        snprintf(text, sizeof text, "%" PRIu32, row * block);
        put_text(pen, x + LABEL_ROOM - 6, top + fmax(height - 3, 6), 11, DXT_ANCHOR_END, text);
    }
    y += rows * height;
    for (size_t k = 0; k < panel->windows; k += 5) {
        snprintf(text, sizeof text, "%" PRId64, panel->index[k]);
        put_text(pen, x + LABEL_ROOM + (k + 0.5) * CELL_WIDTH, y + 14, 11, DXT_ANCHOR_MIDDLE, text);
    }
    snprintf(text, sizeof text, "rows: %s%" PRIu32 "; columns: windows",
             block > 1 ? "blocks of " : "ranks 0 to ", block > 1 ? block : panel->ranks - 1);
    put_text(pen, x + LABEL_ROOM, y + 14 + LINE, 11, DXT_ANCHOR_START, text);
    draw_legend(pen, panel, &scale, x + LABEL_ROOM, y + 14 + 1.6 * LINE);
}

static dxt_status write_picture(const dxt_timeline_panel *panels, size_t count,
                                const dxt_heatmap_options *options, dxt_page *page)
{
    dxt_pen pen = {0};
    dxt_status status = dxt_page_backend(page->format, &pen.backend);
    double y = MARGIN, heading = options->heading ? 2 * LINE : 0;
    if (status != DXT_OK) return status;
    page->height = 2 * MARGIN + heading;
    for (size_t p = 0; p < count; p++) {
        page->width = fmax(page->width, panel_width(&panels[p]) + 2 * MARGIN);
        page->height += panel_height(&panels[p]) + LINE;
    }
    page->title = "lateness of ranks over time";
    status = pen.backend->begin(page, &pen.canvas);
    if (status != DXT_OK) return dxt_page_status(page->format, status);
    dxt_pen_box(&pen,
                (dxt_box){.width = page->width, .height = page->height, .fill = DXT_PAINT_PAPER});
    if (options->heading) {
        dxt_text_clean(&pen.scratch, options->heading, false);
        if (!pen.scratch.failed)
            put_text(&pen, MARGIN, y + LINE, 20, DXT_ANCHOR_START, pen.scratch.data);
        y += heading;
    }
    for (size_t p = 0; p < count && !pen.scratch.failed; p++) {
        draw_panel(&pen, &panels[p], MARGIN, y);
        y += panel_height(&panels[p]) + LINE;
    }
    status = pen.backend->end(pen.canvas, !pen.scratch.failed);
    if (pen.scratch.failed && status == DXT_OK) status = dxt_fail_memory(0);
    free(pen.scratch.data);
    return dxt_page_status(page->format, status);
}

/* ---- the terminal ---- */

static void put_cell(dxt_screen *screen, const dxt_scale *scale, double value)
{
    double position = isnan(value) ? 0 : dxt_scale_position(scale, fmax(0, value));
    if (isnan(value)) {
        dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
        dxt_text_puts(&screen->text, "–");
    } else if (screen->color == DXT_COLOR_NONE) {
        dxt_text_puts(&screen->text, dxt_palette_shade(position));
    } else {
        dxt_screen_colors(screen, DXT_PLAIN, dxt_palette_rgb(position));
        dxt_text_puts(&screen->text, " ");
    }
}

static void put_scale(dxt_screen *screen, const dxt_timeline_panel *panel, const dxt_scale *scale)
{
    double unit = dxt_measure_shown(panel->measure);
    for (unsigned i = 0; i < DXT_SHADES; i++) {
        char figure[DXT_FIGURE_SIZE];
        double from = scale->low * pow(scale->high / scale->low, (double)i / DXT_SHADES);
        dxt_text_puts(&screen->text, i ? "  [" : "[");
        put_cell(screen, scale, from * pow(scale->high / scale->low, 0.5 / DXT_SHADES));
        dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
        dxt_text_printf(&screen->text, "] %s",
                        dxt_short_figure(i ? from / unit : 0, figure, sizeof figure));
    }
    dxt_text_printf(&screen->text, " %s and more\n", unit_of(panel));
}

static void put_panel(dxt_screen *screen, const dxt_timeline_panel *panel)
{
    uint32_t block = dxt_block_for(panel->ranks, SCREEN_ROWS);
    size_t room = screen->columns - screen->label_digits - 8, first = 0;
    dxt_scale scale = scale_of(panel);
    if (panel->windows > room) first = panel->windows - room;
    if (panel->title) dxt_text_clean(&screen->text, panel->title, false);
    dxt_text_printf(&screen->text, "\nwindows %" PRId64 " to %" PRId64, panel->index[first],
                    panel->index[panel->windows - 1]);
    if (block > 1) dxt_text_printf(&screen->text, ", rows of %" PRIu32 " ranks", block);
    dxt_text_puts(&screen->text, "\n");
    for (uint32_t row = 0; row < rows_of(panel, block); row++) {
        dxt_text_printf(&screen->text, "rank %*" PRIu32 " |", (int)screen->label_digits,
                        row * block);
        for (size_t k = first; k < panel->windows; k++)
            put_cell(screen, &scale, block_value(panel, block, row, k));
        dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
        dxt_text_puts(&screen->text, "|\n");
    }
    put_scale(screen, panel, &scale);
}

static dxt_status write_text(const dxt_timeline_panel *panels, size_t count,
                             const dxt_heatmap_options *options, dxt_write_fn write, void *context)
{
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < count && status == DXT_OK; p++) {
        dxt_screen screen = {.color = options->color,
                             .columns = options->columns > 24 ? options->columns : 80,
                             .ink = DXT_PLAIN,
                             .ground = DXT_PLAIN,
                             .label_digits = 1};
        for (uint32_t last = panels[p].ranks - 1; last >= 10; last /= 10) screen.label_digits++;
        if (p == 0 && options->heading) {
            dxt_text_clean(&screen.text, options->heading, false);
            dxt_text_puts(&screen.text, "\n");
        }
        if (p > 0 || options->heading) dxt_text_puts(&screen.text, "\n");
        put_panel(&screen, &panels[p]);
        status = dxt_text_flush(&screen.text, write, context);
    }
    return status;
}

dxt_status dxt_timeline_write(const dxt_timeline_panel *panels, size_t count, dxt_format format,
                              const dxt_heatmap_options *given, dxt_write_fn write, void *context)
{
    dxt_heatmap_options options = {.struct_size = sizeof options};
    if (given && !dxt_take_struct(&options, sizeof options, given, sizeof given->struct_size))
        return dxt_fail(DXT_ERR_INVALID, "heat map options of size %zu", given->struct_size);
    dxt_status status = check(panels, count, format, write);
    if (status != DXT_OK) return status;
    if (format == DXT_FORMAT_TERMINAL) return write_text(panels, count, &options, write, context);
    dxt_page page = {.format = format, .write = write, .context = context};
    return write_picture(panels, count, &options, &page);
}
