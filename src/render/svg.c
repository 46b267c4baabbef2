/* SPDX-License-Identifier: Apache-2.0 */
/* Back end: SVG 1.1, as a file or as an element of an HTML page. */
#include <stdlib.h>

#include "render/backend.h"
#include "render/words.h"

struct canvas {
    const dxt_page *page;
    dxt_text text;
};

/* Names of the roles in the style sheet of the HTML page. */
static const char *const roles[DXT_PAINT_ROLES] = {
    [DXT_PAINT_NONE] = "none",   [DXT_PAINT_PAPER] = "paper", [DXT_PAINT_TEXT] = "text",
    [DXT_PAINT_MUTED] = "muted", [DXT_PAINT_RULE] = "rule",   [DXT_PAINT_SILENT] = "silent",
    [DXT_PAINT_HATCH] = "hatch", [DXT_PAINT_MARK] = "mark",   [DXT_PAINT_ON_MARK] = "on-mark"};

static void put_number(struct canvas *canvas, const char *before, double value)
{
    dxt_text_puts(&canvas->text, before);
    dxt_text_fixed(&canvas->text, value, 2);
}

static void put_attribute(struct canvas *canvas, const char *name, double value)
{
    dxt_text_printf(&canvas->text, " %s=\"", name);
    put_number(canvas, "", value);
    dxt_text_puts(&canvas->text, "\"");
}

static void put_paint(struct canvas *canvas, const char *property, dxt_paint paint)
{
    if (paint == DXT_PAINT_NONE)
        dxt_text_printf(&canvas->text, " %s=\"none\"", property);
    else if (canvas->page->embedded && paint < DXT_PAINT_ROLES)
        dxt_text_printf(&canvas->text, " style=\"%s:var(--%s)\"", property, roles[paint]);
    else
        dxt_text_printf(&canvas->text, " %s=\"#%06x\"", property, dxt_paint_rgb(paint));
}

static dxt_status svg_begin(const dxt_page *page, void **out)
{
    struct canvas *canvas = calloc(1, sizeof *canvas);
    if (!canvas) return dxt_fail_memory(sizeof *canvas);
    canvas->page = page;
    dxt_text *text = &canvas->text;
    if (!page->embedded) dxt_text_puts(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    dxt_text_puts(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    put_attribute(canvas, "width", page->width);
    put_attribute(canvas, "height", page->height);
    put_number(canvas, " viewBox=\"0 0 ", page->width);
    put_number(canvas, " ", page->height);
    dxt_text_puts(text, "\" role=\"img\" font-family=\"-apple-system, 'Segoe UI', Roboto, "
                        "Helvetica, Arial, 'DejaVu Sans', sans-serif\" "
                        "shape-rendering=\"crispEdges\" "
                        "style=\"font-variant-numeric:tabular-nums\">\n<title>");
    dxt_text_escape(text, page->title);
    dxt_text_puts(text, "</title>\n");
    *out = canvas;
    return DXT_OK;
}

/* A plain filled rectangle, of which there are thousands: the shortest form. */
static void put_cell(struct canvas *canvas, const dxt_box *box)
{
    put_number(canvas, "<path d=\"M", box->x);
    put_number(canvas, " ", box->y);
    put_number(canvas, "h", box->width);
    put_number(canvas, "v", box->height);
    put_number(canvas, "h", -box->width);
    dxt_text_puts(&canvas->text, "z\"");
    put_paint(canvas, "fill", box->fill);
}

static void put_rectangle(struct canvas *canvas, const dxt_box *box)
{
    dxt_text_puts(&canvas->text, "<rect");
    put_attribute(canvas, "x", box->x);
    put_attribute(canvas, "y", box->y);
    put_attribute(canvas, "width", box->width);
    put_attribute(canvas, "height", box->height);
    if (box->radius > 0) put_attribute(canvas, "rx", box->radius);
    dxt_text_puts(&canvas->text, " shape-rendering=\"auto\"");
    put_paint(canvas, "fill", box->fill);
    if (box->stroke == DXT_PAINT_NONE) return;
    put_paint(canvas, "stroke", box->stroke);
    put_attribute(canvas, "stroke-width", box->stroke_width);
    /* Pointing at what lies below must still find it. */
    dxt_text_puts(&canvas->text, " pointer-events=\"none\"");
}

static void svg_rectangle(void *data, const dxt_box *box)
{
    struct canvas *canvas = data;
    bool rectangle = box->radius > 0 || box->stroke != DXT_PAINT_NONE;
    if (rectangle)
        put_rectangle(canvas, box);
    else
        put_cell(canvas, box);
    if (!box->hint) {
        dxt_text_puts(&canvas->text, "/>\n");
        return;
    }
    dxt_text_puts(&canvas->text, "><title>");
    dxt_text_escape(&canvas->text, box->hint);
    dxt_text_puts(&canvas->text, rectangle ? "</title></rect>\n" : "</title></path>\n");
}

static void svg_line(void *data, const dxt_line *line)
{
    struct canvas *canvas = data;
    put_number(canvas, "<path d=\"M", line->x1);
    put_number(canvas, " ", line->y1);
    put_number(canvas, "L", line->x2);
    put_number(canvas, " ", line->y2);
    dxt_text_puts(&canvas->text, "\"");
    put_paint(canvas, "stroke", line->paint);
    put_attribute(canvas, "stroke-width", line->width);
    bool slanted = line->x1 != line->x2 && line->y1 != line->y2;
    if (slanted) dxt_text_puts(&canvas->text, " shape-rendering=\"auto\"");
    dxt_text_puts(&canvas->text, " pointer-events=\"none\"/>\n");
}

static void svg_text(void *data, const dxt_label *label)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    struct canvas *canvas = data;
    dxt_text_puts(&canvas->text, "<text");
    put_attribute(canvas, "x", label->x);
    put_attribute(canvas, "y", label->y);
    put_attribute(canvas, "font-size", label->size);
    dxt_text_puts(&canvas->text, anchors[label->anchor]);
    if (label->bold) dxt_text_puts(&canvas->text, " font-weight=\"bold\"");
    if (label->turned) {
        put_number(canvas, " transform=\"rotate(-90 ", label->x);
        put_number(canvas, " ", label->y);
        dxt_text_puts(&canvas->text, ")\"");
    }
    put_paint(canvas, "fill", label->paint);
    dxt_text_puts(&canvas->text, " pointer-events=\"none\">");
    dxt_text_escape(&canvas->text, label->string);
    dxt_text_puts(&canvas->text, "</text>\n");
}

static dxt_status svg_end(void *data, bool write)
{
    struct canvas *canvas = data;
    dxt_status status = DXT_OK;
    dxt_text_puts(&canvas->text, "</svg>\n");
    if (write) status = dxt_text_flush(&canvas->text, canvas->page->write, canvas->page->context);
    free(canvas->text.data);
    free(canvas);
    return status;
}

const dxt_backend dxt_svg_backend = {.version = DXT_BACKEND_VERSION,
                                     .begin = svg_begin,
                                     .rectangle = svg_rectangle,
                                     .line = svg_line,
                                     .text = svg_text,
                                     .end = svg_end};
