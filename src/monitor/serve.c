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

#include "follow.h"
#include "judge.h"
#include "record.h"

/* Between two looks at the files. */
#define LOOK_NS INT64_C(500000000)
/* A window that waits for its other operator is judged alone, and the last window of a log is taken
 * for whole, when nothing more has come for so long. */
#define SETTLE_NS INT64_C(3000000000)
/* Between two times that what is old is forgotten. */
#define FORGET_NS INT64_C(60000000000)
/* Windows in one transaction at most. */
#define BATCH 200
/* Text of a log that is looked at in one go, unless a window is larger. */
#define LOG_CHUNK (INT64_C(32) << 20)

/* A file with the state of its judgement. */
typedef struct reading {
    judge *judge; /**< NULL: not begun, or to be begun anew */
} reading;

typedef struct monitor {
    const dxt_monitor_options *options;
    void (*say)(const char *line);
    store s;
    follower files;
    reading *readings; /**< one for each file */
    size_t reading_count;
    recorder recorder;
    news news;
    server *server;
    alerts *alerts;
    bool failing; /**< the store could not be written last time */
    char *why;
} monitor;

/* What came of a piece of text. */
struct progress {
    uint64_t windows, bad;
    char problem[256];
};

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

/* ---- a file in the store ---- */

/* Which file it is; a new one gets a line. */
static bool look_up(monitor *m, followed *file)
{
    query q =
        query_begin(m->recorder.s, "INSERT INTO file (identity, path) VALUES (?1, ?2) ON CONFLICT"
                                   " (identity) DO UPDATE SET path = ?2"
                                   " RETURNING id, position, done");
    query_text(&q, file->identity);
    query_text(&q, file->path);
    file->id = query_row(&q) ? query_get_int(&q, 0) : 0;
    file->stored = file->id != 0 ? query_get_int(&q, 1) : 0;
    if (file->packed) file->done = file->stored > 0 && query_get_int(&q, 2) != 0;
    return query_end(&q) && file->id != 0;
}

/* What has to be read again after a restart is not dealt with yet: from the first window that still
 * waits for its companion. */
static bool note_position(monitor *m, const followed *file, const reading *r,
                          const struct progress *p)
{
    int64_t waiting = judge_waiting(r->judge);
    query q = query_begin(&m->s, "UPDATE file SET position = max(position, ?), done = ?, windows ="
                                 " windows + ?, bad = bad + ?, problem = coalesce(?, problem)"
                                 " WHERE id = ?");
    query_int(&q, waiting >= 0 && waiting < file->position ? waiting : file->position);
    query_int(&q, file->done);
    query_int(&q, (int64_t)p->windows);
    query_int(&q, (int64_t)p->bad);
    query_text(&q, p->problem[0] ? p->problem : NULL);
    query_int(&q, file->id);
    return query_do(&q);
}

/* Another identity, or a judge that was thrown away: the text is judged from its beginning, and
 * what is stored already is left alone. */
static bool begin_anew(monitor *m, followed *file, reading *r)
{
    if (r->judge) judge_free(r->judge);
    if (!r->judge) r->judge = calloc(1, sizeof *r->judge);
    if (!r->judge) return false;
    *r->judge =
        (judge){.min_share = m->options->min_share, .told = record_window, .context = &m->recorder};
    file->position = file->line = 0;
    return true;
}

/* ---- transactions ---- */

static void forget_judges(monitor *m)
{
    for (size_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].judge) judge_free(m->readings[i].judge);
        free(m->readings[i].judge);
        m->readings[i].judge = NULL;
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

/* ---- recordings: a line is a window ---- */

