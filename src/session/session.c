/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/session.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "gather/attempt.h"
#include "gather/gather.h"
#include "session/assemble.h"
#include "session/collect.h"
#include "session/mail.h"

#define DEFAULT_INTERVAL_OPS 100
#define DEFAULT_INTERVAL_NS INT64_C(20000000000)
#define DEFAULT_DEADLINE_NS INT64_C(2000000000)
#define MIN_INTERVAL_NS 1000000
/* Longest interval and deadline: 10 days. Sums of times stay far from overflow. */
#define MAX_SPAN_NS INT64_C(864000000000000)
/* Enough for the analysis and for a callback that formats reports. */
#define STACK_SIZE ((size_t)1 << 20)
#define NO_COMPANION UINT32_MAX

struct dxt_session {
    dxt_session_config config; /* defaults filled in; what is copied is below */
    dxt_analysis_options analysis;
    uint32_t rank, ranks, operators;
    char *names[DXT_MAX_OPERATORS];
    uint32_t companions[DXT_MAX_OPERATORS]; /* index of the operator, or NO_COMPANION */
    char *source;
    char instance[DXT_MAIL_TEXT];
    char host[DXT_MAIL_TEXT];
    dxt_snapshot *snapshot;
    uint64_t *mail;
    size_t mail_size;
    bool unpublished; /* the last mail did not get out */
    /* rank 0 */
    dxt_collector *collector;
    dxt_assembler *assembler;
    dxt_history *history; /* NULL = windows are judged alone */
    bool own_history;
    bool counts_ops[DXT_MAX_OPERATORS]; /* whether operations of it were ever counted */
    dxt_analyzer *analyzers[DXT_MAX_OPERATORS];
    uint64_t steps;
    uint64_t rounds; /* windows collected, the warm-up included */
    _Atomic uint64_t windows;
    atomic_int status; /* DXT_OK until something fails inside */
    pid_t pid;         /* of the creator: a forked child has no thread to join */
    /* asynchronous only */
    uint64_t sequence; /* of the last mail */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under the lock */
};

/* ---- one window ---- */

/* Counters from outside, which must have left the block what it is. */
static dxt_status read_counters(dxt_session *s)
{
    dxt_probe *data = s->snapshot->data;
    s->snapshot->time_ns = dxt_now_ns();
    dxt_status status = s->config.snapshot(s->config.snapshot_context, s->snapshot);
    if (status != DXT_OK) return status;
    if (s->snapshot->data != data || data->layout != DXT_PROBE_LAYOUT ||
        data->operators != s->operators || data->sources != s->ranks ||
        data->ticks_per_second > DXT_MAIL_MAX_RATE || s->snapshot->time_ns < 0)
        return DXT_ERR_INVALID;
    return DXT_OK;
}

/* @return DXT_OK; why there is no mail, not logged. */
static dxt_status publish(dxt_session *s, uint64_t sequence)
{
    dxt_mail_head head = {.rank = s->rank,
                          .ranks = s->ranks,
                          .operators = s->operators,
                          .sequence = sequence,
                          .realtime_ns = dxt_realtime_ns(),
                          .node = s->config.node};
    dxt_status status =
        s->config.probe ? dxt_probe_snapshot(s->config.probe, s->snapshot) : read_counters(s);
    if (status != DXT_OK) return status;
    head.time_ns = s->snapshot->time_ns;
    memcpy(head.host, s->host, sizeof head.host);
    memcpy(head.instance, s->instance, sizeof head.instance);
    dxt_mail_encode(s->mail, &head, s->snapshot->data);
    return dxt_gather_try_publish(s->config.gather, sequence, s->mail, s->mail_size);
}

/* Pass the status on as an error, and say why. */
static dxt_status cannot_publish(const dxt_session *s, dxt_status status)
{
    return dxt_fail(status < 0 ? status : DXT_ERR_IO,
                    "rank %u cannot publish its counters (%zu bytes): %s", s->rank, s->mail_size,
                    dxt_status_string(status));
}

