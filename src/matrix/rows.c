/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a row of a text belongs: its rank, its length and what stands in front of it say so. Lines
 * that two handlers have written come twice, and are read once.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "matrix/reader.h"

void dxt_row_reals(dxt_reader *reader)
{
    for (uint32_t i = 0; i < reader->rowing.width; i++)
        reader->reals[i] =
            reader->row[i] == DXT_NOT_OBSERVED ? (double)NAN : (double)reader->row[i];
}

static uint64_t hash_row(const dxt_reader *reader)
{
    const dxt_row *row = &reader->rowing;
    uint64_t hash = DXT_HASH_SEED ^ row->width;
    for (uint32_t i = 0; i < row->width; i++) {
        uint64_t value;
        memcpy(&value, row->decimals ? (const void *)&reader->reals[i] : &reader->row[i],
               sizeof value);
        hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

static uint32_t rank_of(const dxt_sheet *sheet, const dxt_row *row)
{
    return row->named ? (uint32_t)row->rank : sheet->count;
}

static bool has_row(const dxt_sheet *sheet, uint32_t rank)
{
    return sheet->missing && !sheet->missing[rank];
}

/* Add the row to its window; of one that is lost it is only counted, if it can be one of its rows.
 */
static dxt_status add(dxt_reader *reader, dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    uint32_t rank = rank_of(sheet, row);
    if (rank >= sheet->ranks || has_row(sheet, rank)) return DXT_OK;
    dxt_status status = dxt_sheet_room(sheet, row);
    if (status == DXT_OK) status = dxt_sheet_note(sheet, row);
    if (status != DXT_OK) return status;
    size_t first = (size_t)rank * sheet->ranks;
    if (sheet->reals)
        memcpy(sheet->reals + first, reader->reals, sheet->ranks * sizeof *reader->reals);
    else if (sheet->window)
        memcpy(sheet->window->wait + first, reader->row, sheet->ranks * sizeof *reader->row);
    sheet->missing[rank] = 0;
    uint64_t hash = hash_row(reader);
    sheet->cells = (sheet->cells ^ hash) * UINT64_C(0x9e3779b97f4a7c15) + rank;
    sheet->named = row->named;
    if (sheet->count == 0) {
        sheet->row_form = row->form;
        sheet->row_pure = row->pure;
    }
    sheet->falls = sheet->count == 0 ? row->named && (!sheet->headed || rank + 1 == sheet->ranks)
                                     : sheet->falls && rank + 1 == sheet->last_rank;
    sheet->last_rank = rank;
    sheet->touched = ++reader->tick;
    sheet->skipped = false;
    sheet->nans += row->nans;
    sheet->count++;
    for (uint32_t i = 0; i < DXT_SHEETS; i++)
        if (reader->sheets[i].used && reader->sheets[i].order > sheet->order) sheet->stays = true;
    reader->tail = sheet->tail = hash;
    if (!reader->headers) reader->above = !row->named || rank == 0;
    /* A header may follow, which tells whose rows these are. */
    if (sheet->headed ? sheet->doubt > 0 : sheet->falls || (!row->named && !row->last))
        return DXT_OK;
    return sheet->count == sheet->ranks ? dxt_sheet_give(reader, sheet) : DXT_OK;
}

/* Whether the row is the one that was added last, once more. */
static bool repeats(const dxt_reader *reader, const dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    if (sheet->count == 0 || row->width != sheet->ranks || row->status != DXT_OK) return false;
    uint32_t rank = row->named ? (uint32_t)row->rank : (uint32_t)sheet->last_rank;
    if (rank >= sheet->ranks || row->named != sheet->named || !has_row(sheet, rank)) return false;
    if (sheet->lost) return rank == sheet->last_rank && hash_row(reader) == sheet->tail;
    size_t first = (size_t)rank * sheet->ranks;
    if (sheet->reals)
        return memcmp(sheet->reals + first, reader->reals, row->width * sizeof *reader->reals) == 0;
    return !row->decimals &&
           memcmp(sheet->window->wait + first, reader->row, row->width * sizeof *reader->row) == 0;
}

/* Whether what stands in front of the row may stand in front of the sheet's other ones: the same,
 * or nothing, where one print runs over several lines. */
static bool looks_alike(const dxt_sheet *sheet, const dxt_row *row)
{
    return row->named || sheet->count == 0 || row->pure || row->form == sheet->row_form;
}

/* The first row was a list of somebody else's: not what stands in front of the header stood there,
 * as it does in front of this one, or nothing. */
static bool is_foreign(const dxt_sheet *sheet, const dxt_row *row)
{
    return sheet->headed && sheet->count == 1 && !sheet->named && !row->named && !sheet->row_pure &&
           sheet->row_form != sheet->form &&
           (row->form == sheet->form || (row->pure && sheet->row_form != row->form));
}

/* Forget the rows so far. */
static void begin_again(dxt_sheet *sheet)
{
    dxt_sheet_free_cells(sheet);
    memset(sheet->missing, 1, sheet->ranks);
    sheet->count = sheet->nans = 0;
    sheet->last_rank = -1;
    sheet->cells = DXT_HASH_SEED;
}

/* Whether the row may be one of the sheet's. A row that is spoilt may have any length. */
static bool takes(const dxt_sheet *sheet, const dxt_row *row)
{
    if (!sheet->used || !sheet->headed) return false;
    if (row->status == DXT_OK && row->width != sheet->ranks) return false;
    if (sheet->count > 0 && sheet->named != row->named) return false;
    if (!looks_alike(sheet, row)) return false;
    if (!row->named) return sheet->count < sheet->ranks;
    return row->rank < sheet->ranks && !has_row(sheet, (uint32_t)row->rank);
}

/* Whether the row fits sheet `a` better than sheet `b`, which is older. */
static bool fits_better(const dxt_sheet *a, const dxt_sheet *b, const dxt_row *row)
{
    bool a_label = a->label == row->label, b_label = b->label == row->label;
    if (a_label != b_label) return a_label;
    if (!row->named) return a->count < b->count;
    bool a_next = a->last_rank == row->rank - 1, b_next = b->last_rank == row->rank - 1;
    if (a_next != b_next) return a_next;
    /* They take turns, unless the older one has had nothing since the newer one began. */
    return b->stays || b->count == 0 ? a->touched < b->touched : a->touched > b->touched;
}

static dxt_sheet *choose(dxt_reader *reader)
{
    dxt_sheet *best = NULL;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (!takes(sheet, &reader->rowing)) continue;
        if (!best) {
            best = sheet;
            continue;
        }
        bool newer = sheet->order > best->order;
        bool better = newer ? fits_better(sheet, best, &reader->rowing)
                            : !fits_better(best, sheet, &reader->rowing);
        if (better) best = sheet;
    }
    return best;
}

/* ---- rows that do not fit ---- */

/* Tell that a window cannot be read; what follows of it is passed over. */
static dxt_status lose(dxt_reader *reader, dxt_sheet *sheet, dxt_status status, const char *why)
{
    if (sheet->lost) return DXT_OK;
    sheet->lost = true;
    dxt_sheet_free_cells(sheet);
    return dxt_reader_lose(reader, DXT_REMARK_LOST, status, reader->input.line, "%s", why);
}

/* The row is spoilt: its window is lost. */
static dxt_status lose_row(dxt_reader *reader, dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    char why[224];
    if (row->named || strncmp(row->why, "column", 6) != 0)
        snprintf(why, sizeof why, "%s", row->why);
    else
        snprintf(why, sizeof why, "row %u, %s", sheet->count, row->why);
    dxt_status status = lose(reader, sheet, row->status, why);
    return status == DXT_OK ? add(reader, sheet) : status;
}

/* What keeps a whole row from being one of the sheet's. */
static dxt_status misfit(dxt_reader *reader, dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    char why[128];
    if (row->named && row->rank >= sheet->ranks)
        snprintf(why, sizeof why, "rank %lld does not exist among %u ranks", (long long)row->rank,
                 sheet->ranks);
    else if (row->width != sheet->ranks)
        snprintf(why, sizeof why, "row %u has %u values, %u were expected", rank_of(sheet, row),
                 row->width, sheet->ranks);
    else
        snprintf(why, sizeof why, "the row of rank %lld is repeated", (long long)row->rank);
    dxt_status status = lose(reader, sheet, DXT_ERR_FORMAT, why);
    bool counts = row->width != sheet->ranks && (!row->named || row->rank < sheet->ranks) &&
                  (!row->named || !has_row(sheet, (uint32_t)row->rank));
    return status == DXT_OK && counts ? add(reader, sheet) : status;
}

/* A row that no window under way takes. */
static dxt_status stray_row(dxt_reader *reader)
{
    const dxt_row *row = &reader->rowing;
    dxt_sheet *under_way = NULL;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (!sheet->used || !sheet->headed) continue;
        if (sheet->count == 0 || sheet->named == row->named) under_way = sheet;
        if (repeats(reader, sheet)) return DXT_OK;
    }
    if (under_way && under_way->doubt > 0 && under_way->count == under_way->ranks) {
        dxt_status status = dxt_sheet_give(reader, under_way);
        if (status != DXT_OK) return status;
        reader->doubtful = false;
        under_way = NULL;
    }
    /* Lists that others print are no rows: what stands in front is not what the writer writes. */
    bool other = !row->named && (row->width < 2 || !under_way || under_way->count == 0 ||
                                 row->label != under_way->label);
    if (under_way && !other) return misfit(reader, under_way);
    if (under_way) return DXT_OK;
    if (row->status != DXT_OK || row->width != reader->newest.ranks || reader->surplus)
        return DXT_OK;
    if (!row->named && (row->pure != reader->newest.pure || row->form != reader->newest.form))
        return DXT_OK;
    if (hash_row(reader) == reader->tail && (!row->named || row->rank == reader->newest.rank))
        return DXT_OK;
    reader->surplus = true;
    return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                           "one row too many behind line %llu",
                           (unsigned long long)reader->newest.line);
}

