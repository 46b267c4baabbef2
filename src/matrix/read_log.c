/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a diagnosis: a header line per window that states the number of ranks, then one row
 * per rank, either "rank=R [ … ]" or a bare "[ … ]"; any other lines between them. Rows may run
 * over several lines, and a matrix may stand in a second pair of brackets.
 */
#include <stdlib.h>
#include <string.h>

#include "matrix/reader.h"
#include "matrix/scan.h"

#define TITLE " Wait Recv Cost"

static const char *find(const char *at, const char *end, const char *what)
{
    return at < end ? memmem(at, (size_t)(end - at), what, strlen(what)) : NULL;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && dxt_is_blank(*at)) at++;
    return at;
}

/* ---- headers ---- */

static bool is_header(const char *at, const char *end)
{
    return find(at, end, TITLE) && find(at, end, "Matrix[") && find(at, end, "EPSize:");
}

static dxt_status copy_text(const char *at, const char *end, char **copy)
{
    free(*copy);
    *copy = strndup(at, (size_t)(end - at));
    return *copy ? DXT_OK : dxt_fail_memory((size_t)(end - at) + 1);
}

/* The time stamp: in brackets, begins with a year. */
static dxt_status read_begin(dxt_reader *reader, const char *at, const char *end)
{
    free(reader->log.begin);
    reader->log.begin = NULL;
    for (const char *open = at; (open = find(open, end, "[")); open++) {
        const char *close = find(open, end, "]");
        if (!close || close - open < 12 || close - open > 64 || open[5] != '-') continue;
        if (!dxt_is_digit(open[1]) || !dxt_is_digit(open[4])) continue;
        if (!dxt_phase_valid(open + 1, (size_t)(close - open) - 1)) continue;
        dxt_status status = copy_text(open + 1, close, &reader->log.begin);
        if (status == DXT_OK && reader->log.begin[10] == ' ') reader->log.begin[10] = 'T';
        return status;
    }
    return DXT_OK;
}

static dxt_status read_instance(dxt_reader *reader, const char *at, const char *end)
{
    free(reader->log.instance);
    reader->log.instance = NULL;
    const char *label = find(at, end, "InstanceID:");
    if (!label) return DXT_OK;
    const char *from = skip_blanks(label + strlen("InstanceID:"), end);
    const char *to = from;
    while (to < end && !dxt_is_blank(*to) && *to != ',') to++;
    if (to == from) return DXT_OK;
    if (!dxt_phase_valid(from, (size_t)(to - from)))
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "InstanceID is no printable name");
    return copy_text(from, to, &reader->log.instance);
}

/* The operator's name: between the last comma and the title. */
static dxt_status read_phase(dxt_reader *reader, const char *at, const char *end)
{
    const char *to = find(at, end, TITLE);
    for (const char *next = to; (next = find(next + 1, end, TITLE));) to = next;
    const char *from = to;
    while (from > at && from[-1] != ',' && from[-1] != '}' && from[-1] != ']') from--;
    from = skip_blanks(from, to);
    if (!dxt_phase_valid(from, (size_t)(to - from)))
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "the header names no operator");
    for (size_t i = 0; i < (size_t)(to - from); i++)
        reader->phase[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] + 32) : from[i];
    reader->phase[to - from] = '\0';
    return DXT_OK;
}

static dxt_status read_header(dxt_reader *reader, const char *at, const char *end)
{
    const char *label = find(at, end, "EPSize:");
    const char *number = skip_blanks(label + strlen("EPSize:"), end);
    int64_t ranks;
    char why[96];
    if (!dxt_scan_integer(number, end, &ranks)) {
        dxt_status status = dxt_scan_why(number, end, why, sizeof why);
        return dxt_reader_fail(reader, status, "EPSize: %s", why);
    }
    if (ranks < 2)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "EPSize %d: a matrix has at least 2 ranks",
                               (int)ranks);
    if (ranks > DXT_MAX_RANKS)
        return dxt_reader_fail(reader, DXT_ERR_LIMIT, "EPSize %lld: at most %u ranks",
                               (long long)ranks, DXT_MAX_RANKS);
    dxt_status status = read_phase(reader, at, end);
    if (status == DXT_OK) status = read_begin(reader, at, end);
    if (status == DXT_OK) status = read_instance(reader, at, end);
    reader->rows.ranks = (uint32_t)ranks;
    reader->log.header = reader->input.line;
    reader->log.headed = true;
    reader->log.named = reader->log.surplus = false;
    return status;
}

/* ---- rows ---- */

/* Behind the brackets at `at`, something that begins like a number and is not a date. */
static bool begins_row(const char *at, const char *end)
{
    while (at < end && (*at == '[' || dxt_is_blank(*at))) at++;
    const char *word = at;
    if (end - at >= 3 && (strncasecmp(at, "nan", 3) == 0 || strncasecmp(at, "inf", 3) == 0))
        return true;
    while (at < end && (*at == '-' || dxt_is_digit(*at))) at++;
    return at > word && !memchr(word + 1, '-', (size_t)(at - word) - 1);
}

