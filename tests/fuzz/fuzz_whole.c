/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole line: any bytes, as the reader takes them, are analysed by both methods, held against
 * the windows before, told as text and JSON, and drawn. What comes out is printable, JSON is JSON
 * (jansson is the judge), a picture has no markup but ours.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <deepxtrace/deepxtrace.h>

#include "base/base.h"
#include "collect.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More would only take longer. */
#define MOST_RANKS 24u
#define MOST_WINDOWS 12

/* ---- what comes out ---- */

/* Nothing unprintable but newlines and what @p also has. */
static void check_text(const dxt_text *text, const char *also)
{
    require(text->size > 0 && !text->failed);
    for (size_t at = 0, size; at < text->size; at += size) {
        uint32_t code = dxt_utf8_decode(text->data + at, text->size - at, &size);
        bool known = code == '\n' || (code < 128 && code > 0 && strchr(also, (int)code));
        require(known || !dxt_is_unprintable(code));
    }
}

static void check_json(dxt_text *text)
{
    check_text(text, "");
    require(memchr(text->data, '\n', text->size) == text->data + text->size - 1);
    json_t *json = json_loadb(text->data, text->size, 0, NULL);
    require(json != NULL);
    json_decref(json);
    free(text->data);
}

/* Tags are closed before the next begins, and so are the quotes in them. */
static void check_markup(const dxt_text *text)
{
    bool in_tag = false;
    char quote = 0;
    check_text(text, "");
    for (size_t i = 0; i < text->size; i++) {
        char c = text->data[i];
        if (quote) {
            require(c != '<');
            if (c == quote) quote = 0;
        } else if (in_tag) {
            require(c != '<');
            if (c == '"' || c == '\'') quote = c;
            if (c == '>') in_tag = false;
        } else {
            in_tag = c == '<';
        }
    }
    require(!in_tag && !quote);
}

static void check_picture(dxt_text *picture, dxt_format format)
{
    if (format == DXT_FORMAT_SVG)
        check_markup(picture);
    else
        check_text(picture, format == DXT_FORMAT_TERMINAL ? "\033" : "\t");
    free(picture->data);
}

/* ---- the line ---- */

static void check_findings(const dxt_findings *findings)
{
    for (size_t f = 0; f < findings->finding_count; f++) {
        const dxt_finding *finding = &findings->findings[f];
        require(isnan(finding->share) || (finding->share >= 0 && finding->share <= 1));
        require(finding->confidence >= 0 && finding->confidence <= 1);
    }
}

static void draw(const dxt_window *window, const dxt_findings *findings, uint32_t columns)
{
    char sentence[512] = "";
    dxt_mark *marks = NULL;
    size_t count = 0;
    require(dxt_report_marks(window, findings, &marks, &count) == DXT_OK);
    if (findings->finding_count > 0)
        dxt_report_sentence(window, findings, 0, sentence, sizeof sentence);
    const dxt_heatmap_panel panel = {
        .window = window, .marks = marks, .mark_count = count, .caption = sentence};
    const dxt_heatmap_options options = {
        .struct_size = sizeof options, .heading = window->source, .columns = columns};
    for (int format = DXT_FORMAT_TERMINAL; format <= DXT_FORMAT_HTML; format++) {
        dxt_text picture = {0};
        require(dxt_heatmap_write(&panel, 1, (dxt_format)format, &options, collect, &picture) ==
                DXT_OK);
        check_picture(&picture, (dxt_format)format);
    }
    free(marks);
}

static void tell(const dxt_window *window, const dxt_findings *findings, uint32_t columns)
{
    dxt_text json = {0}, text = {0};
    check_findings(findings);
    require(dxt_report_json(window, findings, collect, &json) == DXT_OK);
    check_json(&json);
    require(dxt_report_text(window, findings, collect, &text) == DXT_OK);
    check_text(&text, "");
    free(text.data);
    draw(window, findings, columns);
}

static void judge(dxt_window *window, dxt_window *companion, dxt_history *history, uint32_t columns)
{
    dxt_analysis_options options = {.struct_size = sizeof options, .companion = companion};
    dxt_findings *found = NULL;
    const dxt_findings *judged = NULL;
    options.method = DXT_METHOD_RATIO;
    require(dxt_analyze(window, &options, &found) == DXT_OK);
    tell(window, found, columns);
    dxt_findings_free(found);
    options.method = DXT_METHOD_ROBUST;
    require(dxt_history_prior(history, window, &options) == DXT_OK);
    require(dxt_analyze(window, &options, &found) == DXT_OK);
    require(dxt_history_follow(history, window, found, &judged) == DXT_OK);
    tell(window, judged, columns);
    dxt_findings_free(found);
}

static void draw_timeline(const dxt_history *history, const char *phase)
{
    dxt_timeline *timeline;
    require(dxt_history_timeline(history, phase, &timeline) == DXT_OK);
    const dxt_timeline_panel panel = {.ranks = timeline->ranks,
                                      .windows = timeline->windows,
                                      .index = timeline->index,
                                      .values = timeline->lateness,
                                      .measure = timeline->measure,
                                      .ordinary = timeline->floor,
                                      .title = phase};
    for (int format = DXT_FORMAT_TERMINAL; format <= DXT_FORMAT_SVG; format++) {
        dxt_text picture = {0};
        require(dxt_timeline_write(&panel, 1, (dxt_format)format, NULL, collect, &picture) ==
                DXT_OK);
        check_picture(&picture, (dxt_format)format);
    }
    free(timeline);
}

static void sum_up(const dxt_history *history)
{
    dxt_text json = {0}, text = {0};
    dxt_episode *episodes = NULL;
    size_t count = 0;
    require(dxt_report_summary_json(history, collect, &json) == DXT_OK);
    check_json(&json);
    require(dxt_report_summary_text(history, collect, &text) == DXT_OK);
    check_text(&text, "");
    free(text.data);
    require(dxt_history_summary(history, &episodes, &count) == DXT_OK);
    for (size_t e = 0; e < count; e++) {
        require(episodes[e].seen <= episodes[e].windows);
        draw_timeline(history, episodes[e].phase);
    }
    free(episodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dxt_reader *reader;
    dxt_history *history;
    dxt_window *window = NULL, *before = NULL;
    uint32_t columns = 24 + (uint32_t)(size % 100);
    require(dxt_reader_open_memory(data, size, "fuzz", &reader) == DXT_OK);
    require(dxt_history_create(NULL, &history) == DXT_OK);
    for (int n = 0; n < MOST_WINDOWS && dxt_reader_next(reader, &window) == DXT_OK;) {
        if (window->ranks > MOST_RANKS) {
            dxt_window_free(window);
            continue;
        }
        bool pair = before && before->ranks == window->ranks && n % 2 == 1;
        judge(window, pair ? before : NULL, history, columns);
        dxt_window_free(before);
        before = window;
        n++;
    }
    if (dxt_history_windows(history) > 0) sum_up(history);
    dxt_window_free(before);
    dxt_history_destroy(history);
    dxt_reader_close(reader);
    return 0;
}
