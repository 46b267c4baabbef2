/* SPDX-License-Identifier: Apache-2.0 */
/* What a value as JSON or Python writes it holds, as lines that the readers know. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/around.h"
#include "matrix/json.h"
#include "matrix/literal.h"
#include "matrix/members.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/spot.h"
#include "matrix/tagged.h"

/* Numbers with blanks where the text has lines, and nothing around them, quotes neither. */
static void put_numbers(dxt_text *lines, const char *from, const char *to)
{
    while (from < to) {
        const char *stop = from;
        while (stop < to && !strchr("\n\r()\"'", *stop)) stop++;
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
            bool element = in->element;
            in->element = true;
            walk(in);
            in->element = element;
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

/* Whether a list beside a rank is its row: of several, those that are called after an operator, or
 * the one that is called after waiting. */
static bool is_row(const dxt_token *name, const dxt_members *all)
{
    if (all->ranked || all->lists == 1) return true;
    return all->phased > 0 ? dxt_token_phase(name, NULL) != NULL : dxt_token_has(name, "wait");
}

/* Whether an object of that name beside a rank may be its row. */
static bool may_be_row(const dxt_token *name)
{
    static const char *const words[] = {"values", "data", "row", "peers", "counters", "times"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (dxt_token_is(name, words[i])) return true;
    return dxt_names_waits(name->at, name->end) && dxt_names_counts(name) == DXT_COUNTS_NONE;
}

/* One member: a row if the object or its name says of which rank; a text; anything that may hold
 * more. */
static void walk_member(dxt_spot *in, const dxt_token *name, dxt_members *all, dxt_spot object)
{
    uint32_t count;
    const char *from, *to, *outer = in->phase;
    if (dxt_put_counts(in, name)) return;
    if (dxt_spot_list(in, &from, &to, &count)) {
        int64_t rank = all->ranked ? dxt_token_rank(name) : all->rank;
        if (dxt_carries_text(name->at, (size_t)(name->end - name->at))) {
            put_bytes(in, from, to);
        } else if (rank < 0 && dxt_put_flat(in, all, object, name, from, to, count)) {
            return;
        } else if (in->matrices && rank >= 0 && count > 1 && is_row(name, all)) {
            const char *phase = dxt_token_phase(name, all->phase);
            if (all->ranked) dxt_text_puts(in->lines, DXT_OUTER_LINE "\n");
            if (phase) dxt_text_printf(in->lines, "# %s\n", phase);
            dxt_put_rank(in->lines, all, rank);
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
    in->foreign = foreign || dxt_names_places(name);
    if (all->ranked) in->rank = dxt_token_rank(name);
    bool keyed = in->keyed, element = in->element;
    const dxt_members *owner = in->owner;
    in->owner = !all->ranked && all->rank >= 0 && may_be_row(name) ? all : NULL;
    in->keyed = true;
    in->element = false;
    walk(in);
    in->owner = owner;
    in->keyed = keyed;
    in->element = element;
    in->phase = outer;
    in->foreign = foreign;
    in->rank = rank;
}

/* Whether lines hold more than marks and headings. */
static bool has_content(const dxt_text *lines, size_t from)
{
    const char *at = lines->data + from, *end = lines->data + lines->size;
    while (at < end && *at == '#') {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at) return false;
        at++;
    }
    return at < end;
}

/* Say what stands beside a matrix and is not applied to it. */
static void put_beside(dxt_spot *in, const dxt_members *all)
{
    const dxt_token *name = &all->beside, *value = &all->beside_value;
    size_t first = in->lines->size;
    if (!in->matrices || !name->at || name->end - name->at > 40 || value->end - value->at > 40)
        return;
    dxt_text_printf(in->lines, DXT_BESIDE_LINE "\"%.*s\": %.*s\n", (int)(name->end - name->at),
                    name->at, (int)(value->end - value->at), value->at);
    for (size_t i = first; i + 1 < in->lines->size; i++)
        if (in->lines->data[i] == '\n') in->lines->data[i] = ' ';
}

static void walk_object(dxt_spot *in)
{
    dxt_members all;
    dxt_members_look(*in, &all);
    if (all.recording) {
        dxt_put_recording(in);
        return;
    }
    bool outer = in->rank >= 0 && in->depth == 2 + (in->phase != NULL);
    bool columns = all.columns > 1 && all.columns == all.waits && !all.others &&
                   (outer || (in->rank < 0 && (in->depth == 2 || in->element)));
    bool sorted = all.columns < all.waits && (outer || in->depth == 2 || in->element);
    if (in->matrices && all.waits > 0 && !all.others && !(outer && all.waits == all.count) &&
        (in->owner || sorted || (in->depth == 1 && all.rank >= 0)) && dxt_put_row(in, &all))
        return;
    /* Ranks may leave themselves out, and come in any order. */
    if (in->matrices && outer && all.waits > 0 && all.waits == all.count) {
        dxt_text_puts(in->lines, DXT_OUTER_LINE "\n" DXT_PAIRS_LINE "\n");
        dxt_put_waits(in);
        return;
    }
    if (in->matrices && columns) {
        if (outer || (in->keyed && !in->element)) dxt_text_puts(in->lines, DXT_OUTER_LINE "\n");
        if (outer && in->phase) dxt_text_printf(in->lines, "# %s\n", in->phase);
        if (all.rank >= 0) dxt_text_printf(in->lines, "rank=%lld ", (long long)all.rank);
        dxt_put_columns(*in);
        dxt_spot_skip(in);
        return;
    }
    const dxt_spot object_at = *in;
    const dxt_token around = in->unit;
    const size_t begin = in->lines->size;
    if (all.unit.at) in->unit = all.unit;
    put_beside(in, &all);
    if (in->matrices && all.pairs > 1 && all.pairs == all.count) {
        dxt_put_pairs(in);
        in->unit = around;
        return;
    }
    const size_t first = in->lines->size;
    if (in->matrices && all.cell[0].at && all.cell[1].at && all.cell[2].at) {
        dxt_put_unit(in, &in->unit);
        dxt_put_cell(in, &all);
    }
    in->at++;
    for (dxt_spot_blanks(in); in->at < in->end && *in->at != '}'; dxt_spot_blanks(in)) {
        const char *before = in->at;
        dxt_token name = dxt_spot_token(in);
        while (in->at < in->end && (dxt_is_blank(*in->at) || *in->at == ':')) in->at++;
        dxt_token object = in->unit, unit = dxt_unit_of(&name);
        if (unit.at) in->unit = unit;
        bool holds = in->unit.at && in->at < in->end && strchr("[{(", *in->at);
        if (holds || dxt_names_waits(name.at, name.end)) dxt_put_unit(in, &in->unit);
        if (in->at < in->end) walk_member(in, &name, &all, object_at);
        in->unit = object;
        if (in->at == before) break;
    }
    in->unit = around;
    if (in->at < in->end && *in->at == '}') in->at++;
    if (first > begin && !in->lines->failed && !has_content(in->lines, first))
        in->lines->size = begin;
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
    if (in->matrices) dxt_text_puts(in->lines, DXT_PAIRS_LINE "\n");
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
