/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/reader.h"

#include <string.h>

#include "matrix/scan.h"

/* A comment of one word names the phase of the windows behind it. */
static void read_comment(dxt_reader *reader, const char *at, const char *end)
{
    while (at < end && (*at == '#' || dxt_is_blank(*at))) at++;
    while (end > at && dxt_is_blank(end[-1])) end--;
    size_t size = (size_t)(end - at);
    if (!dxt_phase_valid(at, size)) return;
    for (size_t i = 0; i < size; i++)
        if (dxt_is_blank(at[i])) return;
    for (size_t i = 0; i < size; i++)
        reader->phase[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] + 32) : at[i];
    reader->phase[size] = '\0';
}

static dxt_status read_row(dxt_reader *reader, const char *at, const char *end)
{
    dxt_rows *rows = &reader->rows;
    if (rows->count > 0 && rows->count == rows->ranks)
        return dxt_reader_fail(
            reader, DXT_ERR_FORMAT,
            "row %u: the matrix has rows of %u values; a blank line must separate "
            "windows",
            rows->count, rows->ranks);
    if (rows->count == 0) reader->line = reader->input.line;
    dxt_status status = dxt_rows_open(reader, rows->count);
    while (status == DXT_OK) {
        while (at < end && dxt_is_blank(*at)) at++;
        if (at == end) return dxt_rows_close(reader);
        if (*at == ',' && rows->width > 0 && !rows->comma) {
            rows->comma = true;
            at++;
        } else {
            status = dxt_rows_value(reader, &at, end);
        }
    }
    return status;
}

static dxt_status finish(dxt_reader *reader, dxt_window **window)
{
    dxt_rows *rows = &reader->rows;
    if (rows->count < rows->ranks)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT,
                               "the matrix is not square: %u rows of %u values", rows->count,
                               rows->ranks);
    return dxt_rows_finish(reader, window);
}

dxt_status dxt_next_plain(dxt_reader *reader, dxt_window **window)
{
    const char *line;
    size_t size;
    dxt_status status;
    while ((status = dxt_input_line(&reader->input, &line, &size)) == DXT_OK) {
        const char *at = line, *end = line + size;
        while (at < end && dxt_is_blank(*at)) at++;
        if (at < end && *at != '#') {
            status = read_row(reader, at, end);
            if (status != DXT_OK) return status;
            continue;
        }
        /* The phase of the window that ends here must not change. */
        if (reader->rows.count > 0) {
            if (at < end) dxt_input_unread(&reader->input);
            return finish(reader, window);
        }
        if (at < end) read_comment(reader, at, end);
    }
    return status == DXT_END && reader->rows.count > 0 ? finish(reader, window) : status;
}
