/* SPDX-License-Identifier: Apache-2.0 */
/* What a value as JSON or Python writes it holds, as lines that the readers know. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/around.h"
#include "matrix/json.h"
#include "matrix/literal.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/spot.h"
#include "matrix/tagged.h"

/* Numbers with blanks where the text has lines, and nothing around them. */
static void put_numbers(dxt_text *lines, const char *from, const char *to)
{
    while (from < to) {
        const char *stop = from;
        while (stop < to && *stop != '\n' && *stop != '\r' && *stop != '(' && *stop != ')') stop++;
        /* "np.int64(7)" */
        const char *word = stop;
        while (stop < to && *stop == '(' && word > from && dxt_is_word(word[-1])) word--;
        dxt_text_append(lines, from, (size_t)(word - from));
        dxt_text_puts(lines, " ");
        from = stop + 1;
    }
}

static void walk(dxt_spot *in);

/* A text of others is read as lines of its own. */
static void put_text(dxt_spot *in, const dxt_token *text)
{
    char *copy;
    dxt_json json = {text->at - 1, text->at - 1, text->end + 1, NULL};
    if (text->quote != '"' || text->end == text->at) return;
    dxt_status status = dxt_json_string(&json, &copy);
    if (status == DXT_ERR_NO_MEMORY) in->lines->failed = true;
    if (status != DXT_OK) return;
    dxt_text_puts(in->lines, copy);
    dxt_text_puts(in->lines, "\n");
    free(copy);
}

/* journald writes a text with colours as an array of its bytes. */
static void put_bytes(dxt_spot *in, const char *from, const char *to)
{
    while (from < to) {
        int64_t byte = 0;
        const char *next = dxt_scan_integer(from, to, &byte);
        char c = (char)byte;
        if (next && byte > 0 && byte < 256) dxt_text_append(in->lines, &c, 1);
        from = next ? next : from + 1;
    }
    dxt_text_puts(in->lines, "\n");
}

/* The elements of an array: rows of numbers are a matrix if there are two or more. */
static void walk_array(dxt_spot *in)
{
    size_t begin = in->lines->size;
    uint32_t rows = 0, width = 0, count;
    bool even = true;
    const char *from, *to, *outer = in->phase;
    in->at++;
    if (in->phase && in->matrices) dxt_text_printf(in->lines, "# %s\n", in->phase);
    size_t first = in->lines->size;
    for (dxt_spot_blanks(in); in->at < in->end && !strchr("])}", *in->at); dxt_spot_blanks(in)) {
        if (dxt_spot_list(in, &from, &to, &count)) {
            even = even && (rows == 0 || count == width);
            width = count;
            if (in->matrices) {
                dxt_text_puts(in->lines, rows++ ? ",\n [" : "[[");
                put_numbers(in->lines, from, to);
                dxt_text_puts(in->lines, "]");
            }
        } else if (*in->at == '"' || *in->at == '\'') {
            dxt_token text = dxt_spot_token(in);
            if (text.quote == '"' && dxt_token_has(&text, " "))
                put_text(in, &text);
            else
                in->phase = dxt_token_phase(&text, outer); /* ('dispatch', array(…)) */
        } else {
            walk(in);
        }
    }
    if (in->at < in->end) in->at++;
    if (rows > 0) dxt_text_puts(in->lines, "]\n");
    /* Lists of others are no rows, unless something says that these are. */
    bool square = rows == width && !in->foreign && (rows > 2 || in->depth <= 2);
    bool matrix = rows > 1 && even && (square || in->phase || in->depth == 1);
    in->phase = outer;
    if (!in->lines->failed && (in->lines->size == first || (rows > 0 && !matrix)))
        in->lines->size = begin;
}

/* What the members of an object say of the whole. */
typedef struct about {
    bool recording, ranked;
    int64_t rank;           /* of all lists in it; −1: none */
    const char *phase;      /* "op": "combine" */
    uint32_t lists, phased; /* of numbers; of these, called after an operator */
    uint32_t columns;       /* numbers that are called 0, 1, 2 … in order */
    bool others;            /* there is something else besides the rank */
    dxt_token cell[3];      /* "row": 0, "col": 1, "value": 5 */
    dxt_token unit;         /* of time, that a member "unit" or the name of a cell's value says */
} about;

