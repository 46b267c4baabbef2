/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to a table and is no row as it stands: cells by row and column, the headings of R,
 * MATLAB and Octave. */
#include <string.h>
#include <strings.h>

#include "matrix/around.h"
#include "matrix/cells.h"
#include "matrix/lines.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/shape.h"
#include "matrix/tagged.h"

/* Brackets of a line with which cells may begin. */
#define MOST_TRIES 16
/* Bytes of a line that are looked at for an arrow, or a word for waits. */
#define MOST_HEADING 256
/* Bytes of a value, with its unit. */
#define MOST_VALUE 64
/* In front of a line for read_places(): this, and how many commas its value has … */
#define MARK '@'
#define MARK_COMMAS 0x1f
/* … and whether a group behind one begins with 0, as in "1,034". */
#define MARK_PADDED 0x20

static bool begins(const char *at, const char *end, const char *with)
{
    size_t size = strlen(with);
    return (size_t)(end - at) >= size && memcmp(at, with, size) == 0;
}

/* ---- cells by row and column ---- */

/* Behind "(3, 5)", "[3][5]" or "3 -> 5" and what stands before the value; NULL: it is none. */
static const char *skip_place(const char *at, const char *end, int64_t cell[2])
{
    at = dxt_skip_blanks(at, end);
    while (at < end && (dxt_is_letter(*at) || *at == '_' || *at == '.')) at++;
    char open = at < end && (*at == '(' || *at == '[') ? *at++ : 0;
    at = dxt_scan_integer(dxt_skip_blanks(at, end), end, &cell[0]);
    if (!at) return NULL;
    at = dxt_skip_blanks(at, end);
    if (open && at < end && *at == ',')
        at++;
    else if (open == '[' && begins(at, end, "]["))
        at += 2;
    else if (!open && begins(at, end, "->"))
        at += 2;
    else
        return NULL;
    at = dxt_scan_integer(dxt_skip_blanks(at, end), end, &cell[1]);
    at = at ? dxt_skip_blanks(at, end) : NULL;
    char close = open == '(' ? ')' : ']';
    if (!at || at == end || (open && *at++ != close)) return NULL;
    const char *value = dxt_skip_blanks(at, end);
    if (begins(value, end, "->") || begins(value, end, "=>")) value += 2;
    while (value < end && (*value == ':' || *value == '=' || dxt_is_blank(*value))) value++;
    return value > at ? value : NULL;
}

/* Behind the value at a place. In "0->1:5,100->2:7" a comma parts cells, and no thousands. */
static const char *skip_value(const char *at, const char *end)
{
    const char *to = dxt_skip_thousands(at, end), *next = dxt_skip_blanks(to, end);
    if (begins(next, end, "->") || begins(next, end, "=>")) to = at;
    while (to < end && (dxt_is_word(*to) || (unsigned char)*to >= 0x80)) to++;
    return to;
}

/* A value without the commas that part its thousands. @return Its bytes; 0: too many. */
static size_t join_value(const char *at, const char *to, char joined[MOST_VALUE])
{
    size_t size = 0;
    for (; at < to && size < MOST_VALUE; at++)
        if (*at != ',') joined[size++] = *at;
    return size < MOST_VALUE ? size : 0;
}

static char mark_of(const char *at, const char *to)
{
    int commas = 0, padded = 0;
    for (; (at = memchr(at, ',', (size_t)(to - at))); at++) {
        commas += commas < MARK_COMMAS;
        if (to - at > 1 && at[1] == '0') padded = MARK_PADDED;
    }
    return (char)(MARK + commas + padded);
}

/* "@3 5 17" of "(3, 5): 17": a line for each such cell of a line that holds nothing else.
 * @return How many. */
