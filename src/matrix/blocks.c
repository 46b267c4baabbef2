/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that are wider than the screen, as pandas prints them: a backslash ends the heading, and
 * the other columns stand below, with a heading of their own. */
#include <stdlib.h>
#include <string.h>

#include "matrix/reader.h"
#include "matrix/scan.h"

dxt_status dxt_table_values(size_t count, int64_t **cells, double **reals)
{
    *cells = malloc(count * sizeof **cells);
    *reals = malloc(count * sizeof **reals);
    if (*cells && *reals) return DXT_OK;
    free(*cells);
    free(*reals);
    return dxt_fail_memory(count * sizeof **reals);
}

/* The block becomes what stands to the left of the next one. */
static dxt_status put_right(dxt_table *table, uint32_t skip)
{
    uint32_t width = table->left.width + table->width - skip;
    size_t count = (size_t)table->rows * width;
    int64_t *cells;
    double *reals;
    dxt_status status = dxt_table_values(count, &cells, &reals);
    if (status != DXT_OK) return status;
    for (size_t i = 0; i < table->rows; i++) {
        size_t to = i * width + table->left.width, from = i * table->width + skip;
        if (table->left.width > 0) {
            size_t left = i * table->left.width;
            memcpy(cells + i * width, table->left.cells + left, table->left.width * sizeof *cells);
            memcpy(reals + i * width, table->left.reals + left, table->left.width * sizeof *reals);
        }
        memcpy(cells + to, table->cells + from, (table->width - skip) * sizeof *cells);
        memcpy(reals + to, table->reals + from, (table->width - skip) * sizeof *reals);
    }
    free(table->left.cells);
    free(table->left.reals);
    table->left.cells = cells;
    table->left.reals = reals;
    table->left.width = width;
    table->left.rows = table->rows;
    return DXT_OK;
}

dxt_status dxt_table_join(dxt_table *table)
{
    uint32_t skip = table->width == table->head + 1;
    bool first = table->left.rows == 0;
    dxt_status status = DXT_OK;
    if (table->rows > 0 && !table->lost && table->width > skip &&
        (first || table->rows == table->left.rows) &&
        table->left.width + table->width <= DXT_MAX_RANKS + 1)
        status = put_right(table, skip);
    else if (table->rows > 0)
        table->lost = true;
    if (status != DXT_OK) return status;
    table->rows = table->capacity = 0;
    table->own[0] = table->own[1] = table->plain = 0;
    table->titles = (dxt_titles){0};
    if (table->more) return DXT_OK;
    free(table->cells);
    free(table->reals);
    table->cells = table->left.cells;
    table->reals = table->left.reals;
    table->width = table->left.width;
    table->rows = table->left.rows;
    table->left.cells = NULL;
    table->left.reals = NULL;
    table->left.width = table->left.rows = 0;
    table->wide = false;
    return DXT_OK;
}

bool dxt_table_has_part(const dxt_reader *reader, const char *line, const dxt_found *found)
{
    const dxt_table *table = &reader->table;
    uint32_t columns = table->rows > 0 ? table->width : table->head, values = 0;
    if (!found->named || found->bracket || !table->wide || reader->headers) return false;
    if (table->left.rows > 0 && table->rows >= table->left.rows) return false;
    for (; line < found->begin; line++)
        if (!dxt_is_blank(*line)) return false;
    for (; line < found->at; line++)
        if (*line == ':' || *line == '=') return false;
    for (const char *at = found->at; at < found->end; at++)
        values += !dxt_is_blank(*at) && (at == found->at || dxt_is_blank(at[-1]));
    return values == columns || values + 1 == columns;
}
