/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to a table and is no row as it stands: cells by row and column, the headings of R,
 * MATLAB and Octave. */
#include <string.h>
#include <strings.h>

#include "matrix/lines.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/tagged.h"

/* Brackets of a line with which cells may begin. */
#define MOST_TRIES 16

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && dxt_is_blank(*at)) at++;
    return at;
}

static bool begins(const char *at, const char *end, const char *with)
{
    size_t size = strlen(with);
    return (size_t)(end - at) >= size && memcmp(at, with, size) == 0;
}

/* ---- cells by row and column ---- */

/* Behind "(3, 5)", "[3][5]" or "3 -> 5" and what stands before the value; NULL: it is none. */
static const char *skip_place(const char *at, const char *end, int64_t cell[2])
{
    at = skip_blanks(at, end);
    while (at < end && (dxt_is_letter(*at) || *at == '_' || *at == '.')) at++;
    char open = at < end && (*at == '(' || *at == '[') ? *at++ : 0;
    at = dxt_scan_integer(skip_blanks(at, end), end, &cell[0]);
    if (!at) return NULL;
    at = skip_blanks(at, end);
    if (open && at < end && *at == ',')
        at++;
    else if (open == '[' && begins(at, end, "]["))
        at += 2;
    else if (!open && begins(at, end, "->"))
        at += 2;
    else
        return NULL;
    at = dxt_scan_integer(skip_blanks(at, end), end, &cell[1]);
    at = at ? skip_blanks(at, end) : NULL;
    char close = open == '(' ? ')' : ']';
    if (!at || at == end || (open && *at++ != close)) return NULL;
    const char *value = skip_blanks(at, end);
    if (begins(value, end, "->") || begins(value, end, "=>")) value += 2;
    while (value < end && (*value == ':' || *value == '=' || dxt_is_blank(*value))) value++;
    return value > at ? value : NULL;
}

/* "3 5 17" of "(3, 5): 17": a line for each such cell of a line that holds nothing else.
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
        for (to = value; to < end && dxt_is_word(*to);) to++;
        if (dxt_scan_number(value, to, &whole, &real, &decimal) != to) return 0;
        dxt_text_printf(&reader->listed, "%s%lld %lld %.*s", count++ ? "\n" : "",
                        (long long)cell[0], (long long)cell[1], (int)(to - value), value);
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

/* Read the cells of a line as lines of a table. */
static dxt_status read_places(dxt_reader *reader)
{
    const char *at = reader->listed.data, *end = at + reader->listed.size, *to;
    dxt_status status = DXT_OK;
    for (; at < end && status == DXT_OK; at = to + 1) {
        to = memchr(at, '\n', (size_t)(end - at));
        if (!to) to = end;
        status = dxt_table_line(reader, at, to);
    }
    return status;
}

/* Whether a word is what people call a rank of a pair. */
static bool calls_rank(const char *at, const char *end)
{
    static const char *const names[] = {"rank", "src",    "dst",      "peer",     "from",   "to",
                                        "row",  "col",    "source",   "src_rank", "i",      "j",
                                        "dest", "column", "dst_rank", "waiting",  "awaited"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == (size_t)(end - at) &&
            strncasecmp(at, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Tell of a cell whose ranks have names, "src=0 dst=1 wait=5", wait{src="0",dst="1"} 5. */
static void hint_named(dxt_reader *reader, const char *line, const char *end)
{
    int ranks = 0;
    if (reader->clue[0] || !dxt_names_waits(line, end)) return;
    for (const char *at = line; (at = memchr(at, '=', (size_t)(end - at))); at++) {
        const char *word = at, *value = at + 1 + (at + 1 < end && at[1] == '"');
        while (word > line && (dxt_is_letter(word[-1]) || word[-1] == '_')) word--;
        ranks += value < end && dxt_is_digit(*value) && calls_rank(word, at);
    }
    if (ranks == 2)
        dxt_reader_hint(reader,
                        "line %llu is a wait of two ranks by their names; write the lines as "
                        "numbers, \"waiting rank,awaited rank,wait\", in order (0,0,5 then 0,1,7)",
                        (unsigned long long)reader->input.line);
}

/* ---- headings of blocks of columns ---- */

/* The first column, from 1, that "[,1] [,2]" or "Columns 1 through 5" names; 0: none. */
static int64_t find_columns(const char *at, const char *end)
{
    int64_t first = 0;
    at = skip_blanks(at, end);
    if (begins(at, end, "[,")) {
        const char *stop = dxt_scan_integer(at + 2, end, &first);
        return stop && stop < end && *stop == ']' ? first : 0;
    }
    if (!begins(at, end, "Column")) return 0;
    at += begins(at, end, "Columns") ? 7 : 6;
    return dxt_scan_integer(skip_blanks(at, end), end, &first) ? first : 0;
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
    at = skip_blanks(at, end);
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
    const char *from = skip_blanks(at, end);
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
    uint32_t places = take_places_behind(reader, *line, *end);
    if (reader->listed.failed) return dxt_fail_memory(0);
    const char *from = skip_blanks(*line, *end);
    if (places > 0 && !memchr(from, '(', (size_t)(*end - from)) &&
        !memchr(from, '[', (size_t)(*end - from)))
        reader->around.arrow = reader->input.line;
    if (places > 0)
        *line = NULL;
    else
        hint_named(reader, *line, *end);
    return places > 0 ? read_places(reader) : DXT_OK;
}

dxt_status dxt_listed_line(dxt_reader *reader, const char *line, const char *end)
{
    dxt_status status = take_listed(reader, &line, &end);
    return status != DXT_OK || !line ? status : dxt_table_line(reader, line, end);
}

bool dxt_is_listed(const char *line, const char *end, const char **row)
{
    *row = skip_row_name(line, end);
    return *row != line || find_columns(line, end) > 0;
}
