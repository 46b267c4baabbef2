/* SPDX-License-Identifier: Apache-2.0 */
#include "hurry.h"

#include <sys/socket.h>
#include <time.h>

#include "system/clock.h"

/* The time for a whole request, with its headers. */
#define PATIENCE_NS INT64_C(30000000000)

void hurry_begin(hurry *h)
{
    pthread_mutex_init(&h->lock, NULL);
}

void hurry_end(hurry *h)
{
    pthread_mutex_destroy(&h->lock);
}

void hurry_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode code)
{
    hurry *h = context;
    pthread_mutex_lock(&h->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        size_t i = 0;
        while (i < HURRY_MOST && h->taken[i]) i++;
        *socket_context = NULL;
        if (info && i < HURRY_MOST) {
            h->taken[i] = 1;
            h->peers[i] =
                (hurry_peer){.fd = info->connect_fd, .since_ns = dxt_clock_ns(CLOCK_MONOTONIC)};
            *socket_context = &h->peers[i];
        }
    } else if (*socket_context) {
        hurry_peer *peer = *socket_context;
        peer->since_ns = 0;
        h->taken[peer - h->peers] = 0;
        *socket_context = NULL;
    }
    pthread_mutex_unlock(&h->lock);
}

static void set(hurry *h, struct MHD_Connection *connection, int64_t since_ns)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    hurry_peer *peer = info ? info->socket_context : NULL;
    if (!peer) return;
    pthread_mutex_lock(&h->lock);
    peer->since_ns = since_ns;
    pthread_mutex_unlock(&h->lock);
}

void hurry_asked(hurry *h, struct MHD_Connection *connection)
{
    set(h, connection, 0);
}

void hurry_answered(hurry *h, struct MHD_Connection *connection)
{
    set(h, connection, dxt_clock_ns(CLOCK_MONOTONIC));
}

unsigned hurry_up(hurry *h, int64_t now_ns)
{
    unsigned ended = 0;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < HURRY_MOST; i++) {
        hurry_peer *peer = &h->peers[i];
        if (peer->since_ns == 0 || now_ns - peer->since_ns < PATIENCE_NS) continue;
        peer->since_ns = 0;
        shutdown(peer->fd, SHUT_RDWR); /* its thread sees the end, and closes it */
        ended++;
    }
    pthread_mutex_unlock(&h->lock);
    return ended;
}
