/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables: rows of numbers without brackets, with blanks, commas, semicolons, tabs or bars between
 * them. There may be a heading, a column of numbers or names in front, quotes; a blank line, a
 * comment or a heading separates two tables. Nothing but one number a line is a matrix as well, and
 * so are lines of row, column and value.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/around.h"
#include "matrix/cells.h"
#include "matrix/members.h"
#include "matrix/scan.h"
#include "matrix/shape.h"
#include "matrix/stamp.h"
#include "matrix/tagged.h"

/* Bytes in front of a row that are looked at for an operator. */
#define MOST_NAME 64
/* Most numbers of one matrix, one a line. */
#define MOST_LINES ((uint64_t)DXT_MAX_RANKS * DXT_MAX_RANKS)

static dxt_status lose(dxt_reader *reader, dxt_status status, const char *why)
{
    reader->table.lost = true;
    if (reader->table.rows == 0) reader->table.rows = 1;
    return dxt_reader_lose(reader, DXT_REMARK_LOST, status, reader->input.line, "%s", why);
}

static dxt_status add(dxt_reader *reader, const dxt_cells *line)
{
    dxt_table *table = &reader->table;
    if (table->rows == 0) {
        memcpy(table->phase, reader->phase, sizeof table->phase);
        table->width = line->width;
        table->line = reader->input.line;
        table->gap = line->gap;
        table->ended = line->ended;
    }
    dxt_status status = dxt_table_grow(table);
    if (status == DXT_OK) status = dxt_table_note(table, &line->numbers);
    if (status != DXT_OK) return status;
    dxt_shape_note(table, reader->row, reader->reals);
    size_t first = (size_t)table->rows * table->width;
    memcpy(table->cells + first, reader->row, table->width * sizeof *table->cells);
    memcpy(table->reals + first, reader->reals, table->width * sizeof *table->reals);
    table->decimals = table->decimals || line->decimals;
    table->holes = table->holes || line->empty > 0 || line->nan > 0;
    if (line->nan > 0 && table->nans++ == 0) table->nan_row = table->rows;
    if (table->named == table->rows && dxt_shape_follows(table)) table->named++;
    table->form = line->form;
    table->message = line->message;
    table->level = line->level;
    table->clocked = line->form != 0 && line->clock >= 0 && (table->rows == 0 || table->clocked);
    table->clock[table->rows > 0] = line->clock;
    table->hours = table->hours || line->hour;
    table->timed += line->timed;
    table->bare[0] += line->bare[0];
    table->bare[1] += line->bare[1];
    table->pointed += line->pointed;
    table->fractions += line->fractions;
    table->proven += line->proven;
    table->whole += line->whole;
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
    dxt_note_unit(reader, at, end, dxt_names_phase(at, end));
    for (size_t i = 0; i < size; i++)
        reader->phase[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] + 32) : at[i];
    reader->phase[size] = '\0';
}

/* The number of a line, and nothing but an operator's heading. */
static bool heads_alone(const char *at, const char *end)
{
    while (at < end && dxt_is_digit(*at)) at++;
    return at < end && dxt_is_blank(*at) && dxt_heads_phase(at, end, NULL);
}

/* Whether an operator's heading stands behind what stands in front of the rows so far. */
static bool ends_rows(const dxt_table *table, const char *at, const char *end)
{
    const char *begin;
    if (!dxt_heads_phase(at, end, &begin)) return false;
    if (table->form == 0) return true;
    /* Where ranks stand in front, each may write it. */
    bool ranks = table->numbers && (!table->clocked || table->numbers[0].rank > 0);
    return !ranks && dxt_tag_form(at, begin) == table->form;
}

