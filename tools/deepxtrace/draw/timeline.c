/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "options.h"

void timeline_free(draw_timeline *timeline)
{
    for (size_t p = 0; p < timeline->count; p++) {
        free(timeline->phases[p]);
        free(timeline->title[p]);
        free(timeline->timelines[p]);
    }
    timeline->count = 0;
}

/* Note the operator of a window. */
static dxt_status note_phase(draw_timeline *timeline, const char *phase)
{
    for (size_t p = 0; p < timeline->count; p++)
        if (strcmp(timeline->phases[p], phase) == 0) return DXT_OK;
    if (timeline->count == DXT_HISTORY_OPERATORS) return DXT_OK;
    char *copy = strdup(phase);
    if (!copy) return DXT_ERR_NO_MEMORY;
    size_t p = timeline->count++;
    timeline->phases[p] = copy;
    timeline->timelines[p] = NULL;
    timeline->title[p] = NULL;
    return DXT_OK;
}

static bool wanted(const draw_timeline *timeline, const dxt_window *window)
{
    if (window->index < 0) return false;
    if (timeline->phase && strcasecmp(window->phase, timeline->phase) != 0) return false;
    return !timeline->case_name ||
           (window->case_name && strcmp(window->case_name, timeline->case_name) == 0);
}

static dxt_status take(draw_timeline *timeline, dxt_history *history, const dxt_window *window)
{
    dxt_findings *alone, *judged;
    if (!dxt_history_continues(history, window)) timeline_free(timeline);
    dxt_status status = analyze_window(timeline->analysis, window, NULL, history, &alone);
    if (status != DXT_OK) return status;
    status = dxt_history_judge(history, window, alone, &judged);
    dxt_findings_free(alone);
    if (status != DXT_OK) return status;
    dxt_findings_free(judged);
    return note_phase(timeline, window->phase);
}

/* @return GO_ON; otherwise the exit status. */
static outcome take_all(draw_timeline *timeline, dxt_history *history)
{
    cli_input input;
    dxt_window *window;
    dxt_status status = DXT_OK, taken = DXT_OK;
    outcome result = input_open(&input, "heatmap", timeline->files->paths, timeline->files->count,
                                timeline->strict);
    if (result != GO_ON) return result;
    while (taken == DXT_OK && (status = input_next(&input, &window)) == DXT_OK) {
        if (wanted(timeline, window)) taken = take(timeline, history, window);
        dxt_window_free(window);
    }
    result = taken == DXT_OK ? input_end(&input, status) : complain_status("heatmap", taken);
    input_close(&input);
    return result;
}

static dxt_status finish(draw_timeline *timeline, const dxt_history *history)
{
    dxt_run_identity run = dxt_history_run(history);
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < timeline->count && status == DXT_OK; p++) {
        status = dxt_history_timeline(history, timeline->phases[p], &timeline->timelines[p]);
        if (status == DXT_OK &&
            asprintf(&timeline->title[p], "lateness in %s%s%s", timeline->phases[p],
                     run.case_name ? ", case " : "", run.case_name ? run.case_name : "") < 0) {
            timeline->title[p] = NULL;
            status = DXT_ERR_NO_MEMORY;
        }
    }
    return status;
}

outcome timeline_read(draw_timeline *timeline)
{
    dxt_history_options options = {.struct_size = sizeof options,
                                   .min_share = timeline->analysis->min_share};
    dxt_history *history = NULL;
    if (timeline->analysis->method == DXT_METHOD_RATIO)
        return complain("heatmap", "--timeline needs the robust method");
    dxt_status status = dxt_history_create(&options, &history);
    if (status != DXT_OK) return complain_status("heatmap", status);
    outcome result = take_all(timeline, history);
    if (result == GO_ON) status = finish(timeline, history);
    dxt_history_destroy(history);
    if (result != GO_ON) return result;
    if (status != DXT_OK) return complain_status("heatmap", status);
    if (timeline->count == 0)
        return complain("heatmap", "%s: no numbered window that was asked for", timeline->input);
    return GO_ON;
}

dxt_status timeline_draw(const draw_timeline *timeline, dxt_format format, dxt_color color,
                         uint32_t columns, dxt_write_fn write, void *context)
{
    dxt_timeline_panel panels[DXT_HISTORY_OPERATORS];
    dxt_heatmap_options options = {
        .struct_size = sizeof options, .color = color, .columns = columns};
    for (size_t p = 0; p < timeline->count; p++)
        panels[p] = (dxt_timeline_panel){.ranks = timeline->timelines[p]->ranks,
                                         .windows = timeline->timelines[p]->windows,
                                         .index = timeline->timelines[p]->index,
                                         .values = timeline->timelines[p]->lateness,
                                         .measure = timeline->timelines[p]->measure,
                                         .ordinary = timeline->timelines[p]->floor,
                                         .title = timeline->title[p]};
    return dxt_timeline_write(panels, timeline->count, format, &options, write, context);
}