static uint32_t take_places(dxt_reader *reader, const char *at, const char *end)
{
    int64_t cell[2] = {0}, whole;
    double real;
    bool decimal;
    uint32_t count = 0;
    const char *value = skip_place(at, end, cell), *to;
    if (!value) return 0;
    reader->listed.size = 0;
    for (; value; value = skip_place(at, end, cell)) {
        char joined[MOST_VALUE];
        double factor;
        to = skip_value(value, end);
        const char *last = joined + join_value(value, to, joined);
        bool time, number = dxt_scan_number(joined, last, &whole, &real, &decimal) == last;
        size_t unit = number || last == joined ? 0 : dxt_unit_length(joined, last, &factor, &time);
        if (!number && (unit == 0 || dxt_scan_number(joined, last - unit, &whole, &real,
                                                     &decimal) != last - unit))
            return 0;
        dxt_text_printf(&reader->listed, "%s%c%lld %lld %.*s", count++ ? "\n" : "",
                        mark_of(value, to), (long long)cell[0], (long long)cell[1],
                        (int)(last - joined), joined);
        for (at = to; at < end && (dxt_is_blank(*at) || strchr(",;|", *at));) at++;
        if (at == end) return count;
        if (at == to) return 0;
    }
    return 0;
}

/* The same behind what a logger writes in front, "INFO wait[0][1]=5". */
static uint32_t take_places_behind(dxt_reader *reader, const char *at, const char *end)
{
    uint32_t count = take_places(reader, at, end);
    for (int tries = 0; count == 0 && at < end && tries < MOST_TRIES; at++) {
        if (*at != '[' && *at != '(') continue;
        int64_t cell[2];
        tries++;
        if (skip_place(at, end, cell)) count = take_places(reader, at, end);
    }
    return count;
}

/* The last three digits of a row: what stood behind its last comma, if there was one. */
static uint32_t last_group(const char *row, const char *end)
{
    uint32_t group = 0;
    while (end > row && !dxt_is_digit(end[-1])) end--;
    for (const char *at = end - row > 3 ? end - 3 : row; at < end; at++)
        group = group * 10 + (uint32_t)(*at - '0') % 10;
    return group;
}

/* Note the commas in the value of a row that has just come. */
static void note_commas(dxt_reader *reader, char mark, uint32_t group)
{
    dxt_table *table = &reader->table;
    uint32_t commas = (uint32_t)(mark - MARK) & MARK_COMMAS;
    if (table->rows == 0 || table->lost) return;
    if (table->rows == 1) table->group = group;
    if (table->rows == 1 || commas < table->least_commas) table->least_commas = commas;
    if (commas > 0 && table->most_commas == 0) table->commas_line = reader->input.line;
    if (commas > table->most_commas) table->most_commas = commas;
    table->padded = table->padded || ((mark - MARK) & MARK_PADDED);
    table->groups_differ = table->groups_differ || group != table->group;
}

/* Read the cells of a line as lines of a table. */
static dxt_status read_places(dxt_reader *reader)
{
    const char *at = reader->listed.data, *end = at + reader->listed.size, *to;
    dxt_status status = DXT_OK;
    reader->around.saying = true;
    for (; at < end && status == DXT_OK; at = to + 1) {
        to = memchr(at, '\n', (size_t)(end - at));
        if (!to) to = end;
        status = dxt_table_line(reader, at + 1, to);
        note_commas(reader, *at, last_group(at + 1, to));
    }
    reader->around.saying = false;
    return status;
}

/* Whether a line with an arrow names waits, or one above does: "GPU0 -> GPU1: 1" and
 * "retry 0 -> 1: 3s" may be anything. */
static bool says_waits(const dxt_reader *reader, const char *line, const char *end)
{
    return reader->around.waits || dxt_names_waits(line, end);
}

/* Whether words stand in front of an arrow, "retry 0 -> 1: 3s". */
static bool has_arrow(const char *line, const char *end, bool *words)
{
    line = dxt_skip_blanks(line, end);
    const size_t size = (size_t)(end - line > MOST_HEADING ? MOST_HEADING : end - line);
    *words = size > 0 && !dxt_is_digit(*line);
    return memmem(line, size, "->", 2) || memmem(line, size, "=>", 2);
}

