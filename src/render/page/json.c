/* SPDX-License-Identifier: Apache-2.0 */
#include "render/page/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

void dxt_page_string(dxt_text *text, const char *string)
{
    if (!string) {
        dxt_text_puts(text, "null");
        return;
    }
    dxt_text_puts(text, "\"");
    for (size_t size; *string; string += size) {
        uint32_t code = dxt_utf8_decode(string, SIZE_MAX, &size);
        if (code == '\n')
            dxt_text_puts(text, "\\n");
        else if (dxt_is_unprintable(code))
            dxt_text_puts(text, "?");
        else if (code == '<' || code == '"' || code == '\\')
            dxt_text_printf(text, "\\u%04x", (unsigned)code);
        else
            dxt_text_append(text, string, size);
    }
    dxt_text_puts(text, "\"");
}

/* Append a number; null if it is not finite. */
static void append_real(dxt_text *text, double value)
{
    char figure[DXT_REAL_SIZE] = "null";
    if (isfinite(value)) dxt_format_real(value, figure);
    dxt_text_puts(text, figure);
}

/* Append ,"key":[…]. */
static void put_list(dxt_text *text, const char *key, const uint32_t *values, size_t count)
{
    dxt_text_printf(text, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) dxt_text_printf(text, "%s%" PRIu32, i ? "," : "", values[i]);
    dxt_text_puts(text, "]");
}

void dxt_page_verbatim(dxt_text *text, const char *json)
{
    for (; *json && *json != '\n'; json++) {
        if (*json == '<')
            dxt_text_puts(text, "\\u003c");
        else
            dxt_text_append(text, json, 1);
    }
}

static const char *host_of(const dxt_window *window, uint32_t rank)
{
    if (window->devices && window->devices[rank].host[0]) return window->devices[rank].host;
    return window->hosts && window->hosts[rank] ? window->hosts[rank] : "";
}

/* Every name once, then which of them each rank has. */
static void put_hosts(dxt_text *text, const dxt_window *window)
{
    uint32_t ranks = window->ranks, count = 0;
    uint32_t *first = malloc(2 * (size_t)ranks * sizeof *first), *index = first + ranks;
    if (!first) {
        text->failed = true;
        return;
    }
    dxt_text_puts(text, ",\"hosts\":[");
    for (uint32_t rank = 0; rank < ranks; rank++) {
        uint32_t at = count;
        /* Neighbours share a host: the newest are looked at first. */
        while (at > 0 && strcmp(host_of(window, first[at - 1]), host_of(window, rank)) != 0) at--;
        if (at == 0) {
            if (count) dxt_text_puts(text, ",");
            dxt_page_string(text, host_of(window, rank));
            first[count++] = rank;
            at = count;
        }
        index[rank] = at - 1;
    }
    dxt_text_puts(text, "]");
    put_list(text, "host", index, ranks);
    free(first);
}

static void put_devices(dxt_text *text, const dxt_window *window)
{
    dxt_text_puts(text, ",\"gpu\":[");
    for (uint32_t rank = 0; rank < window->ranks; rank++)
        dxt_text_printf(text, "%s%" PRId32, rank ? "," : "", window->devices[rank].gpu);
    dxt_text_puts(text, "],\"uuid\":[");
    for (uint32_t rank = 0; rank < window->ranks; rank++) {
        if (rank) dxt_text_puts(text, ",");
        dxt_page_string(text, window->devices[rank].uuid);
    }
    dxt_text_puts(text, "]");
}

void dxt_page_places(dxt_text *text, const dxt_window *window)
{
    dxt_text_printf(text, "\"ranks\":%" PRIu32 ",\"instance\":", window->ranks);
    dxt_page_string(text, window->instance);
    dxt_text_puts(text, ",\"group\":");
    dxt_page_string(text, window->group);
    dxt_text_puts(text, ",\"case\":");
    dxt_page_string(text, window->case_name);
    dxt_text_puts(text, ",\"source\":");
    dxt_page_string(text, window->source);
    if (window->hosts || window->devices) put_hosts(text, window);
    if (window->devices) put_devices(text, window);
    if (!window->nodes) return;
    dxt_text_puts(text, ",\"nodes\":[");
    for (uint32_t rank = 0; rank < window->ranks; rank++)
        dxt_text_printf(text, "%s%" PRId32, rank ? "," : "", window->nodes[rank]);
    dxt_text_puts(text, "]");
}

