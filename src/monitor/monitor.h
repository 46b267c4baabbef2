/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L5: follows recordings, keeps what they say in a database, and answers over HTTP. A part of its
 * own, libdeepxtrace-monitor.so.0, loaded by `deepxtrace serve`, so that only those who serve need
 * SQLite, libmicrohttpd and zlib. It stands on the public library, as any program does.
 *
 * One thread follows, judges and writes (serve.c). Threads of the HTTP server read the database
 * through connections of their own, so that no client can delay a window.
 */
#ifndef DXT_MONITOR_MONITOR_H
#define DXT_MONITOR_MONITOR_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Changes whenever anything in this file changes. */
#define DXT_MONITOR_LAYOUT 1u

/** The caller owns the strings and keeps them until serve() has returned. */
typedef struct dxt_monitor_options {
    const char *const *inputs; /**< files and folders to follow, at least one */
    size_t input_count;
    const char *store;                 /**< database file; its folder exists */
    const char *listen;                /**< "ADDRESS:PORT"; NULL = no server */
    int64_t keep_ns;                   /**< windows older than this are forgotten; 0 = never */
    int64_t keep_bytes;                /**< the store is kept below this size; 0 = no limit */
    uint32_t open_count, open_windows; /**< an incident opens (closes) after so many of so many
                                            windows that (do not) name it; 1 … 32 */
    double min_share;         /**< smallest share of a finding; 0 = as recorded, or else 1 % */
    const char *token_file;   /**< NULL = no token is required */
    bool open;                /**< serve without a token even if the address is not loopback */
    const char *const *hosts; /**< further names in the Host header that are answered */
    size_t host_count;
    const char *const *labels; /**< "KEY=VALUE", added to every metric */
    size_t label_count;
    const char *webhook_file; /**< holds the URL to post incidents to; NULL = none */
    const char *command;      /**< program to run for each message; NULL = none */
    const char *metrics_file; /**< rewritten at every change; NULL = none */
    bool once;                /**< read the files as they are, then end */
} dxt_monitor_options;

/** The functions of the part. */
typedef struct dxt_monitor_part {
    uint32_t layout; /**< DXT_MONITOR_LAYOUT */
    /** Versions of the libraries it stands on, in one line. Static. */
    const char *(*describe)(void);
    /**
     * Follow, store and serve until @p stop is set.
     *
     * @param say   Receives one line of news at a time, without a newline.
     * @param why   Receives the reason of a failure, DXT_MONITOR_WHY bytes.
     * @return 0; 2 for options that cannot be (bad address, no such input, a store that is in use
     * or of a later version); 3 for a failure.
     *
     * Blocking: until then. Threads: one call at a time in a process.
     */
    int (*serve)(const dxt_monitor_options *options, void (*say)(const char *line),
                 const volatile sig_atomic_t *stop, char *why);
} dxt_monitor_part;

#define DXT_MONITOR_WHY 512u

/** The part. @return NULL if @p layout is not DXT_MONITOR_LAYOUT. */
typedef const dxt_monitor_part *(*dxt_monitor_find)(uint32_t layout);

#endif
