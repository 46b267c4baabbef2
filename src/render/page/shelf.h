/* SPDX-License-Identifier: Apache-2.0 */
/* What a page keeps of windows, and what of it goes when there is too much. */
#ifndef DXT_RENDER_PAGE_SHELF_H
#define DXT_RENDER_PAGE_SHELF_H

#include "base/base.h"

/** How much a window is worth: what is worth least goes first. */
typedef enum dxt_worth {
    DXT_WORTH_ORDINARY = 0,
    DXT_WORTH_NAMED = 1,  /**< something stands out */
    DXT_WORTH_BESIDE = 2, /**< before or behind a change */
    DXT_WORTH_CHANGE = 3  /**< something else stands out than in the window before */
} dxt_worth;

/** Bytes on their way into a page. */
typedef struct dxt_page_part {
    void *bytes; /**< of malloc() */
    size_t size;
    bool packed;
} dxt_page_part;

typedef struct dxt_page_item {
    uint32_t run, phase; /**< which of the page's */
    uint64_t ordinal;    /**< of the window among those of its operator */
    dxt_worth worth;
    char *json; /**< what is said about it; NULL = nothing */
    dxt_page_part part;
} dxt_page_item;

/** Zero it to begin. */
typedef struct dxt_page_shelf {
    dxt_page_item *items; /**< in the order of the windows */
    size_t count, capacity;
    size_t bytes; /**< that they take in a page, roughly */
    uint64_t stride[DXT_WORTH_CHANGE + 1];
} dxt_page_shelf;

/** Put one on it. @return DXT_OK, and the shelf owns what it points to; DXT_ERR_NO_MEMORY. */
dxt_status dxt_shelf_add(dxt_page_shelf *shelf, const dxt_page_item *item);

/** The window with this ordinal is worth at least that, of all its operators. */
void dxt_shelf_raise(dxt_page_shelf *shelf, uint32_t run, uint64_t ordinal, dxt_worth worth);

/** Take off some of what is worth least, evenly. @return false if there is only one left. */
bool dxt_shelf_thin(dxt_page_shelf *shelf);

void dxt_shelf_free(dxt_page_shelf *shelf);

/** What base64 makes of so many bytes. */
static inline size_t dxt_page_base64_size(size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}

#endif
