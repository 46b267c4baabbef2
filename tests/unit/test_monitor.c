/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor: every allocation fails once, in what follows and stores and in what answers; and
 * streams that end while there is news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/base.h"
#include "monitor/serve.h"
#include "monitor/text.h"
#include "monitor_folder.h"

#define WINDOWS 3

const dxt_monitor_part *dxt_monitor(uint32_t layout);

static char folder[MONITOR_PATH], store_path[MONITOR_PATH + 16], metrics_path[MONITOR_PATH + 16];

static void say(const char *line)
{
    (void)line;
}

static dxt_monitor_options options_of(void)
{
    static const char *inputs[1];
    static const char *const labels[] = {"cluster=x"};
    inputs[0] = folder;
    return (dxt_monitor_options){.inputs = inputs,
                                 .input_count = 1,
                                 .store = store_path,
                                 .open_count = 1,
                                 .open_windows = 2,
                                 .labels = labels,
                                 .label_count = 1,
                                 .metrics_file = metrics_path,
                                 .once = true};
}

static void make_folder(void)
{
    monitor_folder_make(folder);
    snprintf(store_path, sizeof store_path, "%s/s.db", folder);
    snprintf(metrics_path, sizeof metrics_path, "%s/m.prom", folder);
}

static void put(const char *name, const char *text)
{
    char path[MONITOR_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    monitor_folder_write(path, text, strlen(text));
}

static int serve(char *why)
{
    const dxt_monitor_options options = options_of();
    const volatile sig_atomic_t stop = 0;
    return dxt_monitor(DXT_MONITOR_LAYOUT)->serve(&options, say, &stop, why);
}

static int64_t windows_stored(void)
{
    store s;
    assert_int_equal(store_open_reader(&s, store_path), 0);
    query q = query_begin(&s, "SELECT count(*) FROM window");
    int64_t count = query_row(&q) ? query_get_int(&q, 0) : -1;
    assert_true(query_end(&q));
    store_close(&s);
    return count;
}

static void test_layout(void **state)
{
    (void)state;
    assert_null(dxt_monitor(DXT_MONITOR_LAYOUT + 1));
    assert_true(strlen(dxt_monitor(DXT_MONITOR_LAYOUT)->describe()) > 0);
}

/* Everything is stored, or a failure is told; what failed is made good the next time. */
static void test_following_when_memory_runs_out(void **state)
{
    (void)state;
    char why[DXT_MONITOR_WHY];
    make_folder();
    char *text = monitor_recording(WINDOWS);
    put("a.jsonl", text);
    put("b.log",
        "[Diagnose] InstanceID: x EPSize: 2, diagnose: {}, Dispatch Wait Recv Cost Per Token"
        " Matrix[src_rank, dst_rank]\nrank=0 [ 1 2 ]\nrank=1 [ 3 4 ]\n");
    free(text);
    bool failed = true;
    long k = 1;
    for (; failed; k++) {
        monitor_folder_clear(folder, "s.db");
        alloc_fail_arm(k);
        int status = serve(why);
        failed = alloc_fail_disarm();
        assert_true(status == 0 || status == 3);
        if (status == 3) assert_true(why[0] != '\0');
        if (status == 3 && k % 16 == 0) assert_int_equal(serve(why), 0);
        if (status == 0 || k % 16 == 0) assert_int_equal(windows_stored(), 2 * WINDOWS + 1);
    }
    assert_true(k > 50);
    monitor_folder_remove(folder);
}

static void test_text_when_memory_runs_out(void **state)
{
    (void)state;
    char path[MONITOR_PATH + 32];
    make_folder();
    put("a.gz", "this was never packed\nand goes on\n");
    for (text_packing packing = TEXT_PLAIN; packing <= TEXT_ZSTD; packing++) {
        bool failed = true;
        for (long k = 1; failed; k++) {
            text_source *source = NULL;
            char *line = NULL;
            size_t capacity = 0, kept = 0;
            int64_t length = -1;
            snprintf(path, sizeof path, "%s/a.gz", folder);
            alloc_fail_arm(k);
            const char *why = text_open(path, packing, &source);
            if (!why) length = text_line(source, &line, &capacity, &kept);
            failed = alloc_fail_disarm();
            assert_true(!failed || why || length == -1);
            /* What is not packed passes through gzip. */
            if (!failed && packing != TEXT_ZSTD)
                assert_string_equal(line, "this was never packed\n");
            free(line);
            text_close(source);
        }
    }
    monitor_folder_remove(folder);
}

/* ---- requests ---- */

/* Ask, and read at most `most` bytes of the answer. @return The status; 0 = none came. */
static int send_to(unsigned port, const char *request)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    return fd;
}