static dxt_status take_line(reading *r, const followed *file, const char *line, size_t length,
                            struct progress *progress)
{
    dxt_reader *reader;
    dxt_window *window = NULL;
    size_t blank = strspn(line, " \t\r\n");
    if (blank >= length) return DXT_OK;
    dxt_status status = dxt_reader_open_memory(line, length, file->path, &reader);
    if (status != DXT_OK) return status;
    status = dxt_reader_next(reader, &window);
    dxt_reader_close(reader);
    bool anew = file->position >= file->stored;
    if (status == DXT_OK) {
        progress->windows += anew;
        return judge_take(r->judge, window, file->position);
    }
    if (status == DXT_ERR_NO_MEMORY) return status;
    if (!anew) return DXT_OK;
    progress->bad++;
    snprintf(progress->problem, sizeof progress->problem, "line %" PRId64 ": %s", file->line + 1,
             dxt_error());
    return DXT_OK;
}

/* Up to BATCH lines. @return Whether there is more; sets *failed. */
static bool read_lines(monitor *m, followed *file, reading *r, text_source *source, bool *failed)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length = 0;
    struct progress progress = {0};
    dxt_status status = DXT_OK;
    for (int i = 0; status == DXT_OK && i < BATCH; i++) {
        length = follow_line(source, &line, &capacity);
        if (length <= 0) break;
        status = take_line(r, file, line, (size_t)length, &progress);
        file->position += length;
        file->line++;
    }
    free(line);
    if (status == DXT_OK && length < 0) {
        snprintf(progress.problem, sizeof progress.problem, "cannot be read: %s",
                 errno ? strerror(errno) : "damaged");
    }
    if (status == DXT_OK && length <= 0 && file->packed) {
        status = judge_rest(r->judge);
        file->done = true;
    }
    *failed = status != DXT_OK || !note_position(m, file, r, &progress);
    if (status == DXT_ERR_NO_MEMORY) snprintf(m->s.why, sizeof m->s.why, "out of memory");
    if (progress.problem[0] && !file->told) tell(m, "%s: %s", file->path, progress.problem);
    if (progress.problem[0]) file->told = true;
    return !*failed && length > 0;
}

/* ---- logs: a window is several lines ---- */

/* Whether an instance writes a recording beside its log. */
static bool is_recorded(monitor *m, const char *instance)
{
    query q = query_begin(&m->s, "SELECT 1 FROM grp WHERE instance = ? AND recorded = 1");
    query_text(&q, instance ? instance : "");
    bool found = instance && query_row(&q);
    return query_end(&q) && found;
}

static size_t offset_of_line(const char *text, size_t size, uint64_t line)
{
    size_t at = 0;
    for (uint64_t l = 1; l < line && at < size; l++) {
        const char *end = memchr(text + at, '\n', size - at);
        at = end ? (size_t)(end - text) + 1 : size;
    }
    return at;
}

/* Judge the windows of a piece of a log. All but the last are whole, and that one too if nothing
 * comes behind it. *used receives the bytes that are dealt with. */
static dxt_status take_text(monitor *m, reading *r, const followed *file, const char *text,
                            size_t size, bool whole, size_t *used, struct progress *progress)
{
    dxt_reader *reader;
    dxt_window *held = NULL, *next = NULL;
    size_t held_at = 0;
    dxt_status status = dxt_reader_open_memory(text, size, file->path, &reader), read = DXT_OK;
    *used = 0;
    while (status == DXT_OK && (read = dxt_reader_next(reader, &next)) == DXT_OK) {
        size_t at = offset_of_line(text, size, dxt_reader_line(reader));
        if (held && !is_recorded(m, held->instance)) {
            progress->windows += file->position + (int64_t)held_at >= file->stored;
            status = judge_take(r->judge, held, file->position + (int64_t)held_at);
        } else {
            dxt_window_free(held);
        }
        held = next;
        next = NULL;
        *used = held_at = at;
    }
    if (status == DXT_OK && held && whole && !is_recorded(m, held->instance)) {
        progress->windows += file->position + (int64_t)held_at >= file->stored;
        status = judge_take(r->judge, held, file->position + (int64_t)held_at);
        held = NULL;
        *used = size;
    }
    dxt_window_free(held);
    dxt_reader_close(reader);
    if (read == DXT_ERR_NO_MEMORY) status = read;
    if (read < DXT_OK && status == DXT_OK)
        snprintf(progress->problem, sizeof progress->problem, "%s", dxt_error());
    return status;
}

