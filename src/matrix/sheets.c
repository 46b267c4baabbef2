/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows that grow row by row: how they begin and end. Several may be under way, because writers
 * that share a log write in turns.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/around.h"
#include "matrix/reader.h"

uint64_t dxt_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

/* ---- their memory ---- */

/* From the first decimal on the cells are kept as such. */
static dxt_status make_reals(dxt_sheet *sheet)
{
    size_t ranks = sheet->ranks;
    sheet->reals = calloc(ranks * ranks, sizeof *sheet->reals);
    if (!sheet->reals) return dxt_fail_memory(ranks * ranks * sizeof *sheet->reals);
    /* Most rows of a large matrix may never come. */
    for (size_t row = 0; row < ranks; row++)
        for (size_t i = row * ranks; !sheet->missing[row] && i < (row + 1) * ranks; i++) {
            int64_t wait = sheet->window->wait[i];
            sheet->reals[i] = wait == DXT_NOT_OBSERVED ? (double)NAN : (double)wait;
        }
    return DXT_OK;
}

dxt_status dxt_sheet_room(dxt_sheet *sheet, const dxt_row *row)
{
    dxt_status status = DXT_OK;
    if (!sheet->missing) {
        sheet->missing = malloc(sheet->ranks);
        if (!sheet->missing) return dxt_fail_memory(sheet->ranks);
        memset(sheet->missing, 1, sheet->ranks);
    }
    if (sheet->lost) return DXT_OK;
    if (!sheet->window) status = dxt_window_create(sheet->ranks, sheet->phase, &sheet->window);
    if (status == DXT_OK && row->decimals && !sheet->reals) status = make_reals(sheet);
    return status;
}

void dxt_sheet_free_cells(dxt_sheet *sheet)
{
    dxt_window_free(sheet->window);
    free(sheet->reals);
    sheet->window = NULL;
    sheet->reals = NULL;
}

void dxt_sheet_keep_row(dxt_sheet *sheet, uint32_t from, uint32_t to)
{
    const size_t ranks = sheet->ranks, size = ranks * sizeof(int64_t);
    int64_t *wait = sheet->window ? sheet->window->wait : NULL;
    double *reals = sheet->reals;
    if (wait) memmove(wait + to * ranks, wait + from * ranks, size);
    if (reals) memmove(reals + to * ranks, reals + from * ranks, size);
    /* A missing row holds zeros. */
    for (size_t row = 0; row < ranks; row++) {
        if (row == to || sheet->missing[row]) continue;
        if (wait) memset(wait + row * ranks, 0, size);
        if (reals) memset(reals + row * ranks, 0, size);
    }
    memset(sheet->missing, 1, ranks);
    sheet->missing[to] = 0;
}

/* ---- begin and end ---- */

void dxt_sheet_drop(dxt_sheet *sheet)
{
    dxt_sheet_free_cells(sheet);
    free(sheet->missing);
    free(sheet->numbers);
    free(sheet->instance);
    free(sheet->begin);
    *sheet = (dxt_sheet){0};
}

dxt_sheet *dxt_sheet_begin(dxt_reader *reader, dxt_status *status)
{
    dxt_sheet *place = NULL, *oldest = &reader->sheets[0];
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (!sheet->used && !place) place = sheet;
        if (sheet->order < oldest->order) oldest = sheet;
    }
    *status = DXT_OK;
    if (!place) {
        place = oldest;
        *status = dxt_sheet_end(reader, place);
        if (*status != DXT_OK) return NULL;
    }
    *place = (dxt_sheet){.used = true,
                         .last_rank = -1,
                         .line = reader->input.line,
                         .order = ++reader->tick,
                         .cells = DXT_HASH_SEED};
    strcpy(place->phase, reader->phase);
    return place;
}

