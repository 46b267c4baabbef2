/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables: rows of numbers without brackets, with blanks, commas, semicolons or tabs between them.
 * There may be a heading, a column of numbers or names in front, quotes; a blank line, a comment or
 * a heading separates two tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/reader.h"
#include "matrix/scan.h"

/* A line taken apart. Its values are in dxt_reader.row and .reals. */
typedef struct parts {
    uint32_t width; /* values that are numbers or stand in their place */
    uint32_t good;  /* of these, counters */
    bool label;     /* a name stands in front */
    bool decimals;
    dxt_status status; /* of the first value that is no counter */
    char why[160];
} parts;

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && dxt_is_blank(*at)) at++;
    return at;
}

static bool is_separator(char c, bool semicolons)
{
    return c == ';' || (c == ',' && !semicolons);
}

/* ---- taking a line apart ---- */

static const char *word_end(const char *at, const char *end, bool semicolons, bool blanks)
{
    while (at < end && !is_separator(*at, semicolons) && *at != '\t' &&
           !(blanks && dxt_is_blank(*at)))
        at++;
    return at;
}

/* Where semicolons separate, a comma is a decimal point. */
static const char *scan_cell(const char *at, const char *end, bool semicolons, int64_t *whole,
                             double *real, bool *decimal)
{
    char copy[64];
    const char *comma = semicolons ? memchr(at, ',', (size_t)(end - at)) : NULL;
    if (!comma || (size_t)(end - at) >= sizeof copy)
        return dxt_scan_number(at, end, whole, real, decimal);
    memcpy(copy, at, (size_t)(end - at));
    copy[comma - at] = '.';
    const char *next = dxt_scan_number(copy, copy + (end - at), whole, real, decimal);
    return next ? at + (next - copy) : NULL;
}

static void spoil(parts *line, dxt_status status, const char *why)
{
    if (line->status != DXT_OK) return;
    line->status = status;
    snprintf(line->why, sizeof line->why, "column %u: %s", line->width, why);
}

/* A sign, a point or an exponent: no plain integer. */
static bool has_mark(const char *at, const char *end)
{
    for (; at < end; at++)
        if (memchr(".,eE+-", *at, 6)) return true;
    return false;
}

/* One value, from `at` to its separator or blank. */
static void take_cell(dxt_reader *reader, parts *line, const char *at, const char *end,
                      bool semicolons)
{
    int64_t whole = 0;
    double real = 0;
    bool decimal = false;
    const char *next = dxt_scan_integer(at, end, &whole);
    bool integer = next == end;
    if (!integer && has_mark(at, end))
        next = scan_cell(at, end, semicolons, &whole, &real, &decimal);
    if (next != end) {
        char why[96];
        dxt_status status = dxt_scan_why_counter(at, end, why, sizeof why);
        spoil(line, status, why);
    } else {
        line->good++;
    }
    if (line->width > DXT_MAX_RANKS) {
        spoil(line, DXT_ERR_LIMIT, "more values than the most ranks, 4096");
        return;
    }
    reader->row[line->width] = whole;
    reader->reals[line->width] = integer ? (double)whole : real;
    line->decimals = line->decimals || decimal;
    line->width++;
}

/* A name in front of the values, where it cannot be anything else. */
static bool is_label(const char *at, const char *to, bool separated)
{
    if (separated) return true;
    size_t size = (size_t)(to - at);
    if (to[-1] == ':' || (size == 1 && (*at == '>' || *at == '|'))) return true;
    if (size >= 10 && dxt_is_digit(*at) && at[4] == '-' && at[7] == '-') return true;
    return size >= 2 && (*at | 32) == 'r' && (dxt_is_digit(at[1]) || (size > 4 && at[1] == 'a'));
}

static bool begins_number(const char *at, const char *end)
{
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at < end && *at == '.') at++;
    if (at < end && dxt_is_digit(*at)) return true;
    return end - at >= 3 &&
           (memcmp(at, "nan", 3) == 0 || memcmp(at, "NaN", 3) == 0 || memcmp(at, "inf", 3) == 0);
}

