/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that follows, judges and writes. */
#include "serve.h"

#include <deepxtrace/deepxtrace.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reading.h"

/* Between two looks at the files. */
#define LOOK_NS INT64_C(500000000)
/* A window that waits for its other operator is judged alone, and the last window of a log is taken
 * for whole, when nothing more has come for so long. */
#define SETTLE_NS INT64_C(3000000000)
/* Between two times that what is old is forgotten. */
#define FORGET_NS INT64_C(60000000000)
typedef struct monitor {
    const dxt_monitor_options *options;
    void (*say)(const char *line);
    store s;
    follower files;
    reading *readings; /**< one for each file */
    size_t reading_count;
    recorder recorder;
    reading_desk desk;
    news news;
    server *server;
    alerts *alerts;
    bool failing; /**< the store could not be written last time */
    char *why;
} monitor;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void tell(monitor *m, const char *format, ...) DXT_PRINTF(2, 3);
static void tell(monitor *m, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    m->say(line);
}

/* ---- transactions ---- */

static void forget_judges(monitor *m)
{
    for (size_t i = 0; i < m->reading_count; i++) {
        reading_end(&m->readings[i]);
        m->files.files[i].size = -1;
        m->files.files[i].identity[0] = '\0';
    }
}

/* What was judged since the last commit is not in the store: it is judged again from the files. */
static void give_back(monitor *m)
{
    char why[sizeof m->s.why];
    memcpy(why, m->s.why, sizeof why);
    store_run(&m->s, "ROLLBACK");
    forget_judges(m);
    if (!m->failing) tell(m, "the store cannot be written: %s; trying again", why);
    m->failing = true;
}

static bool commit(monitor *m)
{
    if (!store_run(&m->s, "COMMIT")) return false;
    if (m->failing) tell(m, "the store can be written again");
    m->failing = false;
    if (!m->recorder.changed) return true;
    m->recorder.changed = false;
    pthread_mutex_lock(&m->news.lock);
    m->news.count++;
    pthread_cond_broadcast(&m->news.more);
    pthread_mutex_unlock(&m->news.lock);
    alerts_wake(m->alerts);
    return true;
}

/* ---- all files ---- */

static bool make_readings(monitor *m)
{
    if (m->files.count <= m->reading_count) return true;
    reading *grown = realloc(m->readings, m->files.count * sizeof *grown);
    if (!grown) return false;
    memset(grown + m->reading_count, 0, (m->files.count - m->reading_count) * sizeof *grown);
    m->readings = grown;
    m->reading_count = m->files.count;
    return true;
}

/* The name of a file without what rotation put behind it: "diagnose_rank0". */
static void short_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : path);
    char *kind = strstr(name, ".jsonl");
    if (!kind) kind = strstr(name, ".log");
    if (kind) *kind = '\0';
}

/* One transaction. @return Whether there is more to read at once. */
static bool read_some(monitor *m, followed *file, reading *r, text_source *source, bool settled)
{
    bool failed = !store_run(&m->s, "BEGIN IMMEDIATE"), more = false;
    m->recorder.now_ns = clock_ns(CLOCK_REALTIME);
    if (!failed) more = reading_some(&m->desk, file, r, source, settled, &failed);
    if (!failed) failed = !commit(m);
    if (failed) give_back(m);
    return more && !failed;
}

/* @return Whether the file is the one that it was; if not, it is begun anew. */
static bool see_identity(monitor *m, followed *file, reading *r, const char *identity)
{
    if (identity[0] == '\0') return false;
    if (strcmp(identity, file->identity) != 0) {
        snprintf(file->identity, sizeof file->identity, "%s", identity);
        file->told = false;
        if (!reading_begin(r, file, &m->recorder) || !reading_look_up(&m->desk, file)) {
            file->identity[0] = '\0';
            return false;
        }
    }
    bool plain = file->packing == TEXT_PLAIN;
    /* All of it is stored: it is judged again only if it goes on. */
    if (plain && file->position == 0 && file->size == file->stored) return false;
    if (!plain || (file->size >= file->position && file->size >= file->stored)) return true;
    if (!file->told)
        tell(m, "%s: became shorter; what was read stays, new lines are awaited", file->path);
    file->told = true;
    return false;
}

