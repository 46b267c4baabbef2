/* SPDX-License-Identifier: Apache-2.0 */
/* Connections for requests, which only read. They are kept, since opening one and compiling its
 * statements takes longer than most requests. */
#ifndef DXT_MONITOR_READERS_H
#define DXT_MONITOR_READERS_H

#include <pthread.h>

#include "store.h"

/** Most connections that stay open between requests; each may hold 2 MB of the store in memory. */
#define READERS_KEPT 2u

typedef struct readers {
    pthread_mutex_t lock;
    store idle[READERS_KEPT];
    size_t count;
} readers;

void readers_begin(readers *r);
/** No request may be under way. */
void readers_end(readers *r);

/** Take a connection, or open one. Threads: any. @return false with store.why. */
bool readers_take(readers *r, const char *path, store *reader);
/** Give it back, whatever became of it, also of an open that failed. Threads: any. */
void readers_give(readers *r, store *reader);

#endif
