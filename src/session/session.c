/* SPDX-License-Identifier: Apache-2.0 */
#include "session/state.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analysis/tuning.h"
#include "base/base.h"
#include "base/signals.h"
#include "gather/attempt.h"
#include "gather/gather.h"

#define DEFAULT_INTERVAL_OPS 100
#define DEFAULT_INTERVAL_NS INT64_C(20000000000)
#define DEFAULT_DEADLINE_NS INT64_C(2000000000)
#define MIN_INTERVAL_NS 1000000
/* How long rank 0 waits for the mails of the first window, and of others: this part of the time
 * since the window before, but at least so long. */
#define FIRST_BUDGET_NS INT64_C(200000000)
#define BUDGET_PART 1000
#define LEAST_BUDGET_NS INT64_C(1000000)
/* A rank is not silent before nothing has come of it for so long, however short the windows. */
#define LEAST_SILENCE_NS INT64_C(1000000000)
/* Longest interval and deadline: 10 days. Sums of times stay far from overflow. */
#define MAX_SPAN_NS INT64_C(864000000000000)
/* Enough for the analysis and for a callback that formats reports. */
#define STACK_SIZE ((size_t)1 << 20)

/* ---- one window ---- */

/* What may pass is a mail that is missing. Told when it begins and when it ends, the less the more
 * often it does. */
static void tell_of_publishing(dxt_session *s, dxt_status status)
{
    bool failed = status != DXT_OK, changed = failed != s->unpublished;
    if (changed && failed) s->told_unpublished = dxt_is_news(&s->failures);
    if (changed && s->told_unpublished && failed)
        dxt_log(DXT_LOG_WARNING, "rank %u cannot publish its counters: %s; trying again", s->rank,
                dxt_status_string(status));
    else if (changed && s->told_unpublished)
        dxt_log(DXT_LOG_INFO, "rank %u publishes its counters again", s->rank);
    s->unpublished = failed;
}

/* @return DXT_OK; the failure that lasts, told. */
static dxt_status publish(dxt_session *s, uint64_t sequence)
{
    dxt_status status = dxt_session_publish(s, sequence, false);
    if (dxt_failure_lasts(status)) return dxt_session_cannot_publish(s, status);
    tell_of_publishing(s, status);
    return DXT_OK;
}

