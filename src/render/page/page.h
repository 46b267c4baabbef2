/* SPDX-License-Identifier: Apache-2.0 */
/* A page under way. */
#ifndef DXT_RENDER_PAGE_PAGE_H
#define DXT_RENDER_PAGE_PAGE_H

#include <deepxtrace/page.h>

#include "render/page/shelf.h"

/** An operator of a run. */
typedef struct dxt_page_phase {
    char *name;
    uint64_t windows; /**< so far */
    dxt_mark *marks;  /**< of the newest of them */
    size_t mark_count;
    bool changed;       /**< that stood out in it for the first time, or no longer */
    char *timeline;     /**< JSON without its end; NULL = none */
    dxt_page_part part; /**< of the timeline */
} dxt_page_phase;

/** Windows that belong together. */
typedef struct dxt_page_run {
    uint32_t ranks;
    char *instance, *group, *case_name, *source;
    dxt_text places; /**< members of its object */
    dxt_text lines;  /**< strings with commas between */
    dxt_page_phase phases[16];
    uint32_t phase_count;
} dxt_page_run;

struct dxt_page {
    dxt_page_options options; /**< its texts are not the caller's any more */
    char *title, *advice;
    dxt_page_run **runs;
    uint32_t run_count, newest;
    uint64_t windows; /**< that were added */
    dxt_page_shelf cells, raw;
};

/** Compress, if the page does; @p bytes is released or becomes the part's. */
dxt_status dxt_page_pack(const dxt_page *page, void *bytes, size_t size, dxt_page_part *part);

#endif