/* What may pass is a mail that is missing. Told once when it begins and once when it ends. */
static void tell_of_publishing(dxt_session *s, dxt_status status)
{
    bool failed = status != DXT_OK;
    if (failed && !s->unpublished)
        dxt_log(DXT_LOG_WARNING, "rank %u cannot publish its counters: %s; trying again", s->rank,
                dxt_status_string(status));
    else if (s->unpublished && !failed)
        dxt_log(DXT_LOG_INFO, "rank %u publishes its counters again", s->rank);
    s->unpublished = failed;
}

/* Whether there is something in a window to remember. In one in which an operator completed
 * nothing, as when the job does something else for a while, nobody was late and nobody on time. */
static bool is_telling(dxt_session *s, uint32_t index, const dxt_window *window)
{
    if (window->ops > 0) s->counts_ops[index] = true;
    if (s->counts_ops[index]) return window->ops > 0;
    size_t cells = (size_t)window->ranks * window->ranks;
    for (size_t c = 0; c < cells; c++)
        if (window->wait[c] > 0) return true;
    return false;
}

static dxt_status analyse(dxt_session *s, const dxt_window *const *windows,
                          const dxt_findings **findings)
{
    dxt_status status = DXT_OK;
    for (uint32_t o = 0; o < s->operators && status == DXT_OK; o++) {
        dxt_analysis_options options = s->analysis;
        uint32_t companion = s->companions[o];
        options.companion = companion != NO_COMPANION ? windows[companion] : NULL;
        status = dxt_history_prior(s->history, windows[o], &options);
        if (status != DXT_OK) break;
        status = dxt_analyzer_run(s->analyzers[o], windows[o], &options, &findings[o]);
    }
    /* Those that have a place of their own: what is said of one lasts until its next window. */
    uint32_t followed = s->history ? s->operators : 0;
    if (followed > DXT_HISTORY_OPERATORS) followed = DXT_HISTORY_OPERATORS;
    for (uint32_t o = 0; o < followed && status == DXT_OK; o++)
        if (is_telling(s, o, windows[o]))
            status = dxt_history_follow(s->history, windows[o], findings[o], &findings[o]);
    return status;
}

static dxt_status diagnose(dxt_session *s)
{
    const dxt_window *windows[DXT_MAX_OPERATORS];
    const dxt_findings *findings[DXT_MAX_OPERATORS];
    dxt_diagnosis diagnoses[DXT_MAX_OPERATORS];
    dxt_assembly assembly = {.operators = s->operators,
                             .names = (const char *const *)s->names,
                             .index = (int64_t)(s->rounds - s->config.warmup_windows),
                             .instance = s->instance,
                             .source = s->source};
    dxt_collector_view(s->collector, &assembly);
    dxt_assemble(s->assembler, &assembly, windows);
    dxt_status status = analyse(s, windows, findings);
    if (status != DXT_OK) return status;
    for (uint32_t o = 0; o < s->operators; o++)
        diagnoses[o] = (dxt_diagnosis){windows[o], findings[o]};
    if (s->config.on_diagnosis)
        s->config.on_diagnosis(s->config.on_diagnosis_context, diagnoses, s->operators);
    atomic_fetch_add(&s->windows, 1);
    return DXT_OK;
}

/* Publish, and on rank 0 collect and diagnose. @return DXT_OK; DXT_AGAIN (stopped); the failure. */
static dxt_status end_window(dxt_session *s, uint64_t sequence,
                             bool (*pause)(void *context, int64_t until_ns))
{
    dxt_status status = publish(s, sequence);
    if (dxt_failure_lasts(status)) return cannot_publish(s, status);
    tell_of_publishing(s, status);
    if (s->rank != 0) return DXT_OK;
    const dxt_collect_options options = {.sequence = sequence,
                                         .deadline_ns = dxt_now_ns() + s->config.deadline_ns,
                                         .any_newer = s->config.mode == DXT_SESSION_ASYNC,
                                         .unpublished = s->unpublished,
                                         .pause = pause,
                                         .context = s};
    status = dxt_collector_collect(s->collector, &options);
    if (status == DXT_OK && s->rounds >= s->config.warmup_windows) status = diagnose(s);
    if (status != DXT_OK) return status;
    dxt_collector_roll(s->collector);
    s->rounds++;
    return DXT_OK;
}

