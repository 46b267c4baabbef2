/* SPDX-License-Identifier: Apache-2.0 */
/* The pen that text pictures are drawn with. */
#include "render/screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/palette.h"
#include "system/ascii.h"

static void put_color(dxt_screen *screen, int layer, uint32_t rgb)
{
    if (rgb == DXT_PLAIN)
        dxt_text_printf(&screen->text, "\033[%d9m", layer);
    else if (screen->color == DXT_COLOR_256)
        dxt_text_printf(&screen->text, "\033[%d8;5;%um", layer, dxt_palette_256(rgb));
    else
        dxt_text_printf(&screen->text, "\033[%d8;2;%u;%u;%um", layer, rgb >> 16 & 0xff,
                        rgb >> 8 & 0xff, rgb & 0xff);
}

void dxt_screen_colors(dxt_screen *screen, uint32_t ink, uint32_t ground)
{
    if (screen->color == DXT_COLOR_NONE) return;
    if (ink == DXT_PLAIN && ground == DXT_PLAIN) {
        if (screen->ink != ink || screen->ground != ground) dxt_text_puts(&screen->text, "\033[0m");
    } else {
        if (screen->ink != ink) put_color(screen, 3, ink);
        if (screen->ground != ground) put_color(screen, 4, ground);
    }
    screen->ink = ink;
    screen->ground = ground;
}

uint32_t dxt_screen_ink(const dxt_screen *screen, uint32_t ground)
{
    bool cube = screen->color == DXT_COLOR_256;
    uint32_t shown = cube ? dxt_palette_256_rgb(dxt_palette_256(ground)) : ground;
    return dxt_black_on(shown) ? 0 : 0xffffff;
}

void dxt_screen_newline(dxt_screen *screen)
{
    dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
    /* Spaces at the end of a line are of no use to anybody. */
    while (screen->text.size > 0 && screen->text.data[screen->text.size - 1] == ' ')
        screen->text.size--;
    dxt_text_puts(&screen->text, "\n");
}

void dxt_screen_end_row(dxt_screen *screen, uint32_t row, uint32_t rows, size_t used)
{
    const dxt_model *model = screen->model;
    uint32_t rank = row * model->block, end = rank + rows * model->block;
    const int32_t *nodes = dxt_model_node(model, 0) < 0 ? NULL : model->window->nodes;
    if (end > model->ranks) end = model->ranks;
    while (nodes && rank > 0 && rank < end && nodes[rank] == nodes[rank - 1]) rank++;
    dxt_text name = {0};
    if (nodes && rank < end) dxt_model_node_name(model, rank, &name);
    if (screen->ascii && name.data) {
        dxt_make_ascii(name.data);
        name.size = strlen(name.data);
    }
    double width = name.size > 0 && !name.failed ? dxt_width_of(name.data, dxt_terminal_width) : 0;
    if (width > 0 && (double)used + 2 + width <= screen->columns) {
        dxt_screen_colors(screen, DXT_PLAIN, DXT_PLAIN);
        dxt_text_puts(&screen->text, "  ");
        dxt_text_puts(&screen->text, name.data);
    }
    screen->text.failed = screen->text.failed || name.failed;
    free(name.data);
    dxt_screen_newline(screen);
}

/* Bold from here on, or not; nothing without colours. */
static void embolden(dxt_screen *screen, bool on)
{
    if (screen->color != DXT_COLOR_NONE) dxt_text_puts(&screen->text, on ? "\033[1m" : "\033[0m");
}

void dxt_screen_wrapped(dxt_screen *screen, const char *text, bool bold)
{
    dxt_text words = {0};
    if (text) dxt_text_puts(&words, text);
    /* Before it is wrapped: "->" is wider than "→". */
    if (screen->ascii && words.data) dxt_make_ascii(words.data);
    for (const char *rest = words.data; rest && *rest;) {
        const char *line;
        size_t length = dxt_wrap(&rest, &line, screen->columns, dxt_terminal_width);
        if (bold) embolden(screen, true);
        dxt_text_append(&screen->text, line, length);
        if (bold) embolden(screen, false);
        dxt_text_puts(&screen->text, "\n");
    }
    screen->text.failed = screen->text.failed || words.failed;
    free(words.data);
}

dxt_status dxt_screen_flush(dxt_screen *screen, dxt_write_fn write, void *context)
{
    if (screen->ascii && screen->text.data) {
        dxt_make_ascii(screen->text.data);
        screen->text.size = strlen(screen->text.data);
    }
    return dxt_text_flush(&screen->text, write, context);
}

void dxt_screen_spaces(dxt_screen *screen, size_t count)
{
    while (count-- > 0) dxt_text_puts(&screen->text, " ");
}

void dxt_screen_row_label(dxt_screen *screen, uint32_t rank, const char *mark)
{
    if (rank == DXT_NO_RANK) {
        dxt_screen_spaces(screen, screen->label_digits + 1);
        return;
    }
    bool bold = *mark != ' ';
    if (bold) embolden(screen, true);
    dxt_text_printf(&screen->text, "%*" PRIu32 "%s", (int)screen->label_digits, rank, mark);
    if (bold) embolden(screen, false);
}
