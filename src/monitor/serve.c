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

#include "base/base.h"
#include "reading.h"
#include "system/clock.h"

/* Between two looks at the files. */
#define LOOK_NS INT64_C(500000000)
/* If nothing has come for this long, a window that waits for its other operator is judged alone,
 * and the last window of a log counts as complete. */
#define SETTLE_NS INT64_C(3000000000)
/* One file is read for this long before the others have their turn. */
#define TURN_NS INT64_C(1000000000)
/* A clock that jumps by more was set. For the second of these it is not trusted to tell what is
 * old. */
#define CLOCK_JUMP_NS INT64_C(30000000000)
#define CLOCK_DOUBT_NS INT64_C(600000000000)
/* Old windows are deleted this often … */
#define FORGET_NS INT64_C(60000000000)
/* … and after this many windows: old files may bring thousands a second. */
#define FORGET_WINDOWS 5000
/* Progress is reported if reading takes longer than this. */
#define PROGRESS_NS INT64_C(10000000000)

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
    bool failing;        /**< the store could not be written last time */
    bool missed;         /**< … or ever: with --once the store is not complete then */
    bool metrics_told;   /**< it was said that the metrics file could not be written */
    int64_t progress_ns; /**< since when there is more to read, or the last report of progress */
    bool progress_told;  /**< progress was reported since then */
    int64_t clock_offset_ns; /**< the clock less the time since boot; 0 = not read yet */
    int64_t clock_set_ns;    /**< until when the clock is not trusted, CLOCK_MONOTONIC */
    char *why;
} monitor;

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

/* Report a failure once, until all is well again. */
static void note_failing(monitor *m, const char *what)
{
    if (!m->failing) tell(m, "%s: %s; trying again", what, m->s.why);
    m->failing = m->missed = true;
}

static void note_memory(monitor *m)
{
    snprintf(m->s.why, sizeof m->s.why, "out of memory");
    note_failing(m, "nothing can be read");
}

static void note_store(monitor *m)
{
    note_failing(m, "the store cannot be written");
}

/* Begin all files anew: what was judged since the last commit is not in the store. */
static void give_back(monitor *m)
{
    char why[sizeof m->s.why];
    memcpy(why, m->s.why, sizeof why);
    store_run(&m->s, "ROLLBACK");
    memcpy(m->s.why, why, sizeof why);
    forget_judges(m);
    note_store(m);
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

/* The name of a file without the suffix of rotation: "diagnose_rank0". */
static void short_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : path);
    char *kind = strstr(name, ".jsonl");
    if (!kind) kind = strstr(name, ".log");
    if (kind) *kind = '\0';
    dxt_make_printable(name);
}

/* Read a file in one transaction. @return Whether there is more to read at once. */
static bool read_some(monitor *m, followed *file, reading *r, text_source *source, bool settled)
{
    bool failed = false;
    if (!store_run(&m->s, "BEGIN IMMEDIATE")) {
        /* Nothing was judged: the files keep their positions, and are read again. */
        file->size = -1;
        note_store(m);
        return false;
    }
    m->recorder.now_ns = dxt_clock_ns(CLOCK_REALTIME);
    bool more = reading_some(&m->desk, file, r, source, settled, &failed);
    if (!failed) failed = !commit(m);
    if (failed) give_back(m);
    return more && !failed;
}

/* @return Whether it is still the same file; if not, it is begun anew. */
static bool see_identity(monitor *m, followed *file, reading *r, const char *identity)
{
    if (identity[0] == '\0') return false;
    if (strcmp(identity, file->identity) != 0) {
        snprintf(file->identity, sizeof file->identity, "%s", identity);
        file->told = false;
        bool begun = reading_begin(r, file, &m->recorder);
        if (!begun) note_memory(m);
        if (begun && !reading_look_up(&m->desk, file)) {
            begun = false;
            note_store(m);
        }
        if (!begun) {
            file->identity[0] = '\0';
            file->size = -1;
            return false;
        }
    }
    bool plain = file->packing == TEXT_PLAIN;
    /* All of it is stored: judge it again only if it grows. */
    if (plain && file->position == 0 && file->size == file->stored) return false;
    if (!plain || (file->size >= file->position && file->size >= file->stored)) return true;
    if (!file->told)
        tell(m, "%s: the file became shorter; its windows are kept, new lines are read",
             file->path);
    file->told = true;
    return false;
}

/* Report progress: files that were there before may take long. */
static void tell_progress(monitor *m, const followed *file)
{
    int64_t now_ns = dxt_clock_ns(CLOCK_MONOTONIC);
    if (file->packing != TEXT_PLAIN || now_ns - m->progress_ns < PROGRESS_NS) return;
    m->progress_ns = now_ns;
    m->progress_told = true;
    tell(m, "%s: %" PRId64 " of %" PRId64 " MB are read", file->path, file->position >> 20,
         (int64_t)file->size >> 20);
}

static void end_progress(monitor *m, int64_t now_ns)
{
    if (m->progress_told) tell(m, "all files that were there are read");
    m->progress_told = false;
    m->progress_ns = now_ns;
}