static int ask(unsigned port, const char *request, char *answer, size_t most)
{
    int fd = send_to(port, request), status = 0;
    size_t used = 0;
    for (ssize_t got = 1; got > 0 && used < most; used += (size_t)(got > 0 ? got : 0))
        got = recv(fd, answer + used, most - used, 0);
    answer[used] = '\0';
    close(fd);
    return sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static void test_answers_when_memory_runs_out(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/", "/healthz", "/metrics", "/api/v1/windows", "/api/v1/groups?limit=3", "/nothing"};
    char why[DXT_MONITOR_WHY], request[256];
    static char answer[1 << 20];
    make_folder();
    char *text = monitor_recording(WINDOWS);
    put("a.jsonl", text);
    free(text);
    assert_int_equal(serve(why), 0);
    dxt_monitor_options options = options_of();
    options.listen = "127.0.0.1:0";
    news shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    dxt_cond_init(&shared.more);
    server *s = NULL;
    for (long k = 1; !s; k++) {
        alloc_fail_arm(k);
        int status = server_start(&options, &shared, &s, why);
        assert_true(status == 3 ? !s : status == 0);
        alloc_fail_disarm();
    }
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        bool failed = true;
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", paths[i]);
        for (long k = 1; failed; k++) {
            alloc_fail_arm(k);
            int status = ask(server_port(s), request, answer, sizeof answer - 1);
            failed = alloc_fail_disarm();
            int usual = strcmp(paths[i], "/nothing") == 0 ? 404 : 200;
            assert_true(status == usual || (failed && (status == 0 || status >= 500)));
        }
    }
    server_stop(s);
    monitor_folder_remove(folder);
}

/* A stream is told of news, and ends when the server does. */
static void test_streams_end_with_the_server(void **state)
{
    (void)state;
    char why[DXT_MONITOR_WHY];
    static char answer[4096];
    make_folder();
    put("a.jsonl", "{\n");
    assert_int_equal(serve(why), 0);
    dxt_monitor_options options = options_of();
    options.listen = "127.0.0.1:0";
    news shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    dxt_cond_init(&shared.more);
    server *s;
    assert_int_equal(server_start(&options, &shared, &s, why), 0);
    static const char request[] = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ask(server_port(s), request, answer, 64), 200);
        pthread_mutex_lock(&shared.lock);
        shared.count++;
        shared.ended = i == 9;
        pthread_cond_broadcast(&shared.more);
        pthread_mutex_unlock(&shared.lock);
    }
    server_stop(s);
    monitor_folder_remove(folder);
}

/* Who trickles a request has an end; who listens to a stream has none. */
static void test_requests_that_trickle_end(void **state)
{
    (void)state;
    char why[DXT_MONITOR_WHY], answer[256];
    make_folder();
    put("a.jsonl", "{\n");
    assert_int_equal(serve(why), 0);
    dxt_monitor_options options = options_of();
    options.listen = "127.0.0.1:0";
    news shared = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false};
    server *s;
    assert_int_equal(server_start(&options, &shared, &s, why), 0);
    int stream = send_to(server_port(s), "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(recv(stream, answer, sizeof answer, 0) > 0);
    int trickling = send_to(server_port(s), "GET /metr");
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    assert_int_equal(server_tend(s, (int64_t)now.tv_sec * 1000000000), 0);
    /* It is there as soon as its thread has taken it. */
    unsigned ended = 0;
    for (int i = 0; i < 10000 && ended == 0; i++) {
        ended = server_tend(s, (int64_t)(now.tv_sec + 100000) * 1000000000);
        usleep(10000);
    }
    assert_int_equal(ended, 1);
    assert_true(recv(trickling, answer, sizeof answer, 0) <= 0);
    pthread_mutex_lock(&shared.lock);
    shared.count++;
    pthread_cond_broadcast(&shared.more);
    pthread_mutex_unlock(&shared.lock);
    assert_true(recv(stream, answer, sizeof answer, 0) > 0);
    pthread_mutex_lock(&shared.lock);
    shared.ended = true;
    pthread_cond_broadcast(&shared.more);
    pthread_mutex_unlock(&shared.lock);
    server_stop(s);
    close(stream);
    close(trickling);
    monitor_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_that_trickle_end),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_following_when_memory_runs_out),
        cmocka_unit_test(test_text_when_memory_runs_out),
        cmocka_unit_test(test_answers_when_memory_runs_out),
        cmocka_unit_test(test_streams_end_with_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
