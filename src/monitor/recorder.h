/* SPDX-License-Identifier: Apache-2.0 */
/* The state of storing windows, shared by all files. */
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
    const char *file_name; /**< without folder, kind and the suffix of rotation */
    bool recording;        /**< the file is a recording, not a log */
    int64_t stored;        /**< an earlier process has dealt with windows before this ordinal */
    uint64_t old;          /**< windows that were left out because they are too old to keep */
    int64_t now_ns;        /**< since 1970 */
    int64_t window;        /**< id of the window being stored */
    int64_t group;         /**< id of its group */
    uint64_t windows;      /**< stored since this began */
    bool changed;          /**< something was stored since the caller last cleared it */
} recorder;

#endif
