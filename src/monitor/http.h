/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the handlers of requests. Each request is answered in the thread of its connection. */
#ifndef DXT_MONITOR_HTTP_H
#define DXT_MONITOR_HTTP_H

#include <microhttpd.h>

#include "access.h"
#include "hurry.h"
#include "readers.h"
#include "serve.h"

#define HTTP_LONGEST_FORM 1024

struct server {
    struct MHD_Daemon *daemon;
    const dxt_monitor_options *options;
    news *news;
    access_rules access;
    hurry hurry;
    readers readers;
    unsigned port;
};

/** A request under way. */
typedef struct http_request {
    char form[HTTP_LONGEST_FORM]; /**< the posted form */
    size_t size;
    bool too_long;
} http_request;

/* ---- answers (answer.c) ---- */

/**
 * Answer with a text, and with the headers of every answer. Frees the text.
 *
 * @param header  NULL, or one more header with its @p value.
 */
enum MHD_Result http_answer(struct MHD_Connection *connection, unsigned status, const char *type,
                            char *text, const char *header, const char *value);

/**
 * Answer with bytes. Frees them.
 *
 * @param data    NULL if @p size is 0.
 * @param policy  Content-Security-Policy; NULL = the usual one, which lets no script run.
 */
enum MHD_Result http_answer_bytes(struct MHD_Connection *connection, unsigned status,
                                  const char *type, void *data, size_t size, const char *policy);

/** Answer with an error; @p why needs no escapes in JSON. */
enum MHD_Result http_fail(struct MHD_Connection *connection, unsigned status, const char *why);

/** A parameter; NULL if it is not there or empty. */
const char *http_argument(struct MHD_Connection *connection, const char *name);

/** A parameter that is a number. @return false if it is no whole number from least to most. */
bool http_number(struct MHD_Connection *connection, const char *name, int64_t usual, int64_t least,
                 int64_t most, int64_t *value);

/** Open the store for this request. Call http_close_store() also after a failure. */
bool http_open_store(server *s, store *reader);
void http_close_store(server *s, store *reader);

/* ---- handlers ---- */

/** One of the lists of api.h. */
enum MHD_Result http_send_list(server *s, struct MHD_Connection *connection, const char *list);
enum MHD_Result http_send_metrics(server *s, struct MHD_Connection *connection);
enum MHD_Result http_send_events(server *s, struct MHD_Connection *connection);
/** The page at /, and the requests it makes (view.c). */
enum MHD_Result http_send_start(struct MHD_Connection *connection);
enum MHD_Result http_send_view(server *s, struct MHD_Connection *connection);
enum MHD_Result http_send_lateness(server *s, struct MHD_Connection *connection);
enum MHD_Result http_send_cells(server *s, struct MHD_Connection *connection);
enum MHD_Result http_send_places(server *s, struct MHD_Connection *connection);
/** The form that asks for the token. */
enum MHD_Result http_send_login(struct MHD_Connection *connection, unsigned status);
/** Take that form's answer. */
enum MHD_Result http_log_in(server *s, struct MHD_Connection *connection, const http_request *r);

#endif
