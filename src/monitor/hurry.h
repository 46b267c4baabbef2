/* SPDX-License-Identifier: Apache-2.0 */
/* Connections whose request is not complete yet. Their time is limited, even if bytes keep
 * trickling in, so that slow clients do not take the places of others. */
#ifndef DXT_MONITOR_HURRY_H
#define DXT_MONITOR_HURRY_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>

/** Connections at the same time. */
#define HURRY_MOST 512u

typedef struct hurry_peer {
    int fd;
    int64_t
        since_ns; /**< since when its request is awaited, CLOCK_MONOTONIC; 0 = it came, or none */
} hurry_peer;

typedef struct hurry {
    pthread_mutex_t lock;
    hurry_peer peers[HURRY_MOST];
    uint8_t taken[HURRY_MOST];
} hurry;

void hurry_begin(hurry *h);
void hurry_end(hurry *h);

/** For MHD_OPTION_NOTIFY_CONNECTION; the context is the hurry. */
void hurry_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode code);

/** Say that the request of a connection has come, or has been answered. */
void hurry_asked(hurry *h, struct MHD_Connection *connection);
void hurry_answered(hurry *h, struct MHD_Connection *connection);

/** End the connections that have taken too long. Threads: any. @return How many. */
unsigned hurry_up(hurry *h, int64_t now_ns);

#endif
