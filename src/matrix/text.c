/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: the log of a diagnosis, and prints of matrices. Lines in which nothing is found are passed
 * over, so that others may write in between.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/lines.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "system/text.h"

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

static void put_value(dxt_reader *reader, int64_t value, double real)
{
    dxt_row *row = &reader->rowing;
    reader->row[row->width] = value;
    if (row->decimals) reader->reals[row->width] = real;
    row->width++;
    row->comma = false;
}

/* "np.int64(7)": the number in it. */
static const char *skip_scalar(const char *at, const char *end)
{
    if (end - at < 8 || at[0] != 'n' || at[1] != 'p' || at[2] != '.') return at;
    const char *word = at + 3;
    while (word < end && (dxt_is_letter(*word) || dxt_is_digit(*word))) word++;
    return word < end && *word == '(' ? word + 1 : at;
}

static const char *take_value(dxt_reader *reader, const char *at, const char *end)
{
    dxt_row *row = &reader->rowing;
    int64_t value = 0;
    double real = 0;
    bool decimal = false;
    size_t none = reader->headers || (*at | 32) == 'i' ? 0 : dxt_none_length(at, end);
    if (none > 0 && row->width < DXT_MAX_RANKS) {
        if (none == 3 && row->nans++ == 0) row->nan_at = row->width;
        put_value(reader, DXT_NOT_OBSERVED, NAN);
        return at + none;
    }
    at = skip_scalar(at, end);
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
            spoil(row, DXT_ERR_FORMAT, "%s", DXT_SHORTENED);
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
        dxt_row_reals(reader);
        row->decimals = true;
    }
    put_value(reader, value, decimal ? real : (double)value);
    return next;
}

/* Plain counters with blanks or commas between them, which is nearly all there is. */
static const char *take_plain(dxt_reader *reader, const char *at, const char *end)
{
    dxt_row *row = &reader->rowing;
    uint32_t width = row->width;
    const char *from = at;
    while (width < DXT_MAX_RANKS) {
        int64_t value;
        while (at < end && *at == ' ') at++;
        const char *next = dxt_scan_integer(at, end, &value);
        if (!next || (next < end && *next != ' ' && *next != ',' && *next != ']')) break;
        reader->row[width++] = value;
        row->comma = next < end && *next == ',';
        at = from = next + row->comma;
    }
    row->width = width;
    return from;
}

static void open_row(dxt_reader *reader, const dxt_found *found)
{
    reader->rowing = (dxt_row){.open = true,
                               .named = found->named,
                               .rank = found->rank,
                               .bracket = found->bracket,
                               .label = found->label,
                               .form = found->form,
                               .pure = found->pure,
                               .line = reader->input.line,
                               .numbers = found->numbers};
}

static dxt_status close_row(dxt_reader *reader)
{
    dxt_row *row = &reader->rowing;
    row->open = false;
    /* A comma behind the last value is one too many for people only. */
    if (row->width == 0) spoil_value(row, DXT_ERR_FORMAT, "a value is missing");
    dxt_status status = row->parts > 0 ? dxt_row_unwrap(reader) : DXT_OK;
    return status == DXT_OK ? dxt_sheet_row(reader) : status;
}

