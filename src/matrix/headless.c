/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows without headers. The first row says how many there are; the ranks or the order of rows say
 * where each one belongs. Operators and writers may take turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/rows.h"

/* Rows of two operators may come in turns, and those of two writers: those with the same text in
 * front are of one. */
static dxt_sheet *find_headless(dxt_reader *reader)
{
    dxt_sheet *found = NULL;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (!sheet->used || sheet->headed || strcmp(sheet->phase, reader->phase) != 0) continue;
        if (!found || sheet->label == reader->rowing.label) found = sheet;
    }
    return found;
}

/* Whether a row of a rank that has one is another writer's: all rows so far had the same in front,
 * and it has something else. */
static bool is_others(const dxt_sheet *sheet, const dxt_row *row)
{
    return sheet->alike && sheet->label != row->label && sheet->count < sheet->ranks;
}

/* Whether a sheet is one of several writers' that take turns. */
static bool is_writers(const dxt_reader *reader, const dxt_sheet *sheet)
{
    return sheet->used && !sheet->headed && sheet->named &&
           strcmp(sheet->phase, reader->phase) == 0;
}

/* Several writers take turns, and nothing in front of the row says whose it is. */
static bool is_anyones(const dxt_reader *reader, const dxt_sheet *sheet)
{
    uint32_t writers = 0;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) writers += is_writers(reader, &reader->sheets[i]);
    const dxt_row *row = &reader->rowing;
    if (row->named) return writers > 1 && sheet->label != row->label;
    /* What stood in front of the first row comes again, behind something else. */
    return !row->pure && !sheet->alike && sheet->label == row->label;
}

static dxt_status say_mixed(dxt_reader *reader, uint64_t line)
{
    return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                           "the matrix of line %llu is lost: several writers take turns, and "
                           "nothing says whose this row is",
                           (unsigned long long)line);
}

/* Whether the next row of a matrix whose rows come in the order of their ranks, up or down, is that
 * of @p rank. */
static bool is_in_turn(const dxt_sheet *sheet, uint32_t rank, uint32_t count)
{
    if (sheet->first_rank == 0) return rank == count;
    return sheet->first_rank + 1 == sheet->ranks && rank == sheet->first_rank - count;
}

/* The row is one of those that nobody knows the writers of. */
static void note_mixed(const dxt_reader *reader, dxt_sheet *sheet, uint32_t rank)
{
    const dxt_row *row = &reader->rowing;
    if (!is_in_turn(sheet, rank, sheet->count)) sheet->unsure = true;
    if (!dxt_has_row(sheet, rank)) sheet->count++;
    sheet->missing[rank] = 0;
    sheet->own += row->label == sheet->label;
    sheet->last_rank = rank;
    sheet->tail = dxt_hash_row(reader);
}

/* So all their matrices are lost. One sheet stands for them until a matrix begins whose rows will
 * be told from those of others. */
static dxt_status lose_writers(dxt_reader *reader, dxt_sheet *sheet)
{
    if (!reader->rowing.named)
        return dxt_lose_sheet(reader, sheet, DXT_ERR_FORMAT,
                              "several writers take turns, and nothing says whose this row is");
    dxt_sheet *oldest = sheet, *newest = sheet;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        sheet = &reader->sheets[i];
        if (!is_writers(reader, sheet)) continue;
        if (sheet->order < oldest->order) oldest = sheet;
        if (sheet->order > newest->order) newest = sheet;
        dxt_status status = sheet->lost ? DXT_OK : say_mixed(reader, sheet->line);
        if (status != DXT_OK) return status;
    }
    newest->unsure = newest->first_rank != oldest->first_rank ||
                     !is_in_turn(newest, (uint32_t)newest->last_rank, newest->count - 1);
    newest->lost = newest->mixed = true;
    newest->own = newest->alike ? newest->count : 1;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        sheet = &reader->sheets[i];
        if (sheet != newest && is_writers(reader, sheet)) dxt_sheet_drop(sheet);
    }
    dxt_sheet_free_cells(newest);
    if (reader->rowing.rank < newest->ranks)
        note_mixed(reader, newest, (uint32_t)reader->rowing.rank);
    return DXT_OK;
}

/* The first row says how many ranks there are. */
static dxt_status begin_headless(dxt_reader *reader)
{
    dxt_row *row = &reader->rowing;
    dxt_status status;
    if (row->width < 2 && row->status == DXT_OK) {
        dxt_reader_hint(reader, "row 0 has %u value; a matrix has at least 2 ranks", row->width);
        return DXT_OK;
    }
    dxt_sheet *sheet = dxt_sheet_begin(reader, &status);
    if (!sheet) return status;
    sheet->ranks = row->width < 2 ? 2 : row->width;
    sheet->line = row->line;
    sheet->label = row->label;
    sheet->alike = true;
    if (row->named && row->rank >= sheet->ranks && row->status == DXT_OK) {
        /* The rank of who prints, or a mistake: the next row tells. */
        reader->launcher = row->rank;
        row->named = false;
    }
    return row->status == DXT_OK ? dxt_add_row(reader, sheet) : dxt_lose_row(reader, sheet);
}

