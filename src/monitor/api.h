/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of the store as JSON, made by SQLite itself. docs/monitoring.md names every field. */
#ifndef DXT_MONITOR_API_H
#define DXT_MONITOR_API_H

#include "store.h"

/** The most entries of a list, and the number without `limit`. */
#define API_MOST 1000
#define API_USUAL 100

/** A request for a list. */
typedef struct api_request {
    const char *list;     /**< "groups", "windows", "findings", "incidents" */
    int64_t limit, after; /**< most entries; only those behind this `next` */
    const char *group;    /**< id of a group; NULL = all */
    const char *operator_name;
    const char *state; /**< incidents: "open" or "closed"; NULL = both */
} api_request;

/** @return Text to free(); NULL with store.why ("" = there is no such list). */
char *api_list(store *s, const api_request *request);

/** Number of the newest window. */
int64_t api_newest(store *s);

#endif
