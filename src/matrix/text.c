/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: the log of a diagnosis, and prints of matrices. Lines in which nothing is found are passed
 * over, so that others may write in between.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "matrix/reader.h"
#include "matrix/scan.h"

#define SHORTENED                                           \
    "the print is shortened (\"...\"); to print it whole: " \
    "numpy.set_printoptions(threshold=sys.maxsize) or torch.set_printoptions(profile=\"full\")"

/* ---- the row under way ---- */

static void DXT_PRINTF(3, 4) spoil(dxt_row *row, dxt_status status, const char *format, ...)
{
    if (row->status != DXT_OK) return;
    va_list args;
    va_start(args, format);
    vsnprintf(row->why, sizeof row->why, format, args);
    va_end(args);
    row->status = status;
}

/* "row 3, column 5: reason"; a row without a rank is counted when it is put in its place. */
static void spoil_value(dxt_row *row, dxt_status status, const char *why)
{
    if (row->named)
        spoil(row, status, "row %lld, column %u: %s", (long long)row->rank, row->width, why);
    else
        spoil(row, status, "column %u: %s", row->width, why);
}

static const char *take_value(dxt_reader *reader, const char *at, const char *end)
{
    dxt_row *row = &reader->rowing;
    int64_t value = 0;
    double real = 0;
    bool decimal = false;
    const char *next = dxt_scan_integer(at, end, &value);
    bool plain = next && (next == end || dxt_ends_number(*next));
    if (!plain && (dxt_is_digit(*at) ? next && strchr(".eE", *next) : strchr("+-.", *at) != NULL))
        next = dxt_scan_number(at, end, &value, &real, &decimal);
    else if (!plain)
        next = NULL;
    if (!next) {
        char why[96];
        bool dots = end - at >= 3 && memcmp(at, "...", 3) == 0;
        if (dots) {
            spoil(row, DXT_ERR_FORMAT, "%s", SHORTENED);
        } else {
            dxt_status status = dxt_scan_why_counter(at, end, why, sizeof why);
            spoil_value(row, status, why);
            /* It has its place: the row is as long as it would be. */
            if (row->width < DXT_MAX_RANKS) reader->row[row->width++] = 0;
            row->comma = false;
        }
        do at++;
        while (at < end && !dxt_ends_number(*at));
        return at;
    }
    if (row->width > DXT_MAX_RANKS - 1) {
        spoil_value(row, DXT_ERR_LIMIT, "more values than the most ranks, 4096");
        return next;
    }
    if (decimal && !row->decimals) {
        for (uint32_t i = 0; i < row->width; i++) reader->reals[i] = (double)reader->row[i];
        row->decimals = true;
    }
    reader->row[row->width] = value;
    reader->reals[row->width] = decimal ? real : (double)value;
    row->width++;
    row->comma = false;
    return next;
}

static void open_row(dxt_reader *reader, const dxt_found *found, uint32_t label, bool pure)
{
    reader->rowing = (dxt_row){.open = true,
                               .named = found->named,
                               .rank = found->rank,
                               .label = label,
                               .pure = pure,
                               .line = reader->input.line};
}

static dxt_status close_row(dxt_reader *reader)
{
    dxt_row *row = &reader->rowing;
    row->open = false;
    if (row->comma || row->width == 0) spoil_value(row, DXT_ERR_FORMAT, "a value is missing");
    return dxt_sheet_row(reader);
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && dxt_is_blank(*at)) at++;
    return at;
}

/* Take the rows, or the part of a row, that were found. */
static dxt_status take_rows(dxt_reader *reader, const dxt_found *found, uint32_t label, bool pure)
{
    dxt_row *row = &reader->rowing;
    dxt_status status = DXT_OK;
    const char *at = found->at, *end = found->end;
    if (!found->bracket && !row->open) open_row(reader, found, label, pure);
    while (status == DXT_OK && (at = skip_blanks(at, end)) < end) {
        char c = *at;
        if (c == '[') {
            if (!row->open)
                open_row(reader, found, label, pure);
            else if (row->width > 0)
                spoil(row, DXT_ERR_FORMAT, "a row begins before the one before has ended");
            at++;
        } else if (c == ']') {
            at = skip_blanks(at + 1, end);
            row->last = at < end && *at == ']';
            if (row->open) status = close_row(reader);
        } else if (c == ',' || c == ';') {
            if (row->open && (row->width == 0 || row->comma))
                spoil_value(row, DXT_ERR_FORMAT, "a value is missing");
            row->comma = row->open;
            at++;
        } else if (row->open) {
            at = take_value(reader, at, end);
        } else {
            at++;
        }
    }
    if (status == DXT_OK && row->open && found->named && !found->bracket)
        status = close_row(reader);
    return status;
}