/* The bracket of the whole matrix has closed: it is as it is. */
static dxt_status close_headless(dxt_reader *reader)
{
    dxt_sheet *sheet = find_headless(reader);
    if (!sheet || !reader->rowing.last || sheet->named) return DXT_OK;
    dxt_status status = DXT_OK;
    if (!sheet->lost)
        status = dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                                 "the matrix is not square: %u rows of %u values", sheet->count,
                                 sheet->ranks);
    dxt_sheet_drop(sheet);
    return status;
}

/* Behind rows whose writers nobody knows: a matrix that begins is read again once all ranks of the
 * one before have come in turn, or the same text in front of as many rows; else it is lost, too. */
static dxt_status take_mixed(dxt_reader *reader, dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    if (row->rank >= sheet->ranks || dxt_row_repeats(reader, sheet)) return DXT_OK;
    if (row->rank != sheet->first_rank) {
        note_mixed(reader, sheet, (uint32_t)row->rank);
        return DXT_OK;
    }
    bool told = (!sheet->unsure && sheet->count == sheet->ranks) || sheet->own >= sheet->ranks;
    if (row->status == DXT_OK && (told || row->width != sheet->ranks)) {
        dxt_sheet_drop(sheet);
        return begin_headless(reader);
    }
    memset(sheet->missing, 1, sheet->ranks);
    sheet->count = sheet->own = 0;
    sheet->unsure = false;
    sheet->label = row->label;
    sheet->line = row->line;
    note_mixed(reader, sheet, (uint32_t)row->rank);
    return say_mixed(reader, row->line);
}

/* Two rows of one rank, one behind the other and not the same: it is the rank of who prints, which
 * a launcher writes in front of each line. They are counted instead. */
static bool take_for_launcher(dxt_reader *reader, dxt_sheet *sheet)
{
    dxt_row *row = &reader->rowing;
    if (!row->named || !sheet->named || sheet->count != 1 || row->rank != sheet->last_rank ||
        sheet->lost || reader->ranked || row->status != DXT_OK || row->width != sheet->ranks ||
        sheet->label != row->label || dxt_row_repeats(reader, sheet))
        return false;
    dxt_sheet_keep_row(sheet, (uint32_t)sheet->last_rank, 0);
    sheet->named = row->named = false;
    sheet->launched = true;
    sheet->last_rank = 0;
    reader->launcher = row->rank;
    return true;
}

/* Whether a row carries another rank than those that were taken for a launcher's, or the same one
 * behind another text. */
static bool is_no_launcher(const dxt_reader *reader, const dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    if (!sheet->launched || sheet->named || row->status != DXT_OK || row->width != sheet->ranks)
        return false;
    if (row->named) return row->rank < sheet->ranks;
    return row->rank >= 0 && row->rank == reader->launcher && row->rank < sheet->ranks &&
           row->label != sheet->label;
}

/* Whether rows of several ranks have come, and now one of the rank that was taken for a launcher's:
 * it is theirs as well. */
static bool is_rank_after_all(const dxt_reader *reader, const dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    return sheet->named && sheet->count > 1 && !row->named && row->status == DXT_OK &&
           reader->launcher >= 0 && row->rank == reader->launcher && row->width == sheet->ranks &&
           row->rank < sheet->ranks;
}

/* The one that belongs to those rows has been taken for something else. */
static dxt_status begin_behind_torn(dxt_reader *reader, dxt_sheet *sheet)
{
    dxt_status status = DXT_OK;
    if (!sheet->lost)
        status = dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                                 "the matrix of line %llu ends after %u of %u rows",
                                 (unsigned long long)sheet->line, sheet->count, sheet->ranks);
    dxt_sheet_drop(sheet);
    reader->launcher = -1;
    reader->rowing.named = true;
    return status == DXT_OK ? begin_headless(reader) : status;
}

/* So each of those began a matrix that was torn behind it, but for the newest, which goes on. */
static dxt_status take_for_ranks(dxt_reader *reader, dxt_sheet *sheet)
{
    const uint32_t rank = (uint32_t)reader->launcher, rows = sheet->count, ranks = sheet->ranks;
    reader->launcher = -1;
    for (uint32_t i = 1; i < rows && !sheet->lost; i++) {
        dxt_status status =
            dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                            i == 1 ? "the matrix of line %llu ends after 1 of %u rows"
                                   : "one more behind line %llu ends after 1 of %u rows",
                            (unsigned long long)sheet->line, ranks);
        if (status != DXT_OK) return status;
    }
    dxt_sheet_keep_row(sheet, rows - 1, rank);
    free(sheet->numbers);
    sheet->numbers = NULL;
    sheet->nans /= rows;
    sheet->count = 1;
    sheet->first_rank = sheet->last_rank = rank;
    sheet->line = sheet->last_line;
    sheet->named = sheet->falls = true;
    sheet->launched = false;
    reader->rowing.named = true;
    if (sheet->alike || sheet->lost) return DXT_OK;
    /* Others wrote some of them: whose the next one is is not known. */
    sheet->lost = sheet->mixed = sheet->unsure = true;
    dxt_sheet_free_cells(sheet);
    return say_mixed(reader, sheet->line);
}

