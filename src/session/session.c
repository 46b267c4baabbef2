/* SPDX-License-Identifier: Apache-2.0 */
#include "session/state.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "gather/gather.h"

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

static dxt_status make_snapshot(dxt_session *s)
{
    uint32_t sources = s->config.probe ? s->config.probe->sources : s->ranks;
    dxt_status status = dxt_snapshot_create(s->operators, sources, &s->snapshot);
    /* Counters from outside may have another clock than this machine's. */
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

/* Make what rank 0 needs for the diagnosis. */
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
    dxt_status status = dxt_session_copy_texts(s);
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
    int error = dxt_session_start_thread(s);
    if (error == 0) return DXT_OK;
    errno = error;
    return dxt_fail_errno("cannot start the session's thread");
}

dxt_status dxt_session_create(const dxt_session_config *config, dxt_session **session)
{
    if (!config || !session)
        return dxt_fail(DXT_ERR_INVALID, "config and session must not be NULL");
    dxt_session_config taken;
    dxt_analysis_options analysis;
    dxt_status status = dxt_session_take_config(config, &taken, &analysis);
    if (status != DXT_OK) return status;
    dxt_session *s = calloc(1, sizeof *s);
    if (!s) return dxt_fail_memory(sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    dxt_cond_init(&s->wake);
    s->config = taken;
    s->analysis = analysis;
    dxt_session_set_defaults(s);
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
    if (!s || dxt_session_is_copy(s)) return;
    dxt_session_stop_thread(s);
    dxt_session_end(s);
    release(s);
}