static bool read_log(monitor *m, followed *file, reading *r, text_source *source, bool settled,
                     bool *failed)
{
    int64_t chunk = LOG_CHUNK;
    struct progress progress = {0};
    size_t size = 0, used = 0;
    char *text = malloc((size_t)chunk);
    dxt_status status = text ? DXT_OK : DXT_ERR_NO_MEMORY;
    if (text) {
        size = source->packed ? 0 : fread(text, 1, (size_t)chunk, source->plain);
        while (size > 0 && text[size - 1] != '\n') size--;
        bool more = (int64_t)size + 65536 > chunk;
        if (size > 0)
            status = take_text(m, r, file, text, size, settled && !more, &used, &progress);
        file->position += (int64_t)used;
    }
    free(text);
    *failed = status != DXT_OK || !note_position(m, file, r, &progress);
    return !*failed && used > 0 && (int64_t)size + 65536 > chunk;
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
    if (!failed) {
        m->recorder.file = file->id;
        m->recorder.recording = !file->log;
        m->recorder.stored = file->stored;
        m->recorder.now_ns = clock_ns(CLOCK_REALTIME);
        more = file->log ? read_log(m, file, r, source, settled, &failed)
                         : read_lines(m, file, r, source, &failed);
        if (!failed && settled && !more) failed = judge_rest(r->judge) != DXT_OK;
        if (!failed) failed = !commit(m);
    }
    if (failed) give_back(m);
    return more && !failed;
}

static void read_file(monitor *m, size_t index, bool settled, const volatile sig_atomic_t *stop)
{
    followed *file = &m->files.files[index];
    reading *r = &m->readings[index];
    text_source source;
    char identity[sizeof file->identity], name[256];
    int error = follow_open(file, &source, identity);
    if (error != 0) {
        if (!file->told) tell(m, "%s: %s", file->path, strerror(error));
        file->told = true;
        return;
    }
    bool ready = identity[0] != '\0';
    if (ready && strcmp(identity, file->identity) != 0) {
        memcpy(file->identity, identity, sizeof identity);
        ready = begin_anew(m, file, r) && look_up(m, file);
        file->told = false;
    }
    if (ready && !source.packed && (file->size < file->position || file->size < file->stored)) {
        if (!file->told)
            tell(m, "%s: became shorter; what was read stays, new lines are awaited", file->path);
        file->told = true;
        ready = false;
    }
    short_name(file->path, name, sizeof name);
    m->recorder.file_name = name;
    ready = ready && !file->done && r->judge && follow_seek(&source, file->position);
    while (ready && !*stop) ready = read_some(m, file, r, &source, settled);
    follow_close(&source);
    if (m->recorder.old > 0)
        tell(m, "%s: %" PRIu64 " windows are older than --keep and were left out", file->path,
             m->recorder.old);
    m->recorder.old = 0;
}

static bool has_waiting(const reading *r, const followed *file)
{
    return r->judge && (judge_waiting(r->judge) >= 0 || (file->log && file->position < file->size));
}

static void look(monitor *m, const volatile sig_atomic_t *stop)
{
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (!follow_scan(&m->files) || !make_readings(m)) return;
    for (size_t i = 0; i < m->files.count && !*stop; i++) {
        followed *file = &m->files.files[i];
        bool grew = follow_grew(file, now_ns);
        bool settled = m->options->once || (!grew && now_ns - file->grown_ns > SETTLE_NS);
        if (grew || (settled && has_waiting(&m->readings[i], file))) read_file(m, i, settled, stop);
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