/* Take the rows, or the part of a row, that were found. */
static dxt_status take_rows(dxt_reader *reader, const dxt_found *found)
{
    dxt_row *row = &reader->rowing;
    dxt_status status = DXT_OK;
    const char *at = found->at, *end = found->end;
    if (!found->bracket && (!row->open || row->bare)) {
        if (!row->open) open_row(reader, found);
        status = dxt_join_thousands(reader, &at, &end);
    }
    const char *from = at;
    if (row->open && row->parts > 0) dxt_row_joint(reader, found->line, at, end);
    while (status == DXT_OK && (at = dxt_skip_blanks(at, end)) < end) {
        char c = *at;
        if (c == '[') {
            if (!row->open)
                open_row(reader, found);
            else if (row->width > 0)
                spoil(row, DXT_ERR_FORMAT, "a row begins before the one before has ended");
            row->first = row->first || (at > found->at && at[-1] == '[');
            from = ++at;
        } else if (c == ']') {
            if (row->open && row->parts > 0) dxt_row_part(reader, from, at, NULL);
            at = dxt_skip_blanks(at + 1, end);
            row->last = at < end && *at == ']';
            if (row->open) status = close_row(reader);
        } else if (c == ';' && row->open && row->width > 1 && !row->semicolons && row->bracket) {
            /* MATLAB and Julia write the rows of a matrix so. */
            if (row->comma) row->comma = false;
            status = close_row(reader);
            open_row(reader, found);
            row->bracket = true;
            from = ++at;
        } else if (c == ')') {
            at++;
        } else if (c == ',' || c == ';') {
            if (row->open && (row->width == 0 || row->comma))
                spoil_value(row, DXT_ERR_FORMAT, "a value is missing");
            row->comma = row->open;
            row->semicolons = row->semicolons || c == ';';
            at++;
        } else if (row->open) {
            const char *next = row->decimals ? at : take_plain(reader, at, end);
            at = next > at ? next : take_value(reader, at, end);
        } else {
            at++;
        }
    }
    if (status == DXT_OK && row->open && found->named && !found->bracket)
        if (!(row->bare = dxt_bare_may_go_on(reader, found))) status = close_row(reader);
    if (row->bare) dxt_bare_note(row);
    if (row->open) dxt_row_part(reader, from, end, found->line_end);
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

/* A row without brackets ends where the line does not go on with it. */
static dxt_status close_bare(dxt_reader *reader, const dxt_found *next)
{
    bool whole;
    dxt_status status = dxt_bare_close(reader, next, &whole);
    if (status != DXT_OK || !whole) return status;
    const uint64_t now = reader->input.line;
    const uint64_t last = reader->rowing.line + reader->rowing.part.lines - 1;
    if (last < now) reader->input.line = last; /* what is told is told of there */
    status = close_row(reader);
    reader->input.line = now;
    return status;
}

/* Take a line that goes on with such a row, or end that. */
static dxt_status go_on_bare(dxt_reader *reader, const char *line, const char *end, bool *taken)
{
    dxt_found found;
    bool there = dxt_find_row(line, end, &found);
    *taken = dxt_bare_part(reader, line, end, there, &found);
    return *taken ? take_rows(reader, &found) : close_bare(reader, there ? &found : NULL);
}

/* ---- lines ---- */

/* Whether what was found goes on with the row under way: it is all there is, or what stands in
 * front is what stood in front of the row, its rank with it. */
static bool is_rest(const dxt_reader *reader, const char *line, const dxt_found *found)
{
    const dxt_row *row = &reader->rowing;
    dxt_numbers front = {0};
    if (row->named) dxt_take_numbers(&front, line, found->at);
    return dxt_skip_blanks(line, found->at) == found->at ||
           dxt_label(line, found->at) == row->label ||
           (front.rank > 0 && front.values[front.rank - 1] == row->rank);
}

static dxt_status other_line(dxt_reader *reader, const char *line, const char *end)
{
    if (reader->headers) return DXT_OK;
    dxt_status status = dxt_sheets_stale(reader, dxt_heads_phase(line, end, NULL));
    return status == DXT_OK ? dxt_listed_line(reader, line, end) : status;
}

/* A header that was wrapped: it is read once it is whole. */
static dxt_status header_part(dxt_reader *reader, const char *line, const char *end)
{
    bool whole;
    if (dxt_has_text(line, end, "finding:")) return DXT_OK;
    dxt_status status = dxt_header_part(reader, line, end, &whole);
    if (status == DXT_OK && whole) status = break_row(reader);
    if (status != DXT_OK || !whole) return status;
    const char *joined = reader->joined.data;
    return dxt_read_header(reader, joined, joined + reader->joined.size);
}

/* Whether a line with a part of a header belongs to the one that is under way. */
static bool goes_on(const dxt_reader *reader, const char *line, const char *end, bool instance)
{
    const dxt_text *parts = &reader->heading;
    if (parts->size == 0 || dxt_has_text(line, end, "[Diagnose]")) return false;
    return !instance || !dxt_has_text(parts->data, parts->data + parts->size, "InstanceID:");
}

/* What stands in front of a row that was found. */
static void note_front(dxt_reader *reader, const char *line, dxt_found *found)
{
    const char *from = dxt_skip_blanks(line, found->begin);
    const char *call = dxt_before_call(from, found->begin);
    found->pure = call == from;
    found->label = dxt_label(line, call);
    found->form = dxt_form(line, call);
    if (!reader->headers && (found->named || !found->pure)) {
        dxt_note_phase(reader, line, found->at);
        if (!found->named) dxt_take_numbers(&found->numbers, line, call);
    }
}

/* The values of two operators in a line are read as a line each. */
static dxt_status take_operators(dxt_reader *reader, const char *line, const char *end, bool *taken)
{
    dxt_text lines = {0};
    dxt_status status = dxt_split_operators(reader, line, end, &lines);
    *taken = lines.size > 0;
    const char *at = lines.data, *last = *taken ? at + lines.size : at, *to;
    for (; at < last && status == DXT_OK; at = to ? to + 1 : last) {
        to = memchr(at, '\n', (size_t)(last - at));
        status = dxt_text_line(reader, at, to ? to : last);
    }
    free(lines.data);
    return status;
}

dxt_status dxt_text_line(dxt_reader *reader, const char *line, const char *end)
{
    dxt_found found;
    dxt_status status = DXT_OK;
    dxt_row *row = &reader->rowing;
    const size_t size = (size_t)(end - line);
    if (reader->inner_at >= reader->inner.size) {
        if (memchr(line, '\0', size)) return dxt_split_lines(reader, line, end, '\0');
        if (size > 1 && memchr(line, '\r', size - 1))
            return dxt_split_lines(reader, line, end, '\r');
    }
    if (!reader->headers) {
        end = dxt_cut_arguments(line, end);
        status = dxt_clear_ticks(reader, &line, &end);
        if (status == DXT_OK) status = dxt_take_pairs(reader, &line, &end);
    }
    bool taken = false;
    if (status == DXT_OK) status = take_operators(reader, line, end, &taken);
    if (status == DXT_OK && !taken && row->bare) status = go_on_bare(reader, line, end, &taken);
    if (status != DXT_OK || taken) return status;
    bool instance = dxt_has_text(line, end, "InstanceID:");
    if (instance || dxt_has_text(line, end, "EPSize:")) {
        if (dxt_has_text(line, end, "\\n")) return dxt_split_text(reader, line, end, "\\n");
        if (memchr(line, '\r', (size_t)(end - line)))
            return dxt_split_text(reader, line, end, "\r");
        bool header = dxt_is_header(line, end);
        if (goes_on(reader, line, end, instance)) return header_part(reader, line, end);
        status = break_row(reader);
        if (status != DXT_OK) return status;
        reader->heading.size = 0;
        if (header) return dxt_read_header(reader, line, end);
        status = dxt_read_finding(reader, line, end);
        return status == DXT_OK ? header_part(reader, line, end) : status;
    }
    const char *listed;
    if (!reader->headers && dxt_is_listed(line, end, &listed))
        return dxt_listed_line(reader, listed, end);
    bool done, there = dxt_find_row(line, end, &found);
    if (there && dxt_table_has_part(reader, line, &found)) return other_line(reader, line, end);
    if (there && (status = dxt_split_matrices(reader, line, end, &done), done || status != DXT_OK))
        return status;
    /* Nothing behind "[3]" of a launcher. */
    if (there && dxt_table_is_tag(reader, line, end)) return dxt_table_close(reader);
    bool begins = !there && dxt_has_text(line, end, "[Diagnose]");
    if (begins || (reader->heading.size > 0 && !(there && found.named)))
        return header_part(reader, line, end);
    reader->heading.size = 0;
    /* "rank0: 5 6" of a launcher, behind "rank0: [1 2 3". */
    bool launched = there && found.named && !found.bracket && row->open && row->named &&
                    row->bracket && row->rank == found.rank && !reader->headers;
    bool rest = launched || (row->open && !there && dxt_find_rest(line, end, &found) &&
                             is_rest(reader, line, &found));
    found.line = line;
    found.line_end = end;
    if (launched) found.named = false;
    if (rest || launched) return take_rows(reader, &found);
    if (!there) return row->open ? DXT_OK : other_line(reader, line, end);
    if (row->open && row->width == 0 && !found.named) return take_rows(reader, &found);
    status = break_row(reader);
    if (status == DXT_OK) status = dxt_table_close(reader);
    if (status != DXT_OK) return status;
    dxt_table_drop(&reader->table);
    note_front(reader, line, &found);
    status = dxt_tell_lists(reader, line, end, &found);
    return status == DXT_OK ? take_rows(reader, &found) : status;
}

dxt_status dxt_text_end(dxt_reader *reader, bool more)
{
    dxt_status status = reader->rowing.bare ? close_bare(reader, NULL) : DXT_OK;
    if (status != DXT_OK) return status;
    bool torn = reader->rowing.open;
    reader->rowing.open = false;
    if (more && torn) return DXT_OK;
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
