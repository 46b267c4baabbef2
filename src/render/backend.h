/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a picture is drawn with. The layout (layout.c) calls these methods in order; a back end only
 * knows how to put a rectangle, a line or a text where it is told. Lengths are in CSS pixels, y
 * grows downwards. A back end that is a part of its own (cairo.c) needs nothing but this header.
 */
#ifndef DXT_RENDER_BACKEND_H
#define DXT_RENDER_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <deepxtrace/render.h>

/** Changes with everything below: a part of another version is not used. */
#define DXT_BACKEND_VERSION 1u

/** A colour: a role, which a page with two backgrounds may give two colours, or one of the data. */
typedef uint32_t dxt_paint;
enum {
    DXT_PAINT_NONE = 0,
    DXT_PAINT_PAPER,   /**< background */
    DXT_PAINT_TEXT,    /**< text */
    DXT_PAINT_MUTED,   /**< secondary text */
    DXT_PAINT_RULE,    /**< frame and ticks */
    DXT_PAINT_SILENT,  /**< background of a row without data */
    DXT_PAINT_HATCH,   /**< lines on it */
    DXT_PAINT_MARK,    /**< flagged ranks: label, outline */
    DXT_PAINT_ON_MARK, /**< text on, and casing around, DXT_PAINT_MARK */
    DXT_PAINT_ROLES,
    DXT_PAINT_DATA = 0x01000000 /**< added to 0xrrggbb: that colour, whatever the background */
};

/** Colour of a paint on a light background, as 0xrrggbb. */
static inline uint32_t dxt_paint_rgb(dxt_paint paint)
{
    static const uint32_t light[DXT_PAINT_ROLES] = {
        [DXT_PAINT_PAPER] = 0xffffff, [DXT_PAINT_TEXT] = 0x1b1f24,   [DXT_PAINT_MUTED] = 0x59626d,
        [DXT_PAINT_RULE] = 0x8c959f,  [DXT_PAINT_SILENT] = 0xeceef1, [DXT_PAINT_HATCH] = 0x8c959f,
        [DXT_PAINT_MARK] = 0x12256e,  [DXT_PAINT_ON_MARK] = 0xffffff};
    return paint < DXT_PAINT_ROLES ? light[paint] : paint & 0xffffff;
}

/** A filled or outlined rectangle. */
typedef struct dxt_box {
    double x, y, width, height;
    double radius; /**< of the corners */
    dxt_paint fill;
    dxt_paint stroke;
    double stroke_width;
    const char *hint; /**< shown when pointed at, where the format can; NULL = none */
} dxt_box;

typedef struct dxt_line {
    double x1, y1, x2, y2, width;
    dxt_paint paint;
} dxt_line;

typedef enum dxt_anchor { DXT_ANCHOR_START = 0, DXT_ANCHOR_MIDDLE, DXT_ANCHOR_END } dxt_anchor;

/** One line of text on its baseline. */
typedef struct dxt_label {
    double x, y, size;
    dxt_anchor anchor;
    bool bold;
    bool turned; /**< reads upwards */
    dxt_paint paint;
    const char *string; /**< valid UTF-8 without control characters */
} dxt_label;

/** What is drawn on. */
typedef struct dxt_page {
    double width, height;
    const char *title; /**< for readers of the document's properties and for screen readers */
    dxt_format format;
    bool embedded; /**< SVG: an element inside an HTML page, which defines the colours */
    dxt_write_fn write;
    void *context;
} dxt_page;

/** A back end. Failures between begin and end are kept and returned by end. */
typedef struct dxt_backend {
    uint32_t version; /**< DXT_BACKEND_VERSION */
    /** Start a page. @p canvas is set on success only; the page must outlive it. */
    dxt_status (*begin)(const dxt_page *page, void **canvas);
    void (*rectangle)(void *canvas, const dxt_box *box);
    void (*line)(void *canvas, const dxt_line *line);
    void (*text)(void *canvas, const dxt_label *label);
    /** Release the canvas, and write the page unless @p write is false. A back end in a part does
     *  not call dxt_fail(); its caller does. */
    dxt_status (*end)(void *canvas, bool write);
} dxt_backend;

extern const dxt_backend dxt_svg_backend;

/** Name and type of what the part "cairo" exports. */
#define DXT_CAIRO_ENTRY "dxt_cairo_backend"
typedef const dxt_backend *(*dxt_cairo_entry)(void);

#endif
