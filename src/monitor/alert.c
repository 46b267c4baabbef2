/* SPDX-License-Identifier: Apache-2.0 */
/* Send a message when an incident opens, and one when it closes: at least once each, also over
 * restarts. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "serve.h"
#include "system/clock.h"

/* The wait between tries doubles from the first to the second of these. */
#define FIRST_WAIT_S 5
#define LONGEST_WAIT_S 600
/* If a command or a server takes longer, this try is given up. */
#define PATIENCE_S 30

/* The functions of libcurl in use. It is loaded only if there is a webhook. */
typedef struct curl_table {
    void *library;
    CURL *(*init)(void);
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*perform)(CURL *);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    void (*cleanup)(CURL *);
    struct curl_slist *(*append)(struct curl_slist *, const char *);
    void (*free_all)(struct curl_slist *);
} curl_table;

struct alerts {
    const dxt_monitor_options *options;
    void (*say)(const char *line);
    store s;
    curl_table curl;
    char *url;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, running, told;
};

/* ---- a webhook ---- */

static int load_curl(curl_table *curl, char *why)
{
    static const struct {
        const char *name;
        size_t at;
    } names[] = {{"curl_easy_init", offsetof(curl_table, init)},
                 {"curl_easy_setopt", offsetof(curl_table, setopt)},
                 {"curl_easy_perform", offsetof(curl_table, perform)},
                 {"curl_easy_getinfo", offsetof(curl_table, getinfo)},
                 {"curl_easy_cleanup", offsetof(curl_table, cleanup)},
                 {"curl_slist_append", offsetof(curl_table, append)},
                 {"curl_slist_free_all", offsetof(curl_table, free_all)}};
    curl->library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; curl->library && i < sizeof names / sizeof names[0]; i++) {
        void *address = dlsym(curl->library, names[i].name);
        if (!address) curl->library = NULL;
        memcpy((char *)curl + names[i].at, &address, sizeof address);
    }
    if (curl->library) return 0;
    snprintf(why, DXT_MONITOR_WHY, "--webhook-file needs libcurl: install Debian's libcurl4");
    return 2;
}

/* Whether a text can be a URL to post to: http or https, a host, and no forbidden characters. */
static bool is_url(const char *text)
{
    size_t scheme = strncasecmp(text, "http://", 7) == 0    ? 7
                    : strncasecmp(text, "https://", 8) == 0 ? 8
                                                            : 0;
    if (scheme == 0 || text[scheme] == '\0' || strchr("/?#:", text[scheme])) return false;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f) return false;
    return true;
}

/* Read the URL from the first line of a file. It is never shown. */
static char *read_url(const char *path, char *why)
{
    char *line = NULL;
    size_t capacity = 0;
    FILE *file = fopen(path, "re");
    ssize_t length = file ? getline(&line, &capacity, file) : -1;
    if (!file) snprintf(why, DXT_MONITOR_WHY, "%.300s: %s", path, strerror(errno));
    if (file) fclose(file);
    while (length > 0 && strchr("\r\n \t", line[length - 1])) line[--length] = '\0';
    if (length > 0 && strlen(line) == (size_t)length && is_url(line)) return line;
    if (file)
        snprintf(why, DXT_MONITOR_WHY, "%.300s: %s", path,
                 length > 0 ? "the first line must be a URL of http:// or https://"
                            : "the first line is empty");
    free(line);
    return NULL;
}

static size_t ignore(char *data, size_t size, size_t count, void *context)
{
    (void)data, (void)context;
    return size * count;
}

static bool is_stopping(alerts *a)
{
    pthread_mutex_lock(&a->lock);
    bool stop = a->stop;
    pthread_mutex_unlock(&a->lock);
    return stop;
}

/* @return Not 0 to give the transfer up. */
static int watch_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return is_stopping(context);
}