/* ---- rows without headers ---- */

/* Rows of two operators may come in turns. */
static dxt_sheet *find_headless(dxt_reader *reader)
{
    for (uint32_t i = 0; i < DXT_SHEETS; i++)
        if (reader->sheets[i].used && !reader->sheets[i].headed &&
            strcmp(reader->sheets[i].phase, reader->phase) == 0)
            return &reader->sheets[i];
    return NULL;
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
    if (row->named && row->rank >= sheet->ranks && row->status == DXT_OK) {
        /* The rank of who prints, or a mistake: the next row tells. */
        reader->launcher = row->rank;
        row->named = false;
    }
    return row->status == DXT_OK ? add(reader, sheet) : lose_row(reader, sheet);
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

/* Two rows of one rank, one behind the other and not the same: it is the rank of who prints, which
 * a launcher writes in front of each line. They are counted instead. */
static bool take_for_launcher(dxt_reader *reader, dxt_sheet *sheet)
{
    dxt_row *row = &reader->rowing;
    if (!row->named || !sheet->named || sheet->count != 1 || row->rank != sheet->last_rank ||
        sheet->lost || row->status != DXT_OK || row->width != sheet->ranks ||
        repeats(reader, sheet))
        return false;
    size_t from = (size_t)sheet->last_rank * sheet->ranks;
    memmove(sheet->window->wait, sheet->window->wait + from, row->width * sizeof *reader->row);
    if (sheet->reals) memmove(sheet->reals, sheet->reals + from, row->width * sizeof *sheet->reals);
    sheet->missing[sheet->last_rank] = 1;
    sheet->missing[0] = 0;
    sheet->named = row->named = false;
    sheet->last_rank = 0;
    reader->launcher = row->rank;
    return true;
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

static dxt_status headless_row(dxt_reader *reader)
{
    dxt_row *row = &reader->rowing;
    dxt_status finished = dxt_sheets_whole(reader);
    if (finished != DXT_OK) return finished;
    count_streak(reader);
    dxt_sheet *sheet = find_headless(reader);
    judge_nans(row, sheet);
    if (!sheet) {
        bool echo = row->named && row->rank == reader->newest.rank && row->status == DXT_OK &&
                    hash_row(reader) == reader->tail;
        return echo ? DXT_OK : begin_headless(reader);
    }
    if (take_for_launcher(reader, sheet)) return add(reader, sheet);
    if (row->named && sheet->count == 1 && !sheet->named && reader->launcher >= sheet->ranks) {
        dxt_status status = dxt_lose_beyond(reader, sheet);
        dxt_sheet_drop(sheet);
        return status == DXT_OK ? begin_headless(reader) : status;
    }
    if (sheet->count > 0 && sheet->named != row->named) return DXT_OK;
    if (!row->named && row->width < 2 && row->status == DXT_OK) return DXT_OK;
    if (sheet->lost) return rank_of(sheet, row) < sheet->ranks ? add(reader, sheet) : DXT_OK;
    if (row->named && row->width == sheet->ranks && row->rank < sheet->ranks &&
        has_row(sheet, (uint32_t)row->rank)) {
        if (repeats(reader, sheet)) return DXT_OK;
        /* The next matrix begins. */
        dxt_status status = dxt_sheet_end(reader, sheet);
        return status == DXT_OK ? begin_headless(reader) : status;
    }
    if (row->status != DXT_OK) return lose_row(reader, sheet);
    if (row->width == sheet->ranks && (!row->named || row->rank < sheet->ranks))
        return add(reader, sheet);
    if (row->pure || row->named) return misfit(reader, sheet);
    /* Lists that others print need not be rows. */
    dxt_sheet_drop(sheet);
    return begin_headless(reader);
}

dxt_status dxt_sheet_row(dxt_reader *reader)
{
    dxt_row *row = &reader->rowing;
    bool reals = row->decimals;
    if (row->rank > INT32_MAX) row->rank = INT32_MAX;
    if (row->named && row->rank == reader->launcher && (row->pure || !reader->headers))
        row->named = false;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (!sheet->used) continue;
        if (sheet->reals && !reals) dxt_row_reals(reader);
        reals = reals || sheet->reals;
        if (is_foreign(sheet, row)) begin_again(sheet);
    }
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (!sheet->doubled || sheet->skipped || !repeats(reader, sheet)) continue;
        sheet->skipped = true;
        return DXT_OK;
    }
    if (!reader->headers) {
        dxt_status status = headless_row(reader);
        return status == DXT_OK ? close_headless(reader) : status;
    }
    dxt_sheet *sheet = choose(reader);
    if (!sheet) return stray_row(reader);
    return row->status == DXT_OK ? add(reader, sheet) : lose_row(reader, sheet);
}
