/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <deepxtrace/report.h>

#include "heatmap.h"
#include "options.h"
#include "pack.h"
#include "track_draw.h"
#include "words.h"

static void forget_tracks(draw_page *draw)
{
    for (size_t i = 0; i < draw->count; i++) track_free(draw->tracks[i]);
    draw->count = 0;
}

void page_free(draw_page *draw)
{
    forget_tracks(draw);
    dxt_history_destroy(draw->history);
    dxt_page_free(draw->page);
    draw->history = NULL;
    draw->page = NULL;
}

/* ---- a run ---- */

/* The lines of the run's summary, each as long as it is. */
static dxt_status say_summary(draw_page *draw)
{
    struct words summary = {0};
    dxt_status status = dxt_report_summary_text(draw->history, words_add, &summary);
    if (status == DXT_OK) status = dxt_page_say(draw->page, summary.text ? summary.text : "");
    free(summary.text);
    return status;
}

static dxt_status end_run(draw_page *draw)
{
    dxt_status status = DXT_OK;
    if (draw->history && draw->summary && dxt_history_windows(draw->history) > 0)
        status = say_summary(draw);
    for (size_t i = 0; status == DXT_OK && i < draw->count; i++) {
        status = track_finish(draw->tracks[i], draw->history);
        if (status != DXT_OK) break;
        dxt_timeline_panel panel = track_panel(draw->tracks[i]);
        status = dxt_page_timeline(draw->page, draw->tracks[i]->phase, &panel);
    }
    forget_tracks(draw);
    return status;
}

/* ---- windows ---- */

static dxt_status judge(draw_page *draw, const dxt_window *window, related_windows related,
                        dxt_findings **findings)
{
    dxt_findings *alone;
    dxt_status status = analyze_window(draw->analysis, window, related, draw->history, &alone);
    if (status != DXT_OK || !draw->history) {
        if (status == DXT_OK) *findings = alone;
        return status;
    }
    status = dxt_history_judge(draw->history, window, alone, findings);
    dxt_findings_free(alone);
    return status;
}

static dxt_status add_to_page(draw_page *draw, const dxt_window *window,
                              const dxt_findings *findings)
{
    char caption[DRAW_CAPTION] = "";
    struct words diagnosis = {0};
    dxt_mark *marks = NULL;
    size_t count = 0;
    dxt_status status = dxt_report_marks(window, findings, &marks, &count);
    if (status == DXT_OK) status = dxt_report_json(window, findings, words_add, &diagnosis);
    draw_lists(findings, caption, 0);
    const dxt_page_window shown = {.struct_size = sizeof shown,
                                   .window = window,
                                   .diagnosis = diagnosis.text,
                                   .caption = caption[0] ? caption : NULL,
                                   .marks = marks,
                                   .mark_count = count};
    if (status == DXT_OK) status = dxt_page_add(draw->page, &shown);
    free(marks);
    free(diagnosis.text);
    return status;
}

static dxt_status add_to_track(draw_page *draw, const dxt_window *window,
                               const dxt_findings *findings)
{
    track *of;
    if (!draw->history || window->index < 0) return DXT_OK;
    dxt_status status = track_find(draw->tracks, &draw->count, window, &of);
    return status == DXT_OK && of ? track_add(of, window, findings) : status;
}

static dxt_status add(draw_page *draw, const dxt_window *window, related_windows related)
{
    dxt_findings *findings;
    bool shown = !draw->phase || strcasecmp(window->phase, draw->phase) == 0;
    dxt_status status = DXT_OK;
    if (draw->history && draw->windows > 0 && !dxt_history_continues(draw->history, window))
        status = end_run(draw);
    if (status == DXT_OK) status = judge(draw, window, related, &findings);
    if (status != DXT_OK) return status;
    if (shown) status = add_to_page(draw, window, findings);
    if (shown && status == DXT_OK) status = add_to_track(draw, window, findings);
    draw->windows += shown;
    draw->started |= shown && window->index == draw->options.start;
    dxt_findings_free(findings);
    return status;
}

static outcome take(void *context, const dxt_window *window, related_windows related)
{
    draw_page *draw = context;
    if (draw->case_name && (!window->case_name || strcmp(window->case_name, draw->case_name) != 0))
        return GO_ON;
    dxt_status status = add(draw, window, related);
    return status == DXT_OK ? GO_ON : complain_status(draw->command, status);
}

static outcome read_all(draw_page *draw)
{
    cli_input input;
    outcome result =
        input_open(&input, draw->command, draw->files->paths, draw->files->count, draw->strict);
    if (result != GO_ON) return result;
    input.change = draw->change;
    input.change_context = draw->change_context;
    result = input_each(&input, take, draw);
    input_close(&input);
    if (result != GO_ON) return result;
    if (draw->windows == 0)
        return complain(draw->command, "%s has no window that matches", draw->files->name);
    dxt_status status = end_run(draw);
    return status == DXT_OK ? GO_ON : complain_status(draw->command, status);
}

outcome page_read(draw_page *draw)
{
    dxt_history_options options = {.struct_size = sizeof options,
                                   .min_share = draw->analysis->min_share};
    draw->options.struct_size = sizeof draw->options;
    draw->options.pack = cli_pack();
    draw->options.advice = dxt_report_advice_json();
    /* Whoever reads a page is anywhere: its times are UTC, also in the words of the summary. */
    setenv("TZ", "UTC0", 1);
    tzset();
    dxt_status status = dxt_page_create(&draw->options, &draw->page);
    if (status == DXT_OK && draw->analysis->method != DXT_METHOD_RATIO)
        status = dxt_history_create(&options, &draw->history);
    if (status != DXT_OK) return complain_status(draw->command, status);
    return read_all(draw);
}
