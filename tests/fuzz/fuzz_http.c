/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: the input is what a client sends to the server, which answers over loopback. By its
 * first byte there is a token, and the request line and a host are in front of it. Whatever is
 * sent, the next client is answered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "monitor_serve.h"

static const char token[] = "0123456789abcdef";
static server *servers[2];
static news shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void stop_servers(void)
{
    pthread_mutex_lock(&shared.lock);
    shared.ended = true;
    pthread_cond_broadcast(&shared.more);
    pthread_mutex_unlock(&shared.lock);
    server_stop(servers[0]);
    server_stop(servers[1]);
}

static void start_servers(void)
{
    static char token_path[MONITOR_PATH + 16];
    static dxt_monitor_options options[2];
    char why[DXT_MONITOR_WHY], *text = monitor_recording(4);
    put("a.jsonl", text, strlen(text));
    put("token", token, strlen(token));
    free(text);
    if (follow(why) != 0) abort();
    dxt_cond_init(&shared.more);
    snprintf(token_path, sizeof token_path, "%s/token", folder);
    for (int i = 0; i < 2; i++) {
        options[i] = options_of();
        options[i].listen = "127.0.0.1:0";
        if (i == 1) options[i].token_file = token_path;
        if (server_start(&options[i], &shared, &servers[i], why) != 0) abort();
    }
    atexit(stop_servers);
}

/* Each connection comes from another address of the loopback network: one address has as many
 * connections as it has free ports, and a port rests for a minute after its connection. */
static struct sockaddr_in next_client(void)
{
    static uint32_t clients;
    struct sockaddr_in client = {.sin_family = AF_INET};
    client.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + clients++ % 1000000);
    return client;
}

static int connect_to(const server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server_port(s))};
    struct timeval patience = {.tv_sec = 30};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (;;) {
        struct sockaddr_in client = next_client();
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (fd >= 0 && bind(fd, (struct sockaddr *)&client, sizeof client) == 0 &&
            connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        /* The fuzzer's own timer interrupts calls. */
        if (errno != EINTR) {
            perror("fuzz_http: a connection to the server");
            abort();
        }
        close(fd);
    }
}

/* What comes first of an answer. */
static size_t answer_of(int fd, char *answer, size_t size)
{
    ssize_t got;
    do got = recv(fd, answer, size - 1, 0);
    while (got < 0 && errno == EINTR);
    answer[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

static void tell_news(void)
{
    pthread_mutex_lock(&shared.lock);
    shared.count++;
    pthread_cond_broadcast(&shared.more);
    pthread_mutex_unlock(&shared.lock);
}

/* Whether the server is well. One address may only have so many connections, and those of the
 * inputs before take a moment to end. */
static bool is_well(const server *s)
{
    static const char health[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (int tries = 0; tries < 500; tries++) {
        char answer[512];
        int fd = connect_to(s);
        send(fd, health, sizeof health - 1, MSG_NOSIGNAL);
        bool well =
            answer_of(fd, answer, sizeof answer) > 0 && strncmp(answer, "HTTP/1.1 200", 12) == 0;
        close(fd);
        if (well) return true;
        usleep(10000);
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "GET /api/v1/windows?", tail[] = " HTTP/1.1\r\nHost: localhost\r\n"
                                                                "Connection: close\r\n\r\n";
    char answer[512];
    if (begin_folder()) start_servers();
    if (size == 0) return 0;
    const server *s = servers[data[0] & 1];
    int fd = connect_to(s);
    if (data[0] & 2) send(fd, head, sizeof head - 1, MSG_NOSIGNAL);
    send(fd, data + 1, size - 1, MSG_NOSIGNAL);
    if (data[0] & 2) send(fd, tail, sizeof tail - 1, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    size_t got = answer_of(fd, answer, sizeof answer);
    /* Without the token nothing is told but that one is needed, or that all is well. */
    bool shown = memmem(data, size, token, strlen(token)) != NULL;
    if ((data[0] & 1) && !shown && got > 0 && strstr(answer, "application/json") &&
        strncmp(answer, "HTTP/1.1 200", 12) == 0)
        abort();
    close(fd);
    tell_news();
    if (!is_well(s)) abort();
    return 0;
}
