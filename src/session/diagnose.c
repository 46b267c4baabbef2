/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0 turns the mails of a window into findings. */
#include "session/state.h"

#include <math.h>

#include "base/base.h"
#include "matrix/fields.h"

/* Whether a window belongs into its history. If an operator completed nothing, since the job did
 * something else for a while, no rank was late or on time. That the number of operations is no
 * longer known is another matter. */
static bool is_telling(dxt_session *s, uint32_t index, const dxt_window *window)
{
    if (window->ops > 0) s->counts_ops[index] = true;
    if (window->ops > 0) return true;
    if (s->counts_ops[index] && dxt_assembler_knows_ops(s->assembler, index)) return false;
    size_t cells = (size_t)window->ranks * window->ranks;
    for (size_t c = 0; c < cells; c++)
        if (window->wait[c] > 0) return true;
    return false;
}

static const dxt_window *related(const dxt_window *const *windows, uint32_t index)
{
    return index != DXT_NO_COMPANION ? windows[index] : NULL;
}

static dxt_status analyse(dxt_session *s, const dxt_window *const *windows,
                          const dxt_findings **findings)
{
    dxt_status status = DXT_OK;
    for (uint32_t o = 0; o < s->operators && status == DXT_OK; o++) {
        dxt_analysis_options options = s->analysis;
        options.companion = related(windows, s->companions[o]);
        options.adjacent = related(windows, s->adjacent[o]);
        status = dxt_history_prior(s->history, windows[o], &options);
        if (status != DXT_OK) break;
        status = dxt_analyzer_run(s->analyzers[o], windows[o], &options, &findings[o]);
    }
    /* Operators with memory of their own: the findings of one last until its next window. */
    uint32_t followed = s->history ? s->operators : 0;
    if (followed > DXT_HISTORY_OPERATORS) followed = DXT_HISTORY_OPERATORS;
    for (uint32_t o = 0; o < followed && status == DXT_OK; o++)
        if (is_telling(s, o, windows[o]) || dxt_window_is_still(windows[o]))
            status = dxt_history_follow(s->history, windows[o], findings[o], &findings[o]);
    return status;
}

dxt_status dxt_session_diagnose(dxt_session *s)
{
    const dxt_window *windows[DXT_MAX_OPERATORS];
    const dxt_findings *findings[DXT_MAX_OPERATORS];
    dxt_diagnosis diagnoses[DXT_MAX_OPERATORS];
    dxt_assembly assembly = {.operators = s->operators,
                             .names = (const char *const *)s->names,
                             .index = (int64_t)(s->rounds - s->config.warmup_windows),
                             .busy_ns = s->busy_ns,
                             .durations = s->durations,
                             .min_share = fmin(s->analysis.min_share, 1),
                             .origin = s->config.origin,
                             .instance = s->instance,
                             .group = s->group,
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