/* "nan" is a number that a rank has none of for itself, or a mistake. */
static void judge_nans(dxt_row *row, const dxt_sheet *sheet)
{
    uint32_t rank = row->named ? (uint32_t)row->rank : sheet ? sheet->count : 0;
    if (row->nans == 0 || row->status != DXT_OK || (row->nans == 1 && row->nan_at == rank)) return;
    /* Its rank may stand in front of it. */
    for (uint32_t i = 0; i < row->numbers.count && row->nans == 1 && !row->named; i++)
        if (row->numbers.values[i] == (int32_t)row->nan_at) return;
    row->status = DXT_ERR_FORMAT;
    snprintf(row->why, sizeof row->why, "row %u, column %u: nan is not a number", rank,
             row->nan_at);
}

/* How many rows have come since a line named an operator, the same in front of each. */
static void count_streak(dxt_reader *reader)
{
    const dxt_row *row = &reader->rowing;
    if (row->label != reader->streak_label) reader->streak = 0;
    reader->streak_label = row->label;
    reader->streak++;
}

/* Add a row. Once a matrix is whole, one that began before it and has had no row since was torn. */
static dxt_status add_headless(dxt_reader *reader, dxt_sheet *sheet)
{
    const uint64_t order = sheet->order;
    bool whole = sheet->named && sheet->count + 1 == sheet->ranks;
    const dxt_row *row = &reader->rowing;
    sheet->alike = sheet->alike && (sheet->label == row->label || (!row->named && row->pure));
    dxt_status status = dxt_add_row(reader, sheet);
    for (uint32_t i = 0; i < DXT_SHEETS && whole && status == DXT_OK; i++) {
        dxt_sheet *other = &reader->sheets[i];
        if (other->used && !other->headed && other->named && other->order < order &&
            !other->stays && strcmp(other->phase, reader->phase) == 0)
            status = dxt_sheet_end(reader, other);
    }
    return status;
}

static dxt_status take_row(dxt_reader *reader)
{
    dxt_row *row = &reader->rowing;
    dxt_status finished = dxt_sheets_whole(reader);
    if (finished != DXT_OK) return finished;
    count_streak(reader);
    dxt_sheet *sheet = find_headless(reader);
    judge_nans(row, sheet);
    if (!sheet) {
        bool echo = row->named && row->rank == reader->newest.rank && row->status == DXT_OK &&
                    dxt_hash_row(reader) == reader->tail;
        return echo ? DXT_OK : begin_headless(reader);
    }
    if (sheet->mixed && row->named) return take_mixed(reader, sheet);
    if (row->first && !row->named && !sheet->named && sheet->count > 0) {
        /* The matrix before was torn. */
        dxt_status status = dxt_sheet_end(reader, sheet);
        return status == DXT_OK ? begin_headless(reader) : status;
    }
    if (take_for_launcher(reader, sheet)) return dxt_add_row(reader, sheet);
    if (row->named && sheet->count == 1 && !sheet->named && reader->launcher >= sheet->ranks) {
        dxt_status status = dxt_lose_beyond(reader, sheet);
        dxt_sheet_drop(sheet);
        return status == DXT_OK ? begin_headless(reader) : status;
    }
    if (is_rank_after_all(reader, sheet)) return begin_behind_torn(reader, sheet);
    if (is_no_launcher(reader, sheet)) {
        dxt_status status = take_for_ranks(reader, sheet);
        if (status != DXT_OK || sheet->mixed) return status;
    }
    if (sheet->count > 0 && sheet->named != row->named) return DXT_OK;
    if (!row->named && row->width < 2 && row->status == DXT_OK) return DXT_OK;
    if (sheet->lost)
        return dxt_rank_of(sheet, row) < sheet->ranks ? dxt_add_row(reader, sheet) : DXT_OK;
    if (row->named && row->width == sheet->ranks && row->rank < sheet->ranks &&
        dxt_has_row(sheet, (uint32_t)row->rank)) {
        if (dxt_row_repeats(reader, sheet)) return DXT_OK;
        /* The next matrix begins. */
        dxt_status status = is_others(sheet, row) ? DXT_OK : dxt_sheet_end(reader, sheet);
        return status == DXT_OK ? begin_headless(reader) : status;
    }
    if (row->status != DXT_OK) return dxt_lose_row(reader, sheet);
    if (is_anyones(reader, sheet)) return lose_writers(reader, sheet);
    if (row->width == sheet->ranks && (!row->named || row->rank < sheet->ranks))
        return add_headless(reader, sheet);
    if (row->pure || row->named) return dxt_row_misfit(reader, sheet);
    /* Lists that others print need not be rows. */
    dxt_sheet_drop(sheet);
    return begin_headless(reader);
}

dxt_status dxt_sheet_row(dxt_reader *reader)
{
    if (dxt_row_prepare(reader)) return DXT_OK;
    if (reader->headers) return dxt_headed_row(reader);
    dxt_status status = take_row(reader);
    return status == DXT_OK ? close_headless(reader) : status;
}