static void read_file(monitor *m, size_t index, bool settled, const volatile sig_atomic_t *stop)
{
    followed *file = &m->files.files[index];
    reading *r = &m->readings[index];
    text_source *source;
    char identity[sizeof file->identity], name[256];
    const char *why = follow_open(file, &source, identity);
    if (why && !file->told) tell(m, "%s: %s", file->path, why);
    if (why) file->told = true;
    bool ready = !why && see_identity(m, file, r, identity);
    short_name(file->path, name, sizeof name);
    m->recorder.file_name = name;
    ready = ready && !file->done && r->judge && text_seek(source, file->position);
    while (ready && !*stop) ready = read_some(m, file, r, source, settled);
    text_close(source);
    if (m->recorder.old > 0)
        tell(m, "%s: %" PRIu64 " windows are older than --keep and were left out", file->path,
             m->recorder.old);
    m->recorder.old = 0;
}

static void look(monitor *m, const volatile sig_atomic_t *stop)
{
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (!follow_scan(&m->files) || !make_readings(m)) return;
    for (size_t i = 0; i < m->files.count && !*stop; i++) {
        followed *file = &m->files.files[i];
        bool grew = follow_grew(file, now_ns);
        bool settled = m->options->once || (!grew && now_ns - file->grown_ns > SETTLE_NS);
        if (grew || (settled && reading_has_waiting(&m->readings[i], file)))
            read_file(m, i, settled, stop);
    }
}

static void forget_old(monitor *m)
{
    m->recorder.now_ns = clock_ns(CLOCK_REALTIME);
    if (!store_run(&m->s, "BEGIN IMMEDIATE") || !record_forget(&m->recorder) ||
        !store_run(&m->s, "COMMIT"))
        give_back(m);
}

static void rest(int64_t ns)
{
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    nanosleep(&time, NULL);
}

static void run(monitor *m, const volatile sig_atomic_t *stop)
{
    int64_t forgotten_ns = 0;
    uint64_t written = UINT64_MAX;
    while (!*stop) {
        look(m, stop);
        int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        if (now_ns - forgotten_ns > FORGET_NS) {
            forget_old(m);
            forgotten_ns = now_ns;
        }
        if (m->options->metrics_file && written != m->news.count) {
            if (!metrics_write(&m->s, m->options, clock_ns(CLOCK_REALTIME)) && !m->failing)
                tell(m, "%s: %s", m->options->metrics_file, m->s.why);
            written = m->news.count;
        }
        if (m->options->once) break;
        rest(LOOK_NS);
    }
}

static int begin(monitor *m)
{
    int status = store_open(&m->s, m->options->store);
    if (status != 0) {
        snprintf(m->why, DXT_MONITOR_WHY, "%.200s: %s", m->options->store, m->s.why);
        return status;
    }
    status = alerts_start(m->options, m->say, &m->alerts, m->why);
    if (status == 0 && m->options->listen)
        status = server_start(m->options, &m->news, &m->server, m->why);
    if (status == 0 && m->server)
        tell(m, "http://%s (port %u)", m->options->listen, server_port(m->server));
    return status;
}

static void end(monitor *m)
{
    pthread_mutex_lock(&m->news.lock);
    m->news.ended = true;
    pthread_cond_broadcast(&m->news.more);
    pthread_mutex_unlock(&m->news.lock);
    server_stop(m->server);
    alerts_stop(m->alerts);
    forget_judges(m);
    free(m->readings);
    follow_free(&m->files);
    store_close(&m->s);
}

static int serve(const dxt_monitor_options *options, void (*say)(const char *line),
                 const volatile sig_atomic_t *stop, char *why)
{
    monitor m = {.options = options,
                 .say = say,
                 .why = why,
                 .files = {.inputs = options->inputs, .input_count = options->input_count},
                 .news = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false}};
    m.recorder = (recorder){.s = &m.s, .options = options};
    m.desk = (reading_desk){.s = &m.s, .recorder = &m.recorder, .say = say};
    why[0] = '\0';
    int status = begin(&m);
    if (status == 0) run(&m, stop);
    if (status == 0 && m.failing) {
        snprintf(why, DXT_MONITOR_WHY, "%.200s: %s", options->store, m.s.why);
        status = 3;
    }
    end(&m);
    return status;
}

static const char *describe(void)
{
    return "SQLite " SQLITE_VERSION;
}

DXT_API const dxt_monitor_part *dxt_monitor(uint32_t layout);
const dxt_monitor_part *dxt_monitor(uint32_t layout)
{
    static const dxt_monitor_part part = {DXT_MONITOR_LAYOUT, describe, serve};
    return layout == DXT_MONITOR_LAYOUT ? &part : NULL;
}