/* Whether the window has come before: every line twice, or all lines of it twice. */
static bool is_echo(dxt_reader *reader, const dxt_sheet *sheet)
{
    if (sheet->head == 0) return false;
    for (uint32_t i = 0; i < DXT_ECHOES; i++)
        if (reader->echoes[i].head == sheet->head && reader->echoes[i].cells == sheet->cells)
            return true;
    reader->echoes[reader->echo].head = sheet->head;
    reader->echoes[reader->echo].cells = sheet->cells;
    reader->echo = (reader->echo + 1) % DXT_ECHOES;
    return false;
}

/* The number of the window in the series of its writer and operator. */
static int64_t next_number(dxt_reader *reader, const dxt_window *window)
{
    uint64_t key = dxt_hash(DXT_HASH_SEED, window->phase, strlen(window->phase) + 1);
    if (window->instance) key = dxt_hash(key, window->instance, strlen(window->instance));
    uint32_t place = 0;
    for (uint32_t i = 0; i < DXT_SERIES; i++) {
        if (reader->series[i].used && reader->series[i].key == key) {
            reader->series[i].used = ++reader->tick;
            return reader->series[i].count++;
        }
        if (reader->series[i].used < reader->series[place].used) place = i;
    }
    reader->series[place].key = key;
    reader->series[place].used = ++reader->tick;
    reader->series[place].count = 1;
    return 0;
}

dxt_status dxt_give_text(dxt_reader *reader, dxt_window *window, uint64_t line)
{
    window->index = next_number(reader, window);
    return dxt_reader_give(reader, window, line);
}

/* Whether the values that say "nan", one a row, are those of ranks for themselves; the rows are in
 * their places. */
static bool are_own(const dxt_sheet *sheet)
{
    if (sheet->nans != sheet->ranks) return false;
    for (size_t i = 0; i < sheet->ranks; i++) {
        size_t own = i * sheet->ranks + i;
        if (sheet->reals ? !isnan(sheet->reals[own]) : sheet->window->wait[own] != DXT_NOT_OBSERVED)
            return false;
    }
    return true;
}

dxt_status dxt_sheet_give(dxt_reader *reader, dxt_sheet *sheet)
{
    dxt_window *window = sheet->window;
    dxt_status status = dxt_sheet_place(reader, sheet);
    if (status != DXT_OK) return status;
    uint64_t lost = reader->lost;
    if (!sheet->lost || sheet->headed) {
        reader->newest.ranks = sheet->ranks;
        reader->newest.rank = sheet->last_rank;
        reader->newest.form = sheet->row_form;
        reader->newest.pure = sheet->row_pure;
        reader->newest.line = sheet->line;
    }
    if (!sheet->lost && sheet->nans > 0 && !are_own(sheet)) {
        sheet->lost = true;
        status = dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                                 "nan is not a number");
        if (status != DXT_OK) return status;
    }
    reader->ranked =
        reader->ranked || (!sheet->headed && sheet->named && sheet->count == sheet->ranks);
    if (sheet->lost || is_echo(reader, sheet)) {
        dxt_sheet_drop(sheet);
        return DXT_OK;
    }
    if (sheet->count < sheet->ranks) {
        window->missing = sheet->missing;
        sheet->missing = NULL;
    }
    int64_t tag = (sheet->launched || reader->launcher >= sheet->ranks)
                      ? reader->launcher
                      : dxt_tag_rank(sheet->numbers, sheet->count);
    if (!sheet->headed && !sheet->named && tag >= 0 && !reader->rowing.last)
        status = dxt_judge_tag(reader, tag, sheet->ranks, sheet->line, reader->rowing.bracket);
    if (status == DXT_OK && lost == reader->lost && !sheet->headed)
        status = dxt_take_said(reader, sheet->line, sheet->reals, window);
    if (status == DXT_OK && sheet->reals)
        status = dxt_round(reader, sheet->line, sheet->reals, window);
    if (status == DXT_OK && lost == reader->lost) {
        window->instance = sheet->instance;
        window->begin = sheet->begin;
        sheet->instance = sheet->begin = NULL;
        sheet->window = NULL;
        status = dxt_give_text(reader, window, sheet->line);
    }
    dxt_sheet_drop(sheet);
    return status;
}

