/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/scan.h"

/* So many bytes at the beginning tell text from binary data. */
#define SNIFF_SIZE 4096

dxt_status dxt_reader_fail(const dxt_reader *reader, dxt_status status, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    dxt_clean(reason); /* it may quote the input */
    uint64_t line = reader->input.line ? reader->input.line : 1;
    return dxt_fail(status, "%s:%llu: %s", reader->input.name, (unsigned long long)line, reason);
}

/* A control character that no text has; escape begins the colours of a log. */
static bool is_binary(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)line[i] < ' ' && !dxt_is_blank(line[i]) && line[i] != 27) return true;
    return false;
}

/* Whether a matrix in brackets begins here: "[ 12 13", "[[1,2", but not "[2025-09-15" or "[7 INFO".
 */
static bool is_bracketed(const char *at, const char *end)
{
    if (!dxt_only_numbers(at, end)) return false;
    while (at < end && (*at == '[' || dxt_is_blank(*at))) at++;
    if (at < end && *at == '-') at++;
    const char *digits = at;
    while (at < end && dxt_is_digit(*at)) at++;
    return at > digits && (at == end || dxt_is_blank(*at) || *at == ',' || *at == ']');
}

/* Choose the reader by the first byte that says something. */
static dxt_status sniff(dxt_reader *reader, const char *line, size_t size)
{
    const char *at = line, *end = line + size;
    while (at < end && dxt_is_blank(*at)) at++;
    if (is_binary(line, size < SNIFF_SIZE ? size : SNIFF_SIZE))
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "binary data");
    if (at == end) return DXT_OK;
    reader->log.headless = *at == '[' && is_bracketed(at, end);
    size_t word = (size_t)(end - at);
    if (*at == '{')
        reader->next = dxt_next_recording;
    else if (dxt_is_digit(*at) || strchr("+-.,#", *at) || (word >= 3 && !strncasecmp(at, "nan", 3)))
        reader->next = dxt_next_plain;
    else
        reader->next = dxt_next_log;
    return DXT_OK;
}

/* The line that decides is handed out again to the reader chosen. */
static dxt_status choose(dxt_reader *reader)
{
    const char *line;
    size_t size;
    dxt_status status;
    while (!reader->next) {
        status = dxt_input_line(&reader->input, &line, &size);
        if (status != DXT_OK) return status;
        if (reader->input.line == 1 && size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
            /* A byte-order mark is skipped for good. */
            reader->input.line_at += 3;
            line += 3;
            size -= 3;
        }
        status = sniff(reader, line, size);
        if (status != DXT_OK) return status;
    }
    dxt_input_unread(&reader->input);
    return DXT_OK;
}

static dxt_status read_next(dxt_reader *reader, dxt_window **window)
{
    dxt_status status = reader->next ? DXT_OK : choose(reader);
    if (status == DXT_OK) status = reader->next(reader, window);
    if (status != DXT_END || reader->any) return status;
    if (reader->input.line == 0)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "no window: the input is empty");
    return dxt_reader_fail(reader, DXT_ERR_FORMAT,
                           "no window up to here: neither a recording nor rows of a matrix");
}

static dxt_status make_reader(dxt_status opened, dxt_reader *made, dxt_reader **reader)
{
    if (opened != DXT_OK) {
        free(made);
        return opened;
    }
    strcpy(made->phase, "dispatch");
    *reader = made;
    return DXT_OK;
}

dxt_status dxt_reader_open(const char *path, dxt_reader **reader)
{
    if (!path || !reader)
        return dxt_fail(DXT_ERR_INVALID, "reader: path and result must not be NULL");
    dxt_reader *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    return make_reader(dxt_input_open(&made->input, path), made, reader);
}

dxt_status dxt_reader_open_memory(const void *data, size_t size, const char *name,
                                  dxt_reader **reader)
{
    if ((!data && size > 0) || !name || !reader)
        return dxt_fail(DXT_ERR_INVALID, "reader: data, name and result must not be NULL");
    dxt_reader *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    return make_reader(dxt_input_open_memory(&made->input, data, size, name), made, reader);
}

dxt_status dxt_reader_next(dxt_reader *reader, dxt_window **window)
{
    if (!reader || !window)
        return dxt_fail(DXT_ERR_INVALID, "reader: it and the result must not be NULL");
    if (reader->status == DXT_END) return DXT_END;
    if (reader->status != DXT_OK) return dxt_fail(reader->status, "%s", reader->message);
    dxt_window *read;
    reader->status = read_next(reader, &read);
    if (reader->status == DXT_OK) {
        reader->any = true;
        *window = read;
    } else if (reader->status < DXT_OK) {
        snprintf(reader->message, sizeof reader->message, "%s", dxt_error());
    }
    return reader->status;
}

uint64_t dxt_reader_line(const dxt_reader *reader)
{
    if (!reader) return 0;
    return reader->line;
}

void dxt_reader_close(dxt_reader *reader)
{
    if (!reader) return;
    dxt_input_close(&reader->input);
    dxt_window_free(reader->rows.window);
    free(reader->log.instance);
    free(reader->log.begin);
    free(reader);
}