static void take_line(dxt_reader *reader, const char *at, const char *end, parts *line)
{
    size_t size = (size_t)(end - at);
    bool semicolons = memchr(at, ';', size) != NULL;
    bool separated = semicolons || memchr(at, ',', size) || memchr(at, '\t', size);
    *line = (parts){.status = DXT_OK};
    bool first = true, empty = true;
    while ((at = skip_blanks(at, end)) < end) {
        if (is_separator(*at, semicolons)) {
            if (empty) {
                spoil(line, DXT_ERR_FORMAT, "a value is missing");
                line->width += line->width <= DXT_MAX_RANKS;
            }
            empty = true;
            at++;
            continue;
        }
        bool quoted = *at == '"' || *at == '\'';
        const char *from = at + quoted;
        const char *quote = quoted ? memchr(from, *at, (size_t)(end - from)) : NULL;
        const char *to = quote ? quote : word_end(from, end, semicolons, true);
        bool number = begins_number(skip_blanks(from, to), to);
        /* In a table with separators a name may be several words. */
        if (!number && !quote && separated) to = word_end(from, end, semicolons, false);
        if (first &&
            (!number || (!separated && to > from && to[-1] == ':') || is_label(from, to, false)) &&
            to > from && is_label(from, to, separated))
            line->label = true;
        else
            take_cell(reader, line, skip_blanks(from, to), to, semicolons);
        first = empty = false;
        at = quote ? quote + 1 : to;
    }
}

/* ---- the matrix ---- */

void dxt_table_drop(dxt_table *table)
{
    free(table->cells);
    free(table->reals);
    *table = (dxt_table){0};
}

/* Whether the first column, or the first row, counts 0, 1, 2 … */
static bool counts_up(const dxt_table *table, size_t step, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (table->cells[i * step] != (int64_t)i) return false;
    return true;
}

/* How many ranks the table has, and what stands beside its matrix; 0: it is not square. */
static uint32_t find_shape(const dxt_table *table, uint32_t *column, uint32_t *row)
{
    uint32_t rows = table->rows, width = table->width;
    *column = *row = 0;
    if (rows == width) return width;
    if (rows + 1 == width && rows >= 2 && counts_up(table, width, rows)) {
        *column = 1;
        return rows;
    }
    if (rows == width + 1 && width >= 2 && counts_up(table, 1, width)) {
        *row = 1;
        return width;
    }
    return 0;
}

static bool is_complete(const dxt_table *table)
{
    uint32_t column, row;
    return table->rows > 0 && find_shape(table, &column, &row) > 0;
}

static dxt_status give(dxt_reader *reader, uint32_t ranks, uint32_t column, uint32_t row)
{
    const dxt_table *table = &reader->table;
    dxt_window *window;
    dxt_status status = dxt_window_create(ranks, reader->phase, &window);
    if (status != DXT_OK) return status;
    uint64_t lost = reader->lost;
    for (uint32_t i = 0; i < ranks && status == DXT_OK; i++) {
        size_t from = (size_t)(i + row) * table->width + column;
        memcpy(window->wait + (size_t)i * ranks, table->cells + from, ranks * sizeof(int64_t));
        /* Together, so that all cells get the same scale. */
        if (table->decimals)
            memmove(table->reals + (size_t)i * ranks, table->reals + from, ranks * sizeof(double));
    }
    if (table->decimals)
        status = dxt_round(reader, table->line, table->reals, window->wait, (size_t)ranks * ranks);
    if (status == DXT_OK && lost == reader->lost) return dxt_give_text(reader, window, table->line);
    dxt_window_free(window);
    return status;
}

dxt_status dxt_table_end(dxt_reader *reader, bool cut)
{
    dxt_table *table = &reader->table;
    uint32_t column, row;
    dxt_status status = DXT_OK;
    if (table->rows > 0 && !table->lost) {
        uint32_t ranks = find_shape(table, &column, &row);
        bool short_of = cut && table->rows < table->width;
        if (ranks >= 2 && ranks <= DXT_MAX_RANKS)
            status = give(reader, ranks, column, row);
        else if (table->width > DXT_MAX_RANKS)
            status =
                dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_LIMIT, table->line,
                                "row 0 has more than %u values, the most ranks", DXT_MAX_RANKS);
        else
            status = dxt_reader_lose(
                reader, short_of ? DXT_REMARK_CUT : DXT_REMARK_LOST, DXT_ERR_FORMAT,
                reader->input.line, "the matrix is not square: %u rows of %u values%s", table->rows,
                table->width,
                table->rows > table->width ? "; a blank line must separate windows" : "");
    }
    dxt_table_drop(table);
    return status;
}

static dxt_status lose(dxt_reader *reader, dxt_status status, const char *why)
{
    reader->table.lost = true;
    if (reader->table.rows == 0) reader->table.rows = 1;
    return dxt_reader_lose(reader, DXT_REMARK_LOST, status, reader->input.line, "%s", why);
}

