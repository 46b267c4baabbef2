/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a session, and its defaults. */
#include "session/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/tuning.h"
#include "base/base.h"
#include "gather/gather.h"

#define MIN_INTERVAL_NS 1000000
/* Shortest wait of rank 0 for the mails of a window. */
#define LEAST_BUDGET_NS INT64_C(1000000)
/* Longest interval and deadline: 10 days. Sums of times stay far from overflow. */
#define MAX_SPAN_NS INT64_C(864000000000000)

static dxt_status check_counters(const dxt_session_config *config)
{
    const dxt_probe *probe = config->probe;
    uint32_t ranks = dxt_gather_ranks(config->gather), count = config->operators_count;
    if (ranks < 2)
        return dxt_fail(DXT_ERR_INVALID,
                        "config.gather has %u ranks, but a session needs at least 2", ranks);
    if (probe && (probe->layout != DXT_PROBE_LAYOUT ||
                  dxt_probe_size(probe->operators, probe->sources) == 0 ||
                  probe->ticks_per_second > DXT_MAIL_MAX_RATE))
        return dxt_fail(DXT_ERR_INVALID, "config.probe is not an initialised dxt_probe");
    if (probe && probe->sources < ranks)
        return dxt_fail(DXT_ERR_INVALID, "config.probe has %u sources, but the group has %u ranks",
                        probe->sources, ranks);
    if (probe && count != 0 && count != probe->operators)
        return dxt_fail(DXT_ERR_INVALID,
                        "config.operators_count is %u, but the probe has %u operators", count,
                        probe->operators);
    if (!probe && (count == 0 || count > DXT_MAX_OPERATORS))
        return dxt_fail(DXT_ERR_INVALID, "config.operators_count is %u, but must be 1 to %u", count,
                        DXT_MAX_OPERATORS);
    if (probe) count = probe->operators;
    if (!config->operators && count > DXT_EP_OPERATORS)
        return dxt_fail(DXT_ERR_INVALID,
                        "config.operators must name the %u operators; only dispatch and combine "
                        "have names of their own",
                        count);
    return DXT_OK;
}

static dxt_status refuse_span(const char *name, int64_t span_ns)
{
    return dxt_fail(DXT_ERR_INVALID, "config.%s is %lld, but must be 0 to %lld (10 days)", name,
                    (long long)span_ns, (long long)MAX_SPAN_NS);
}

static dxt_status check_config(const dxt_session_config *config)
{
    if (!config->gather) return dxt_fail(DXT_ERR_INVALID, "config.gather must not be NULL");
    if (!config->probe == !config->snapshot)
        return dxt_fail(DXT_ERR_INVALID, "set config.probe or config.snapshot, and not both");
    if (config->mode != DXT_SESSION_SYNC && config->mode != DXT_SESSION_ASYNC)
        return dxt_fail(DXT_ERR_INVALID, "config.mode is %d, but must be a dxt_session_mode",
                        (int)config->mode);
    if (config->interval_ns != 0 &&
        (config->interval_ns < MIN_INTERVAL_NS || config->interval_ns > MAX_SPAN_NS))
        return dxt_fail(
            DXT_ERR_INVALID,
            "config.interval_ns is %lld, but must be 0, or %lld (1 ms) to %lld (10 days)",
            (long long)config->interval_ns, (long long)MIN_INTERVAL_NS, (long long)MAX_SPAN_NS);
    if (config->deadline_ns < 0 || config->deadline_ns > MAX_SPAN_NS)
        return refuse_span("deadline_ns", config->deadline_ns);
    if (config->patience_ns < 0 || config->patience_ns > MAX_SPAN_NS)
        return refuse_span("patience_ns", config->patience_ns);
    if (config->node < -1)
        return dxt_fail(DXT_ERR_INVALID, "config.node is %d, but must be -1 or more", config->node);
    if (!(config->min_share >= 0 && config->min_share <= 1))
        return dxt_fail(DXT_ERR_INVALID, "config.min_share is %g, but must be 0 to 1",
                        config->min_share);
    if ((unsigned)config->origin > DXT_ORIGIN_DURATION)
        return dxt_fail(DXT_ERR_INVALID, "config.origin is %d, but must be a dxt_origin",
                        (int)config->origin);
    if (config->local_experts > DXT_MAX_LOCAL_EXPERTS)
        return dxt_fail(DXT_ERR_INVALID, "config.local_experts is %u, but must be 0 to %u",
                        config->local_experts, DXT_MAX_LOCAL_EXPERTS);
    if (config->alone && config->history)
        return dxt_fail(DXT_ERR_INVALID, "config.history must be NULL if config.alone is set");
    return check_counters(config);
}