/* A line that is no row: a heading, or what others write. */
static dxt_status other(dxt_reader *reader, const char *at, const char *end, const dxt_cells *line)
{
    dxt_table *table = &reader->table;
    char why[192];
    snprintf(why, sizeof why, "row %u, %s", table->rows, line->why);
    /* "3 combine:" of cat -n is no row. */
    bool phase = dxt_names_phase(at, end), numbered = line->good == 1 && heads_alone(at, end);
    bool row_like = !line->label && line->good > 0 && 2 * line->good >= line->width && !numbered;
    bool dated = end - at >= 10 && at[4] == '-' && at[7] == '-';
    bool begins =
        (dxt_begins_number(at, end) && !dated) || (line->empty > 0 && line->width == table->width);
    const dxt_titles titles = dxt_shape_titles(at, end);
    if (titles.sums > 0 && table->rows == 0) row_like = false; /* "0 1 2 mean" */
    if (line->status != DXT_OK && row_like && begins) {
        if (dxt_shape_complete(table)) {
            dxt_status status = dxt_table_end(reader, false);
            if (status != DXT_OK) return status;
        }
        if (table->lost) return DXT_OK;
        return lose(reader, line->status, why);
    }
    if (dxt_begins_number(at, end) && line->status != DXT_OK) dxt_reader_hint(reader, "%s", why);
    dxt_status status = DXT_OK;
    /* Others write between rows that have something in front, but not the next operator. */
    bool heads = table->rows > 0 && ends_rows(table, at, end);
    if (heads || (dxt_shape_complete(table) && (table->form == 0 || phase)))
        status = dxt_table_end(reader, false);
    if (table->rows == 0) table->titles = titles;
    if (status == DXT_OK) status = dxt_heading_comes(reader, at, end);
    dxt_note_phase(reader, at, end);
    reader->told = reader->told || dxt_names_waits(at, end);
    return status;
}

/* Lose a row that has another length than those before it. */
static dxt_status lose_width(dxt_reader *reader, const dxt_cells *line)
{
    dxt_table *table = &reader->table;
    char why[192];
    if (table->rows == 1 && table->ended && line->width == table->width + 1) {
        table->lost = true;
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, table->line,
                               "row 0, column %u: a value is missing", table->width);
    }
    if (line->ended && line->width + 1 == table->width)
        snprintf(why, sizeof why, "row %u, column %u: a value is missing", table->rows,
                 line->width);
    else
        snprintf(why, sizeof why, "row %u has %u values, %u were expected", table->rows,
                 line->width, table->width);
    return lose(reader, DXT_ERR_FORMAT, why);
}

/* Whether a row of numbers follows sentences. */
static bool ends_sentences(const dxt_reader *reader)
{
    return reader->table.rows > 0 && reader->table.titles.said && !reader->around.saying;
}

static dxt_status row(dxt_reader *reader, dxt_cells *line)
{
    dxt_table *table = &reader->table;
    char why[192];
    if ((table->form != 0 && line->form == 0) || ends_sentences(reader)) {
        dxt_status status = dxt_table_end(reader, false);
        if (status != DXT_OK) return status;
    }
    if (table->lost) return DXT_OK;
    /* "0 1 2" above rows that begin with their number is a heading; a single number is anything. */
    bool heading = table->rows == 1 && line->width == table->width + 1;
    int64_t one = heading && table->width > 2 ? table->cells[0] : 0;
    for (uint32_t i = 0; i < table->width && one == 1 && heading; i++)
        heading = table->cells[i] == (int64_t)i + 1;
    bool single = table->width == 1 && line->width > 1 && dxt_shape_listed(table) == 0;
    heading = heading && (one == 1 || dxt_shape_counts(table, 1, table->width));
    dxt_titles titles = table->titles;
    if (heading) titles = (dxt_titles){.counted = table->width, .cells = table->width};
    if (single) titles = (dxt_titles){0};
    if (single || heading) dxt_table_drop(table);
    table->titles = titles;
    /* The last cell is empty: the last rank for itself. */
    bool one_less = table->rows > 0 && line->width + 1 == table->width && line->ended;
    bool own =
        one_less && (line->width == table->rows || line->width == table->rows + 1 ||
                     (!dxt_shape_complete(table) && dxt_may_be_own(reader, line, line->width)));
    if (own && line->empty == 0 && line->width <= DXT_MAX_RANKS) {
        line->hole = line->width;
        line->empty = 1;
        reader->row[line->width] = DXT_HOLE_OF(reader->input.line);
        reader->reals[line->width++] = NAN;
    }
    if (table->rows > 0 && line->width != table->width) {
        if (!dxt_shape_complete(table)) return lose_width(reader, line);
        dxt_status status = dxt_table_end(reader, false);
        if (status != DXT_OK) return status;
    }
    if (dxt_shape_ends_step(table, reader->row)) {
        titles = table->titles;
        dxt_status status = dxt_table_end(reader, false);
        if (status != DXT_OK) return status;
        table->titles = titles;
    }
    table->points = table->points || line->points;
    table->thousands = table->thousands || line->thousands;
    if (table->points && table->thousands)
        return lose(reader, DXT_ERR_FORMAT,
                    "commas part thousands in some lines and are decimal points in others");
    bool listed = table->width == 1 || dxt_shape_triples(table) || table->wide;
    if (table->rows > table->width && (!listed || table->rows >= MOST_LINES)) {
        snprintf(why, sizeof why,
                 "row %u: the matrix has rows of %u values; a blank line must separate windows",
                 table->rows, table->width);
        return lose(reader, DXT_ERR_FORMAT, why);
    }
    return add(reader, line);
}

