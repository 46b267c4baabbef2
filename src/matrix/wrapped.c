/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that a terminal, a ticket or a mail has wrapped. If it breaks lines at a column, a number
 * may be cut in two; if it breaks them at blanks, no number is. The number of ranks tells which of
 * the two it was; if nothing gives that number, the row is not read.
 */
#include <stdio.h>
#include <string.h>

#include "matrix/reader.h"
#include "matrix/scan.h"
#include "system/text.h"

/* A header has no more lines, and no more bytes; its size comes early. */
#define MOST_LINES 200
#define SIZE_LINES 6
#define MOST_BYTES ((size_t)16 << 10)
/* Between the parts of a row, where a number may go on. */
#define JOINT '\x1d'

/* Behind the marks of a quotation: "> > ". */
static const char *skip_quote(const char *at, const char *end)
{
    while (at < end && *at == '>') at += at + 1 < end && at[1] == ' ' ? 2 : 1;
    return at;
}

/* ---- headers ---- */

/* The parts with `between` between them. */
static void join(dxt_text *to, const dxt_text *parts, const char *between)
{
    to->size = 0;
    const char *at = parts->data, *end = at + parts->size;
    for (const char *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        if (to->size > 0) dxt_text_puts(to, between);
        dxt_text_append(to, at, (size_t)(stop - at));
    }
}

dxt_status dxt_header_part(dxt_reader *reader, const char *line, const char *end, bool *whole)
{
    dxt_text *parts = &reader->heading, *joined = &reader->joined;
    bool first = parts->size == 0 || dxt_has_text(line, end, "[Diagnose]");
    *whole = false;
    if (first)
        parts->size = reader->heading_lines = 0;
    else
        line = skip_quote(line, end);
    if (first && !dxt_has_text(line, end, "[Diagnose]") && !dxt_has_text(line, end, "EPSize:"))
        return DXT_OK;
    dxt_text_append(parts, line, (size_t)(end - line));
    dxt_text_puts(parts, "\n");
    reader->heading_lines++;
    join(joined, parts, "");
    const char *at = joined->data, *to = at + joined->size;
    bool sized = dxt_has_text(at, to, "EPSize:") || reader->heading_lines < SIZE_LINES;
    if (!dxt_is_header(at, to)) join(joined, parts, " ");
    if (parts->failed || joined->failed) return dxt_fail_memory(0);
    *whole = dxt_is_header(joined->data, joined->data + joined->size);
    if (*whole || !sized || reader->heading_lines > MOST_LINES || parts->size > MOST_BYTES)
        parts->size = 0;
    return DXT_OK;
}

/* ---- rows ---- */

void dxt_row_part(dxt_reader *reader, const char *from, const char *to, const char *line_end)
{
    dxt_row *row = &reader->rowing;
    dxt_text *parts = &reader->parts;
    if (row->parts == 0) parts->size = 0;
    row->parts++;
    dxt_text_append(parts, from, (size_t)(to - from));
    row->digit = to == line_end && to > from && dxt_is_digit(to[-1]);
}

void dxt_row_joint(dxt_reader *reader, const char *line, const char *at, const char *end)
{
    dxt_row *row = &reader->rowing;
    char joint = ' ';
    if (row->digit && at < end && dxt_is_digit(*at) && skip_quote(line, end) == at) {
        joint = JOINT;
        row->joints++;
    }
    dxt_text_append(&reader->parts, &joint, 1);
}

/* Whether rows of this many values are wanted. */
static bool fits(const dxt_reader *reader, uint32_t width)
{
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        const dxt_sheet *sheet = &reader->sheets[i];
        if (sheet->used && sheet->ranks == width && (sheet->headed || sheet->count > 0))
            return true;
    }
    return false;
}

/* The numbers of a row with the parts of those that were cut put together. @return How many, or 0
 * where something else stands there. */
static uint32_t read_joined(const dxt_reader *reader, int64_t *values)
{
    const char *at = reader->parts.data, *end = at + reader->parts.size;
    uint32_t width = 0;
    while (at < end) {
        if (dxt_is_blank(*at) || *at == ',') {
            at++;
            continue;
        }
        char number[24];
        size_t size = 0;
        while (at < end && (dxt_is_digit(*at) || *at == JOINT) && size < sizeof number) {
            if (*at != JOINT) number[size++] = *at;
            at++;
        }
        const char *next = dxt_scan_integer(number, number + size, &values[width]);
        if (!next || (at < end && !dxt_is_blank(*at) && *at != ',')) return 0;
        if (++width > DXT_MAX_RANKS) return 0;
    }
    return width;
}

dxt_status dxt_row_unwrap(dxt_reader *reader)
{
    dxt_row *row = &reader->rowing;
    if (reader->parts.failed) return dxt_fail_memory(0);
    if (row->joints == 0 || (row->status == DXT_OK && fits(reader, row->width))) return DXT_OK;
    uint32_t width = row->decimals ? 0 : read_joined(reader, reader->row);
    if (width > 0 && fits(reader, width)) {
        row->width = width;
        row->status = DXT_OK;
        return DXT_OK;
    }
    row->status = DXT_ERR_FORMAT;
    snprintf(row->why, sizeof row->why,
             "its lines are wrapped, and a number may be cut in two: take the file itself, or a "
             "wider terminal");
    return DXT_OK;
}