/* A line without an arrow: whether what follows may be waits. */
static void note_waits(dxt_reader *reader, const char *line, const char *end)
{
    if (end - line > MOST_HEADING) end = line + MOST_HEADING;
    bool numbers = false;
    for (const char *at = line; at < end && !numbers; at++) numbers = dxt_is_digit(*at);
    if (dxt_names_waits(line, end))
        reader->around.waits = true;
    else if (numbers)
        reader->around.waits = false;
}

/* A wait of two ranks by their names, as a line of a table. @return Whether it is one. */
static bool take_named(dxt_reader *reader, const char *line, const char *end, bool *said)
{
    dxt_named found;
    const dxt_table *table = &reader->table;
    /* Others say such things between the rows of a matrix. */
    if (table->rows > 0 && !dxt_shape_roles(table) && !dxt_shape_complete(table)) return false;
    if (!dxt_named_find(line, end, &found) || (found.arrow && !says_waits(reader, line, end))) {
        if (found.ranks == 2 && !reader->clue[0] && dxt_names_waits(line, end))
            dxt_reader_hint(
                reader,
                "line %llu is a wait of two ranks by their names; write the lines as numbers, "
                "\"waiting rank,awaited rank,wait\", in order (0,0,5 then 0,1,7)",
                (unsigned long long)reader->input.line);
        return false;
    }
    reader->listed.size = 0;
    /* A line that says or names one wait has no second value. */
    char mark = found.arrow ? mark_of(found.value, found.value_end) : MARK;
    dxt_text_printf(&reader->listed, "%c%lld %lld ", mark, (long long)found.cell[0],
                    (long long)found.cell[1]);
    for (const char *at = found.value; at < found.value_end; at++)
        if (*at != ',') dxt_text_append(&reader->listed, at, 1);
    dxt_text_printf(&reader->listed, "%.*s", (int)(found.unit_end - found.unit),
                    found.unit ? found.unit : "");
    *said = found.sentence;
    if (found.arrow) reader->around.arrow = reader->input.line;
    return true;
}

/* ---- headings of blocks of columns ---- */

/* The first column, from 1, that "[,1] [,2]" or "Columns 1 through 5" names; 0: none. */
static int64_t find_columns(const char *at, const char *end)
{
    int64_t first = 0;
    at = dxt_skip_blanks(at, end);
    if (begins(at, end, "[,")) {
        const char *stop = dxt_scan_integer(at + 2, end, &first);
        return stop && stop < end && *stop == ']' ? first : 0;
    }
    if (!begins(at, end, "Column")) return 0;
    at += begins(at, end, "Columns") ? 7 : 6;
    return dxt_scan_integer(dxt_skip_blanks(at, end), end, &first) ? first : 0;
}

static dxt_status take_columns(dxt_reader *reader, int64_t first)
{
    dxt_table *table = &reader->table;
    if (first > 1 && table->parted) return dxt_table_join(table);
    double scale = table->rows == 0 ? table->scale : 0;
    dxt_status status = dxt_table_end(reader, false);
    table->wide = table->more = table->parted = true;
    table->head = DXT_MAX_RANKS + 1; /* no column of numbers in front */
    table->scale = scale;
    return status;
}

/* "1.0e+03 *" above the values. */
static bool take_scale(dxt_reader *reader, const char *at, const char *end)
{
    int64_t whole;
    double real;
    bool decimal;
    at = dxt_skip_blanks(at, end);
    while (end > at && dxt_is_blank(end[-1])) end--;
    if (end - at < 3 || end[-1] != '*') return false;
    for (end--; end > at && dxt_is_blank(end[-1]);) end--;
    if (dxt_scan_number(at, end, &whole, &real, &decimal) != end || real <= 0) return false;
    reader->table.scale = real;
    return true;
}

/* Behind "[3,]", with which R begins the third row. */
static const char *skip_row_name(const char *at, const char *end)
{
    int64_t row;
    const char *from = dxt_skip_blanks(at, end);
    if (from == end || *from != '[') return at;
    const char *stop = dxt_scan_integer(from + 1, end, &row);
    return stop && begins(stop, end, ",]") ? stop + 2 : at;
}

