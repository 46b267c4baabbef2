/* SPDX-License-Identifier: Apache-2.0 */
/* All windows of an input as a page to look at in a browser. */
#ifndef TOOLS_DRAW_PAGE_H
#define TOOLS_DRAW_PAGE_H

#include <deepxtrace/page.h>

#include "files.h"
#include "input.h"
#include "track.h"

/** Set the input and the options, then read, write and free. */
typedef struct draw_page {
    const char *command;     /**< for messages */
    const file_group *files; /**< what is read */
    bool strict;             /**< nothing if a window cannot be read */
    const char *phase;       /**< NULL = all */
    const char *case_name;   /**< NULL = any */
    const analysis_options *analysis;
    dxt_page_options options; /**< struct_size, title, sizes; the rest is filled in */
    bool summary;             /**< say what is said of each run as a whole */
    /** As in cli_input. */
    dxt_status (*change)(void *context, dxt_window *window);
    void *change_context;
    uint64_t windows; /**< read */
    bool started;     /**< the window that is to be shown first was met */
    dxt_page *page;
    dxt_history *history; /**< of the run under way; NULL with the ratio method */
    size_t count;
    track *tracks[DXT_HISTORY_OPERATORS];
} draw_page;

/** Read the input. @return GO_ON, else the exit status, with the reason said. */
outcome page_read(draw_page *draw);

/** Release what was read; also after a failure. */
void page_free(draw_page *draw);

#endif