/* Whether the first rows are not there: the log was rotated between them. */
static bool lacks_head(const dxt_sheet *sheet)
{
    return !sheet->headed && sheet->named && sheet->missing[0];
}

dxt_status dxt_sheet_end(dxt_reader *reader, dxt_sheet *sheet)
{
    dxt_status status = DXT_OK;
    /* Without a header only the length of its rows says how many there are: they may be cut. */
    bool named =
        sheet->named && sheet->missing && (sheet->headed || !sheet->missing[sheet->ranks - 1]);
    bool whole = sheet->count > 0 && (named || sheet->count == sheet->ranks);
    if (whole && !sheet->lost && !lacks_head(sheet)) return dxt_sheet_give(reader, sheet);
    if (sheet->count == 0 && sheet->headed)
        dxt_reader_hint(reader, "headers without rows; the rows are written with "
                                "DEEPEP_DIAGNOSE_LOG_DETAILS=1");
    else if (!sheet->lost && !named)
        status = dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                                 "the matrix of line %llu ends after %u of %u rows",
                                 (unsigned long long)sheet->line, sheet->count, sheet->ranks);
    dxt_sheet_drop(sheet);
    return status;
}

dxt_status dxt_lose_beyond(dxt_reader *reader, const dxt_sheet *sheet)
{
    int64_t rank = reader->launcher;
    reader->launcher = -1;
    return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, sheet->line,
                           "rank %lld does not exist among %u ranks", (long long)rank,
                           sheet->ranks);
}

dxt_status dxt_sheet_cut(dxt_reader *reader, dxt_sheet *sheet, bool torn)
{
    dxt_status status = DXT_OK;
    /* Rows stand above the first header, and none below the last. */
    if (sheet->doubt > 0 && sheet->count == 0 && (reader->fell || reader->doubtful)) {
        uint64_t line = sheet->doubt;
        dxt_sheet_drop(sheet);
        return dxt_reader_backwards(reader, line, reader->fell);
    }
    bool held = (sheet->doubt > 0 || !sheet->headed) && sheet->count == sheet->ranks;
    if (sheet->lost || held || (sheet->count == 0 && !torn)) return dxt_sheet_end(reader, sheet);
    bool last = sheet->missing && !sheet->missing[sheet->ranks - 1];
    if (sheet->named && last && !torn) return dxt_sheet_end(reader, sheet);
    if (!sheet->headed && sheet->count == 1 && !sheet->named && reader->launcher >= sheet->ranks)
        status = dxt_lose_beyond(reader, sheet);
    else if (sheet->missing && lacks_head(sheet))
        dxt_reader_hint(reader, "the only matrix lacks its first rows");
    else
        status = dxt_reader_lose(
            reader, DXT_REMARK_CUT, DXT_ERR_FORMAT, reader->input.line,
            "the last window is incomplete: the matrix of line %llu ends after %u of %u rows",
            (unsigned long long)sheet->line, sheet->count, sheet->ranks);
    dxt_sheet_drop(sheet);
    return status;
}

/* ---- rows without headers ---- */

dxt_status dxt_sheets_whole(dxt_reader *reader)
{
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (sheet->used && !sheet->headed && !sheet->named && sheet->count > 0 &&
            sheet->count == sheet->ranks)
            return dxt_sheet_end(reader, sheet);
    }
    return DXT_OK;
}

dxt_status dxt_sheets_stale(dxt_reader *reader, const char *phase)
{
    dxt_sheet *newest = NULL;
    if (!phase) return DXT_OK;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (sheet->used && !sheet->headed && (!newest || sheet->touched > newest->touched))
            newest = sheet;
    }
    /* Where each row has a heading of its own, the next one ends nothing. */
    bool stale = newest && reader->streak > 1 && newest->count < newest->ranks;
    /* Rows that carry their ranks tell themselves where the next matrix of the operator begins. */
    if (stale && newest->named && strcmp(newest->phase, phase) == 0) return DXT_OK;
    reader->streak = 0;
    return stale ? dxt_sheet_end(reader, newest) : DXT_OK;
}
