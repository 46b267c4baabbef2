/* SPDX-License-Identifier: Apache-2.0 */
/* What is followed: groups, their operators, and the newest windows of each with what was found. */
#ifndef TOOLS_TOP_WATCHED_H
#define TOOLS_TOP_WATCHED_H

#include <deepxtrace/history.h>
#include <deepxtrace/report.h>

#include "changes.h"
#include "input.h"
#include "track.h"

#define WATCHED_GROUPS 64u
/** Windows of an operator that are kept, if they are small. */
#define WATCHED_WINDOWS 64u
/** Slow paths and links that are kept, of so many windows at least. */
#define WATCHED_WAYS (WATCHED_WINDOWS * TRACK_STRIPS)
/** Windows of one interval at most: two operators, and their transfers. */
#define WATCHED_INTERVAL 4u

typedef struct watched_window {
    dxt_window *window;
    dxt_findings *findings;
} watched_window;

/** A slow path or link that was named: it has a row of its own in the timeline. */
typedef struct watched_way {
    char name[32];
    int64_t index; /**< of the window */
    double wait;
} watched_way;

typedef struct watched_operator {
    char *phase;
    watched_way ways[WATCHED_WAYS];          /**< the newest, in a ring */
    size_t way_count;                        /**< of all, those that were overwritten, too */
    watched_window windows[WATCHED_WINDOWS]; /**< the oldest first */
    size_t count;
} watched_operator;

/** The windows of one file that belong together. */
typedef struct watched_group {
    size_t file;
    char *key;      /**< instance, group, case */
    char name[128]; /**< for people, printable */
    char *instance; /**< NULL = not known */
    bool log;       /**< its windows come from a log */
    dxt_history *history;
    watched_operator operators[DXT_HISTORY_OPERATORS];
    size_t count;
    dxt_window *waiting[WATCHED_INTERVAL]; /**< an interval that is not whole */
    size_t waiting_count;
    uint64_t heard;
    changes told; /**< for plain output */
} watched_group;

/** Zero it, set the analysis, then take windows. */
typedef struct watched {
    const analysis_options *analysis;
    /** Called for each window that was judged; NULL = nobody wants to know. */
    void (*told)(void *context, watched_group *group, const watched_window *window);
    void *context;
    watched_group *groups[WATCHED_GROUPS];
    size_t count;
    char *recorded[WATCHED_GROUPS]; /**< instances of which there is a recording, the newest */
    size_t recorded_count;          /**< also of those that had to make room */
    uint64_t windows;               /**< judged */
    uint64_t clock;                 /**< counts what is heard */
    uint64_t bad;                   /**< what could not be read, for the screen */
} watched;

/**
 * Take a window of a file; it is owned from here on. Those that a log tells of an instance that
 * writes a recording, too, are left out.
 *
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status watched_take(watched *w, size_t file, const char *path, bool log, dxt_window *window);

/** Judge what waits for other windows of its interval. */
dxt_status watched_rest(watched *w);

void watched_free(watched *w);

#endif
