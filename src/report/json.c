/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The diagnosis format. Written out by hand: the keys have an order, and figures the shortest form
 * that reads back to the same bits, which the JSON library's printer cannot be asked for.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/report.h>

#include "report/words.h"

void dxt_words_json_real(dxt_text *text, double value)
{
    char figure[DXT_REAL_SIZE];
    if (!isfinite(value)) {
        dxt_text_puts(text, "null");
        return;
    }
    dxt_format_real(value, figure);
    dxt_text_puts(text, figure);
    /* A whole number is still a real to whoever reads it. */
    if (!strpbrk(figure, ".e")) dxt_text_puts(text, ".0");
}

void dxt_words_json_wait(dxt_text *text, double wait, bool timed)
{
    dxt_text_puts(text, ",\"wait_us\":");
    dxt_words_json_real(text, timed ? wait / 1000 : NAN);
    if (timed) return;
    dxt_text_puts(text, ",\"wait_cycles\":");
    dxt_words_json_real(text, wait);
}

/* The line must stay readable for any reader. */
void dxt_words_json_string(dxt_text *text, const char *string)
{
    dxt_text_puts(text, "\"");
    for (const char *at = string; *at;) {
        size_t length = dxt_words_character(at);
        if (*at == '"' || *at == '\\') dxt_text_puts(text, "\\");
        if (length)
            dxt_text_append(text, at, length);
        else if ((unsigned char)*at < 0x80)
            dxt_text_printf(text, "\\u%04x", (unsigned)*at);
        else
            dxt_text_puts(text, "?");
        at += length ? length : 1;
    }
    dxt_text_puts(text, "\"");
}

void dxt_words_json_sentence(dxt_text *text, dxt_text *sentence)
{
    if (sentence->failed)
        text->failed = true;
    else
        dxt_words_json_string(text, sentence->data);
    free(sentence->data);
}

static void put_axes(dxt_text *text, const char *key, const dxt_abnormal_axis *axes, size_t count)
{
    dxt_text_printf(text, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        dxt_text_printf(text, "%s[%u,", i ? "," : "", axes[i].rank);
        dxt_words_json_real(text, axes[i].mean);
        dxt_text_puts(text, ",");
        dxt_words_json_real(text, axes[i].normalised);
        dxt_text_puts(text, "]");
    }
    dxt_text_puts(text, "]");
}

static void put_points(dxt_text *text, const dxt_findings *findings)
{
    dxt_text_puts(text, ",\"abnormal_points\":[");
    for (size_t i = 0; i < findings->point_count; i++) {
        const dxt_abnormal_point *point = &findings->points[i];
        dxt_text_printf(text, "%s[%u,%u,", i ? "," : "", point->row, point->column);
        dxt_words_json_real(text, point->value);
        dxt_text_puts(text, ",");
        dxt_words_json_real(text, point->normalised);
        dxt_text_puts(text, "]");
    }
    dxt_text_puts(text, "]");
}

static void put_ranks(dxt_text *text, const dxt_finding *finding)
{
    if (finding->rank_count == 0) return;
    dxt_text_puts(text, ",\"ranks\":[");
    for (uint32_t i = 0; i < finding->rank_count; i++)
        dxt_text_printf(text, "%s%u", i ? "," : "", finding->ranks[i]);
    dxt_text_puts(text, "]");
}

static void put_paths(dxt_text *text, const dxt_finding *finding)
{
    if (finding->path_count > 0) dxt_text_puts(text, ",\"paths\":[");
    for (uint32_t i = 0; i < finding->path_count; i++)
        dxt_text_printf(text, "%s[%u,%u]", i ? "," : "", finding->paths[2 * (size_t)i],
                        finding->paths[2 * (size_t)i + 1]);
    if (finding->path_count > 0) dxt_text_puts(text, "]");
    if (finding->path_total > 0) dxt_text_printf(text, ",\"path_count\":%u", finding->path_total);
}

static void put_nodes(dxt_text *text, const dxt_finding *finding)
{
    if (finding->node_count == 0) return;
    dxt_text_puts(text, ",\"nodes\":[");
    for (uint32_t i = 0; i < finding->node_count; i++)
        dxt_text_printf(text, "%s%d", i ? "," : "", finding->nodes[i]);
    dxt_text_puts(text, "]");
}

