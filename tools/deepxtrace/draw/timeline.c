/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "options.h"
#include "output.h"
#include "track_draw.h"

void timeline_free(draw_timeline *timeline)
{
    for (size_t p = 0; p < timeline->count; p++) track_free(timeline->tracks[p]);
    timeline->count = 0;
}

static bool wanted(const draw_timeline *timeline, const dxt_window *window)
{
    return window->index >= 0 &&
           (!timeline->case_name ||
            (window->case_name && strcmp(window->case_name, timeline->case_name) == 0));
}

/* Whether a window is of a job that began before the one that is drawn. */
static bool is_older(draw_timeline *timeline, const dxt_window *window)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    for (const char *c = window->instance ? window->instance : ""; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    for (size_t i = 0; i < timeline->job_count; i++)
        if (timeline->jobs[i] == hash) return i + 1 < timeline->job_count;
    size_t most = sizeof timeline->jobs / sizeof timeline->jobs[0];
    if (timeline->job_count == most)
        memmove(timeline->jobs, timeline->jobs + 1, --timeline->job_count * sizeof hash);
    timeline->jobs[timeline->job_count++] = hash;
    return false;
}

static dxt_status judge(draw_timeline *timeline, const dxt_window *window, related_windows related)
{
    dxt_findings *alone, *judged;
    track *of;
    if (!dxt_history_continues(timeline->history, window)) timeline_free(timeline);
    dxt_status status =
        analyze_window(timeline->analysis, window, related, timeline->history, &alone);
    if (status != DXT_OK) return status;
    status = dxt_history_judge(timeline->history, window, alone, &judged);
    dxt_findings_free(alone);
    if (status != DXT_OK) return status;
    bool drawn = !timeline->phase || strcasecmp(window->phase, timeline->phase) == 0;
    of = NULL;
    if (drawn) status = track_find(timeline->tracks, &timeline->count, window, &of);
    if (status == DXT_OK && of) status = track_add(of, window, judged);
    dxt_findings_free(judged);
    return status;
}

/* Remember which operators there are. */
static void note(draw_timeline *timeline, const dxt_window *window)
{
    size_t used = strlen(timeline->there), length = strlen(window->phase);
    timeline->numbered |= window->index >= 0;
    for (const char *at = timeline->there; (at = strstr(at, window->phase)); at += length)
        if ((at[length] == ',' || !at[length]) && (at == timeline->there || at[-1] == ' ')) return;
    if (length == 0 || used + length + sizeof ", " > sizeof timeline->there) return;
    snprintf(timeline->there + used, sizeof timeline->there - used, "%s%s", used ? ", " : "",
             window->phase);
}

static outcome take(void *context, const dxt_window *window, related_windows related)
{
    draw_timeline *timeline = context;
    note(timeline, window);
    if (!wanted(timeline, window)) return GO_ON;
    if (is_older(timeline, window)) {
        timeline->left_out++;
        return GO_ON;
    }
    dxt_status status = judge(timeline, window, related);
    return status == DXT_OK ? GO_ON : complain_status("heatmap", status);
}

static outcome take_all(draw_timeline *timeline)
{
    cli_input input;
    outcome result = input_open(&input, "heatmap", timeline->files->paths, timeline->files->count,
                                timeline->strict);
    if (result != GO_ON) return result;
    result = input_each(&input, take, timeline);
    input_close(&input);
    if (result != GO_ON) return result;
    if (timeline->left_out > 0)
        complain("heatmap", "%s holds %llu windows of other jobs, which are not drawn",
                 timeline->input, (unsigned long long)timeline->left_out);
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < timeline->count && status == DXT_OK; p++)
        status = track_finish(timeline->tracks[p], timeline->history);
    return status == DXT_OK ? GO_ON : complain_status("heatmap", status);
}

static outcome nothing_drawn(const draw_timeline *timeline)
{
    if (!timeline->numbered)
        return complain(
            "heatmap", "%s: its windows have no numbers, which a timeline needs (field \"window\")",
            timeline->input);
    return complain("heatmap", "%s: no window%s%s%s%s%s%s", timeline->input,
                    timeline->phase ? " of phase " : "", timeline->phase ? timeline->phase : "",
                    timeline->case_name ? " in case " : "",
                    timeline->case_name ? timeline->case_name : "",
                    timeline->phase ? "; there are: " : "", timeline->phase ? timeline->there : "");
}

outcome timeline_read(draw_timeline *timeline)
{
    dxt_history_options options = {.struct_size = sizeof options,
                                   .min_share = timeline->analysis->min_share};
    dxt_status status = dxt_history_create(&options, &timeline->history);
    if (status != DXT_OK) return complain_status("heatmap", status);
    outcome result = take_all(timeline);
    dxt_history_destroy(timeline->history);
    timeline->history = NULL;
    if (result != GO_ON) return result;
    return timeline->count > 0 ? GO_ON : nothing_drawn(timeline);
}

dxt_status timeline_draw(const draw_timeline *timeline, dxt_format format, dxt_color color,
                         uint32_t columns, dxt_write_fn write, void *context)
{
    dxt_timeline_panel panels[DXT_HISTORY_OPERATORS];
    dxt_heatmap_options options = {.struct_size = sizeof options,
                                   .ascii = terminal_ascii(),
                                   .color = color,
                                   .columns = columns};
    for (size_t p = 0; p < timeline->count; p++) panels[p] = track_panel(timeline->tracks[p]);
    return dxt_timeline_write(panels, timeline->count, format, &options, write, context);
}
