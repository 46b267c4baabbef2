/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that come in any order, each behind a text in which its rank stands: "[rank3]: tensor([…",
 * "3: [ 1 2 ]" of srun, "[1,3]<stdout>: [1, 2]", "[node1:3]: [1, 2]", "GPU3 1 2", a column of
 * numbers. The text may hold several numbers. The rank is the one that is each of 0 … N−1 once,
 * which shows when all rows are there.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/reader.h"
#include "matrix/scan.h"

/* "[rank8]", "rank 8", "rank=8" */
static bool stands_behind_rank(const char *begin, const char *at)
{
    if (at > begin && strchr(" =:_-#", at[-1])) at--;
    return at - begin >= 4 && strncasecmp(at - 4, "rank", 4) == 0;
}

void dxt_take_numbers(dxt_numbers *numbers, const char *at, const char *end)
{
    const char *begin = at;
    numbers->count = numbers->rank = 0;
    while (at < end && numbers->count < DXT_NUMBERS) {
        if (!dxt_is_digit(*at)) {
            at++;
            continue;
        }
        int64_t value = INT32_MAX;
        const char *next = dxt_scan_integer(at, end, &value);
        if (!next) value = INT32_MAX;
        if (numbers->rank == 0 && stands_behind_rank(begin, at)) numbers->rank = numbers->count + 1;
        numbers->values[numbers->count++] = value < INT32_MAX ? (int32_t)value : INT32_MAX;
        while (at < end && dxt_is_digit(*at)) at++;
    }
}

dxt_status dxt_sheet_note(dxt_sheet *sheet, const dxt_row *row)
{
    if (sheet->headed || row->named || (sheet->count > 0 && !sheet->numbers)) return DXT_OK;
    size_t size = (size_t)sheet->ranks * sizeof *sheet->numbers;
    bool alike = sheet->count == 0 ||
                 (row->form == sheet->row_form && row->numbers.count == sheet->numbers[0].count);
    if (row->numbers.count == 0 || !alike) {
        free(sheet->numbers);
        sheet->numbers = NULL;
        return DXT_OK;
    }
    if (!sheet->numbers && !(sheet->numbers = malloc(size))) return dxt_fail_memory(size);
    sheet->numbers[sheet->count] = row->numbers;
    return DXT_OK;
}

/* Rows and the numbers in front of each. */
typedef struct rows {
    const dxt_numbers *numbers;
    uint32_t ranks;
    uint8_t *seen; /* room for one byte for each */
} rows;

/* The rank that numbers `a` and `b` of a row's text make: node and rank on it where both count;
 * `of` ranks share a node. */
static int64_t rank_of(const dxt_numbers *numbers, uint32_t a, uint32_t b, int64_t of)
{
    return a == b ? numbers->values[a] : numbers->values[a] * of + numbers->values[b];
}

/* Whether these numbers are each rank once. */
static bool are_ranks(const rows *all, uint32_t a, uint32_t b, int64_t of)
{
    memset(all->seen, 0, all->ranks);
    for (uint32_t i = 0; i < all->ranks; i++) {
        const dxt_numbers *numbers = &all->numbers[i];
        int64_t rank = rank_of(numbers, a, b, of);
        bool local = a == b || numbers->values[b] < of;
        if (!local || rank < 0 || rank >= all->ranks || all->seen[rank]) return false;
        all->seen[rank] = 1;
    }
    return true;
}

/* The largest of the numbers there, and one more: how many ranks a node has, if it is that. */
static int64_t count_of(const rows *all, uint32_t place)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < all->ranks; i++)
        if (all->numbers[i].values[place] > most) most = all->numbers[i].values[place];
    return most + 1;
}