dxt_status dxt_session_take_config(const dxt_session_config *given, dxt_session_config *config,
                                   dxt_analysis_options *analysis)
{
    if (!dxt_take_struct(config, sizeof *config, given, DXT_SIZE_UP_TO(dxt_session_config, probe)))
        return dxt_fail_size("config", "dxt_session_config", given->struct_size);
    *analysis = (dxt_analysis_options){.struct_size = sizeof *analysis};
    if (config->analysis && !dxt_take_struct(analysis, sizeof *analysis, config->analysis,
                                             sizeof analysis->struct_size))
        return dxt_fail_size("config.analysis", "dxt_analysis_options",
                             config->analysis->struct_size);
    dxt_status status = check_config(config);
    if (status == DXT_OK && config->min_share > 0) analysis->min_share = config->min_share;
    /* Record the default, too: readers of the windows must come to the same findings. */
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

void dxt_session_set_defaults(dxt_session *s)
{
    dxt_session_config *config = &s->config;
    if (config->interval_ops == 0) config->interval_ops = DXT_DEFAULT_INTERVAL_OPS;
    if (config->interval_ns == 0) config->interval_ns = DXT_DEFAULT_INTERVAL_NS;
    bool told = config->mode == DXT_SESSION_SYNC && config->deadline_ns > 0;
    s->silence_ns = told ? config->deadline_ns : DXT_LEAST_SILENCE_NS;
    if (config->deadline_ns == 0)
        config->deadline_ns =
            config->mode == DXT_SESSION_ASYNC ? DXT_DEFAULT_DEADLINE_NS : DXT_FIRST_BUDGET_NS;
    if (config->mode == DXT_SESSION_ASYNC && config->deadline_ns > config->interval_ns)
        config->deadline_ns = config->interval_ns;
    if (config->patience_ns == 0) config->patience_ns = LEAST_BUDGET_NS;
    s->rank = dxt_gather_rank(config->gather);
    s->ranks = dxt_gather_ranks(config->gather);
    s->operators = config->probe ? config->probe->operators : config->operators_count;
    s->keeps_durations = config->probe && config->probe->durations > 0;
    s->mail_size = s->keeps_durations ? dxt_session_duration_mail_size(s->operators, s->ranks)
                                      : dxt_session_mail_size(s->operators, s->ranks);
    /* The transport may know what the program does not say. */
    if (config->node < 0) config->node = dxt_gather_node(config->gather);
    dxt_mail_set_text(s->instance, sizeof s->instance, config->instance);
    dxt_mail_set_text(s->group, sizeof s->group, config->group);
    set_place(s);
    s->pid = getpid();
    /* The thread that calls step communicates; without steps, the one that made the session. */
    dxt_delay_start(&s->delay, config->mode == DXT_SESSION_SYNC);
}

/* Find for each operator the ones whose windows help to judge it. */
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

dxt_status dxt_session_copy_texts(dxt_session *s)
{
    static const char *const usual[DXT_EP_OPERATORS] = {"dispatch", "combine"};
    const char *const *names = s->config.operators ? s->config.operators : usual;
    for (uint32_t o = 0; o < s->operators; o++) {
        if (!names[o] || !names[o][0])
            return dxt_fail(DXT_ERR_INVALID,
                            "config.operators[%u] must be a name, not NULL or empty", o);
        s->names[o] = strdup(names[o]);
        if (!s->names[o]) return dxt_fail_memory(0);
    }
    relate_operators(s);
    if (!s->config.source) return DXT_OK;
    s->source = strdup(s->config.source);
    return s->source ? DXT_OK : dxt_fail_memory(0);
}
