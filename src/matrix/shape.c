/* SPDX-License-Identifier: Apache-2.0 */
/* Whether rows of numbers are a matrix, of how many ranks, and what stands beside it. */
#include "matrix/shape.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "matrix/scan.h"

/* Times since 1970 that a log may have: of 2017 to 2036. */
#define FIRST_SECOND 1.5e9
#define LAST_SECOND 2.1e9
/* Most seconds between the first and the last row of a print. */
#define ROWS_APART 1.0

/* Whether the first column counts 0, 1, 2 … or 1, 2, 3 …, or the first row 0, 1, 2 … */
bool dxt_shape_counts(const dxt_table *table, size_t step, uint32_t count)
{
    int64_t from = count > 0 && step > 1 ? table->cells[0] : 0;
    if (from != 0 && from != 1) return false;
    for (uint32_t i = 0; i < count; i++)
        if (table->cells[i * step] != from + (int64_t)i) return false;
    return true;
}

/* The first cell of row `i` of row, column and value: the number of the line may stand in front. */
static const int64_t *triple(const dxt_table *table, uint32_t i)
{
    return table->cells + (size_t)i * table->width + (table->width - 3);
}

/* Whether lines of two ranks and a value, as a heading calls them, go down the columns, which the
 * first two tell: (0, 0), (1, 0); or (1, 0), (2, 0) without those of a rank for itself. */
static bool goes_down(const dxt_table *table, uint32_t rows)
{
    if (table->titles.cells != table->width || rows < 1) return false;
    const int64_t *first = triple(table, 0);
    if (first[1] != 0 || first[0] > 1) return false;
    const int64_t *second = rows > 1 ? triple(table, 1) : NULL;
    return second ? second[1] == 0 && second[0] == first[0] + 1 : first[0] == 1;
}

/* Whether a heading names the ranks of lines of row, column and value, which stand in any order. */
bool dxt_shape_roles(const dxt_table *table)
{
    const dxt_titles *titles = &table->titles;
    return titles->roles && table->width >= 3 && table->width <= 4 &&
           (titles->cells == table->width || titles->cells == table->width + 1);
}

/* Whether the newest row, which is behind the others, names the cell behind the one before. */
bool dxt_shape_follows(const dxt_table *table)
{
    uint32_t i = table->rows;
    if (table->width < 3 || table->width > 4) return false;
    if (table->width == 4 && !dxt_shape_roles(table) && table->cells[(size_t)i * 4] != (int64_t)i)
        return false;
    const int64_t *now = triple(table, i), *before = i > 0 ? triple(table, i - 1) : now;
    if (now[0] < 0 || now[1] < 0 || now[0] >= DXT_MAX_RANKS || now[1] >= DXT_MAX_RANKS)
        return false;
    if (dxt_shape_roles(table)) return true;
    int slow = goes_down(table, i + 1), fast = !slow;
    if (i == 0) return now[slow] == 0 && now[fast] <= 1;
    if (now[slow] == before[slow]) return now[fast] > before[fast] && now[fast] <= before[fast] + 2;
    return now[slow] == before[slow] + 1 && now[fast] <= 1;
}

/* Whether each line has row, column and value, as far as the lines go. */
bool dxt_shape_triples(const dxt_table *table)
{
    return (table->width == 3 || table->width == 4) && table->rows == table->named;
}

/* So many ranks have this many cells, with or without those of a rank for itself. */
static uint32_t root_of(uint64_t count, bool diagonal)
{
    uint64_t n = (uint64_t)sqrt((double)count);
    if (n * n - (diagonal ? n : 0) < count) n++;
    bool whole = n >= 2 && n <= DXT_MAX_RANKS && n * n - (diagonal ? n : 0) == count;
    return whole ? (uint32_t)n : 0;
}

/* Whether no line of row, column and value names a column beyond. */
static bool has_columns(const dxt_table *table, uint32_t columns)
{
    for (uint32_t i = 0; i < table->rows; i++)
        if (triple(table, i)[0] >= columns || triple(table, i)[1] >= columns) return false;
    return true;
}

/* How many ranks lines in any order have: as many as there are pairs, with those of a rank and
 * itself or without; 0: something is missing. */
static uint32_t count_pairs(const dxt_table *table)
{
    int64_t most = 0;
    uint64_t own = 0;
    for (uint32_t i = 0; i < table->rows; i++) {
        const int64_t *cell = triple(table, i);
        if (cell[0] > most) most = cell[0];
        if (cell[1] > most) most = cell[1];
        own += cell[0] == cell[1];
    }
    uint64_t n = (uint64_t)most + 1;
    bool whole = own == n ? table->rows == n * n : own == 0 && table->rows == n * n - n;
    return whole && n >= 2 ? (uint32_t)n : 0;
}

