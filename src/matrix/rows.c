/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/reader.h"
#include "matrix/scan.h"

#include <stdlib.h>
#include <string.h>

static dxt_status no_such_rank(const dxt_reader *reader, uint32_t rank)
{
    return dxt_reader_fail(reader, DXT_ERR_FORMAT, "rank %u does not exist among %u ranks", rank,
                           reader->rows.ranks);
}

dxt_status dxt_rows_open(dxt_reader *reader, uint32_t rank)
{
    dxt_rows *rows = &reader->rows;
    if (rows->ranks > 0 && rank >= rows->ranks)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "rank %u does not exist among %u ranks",
                               rank, rows->ranks);
    if (rows->window && !rows->window->missing[rank])
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "the row of rank %u is repeated", rank);
    rows->rank = rank;
    rows->width = 0;
    rows->comma = false;
    rows->open = true;
    return DXT_OK;
}

dxt_status dxt_rows_value(dxt_reader *reader, const char **at, const char *end)
{
    dxt_rows *rows = &reader->rows;
    int64_t value;
    const char *next = dxt_scan_integer(*at, end, &value);
    if (!next || (next < end && !dxt_is_blank(*next) && *next != ',' && *next != ']')) {
        char why[96];
        dxt_status status = dxt_scan_why(*at, end, why, sizeof why);
        return dxt_reader_fail(reader, status, "row %u, column %u: %s", rows->rank, rows->width,
                               why);
    }
    uint32_t limit = rows->ranks ? rows->ranks : DXT_MAX_RANKS;
    if (rows->width == limit)
        return dxt_reader_fail(reader, rows->ranks ? DXT_ERR_FORMAT : DXT_ERR_LIMIT,
                               rows->ranks ? "row %u has more than %u values"
                                           : "row %u has more than %u values, the most ranks",
                               rows->rank, limit);
    reader->row[rows->width++] = value;
    rows->comma = false;
    *at = next;
    return DXT_OK;
}

/* The first row says how many ranks there are, unless a header has. */
static dxt_status make_window(dxt_reader *reader)
{
    dxt_rows *rows = &reader->rows;
    if (rows->ranks == 0) {
        if (rows->width < 2)
            return dxt_reader_fail(reader, DXT_ERR_FORMAT,
                                   "row %u has %u value; a matrix has at least 2 ranks", rows->rank,
                                   rows->width);
        rows->ranks = rows->width;
        if (rows->rank >= rows->ranks) return no_such_rank(reader, rows->rank);
    }
    dxt_window *window;
    dxt_status status = dxt_window_create(rows->ranks, reader->phase, &window);
    if (status != DXT_OK) return status;
    window->missing = malloc(rows->ranks);
    if (!window->missing) {
        dxt_window_free(window);
        return dxt_fail_memory(rows->ranks);
    }
    memset(window->missing, 1, rows->ranks);
    rows->window = window;
    return DXT_OK;
}

dxt_status dxt_rows_close(dxt_reader *reader)
{
    dxt_rows *rows = &reader->rows;
    if (rows->comma || rows->width == 0)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "row %u, column %u: a value is missing",
                               rows->rank, rows->width);
    if (!rows->window) {
        dxt_status status = make_window(reader);
        if (status != DXT_OK) return status;
    }
    if (rows->width != rows->ranks)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "row %u has %u values, %u were expected",
                               rows->rank, rows->width, rows->ranks);
    memcpy(rows->window->wait + (size_t)rows->rank * rows->ranks, reader->row,
           rows->ranks * sizeof *reader->row);
    rows->window->missing[rows->rank] = 0;
    rows->count++;
    rows->open = false;
    return DXT_OK;
}

bool dxt_rows_complete(const dxt_rows *rows)
{
    return rows->window && rows->count == rows->ranks;
}

dxt_status dxt_rows_finish(dxt_reader *reader, dxt_window **window)
{
    size_t i = 0;
    while (i < DXT_MAX_OPERATORS && strcmp(reader->phases[i].name, reader->phase) != 0 &&
           reader->phases[i].name[0] != '\0')
        i++;
    if (i == DXT_MAX_OPERATORS)
        return dxt_reader_fail(reader, DXT_ERR_LIMIT, "more than %u phases", DXT_MAX_OPERATORS);
    dxt_rows *rows = &reader->rows;
    strcpy(reader->phases[i].name, reader->phase);
    rows->window->index = reader->phases[i].count++;
    if (rows->count == rows->ranks) {
        free(rows->window->missing);
        rows->window->missing = NULL;
    }
    *window = rows->window;
    *rows = (dxt_rows){0};
    return DXT_OK;
}
