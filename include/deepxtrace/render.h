/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heat maps of windows: one layout, drawn by several back ends. Rows are waiting ranks, columns
 * awaited ranks; the scale is logarithmic from green over yellow to red.
 */
#ifndef DEEPXTRACE_RENDER_H
#define DEEPXTRACE_RENDER_H

#include <deepxtrace/matrix.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What to draw with. */
typedef enum dxt_format {
    DXT_FORMAT_TERMINAL = 0, /**< UTF-8 text, coloured by escape sequences as asked for */
    DXT_FORMAT_SVG = 1,
    DXT_FORMAT_HTML = 2, /**< page for a browser, without network (page.h) */
    DXT_FORMAT_PNG = 3,  /**< needs the part "cairo" */
    DXT_FORMAT_PDF = 4   /**< needs the part "cairo" */
} dxt_format;

/** Colours of a terminal. */
typedef enum dxt_color { DXT_COLOR_NONE = 0, DXT_COLOR_256 = 1, DXT_COLOR_TRUE = 2 } dxt_color;

/** What a mark points at. */
typedef enum dxt_mark_kind {
    DXT_MARK_COLUMN = 0,
    DXT_MARK_ROW = 1,
    DXT_MARK_POINT = 2,
    DXT_MARK_NUMBER = 3 /**< of a column that is no finding: its number, but no outline */
} dxt_mark_kind;

/** A flagged rank or path to make stand out. Frozen. */
typedef struct dxt_mark {
    dxt_mark_kind kind;
    uint32_t row;    /**< for rows and points */
    uint32_t column; /**< for columns, points and numbers */
} dxt_mark;

/** One matrix of the picture. Frozen. */
typedef struct dxt_heatmap_panel {
    const dxt_window *window; /**< drawn in its measure */
    const dxt_mark *marks;
    size_t mark_count;
    const char *title; /**< e.g. "dispatch, window 3"; NULL = made from the window */
    const char
        *caption; /**< e.g. the sentence of the worst finding; NULL = none; may hold newlines */
} dxt_heatmap_panel;

/** Options. Zero a struct, set struct_size, then what differs from the default. */
typedef struct dxt_heatmap_options {
    size_t struct_size;
    dxt_color color;     /**< terminal only */
    uint32_t columns;    /**< terminal: characters that fit, 0 = 80, at least 24. Ranks have values
                               where they fit, else cells or blocks that do */
    const char *heading; /**< above all panels; NULL = none */
    double scale_min, scale_max; /**< colour scale in the measure; both 0 = from the data */
    int ascii; /**< terminal: not 0: "us" for "µs", and so on; what else is not ASCII is a "?" */
} dxt_heatmap_options;

/**
 * Draw one or more panels below each other. A matrix too large for single cells is drawn as blocks
 * of k×k ranks, coloured by the largest wait in the block; the key says so.
 *
 * @param panels   At least one; all with ranks ≥ 2.
 * @param count    Number of panels, 1 … 64.
 * @param options  NULL for the defaults.
 * @param write    Receives the bytes in order.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_UNSUPPORTED (the part is not installed; dxt_error() says
 *         why); DXT_ERR_NO_MEMORY; what @p write returned.
 *
 * Blocking: on @p write. Threads: reentrant. NULL: DXT_ERR_INVALID, but for @p options and @p
 * context. Cost: O(ranks²).
 */
DXT_API dxt_status dxt_heatmap_write(const dxt_heatmap_panel *panels, size_t count,
                                     dxt_format format, const dxt_heatmap_options *options,
                                     dxt_write_fn write, void *context);

/** A stretch of a row to outline, and the rank to name beside it. Frozen. */
typedef struct dxt_timeline_mark {
    uint32_t rank;
    size_t first, last; /**< of the columns */
} dxt_timeline_mark;

/** A row of its own below those of the ranks, such as a slow path. Frozen. */
typedef struct dxt_timeline_strip {
    const char *name;     /**< e.g. "6 → 1" */
    const double *values; /**< [windows] as those of the ranks */
    const char *host;     /**< where that is, e.g. "gpu-03"; NULL = not known */
} dxt_timeline_strip;

/** Values of ranks over time: the lateness of each rank in each window. Frozen. */
typedef struct dxt_timeline_panel {
    uint32_t ranks;       /**< 1 … DXT_MAX_RANKS */
    size_t windows;       /**< 1 … 4096 */
    const int64_t *index; /**< [windows] their numbers */
    const double *values; /**< [ranks][windows]; below 0 counts as 0, NaN = silent */
    dxt_measure measure;
    double ordinary;          /**< values up to about this are nothing to look at; 0 = not known */
    const char *title;        /**< NULL = none */
    const int64_t *last;      /**< [windows] number of the last window of a column that stands for
                              several, of which `index` is the first; NULL = none does */
    const char *const *times; /**< [windows] when each column began, e.g. "03:34:48"; NULL = none */
    const char *const *hosts; /**< [ranks], each NULL or "" = not known; NULL = none */
    const char *caption;      /**< who is late, since when; may hold newlines; NULL = none */
    const dxt_timeline_mark *marks;
    size_t mark_count;
    const dxt_timeline_strip *strips;
    size_t strip_count; /**< at most 16 */
} dxt_timeline_panel;

/**
 * Draw ranks × windows, one panel below the other: a row is a rank, a column a window, the newest
 * on the right. If there are more ranks or windows than fit, blocks are drawn, coloured by the
 * largest value in each.
 *
 * @param panels   1 … 64.
 * @param format   Not DXT_FORMAT_HTML.
 * @param options  As for dxt_heatmap_write(). @p write gets everything of a panel at once.
 * @return As dxt_heatmap_write().
 *
 * Blocking: on @p write. Threads: reentrant. NULL: DXT_ERR_INVALID, but for @p options and @p
 * context.
 */
DXT_API dxt_status dxt_timeline_write(const dxt_timeline_panel *panels, size_t count,
                                      dxt_format format, const dxt_heatmap_options *options,
                                      dxt_write_fn write, void *context);

/**
 * Format by the end of a file name, without regard to case.
 *
 * @return DXT_OK; DXT_ERR_UNSUPPORTED (no known ending; @p format untouched).
 *
 * Blocking: no. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_format_from_name(const char *name, dxt_format *format);

#ifdef __cplusplus
}
#endif

#endif
