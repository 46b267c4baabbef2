/* SPDX-License-Identifier: Apache-2.0 */
/* The common parts of all answers: headers, errors, parameters. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

static void add_headers(struct MHD_Response *response, const char *type, const char *policy)
{
    static const char usual[] = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
    /* With "no-referrer" browsers would hide the origin of a form, which access.c checks. */
    MHD_add_response_header(response, "Referrer-Policy", "same-origin");
    MHD_add_response_header(response, "Content-Security-Policy", policy ? policy : usual);
}

enum MHD_Result http_answer(struct MHD_Connection *connection, unsigned status, const char *type,
                            char *text, const char *header, const char *value)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text);
        return MHD_NO;
    }
    add_headers(response, type, NULL);
    if (header) MHD_add_response_header(response, header, value);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result http_answer_bytes(struct MHD_Connection *connection, unsigned status,
                                  const char *type, void *data, size_t size, const char *policy)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(data);
        return MHD_NO;
    }
    add_headers(response, type, policy);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result http_fail(struct MHD_Connection *connection, unsigned status, const char *why)
{
    char *text = NULL;
    if (asprintf(&text, "{\"v\":1,\"error\":\"%s\"}\n", why) < 0) return MHD_NO;
    return http_answer(connection, status, "application/json", text, NULL, NULL);
}

const char *http_argument(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return value && value[0] ? value : NULL;
}

/* @return Whether it is a whole number from least to most. */
bool http_number(struct MHD_Connection *connection, const char *name, int64_t usual, int64_t least,
                 int64_t most, int64_t *value)
{
    const char *text = http_argument(connection, name);
    char *end;
    *value = usual;
    if (!text) return true;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && *value >= least && *value <= most;
}

bool http_open_store(server *s, store *reader)
{
    return readers_take(&s->readers, s->options->store, reader);
}

void http_close_store(server *s, store *reader)
{
    readers_give(&s->readers, reader);
}
