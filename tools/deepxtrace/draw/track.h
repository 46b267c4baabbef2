/* SPDX-License-Identifier: Apache-2.0 */
/* The lateness of all ranks in one operator over a run of any length, in a bounded number of
 * columns: when they are full, two become one. */
#ifndef TOOLS_DRAW_TRACK_H
#define TOOLS_DRAW_TRACK_H

#include <stdbool.h>

#include <deepxtrace/history.h>
#include <deepxtrace/render.h>

#define TRACK_COLUMNS 512u
#define TRACK_STRIPS 8u

/** A slow path or link with a row of its own: nobody is late for it. */
typedef struct track_strip {
    char name[32]; /**< "6 → 1", "n2 → n0"; of links "→ 5", "5 →", "↔ n2" */
    double values[TRACK_COLUMNS]; /**< how slow, where it is named; else 0 */
    uint32_t ranks[2]; /**< whose hosts stand beside it: of a path the sender, then who waits */
} track_strip;

typedef struct track {
    char *phase;
    uint32_t ranks;
    size_t columns;
    uint64_t each;      /**< windows in a column */
    uint64_t filled;    /**< windows in the newest column */
    uint64_t windows;   /**< of the run */
    uint64_t inherited; /**< of these, such as show what the other operator's findings name */
    bool measured;      /**< `measure` is that of the values */
    int64_t first[TRACK_COLUMNS], last[TRACK_COLUMNS]; /**< numbers of windows */
    char times[TRACK_COLUMNS][16];                     /**< "03:34:48"; "" = not known */
    double *values;                                    /**< [TRACK_COLUMNS][ranks]; NaN = silent */
    double *sums;                                      /**< [ranks] of lateness over the run */
    char **hosts;                                      /**< [ranks]; NULL = not known */
    int32_t *nodes; /**< [ranks] node of each rank of a node that was named; −1 = not known */
    track_strip *strips[TRACK_STRIPS];
    size_t strip_count;
    /* What is drawn, made by track_finish() of track_draw.h. */
    double *drawn; /**< [ranks][columns] */
    const char *time_list[TRACK_COLUMNS];
    dxt_timeline_strip strip_list[TRACK_STRIPS];
    char strip_hosts[TRACK_STRIPS][96];
    dxt_timeline_mark *marks;
    size_t mark_count;
    char *title, *caption;
    double floor;
    dxt_measure measure;
} track;

/** The track of a window's operator among @p count of at most DXT_HISTORY_OPERATORS, made with its
 *  first window. @p found is NULL if there are too many. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status track_find(track **tracks, size_t *count, const dxt_window *window, track **found);
/** Add a window and what was found in it. */
dxt_status track_add(track *track, const dxt_window *window, const dxt_findings *findings);
/** What a finding that makes nobody late is called: "6 → 1", or of a link what it is slow for,
 *  "→ 5" to it, "5 →" from it. @return false: its ranks are late, or it has none. */
bool track_name_way(uint32_t ranks, const dxt_finding *finding, char *name, size_t size);
/** Whether a finding of this kind blames what a rank or a node sends or receives, which makes
 *  others wait without lateness of its own. */
bool track_is_link(dxt_finding_kind kind);
void track_free(track *track);

#endif