/* The mails of a window are collected. */
static dxt_status judge(dxt_session *s)
{
    dxt_status status = DXT_OK;
    if (s->rounds >= s->config.warmup_windows) status = dxt_session_diagnose(s);
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

/* A forked child has a copy, which must not speak in the name of its parent. */
static bool is_copy(const dxt_session *s)
{
    return s->pid != getpid();
}

/* ---- synchronous ---- */

static bool sleep_on(void *context, int64_t until_ns)
{
    (void)context;
    dxt_sleep_until_ns(until_ns);
    return false;
}

/* How long the mails of a window that has just ended may be waited for. */
static int64_t budget_ns(const dxt_session *s, int64_t now_ns)
{
    int64_t budget = FIRST_BUDGET_NS;
    if (s->last_end_ns > 0) {
        budget = (now_ns - s->last_end_ns) / BUDGET_PART;
        if (budget < s->config.patience_ns) budget = s->config.patience_ns;
    }
    return budget < s->config.deadline_ns ? budget : s->config.deadline_ns;
}

/* Judge the windows that have ended, up to the first whose mails may still come. */
static dxt_status judge_ended(dxt_session *s, int64_t deadline_ns, bool last)
{
    while (s->next <= s->sequence) {
        const dxt_collect_options options = {.sequence = s->next,
                                             .current = s->sequence,
                                             .deadline_ns = deadline_ns,
                                             .silence_ns = s->config.deadline_ns,
                                             .unpublished = s->unpublished,
                                             .last = last,
                                             .pause = sleep_on,
                                             .context = s};
        dxt_status status = dxt_collector_try(s->collector, &options);
        if (status == DXT_AGAIN) return DXT_OK;
        s->busy_ns = s->held_up_ns[(s->next - 1) % DXT_GATHER_DEPTH];
        if (status == DXT_OK) status = judge(s);
        if (status != DXT_OK) return status;
        s->next++;
    }
    return DXT_OK;
}

static dxt_status end_step_window(dxt_session *s, uint64_t sequence)
{
    dxt_status status = publish(s, sequence);
    s->sequence = sequence;
    if (status != DXT_OK || s->rank != 0) return status;
    int64_t begin_ns = dxt_now_ns();
    status = judge_ended(s, begin_ns + budget_ns(s, begin_ns), false);
    s->last_end_ns = dxt_now_ns();
    s->held_up_ns[sequence % DXT_GATHER_DEPTH] = s->last_end_ns - begin_ns;
    return status;
}

dxt_status dxt_session_step(dxt_session *s)
{
    if (!s) return dxt_fail(DXT_ERR_INVALID, "no session");
    dxt_status status = (dxt_status)atomic_load(&s->status);
    if (status != DXT_OK || s->config.mode == DXT_SESSION_ASYNC) return status;
    uint64_t interval = s->config.interval_ops, steps = ++s->steps;
    bool first = interval > 1 && steps % interval == 1;
    if ((!first && steps % interval != 0) || is_copy(s)) return DXT_OK;
    if (first) dxt_session_note_first(s);
    if (first) return DXT_OK;
    return settle(s, end_step_window(s, steps / interval));
}

dxt_status dxt_session_first_step(dxt_session *s)
{
    if (!s) return dxt_fail(DXT_ERR_INVALID, "no session");
    if (atomic_load(&s->status) == DXT_OK && s->config.mode == DXT_SESSION_SYNC && !is_copy(s))
        dxt_session_note_first(s);
    return DXT_OK;
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

static bool sleep_until_next(dxt_session *s)
{
    if (sleep_or_stop(s, s->beat.due_ns)) return true;
    dxt_beat_next(&s->beat, dxt_now_ns(), dxt_realtime_ns());
    s->sequence = s->beat.sequence;
    return false;
}

static dxt_status end_timed_window(dxt_session *s)
{
    dxt_status status = publish(s, s->sequence);
    if (status != DXT_OK || s->rank != 0) return status;
    const dxt_collect_options options = {.sequence = s->sequence,
                                         .current = s->sequence,
                                         .deadline_ns = dxt_now_ns() + s->config.deadline_ns,
                                         .silence_ns = LEAST_SILENCE_NS,
                                         .unpublished = s->unpublished,
                                         .pause = sleep_or_stop,
                                         .context = s};
    status = dxt_collector_collect(s->collector, &options);
    return status == DXT_OK ? judge(s) : status;
}

static void *run(void *argument)
{
    dxt_session *s = argument;
    pthread_setname_np(pthread_self(), "dxt-session");
    while (!sleep_until_next(s))
        if (settle(s, end_timed_window(s)) != DXT_OK) break;
    return NULL;
}

static int start_thread(dxt_session *s)
{
    pthread_attr_t attributes;
    sigset_t before;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    dxt_leave_signals(&before);
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
    if (config->patience_ns < 0 || config->patience_ns > MAX_SPAN_NS)
        return dxt_fail(DXT_ERR_INVALID, "a patience of %lld ns", (long long)config->patience_ns);
    if (config->node < -1) return dxt_fail(DXT_ERR_INVALID, "node %d", config->node);
    if (!(config->min_share >= 0 && config->min_share <= 1))
        return dxt_fail(DXT_ERR_INVALID, "a smallest share of %g", config->min_share);
    if ((unsigned)config->origin > DXT_ORIGIN_DURATION)
        return dxt_fail(DXT_ERR_INVALID, "an origin of %d", (int)config->origin);
    if (config->local_experts > DXT_MAX_LOCAL_EXPERTS)
        return dxt_fail(DXT_ERR_INVALID, "%u local experts", config->local_experts);
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
    dxt_status status = check_config(config);
    if (status == DXT_OK && config->min_share > 0) analysis->min_share = config->min_share;
    /* The default is recorded, too: whoever reads the windows is to say the same of them. */
    if (status == DXT_OK && analysis->min_share <= 0) analysis->min_share = DXT_MIN_SHARE;
    return status;
}

static void set_place(dxt_session *s)
{
    const dxt_place nowhere = {.rank = -1, .gpu = -1};
    s->device = s->config.device ? *s->config.device : nowhere;
    const char *host = s->config.host;
    if (!host && !s->device.host[0]) host = dxt_gather_host(s->config.gather);
    if (host) dxt_mail_set_text(s->device.host, sizeof s->device.host, host);
    if (s->device.pid == 0) s->device.pid = getpid();
}

static void set_defaults(dxt_session *s)
{
    dxt_session_config *config = &s->config;
    if (config->interval_ops == 0) config->interval_ops = DEFAULT_INTERVAL_OPS;
    if (config->interval_ns == 0) config->interval_ns = DEFAULT_INTERVAL_NS;
    if (config->deadline_ns == 0)
        config->deadline_ns =
            config->mode == DXT_SESSION_ASYNC ? DEFAULT_DEADLINE_NS : FIRST_BUDGET_NS;
    if (config->mode == DXT_SESSION_ASYNC && config->deadline_ns > config->interval_ns)
        config->deadline_ns = config->interval_ns;
    if (config->patience_ns == 0) config->patience_ns = LEAST_BUDGET_NS;
    s->rank = dxt_gather_rank(config->gather);
    s->ranks = dxt_gather_ranks(config->gather);
    s->operators = config->probe ? config->probe->operators : config->operators_count;
    s->keeps_durations = config->probe && config->probe->durations > 0;
    s->mail_size = s->keeps_durations ? dxt_session_duration_mail_size(s->operators, s->ranks)
                                      : dxt_session_mail_size(s->operators, s->ranks);
    /* What the program does not say, its transport may know. */
    if (config->node < 0) config->node = dxt_gather_node(config->gather);
    dxt_mail_set_text(s->instance, sizeof s->instance, config->instance);
    dxt_mail_set_text(s->group, sizeof s->group, config->group);
    set_place(s);
    s->pid = getpid();
    /* Who steps, communicates; without steps, who made the session. */
    dxt_delay_start(&s->delay, config->mode == DXT_SESSION_SYNC);
}

/* Which operators' windows help to judge another one's. */
static void relate_operators(dxt_session *s)
{
    for (uint32_t o = 0; o < s->operators; o++) {
        s->companions[o] = s->adjacent[o] = DXT_NO_COMPANION;
        for (uint32_t p = 0; p < s->operators; p++) {
            dxt_relation relation = dxt_phase_relation(s->names[o], s->names[p]);
            if (relation == DXT_RELATION_COMPANION) s->companions[o] = p;
            if (relation == DXT_RELATION_ADJACENT) s->adjacent[o] = p;
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
    relate_operators(s);
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
    free(s->scratch);
    dxt_snapshot_destroy(s->snapshot);
    dxt_collector_destroy(s->collector);
    dxt_assembler_destroy(s->assembler);
    dxt_durations_destroy(s->durations);
    if (s->own_history) dxt_history_destroy(s->history);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    free(s);
}

/* This rank leaves in order, and says so. Rank 0 judges what it has not, waiting once more. */
static void end(dxt_session *s)
{
    if (atomic_load(&s->status) != DXT_OK) return;
    dxt_session_publish(s, s->sequence + 1, true);
    if (s->rank == 0 && s->config.mode == DXT_SESSION_SYNC)
        settle(s, judge_ended(s, dxt_now_ns() + s->config.deadline_ns, true));
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
    dxt_status status = dxt_collector_create(s->config.gather, s->operators, s->mail_size,
                                             s->instance, &s->collector);
    if (status == DXT_OK && s->keeps_durations)
        status = dxt_durations_create(s->ranks, s->operators, &s->durations);
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
    if (s->keeps_durations) s->scratch = malloc(s->config.probe->durations * sizeof *s->scratch);
    if (s->keeps_durations && !s->scratch) return dxt_fail_memory(0);
    status = make_snapshot(s);
    if (status == DXT_OK && s->rank == 0) status = make_diagnostics(s);
    if (status != DXT_OK) return status;
    /* The first window begins here. */
    s->next = 1;
    if (s->config.mode == DXT_SESSION_ASYNC) {
        dxt_beat_start(&s->beat, s->config.interval_ns, dxt_now_ns(), dxt_realtime_ns());
        s->sequence = s->beat.sequence;
    }
    status = dxt_session_publish(s, s->sequence, false);
    if (status != DXT_OK) return dxt_session_cannot_publish(s, status);
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
    pthread_mutex_init(&s->lock, NULL);
    dxt_cond_init(&s->wake);
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
    /* The copy is in an unknown state, and the thread stayed with the parent. */
    if (!s || is_copy(s)) return;
    stop_thread(s);
    end(s);
    release(s);
}
