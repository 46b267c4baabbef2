/* SPDX-License-Identifier: Apache-2.0 */
/* The server: a thread for each connection, which reads the store through a connection of its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "access.h"
#include "api.h"
#include "serve.h"

#define MOST_CONNECTIONS 512
#define IDLE_S 30
#define THREAD_STACK ((size_t)512 * 1024)
#define CONNECTION_MEMORY ((size_t)32 * 1024)
/* A stream says something at least this often, so that proxies keep it. */
#define STREAM_S 15
#define LONGEST_FORM 1024

struct server {
    struct MHD_Daemon *daemon;
    const dxt_monitor_options *options;
    news *news;
    access_rules access;
    unsigned port;
};

/* A request under way. */
typedef struct request {
    char form[LONGEST_FORM]; /* what was posted */
    size_t size;
    bool too_long;
} request;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              char *text, const char *header, const char *value)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
    if (header) MHD_add_response_header(response, header, value);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result fail(struct MHD_Connection *connection, unsigned status, const char *why)
{
    char *text = NULL;
    if (asprintf(&text, "{\"v\":1,\"error\":\"%s\"}\n", why) < 0) return MHD_NO;
    return answer(connection, status, "application/json", text, NULL, NULL);
}

static const char *argument(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return value && value[0] ? value : NULL;
}

/* @return false if it is no whole number from least to most. */
static bool number(struct MHD_Connection *connection, const char *name, int64_t usual,
                   int64_t least, int64_t most, int64_t *value)
{
    const char *text = argument(connection, name);
    char *end;
    *value = usual;
    if (!text) return true;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && *value >= least && *value <= most;
}

static bool open_store(const struct server *s, store *reader)
{
    return store_open_reader(reader, s->options->store) == 0;
}

static enum MHD_Result send_list(struct server *s, struct MHD_Connection *connection,
                                 const char *list)
{
    api_request asked = {.list = list,
                         .group = argument(connection, "group"),
                         .operator_name = argument(connection, "operator"),
                         .state = argument(connection, "state")};
    if (!number(connection, "limit", API_USUAL, 1, API_MOST, &asked.limit))
        return fail(connection, 400, "limit is a whole number from 1 to 1000");
    if (!number(connection, "after", 0, 0, INT64_MAX, &asked.after))
        return fail(connection, 400, "after is the number that next had in the list before");
    if (asked.state && strcmp(asked.state, "open") != 0 && strcmp(asked.state, "closed") != 0)
        return fail(connection, 400, "state is open or closed");
    store reader;
    char *text = open_store(s, &reader) ? api_list(&reader, &asked) : NULL;
    bool known = reader.why[0] != '\0';
    store_close(&reader);
    if (text) return answer(connection, 200, "application/json", text, NULL, NULL);
    return known
               ? fail(connection, 503, "the store cannot be read")
               : fail(connection, 404, "there are groups, windows, findings, incidents and events");
}

static enum MHD_Result send_metrics(struct server *s, struct MHD_Connection *connection)
{
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    bool openmetrics = accept && strstr(accept, "application/openmetrics-text");
    store reader;
    char *text =
        open_store(s, &reader) ? metrics_text(&reader, s->options, openmetrics, now_ns()) : NULL;
    store_close(&reader);
    if (!text) return fail(connection, 503, "the store cannot be read");
    return answer(connection, 200,
                  openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                              : "text/plain; version=0.0.4; charset=utf-8",
                  text, NULL, NULL);
}

/* ---- events ---- */

typedef struct stream {
    struct server *server;
    uint64_t seen;
    bool begun;
} stream;

/* Called in the connection's own thread; sleeps until there is something to say. */
static ssize_t next_event(void *context, uint64_t position, char *buffer, size_t size)
{
    stream *t = context;
    news *n = t->server->news;
    struct timespec until;
    (void)position;
    clock_gettime(CLOCK_REALTIME, &until);
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
    int64_t newest = open_store(t->server, &reader) ? api_newest(&reader) : 0;
    store_close(&reader);
    int length = snprintf(
        buffer, size, "event: windows\nid: %" PRId64 "\ndata: {\"v\":1,\"newest\":%" PRId64 "}\n\n",
        newest, newest);
    return length > 0 && (size_t)length < size ? length : MHD_CONTENT_READER_END_WITH_ERROR;
}

static enum MHD_Result send_events(struct server *s, struct MHD_Connection *connection)
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

/* ---- pages ---- */

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
    return length < 0 ? MHD_NO
                      : answer(connection, status, "text/html; charset=utf-8", text, NULL, NULL);
}

static enum MHD_Result send_start(struct MHD_Connection *connection)
{
    return send_page(
        connection, 200,
        "<h1>DeepXTrace</h1><p>Slow ranks, links and paths of the jobs that are followed."
        "<ul><li><a href=\"/api/v1/incidents?state=open\">open incidents</a>"
        "<li><a href=\"/api/v1/incidents\">all incidents</a>"
        "<li><a href=\"/api/v1/groups\">groups</a>"
        "<li><a href=\"/api/v1/windows\">windows</a>"
        "<li><a href=\"/metrics\">metrics</a></ul>");
}

static enum MHD_Result send_login(struct MHD_Connection *connection, unsigned status)
{
    return send_page(
        connection, status,
        "<h1>DeepXTrace</h1><form method=\"post\" action=\"/login\"><label>Token: <input "
        "type=\"password\" name=\"token\" autofocus></label> <button>Log in</button></form>"
        "<p>It is in the file that <code>serve --token-file</code> names. Programs send it as"
        " <code>Authorization: Bearer TOKEN</code>.");
}