static dxt_status grow(dxt_table *table)
{
    if (table->rows < table->capacity) return DXT_OK;
    uint32_t capacity = table->capacity ? 2 * table->capacity : 16;
    size_t count = (size_t)capacity * table->width;
    int64_t *cells = realloc(table->cells, count * sizeof *cells);
    if (!cells) return dxt_fail_memory(count * sizeof *cells);
    table->cells = cells;
    double *reals = realloc(table->reals, count * sizeof *reals);
    if (!reals) return dxt_fail_memory(count * sizeof *reals);
    table->reals = reals;
    table->capacity = capacity;
    return DXT_OK;
}

static dxt_status add(dxt_reader *reader, const parts *line)
{
    dxt_table *table = &reader->table;
    if (table->rows == 0) {
        table->width = line->width;
        table->line = reader->input.line;
    }
    dxt_status status = grow(table);
    if (status != DXT_OK) return status;
    size_t first = (size_t)table->rows * table->width;
    memcpy(table->cells + first, reader->row, table->width * sizeof *table->cells);
    memcpy(table->reals + first, reader->reals, table->width * sizeof *table->reals);
    table->decimals = table->decimals || line->decimals;
    table->rows++;
    return DXT_OK;
}

/* ---- lines ---- */

/* A comment of one word names the operator of the matrices behind it. */
static void read_comment(dxt_reader *reader, const char *at, const char *end)
{
    while (at < end && (*at == '#' || dxt_is_blank(*at))) at++;
    while (end > at && dxt_is_blank(end[-1])) end--;
    size_t size = (size_t)(end - at);
    bool word = size > 0 && size < 64 && dxt_is_letter(*at) &&
                !(size >= 4 && strncasecmp(at, "rank", 4) == 0);
    for (size_t i = 0; i < size && word; i++)
        word =
            dxt_is_letter(at[i]) || at[i] == '_' || at[i] == '-' || (dxt_is_digit(at[i]) && i > 1);
    if (!word) {
        dxt_note_phase(reader, at, end);
        return;
    }
    for (size_t i = 0; i < size; i++)
        reader->phase[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] + 32) : at[i];
    reader->phase[size] = '\0';
}

/* A line that is no row: a heading, or what others write. */
static dxt_status other(dxt_reader *reader, const char *at, const char *end, const parts *line)
{
    dxt_table *table = &reader->table;
    char why[192];
    snprintf(why, sizeof why, "row %u, %s", table->rows, line->why);
    bool row_like = !line->label && line->good > 0 && 2 * line->good >= line->width;
    if (line->status != DXT_OK && row_like && begins_number(at, end)) {
        if (is_complete(table)) {
            dxt_status status = dxt_table_end(reader, false);
            if (status != DXT_OK) return status;
        }
        if (table->lost) return DXT_OK;
        return lose(reader, line->status, why);
    }
    if (begins_number(at, end)) dxt_reader_hint(reader, "%s", why);
    dxt_status status = DXT_OK;
    if (is_complete(table)) status = dxt_table_end(reader, false);
    dxt_note_phase(reader, at, end);
    return status;
}

static dxt_status row(dxt_reader *reader, const parts *line)
{
    dxt_table *table = &reader->table;
    char why[192];
    if (table->lost) return DXT_OK;
    /* "0 1 2" above rows that begin with their number is a heading. */
    bool heading = table->rows == 1 && line->width == table->width + 1;
    if (heading && counts_up(table, 1, table->width)) dxt_table_drop(table);
    if (table->rows > 0 && line->width != table->width) {
        if (!is_complete(table)) {
            snprintf(why, sizeof why, "row %u has %u values, %u were expected", table->rows,
                     line->width, table->width);
            return lose(reader, DXT_ERR_FORMAT, why);
        }
        dxt_status status = dxt_table_end(reader, false);
        if (status != DXT_OK) return status;
    }
    if (table->rows > table->width) {
        snprintf(why, sizeof why,
                 "row %u: the matrix has rows of %u values; a blank line must separate windows",
                 table->rows, table->width);
        return lose(reader, DXT_ERR_FORMAT, why);
    }
    return add(reader, line);
}

dxt_status dxt_table_line(dxt_reader *reader, const char *line, const char *end)
{
    const char *at = skip_blanks(line, end);
    if (at == end) return dxt_table_end(reader, false);
    if (*at == '#') {
        dxt_status status = dxt_table_end(reader, false);
        if (status == DXT_OK) read_comment(reader, at, end);
        return status;
    }
    parts taken;
    take_line(reader, at, end, &taken);
    bool single = taken.width < 2 && (reader->table.rows == 0 || taken.label);
    if (taken.status != DXT_OK || taken.width == 0 || single) {
        if (taken.status == DXT_OK && taken.width == 1 && !taken.label)
            dxt_reader_hint(reader, "row 0 has 1 value; a matrix has at least 2 ranks");
        return other(reader, at, end, &taken);
    }
    return row(reader, &taken);
}