/* Which numbers say the rank: one alone, else two. @return Whether any do. */
static bool find_ranks(const rows *all, uint32_t *a, uint32_t *b, int64_t *of)
{
    uint32_t count = all->numbers[0].count;
    for (*a = *b = 0; *a < count; *b = ++*a)
        if (are_ranks(all, *a, *a, 1)) return true;
    for (*a = 0; *a + 1 < count; ++*a)
        for (*b = *a + 1; *b < count; ++*b) {
            *of = count_of(all, *b);
            if (*of > 1 && *of < all->ranks && are_ranks(all, *a, *b, *of)) return true;
        }
    return false;
}

static void swap_rows(int64_t *wait, double *reals, size_t ranks, size_t a, size_t b)
{
    for (size_t k = 0; k < ranks; k++) {
        int64_t held = wait[a * ranks + k];
        wait[a * ranks + k] = wait[b * ranks + k];
        wait[b * ranks + k] = held;
    }
    for (size_t k = 0; reals && k < ranks; k++) {
        double held = reals[a * ranks + k];
        reals[a * ranks + k] = reals[b * ranks + k];
        reals[b * ranks + k] = held;
    }
}

/* Whether the numbers at a place differ, and, unless `any`, are those from one on without a gap:
 * then `to` is their order. */
static bool find_order(const dxt_numbers *numbers, uint32_t ranks, uint32_t place, bool any,
                       uint32_t *to)
{
    int64_t least = INT32_MAX, most = 0;
    for (uint32_t i = 0; i < ranks; i++) {
        int32_t value = numbers[i].values[place];
        if (value < least) least = value;
        if (value > most) most = value;
    }
    if (!any && most - least + 1 != ranks) return false;
    for (uint32_t i = 0; i < ranks; i++) {
        to[i] = 0;
        for (uint32_t k = 0; k < ranks; k++) {
            to[i] += numbers[k].values[place] < numbers[i].values[place];
            if (k != i && numbers[k].values[place] == numbers[i].values[place]) return false;
        }
    }
    return true;
}

/* Whether the rows name ranks of which a group has some, "[rank8]" to "[rank15]", or have names
 * that count from another number on, "GPU8" to "GPU15": `place` receives where. */
static bool find_group(const dxt_numbers *numbers, uint32_t ranks, bool names, uint32_t *place,
                       uint32_t *to)
{
    bool said = numbers[0].rank > 0;
    for (uint32_t i = 1; i < ranks; i++) said = said && numbers[i].rank == numbers[0].rank;
    *place = said ? numbers[0].rank - 1 : 0;
    if (said) return find_order(numbers, ranks, *place, true, to);
    for (; names && *place < numbers[0].count; ++*place)
        if (find_order(numbers, ranks, *place, false, to)) return true;
    return false;
}

/* What a group's ranks are called is said. */
static dxt_status tell_group(dxt_reader *reader, uint64_t line, const dxt_numbers *numbers,
                             uint32_t ranks, uint32_t place, const uint32_t *to)
{
    int32_t first = 0, last = 0;
    bool ordered = true;
    for (uint32_t i = 0; i < ranks; i++) {
        int32_t value = numbers[i].values[place];
        if (to[i] == 0) first = value;
        if (to[i] == ranks - 1) last = value;
        ordered = ordered && to[i] == i;
    }
    if (ordered && first == 1) return DXT_OK; /* people count so */
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, line,
                           "the rows name ranks %d to %d: here they are ranks 0 to %u, in this "
                           "order",
                           (int)first, (int)last, ranks - 1);
}