/* Switch the session off after a failure. */
static dxt_status settle(dxt_session *s, dxt_status status)
{
    if (status >= 0) return status;
    dxt_log(DXT_LOG_WARNING, "the diagnosis on rank %u is switched off: %s", s->rank, dxt_error());
    atomic_store(&s->status, status);
    return status;
}

/* ---- synchronous ---- */

static bool sleep_on(void *context, int64_t until_ns)
{
    (void)context;
    dxt_sleep_until_ns(until_ns);
    return false;
}

dxt_status dxt_session_step(dxt_session *s)
{
    if (!s) return dxt_fail(DXT_ERR_INVALID, "no session");
    dxt_status status = (dxt_status)atomic_load(&s->status);
    if (status != DXT_OK || s->config.mode == DXT_SESSION_ASYNC) return status;
    if (++s->steps % s->config.interval_ops != 0) return DXT_OK;
    return settle(s, end_window(s, s->steps / s->config.interval_ops, sleep_on));
}

/* ---- asynchronous ---- */

static bool sleep_or_stop(void *context, int64_t until_ns)
{
    dxt_session *s = context;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    int error = 0;
    pthread_mutex_lock(&s->lock);
    while (!s->stop && error == 0) error = pthread_cond_timedwait(&s->wake, &s->lock, &until);
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static uint64_t interval_now(const dxt_session *s)
{
    int64_t now_ns = dxt_realtime_ns();
    return now_ns > 0 ? (uint64_t)(now_ns / s->config.interval_ns) : 0;
}

/* Sleep until the wall clock, which all ranks share, passes the next multiple of the interval, and
 * number the next mail after it. A clock that was set back by less than an interval is waited for;
 * while one that was set back further catches up, numbers go on one by one. */
static bool sleep_until_next(dxt_session *s)
{
    int64_t interval_ns = s->config.interval_ns, now_ns = dxt_realtime_ns();
    int64_t delay_ns = (int64_t)(s->sequence + 1) * interval_ns - now_ns;
    if (delay_ns > 2 * interval_ns) delay_ns = interval_ns - now_ns % interval_ns;
    if (delay_ns < 0) delay_ns = 0; /* it was set forward, or the last window took too long */
    if (sleep_or_stop(s, dxt_now_ns() + delay_ns)) return true;
    uint64_t now = interval_now(s);
    s->sequence = now > s->sequence ? now : s->sequence + 1;
    return false;
}

static void *run(void *argument)
{
    dxt_session *s = argument;
    pthread_setname_np(pthread_self(), "dxt-session");
    while (!sleep_until_next(s))
        if (settle(s, end_window(s, s->sequence, sleep_or_stop)) != DXT_OK) break;
    return NULL;
}

static int start_thread(dxt_session *s)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    /* Signals are the job's affair. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&s->thread, &attributes, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    s->has_thread = error == 0;
    return error;
}

static void stop_thread(dxt_session *s)
{
    if (!s->has_thread) return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
}

/* ---- life ---- */

static dxt_status check_counters(const dxt_session_config *config)
{
    const dxt_probe *probe = config->probe;
    uint32_t ranks = dxt_gather_ranks(config->gather), count = config->operators_count;
    if (ranks < 2) return dxt_fail(DXT_ERR_INVALID, "a session needs at least 2 ranks");
    if (probe && (probe->layout != DXT_PROBE_LAYOUT ||
                  dxt_probe_size(probe->operators, probe->sources) == 0 ||
                  probe->ticks_per_second > DXT_MAIL_MAX_RATE))
        return dxt_fail(DXT_ERR_INVALID, "the session's probe is none");
    if (probe && probe->sources < ranks)
        return dxt_fail(DXT_ERR_INVALID, "a probe of %u sources in a group of %u ranks",
                        probe->sources, ranks);
    if (probe && count != 0 && count != probe->operators)
        return dxt_fail(DXT_ERR_INVALID, "%u operators, but the probe has %u", count,
                        probe->operators);
    if (!probe && (count == 0 || count > DXT_MAX_OPERATORS))
        return dxt_fail(DXT_ERR_INVALID, "%u operators, not 1 to %u", count, DXT_MAX_OPERATORS);
    if (probe) count = probe->operators;
    if (!config->operators && count > DXT_EP_OPERATORS)
        return dxt_fail(DXT_ERR_INVALID, "the %u operators of the session need names", count);
    return DXT_OK;
}

static dxt_status check_config(const dxt_session_config *config)
{
    if (!config->gather) return dxt_fail(DXT_ERR_INVALID, "a session needs a gather");
    if (!config->probe == !config->snapshot)
        return dxt_fail(DXT_ERR_INVALID, "a session needs a probe, or a function instead");
    if (config->mode != DXT_SESSION_SYNC && config->mode != DXT_SESSION_ASYNC)
        return dxt_fail(DXT_ERR_INVALID, "session mode %d", (int)config->mode);
    if (config->interval_ns != 0 &&
        (config->interval_ns < MIN_INTERVAL_NS || config->interval_ns > MAX_SPAN_NS))
        return dxt_fail(DXT_ERR_INVALID, "an interval of %lld ns", (long long)config->interval_ns);
    if (config->deadline_ns < 0 || config->deadline_ns > MAX_SPAN_NS)
        return dxt_fail(DXT_ERR_INVALID, "a deadline of %lld ns", (long long)config->deadline_ns);
    if (config->node < -1) return dxt_fail(DXT_ERR_INVALID, "node %d", config->node);
    if (config->alone && config->history)
        return dxt_fail(DXT_ERR_INVALID, "a history for windows that are judged alone");
    return check_counters(config);
}

/* Configuration and options as this version knows them, from a caller compiled against any. */
static dxt_status take_config(const dxt_session_config *given, dxt_session_config *config,
                              dxt_analysis_options *analysis)
{
    if (!dxt_take_struct(config, sizeof *config, given, DXT_SIZE_UP_TO(dxt_session_config, probe)))
        return dxt_fail(DXT_ERR_INVALID, "the session's configuration of %zu bytes is too short",
                        given->struct_size);
    *analysis = (dxt_analysis_options){.struct_size = sizeof *analysis};
    if (config->analysis && !dxt_take_struct(analysis, sizeof *analysis, config->analysis,
                                             sizeof analysis->struct_size))
        return dxt_fail(DXT_ERR_INVALID, "analysis options: struct_size is not set");
    return check_config(config);
}

static void set_defaults(dxt_session *s)
{
    dxt_session_config *config = &s->config;
    if (config->interval_ops == 0) config->interval_ops = DEFAULT_INTERVAL_OPS;
    if (config->interval_ns == 0) config->interval_ns = DEFAULT_INTERVAL_NS;
    if (config->deadline_ns == 0) config->deadline_ns = DEFAULT_DEADLINE_NS;
    if (config->mode == DXT_SESSION_ASYNC && config->deadline_ns > config->interval_ns)
        config->deadline_ns = config->interval_ns;
    s->rank = dxt_gather_rank(config->gather);
    s->ranks = dxt_gather_ranks(config->gather);
    s->operators = config->probe ? config->probe->operators : config->operators_count;
    s->mail_size = dxt_session_mail_size(s->operators, s->ranks);
    /* What the program does not say, its transport may know. */
    if (config->node < 0) config->node = dxt_gather_node(config->gather);
    dxt_mail_set_text(s->host, config->host ? config->host : dxt_gather_host(config->gather));
    dxt_mail_set_text(s->instance, config->instance);
    s->pid = getpid();
}

/* Whether these are "dispatch" and "combine" behind the same prefix. */
static bool are_companions(const char *dispatch, const char *combine)
{
    size_t length = strlen(dispatch), word = strlen("dispatch");
    if (length < word || strcmp(dispatch + length - word, "dispatch") != 0) return false;
    size_t prefix = length - word;
    return strncmp(dispatch, combine, prefix) == 0 && strcmp(combine + prefix, "combine") == 0;
}

static void find_companions(dxt_session *s)
{
    for (uint32_t o = 0; o < s->operators; o++) s->companions[o] = NO_COMPANION;
    for (uint32_t o = 0; o < s->operators; o++) {
        for (uint32_t p = 0; p < s->operators; p++) {
            if (!are_companions(s->names[o], s->names[p])) continue;
            s->companions[o] = p;
            s->companions[p] = o;
        }
    }
}

static dxt_status copy_texts(dxt_session *s)
{
    static const char *const usual[DXT_EP_OPERATORS] = {"dispatch", "combine"};
    const char *const *names = s->config.operators ? s->config.operators : usual;
    for (uint32_t o = 0; o < s->operators; o++) {
        if (!names[o] || !names[o][0])
            return dxt_fail(DXT_ERR_INVALID, "operator %u has no name", o);
        s->names[o] = strdup(names[o]);
        if (!s->names[o]) return dxt_fail_memory(0);
    }
    find_companions(s);
    if (!s->config.source) return DXT_OK;
    s->source = strdup(s->config.source);
    return s->source ? DXT_OK : dxt_fail_memory(0);
}

static void release(dxt_session *s)
{
    for (uint32_t o = 0; o < DXT_MAX_OPERATORS; o++) {
        free(s->names[o]);
        dxt_analyzer_destroy(s->analyzers[o]);
    }
    free(s->source);
    free(s->mail);
    dxt_snapshot_destroy(s->snapshot);
    dxt_collector_destroy(s->collector);
    dxt_assembler_destroy(s->assembler);
    if (s->own_history) dxt_history_destroy(s->history);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    free(s);
}

static dxt_status make_snapshot(dxt_session *s)
{
    uint32_t sources = s->config.probe ? s->config.probe->sources : s->ranks;
    dxt_status status = dxt_snapshot_create(s->operators, sources, &s->snapshot);
    /* The clock of this machine need not be that of counters from outside. */
    if (status == DXT_OK) s->snapshot->data->ticks_per_second = 0;
    return status;
}

static dxt_status make_history(dxt_session *s)
{
    const dxt_history_options options = {.struct_size = sizeof options,
                                         .min_share = s->analysis.min_share};
    s->history = s->config.history;
    if (s->config.alone || s->history) return DXT_OK;
    dxt_status status = dxt_history_create(&options, &s->history);
    s->own_history = status == DXT_OK;
    return status;
}

/* What rank 0 diagnoses with. */
static dxt_status make_diagnostics(dxt_session *s)
{
    dxt_status status =
        dxt_collector_create(s->config.gather, s->operators, s->instance, &s->collector);
    if (status == DXT_OK) status = dxt_assembler_create(s->ranks, s->operators, &s->assembler);
    for (uint32_t o = 0; o < s->operators && status == DXT_OK; o++)
        status = dxt_analyzer_create(&s->analyzers[o]);
    return status == DXT_OK ? make_history(s) : status;
}

static dxt_status start(dxt_session *s)
{
    dxt_status status = copy_texts(s);
    if (status != DXT_OK) return status;
    s->mail = malloc(s->mail_size);
    if (!s->mail) return dxt_fail_memory(s->mail_size);
    status = make_snapshot(s);
    if (status == DXT_OK && s->rank == 0) status = make_diagnostics(s);
    if (status != DXT_OK) return status;
    /* The first window begins here. */
    if (s->config.mode == DXT_SESSION_ASYNC) s->sequence = interval_now(s);
    status = publish(s, s->sequence);
    if (status != DXT_OK) return cannot_publish(s, status);
    if (s->config.mode != DXT_SESSION_ASYNC) return DXT_OK;
    int error = start_thread(s);
    if (error == 0) return DXT_OK;
    errno = error;
    return dxt_fail_errno("the session's thread");
}

dxt_status dxt_session_create(const dxt_session_config *config, dxt_session **session)
{
    if (!config || !session) return dxt_fail(DXT_ERR_INVALID, "no configuration, or no session");
    dxt_session_config taken;
    dxt_analysis_options analysis;
    dxt_status status = take_config(config, &taken, &analysis);
    if (status != DXT_OK) return status;
    dxt_session *s = calloc(1, sizeof *s);
    if (!s) return dxt_fail_memory(sizeof *s);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    s->config = taken;
    s->analysis = analysis;
    set_defaults(s);
    status = start(s);
    if (status != DXT_OK) {
        release(s);
        return status;
    }
    *session = s;
    return DXT_OK;
}

uint64_t dxt_session_windows(const dxt_session *session)
{
    return session ? atomic_load(&session->windows) : 0;
}

void dxt_session_destroy(dxt_session *s)
{
    /* A forked child has a copy in an unknown state, and the thread stayed with the parent. */
    if (!s || s->pid != getpid()) return;
    stop_thread(s);
    release(s);
}