/* Which part of a cell a member of this name is: its row, its column or its value; −1: none. */
static int part_of(const dxt_token *name)
{
    static const char *const names[3][6] = {{"row", "i", "src", "src_rank", "waiting", "r"},
                                            {"col", "j", "dst", "dst_rank", "awaited", "column"},
                                            {"value", "v", "wait", "cost", "w", "val"}};
    for (int part = 0; part < 3; part++)
        for (int i = 0; i < 6; i++)
            if (dxt_token_is(name, names[part][i])) return part;
    return -1;
}

static about look(dxt_spot in)
{
    about all = {.rank = in.rank, .ranked = true, .phase = in.phase};
    unsigned known = 0, members = 0;
    in.at++;
    for (dxt_spot_blanks(&in); in.at < in.end && *in.at != '}'; dxt_spot_blanks(&in)) {
        const char *before = in.at;
        dxt_token name = dxt_spot_token(&in);
        while (in.at < in.end && (dxt_is_blank(*in.at) || *in.at == ':')) in.at++;
        known |= dxt_token_called(&name, "v") | dxt_token_called(&name, "phase") << 1 |
                 dxt_token_called(&name, "wait") << 2;
        all.ranked = all.ranked && dxt_token_rank(&name) >= 0;
        dxt_spot value = in;
        const char *from, *to;
        uint32_t count;
        bool list = dxt_spot_list(&value, &from, &to, &count);
        all.lists += list;
        all.phased += list && dxt_token_phase(&name, NULL);
        dxt_token word = dxt_spot_token(&value);
        bool none = !word.quote && word.end > word.at &&
                    dxt_none_length(word.at, word.end) == (size_t)(word.end - word.at);
        bool number = none || (!word.quote && dxt_begins_number(word.at, word.end));
        if (number && dxt_token_rank(&name) == (int64_t)all.columns)
            all.columns++;
        else
            all.others = all.others || !dxt_token_is(&name, "rank");
        dxt_token unit = dxt_unit_of(&name), bare = name;
        if (unit.at) bare.end = unit.at - 1;
        int part = word.quote || word.at == word.end ? -1 : part_of(&bare);
        if (part >= 0) all.cell[part] = word;
        if (part == 2 && !all.unit.at) all.unit = unit;
        if (word.quote && (dxt_token_is(&name, "unit") || dxt_token_is(&name, "units")))
            all.unit = word;
        if (dxt_token_is(&name, "rank") && !word.quote) all.rank = dxt_token_rank(&word);
        if (word.quote && (dxt_token_is(&name, "phase") || dxt_token_is(&name, "op") ||
                           dxt_token_is(&name, "operator") || dxt_token_is(&name, "operation") ||
                           dxt_token_is(&name, "name") || dxt_token_is(&name, "kind")))
            all.phase = dxt_token_phase(&word, all.phase);
        dxt_spot_skip(&in);
        members++;
        if (in.at == before) break;
    }
    all.recording = known == 7;
    all.ranked = all.ranked && members > 1;
    return all;
}

/* Whether a list beside a rank is its row: of several, those that are called after an operator, or
 * the one that is called after waiting. */
static bool is_row(const dxt_token *name, const about *all)
{
    if (all->ranked || all->lists == 1) return true;
    return all->phased > 0 ? dxt_token_phase(name, NULL) != NULL : dxt_token_has(name, "wait");
}

