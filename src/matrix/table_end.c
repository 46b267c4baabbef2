/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a table; it has ended: the matrix that its rows are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/around.h"
#include "matrix/reader.h"
#include "matrix/shape.h"

/* Most ms between the first and the last row of a print. */
#define MOST_APART 1000

void dxt_table_drop(dxt_table *table)
{
    free(table->cells);
    free(table->reals);
    free(table->left.cells);
    free(table->left.reals);
    free(table->numbers);
    *table = (dxt_table){0};
}

dxt_status dxt_table_grow(dxt_table *table)
{
    if (table->rows < table->capacity) return DXT_OK;
    uint32_t capacity = table->capacity ? 2 * table->capacity : 16;
    size_t count = (size_t)capacity * table->width;
    int64_t *cells = realloc(table->cells, count * sizeof *cells);
    if (!cells) return dxt_fail_memory(count * sizeof *cells);
    table->cells = cells;
    double *reals = realloc(table->reals, count * sizeof *reals);
    if (!reals) return dxt_fail_memory(count * sizeof *reals);
    table->reals = reals;
    table->capacity = capacity;
    return DXT_OK;
}

/* Put the values of triples where they belong; one real number for each cell. */
static dxt_status spread(dxt_table *table, uint32_t ranks, bool *twice)
{
    size_t count = (size_t)ranks * ranks;
    int64_t *cells;
    double *reals;
    dxt_status status = dxt_table_values(count, &cells, &reals);
    if (status != DXT_OK) return status;
    for (size_t i = 0; i < count; i++) {
        cells[i] = DXT_HOLE;
        reals[i] = NAN;
    }
    for (uint32_t i = 0; i < table->rows; i++) {
        const int64_t *last = table->cells + (size_t)(i + 1) * table->width - 1;
        /* Ranks are no values without a unit of time. */
        for (uint32_t k = 1; k < table->width; k++)
            if (last[-(int64_t)k] > 0) table->bare[k + 1 < table->width]--;
        size_t to = (size_t)last[-2] * ranks + (size_t)last[-1];
        if (table->titles.swapped) to = (size_t)last[-1] * ranks + (size_t)last[-2];
        *twice = *twice || cells[to] != DXT_HOLE;
        cells[to] = *last;
        reals[to] = table->reals[last - table->cells];
    }
    for (size_t i = 0; i < count; i++)
        if (cells[i] == DXT_HOLE) cells[i] = DXT_NOT_OBSERVED;
    free(table->cells);
    free(table->reals);
    table->cells = cells;
    table->reals = reals;
    return DXT_OK;
}

/* The rows are in their places: holes are cells of ranks for themselves, or values are missing. */
static dxt_status fill_holes(dxt_reader *reader, uint32_t ranks, int64_t *wait)
{
    for (uint32_t i = 0; i < ranks; i++)
        for (uint32_t k = 0; k < ranks; k++) {
            int64_t *cell = &wait[(size_t)i * ranks + k];
            if (!DXT_IS_HOLE(*cell)) continue;
            if (i != k)
                return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT,
                                       (uint64_t)(*cell - DXT_HOLE), "row %u, column %u: %s", i, k,
                                       reader->table.nans > 0 ? "nan is not a number"
                                                              : "a value is missing");
            *cell = DXT_NOT_OBSERVED;
        }
    return DXT_OK;
}

/* Values in ns, which nothing divides further. */
static dxt_status take_times(dxt_reader *reader, uint32_t column, uint32_t row, dxt_window *window)
{
    dxt_table *table = &reader->table;
    if (table->timed == 0) return DXT_OK;
    if (row == 0 && (table->bare[1] > 0 || (column == 0 && table->bare[0] > 0)))
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, table->line,
                               "some values have a unit of time, others have none");
    window->unit = DXT_UNIT_NS;
    for (size_t i = 0; i < (size_t)window->ranks * window->ranks; i++)
        table->reals[i] = rint(table->reals[i]);
    return DXT_OK;
}

/* The points of "9.316" part thousands: beside whole numbers it is what "9.316,5" would be, and
 * beside decimals with a comma it can be nothing else. */
static void part_thousands(dxt_table *table)
{
    if (table->proven == 0) {
        if (table->whole > 0) table->decimals = false;
        return;
    }
    for (size_t i = 0; i < (size_t)table->rows * table->width; i++)
        if (table->cells[i] >= 1000 && rint(table->reals[i] * 1000) == (double)table->cells[i])
            table->reals[i] = (double)table->cells[i];
}

