/* SPDX-License-Identifier: Apache-2.0 */
/* The form that asks for the token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

static enum MHD_Result send_page(struct MHD_Connection *connection, unsigned status,
                                 const char *body)
{
    char *text = NULL;
    int length = asprintf(
        &text,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>DeepXTrace</title>"
        "<style>body{font:16px sans-serif;margin:3em auto;max-width:40em}"
        "</style>%s</html>\n",
        body);
    return length < 0
               ? MHD_NO
               : http_answer(connection, status, "text/html; charset=utf-8", text, NULL, NULL);
}

enum MHD_Result http_send_login(struct MHD_Connection *connection, unsigned status)
{
    return send_page(
        connection, status,
        "<h1>DeepXTrace</h1><form method=\"post\" action=\"/login\"><label>Token: <input "
        "type=\"password\" name=\"token\" autofocus></label> <button>Log in</button></form>"
        "<p>It is in the file that <code>serve --token-file</code> names. Programs send it as"
        " <code>Authorization: Bearer TOKEN</code>.");
}

/* Decode "token=…", percent-encoded as a form sends it. */
static bool form_token(const http_request *r, char *token, size_t size)
{
    if (r->too_long || strncmp(r->form, "token=", 6) != 0) return false;
    size_t used = 0;
    for (const char *at = r->form + 6; *at && *at != '&' && used + 1 < size; at++) {
        unsigned code;
        if (*at == '%' && sscanf(at + 1, "%2x", &code) == 1 && at[1] && at[2]) {
            token[used++] = (char)code;
            at += 2;
        } else {
            token[used++] = *at == '+' ? ' ' : *at;
        }
    }
    token[used] = '\0';
    return true;
}

enum MHD_Result http_log_in(server *s, struct MHD_Connection *connection, const http_request *r)
{
    char token[HTTP_LONGEST_FORM], cookie[160];
    if (!form_token(r, token, sizeof token) || !access_is_token(&s->access, token))
        return http_send_login(connection, 403);
    char *text = strdup("");
    if (!text) return MHD_NO;
    snprintf(cookie, sizeof cookie, "deepxtrace=%s; HttpOnly; SameSite=Strict; Path=/",
             s->access.session);
    struct MHD_Response *response = MHD_create_response_from_buffer(0, text, MHD_RESPMEM_MUST_FREE);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Location", "/");
    MHD_add_response_header(response, "Set-Cookie", cookie);
    enum MHD_Result result = MHD_queue_response(connection, 303, response);
    MHD_destroy_response(response);
    return result;
}
