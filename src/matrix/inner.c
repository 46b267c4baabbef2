/* SPDX-License-Identifier: Apache-2.0 */
/* Text that a value carries, and whose lines are read next. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/reader.h"
#include "matrix/scan.h"

bool dxt_carries_text(const char *name, size_t size)
{
    static const char *const names[] = {
        "log",           "message",      "msg",         "line",       "text",  "body",
        "content",       "event",        "textPayload", "_raw",       "value", "@message",
        "original",      "payload",      "log_line",    "logMessage", "raw",   "logs",
        "short_message", "full_message", "m",           "stringValue"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == size && strncasecmp(name, names[i], size) == 0) return true;
    return false;
}

void dxt_serve_inner(dxt_reader *reader, dxt_text *text)
{
    dxt_text done = reader->inner;
    if (reader->inner_at >= done.size && reader->wraps < DXT_MOST_WRAPS) {
        reader->wraps++;
        reader->inner = *text;
        reader->inner_at = 0;
        *text = done;
    } else if (reader->wraps == DXT_MOST_WRAPS && text->size > 0) {
        dxt_reader_hint(reader, "texts stand in each other more than %d deep", DXT_MOST_WRAPS);
    }
    text->size = 0;
}

dxt_status dxt_split_lines(dxt_reader *reader, const char *line, const char *end, char mark)
{
    dxt_text *lines = &reader->document.lines;
    lines->size = 0;
    while (line < end) {
        const char *stop = memchr(line, mark, (size_t)(end - line));
        if (!stop) stop = end;
        if (stop > line) {
            dxt_text_append(lines, line, (size_t)(stop - line));
            dxt_text_puts(lines, "\n");
        }
        line = stop + 1;
    }
    if (lines->failed) return dxt_fail_memory(0);
    dxt_serve_inner(reader, lines);
    return DXT_OK;
}

/* The rank of a row of a log, "rank=3"; −1: the line is none. */
static int64_t rank_of(const char *line, const char *end)
{
    int64_t rank;
    const char *word = memmem(line, (size_t)(end - line), "rank=", 5);
    return word && dxt_scan_integer(word + 5, end, &rank) ? rank : -1;
}

/* Whether most rows stand behind the one with the next rank: the newest line comes first. */
static bool runs_backwards(const dxt_text *text)
{
    size_t down = 0, up = 0;
    int64_t before = -1;
    for (const char *at = text->data, *end = at + text->size, *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        int64_t rank = rank_of(at, stop);
        down += rank >= 0 && rank == before - 1;
        up += rank > 0 && rank - 1 == before;
        if (rank >= 0) before = rank;
    }
    return down > up;
}

dxt_status dxt_turn_lines(dxt_text *text)
{
    dxt_text turned = {0};
    if (text->size == 0 || !runs_backwards(text)) return DXT_OK;
    const char *end = text->data + text->size;
    while (end > text->data) {
        if (end[-1] == '\n') end--;
        const char *line = end;
        while (line > text->data && line[-1] != '\n') line--;
        dxt_text_append(&turned, line, (size_t)(end - line));
        dxt_text_puts(&turned, "\n");
        end = line;
    }
    if (turned.failed) {
        free(turned.data);
        return dxt_fail_memory(0);
    }
    free(text->data);
    *text = turned;
    return DXT_OK;
}

dxt_status dxt_split_text(dxt_reader *reader, const char *line, const char *end, const char *mark)
{
    size_t size = strlen(mark);
    dxt_text *lines = &reader->document.lines;
    lines->size = 0;
    for (const char *stop; line < end; line = stop + size) {
        stop = memmem(line, (size_t)(end - line), mark, size);
        dxt_text_append(lines, line, (size_t)((stop ? stop : end) - line));
        dxt_text_puts(lines, "\n");
        if (!stop) break;
    }
    if (lines->failed) return dxt_fail_memory(0);
    dxt_serve_inner(reader, lines);
    return DXT_OK;
}