static bool post(alerts *a, const char *body, char *why, size_t why_size)
{
    const curl_table *c = &a->curl;
    CURL *handle = c->init();
    struct curl_slist *headers = c->append(NULL, "Content-Type: application/json");
    long status = 0;
    CURLcode code = handle && headers ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) {
        c->setopt(handle, CURLOPT_URL, a->url);
        c->setopt(handle, CURLOPT_POSTFIELDS, body);
        c->setopt(handle, CURLOPT_HTTPHEADER, headers);
        c->setopt(handle, CURLOPT_TIMEOUT, (long)PATIENCE_S);
        c->setopt(handle, CURLOPT_NOSIGNAL, 1L);
        c->setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
        c->setopt(handle, CURLOPT_WRITEFUNCTION, ignore);
        c->setopt(handle, CURLOPT_NOPROGRESS, 0L);
        c->setopt(handle, CURLOPT_XFERINFOFUNCTION, watch_stop);
        c->setopt(handle, CURLOPT_XFERINFODATA, a);
        code = c->perform(handle);
        c->getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    }
    c->free_all(headers);
    if (handle) c->cleanup(handle);
    if (code == CURLE_OK && status >= 200 && status < 300) return true;
    if (code == CURLE_OK)
        snprintf(why, why_size, "the webhook answered %ld", status);
    else
        snprintf(why, why_size, "the webhook cannot be reached (libcurl: error %d)", (int)code);
    return false;
}

/* ---- a command ---- */

/* Write as much as the pipe takes. @return Whether there is more to write. */
static bool feed(int fd, const char **body)
{
    while (**body) {
        ssize_t n = write(fd, *body, strlen(*body));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN; /* otherwise the command does not read it */
        *body += n;
    }
    return false;
}

/* Feed a command, and wait for its end for a while. @return As waitpid(); 0 = it still runs. */
static pid_t attend(alerts *a, pid_t child, int *input, const char *body, int *status)
{
    int64_t until_ns = dxt_clock_ns(CLOCK_MONOTONIC) + PATIENCE_S * INT64_C(1000000000);
    while (!is_stopping(a) && dxt_clock_ns(CLOCK_MONOTONIC) < until_ns) {
        if (*input >= 0 && !feed(*input, &body)) {
            close(*input);
            *input = -1;
        }
        pid_t ended = waitpid(child, status, WNOHANG);
        if (ended != 0) return ended;
        poll(&(struct pollfd){.fd = *input, .events = POLLOUT}, 1, 50);
    }
    return 0;
}

/* Signals as a new program expects them, and a group that is ended as a whole. */
static bool usual_signals(posix_spawnattr_t *attributes)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
    sigset_t none, ignored;
    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    sigaddset(&ignored, SIGXFSZ);
    return posix_spawnattr_setsigmask(attributes, &none) == 0 &&
           posix_spawnattr_setsigdefault(attributes, &ignored) == 0 &&
           posix_spawnattr_setflags(attributes, flags) == 0;
}

static pid_t spawn(const char *command, int input)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *const arguments[] = {(char *)command, NULL};
    pid_t child = -1;
    if (posix_spawn_file_actions_init(&actions) != 0) return -1;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -1;
    }
    bool well = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) == 0 &&
                usual_signals(&attributes) &&
                posix_spawnp(&child, command, &actions, &attributes, arguments, environ) == 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return well ? child : -1;
}