/* A blank line, a comment: the table has ended, unless more columns of it follow. */
static dxt_status pause(dxt_reader *reader)
{
    dxt_table *table = &reader->table;
    bool begun = table->parted || table->scale > 0;
    if (table->rows == 0 && begun) return DXT_OK;
    if (!table->wide || !table->more) {
        /* A blank line stands below a heading as well. */
        dxt_titles titles = table->rows == 0 ? table->titles : (dxt_titles){0};
        dxt_status ended = dxt_table_end(reader, false);
        table->titles = titles;
        return ended;
    }
    if (table->parted && table->left.width + table->width >= table->rows)
        return dxt_table_end(reader, false);
    dxt_status status = dxt_table_join(table);
    table->heading = !table->parted;
    return status;
}

/* A heading of a block. */
static dxt_status begin_block(dxt_reader *reader, const dxt_cells *line)
{
    dxt_table *table = &reader->table;
    dxt_status status = DXT_OK;
    if (table->wide && table->more && table->rows > 0)
        status = dxt_table_join(table);
    else if (!table->wide || !table->more)
        status = dxt_table_end(reader, false);
    if (status != DXT_OK) return status;
    table->wide = true;
    table->heading = false;
    table->more = line->more;
    /* The name of an axis stands above the column of rows. */
    uint32_t words = line->width + line->label;
    table->head = line->good > 0 && line->good + 1 == words ? line->good : words;
    return DXT_OK;
}

dxt_status dxt_table_phase(dxt_reader *reader, const char *at, const char *end)
{
    dxt_table *table = &reader->table;
    char why[160];
    dxt_note_phase(reader, at, end - at > MOST_NAME ? at + MOST_NAME : end);
    if (table->rows == 0 || table->lost || strcmp(table->phase, reader->phase) == 0) return DXT_OK;
    if (dxt_shape_complete(table) || table->titles.said) {
        const dxt_titles titles = table->titles;
        dxt_status status = dxt_table_end(reader, false);
        if (titles.roles && !titles.said) table->titles = titles;
        return status;
    }
    if (!dxt_names_phase(at, end)) return DXT_OK;
    snprintf(why, sizeof why, "row %u is one of %.16s, those before are of %.16s", table->rows,
             reader->phase, table->phase);
    return lose(reader, DXT_ERR_FORMAT, why);
}

static dxt_status take_line(dxt_reader *reader, const char *at, const char *end, dxt_cells *line)
{
    dxt_table *table = &reader->table;
    if (line->shortened && line->width > 0) return lose(reader, DXT_ERR_FORMAT, DXT_SHORTENED);
    if (line->more || table->heading) return begin_block(reader, line);
    dxt_status status = dxt_leave_sums(reader, at, end, line);
    if (status != DXT_OK) return status;
    if (line->sum && (table->rows > 0 || line->width > 0)) return dxt_table_close(reader);
    status = dxt_settle_gap(reader, line);
    if (status != DXT_OK) return status;
    dxt_judge_holes(reader, line);
    bool numbers = line->status == DXT_OK && line->good > 0 && !dxt_counts_columns(reader, line);
    if (!numbers || (line->width < 2 && line->label && !table->wide))
        return other(reader, at, end, line);
    if (line->label && !table->wide) status = dxt_table_phase(reader, at, end);
    return status == DXT_OK ? row(reader, line) : status;
}

