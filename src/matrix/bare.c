/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "rank 0: 1 2 3" has no end of its own: the lines below it may go on with it, "         4 5 6" or
 * "rank 0: 4 5 6", as a terminal or a launcher leaves them. So the first row of a matrix is kept
 * until the next line tells.
 */
#include <stdlib.h>
#include <string.h>

#include "matrix/lines.h"
#include "matrix/scan.h"

/* Whether a matrix under way has rows of this many values. */
static bool wants(const dxt_reader *reader, uint32_t width)
{
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        const dxt_sheet *sheet = &reader->sheets[i];
        if (sheet->used && sheet->ranks == width && sheet->count > 0) return true;
    }
    return false;
}

/* "rank 0 1 2" may be the heading of a table. */
static bool heads_columns(const dxt_reader *reader, const dxt_found *found)
{
    const dxt_row *row = &reader->rowing;
    for (const char *at = found->begin; at < found->at; at++)
        if (*at == ':' || *at == '=' || *at == '|') return false;
    for (uint32_t i = 0; i < row->width; i++)
        if (reader->row[i] != (int64_t)i + 1) return false;
    return row->rank == 0;
}

bool dxt_bare_may_go_on(const dxt_reader *reader, const dxt_found *found)
{
    const dxt_row *row = &reader->rowing;
    return !reader->headers && row->status == DXT_OK && !wants(reader, row->width) &&
           !heads_columns(reader, found);
}

/* Nothing but numbers. */
static bool is_plain(const char *line, const char *end)
{
    bool digits = false;
    for (; line < end; line++) {
        digits = digits || dxt_is_digit(*line);
        if (!dxt_is_digit(*line) && !dxt_is_blank(*line) && *line != ',' && *line != '.')
            return false;
    }
    return digits;
}

bool dxt_bare_part(dxt_reader *reader, const char *line, const char *end, bool there,
                   dxt_found *found)
{
    dxt_row *row = &reader->rowing;
    if (reader->headers || row->status != DXT_OK || row->width + row->part.width > DXT_MAX_RANKS)
        return false;
    if (there ? !found->named || found->bracket || found->rank != row->rank
              : !is_plain(line, end) || !dxt_find_rest(line, end, found))
        return false;
    if (there && (dxt_names_phase(line, found->at) || dxt_label(line, found->begin) != row->label))
        return false;
    row->part.tagged = row->part.tagged && there;
    row->part.lines++;
    row->part.before = row->width;
    found->named = false;
    found->line = line;
    found->line_end = end;
    return true;
}

void dxt_bare_note(dxt_row *row)
{
    if (row->part.lines == 0)
        row->part.width = row->width, row->part.lines = 1, row->part.tagged = true;
    else if (row->width - row->part.before != row->part.width)
        row->part.uneven = true;
}

/* The parts are rows of a matrix that one rank has printed. */
static dxt_status replay(dxt_reader *reader)
{
    const dxt_row whole = reader->rowing;
    const uint32_t width = whole.part.width;
    const uint64_t now = reader->input.line;
    size_t size = whole.width * (sizeof *reader->row + sizeof *reader->reals);
    int64_t *values = malloc(size);
    if (!values) return dxt_fail_memory(size);
    double *reals = (double *)(values + whole.width);
    memcpy(values, reader->row, whole.width * sizeof *values);
    memcpy(reals, reader->reals, whole.width * sizeof *reals);
    dxt_status status = DXT_OK;
    for (uint32_t i = 0; i < whole.part.lines && status == DXT_OK; i++) {
        dxt_row *row = &reader->rowing;
        *row = whole;
        row->width = width;
        row->line = whole.line + i < now ? whole.line + i : now;
        row->parts = row->joints = row->nans = 0;
        memcpy(reader->row, values + (size_t)i * width, width * sizeof *values);
        memcpy(reader->reals, reals + (size_t)i * width, width * sizeof *reals);
        for (uint32_t k = 0; k < width && whole.nans > 0; k++)
            if (reader->row[k] == DXT_NOT_OBSERVED && row->nans++ == 0) row->nan_at = k;
        reader->input.line = row->line;
        status = dxt_sheet_row(reader);
    }
    reader->input.line = now;
    free(values);
    return status;
}

dxt_status dxt_bare_close(dxt_reader *reader, const dxt_found *next, bool *whole)
{
    dxt_row *row = &reader->rowing;
    const uint32_t lines = row->part.lines, width = row->part.width;
    row->open = row->bare = false;
    *whole = true;
    if (reader->parts.failed) return dxt_fail_memory(0);
    if (lines < 2 || !row->part.tagged || row->part.uneven || row->status != DXT_OK ||
        wants(reader, row->width))
        return DXT_OK;
    bool other = next && next->named && !next->bracket && next->rank != row->rank;
    *whole = false;
    reader->around.torn = reader->around.torn || (other && lines > width && !reader->told);
    if (lines <= width || !reader->around.torn) return replay(reader);
    return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, row->line,
                           "%u rows of %u values are of rank %lld: they may be parts of one row; "
                           "if they are matrices, "
                           "write \"dispatch:\" on a line above them",
                           lines, width, (long long)row->rank);
}