dxt_status dxt_end_listed(dxt_reader *reader)
{
    if (!dxt_yaml_close(reader)) return DXT_OK;
    if (reader->listed.failed) return dxt_fail_memory(0);
    const char *line = reader->listed.data;
    return dxt_listed_line(reader, line, line + reader->listed.size);
}

/* @param line  Moved to what is a line of a table; NULL where nothing is left of it. */
static dxt_status take_listed(dxt_reader *reader, const char **line, const char **end)
{
    dxt_yaml found;
    bool part = dxt_yaml_find(reader, *line, *end, &found);
    dxt_status status = part && !found.begins ? DXT_OK : dxt_end_listed(reader);
    if (status != DXT_OK) return status;
    if (part) {
        *line = NULL;
        return dxt_yaml_take(reader, &found);
    }
    int64_t first = find_columns(*line, *end);
    if (first > 0) {
        *line = NULL;
        return take_columns(reader, first);
    }
    if (take_scale(reader, *line, *end)) {
        *line = NULL;
        return DXT_OK;
    }
    bool said = false, words, arrow = has_arrow(*line, *end, &words);
    if (!arrow) note_waits(reader, *line, *end);
    uint32_t places = take_places_behind(reader, *line, *end);
    if (reader->listed.failed) return dxt_fail_memory(0);
    const char *from = dxt_skip_blanks(*line, *end);
    if (places > 0 && !memchr(from, '(', (size_t)(*end - from)) &&
        !memchr(from, '[', (size_t)(*end - from))) {
        if (words && !says_waits(reader, *line, *end)) return DXT_OK;
        said = words;
        reader->around.arrow = reader->input.line;
    }
    if (places == 0 && !take_named(reader, *line, *end, &said)) return DXT_OK;
    if (reader->listed.failed) return dxt_fail_memory(0);
    const dxt_table *table = &reader->table;
    if (!arrow) reader->around.waits = false;
    if (table->rows > 0 && table->titles.said != said) {
        if (said && !dxt_shape_complete(table)) return DXT_OK;
        if ((status = dxt_table_end(reader, false)) != DXT_OK) return status;
    }
    /* They stand in any order. */
    status = dxt_table_phase(reader, *line, *end);
    if (status == DXT_OK) status = dxt_table_pairs(reader);
    if (reader->table.rows == 0) reader->table.titles.said = said;
    *line = NULL;
    return status == DXT_OK ? read_places(reader) : status;
}

dxt_status dxt_listed_line(dxt_reader *reader, const char *line, const char *end)
{
    dxt_status status = take_listed(reader, &line, &end);
    return status != DXT_OK || !line ? status : dxt_table_line(reader, line, end);
}

/* Where "[3,]" and a number, or "[,1]", stands behind what others put in front of a line; NULL:
 * nowhere. */
static const char *find_named_row(const char *line, const char *end)
{
    for (const char *at = line; (at = memchr(at, ',', (size_t)(end - at))); at++) {
        const char *open = at;
        while (open > line && dxt_is_digit(open[-1])) open--;
        if (open - 1 <= line || open[-1] != '[' || !strchr(" \t:>])|-", open[-2])) continue;
        if (open == at && find_columns(open - 1, end) > 0) return open - 1;
        const char *behind = skip_row_name(open - 1, end), *value = dxt_skip_blanks(behind, end);
        if (behind > open && value > behind && dxt_begins_number(value, end)) return open - 1;
    }
    return NULL;
}

bool dxt_is_listed(const char *line, const char *end, const char **row)
{
    const char *first = dxt_skip_blanks(line, end);
    *row = skip_row_name(first, end);
    bool begins = first < end && *first == '[';
    if (begins && (*row != first || find_columns(first, end) > 0)) return true;
    first = find_named_row(first, end);
    if (first) *row = skip_row_name(first, end);
    return first;
}