static void put_missing(dxt_text *text, const dxt_window *window)
{
    const char *comma = "";
    if (!window->missing) return;
    dxt_text_puts(text, ",\"missing\":[");
    for (uint32_t rank = 0; rank < window->ranks; rank++) {
        if (!window->missing[rank]) continue;
        dxt_text_printf(text, "%s%" PRIu32, comma, rank);
        comma = ",";
    }
    dxt_text_puts(text, "]");
}

static void put_marks(dxt_text *text, const dxt_page_window *window)
{
    dxt_text_puts(text, ",\"marks\":[");
    for (size_t i = 0; i < window->mark_count; i++) {
        const dxt_mark *mark = &window->marks[i];
        dxt_text_printf(text, "%s[%d,%" PRIu32 ",%" PRIu32 "]", i ? "," : "", (int)mark->kind,
                        mark->row, mark->column);
    }
    dxt_text_puts(text, "]");
}

void dxt_page_window_json(dxt_text *text, const dxt_page_window *given, const dxt_page_cells *cells)
{
    const dxt_window *window = given->window;
    if (window->index >= 0)
        dxt_text_printf(text, "{\"window\":%" PRId64 ",\"begin\":", window->index);
    else
        dxt_text_puts(text, "{\"window\":null,\"begin\":");
    dxt_page_string(text, window->begin);
    dxt_text_printf(text, ",\"measure\":%d", (int)dxt_window_measure(window));
    if (window->elapsed_ns > 0)
        dxt_text_printf(text, ",\"elapsed_ns\":%" PRId64, window->elapsed_ns);
    if (given->diagnosis) {
        dxt_text_puts(text, ",\"diagnosis\":");
        dxt_page_verbatim(text, given->diagnosis);
    }
    if (given->title) {
        dxt_text_puts(text, ",\"title\":");
        dxt_page_string(text, given->title);
    }
    if (given->caption) {
        dxt_text_puts(text, ",\"caption\":");
        dxt_page_string(text, given->caption);
    }
    put_missing(text, window);
    put_marks(text, given);
    dxt_text_printf(text, ",\"coding\":%d,\"low\":", (int)cells->coding);
    append_real(text, cells->scale.low);
    dxt_text_puts(text, ",\"steps\":");
    append_real(text, cells->scale.steps);
    dxt_text_printf(text, ",\"side\":%" PRIu32 ",\"block\":%" PRIu32, cells->side, cells->block);
    put_list(text, "rows", cells->rows, cells->row_count);
    put_list(text, "columns", cells->columns, cells->column_count);
}

static void put_numbers(dxt_text *text, const char *key, const int64_t *values, size_t count)
{
    dxt_text_printf(text, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) dxt_text_printf(text, "%s%" PRId64, i ? "," : "", values[i]);
    dxt_text_puts(text, "]");
}

void dxt_page_timeline_json(dxt_text *text, const dxt_timeline_panel *panel,
                            const dxt_page_scale *scale)
{
    dxt_text_printf(text, "{\"columns\":%zu,\"low\":", panel->windows);
    append_real(text, scale->low);
    dxt_text_puts(text, ",\"steps\":");
    append_real(text, scale->steps);
    dxt_text_puts(text, ",\"ordinary\":");
    append_real(text, panel->ordinary);
    put_numbers(text, "first", panel->index, panel->windows);
    put_numbers(text, "last", panel->last ? panel->last : panel->index, panel->windows);
    dxt_text_puts(text, ",\"times\":[");
    for (size_t i = 0; panel->times && i < panel->windows; i++) {
        if (i) dxt_text_puts(text, ",");
        dxt_page_string(text, panel->times[i]);
    }
    dxt_text_puts(text, "],\"strips\":[");
    for (size_t i = 0; i < panel->strip_count; i++) {
        if (i) dxt_text_puts(text, ",");
        dxt_page_string(text, panel->strips[i].name);
    }
    dxt_text_puts(text, "],\"marks\":[");
    for (size_t i = 0; i < panel->mark_count; i++)
        dxt_text_printf(text, "%s[%" PRIu32 ",%zu,%zu]", i ? "," : "", panel->marks[i].rank,
                        panel->marks[i].first, panel->marks[i].last);
    dxt_text_puts(text, "],\"caption\":");
    dxt_page_string(text, panel->caption);
}