/* Commas between groups of three digits part thousands where the values do not all have as many: a
 * wait and a count, or decimals, would. No decimals have two, and no count begins with 0. Where
 * each value has one, it is told how it is read; nobody can tell where all have the same behind it,
 * as a wait and the count of a window have. */
static dxt_status judge_commas(dxt_reader *reader)
{
    const dxt_table *table = &reader->table;
    bool sure = table->least_commas < table->most_commas ||
                (table->most_commas > 1 ? table->padded : table->groups_differ);
    if (table->most_commas == 0) return DXT_OK;
    if (!sure)
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, table->commas_line,
                               "waits such as \"57,100\" in each line may be thousands, or a "
                               "wait and a count: write the waits without commas");
    if (reader->around.joined) return DXT_OK;
    reader->around.joined = true;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, table->commas_line,
                           "commas are read as those of thousands: \"1,234\" is 1234");
}

static dxt_status give(dxt_reader *reader, uint32_t ranks, uint32_t column, uint32_t row)
{
    dxt_table *table = &reader->table;
    dxt_window *window;
    bool listed = dxt_shape_listed(table) == ranks, twice = false;
    if (table->titles.disordered && table->titles.counted == ranks && !listed)
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, table->line,
                               "the heading names the columns in another order than the ranks': "
                               "put them in order");
    dxt_status status = listed && table->width >= 3 ? spread(table, ranks, &twice) : DXT_OK;
    if (twice && table->titles.said) {
        dxt_reader_hint(reader, "two lines name the same pair of ranks");
        return status;
    }
    if (twice)
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, table->line,
                               "two lines name the same pair of ranks");
    uint64_t lost = reader->lost;
    if (status == DXT_OK) status = judge_commas(reader);
    if (status == DXT_OK && lost == reader->lost)
        status = dxt_window_create(ranks, table->phase, &window);
    if (status != DXT_OK || lost != reader->lost) return status;
    if (table->pointed > 0 && table->fractions == 0 && table->timed == 0) part_thousands(table);
    size_t width = listed ? ranks : table->width;
    for (uint32_t i = 0; i < ranks && status == DXT_OK; i++) {
        size_t from = (size_t)(i + row) * width + column;
        memcpy(window->wait + (size_t)i * ranks, table->cells + from, ranks * sizeof(int64_t));
        /* Together, so that all cells get the same scale. */
        if (table->decimals || table->scale > 0)
            memmove(table->reals + (size_t)i * ranks, table->reals + from, ranks * sizeof(double));
    }
    if (status == DXT_OK && !listed)
        status = dxt_table_place(reader, ranks, column, row, window->wait,
                                 table->decimals || table->scale > 0 ? table->reals : NULL);
    if (status == DXT_OK && table->holes) status = fill_holes(reader, ranks, window->wait);
    for (size_t i = 0; table->scale > 0 && i < (size_t)ranks * ranks; i++)
        table->reals[i] *= table->scale;
    int64_t tag = table->clocked ? -1 : dxt_tag_rank(table->numbers, table->rows);
    if (status == DXT_OK && tag >= 0)
        status = dxt_judge_tag(reader, tag, ranks, table->line, false);
    if (status == DXT_OK) status = take_times(reader, column, row, window);
    double *reals = table->decimals || table->scale > 0 ? table->reals : NULL;
    if (status == DXT_OK) status = dxt_take_said(reader, table->line, reals, window);
    if (status == DXT_OK && (table->decimals || table->scale > 0))
        status = dxt_round(reader, table->line, table->reals, window);
    const char *over = !listed && column == 1 ? dxt_shape_passed_over(table) : NULL;
    if (status == DXT_OK && lost == reader->lost && over)
        status = dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, table->line,
                                 "the first column is taken for %s and left out", over);
    if (status == DXT_OK && lost == reader->lost) return dxt_give_text(reader, window, table->line);
    dxt_window_free(window);
    return status;
}

/* Nothing but numbers, one a line, that make no matrix. A single one may be anything. */
static dxt_status end_numbers(dxt_reader *reader)
{
    const dxt_table *table = &reader->table;
    if (table->rows >= 4)
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                               "%u numbers, one a line, make no square matrix", table->rows);
    dxt_reader_hint(reader, "row 0 has 1 value; a matrix has at least 2 ranks");
    return DXT_OK;
}

/* Whether what may be hours, "10:" of "10:30 12 13", are the numbers of lines: each follows the one
 * before, and the first values are not all the same minute. */
static bool numbers_lines(const dxt_table *table)
{
    bool differ = false;
    if (!table->numbers) return false;
    for (uint32_t i = 1; i < table->rows; i++) {
        int64_t now = table->numbers[i].values[0], before = table->numbers[i - 1].values[0];
        if (now != before + 1) return false;
        differ = differ || table->cells[(size_t)i * table->width] != table->cells[0];
    }
    return differ;
}