bool dxt_shape_ends_step(const dxt_table *table, const int64_t *row)
{
    if (table->rows == 0 || !table->titles.roles || table->width < 3 || table->width > 4)
        return false;
    if (table->width == 4 && table->titles.series)
        return table->cells[(size_t)(table->rows - 1) * 4] != row[0];
    const int64_t *first = triple(table, 0), *now = row + table->width - 3;
    return now[0] == first[0] && now[1] == first[1] && dxt_shape_roles(table) &&
           dxt_shape_triples(table) && count_pairs(table) > 0;
}

/* How many ranks the lines of single numbers or of triples make; 0: they make no matrix. */
uint32_t dxt_shape_listed(const dxt_table *table)
{
    if (table->width == 1) return root_of(table->rows, false);
    if (!dxt_shape_triples(table)) return 0;
    if (dxt_shape_roles(table)) return count_pairs(table);
    if (table->rows == 3) return 0;
    /* Four lines of four small numbers are a matrix, unless a heading names three. */
    if (table->width == 4 && table->rows == 4 && table->titles.cells != 3) return 0;
    const int64_t *last = triple(table, table->rows - 1);
    int slow = goes_down(table, table->rows), fast = !slow;
    uint32_t n = (uint32_t)(last[slow] + 1);
    bool whole = last[fast] == last[slow] && root_of(table->rows, false) == n;
    bool holes = last[fast] == last[slow] - 1 && root_of(table->rows, true) == n;
    return (whole || holes) && has_columns(table, n) ? n : 0;
}

/* Two lines of a dash and a number: a list, as people write it. */
static bool is_list(const dxt_table *table)
{
    return table->width == 2 && table->rows == 2 && table->cells[0] == DXT_NOT_OBSERVED &&
           table->cells[2] == DXT_NOT_OBSERVED;
}

/* Where the smallest value stands, one that was not observed before all others; UINT32_MAX: several
 * are. */
static uint32_t smallest(const double *values, uint32_t from, uint32_t width)
{
    uint32_t at = from;
    bool single = from < width;
    for (uint32_t i = from + 1; i < width; i++) {
        bool none = isnan(values[at]);
        if (isnan(values[i]) ? none : values[i] == values[at])
            single = false;
        else if (isnan(values[i]) || (!none && values[i] < values[at])) {
            single = true;
            at = i;
        }
    }
    return single ? at : UINT32_MAX;
}

void dxt_shape_note(dxt_table *table, const int64_t *cells, const double *reals)
{
    if (table->rows == 0) table->own[0] = table->own[1] = table->plain = 0;
    /* Only if the first value may be a rank. */
    if (table->rows + 1 >= table->width || cells[0] < 0 || cells[0] >= table->width) return;
    uint32_t at = smallest(reals, 1, table->width);
    for (uint32_t from = 0; from < 2; from++)
        table->own[from] += at != UINT32_MAX && (int64_t)at + from - 1 == cells[0];
    table->plain += smallest(reals, 0, table->width) == table->rows;
}

/* Whether the first column holds each of 0 … N−1, or of 1 … N, once, and the heading counts the
 * others, or the waits of ranks for themselves show that the rows are out of order: N rows may also
 * be the first of N + 1. */
static bool names_rows(const dxt_table *table)
{
    uint32_t rows = table->rows;
    bool seen[DXT_MAX_RANKS + 1] = {false};
    if (rows > DXT_MAX_RANKS) return false;
    for (uint32_t i = 0; i < rows; i++) {
        int64_t value = table->cells[(size_t)i * table->width];
        if (value < 0 || value > rows || seen[value]) return false;
        seen[value] = true;
    }
    bool shown = table->plain < rows && table->own[seen[0] ? 0 : 1] == rows;
    return (!seen[0] || !seen[rows]) && (shown || table->titles.counted == rows);
}

/* Whether the first column counts, from any number on. */
static bool runs_on(const dxt_table *table)
{
    for (uint32_t i = 1; i < table->rows; i++)
        if ((uint64_t)table->cells[(size_t)i * table->width] != (uint64_t)table->cells[0] + i)
            return false;
    return table->rows > 2 && table->cells[0] > 0;
}

