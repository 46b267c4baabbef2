/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events: a stream tells of new windows, and otherwise that it is alive. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api.h"
#include "http.h"

/* A stream sends something at least this often, so that proxies keep it open. */
#define STREAM_S 15

typedef struct stream {
    server *server;
    uint64_t seen;
    bool begun;
} stream;

/* Runs in the connection's own thread; sleeps until there is something to send. */
static ssize_t next_event(void *context, uint64_t position, char *buffer, size_t size)
{
    stream *t = context;
    news *n = t->server->news;
    struct timespec until;
    (void)position;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STREAM_S;
    pthread_mutex_lock(&n->lock);
    int late = 0;
    while (t->begun && n->count == t->seen && !n->ended && late == 0)
        late = pthread_cond_timedwait(&n->more, &n->lock, &until);
    bool ended = n->ended;
    t->seen = n->count;
    pthread_mutex_unlock(&n->lock);
    if (ended) return MHD_CONTENT_READER_END_OF_STREAM;
    t->begun = true;
    if (late != 0) return snprintf(buffer, size, ": still here\n\n");
    store reader;
    int64_t newest = http_open_store(t->server, &reader) ? api_newest(&reader) : 0;
    http_close_store(t->server, &reader);
    int length = snprintf(
        buffer, size, "event: windows\nid: %" PRId64 "\ndata: {\"v\":1,\"newest\":%" PRId64 "}\n\n",
        newest, newest);
    return length > 0 && (size_t)length < size ? length : MHD_CONTENT_READER_END_WITH_ERROR;
}

enum MHD_Result http_send_events(server *s, struct MHD_Connection *connection)
{
    stream *t = calloc(1, sizeof *t);
    if (!t) return MHD_NO;
    *t = (stream){.server = s};
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, next_event, t, free);
    if (!response) {
        free(t);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}
