/* SPDX-License-Identifier: Apache-2.0 */
#include "side.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/status.h>

#include "options.h"

static void operator_free(side_operator *o)
{
    if (!o) return;
    series_end(&o->late);
    series_end(&o->silent);
    series_end(&o->wait);
    series_end(&o->mean);
    series_end(&o->step);
    causes_end(&o->causes);
    free(o->phase);
    free(o);
}

/* Forget the run. */
static void forget(side *s)
{
    for (size_t i = 0; i < s->count; i++) operator_free(s->operators[i]);
    for (uint32_t rank = 0; s->hosts && rank < s->ranks; rank++) free(s->hosts[rank]);
    free(s->hosts);
    free(s->nodes);
    free(s->row);
    s->hosts = NULL;
    s->nodes = NULL;
    s->row = NULL;
    s->count = 0;
    s->ranks = 0;
}

void side_free(side *s)
{
    forget(s);
    dxt_history_destroy(s->history);
    s->history = NULL;
}

static const char *host_of(const dxt_window *window, uint32_t rank)
{
    if (window->devices && window->devices[rank].host[0]) return window->devices[rank].host;
    return window->hosts ? window->hosts[rank] : NULL;
}

/* Nodes as the analysis takes them; false: no memory. */
static bool take_nodes(side *s, const dxt_window *window)
{
    uint32_t per_node = (uint32_t)s->analysis->ranks_per_node;
    if (!window->nodes && per_node == 0) return true;
    s->nodes = malloc(window->ranks * sizeof *s->nodes);
    for (uint32_t rank = 0; s->nodes && rank < window->ranks; rank++)
        s->nodes[rank] = window->nodes ? window->nodes[rank] : (int32_t)(rank / per_node);
    return s->nodes != NULL;
}

static bool begin_run(side *s, const dxt_window *window)
{
    s->ranks = window->ranks;
    s->row = malloc(window->ranks * sizeof *s->row);
    if (!s->row || !take_nodes(s, window)) return false;
    if (!host_of(window, 0)) return true;
    s->hosts = calloc(window->ranks, sizeof *s->hosts);
    for (uint32_t rank = 0; s->hosts && rank < window->ranks; rank++) {
        const char *host = host_of(window, rank);
        s->hosts[rank] = strdup(host ? host : "");
        if (!s->hosts[rank]) return false;
        dxt_make_printable(s->hosts[rank]);
    }
    return s->hosts != NULL;
}

static side_operator *find_operator(side *s, const dxt_window *window)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->operators[i]->phase, window->phase) == 0) return s->operators[i];
    side_operator *made = calloc(1, sizeof *made);
    size_t ranks = s->ranks;
    if (made && (made->phase = strdup(window->phase)) && series_begin(&made->late, ranks) &&
        series_begin(&made->silent, ranks) && series_begin(&made->wait, ranks * ranks) &&
        series_begin(&made->mean, 1) && series_begin(&made->step, 1)) {
        made->measure = dxt_window_measure(window);
        s->operators[s->count++] = made;
        return made;
    }
    operator_free(made);
    return NULL;
}

static void take_waits(side *s, side_operator *o, const dxt_window *window)
{
    double sum = 0;
    uint64_t count = 0;
    for (uint32_t row = 0; row < s->ranks; row++) {
        dxt_window_row(window, row, s->row);
        for (uint32_t column = 0; column < s->ranks; column++) {
            double value = s->row[column];
            if (row == column || isnan(value)) continue;
            series_take(&o->wait, (size_t)row * s->ranks + column, value);
            sum += value;
            count++;
        }
    }
    if (count > 0) series_take(&o->mean, 0, sum / (double)count);
}

static void take_silence(side *s, side_operator *o, const dxt_window *window,
                         const dxt_findings *findings)
{
    for (uint32_t rank = 0; rank < s->ranks; rank++) {
        bool silent = window->missing && window->missing[rank];
        for (size_t i = 0; i < findings->finding_count && !silent; i++) {
            const dxt_finding *f = &findings->findings[i];
            silent = f->kind == DXT_SILENT_RANK && f->rank == rank;
        }
        series_take(&o->silent, rank, silent);
    }
}

static dxt_status take_window(side *s, const dxt_window *window, const dxt_findings *findings)
{
    if (s->ranks == 0 && !begin_run(s, window)) return DXT_ERR_NO_MEMORY;
    side_operator *o = NULL;
    bool full = s->count == DXT_HISTORY_OPERATORS;
    for (size_t i = 0; i < s->count && !o; i++)
        if (strcmp(s->operators[i]->phase, window->phase) == 0) o = s->operators[i];
    if (!o && full) return DXT_OK;
    if (!o) o = find_operator(s, window);
    if (!o) return DXT_ERR_NO_MEMORY;
    /* A run whose counts come and go has no one unit. */
    if (o->measure != dxt_window_measure(window)) return DXT_OK;
    o->windows++;
    o->inherited += findings->inherited != 0;
    if (o->windows > s->windows) s->windows = o->windows;
    for (uint32_t rank = 0; rank < s->ranks && findings->lateness; rank++) {
        bool silent = window->missing && window->missing[rank];
        series_take(&o->late, rank, silent ? NAN : findings->lateness[rank]);
    }
    take_silence(s, o, window, findings);
    take_waits(s, o, window);
    if (!causes_take(&o->causes, findings)) return DXT_ERR_NO_MEMORY;
    if (findings->step > 0) series_take(&o->step, 0, findings->step);
    o->floor = fmax(o->floor, findings->floor);
    return DXT_OK;
}

static outcome take(void *context, const dxt_window *window, related_windows related)
{
    side *s = context;
    dxt_findings *alone, *judged;
    bool other =
        s->ranks > 0 && (s->ranks != window->ranks ||
                         (window->index >= 0 && !dxt_history_continues(s->history, window)));
    if (other) {
        s->left_out += s->windows;
        s->windows = 0;
        forget(s);
    }
    dxt_status status = analyze_window(s->analysis, window, related, s->history, &alone);
    if (status != DXT_OK) return complain_status("compare", status);
    status = dxt_history_judge(s->history, window, alone, &judged);
    dxt_findings_free(alone);
    if (status == DXT_OK) {
        status = take_window(s, window, judged);
        dxt_findings_free(judged);
    }
    return status == DXT_OK ? GO_ON : complain_status("compare", status);
}

outcome side_read(side *s, const file_group *files, const analysis_options *analysis, bool strict)
{
    cli_input input;
    dxt_history_options options = {.struct_size = sizeof options, .min_share = analysis->min_share};
    s->analysis = analysis;
    dxt_status status = dxt_history_create(&options, &s->history);
    if (status != DXT_OK) return complain_status("compare", status);
    outcome result = input_open(&input, "compare", files->paths, files->count, strict);
    if (result != GO_ON) return result;
    result = input_each(&input, take, s);
    input_close(&input);
    if (result == GO_ON && s->windows == 0)
        return complain("compare", "%s has no window", files->name);
    return result;
}