/* Whether the rows were written at different times, which those of one print are not. */
static bool is_apart(const dxt_table *table)
{
    if (!table->clocked || table->rows < 2) return false;
    int64_t span = table->clock[1] - table->clock[0];
    return span > MOST_APART || span < -MOST_APART;
}

/* Whether the rows may be waits: sentences of others end in numbers as well, so that their ranks
 * must stand in front of them, or some line must name waits. */
static bool is_said(const dxt_reader *reader)
{
    const dxt_table *table = &reader->table;
    if (table->hours) return reader->told && numbers_lines(table);
    /* A logger's rows say nothing either, but for a column of ranks. */
    bool ranks =
        table->rows + 1 == table->width && dxt_shape_counts(table, table->width, table->rows);
    bool message = table->message || (table->level && !ranks);
    if (!message && !is_apart(table)) return true;
    /* The numbers in a time are none of ranks. */
    bool numbers = table->numbers && (!is_apart(table) || table->numbers[0].rank > 0);
    return reader->told || (numbers && dxt_table_ranked(table, table->numbers));
}

dxt_status dxt_table_end(dxt_reader *reader, bool cut)
{
    dxt_table *table = &reader->table;
    uint32_t column, row;
    bool said = table->lost || !table->wide;
    if (table->parted) table->more = false;
    dxt_status status = table->wide ? dxt_table_join(table) : DXT_OK;
    if (status == DXT_OK && table->lost && !said)
        status = dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                                 "the blocks of columns do not fit together");
    if (status == DXT_OK && table->rows > 0 && !table->lost) {
        bool waits = is_said(reader);
        uint32_t ranks = dxt_shape_find(table, &column, &row);
        const char *doubt;
        bool short_of = cut && table->rows < table->width;
        if (!waits && ranks > 0 && is_apart(table))
            dxt_reader_hint(reader,
                            "these %u lines of %u values may not be waits: the times in front "
                            "of them are more than a second apart; if they are, write "
                            "\"dispatch:\" above them",
                            table->rows, table->width);
        else if (!waits && ranks > 0)
            dxt_reader_hint(reader,
                            "these %u lines of %u values may not be waits: no line names them, "
                            "and no rank stands in front; if they are, write \"dispatch:\" "
                            "above them",
                            table->rows, table->width);
        else if (table->nans > 0 && table->nans != ranks)
            status = dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, reader->input.line,
                                     "row %u: nan is not a number", table->nan_row);
        else if (ranks >= 2 && ranks <= DXT_MAX_RANKS)
            status = give(reader, ranks, column, row);
        else if (table->width == 1)
            status = end_numbers(reader);
        else if (ranks == 0 && waits && (doubt = dxt_shape_doubt(table)))
            status =
                dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, table->line, "%s", doubt);
        else if (dxt_shape_roles(table) && table->rows == 1)
            dxt_reader_hint(reader,
                            "line %llu is the wait of one pair of ranks; a matrix has one for each "
                            "pair",
                            (unsigned long long)table->line);
        else if (dxt_shape_roles(table) && table->titles.said)
            dxt_reader_hint(reader, "the %u lines of two ranks and a wait lack some pairs of ranks",
                            table->rows);
        else if (dxt_shape_roles(table) && dxt_shape_triples(table))
            status = dxt_reader_lose(
                reader, cut ? DXT_REMARK_CUT : DXT_REMARK_LOST, DXT_ERR_FORMAT, table->line,
                "the %u lines of two ranks and a wait lack some pairs of ranks", table->rows);
        else if (table->rows == table->width)
            dxt_reader_hint(reader,
                            "a list of %u numbers; a matrix has a value for each pair of ranks",
                            table->rows);
        else if (table->form != 0 && (!waits || table->rows < 2 || 2 * table->rows < table->width))
            dxt_reader_hint(reader, "%u rows of %u values; a matrix has as many rows as values",
                            table->rows, table->width);
        else if (table->width > DXT_MAX_RANKS)
            status =
                dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_LIMIT, table->line,
                                "row 0 has more than %u values, the most ranks", DXT_MAX_RANKS);
        else
            status = dxt_reader_lose(
                reader, short_of ? DXT_REMARK_CUT : DXT_REMARK_LOST, DXT_ERR_FORMAT,
                reader->input.line, "the matrix is not square: %u rows of %u values%s", table->rows,
                table->width,
                table->rows > table->width ? "; a blank line must separate windows" : "");
    }
    dxt_table_drop(table);
    return status;
}