/* Behind "rank=R", its brackets; NULL if there is no such thing in the line. */
static const char *find_named_row(const char *at, const char *end, int64_t *rank)
{
    for (const char *label = at; (label = find(label, end, "rank=")); label++) {
        const char *number = dxt_scan_integer(label + strlen("rank="), end, rank);
        bool alone = label == at || dxt_is_blank(label[-1]) || label[-1] == ']';
        if (!alone || !number) continue;
        number = skip_blanks(number, end);
        if (number < end && *number == '[' && begins_row(number, end)) return number;
    }
    return NULL;
}

/* Behind a time stamp in brackets, if the line begins with one. */
static const char *skip_stamp(const char *at, const char *end)
{
    at = skip_blanks(at, end);
    if (end - at < 12 || *at != '[' || !dxt_is_digit(at[1]) || at[5] != '-') return at;
    const char *close = find(at, end, "]");
    return close ? skip_blanks(close + 1, end) : at;
}

/* Take the rows, or the part of a row, that the text holds. `next` is the rank of the first. */
static dxt_status read_rows(dxt_reader *reader, const char *at, const char *end, uint32_t next)
{
    dxt_rows *rows = &reader->rows;
    dxt_status status = DXT_OK;
    while (status == DXT_OK) {
        at = skip_blanks(at, end);
        if (at == end) return DXT_OK;
        char c = *at;
        if (c == '[' && !rows->open) {
            if (dxt_rows_complete(rows))
                return dxt_reader_fail(reader, DXT_ERR_FORMAT, "one row too many for %u ranks",
                                       rows->ranks);
            status = dxt_rows_open(reader, next);
            at++;
        } else if (c == '[' && rows->width == 0) {
            at++;
        } else if (c == ']' && rows->open) {
            status = dxt_rows_close(reader);
            next = rows->rank + 1;
            at++;
        } else if ((c == ']' || c == ',') && !rows->open) {
            at++;
        } else if (c == ',' && rows->width > 0 && !rows->comma) {
            rows->comma = true;
            at++;
        } else if (rows->open) {
            status = dxt_rows_value(reader, &at, end);
        } else {
            return dxt_reader_fail(reader, DXT_ERR_FORMAT, "text behind the row of rank %u",
                                   rows->rank);
        }
    }
    return status;
}

/* Look at one line that is no header; whatever is not part of a matrix is passed over. */
static dxt_status read_line(dxt_reader *reader, const char *line, const char *end)
{
    dxt_log_state *log = &reader->log;
    dxt_rows *rows = &reader->rows;
    int64_t rank = rows->count;
    const char *at = skip_stamp(line, end);
    if (rows->open && dxt_only_numbers(at, end)) return read_rows(reader, at, end, 0);
    const char *named = find_named_row(line, end, &rank);
    if (named)
        at = named;
    else if (at == end || *at != '[' || !dxt_only_numbers(at, end) || !begins_row(at, end))
        return DXT_OK;
    if (!log->headed && !log->headless) {
        /* Rows before any header: the log was rotated between them. */
        if (!log->surplus) return DXT_OK;
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "one row too many behind line %llu",
                               (unsigned long long)log->header);
    }
    if (rows->open)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "the row of rank %u has not ended",
                               rows->rank);
    if (rank >= DXT_MAX_RANKS)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "rank %lld does not exist", (long long)rank);
    if (!rows->window) reader->line = log->headed ? log->header : reader->input.line;
    log->named = log->named || named;
    return read_rows(reader, at, end, (uint32_t)rank);
}

/* The window is as complete as it will be. */
static dxt_status finish(dxt_reader *reader, dxt_window **window)
{
    dxt_log_state *log = &reader->log;
    dxt_rows *rows = &reader->rows;
    if (rows->open)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "the row of rank %u has not ended",
                               rows->rank);
    if (!log->named && rows->count < rows->ranks)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT,
                               "the matrix of line %llu ends after %u of %u rows",
                               (unsigned long long)reader->line, rows->count, rows->ranks);
    rows->window->instance = log->instance;
    rows->window->begin = log->begin;
    log->instance = log->begin = NULL;
    log->surplus = log->headed;
    log->headed = false;
    return dxt_rows_finish(reader, window);
}

dxt_status dxt_next_log(dxt_reader *reader, dxt_window **window)
{
    const char *line;
    size_t size;
    dxt_status status;
    while ((status = dxt_input_line(&reader->input, &line, &size)) == DXT_OK) {
        const char *end = line + size;
        if (memchr(line, '\0', size)) return dxt_reader_fail(reader, DXT_ERR_FORMAT, "binary data");
        if (is_header(line, end)) {
            if (reader->rows.window || reader->rows.open) {
                dxt_input_unread(&reader->input);
                return finish(reader, window);
            }
            status = read_header(reader, line, end);
        } else {
            status = read_line(reader, line, end);
        }
        if (status != DXT_OK) return status;
        if (dxt_rows_complete(&reader->rows)) return finish(reader, window);
    }
    bool rest = reader->rows.window || reader->rows.open;
    return status == DXT_END && rest ? finish(reader, window) : status;
}
