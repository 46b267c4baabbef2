/* SPDX-License-Identifier: Apache-2.0 */
/* The server: a thread for each connection, which reads the store through a connection of its own.
 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Most connections of one address, so that no machine takes them all. */
#define MOST_OF_ONE_ADDRESS 256
#define IDLE_S 30
#define THREAD_STACK ((size_t)512 * 1024)
#define CONNECTION_MEMORY ((size_t)32 * 1024)

static enum MHD_Result get(server *s, struct MHD_Connection *connection, const char *url)
{
    static const char api[] = "/api/v1/";
    if (strcmp(url, "/") == 0) return http_send_start(connection);
    if (strcmp(url, "/metrics") == 0) return http_send_metrics(s, connection);
    if (strcmp(url, "/api/v1/events") == 0) return http_send_events(s, connection);
    if (strcmp(url, "/api/v1/view") == 0) return http_send_view(s, connection);
    if (strcmp(url, "/api/v1/lateness") == 0) return http_send_lateness(s, connection);
    if (strcmp(url, "/api/v1/cells") == 0) return http_send_cells(s, connection);
    if (strcmp(url, "/api/v1/places") == 0) return http_send_places(s, connection);
    if (strncmp(url, api, sizeof api - 1) == 0)
        return http_send_list(s, connection, url + sizeof api - 1);
    return http_fail(connection, 404,
                     "there is no such path; there are /, /healthz, /metrics "
                     "and /api/v1/");
}

static enum MHD_Result handle(server *s, struct MHD_Connection *connection, const char *url,
                              const char *method, const http_request *r)
{
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    const char *origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin");
    const char *authorization =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    const char *cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, "deepxtrace");
    bool posted = strcmp(method, "POST") == 0;
    if (!access_host(&s->access, host, origin))
        return http_fail(connection, 403,
                         "serve does not answer under this host name; --allow-host NAME adds it");
    if (strcmp(url, "/login") == 0 && s->access.token)
        return posted ? http_log_in(s, connection, r) : http_send_login(connection, 200);
    if (posted || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
        return http_fail(connection, 405, "this server answers GET only");
    if (strcmp(url, "/healthz") == 0) {
        char *text = strdup("ok\n");
        return text ? http_answer(connection, 200, "text/plain", text, NULL, NULL) : MHD_NO;
    }
    if (access_token(&s->access, authorization, cookie)) return get(s, connection, url);
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    if (accept && strstr(accept, "text/html")) return http_send_login(connection, 401);
    char *text = strdup("{\"v\":1,\"error\":\"a token is needed\"}\n");
    return text ? http_answer(connection, 401, "application/json", text, "WWW-Authenticate",
                              "Bearer")
                : MHD_NO;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    (void)version;
    http_request *r = *state;
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
    server *s = context;
    hurry_asked(&s->hurry, connection);
    return handle(s, connection, url, method, r);
}

static void on_end(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    server *s = context;
    (void)code;
    hurry_answered(&s->hurry, connection);
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
        const char *remedy = errno == EADDRINUSE
                                 ? "; another program has the port: give another one, or 0 for any"
                             : errno == EACCES        ? "; give a port from 1024 on"
                             : errno == EADDRNOTAVAIL ? "; this machine has no such address"
                                                      : "";
        snprintf(why, DXT_MONITOR_WHY, "--listen %.100s:%.20s: %s%s", host, port, strerror(errno),
                 remedy);
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
    hurry_begin(&s->hurry);
    readers_begin(&s->readers);
    status = access_begin(&s->access, options, why);
    int fd = status == 0 ? bind_to(host, port, &s->port, why) : -1;
    if (status == 0 && fd < 0) status = 2;
    if (status == 0) {
        s->daemon = MHD_start_daemon(
            MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL,
            NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
            HURRY_MOST, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)MOST_OF_ONE_ADDRESS,
            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK,
            MHD_OPTION_NOTIFY_COMPLETED, on_end, s, MHD_OPTION_NOTIFY_CONNECTION, hurry_notify,
            &s->hurry, MHD_OPTION_END);
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
    hurry_end(&s->hurry);
    readers_end(&s->readers);
    free(s);
    return status;
}

unsigned server_port(const server *s)
{
    return s->port;
}

unsigned server_tend(server *s, int64_t now_ns)
{
    return s ? hurry_up(&s->hurry, now_ns) : 0;
}

void server_stop(server *s)
{
    if (!s) return;
    MHD_stop_daemon(s->daemon);
    access_end(&s->access);
    hurry_end(&s->hurry);
    readers_end(&s->readers);
    free(s);
}