/* Whom the finding names: rank, path or paths, node with its ranks, or path_nodes. */
static void put_subject(dxt_text *text, const dxt_finding *finding)
{
    switch (finding->kind) {
    case DXT_SLOW_PATH:
        if (finding->path_count == 0)
            dxt_text_printf(text, ",\"path\":[%u,%u]", finding->rank, finding->source);
        else if (finding->rank != DXT_NO_RANK)
            dxt_text_printf(text, ",\"rank\":%u", finding->rank);
        else if (finding->source != DXT_NO_RANK)
            dxt_text_printf(text, ",\"source\":%u", finding->source);
        break;
    case DXT_SLOW_NODE_PATH:
        dxt_text_printf(text, ",\"path_nodes\":[%d,%d]", finding->node, finding->source_node);
        break;
    case DXT_LATE_NODE:
    case DXT_SLOW_NODE_LINK: dxt_text_printf(text, ",\"node\":%d", finding->node); break;
    default:
        if (finding->rank != DXT_NO_RANK) dxt_text_printf(text, ",\"rank\":%u", finding->rank);
    }
    put_ranks(text, finding);
    put_paths(text, finding);
    put_nodes(text, finding);
    if (finding->kind == DXT_LATE_RANK && finding->or_early)
        dxt_text_printf(text, ",\"or_early\":%u", 1 - finding->rank);
    if (finding->direction != DXT_DIRECTION_NONE)
        dxt_text_printf(text, ",\"direction\":\"%s\"", dxt_direction_name(finding->direction));
    if (finding->kind == DXT_SLOW_LINK)
        dxt_text_printf(text, ",\"between_nodes\":%s", finding->between_nodes ? "true" : "false");
    if (finding->kind == DXT_SILENT_RANK)
        dxt_text_printf(text, ",\"reason\":\"%s\"", dxt_silence_name(finding->silence));
}

void dxt_words_json_place(dxt_text *text, const char *host, const dxt_place *place)
{
    if (host && host[0]) {
        dxt_text_puts(text, ",\"host\":");
        dxt_words_json_string(text, host);
    }
    if (!place) return;
    dxt_text_puts(text, ",\"device\":{");
    const char *comma = "";
    if (place->gpu >= 0) dxt_text_printf(text, "\"gpu\":%d", place->gpu), comma = ",";
    if (place->uuid[0]) {
        dxt_text_printf(text, "%s\"uuid\":", comma), comma = ",";
        dxt_words_json_string(text, place->uuid);
    }
    if (place->pci[0]) {
        dxt_text_printf(text, "%s\"pci\":", comma), comma = ",";
        dxt_words_json_string(text, place->pci);
    }
    if (place->pid > 0) dxt_text_printf(text, "%s\"pid\":%" PRId64, comma, place->pid), comma = ",";
    if (place->rank >= 0) dxt_text_printf(text, "%s\"rank\":%" PRId64, comma, place->rank);
    dxt_text_puts(text, "}");
}

/* Where the rank that is named is: what nvidia-smi and a drain command want to know. */
static void put_place(dxt_text *text, const dxt_window *window, const dxt_finding *finding)
{
    bool ranked = finding->rank < window->ranks;
    const dxt_place *place = ranked && window->devices ? &window->devices[finding->rank] : NULL;
    const char *host = ranked && window->hosts ? window->hosts[finding->rank] : NULL;
    dxt_words_json_place(text, place && place->host[0] ? place->host : host, place);
}

void dxt_words_json_begin(dxt_text *text, const char *begin)
{
    int64_t begin_ns;
    char utc[DXT_UTC_SIZE];
    if (dxt_parse_time(begin, &begin_ns))
        dxt_text_printf(text, ",\"begin\":\"%s\"", dxt_format_utc(begin_ns, utc));
}

/* Since when, and of which job, where the window says so. */
static void put_origin(dxt_text *text, const dxt_window *window)
{
    dxt_words_json_begin(text, window->begin);
    if (!window->instance) return;
    dxt_text_puts(text, ",\"instance\":");
    dxt_words_json_string(text, window->instance);
}

static void put_finding(dxt_text *text, const dxt_window *window, const dxt_findings *findings,
                        size_t index)
{
    const dxt_finding *finding = &findings->findings[index];
    dxt_text sentence = {0};
    bool timed = findings->measure == DXT_MEASURE_NS_PER_OP || findings->measure == DXT_MEASURE_NS;
    dxt_text_printf(text, "%s{\"kind\":\"%s\"", index ? "," : "",
                    dxt_finding_kind_name(finding->kind));
    put_subject(text, finding);
    put_place(text, window, finding);
    dxt_words_json_wait(text, finding->wait, timed);
    dxt_text_puts(text, ",\"share\":");
    dxt_words_json_real(text, finding->share);
    if (finding->share_most > finding->share) {
        dxt_text_puts(text, ",\"share_most\":");
        dxt_words_json_real(text, finding->share_most);
    }
    dxt_text_printf(text,
                    ",\"severity\":\"%s\",\"confidence\":", dxt_severity_name(finding->severity));
    dxt_words_json_real(text, finding->confidence);
    dxt_text_puts(text, ",\"text\":");
    dxt_words_finding(&sentence, window, findings, index);
    dxt_words_json_sentence(text, &sentence);
    dxt_text_puts(text, "}");
}

