/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader tells and hands out: windows, lost windows, and what went wrong. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/reader.h"

/* Most windows that are read at once: small matrices behind each other in one line. */
#define READY_MAX 65536

dxt_status dxt_reader_fail(const dxt_reader *reader, dxt_status status, const char *format, ...)
{
    char reason[640];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    dxt_make_printable(reason); /* it may quote the input */
    uint64_t line = reader->input.line ? reader->input.line : 1;
    return dxt_fail(status, "%s:%llu: %s", reader->input.name, (unsigned long long)line, reason);
}

/* Ask the listener whether to go on. */
static bool goes_on(dxt_reader *reader, dxt_remark kind, const char *message)
{
    bool on = reader->on_remark && reader->on_remark(reader->context, kind, message) != 0;
    return on || kind == DXT_REMARK_NOTE;
}

dxt_status dxt_reader_lose(dxt_reader *reader, dxt_remark kind, dxt_status status, uint64_t line,
                           const char *format, ...)
{
    char reason[640], message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    dxt_make_printable(reason);
    snprintf(message, sizeof message, "%s:%llu: %s", reader->input.name, (unsigned long long)line,
             reason);
    if (!goes_on(reader, kind, message)) return dxt_fail(status, "%s", message);
    if (kind == DXT_REMARK_NOTE) return DXT_OK;
    if (reader->lost++ == 0) memcpy(reader->first_loss, message, sizeof message);
    return DXT_OK;
}

dxt_status dxt_reader_backwards(dxt_reader *reader, uint64_t line, bool sure)
{
    reader->inner.size = reader->inner_at = 0;
    reader->input.at = reader->input.size;
    reader->input.ended = true;
    /* What has been held back. */
    dxt_queue *ready = &reader->ready;
    while (reader->doubtful && ready->end > ready->at)
        dxt_window_free(ready->windows[--ready->end].window);
    if (!sure)
        return dxt_reader_lose(
            reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, line,
            "rows stand above the first header, but none below the last one, which "
            "has the same time: which header they belong to is not known (leave "
            "out what is above the first header, or below the last rows)");
    return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, line,
                           "the log runs backwards, newest line first (tac FILE | deepxtrace "
                           "analyze -)");
}

void dxt_reader_hint(dxt_reader *reader, const char *format, ...)
{
    if (reader->clue[0]) return;
    va_list args;
    va_start(args, format);
    vsnprintf(reader->clue, sizeof reader->clue, format, args);
    va_end(args);
}

dxt_status dxt_reader_give(dxt_reader *reader, dxt_window *window, uint64_t line)
{
    dxt_queue *ready = &reader->ready;
    if (ready->end == READY_MAX) {
        dxt_window_free(window);
        if (ready->full) return DXT_OK;
        ready->full = true;
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_LIMIT, line,
                               "more than %d matrices in one line", READY_MAX);
    }
    if (ready->end == ready->capacity) {
        uint32_t capacity = ready->capacity ? 2 * ready->capacity : 16;
        dxt_ready *windows = realloc(ready->windows, capacity * sizeof *windows);
        if (!windows) {
            dxt_window_free(window);
            return dxt_fail_memory(capacity * sizeof *windows);
        }
        ready->windows = windows;
        ready->capacity = capacity;
    }
    ready->windows[ready->end++] = (dxt_ready){window, line};
    return DXT_OK;
}