/* Put N×N values where their ranks belong; `reals` may be NULL. */
static dxt_status place_rows(dxt_reader *reader, uint64_t line, const dxt_numbers *numbers,
                             uint32_t ranks, bool names, int64_t *wait, double *reals)
{
    uint32_t a, b, place = 0;
    int64_t of = 1;
    dxt_status status = DXT_OK;
    size_t size = ranks * (sizeof(uint32_t) + 1);
    uint32_t *to = malloc(size);
    if (!to) return dxt_fail_memory(size);
    const rows all = {numbers, ranks, (uint8_t *)(to + ranks)};
    bool found = find_ranks(&all, &a, &b, &of), group = false;
    for (uint32_t i = 0; i < ranks && found; i++) to[i] = (uint32_t)rank_of(&numbers[i], a, b, of);
    if (!found) group = find_group(numbers, ranks, names, &place, to);
    if (group) status = tell_group(reader, line, numbers, ranks, place, to);
    if (found || group) {
        for (uint32_t i = 0; i < ranks; i++)
            while (to[i] != i) {
                uint32_t other = to[i];
                swap_rows(wait, reals, ranks, i, other);
                to[i] = to[other];
                to[other] = other;
            }
    }
    free(to);
    return status;
}

dxt_status dxt_sheet_place(dxt_reader *reader, dxt_sheet *sheet)
{
    if (!sheet->numbers || sheet->lost || sheet->named || sheet->count < sheet->ranks)
        return DXT_OK;
    return place_rows(reader, sheet->line, sheet->numbers, sheet->ranks, false, sheet->window->wait,
                      sheet->reals);
}

/* ---- tables ---- */

dxt_status dxt_table_note(dxt_table *table, const dxt_numbers *numbers)
{
    bool first = table->rows == 0;
    if (!first && (!table->numbers || table->wide || table->rows >= DXT_MAX_RANKS ||
                   numbers->count != table->numbers[0].count)) {
        free(table->numbers);
        table->numbers = NULL;
        return DXT_OK;
    }
    if (numbers->count == 0 || table->width < 2) return DXT_OK;
    size_t room = table->capacity < DXT_MAX_RANKS ? table->capacity : DXT_MAX_RANKS;
    if (first || table->rows >= table->noted) {
        dxt_numbers *grown = realloc(table->numbers, room * sizeof *grown);
        if (!grown) return dxt_fail_memory(room * sizeof *grown);
        table->numbers = grown;
        table->noted = (uint32_t)room;
    }
    table->numbers[table->rows] = *numbers;
    return DXT_OK;
}

/* The first column as the numbers in front of each row: ranks from 0 or 1 on. */
static dxt_status number_by_column(dxt_table *table, uint32_t ranks)
{
    size_t size = ranks * sizeof *table->numbers;
    dxt_numbers *made = malloc(size);
    if (!made) return dxt_fail_memory(size);
    bool zero = false;
    for (uint32_t i = 0; i < ranks; i++) zero = zero || table->cells[(size_t)i * table->width] == 0;
    for (uint32_t i = 0; i < ranks; i++) {
        int64_t value = table->cells[(size_t)i * table->width] - !zero;
        made[i].count = 1;
        made[i].rank = 0;
        made[i].values[0] = value < 0 || value >= ranks ? INT32_MAX : (int32_t)value;
    }
    free(table->numbers);
    table->numbers = made;
    return DXT_OK;
}

dxt_status dxt_table_place(dxt_reader *reader, uint32_t ranks, uint32_t column, uint32_t row,
                           int64_t *wait, double *reals)
{
    dxt_table *table = &reader->table;
    dxt_status status = DXT_OK;
    if (column == 1 && row == 0)
        status = number_by_column(table, ranks);
    else if (!table->numbers || row > 0 || table->rows != ranks || table->width != ranks)
        return DXT_OK;
    if (status != DXT_OK) return status;
    return place_rows(reader, table->line, table->numbers, ranks, table->form == 0, wait, reals);
}

bool dxt_table_ranked(const dxt_table *table, const dxt_numbers *next)
{
    uint8_t seen[DXT_MAX_RANKS];
    uint32_t a, b;
    int64_t of = 1;
    if (!table->numbers || table->rows > DXT_MAX_RANKS || next->count != table->numbers[0].count)
        return false;
    const rows all = {table->numbers, table->rows, seen};
    if (!find_ranks(&all, &a, &b, &of)) return false;
    int64_t rank = rank_of(next, a, b, of);
    return rank >= 0 && rank < table->rows;
}
