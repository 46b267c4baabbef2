/* SPDX-License-Identifier: Apache-2.0 */
/* The lateness of all ranks over the windows of a run, as a picture. */
#ifndef TOOLS_DRAW_TIMELINE_H
#define TOOLS_DRAW_TIMELINE_H

#include <deepxtrace/history.h>
#include <deepxtrace/render.h>

#include "files.h"
#include "input.h"
#include "track.h"

/** Set the input, then read, draw and free. */
typedef struct draw_timeline {
    const char *input;       /**< for messages */
    const file_group *files; /**< what is read */
    bool strict;             /**< nothing if a window cannot be read */
    const char *phase;       /**< NULL = all */
    const char *case_name;   /**< NULL = any */
    const analysis_options *analysis;
    dxt_history *history; /**< while it is read */
    uint64_t jobs[16];    /**< hashes of the instances so far, the one that is drawn last */
    size_t job_count;
    uint64_t left_out; /**< windows of jobs that go on beside it */
    bool numbered;     /**< there was a window with a number */
    char there[256];   /**< names of the operators that there were, for messages */
    size_t count;      /**< operators of the last run */
    track *tracks[DXT_HISTORY_OPERATORS];
} draw_timeline;

/** Read the input; of several runs the last one counts, of
 *  several jobs that write in turns the one that began last. @return GO_ON, else the exit status,
 *  with the reason said. */
outcome timeline_read(draw_timeline *timeline);

/** Draw what was read. @return As dxt_timeline_write(). */
dxt_status timeline_draw(const draw_timeline *timeline, dxt_format format, dxt_color color,
                         uint32_t columns, dxt_write_fn write, void *context);

/** Release what was read. */
void timeline_free(draw_timeline *timeline);

#endif
