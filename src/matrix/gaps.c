/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of a table that are left out: those of ranks for themselves; sums of rows, which are not
 * read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "matrix/cells.h"
#include "matrix/shape.h"

bool dxt_may_be_own(const dxt_reader *reader, const dxt_cells *line, uint32_t column)
{
    for (uint32_t i = 0; i < line->numbers.count; i++)
        if (line->numbers.values[i] == (int32_t)column) return true;
    return column == reader->table.rows ||
           (column > 0 && column <= DXT_MAX_RANKS && reader->row[0] == (int64_t)column - 1);
}

void dxt_judge_holes(dxt_reader *reader, dxt_cells *line)
{
    bool empty = line->empty > 1 || (line->empty == 1 && !dxt_may_be_own(reader, line, line->hole));
    bool nan = line->nan > 1 || (line->nan == 1 && !dxt_may_be_own(reader, line, line->nan_at));
    if (line->status != DXT_OK) return;
    if (line->empty == 1) reader->row[line->hole] = DXT_HOLE_OF(reader->input.line);
    if (line->nan == 1) reader->row[line->nan_at] = DXT_HOLE_OF(reader->input.line);
    if (!empty && !nan) return;
    line->status = DXT_ERR_FORMAT;
    snprintf(line->why, sizeof line->why, "column %u: %s", empty ? line->hole : line->nan_at,
             empty ? "a value is missing" : "nan is not a number");
}

static void insert_hole(int64_t *cells, double *reals, uint32_t at, uint32_t width, uint64_t line)
{
    memmove(cells + at + 1, cells + at, (width - at) * sizeof *cells);
    memmove(reals + at + 1, reals + at, (width - at) * sizeof *reals);
    cells[at] = DXT_HOLE_OF(line);
    reals[at] = NAN;
}

/* The table's only row has an empty cell as well. */
static dxt_status widen(dxt_table *table)
{
    table->capacity = 0;
    table->width++;
    table->rows = 0;
    dxt_status status = dxt_table_grow(table);
    if (status != DXT_OK) return status;
    insert_hole(table->cells, table->reals, table->gap, table->width - 1, table->line);
    dxt_shape_note(table, table->cells, table->reals);
    table->holes = table->gaps = true;
    table->rows = 1;
    return DXT_OK;
}

/* Whether the cell that the table's only row may leave empty can be that of a rank for itself. */
static bool began_with_own(const dxt_table *table)
{
    const dxt_numbers *name = table->numbers;
    for (uint32_t i = 0; name && i < name->count; i++)
        if (name->values[i] == (int32_t)table->gap) return true;
    return table->gap == 0 || table->cells[0] == (int64_t)table->gap - 1;
}

dxt_status dxt_settle_gap(dxt_reader *reader, dxt_cells *line)
{
    dxt_table *table = &reader->table;
    bool gap = line->gap != DXT_NO_GAP, was = table->gap != DXT_NO_GAP;
    if (table->rows == 0 || table->lost || line->width > DXT_MAX_RANKS) return DXT_OK;
    if (table->rows == 1 && was && !dxt_shape_counts(table, 1, table->width) &&
        (line->width == table->width + !gap) && line->gap != table->gap && began_with_own(table) &&
        (!gap || dxt_may_be_own(reader, line, line->gap))) {
        dxt_status status = widen(table);
        if (status != DXT_OK) return status;
    }
    if (!gap || line->width + 1 != table->width || line->empty > 0) return DXT_OK;
    insert_hole(reader->row, reader->reals, line->gap, line->width, reader->input.line);
    line->hole = line->gap;
    line->empty = 1;
    line->width++;
    table->gaps = true;
    return DXT_OK;
}

bool dxt_counts_columns(const dxt_reader *reader, const dxt_cells *line)
{
    int64_t from = line->width > 1 ? reader->row[1] : -1;
    if (line->empty != 1 || line->hole != 0 || line->width < 3 || from < 0 || from > 1)
        return false;
    for (uint32_t i = 1; i < line->width && i <= DXT_MAX_RANKS; i++)
        if (reader->row[i] != from + (int64_t)i - 1) return false;
    return true;
}

/* Whether the value behind the first `count` of a row is their sum, mean, largest or smallest, as
 * far as people round it. */
static bool is_sum(const dxt_reader *reader, uint32_t count)
{
    const double *values = reader->reals;
    double sum = 0, most = 0, least = INFINITY;
    bool any = false;
    if (count < 2 || count >= DXT_MAX_RANKS) return false;
    for (uint32_t i = 0; i < count; i++) {
        if (isnan(values[i])) continue;
        sum += values[i];
        most = fmax(most, values[i]);
        least = fmin(least, values[i]);
        any = true;
    }
    const double is[] = {sum, sum / count, sum / (count - 1), most, least};
    for (size_t i = 0; any && i < sizeof is / sizeof is[0]; i++)
        if (fabs(values[count] - is[i]) <= fmax(0.5, 0.005 * is[i])) return true;
    return false;
}

dxt_status dxt_leave_sums(dxt_reader *reader, const char *at, const char *end, dxt_cells *line)
{
    dxt_titles *titles = &reader->table.titles;
    const uint32_t all = titles->counted + titles->sums;
    if (titles->sums == 0 || (line->width != all && (line->width != all + 1 || line->label)))
        return DXT_OK;
    /* Rows without names may as well be those of a square of all columns: the first one tells. */
    const uint32_t rest = line->width - titles->sums;
    if (reader->table.rows == 0 && line->width == all && !line->label && line->status == DXT_OK &&
        !is_sum(reader, rest)) {
        titles->counted = titles->sums = 0;
        titles->disordered = false;
        return DXT_OK;
    }
    const dxt_numbers numbers = line->numbers;
    dxt_status status = dxt_take_first_cells(reader, at, end, rest, line);
    if (!line->label) line->numbers = numbers;
    return status;
}