/* @return Whether there is more to read after the other files had their turn. */
static bool read_file(monitor *m, size_t index, bool settled, const volatile sig_atomic_t *stop)
{
    followed *file = &m->files.files[index];
    reading *r = &m->readings[index];
    text_source *source;
    char identity[sizeof file->identity], name[256];
    int64_t begun_ns = dxt_clock_ns(CLOCK_MONOTONIC);
    const char *why = follow_open(file, &source, identity);
    bool memory = why && errno == ENOMEM;
    if (memory) {
        file->size = -1;
        note_memory(m);
    } else if (why) {
        if (!file->told) tell(m, "%s: %s", file->path, why);
        file->told = true;
    }
    bool more = !why && see_identity(m, file, r, identity);
    short_name(file->path, name, sizeof name);
    m->recorder.file_name = name;
    more = more && !file->done && r->judge && text_seek(source, file->position);
    while (more && !*stop) {
        more = read_some(m, file, r, source, settled);
        if (more) tell_progress(m, file);
        bool turn =
            file->packing == TEXT_PLAIN && dxt_clock_ns(CLOCK_MONOTONIC) - begun_ns > TURN_NS;
        if (turn) break;
    }
    text_close(source);
    if (m->recorder.old > 0)
        tell(m, "%s: %" PRIu64 " windows are older than --keep and were left out", file->path,
             m->recorder.old);
    m->recorder.old = 0;
    return more;
}

/* @return Whether there is more to read at once. */
static bool look(monitor *m, const volatile sig_atomic_t *stop)
{
    int64_t now_ns = dxt_clock_ns(CLOCK_MONOTONIC);
    bool more = false;
    if (!follow_scan(&m->files) || !make_readings(m)) {
        note_memory(m);
        return false;
    }
    for (size_t i = 0; i < m->files.count && !*stop; i++) {
        followed *file = &m->files.files[i];
        bool grew = follow_grew(file, now_ns) || file->more;
        bool settled = m->options->once || (!grew && now_ns - file->grown_ns > SETTLE_NS);
        if (!grew && !(settled && reading_has_waiting(&m->readings[i], file))) continue;
        file->more = read_file(m, i, settled, stop);
        more |= file->more;
    }
    return more;
}

/* If the clock was set, it says wrongly what is old: say so, and delete nothing for a while. */
static bool clock_was_set(monitor *m, int64_t now_ns)
{
    int64_t offset_ns = dxt_clock_ns(CLOCK_REALTIME) - dxt_clock_ns(CLOCK_BOOTTIME);
    int64_t jump_ns = m->clock_offset_ns ? offset_ns - m->clock_offset_ns : 0;
    m->clock_offset_ns = offset_ns;
    if (jump_ns > -CLOCK_JUMP_NS && jump_ns < CLOCK_JUMP_NS) return now_ns < m->clock_set_ns;
    tell(m,
         "the clock of this machine was set %s by %" PRId64
         " s; windows without `begin` have the new time",
         jump_ns < 0 ? "back" : "forward",
         ((jump_ns < 0 ? -jump_ns : jump_ns) + 500000000) / 1000000000);
    m->clock_set_ns = now_ns + CLOCK_DOUBT_NS;
    return true;
}

static void forget_old(monitor *m)
{
    if (!store_run(&m->s, "BEGIN IMMEDIATE")) {
        note_store(m);
        return;
    }
    m->recorder.now_ns = dxt_clock_ns(CLOCK_REALTIME);
    if (!record_forget(&m->recorder) || !store_run(&m->s, "COMMIT")) give_back(m);
}

static void write_metrics(monitor *m)
{
    bool well = metrics_write(&m->s, m->options, dxt_clock_ns(CLOCK_REALTIME));
    if (!well && !m->metrics_told) tell(m, "%s: %s", m->options->metrics_file, m->s.why);
    m->metrics_told = !well;
}

static void rest(int64_t ns)
{
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    nanosleep(&time, NULL);
}

static void run(monitor *m, const volatile sig_atomic_t *stop)
{
    int64_t forgotten_ns = 0;
    uint64_t forgotten_at = 0;
    m->progress_ns = dxt_clock_ns(CLOCK_MONOTONIC);
    uint64_t written = UINT64_MAX;
    while (!*stop && store_is_there(&m->s, m->options->store)) {
        bool more = look(m, stop);
        int64_t now_ns = dxt_clock_ns(CLOCK_MONOTONIC);
        if (!more) end_progress(m, now_ns);
        server_tend(m->server, now_ns);
        bool doubtful = clock_was_set(m, now_ns);
        bool due = forgotten_ns == 0 || now_ns - forgotten_ns > FORGET_NS ||
                   m->recorder.windows - forgotten_at >= FORGET_WINDOWS;
        if (!doubtful && (due || (!more && m->options->once))) {
            forget_old(m);
            forgotten_ns = now_ns;
            forgotten_at = m->recorder.windows;
        }
        if (m->options->metrics_file && written != m->news.count) {
            write_metrics(m);
            written = m->news.count;
        }
        if (!more && m->options->once) break;
        if (!more) rest(LOOK_NS);
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
                 .news = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    dxt_cond_init(&m.news.more);
    m.recorder = (recorder){.s = &m.s, .options = options};
    m.desk = (reading_desk){.s = &m.s, .recorder = &m.recorder, .say = say};
    why[0] = '\0';
    int status = begin(&m);
    if (status == 0) run(&m, stop);
    bool there = status != 0 || store_is_there(&m.s, options->store);
    if (!there || (status == 0 && (m.failing || (options->once && m.missed)))) {
        snprintf(why, DXT_MONITOR_WHY, "%.200s: %s", options->store, m.s.why);
        status = 3;
    }
    end(&m);
    if (status == 3 && !why[0]) snprintf(why, DXT_MONITOR_WHY, "out of memory");
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
