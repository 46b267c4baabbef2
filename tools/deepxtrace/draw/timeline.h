/* SPDX-License-Identifier: Apache-2.0 */
/* The lateness of all ranks over the windows of a run, as a picture. */
#ifndef DXT_TOOLS_TOOL_TIMELINE_H
#define DXT_TOOLS_TOOL_TIMELINE_H

#include <deepxtrace/history.h>
#include <deepxtrace/render.h>

#include "input.h"

/** Set the input, then read, draw and free. */
typedef struct dxt_tool_timeline {
    const char *input;
    const char *phase;     /**< NULL = all */
    const char *case_name; /**< NULL = any */
    const dxt_tool_analysis *analysis;
    size_t count; /**< operators of the last run */
    char *phases[DXT_HISTORY_OPERATORS];
    dxt_timeline *timelines[DXT_HISTORY_OPERATORS];
    char *title[DXT_HISTORY_OPERATORS];
} dxt_tool_timeline;

/** Read the input; of several runs the last one counts. @return −1 to go on, else the exit status,
 *  with the reason said. */
int dxt_tool_timeline_read(dxt_tool_timeline *timeline);

/** Draw what was read. @return As dxt_timeline_write(). */
dxt_status dxt_tool_timeline_draw(const dxt_tool_timeline *timeline, dxt_format format,
                                  dxt_color color, uint32_t columns, dxt_write_fn write,
                                  void *context);

/** Release what was read. */
void dxt_tool_timeline_free(dxt_tool_timeline *timeline);

#endif
