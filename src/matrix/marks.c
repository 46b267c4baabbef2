/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that describe what JSON or Python holds; they do not stand in any file. */
#include "matrix/around.h"
#include "matrix/members.h"
#include "matrix/shape.h"

/* The outer keys of objects are taken for ranks, and may be those of columns: tell so, once. */
static dxt_status tell_outer(dxt_reader *reader)
{
    if (reader->around.outer) return DXT_OK;
    reader->around.outer = true;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, reader->input.line,
                           "the outer keys are taken for the ranks that wait; of pandas' to_dict() "
                           "and to_json() they are the columns: print df.T there");
}

/* Whether the same was told of before; from now on it is. */
static bool was_told(uint64_t *before, const char *at, const char *end)
{
    uint64_t said = DXT_HASH_SEED;
    for (const char *c = at; c < end; c++)
        said = (said ^ (unsigned char)*c) * UINT64_C(0x9e3779b97f4a7c15);
    bool same = *before == said;
    *before = said;
    return same;
}

static dxt_status tell_beside(dxt_reader *reader, const char *at, const char *end)
{
    if (was_told(&reader->around.beside, at, end)) return DXT_OK;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, reader->input.line,
                           "%.*s is not applied: the values are read as they stand",
                           end - at > 100 ? 100 : (int)(end - at), at);
}

/* A name counts something other than waits. */
static dxt_status tell_counts(dxt_reader *reader, const char *at, const char *end)
{
    bool perhaps = at < end && *at == '?';
    at += perhaps;
    if (was_told(&reader->around.counts, at, end)) return DXT_OK;
    int size = end - at > 100 ? 100 : (int)(end - at);
    if (perhaps)
        return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, reader->input.line,
                               "the name \"%.*s\" may count something other than waits; the values "
                               "are read as waits",
                               size, at);
    dxt_reader_hint(reader, "the name \"%.*s\" says that it counts something other than waits",
                    size, at);
    return dxt_reader_lose(
        reader, DXT_REMARK_NOTE, DXT_OK, reader->input.line,
        "the name \"%.*s\" says that it counts something other than waits: it is "
        "left out",
        size, at);
}

/* The unit of the values of JSON or Python that follow; another one ends the table. */
static dxt_status take_unit(dxt_reader *reader, const char *at, const char *end)
{
    double ns;
    if (!dxt_changes_unit(reader, at, end, &ns)) return DXT_OK;
    dxt_status status = dxt_table_end(reader, false);
    dxt_say_unit(reader, ns);
    return status;
}

dxt_status dxt_table_pairs(dxt_reader *reader)
{
    dxt_table *table = &reader->table;
    if (table->rows > 0 && dxt_shape_roles(table)) return DXT_OK;
    dxt_status status = dxt_table_end(reader, false);
    table->titles = (dxt_titles){.cells = 3, .roles = true};
    return status;
}

static dxt_status take_outer(dxt_reader *reader)
{
    bool pairs = dxt_shape_roles(&reader->table);
    dxt_status status = pairs ? DXT_OK : dxt_table_end(reader, false);
    return status == DXT_OK ? tell_outer(reader) : status;
}

bool dxt_take_mark(dxt_reader *reader, const char *at, const char *end, dxt_status *status)
{
    if (end - at < 2 || (unsigned char)at[1] >= ' ') return false;
    *status = DXT_OK;
    if (at[1] == DXT_UNIT_LINE[1])
        *status = take_unit(reader, at + 2, end);
    else if (at[1] == DXT_OUTER_LINE[1])
        *status = take_outer(reader);
    else if (at[1] == DXT_BESIDE_LINE[1])
        *status = tell_beside(reader, at + 2, end);
    else if (at[1] == DXT_COUNTS_LINE[1])
        *status = tell_counts(reader, at + 2, end);
    else if (at[1] == DXT_SHAPE_LINE[1])
        *status = dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                                  "%.*s", end - at > 202 ? 200 : (int)(end - at - 2), at + 2);
    else if (at[1] == DXT_ARROW_LINE[1])
        reader->around.arrow = reader->input.line;
    else if (at[1] == DXT_PAIRS_LINE[1]) {
        if (reader->table.titles.said) *status = dxt_table_end(reader, false);
        if (*status == DXT_OK) *status = dxt_table_pairs(reader);
    } else if (at[1] == DXT_RANKED_LINE[1])
        reader->ranked = true;
    else
        return false;
    return true;
}
