/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages: windows of runs as one HTML file to look at in a browser, which asks no network for
 * anything. The same page, without windows, is what `deepxtrace serve` answers with.
 * src/render/page/README.md describes what is in one.
 */
#ifndef DEEPXTRACE_PAGE_H
#define DEEPXTRACE_PAGE_H

#include <deepxtrace/render.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A page under way. */
typedef struct dxt_page dxt_page;

/**
 * Compress bytes as raw deflate (RFC 1951).
 *
 * @param packed  Receives memory of malloc(), which the caller of this releases.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
typedef dxt_status (*dxt_pack_fn)(const void *data, size_t size, void **packed,
                                  size_t *packed_size);

/** Options. Zero a struct, set struct_size, then what differs from the default. */
typedef struct dxt_page_options {
    size_t struct_size;
    const char *title; /**< of the page; NULL = "DeepXTrace" */
    dxt_pack_fn pack;  /**< NULL = nothing is compressed, and a page is two to ten times as big */
    size_t most_bytes; /**< of what is looked at; 0 = 4 MB */
    size_t most_raw;   /**< of the recording that the page carries along (dxt_page_raw()); 0 =
                               none */
    uint32_t most_windows; /**< whose cells are in the page; 0 = 200 */
    const char *advice;    /**< JSON object: what to do next, a text for the name of each kind of
                               finding; NULL = none */
    int64_t start;         /**< number of the window to show first, if `has_start`; else the last */
    int has_start;
    int timeline; /**< 1 = the timeline is what is looked at first */
} dxt_page_options;

/** One window of a page. Zero it, set struct_size, then the rest. */
typedef struct dxt_page_window {
    size_t struct_size;
    const dxt_window *window;
    const char *title;     /**< NULL = operator, number and time */
    const char *diagnosis; /**< line of the diagnosis format about it; NULL = not judged */
    const char *caption;   /**< said below its matrix, such as what holds it up; NULL = none */
    const dxt_mark *marks; /**< what stands out */
    size_t mark_count;
} dxt_page_window;

/**
 * Begin a page.
 *
 * @param options  NULL for the defaults. The texts are copied.
 * @param page     Receives it; release with dxt_page_free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: a page belongs to one thread at a time. NULL: DXT_ERR_INVALID, but for
 * @p options.
 */
DXT_API dxt_status dxt_page_create(const dxt_page_options *options, dxt_page **page);

/** Release. Blocking: no. Threads: the one that has the page. NULL: does nothing. */
DXT_API void dxt_page_free(dxt_page *page);

/**
 * Add a window: the windows of a run in their order, one run after the other. If more come than
 * fit, windows around changes stay, and of the others every second, fourth, ….
 *
 * @param window  Only read during the call.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: the one that has the page. NULL: DXT_ERR_INVALID. Cost: O(ranks²).
 */
DXT_API dxt_status dxt_page_add(dxt_page *page, const dxt_page_window *window);

/**
 * Add how late the ranks were over the run of the newest window.
 *
 * @param phase  Operator, of which the page has a window.
 * @param panel  As for dxt_timeline_write(); only read during the call.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY.
 *
 * Blocking, threads, NULL: as dxt_page_add().
 */
DXT_API dxt_status dxt_page_timeline(dxt_page *page, const char *phase,
                                     const dxt_timeline_panel *panel);

/** Add a line of what is said of the run of the newest window as a whole. Copied.
 *  Blocking, threads, NULL: as dxt_page_add(). */
DXT_API dxt_status dxt_page_say(dxt_page *page, const char *line);

/**
 * Write the page.
 *
 * @param page   Has at least one window. It can be added to and written again.
 * @param write  Receives the bytes.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT (a single window is more than fits);
 *         DXT_ERR_NO_MEMORY; what @p write returned.
 *
 * Blocking: on @p write. Threads: the one that has the page. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_page_write(dxt_page *page, dxt_write_fn write, void *context);

/**
 * Write the page that asks the server it came from: `about` is a JSON object for it.
 *
 * @param about  {"advice": {…}}; NULL = {}.
 * @param write  Receives the bytes.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY; what @p write returned.
 *
 * Blocking: on @p write. Threads: reentrant. NULL: DXT_ERR_INVALID, but for @p about.
 */
DXT_API dxt_status dxt_page_live(const char *about, dxt_write_fn write, void *context);

/** Content-Security-Policy that a server sends with dxt_page_live(), but for what it connects to.
 *  Static. Blocking: no. Threads: any. */
DXT_API const char *dxt_page_policy(void);

#ifdef __cplusplus
}
#endif

#endif
