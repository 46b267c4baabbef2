/* SPDX-License-Identifier: Apache-2.0 */
/* The windows of a session, one after the other: in step with the program, or on a thread. */
#include "session/state.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/signals.h"
#include "gather/attempt.h"

/* Rank 0 waits for the mails of a window for this part of the time since the window before. */
#define BUDGET_PART 1000
/* Enough for the analysis and for a callback that formats reports. */
#define STACK_SIZE ((size_t)1 << 20)

/* Treat a passing failure as a missing mail. Log when it begins and when it ends; the more often,
 * the more rarely. */
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

/* @return DXT_OK; a permanent failure, which is logged. */
static dxt_status publish(dxt_session *s, uint64_t sequence)
{
    dxt_status status = dxt_session_publish(s, sequence, false);
    if (dxt_failure_lasts(status)) return dxt_session_cannot_publish(s, status);
    tell_of_publishing(s, status);
    return DXT_OK;
}

/* Judge a window whose mails are collected. */
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

bool dxt_session_is_copy(const dxt_session *s)
{
    return s->pid != getpid();
}

static bool sleep_on(void *context, int64_t until_ns)
{
    (void)context;
    dxt_sleep_until_ns(until_ns);
    return false;
}

/* How long to wait for the mails of a window that has just ended. */
static int64_t budget_ns(const dxt_session *s, int64_t now_ns)
{
    int64_t budget = DXT_FIRST_BUDGET_NS;
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
                                             .silence_ns =
                                                 last ? s->config.deadline_ns : s->silence_ns,
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
    if (!s) return dxt_fail(DXT_ERR_INVALID, "session must not be NULL");
    dxt_status status = (dxt_status)atomic_load(&s->status);
    if (status != DXT_OK || s->config.mode == DXT_SESSION_ASYNC) return status;
    uint64_t interval = s->config.interval_ops, steps = ++s->steps;
    bool first = interval > 1 && steps % interval == 1;
    if ((!first && steps % interval != 0) || dxt_session_is_copy(s)) return DXT_OK;
    if (first) dxt_session_note_first(s);
    if (first) return DXT_OK;
    return settle(s, end_step_window(s, steps / interval));
}

dxt_status dxt_session_first_step(dxt_session *s)
{
    if (!s) return dxt_fail(DXT_ERR_INVALID, "session must not be NULL");
    if (atomic_load(&s->status) == DXT_OK && s->config.mode == DXT_SESSION_SYNC &&
        !dxt_session_is_copy(s))
        dxt_session_note_first(s);
    return DXT_OK;
}

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
                                         .silence_ns = s->silence_ns,
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

int dxt_session_start_thread(dxt_session *s)
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

void dxt_session_stop_thread(dxt_session *s)
{
    if (!s->has_thread) return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
}

void dxt_session_end(dxt_session *s)
{
    if (atomic_load(&s->status) != DXT_OK) return;
    dxt_session_publish(s, s->sequence + 1, true);
    if (s->rank == 0 && s->config.mode == DXT_SESSION_SYNC)
        settle(s, judge_ended(s, dxt_now_ns() + s->config.deadline_ns, true));
}