/* A row that was begun will not end. */
static dxt_status break_row(dxt_reader *reader)
{
    dxt_row *row = &reader->rowing;
    if (!row->open) return DXT_OK;
    row->open = false;
    if (row->named)
        spoil(row, DXT_ERR_FORMAT, "the row of rank %lld has not ended", (long long)row->rank);
    else
        spoil(row, DXT_ERR_FORMAT, "the row of line %llu has not ended",
              (unsigned long long)row->line);
    return dxt_sheet_row(reader);
}

/* ---- lines ---- */

static bool has(const char *line, const char *end, const char *what)
{
    return end > line && memmem(line, (size_t)(end - line), what, strlen(what));
}

/* Whether what was found goes on with the row under way: it is all there is, or what stands in
 * front is what stood in front of the row. */
static bool is_rest(const dxt_reader *reader, const char *line, const dxt_found *found)
{
    return skip_blanks(line, found->at) == found->at ||
           dxt_label(line, found->at) == reader->rowing.label;
}

/* In front of "tensor(" or "array(", if the text ends so, which is part of the print. */
static const char *before_call(const char *from, const char *end)
{
    static const char *const calls[] = {"tensor(", "np.array(", "array("};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t size = strlen(calls[i]);
        if ((size_t)(end - from) >= size && memcmp(end - size, calls[i], size) == 0)
            return end - size;
    }
    return end;
}

static dxt_status other_line(dxt_reader *reader, const char *line, const char *end)
{
    if (reader->headers) return DXT_OK;
    return dxt_table_line(reader, line, end);
}

dxt_status dxt_text_line(dxt_reader *reader, const char *line, const char *end)
{
    dxt_found found;
    dxt_status status = DXT_OK;
    dxt_row *row = &reader->rowing;
    if (has(line, end, "InstanceID:") || has(line, end, "EPSize:")) {
        status = break_row(reader);
        if (status != DXT_OK) return status;
        return dxt_is_header(line, end) ? dxt_read_header(reader, line, end)
                                        : dxt_read_finding(reader, line, end);
    }
    bool there = dxt_find_row(line, end, &found);
    if (row->open && !there && dxt_find_rest(line, end, &found) && is_rest(reader, line, &found))
        return take_rows(reader, &found, 0, false);
    if (!there) return row->open ? DXT_OK : other_line(reader, line, end);
    if (row->open && row->width == 0 && !found.named) return take_rows(reader, &found, 0, false);
    status = break_row(reader);
    if (status != DXT_OK) return status;
    dxt_table_drop(&reader->table);
    const char *from = skip_blanks(line, found.begin);
    const char *call = before_call(from, found.begin);
    bool pure = call == from;
    if (!pure && !reader->headers) dxt_note_phase(reader, line, found.begin);
    return take_rows(reader, &found, dxt_label(line, call), pure);
}

dxt_status dxt_text_end(dxt_reader *reader, bool more)
{
    bool torn = reader->rowing.open;
    reader->rowing.open = false;
    if (more && torn) return DXT_OK;
    dxt_status status = DXT_OK;
    bool any = false;
    for (uint32_t i = 0; i < DXT_SHEETS && !more && status == DXT_OK; i++) {
        if (!reader->sheets[i].used) continue;
        any = true;
        status = dxt_sheet_cut(reader, &reader->sheets[i], torn);
    }
    if (!torn || any || status != DXT_OK) return status;
    const dxt_row *row = &reader->rowing;
    return dxt_reader_lose(reader, DXT_REMARK_CUT, row->status ? row->status : DXT_ERR_FORMAT,
                           row->line, "%s", row->status ? row->why : "the row has not ended");
}
