/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Find where a row of a text belongs, by its rank, its length and what stands in front of it. A
 * line that two handlers have written comes twice, and is read once.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "matrix/rows.h"

void dxt_row_reals(dxt_reader *reader)
{
    for (uint32_t i = 0; i < reader->rowing.width; i++)
        reader->reals[i] =
            reader->row[i] == DXT_NOT_OBSERVED ? (double)NAN : (double)reader->row[i];
}

uint64_t dxt_hash_row(const dxt_reader *reader)
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

uint32_t dxt_rank_of(const dxt_sheet *sheet, const dxt_row *row)
{
    return row->named ? (uint32_t)row->rank : sheet->count;
}

bool dxt_has_row(const dxt_sheet *sheet, uint32_t rank)
{
    return sheet->missing && !sheet->missing[rank];
}

/* Add the row to its window; of one that is lost it is only counted, if it can be one of its rows.
 */
dxt_status dxt_add_row(dxt_reader *reader, dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    uint32_t rank = dxt_rank_of(sheet, row);
    if (rank >= sheet->ranks || dxt_has_row(sheet, rank)) return DXT_OK;
    dxt_status status = dxt_sheet_room(sheet, row);
    if (status == DXT_OK) status = dxt_sheet_note(sheet, row);
    if (status != DXT_OK) return status;
    size_t first = (size_t)rank * sheet->ranks;
    if (sheet->reals)
        memcpy(sheet->reals + first, reader->reals, sheet->ranks * sizeof *reader->reals);
    else if (sheet->window)
        memcpy(sheet->window->wait + first, reader->row, sheet->ranks * sizeof *reader->row);
    sheet->missing[rank] = 0;
    uint64_t hash = dxt_hash_row(reader);
    sheet->cells = (sheet->cells ^ hash) * UINT64_C(0x9e3779b97f4a7c15) + rank;
    sheet->named = row->named;
    if (sheet->count == 0) {
        sheet->row_form = row->form;
        sheet->row_pure = row->pure;
        sheet->first_rank = rank;
    }
    sheet->last_line = row->line;
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
bool dxt_row_repeats(const dxt_reader *reader, const dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    if (sheet->count == 0 || row->width != sheet->ranks || row->status != DXT_OK) return false;
    uint32_t rank = row->named ? (uint32_t)row->rank : (uint32_t)sheet->last_rank;
    if (rank >= sheet->ranks || row->named != sheet->named || !dxt_has_row(sheet, rank))
        return false;
    if (sheet->lost) return rank == sheet->last_rank && dxt_hash_row(reader) == sheet->tail;
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
    return row->rank < sheet->ranks && !dxt_has_row(sheet, (uint32_t)row->rank);
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
dxt_status dxt_lose_sheet(dxt_reader *reader, dxt_sheet *sheet, dxt_status status, const char *why)
{
    if (sheet->lost) return DXT_OK;
    sheet->lost = true;
    dxt_sheet_free_cells(sheet);
    return dxt_reader_lose(reader, DXT_REMARK_LOST, status, reader->input.line, "%s", why);
}

/* The row is spoilt: its window is lost. */
dxt_status dxt_lose_row(dxt_reader *reader, dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    char why[224];
    if (row->named || strncmp(row->why, "column", 6) != 0)
        snprintf(why, sizeof why, "%s", row->why);
    else
        snprintf(why, sizeof why, "row %u, %s", sheet->count, row->why);
    dxt_status status = dxt_lose_sheet(reader, sheet, row->status, why);
    return status == DXT_OK ? dxt_add_row(reader, sheet) : status;
}

/* What keeps a whole row from being one of the sheet's. */
dxt_status dxt_row_misfit(dxt_reader *reader, dxt_sheet *sheet)
{
    const dxt_row *row = &reader->rowing;
    char why[128];
    if (row->named && row->rank >= sheet->ranks)
        snprintf(why, sizeof why, "rank %lld does not exist among %u ranks", (long long)row->rank,
                 sheet->ranks);
    else if (row->width != sheet->ranks)
        snprintf(why, sizeof why, "row %u has %u values, %u were expected", dxt_rank_of(sheet, row),
                 row->width, sheet->ranks);
    else
        snprintf(why, sizeof why, "the row of rank %lld is repeated", (long long)row->rank);
    dxt_status status = dxt_lose_sheet(reader, sheet, DXT_ERR_FORMAT, why);
    bool counts = row->width != sheet->ranks && (!row->named || row->rank < sheet->ranks) &&
                  (!row->named || !dxt_has_row(sheet, (uint32_t)row->rank));
    return status == DXT_OK && counts ? dxt_add_row(reader, sheet) : status;
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
        if (dxt_row_repeats(reader, sheet)) return DXT_OK;
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
    if (under_way && !other) return dxt_row_misfit(reader, under_way);
    if (under_way) return DXT_OK;
    if (row->status != DXT_OK || row->width != reader->newest.ranks || reader->surplus)
        return DXT_OK;
    if (!row->named && (row->pure != reader->newest.pure || row->form != reader->newest.form))
        return DXT_OK;
    if (dxt_hash_row(reader) == reader->tail && (!row->named || row->rank == reader->newest.rank))
        return DXT_OK;
    reader->surplus = true;
    return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                           "one row too many behind line %llu",
                           (unsigned long long)reader->newest.line);
}

bool dxt_row_prepare(dxt_reader *reader)
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
        if (!sheet->doubled || sheet->skipped || !dxt_row_repeats(reader, sheet)) continue;
        sheet->skipped = true;
        return true;
    }
    return false;
}

dxt_status dxt_headed_row(dxt_reader *reader)
{
    dxt_sheet *sheet = choose(reader);
    if (!sheet) return stray_row(reader);
    return reader->rowing.status == DXT_OK ? dxt_add_row(reader, sheet)
                                           : dxt_lose_row(reader, sheet);
}