/* Start the command without a shell. It writes to our standard output. */
static bool run_command(alerts *a, const char *body, char *why, size_t why_size)
{
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    fcntl(ends[1], F_SETFL, O_NONBLOCK); /* it may never read */
    pid_t child = spawn(a->options->command, ends[0]);
    close(ends[0]);
    pid_t ended = child < 0 ? -1 : attend(a, child, &ends[1], body, &status);
    if (ends[1] >= 0) close(ends[1]);
    if (ended == 0) {
        kill(-child, SIGKILL);
        kill(child, SIGKILL); /* it may have left its group */
        waitpid(child, &status, 0);
        snprintf(why, why_size, "%.100s took more than %d s", a->options->command, PATIENCE_S);
        return false;
    }
    if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (child < 0) {
        snprintf(why, why_size, "%.100s cannot be run", a->options->command);
        return false;
    }
    snprintf(why, why_size, "%.100s failed with status %d", a->options->command,
             WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return false;
}

/* ---- the queue ---- */

static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* Find the oldest message that is due. One that would wait longer than any may is due as well: the
 * clock was set back. A channel sends in order, so one that fails holds up the next. */
static bool next_due(alerts *a, int64_t *id, int64_t *attempts, char **channel, char **body)
{
    query q = query_begin(&a->s, "SELECT id, attempts, channel, body FROM alert WHERE id IN (SELECT"
                                 " min(id) FROM alert GROUP BY channel) AND next_ns NOT BETWEEN"
                                 " ?1 + 1 AND ?1 + ?2 LIMIT 1");
    query_int(&q, now_s());
    query_int(&q, LONGEST_WAIT_S);
    *channel = *body = NULL;
    if (query_row(&q)) {
        *id = query_get_int(&q, 0);
        *attempts = query_get_int(&q, 1);
        *channel = strdup(query_get_text(&q, 2));
        *body = strdup(query_get_text(&q, 3));
    }
    query_end(&q);
    return *channel && *body;
}

static void send_one(alerts *a, int64_t id, int64_t attempts, const char *channel, const char *body)
{
    char why[256] = "it is not set up any more", line[400];
    bool hook = strcmp(channel, "webhook") == 0;
    bool there = hook ? a->url != NULL : a->options->command != NULL;
    bool sent =
        there && (hook ? post(a, body, why, sizeof why) : run_command(a, body, why, sizeof why));
    /* We end now: the next process sends it. */
    if (!sent && is_stopping(a)) return;
    query q = {0};
    if (sent || !there) {
        q = query_begin(&a->s, "DELETE FROM alert WHERE id = ?");
    } else {
        int64_t wait = FIRST_WAIT_S;
        for (int64_t i = 0; i < attempts && wait < LONGEST_WAIT_S; i++) wait *= 2;
        q = query_begin(&a->s,
                        "UPDATE alert SET attempts = attempts + 1, next_ns = ? WHERE id = ?");
        query_int(&q, now_s() + (wait < LONGEST_WAIT_S ? wait : LONGEST_WAIT_S));
    }
    query_int(&q, id);
    query_do(&q);
    if (!sent && !a->told) {
        snprintf(line, sizeof line, "an incident could not be sent: %s; trying again", why);
        a->say(line);
    }
    a->told = !sent;
}

static void *work(void *context)
{
    alerts *a = context;
    for (;;) {
        int64_t id, attempts;
        char *channel, *body;
        bool due = next_due(a, &id, &attempts, &channel, &body);
        if (due) send_one(a, id, attempts, channel, body);
        free(channel);
        free(body);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 1;
        pthread_mutex_lock(&a->lock);
        bool stop = a->stop;
        if (!stop && !due) pthread_cond_timedwait(&a->wake, &a->lock, &until);
        pthread_mutex_unlock(&a->lock);
        if (stop) return NULL;
    }
}

static bool is_program(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* Whether the command can be found, as posix_spawnp() does: better told now than at night. */
static bool is_runnable(const char *command)
{
    const char *folders = secure_getenv("PATH");
    if (strchr(command, '/') || !folders) return is_program(command);
    for (const char *at = folders, *end; at; at = *end ? end + 1 : NULL) {
        char path[4096];
        end = strchrnul(at, ':');
        int length = (int)(end - at);
        snprintf(path, sizeof path, "%.*s/%s", length > 0 ? length : 1, length > 0 ? at : ".",
                 command);
        if (is_program(path)) return true;
    }
    return false;
}

int alerts_start(const dxt_monitor_options *options, void (*say)(const char *line), alerts **out,
                 char *why)
{
    alerts *a = calloc(1, sizeof *a);
    if (!a) return 3;
    *a = (alerts){.options = options, .say = say, .lock = PTHREAD_MUTEX_INITIALIZER};
    dxt_cond_init(&a->wake);
    *out = a;
    int status = 0;
    if (options->webhook_file) {
        status = load_curl(&a->curl, why);
        if (status == 0) a->url = read_url(options->webhook_file, why);
        if (status == 0 && !a->url) status = 2;
    }
    if (status == 0 && options->command && !is_runnable(options->command)) {
        snprintf(why, DXT_MONITOR_WHY, "--exec: %.300s is no program that can be run",
                 options->command);
        status = 2;
    }
    if (status != 0 || (!options->webhook_file && !options->command)) return status;
    signal(SIGPIPE, SIG_IGN);
    status = store_open_writer(&a->s, options->store);
    if (status != 0) {
        snprintf(why, DXT_MONITOR_WHY, "%.200s: %s", options->store, a->s.why);
        return status;
    }
    a->running = pthread_create(&a->thread, NULL, work, a) == 0;
    return a->running ? 0 : 3;
}

void alerts_wake(alerts *a)
{
    pthread_mutex_lock(&a->lock);
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
}

void alerts_stop(alerts *a)
{
    if (!a) return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    if (a->running) pthread_join(a->thread, NULL);
    if (a->s.db) store_close(&a->s);
    free(a->url);
    free(a);
}