/* Whether lists of that name are places on a map or in a picture. */
static bool is_foreign(const dxt_token *name)
{
    static const char *const names[] = {"coord", "polygon", "points", "bbox"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (dxt_token_has(name, names[i])) return true;
    return false;
}

/* The unit of time of the values below; none is said of them if it is empty. */
static void put_unit(dxt_spot *in, const dxt_token *unit)
{
    size_t size = (size_t)(unit->end - unit->at);
    if (!in->matrices || size > 32) return;
    dxt_text_puts(in->lines, DXT_UNIT_LINE " wait (");
    for (size_t i = 0; i < size; i++)
        if (unit->at[i] != '\n' && unit->at[i] != '\r') dxt_text_append(in->lines, unit->at + i, 1);
    dxt_text_puts(in->lines, ")\n");
}

/* One member: a row if the object or its name says of which rank; a text; anything that may hold
 * more. */
static void walk_member(dxt_spot *in, const dxt_token *name, const about *all)
{
    uint32_t count;
    const char *from, *to, *outer = in->phase;
    if (dxt_spot_list(in, &from, &to, &count)) {
        int64_t rank = all->ranked ? dxt_token_rank(name) : all->rank;
        if (dxt_carries_text(name->at, (size_t)(name->end - name->at))) {
            put_bytes(in, from, to);
        } else if (in->matrices && rank >= 0 && count > 1 && is_row(name, all)) {
            const char *phase = dxt_token_phase(name, all->phase);
            bool bare = all->ranked && name->end > name->at && dxt_is_digit(*name->at);
            if (bare) dxt_text_puts(in->lines, DXT_OUTER_LINE "\n");
            if (phase) dxt_text_printf(in->lines, "# %s\n", phase);
            dxt_text_printf(in->lines, "rank=%lld [", (long long)rank);
            put_numbers(in->lines, from, to);
            dxt_text_puts(in->lines, "]\n");
        }
        return;
    }
    if (*in->at == '"') {
        dxt_token text = dxt_spot_token(in);
        if (dxt_carries_text(name->at, (size_t)(name->end - name->at))) put_text(in, &text);
        return;
    }
    int64_t rank = in->rank;
    bool foreign = in->foreign;
    in->phase = dxt_token_phase(name, all->phase);
    in->foreign = foreign || is_foreign(name);
    if (all->ranked) in->rank = dxt_token_rank(name);
    bool keyed = in->keyed;
    in->keyed = true;
    walk(in);
    in->keyed = keyed;
    in->phase = outer;
    in->foreign = foreign;
    in->rank = rank;
}

/* A line of row, column and value. */
static void put_cell(dxt_spot *in, const about *all)
{
    for (int i = 0; i < 3; i++) {
        dxt_text_append(in->lines, all->cell[i].at, (size_t)(all->cell[i].end - all->cell[i].at));
        dxt_text_puts(in->lines, i < 2 ? " " : "\n");
    }
}

/* {"0": 5, "1": 7}: the values of a row. */
static void put_columns(dxt_spot in)
{
    dxt_text_puts(in.lines, "[");
    for (in.at++; in.at < in.end && *in.at != '}'; dxt_spot_blanks(&in)) {
        const char *before = in.at;
        dxt_spot_blanks(&in);
        dxt_token name = dxt_spot_token(&in);
        while (in.at < in.end && (dxt_is_blank(*in.at) || *in.at == ':')) in.at++;
        dxt_spot value = in;
        dxt_token word = dxt_spot_token(&value);
        if (!dxt_token_is(&name, "rank")) {
            dxt_text_puts(in.lines, " ");
            dxt_text_append(in.lines, word.at, (size_t)(word.end - word.at));
        }
        dxt_spot_skip(&in);
        if (in.at == before) break;
    }
    dxt_text_puts(in.lines, "]\n");
}

static void walk_object(dxt_spot *in)
{
    about all = look(*in);
    if (all.recording) {
        dxt_put_recording(in);
        return;
    }
    bool outer = in->rank >= 0 && in->depth == 2 + (in->phase != NULL);
    bool columns = all.columns > 1 && !all.others && (outer || (in->rank < 0 && in->depth == 2));
    if (in->matrices && columns) {
        if (outer || in->keyed) dxt_text_puts(in->lines, DXT_OUTER_LINE "\n");
        if (outer && in->phase) dxt_text_printf(in->lines, "# %s\n", in->phase);
        if (all.rank >= 0) dxt_text_printf(in->lines, "rank=%lld ", (long long)all.rank);
        put_columns(*in);
        dxt_spot_skip(in);
        return;
    }
    dxt_token around = in->unit;
    if (all.unit.at) in->unit = all.unit;
    if (in->matrices && all.cell[0].at && all.cell[1].at && all.cell[2].at) {
        put_unit(in, &in->unit);
        put_cell(in, &all);
    }
    in->at++;
    for (dxt_spot_blanks(in); in->at < in->end && *in->at != '}'; dxt_spot_blanks(in)) {
        const char *before = in->at;
        dxt_token name = dxt_spot_token(in);
        while (in->at < in->end && (dxt_is_blank(*in->at) || *in->at == ':')) in->at++;
        dxt_token object = in->unit, unit = dxt_unit_of(&name);
        if (unit.at) in->unit = unit;
        if (dxt_names_waits(name.at, name.end)) put_unit(in, &in->unit);
        if (in->at < in->end) walk_member(in, &name, &all);
        in->unit = object;
        if (in->at == before) break;
    }
    in->unit = around;
    if (in->at < in->end && *in->at == '}') in->at++;
}

/* Whether a brace opens members with names, and not rows as C writes them. */
static bool has_names(dxt_spot in)
{
    in.at++;
    dxt_spot_blanks(&in);
    if (in.at < in.end && *in.at == '}') return true;
    dxt_token name = dxt_spot_token(&in);
    while (in.at < in.end && dxt_is_blank(*in.at)) in.at++;
    return name.end > name.at && in.at < in.end && *in.at == ':';
}

/* "{(0, 1): 5, …": lines of row, column and value. */
static void walk_pairs(dxt_spot *in)
{
    const char *from, *to;
    uint32_t count;
    in->at++;
    if (in->phase && in->matrices) dxt_text_printf(in->lines, "# %s\n", in->phase);
    for (dxt_spot_blanks(in); dxt_spot_list(in, &from, &to, &count) && count == 2;
         dxt_spot_blanks(in)) {
        while (in->at < in->end && (dxt_is_blank(*in->at) || *in->at == ':')) in->at++;
        dxt_spot_open_calls(in);
        dxt_token value = dxt_spot_token(in);
        if (value.quote || value.end == value.at) break;
        if (in->matrices) {
            for (; from < to; from++) dxt_text_append(in->lines, *from == ',' ? " " : from, 1);
            dxt_text_puts(in->lines, " ");
            dxt_text_append(in->lines, value.at, (size_t)(value.end - value.at));
            dxt_text_puts(in->lines, "\n");
        }
        dxt_spot_skip(in);
    }
    while (in->at < in->end && *in->at != '}') in->at++;
    if (in->at < in->end) in->at++;
    if (in->matrices) dxt_text_puts(in->lines, "\n");
}

/* Whether a brace opens cells that are called by row and column. */
static bool has_pairs(dxt_spot in)
{
    const char *from, *to;
    uint32_t count;
    in.at++;
    dxt_spot_blanks(&in);
    if (in.at == in.end || *in.at != '(' || !dxt_spot_list(&in, &from, &to, &count)) return false;
    while (in.at < in.end && dxt_is_blank(*in.at)) in.at++;
    return count == 2 && in.at < in.end && *in.at == ':';
}

static void walk(dxt_spot *in)
{
    const char *before = in->at;
    int calls = dxt_spot_open_calls(in);
    char c = in->at < in->end ? *in->at : 0;
    if (++in->depth > DXT_LITERAL_DEPTH)
        dxt_spot_skip(in);
    else if (c == '{' && has_pairs(*in))
        walk_pairs(in);
    else if (c == '{' && has_names(*in))
        walk_object(in);
    else if (c == '[' || c == '(' || c == '{')
        walk_array(in);
    in->depth--;
    dxt_spot_skip(in);
    dxt_spot_close_calls(in, calls);
    if (in->at == before && in->at < in->end) in->at++;
}

void dxt_literal_write(const char *at, const char *end, int64_t rank, bool matrices,
                       dxt_text *lines)
{
    dxt_spot in = {.at = at, .end = end, .lines = lines, .matrices = matrices, .rank = rank};
    const char *from, *to;
    uint32_t count;
    if ((*at == '(' || *at == '{') && dxt_spot_list(&in, &from, &to, &count)) {
        /* A tuple is a row, and so is what C writes in braces. */
        if (!matrices) return;
        dxt_text_puts(lines, "[");
        put_numbers(lines, from, to);
        dxt_text_puts(lines, "]\n");
        return;
    }
    walk(&in);
}
