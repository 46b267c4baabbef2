/* SPDX-License-Identifier: Apache-2.0 */
#include "readers.h"

void readers_begin(readers *r)
{
    r->count = 0;
    pthread_mutex_init(&r->lock, NULL);
}

void readers_end(readers *r)
{
    while (r->count > 0) store_close(&r->idle[--r->count]);
    pthread_mutex_destroy(&r->lock);
}

bool readers_take(readers *r, const char *path, store *reader)
{
    pthread_mutex_lock(&r->lock);
    bool kept = r->count > 0;
    if (kept) *reader = r->idle[--r->count];
    pthread_mutex_unlock(&r->lock);
    return kept || store_open_reader(reader, path) == 0;
}

void readers_give(readers *r, store *reader)
{
    /* Close a connection that failed, whose store may be gone, and one within a transaction, which
     * would keep the journal from ending. */
    bool good = reader->db && !reader->why[0] && sqlite3_get_autocommit(reader->db);
    pthread_mutex_lock(&r->lock);
    bool kept = good && r->count < READERS_KEPT;
    if (kept) r->idle[r->count++] = *reader;
    pthread_mutex_unlock(&r->lock);
    if (!kept) store_close(reader);
    *reader = (store){.lock = -1};
}
