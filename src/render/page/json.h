/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that stands in a page: nothing in it ends the element that it is in. */
#ifndef DXT_RENDER_PAGE_JSON_H
#define DXT_RENDER_PAGE_JSON_H

#include "base/base.h"
#include "render/page/cells.h"
#include "render/page/shelf.h"

/** Append a string in quotes; what is not printable becomes '?'; NULL becomes null. */
void dxt_page_string(dxt_text *text, const char *string);
/** Append JSON of somebody else's, without a newline at its end. */
void dxt_page_verbatim(dxt_text *text, const char *json);

/** Append members of the object of a run: who its ranks are and where. */
void dxt_page_places(dxt_text *text, const dxt_window *window);
/** Append the object of a window, without its end: the number of its part is to follow. */
void dxt_page_window_json(dxt_text *text, const dxt_page_window *window,
                          const dxt_page_cells *cells);
/** Append the object of a timeline, without its end. */
void dxt_page_timeline_json(dxt_text *text, const dxt_timeline_panel *panel,
                            const dxt_page_scale *scale);

#endif
