/* SPDX-License-Identifier: Apache-2.0 */
/* What is under way while the windows of a file are stored, for all files that do it. */
#ifndef DXT_MONITOR_RECORDER_H
#define DXT_MONITOR_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor.h"
#include "store.h"

typedef struct recorder {
    store *s;
    const dxt_monitor_options *options;
    int64_t file;          /**< its id in the store */
    const char *file_name; /**< without folder, kind and what rotation put behind */
    bool recording;        /**< the file is a recording, not a log */
    int64_t stored;        /**< windows before this ordinal were dealt with in an earlier process */
    uint64_t old;          /**< windows that were left out, being older than what is kept */
    int64_t now_ns;        /**< since 1970 */
    int64_t window;        /**< id of the one being stored */
    int64_t group;         /**< and of its group */
    uint64_t windows;      /**< stored since this began */
    bool changed;          /**< something was stored since the caller last cleared it */
} recorder;

#endif