/* Whether the first column numbers the lines: what has a heading may be ranks, or steps. */
static bool numbers_rows(const dxt_table *table)
{
    uint32_t titles = table->titles.cells;
    return titles != table->width && titles + 1 != table->width && runs_on(table);
}

/* Whether the first column holds times since 1970, in s, ms, us or ns, no two more than `most`
 * seconds apart. */
static bool holds_times(const dxt_table *table, double most)
{
    double unit = 1, first = table->reals[0], before = first;
    while (unit < 1e9 && before > LAST_SECOND * unit) unit *= 1000;
    for (uint32_t i = 0; i < table->rows; i++) {
        double now = table->reals[(size_t)i * table->width];
        if (!(now >= FIRST_SECOND * unit && now <= LAST_SECOND * unit)) return false;
        if (!(now >= before && now <= first + most * unit)) return false;
        before = now;
    }
    return table->rows > 2;
}

/* Whether the first column says when the rows were written. */
static bool stamps_rows(const dxt_table *table)
{
    uint32_t titles = table->titles.cells;
    bool others =
        titles == table->width || (titles + 1 == table->width && table->titles.counted != titles);
    return !others && holds_times(table, ROWS_APART);
}

/* Whether each row is what was measured at a time, in a step. */
static bool is_series(const dxt_table *table)
{
    bool titled = table->titles.series && table->titles.cells == table->width;
    for (uint32_t i = 1; i < table->rows && titled; i++)
        titled =
            table->reals[(size_t)i * table->width] >= table->reals[(size_t)(i - 1) * table->width];
    return titled || (table->rows == table->width && holds_times(table, LAST_SECOND));
}

/* Whether the numbers of ranks stand in the first row and column: nothing is in the corner alone.
 */
static bool is_framed(const dxt_table *table)
{
    size_t width = table->width;
    if (table->rows != width || width < 3) return false;
    if (!DXT_IS_HOLE(table->cells[0]) || DXT_IS_HOLE(table->cells[width + 1])) return false;
    for (size_t i = 1; i < width; i++) {
        if (table->cells[i] != table->cells[i * width]) return false;
        if (i > 1 && table->cells[i] <= table->cells[i - 1]) return false;
    }
    return true;
}

/* Whether the first column counts ranks, or says which they are. */
static bool has_ranks(const dxt_table *table)
{
    return dxt_shape_counts(table, table->width, table->rows) ||
           (table->rows > 2 && names_rows(table));
}

/* How many ranks the table has, and what stands beside its matrix; 0: it is not square. */
uint32_t dxt_shape_find(const dxt_table *table, uint32_t *column, uint32_t *row)
{
    uint32_t rows = table->rows, width = table->width;
    *column = *row = 0;
    if (width == 1 || dxt_shape_triples(table)) {
        uint32_t ranks = dxt_shape_listed(table);
        if (ranks > 0 || dxt_shape_roles(table)) return ranks;
    }
    if (rows == width) return is_list(table) || is_series(table) || is_framed(table) ? 0 : width;
    if (rows + 1 == width && rows >= 2 && !is_series(table) &&
        (has_ranks(table) || numbers_rows(table) || stamps_rows(table))) {
        *column = 1;
        return rows;
    }
    if (rows == width + 1 && width >= 2 && dxt_shape_counts(table, 1, width)) {
        *row = 1;
        return width;
    }
    return 0;
}

const char *dxt_shape_passed_over(const dxt_table *table)
{
    if (table->rows + 1 != table->width || has_ranks(table)) return NULL;
    return numbers_rows(table) ? "numbers of lines" : "times";
}

const char *dxt_shape_doubt(const dxt_table *table)
{
    uint32_t rows = table->rows, width = table->width;
    if (rows != width && rows + 1 != width) return NULL;
    if (is_series(table))
        return "the first column is a time or a step: each row of a wait matrix is a rank";
    if (is_framed(table))
        return "the ranks in the first row and column are not counted from 0 on; leave both out, "
               "or count from 0 on";
    if (rows + 1 == width && runs_on(table))
        return "the ranks in the first column are not counted from 0 on; leave the column out, or "
               "count from 0 on";
    if (rows + 1 == width && holds_times(table, LAST_SECOND))
        return "the times in the first column are no column of ranks, or more than a second apart; "
               "leave the column out if the rows are those of one matrix";
    return NULL;
}

bool dxt_shape_complete(const dxt_table *table)
{
    uint32_t column, row;
    return table->rows > 0 && !table->wide && dxt_shape_find(table, &column, &row) > 0;
}