/* Whether a row behind what stands in front goes on with the table, which may end before. */
static dxt_status fits(dxt_reader *reader, const dxt_cells *line, bool *fitting)
{
    dxt_table *table = &reader->table;
    *fitting = true;
    if (ends_sentences(reader)) return dxt_table_end(reader, false);
    if (table->rows == 0 || (table->lost && table->form == 0)) return DXT_OK;
    bool same = table->form == line->form && table->width == line->width;
    if (same && (table->lost || !dxt_shape_complete(table))) return DXT_OK;
    if (same && !dxt_table_ranked(table, &line->numbers)) {
        /* Lines of a kind that never ends are no rows of a matrix. */
        dxt_reader_hint(reader, "more than %u lines of %u values are no matrix", table->rows,
                        table->width);
        table->lost = true;
        return DXT_OK;
    }
    if (!table->lost && dxt_shape_complete(table)) return dxt_table_end(reader, false);
    /* Somebody else writes in between; one row may itself be what others have written, or the
     * numbers of the columns, which no row has in front. */
    bool heading = table->rows == 1 && table->form == 0 && line->width == table->width + 1;
    if (heading && dxt_shape_counts(table, 1, table->width)) return DXT_OK;
    *fitting = table->form != 0 && (table->rows == 1 || table->lost);
    if (*fitting) dxt_table_drop(table);
    return DXT_OK;
}

/* A row that begins at @p from, behind what a launcher or a logger puts in front. */
static dxt_status take_tagged(dxt_reader *reader, const char *at, const char *from, const char *end)
{
    dxt_cells taken;
    bool fitting;
    dxt_status status = dxt_take_cells(reader, from, end, &taken);
    if (status != DXT_OK) return status;
    dxt_take_numbers(&taken.numbers, at, from);
    taken.form = dxt_tag_form(at, from);
    taken.message = dxt_tag_says(at, from);
    taken.level = dxt_ends_in_level(at, from);
    taken.clock = dxt_clock_of(at, from);
    taken.hour = dxt_may_be_hour(at, from, end);
    reader->told = reader->told || dxt_names_waits(at, from);
    status = fits(reader, &taken, &fitting);
    if (status != DXT_OK || !fitting) return status;
    dxt_note_phase(reader, at, from);
    dxt_judge_holes(reader, &taken);
    if (taken.status != DXT_OK || taken.good == 0) return other(reader, from, end, &taken);
    return row(reader, &taken);
}

bool dxt_table_is_tag(const dxt_reader *reader, const char *line, const char *end)
{
    const dxt_table *table = &reader->table;
    if (table->form == 0 || table->rows == 0) return false;
    line = dxt_skip_blanks(dxt_skip_stamp(line, end), end);
    return dxt_tag_form(line, end) == table->form;
}

dxt_status dxt_table_close(dxt_reader *reader)
{
    return dxt_shape_complete(&reader->table) ? dxt_table_end(reader, false) : DXT_OK;
}

dxt_status dxt_table_line(dxt_reader *reader, const char *line, const char *end)
{
    if (dxt_table_is_tag(reader, line, end)) return dxt_table_close(reader);
    line = dxt_skip_stamp(line, end);
    const char *first = dxt_skip_blanks(line, end), *at = dxt_skip_to_bar(first, end);
    dxt_cells taken;
    if (at == end) return pause(reader);
    dxt_status marked;
    if (*at == '#' && dxt_take_mark(reader, at, end, &marked)) return marked;
    /* What Excel writes in a cell. */
    bool excel = end - at > 4 && memcmp(at, "#N/A", 4) == 0 && strchr(",;\t", at[4]);
    if (*at == '#' && !excel) {
        dxt_status status = dxt_table_end(reader, false);
        reader->table.titles = dxt_shape_titles(at + 1, end);
        if (status == DXT_OK) status = dxt_heading_comes(reader, at, end);
        if (status == DXT_OK) read_comment(reader, at, end);
        reader->told = reader->told || dxt_names_waits(at, end);
        return status;
    }
    const char *behind = dxt_skip_tag(at == first ? line : at, end, reader->input.line);
    if (behind) return take_tagged(reader, at, behind, end);
    dxt_status status = dxt_take_cells(reader, at, end, &taken);
    if (status != DXT_OK) return status;
    if (at > first) dxt_take_numbers(&taken.numbers, first, at);
    /* A tab in front leaves the first cell out. */
    if (at - line == 1 && *line == '\t' && !taken.label && memchr(at, '\t', (size_t)(end - at)))
        taken.gap = taken.gaps++ == 0 ? 0 : DXT_NO_GAP;
    if (taken.rule) return dxt_table_close(reader);
    return take_line(reader, at, end, &taken);
}