/* Who stands out though no finding names them, and why. */
static void put_explained(dxt_text *text, const dxt_window *window, const dxt_findings *findings)
{
    static const struct {
        dxt_explained why;
        const char *name, *axis;
    } kinds[] = {{DXT_EXPLAINED_HELD_UP, "held_up", "columns"},
                 {DXT_EXPLAINED_SILENT, "silent", "columns"},
                 {DXT_EXPLAINED_AHEAD, "ahead", "rows"}};
    unsigned char *ranks = malloc(window->ranks);
    const char *lead = ",\"explained\":[";
    text->failed = text->failed || !ranks;
    for (size_t i = 0; ranks && i < sizeof kinds / sizeof kinds[0]; i++) {
        dxt_text words = {0};
        if (dxt_words_explained(&words, window, findings, kinds[i].why, ranks) == 0) {
            text->failed = text->failed || words.failed;
            continue;
        }
        dxt_text_printf(text, "%s{\"why\":\"%s\",\"%s\":", lead, kinds[i].name, kinds[i].axis);
        const char *comma = "[";
        for (uint32_t rank = 0; rank < window->ranks; rank++) {
            if (!ranks[rank]) continue;
            dxt_text_printf(text, "%s%u", comma, rank);
            comma = ",";
        }
        dxt_text_puts(text, "],\"text\":");
        dxt_words_json_sentence(text, &words);
        dxt_text_puts(text, "}");
        lead = ",";
    }
    if (*lead == ',' && lead[1] == '\0') dxt_text_puts(text, "]");
    free(ranks);
}

dxt_status dxt_report_json(const dxt_window *window, const dxt_findings *findings,
                           dxt_write_fn write, void *context)
{
    if (!window || !findings || !write)
        return dxt_fail(DXT_ERR_INVALID, "window, findings and write must not be NULL");
    dxt_text text = {0};
    dxt_status status = dxt_report_check(window, findings);
    if (status != DXT_OK) return status;
    dxt_text_puts(&text, "{\"v\":1,\"phase\":");
    dxt_words_json_string(&text, window->phase);
    if (window->index >= 0)
        dxt_text_printf(&text, ",\"window\":%" PRId64, window->index);
    else
        dxt_text_puts(&text, ",\"window\":null");
    dxt_text_printf(&text, ",\"ranks\":%u,\"method\":\"%s\",\"verdict\":\"%s\"", findings->ranks,
                    dxt_method_name(findings->method), dxt_verdict_name(findings->verdict));
    put_axes(&text, "abnormal_cols", findings->cols, findings->col_count);
    put_axes(&text, "abnormal_rows", findings->rows, findings->row_count);
    put_points(&text, findings);
    put_origin(&text, window);
    dxt_text_puts(&text, ",\"findings\":[");
    for (size_t i = 0; i < findings->finding_count && !text.failed; i++)
        put_finding(&text, window, findings, i);
    dxt_text_puts(&text, "]");
    put_explained(&text, window, findings);
    if (findings->waits_beside > 0)
        dxt_text_printf(&text, ",\"waits_beside\":%u", findings->waits_beside);
    bool open = findings->verdict == DXT_VERDICT_INCONCLUSIVE;
    if (open && findings->lost_share > 0)
        dxt_text_printf(&text, ",\"lost_share\":%.3f", findings->lost_share);
    if (open && findings->apart_share > 0)
        dxt_text_printf(&text, ",\"apart_share\":%.3f", findings->apart_share);
    if (findings->likely_node_size > 0)
        dxt_text_printf(&text, ",\"likely_ranks_per_node\":%u", findings->likely_node_size);
    if (findings->delayed_ns > 0)
        dxt_text_printf(&text, ",\"delayed_rank\":%u,\"delayed_ns\":%" PRId64,
                        findings->delayed_rank, findings->delayed_ns);
    dxt_text_puts(&text, "}\n");
    return dxt_text_flush(&text, write, context);
}