/* "token=…", percent-encoded, as a form sends it. */
static bool form_token(const request *r, char *token, size_t size)
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

static enum MHD_Result log_in(struct server *s, struct MHD_Connection *connection, const request *r)
{
    char token[LONGEST_FORM], cookie[160];
    if (!form_token(r, token, sizeof token) || !access_is_token(&s->access, token))
        return send_login(connection, 403);
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

/* ---- requests ---- */

static enum MHD_Result get(struct server *s, struct MHD_Connection *connection, const char *url)
{
    static const char api[] = "/api/v1/";
    if (strcmp(url, "/") == 0) return send_start(connection);
    if (strcmp(url, "/metrics") == 0) return send_metrics(s, connection);
    if (strcmp(url, "/api/v1/events") == 0) return send_events(s, connection);
    if (strncmp(url, api, sizeof api - 1) == 0)
        return send_list(s, connection, url + sizeof api - 1);
    return fail(connection, 404, "there are /, /healthz, /metrics and /api/v1/");
}

static enum MHD_Result handle(struct server *s, struct MHD_Connection *connection, const char *url,
                              const char *method, const request *r)
{
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    const char *origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin");
    const char *authorization =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    const char *cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, "deepxtrace");
    bool posted = strcmp(method, "POST") == 0;
    if (!access_host(&s->access, host, origin))
        return fail(connection, 403, "this host name is not answered; see serve --allow-host");
    if (strcmp(url, "/login") == 0 && s->access.token)
        return posted ? log_in(s, connection, r) : send_login(connection, 200);
    if (posted || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
        return fail(connection, 405, "this server only answers GET");
    if (strcmp(url, "/healthz") == 0) {
        char *text = strdup("ok\n");
        return text ? answer(connection, 200, "text/plain", text, NULL, NULL) : MHD_NO;
    }
    if (access_token(&s->access, authorization, cookie)) return get(s, connection, url);
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    if (accept && strstr(accept, "text/html")) return send_login(connection, 401);
    char *text = strdup("{\"v\":1,\"error\":\"a token is needed\"}\n");
    return text ? answer(connection, 401, "application/json", text, "WWW-Authenticate", "Bearer")
                : MHD_NO;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    (void)version;
    request *r = *state;
    if (!r) {
        r = *state = calloc(1, sizeof *r);
        return r ? MHD_YES : MHD_NO;
    }
    if (*size > 0) {
        /* One byte is left for the terminator. */
        if (*size >= sizeof r->form - r->size)
            r->too_long = true;
        else
            memcpy(r->form + r->size, data, *size), r->size += *size;
        *size = 0;
        return MHD_YES;
    }
    return handle(context, connection, url, method, r);
}

static void on_end(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    free(*state);
    *state = NULL;
}

/* ---- listening ---- */

static bool split(const char *listen, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(listen, ':');
    if (!colon || !colon[1]) return false;
    const char *begin = listen;
    size_t length = (size_t)(colon - listen);
    if (length >= 2 && begin[0] == '[' && begin[length - 1] == ']') {
        begin++;
        length -= 2;
    }
    if (length >= size) return false;
    memcpy(host, begin, length);
    host[length] = '\0';
    *port = colon + 1;
    return length > 0;
}

static int bind_to(const char *host, const char *port, unsigned *bound, char *why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        snprintf(why, DXT_MONITOR_WHY, "--listen: %.100s: %s", host, gai_strerror(error));
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        snprintf(why, DXT_MONITOR_WHY, "--listen %.100s:%.20s: %s", host, port, strerror(errno));
        if (fd >= 0) close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd >= 0)
        *bound = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                     : ((struct sockaddr_in *)&address)->sin_port);
    return fd;
}

static int check(const dxt_monitor_options *options, char *host, size_t size, const char **port,
                 char *why)
{
    if (!split(options->listen, host, size, port)) {
        snprintf(why, DXT_MONITOR_WHY, "--listen: '%.100s' is not ADDRESS:PORT", options->listen);
        return 2;
    }
    if (access_is_loopback(host) || options->token_file || options->open) return 0;
    snprintf(why, DXT_MONITOR_WHY,
             "--listen %.100s: everyone who reaches this address could read the jobs' names and "
             "hosts; give"
             " --token-file FILE, or --open to allow it",
             options->listen);
    return 2;
}

int server_start(const dxt_monitor_options *options, news *shared, server **out, char *why)
{
    char host[256];
    const char *port;
    int status = check(options, host, sizeof host, &port, why);
    if (status != 0) return status;
    server *s = calloc(1, sizeof *s);
    if (!s) return 3;
    *s = (server){.options = options, .news = shared};
    status = access_begin(&s->access, options, why);
    int fd = status == 0 ? bind_to(host, port, &s->port, why) : -1;
    if (status == 0 && fd < 0) status = 2;
    if (status == 0) {
        s->daemon = MHD_start_daemon(
            MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL,
            NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
            (unsigned)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
            MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE,
            THREAD_STACK, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
        if (!s->daemon) {
            snprintf(why, DXT_MONITOR_WHY, "the server cannot start: %s", strerror(errno));
            close(fd);
            status = 3;
        }
    }
    if (status == 0) {
        *out = s;
        return 0;
    }
    access_end(&s->access);
    free(s);
    return status;
}

unsigned server_port(const server *s)
{
    return s->port;
}

void server_stop(server *s)
{
    if (!s) return;
    MHD_stop_daemon(s->daemon);
    access_end(&s->access);
    free(s);
}
