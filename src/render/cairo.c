/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end: PNG and PDF by Cairo, in a shared library of its own that is loaded when it is asked
 * for and needs nothing from libdeepxtrace.
 */
#include <math.h>
#include <stdlib.h>

#include <cairo-pdf.h>
#include <cairo.h>

#include "render/backend.h"

/* Two pixels of an image to one of the layout, so that small figures stay crisp. */
#define PIXELS 2.0
/* No image of Cairo's is longer. */
#define LONGEST_PIXELS 32000.0
/* CSS pixels are 1/96 inch, units of PDF 1/72. */
#define POINTS 0.75

struct canvas {
    const dxt_page *page;
    cairo_surface_t *surface;
    cairo_t *cairo;
    dxt_status written; /* what the caller's write function said */
};

static cairo_status_t pass_on(void *data, const unsigned char *bytes, unsigned int size)
{
    struct canvas *canvas = data;
    if (canvas->written == DXT_OK && size > 0)
        canvas->written = canvas->page->write(canvas->page->context, bytes, size);
    return canvas->written == DXT_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static void open_surface(struct canvas *canvas)
{
    const dxt_page *page = canvas->page;
    if (page->format == DXT_FORMAT_PDF) {
        canvas->surface = cairo_pdf_surface_create_for_stream(pass_on, canvas, page->width * POINTS,
                                                              page->height * POINTS);
        cairo_pdf_surface_set_metadata(canvas->surface, CAIRO_PDF_METADATA_TITLE, page->title);
        /* The same picture is the same bytes, whenever it is drawn. */
        cairo_pdf_surface_set_metadata(canvas->surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
    } else {
        double scale = fmin(PIXELS, LONGEST_PIXELS / fmax(page->width, page->height));
        canvas->surface = cairo_image_surface_create(
            CAIRO_FORMAT_RGB24, (int)ceil(page->width * scale), (int)ceil(page->height * scale));
        cairo_surface_set_device_scale(canvas->surface, scale, scale);
    }
    canvas->cairo = cairo_create(canvas->surface);
    if (page->format == DXT_FORMAT_PDF) cairo_scale(canvas->cairo, POINTS, POINTS);
}

static dxt_status canvas_begin(const dxt_page *page, void **out)
{
    struct canvas *canvas = calloc(1, sizeof *canvas);
    if (!canvas) return DXT_ERR_NO_MEMORY;
    canvas->page = page;
    open_surface(canvas);
    *out = canvas;
    return DXT_OK;
}

static void set_paint(cairo_t *cairo, dxt_paint paint)
{
    uint32_t rgb = dxt_paint_rgb(paint);
    cairo_set_source_rgb(cairo, (rgb >> 16 & 0xff) / 255.0, (rgb >> 8 & 0xff) / 255.0,
                         (rgb & 0xff) / 255.0);
}

static void trace_rounded(cairo_t *cairo, const dxt_box *box)
{
    double left = box->x + box->radius, right = box->x + box->width - box->radius;
    double top = box->y + box->radius, bottom = box->y + box->height - box->radius;
    cairo_new_sub_path(cairo);
    cairo_arc(cairo, right, top, box->radius, -M_PI_2, 0);
    cairo_arc(cairo, right, bottom, box->radius, 0, M_PI_2);
    cairo_arc(cairo, left, bottom, box->radius, M_PI_2, M_PI);
    cairo_arc(cairo, left, top, box->radius, M_PI, 3 * M_PI_2);
    cairo_close_path(cairo);
}

static void canvas_rectangle(void *data, const dxt_box *box)
{
    cairo_t *cairo = ((struct canvas *)data)->cairo;
    /* Neighbouring cells would show a seam where both edges are blended. */
    cairo_set_antialias(cairo, box->radius > 0 ? CAIRO_ANTIALIAS_DEFAULT : CAIRO_ANTIALIAS_NONE);
    if (box->radius > 0)
        trace_rounded(cairo, box);
    else
        cairo_rectangle(cairo, box->x, box->y, box->width, box->height);
    if (box->fill != DXT_PAINT_NONE) {
        set_paint(cairo, box->fill);
        cairo_fill_preserve(cairo);
    }
    if (box->stroke != DXT_PAINT_NONE) {
        set_paint(cairo, box->stroke);
        cairo_set_line_width(cairo, box->stroke_width);
        cairo_stroke_preserve(cairo);
    }
    cairo_new_path(cairo);
}

static void canvas_line(void *data, const dxt_line *line)
{
    cairo_t *cairo = ((struct canvas *)data)->cairo;
    cairo_set_antialias(cairo, CAIRO_ANTIALIAS_DEFAULT);
    set_paint(cairo, line->paint);
    cairo_set_line_width(cairo, line->width);
    cairo_move_to(cairo, line->x1, line->y1);
    cairo_line_to(cairo, line->x2, line->y2);
    cairo_stroke(cairo);
}

static void canvas_text(void *data, const dxt_label *label)
{
    cairo_t *cairo = ((struct canvas *)data)->cairo;
    cairo_text_extents_t extents;
    cairo_save(cairo);
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           label->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, label->size);
    cairo_text_extents(cairo, label->string, &extents);
    set_paint(cairo, label->paint);
    cairo_translate(cairo, label->x, label->y);
    if (label->turned) cairo_rotate(cairo, -M_PI_2);
    double shift = label->anchor == DXT_ANCHOR_START ? 0 : extents.x_advance;
    cairo_move_to(cairo, label->anchor == DXT_ANCHOR_MIDDLE ? -shift / 2 : -shift, 0);
    cairo_show_text(cairo, label->string);
    cairo_restore(cairo);
}

static dxt_status status_of(const struct canvas *canvas, cairo_status_t status)
{
    if (canvas->written != DXT_OK) return canvas->written;
    if (status == CAIRO_STATUS_SUCCESS) return DXT_OK;
    return status == CAIRO_STATUS_NO_MEMORY ? DXT_ERR_NO_MEMORY : DXT_ERR_UNSUPPORTED;
}

static dxt_status canvas_end(void *data, bool write)
{
    struct canvas *canvas = data;
    cairo_status_t status = cairo_status(canvas->cairo);
    /* Finishing a PDF writes it, also when nobody wants it any more. */
    if (!write) canvas->written = DXT_ERR_STATE;
    if (write && status == CAIRO_STATUS_SUCCESS && canvas->page->format == DXT_FORMAT_PNG)
        status = cairo_surface_write_to_png_stream(canvas->surface, pass_on, canvas);
    cairo_destroy(canvas->cairo);
    cairo_surface_finish(canvas->surface);
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(canvas->surface);
    cairo_surface_destroy(canvas->surface);
    dxt_status result = write ? status_of(canvas, status) : DXT_OK;
    free(canvas);
    return result;
}

/* The one symbol that the part exports; its name is DXT_CAIRO_ENTRY. */
DXT_API const dxt_backend *dxt_cairo_backend(void);

const dxt_backend *dxt_cairo_backend(void)
{
    static const dxt_backend backend = {.version = DXT_BACKEND_VERSION,
                                        .begin = canvas_begin,
                                        .rectangle = canvas_rectangle,
                                        .line = canvas_line,
                                        .text = canvas_text,
                                        .end = canvas_end};
    return &backend;
}
