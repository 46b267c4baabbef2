/* SPDX-License-Identifier: Apache-2.0 */
/* What the threads of a running monitor share. */
#ifndef DXT_MONITOR_SERVE_H
#define DXT_MONITOR_SERVE_H

#include <pthread.h>

#include "monitor.h"
#include "store.h"

/** Signals that something was stored; streams wait for it. */
typedef struct news {
    pthread_mutex_t lock;
    pthread_cond_t more;
    uint64_t count;
    bool ended;
} news;

typedef struct server server;

/* ---- HTTP (http.c) ---- */

/** End connections that have been sending one request for 30 s; to be called now and then. NULL is
 * allowed. Threads: any. @return How many. */
unsigned server_tend(server *s, int64_t now_ns);

/**
 * Listen, and answer in threads of its own.
 *
 * @param s    Receives it; stop with server_stop().
 * @param why  DXT_MONITOR_WHY bytes.
 * @return 0; 2 (address, token file); 3.
 */
int server_start(const dxt_monitor_options *options, news *shared, server **s, char *why);
/** The port that the server listens on. */
unsigned server_port(const server *s);
void server_stop(server *s);

/* ---- metrics (metrics.c) ---- */

/**
 * All metrics in the text format 0.0.4 of Prometheus, or as OpenMetrics.
 *
 * @return Text to free(); NULL with store.why.
 */
char *metrics_text(store *s, const dxt_monitor_options *options, bool openmetrics, int64_t now_ns);

/** Write the metrics file anew, by rename. @return false with store.why. */
bool metrics_write(store *s, const dxt_monitor_options *options, int64_t now_ns);

/* ---- messages (alert.c) ---- */

/** Sends queued messages, in a thread of its own. */
typedef struct alerts alerts;

int alerts_start(const dxt_monitor_options *options, void (*say)(const char *line), alerts **a,
                 char *why);
/** Say that a message was queued. */
void alerts_wake(alerts *a);
void alerts_stop(alerts *a);

#endif
