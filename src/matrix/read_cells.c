/* SPDX-License-Identifier: Apache-2.0 */
/* The N×N arrays of a recording. */
#include <stdlib.h>
#include <string.h>

#include "matrix/recording.h"
#include "matrix/scan.h"

/* Take what is no plain counter: a wait that nobody observed, or a mistake. */
static dxt_status take_other(dxt_recording *rec, const char *field, uint32_t row, uint32_t column,
                             int64_t *value)
{
    char why[96];
    dxt_json *json = &rec->json;
    if (field == dxt_fields[DXT_FIELD_WAIT].name && dxt_json_literal(json, "null")) {
        *value = DXT_NOT_OBSERVED;
        return DXT_OK;
    }
    dxt_status status = dxt_scan_why_counter(json->at, json->end, why, sizeof why);
    return dxt_reader_fail(rec->reader, status, "%s: row %u, column %u: %s", field, row, column,
                           why);
}

/* Take "[1, 2, …]" of at most `limit` values. */
static dxt_status take_row(dxt_recording *rec, const char *field, uint32_t row, int64_t *cells,
                           uint32_t limit, uint32_t *count)
{
    dxt_json *json = &rec->json;
    uint32_t taken = 0;
    if (!dxt_json_expect(json, '[')) return dxt_recording_bad_json(rec);
    for (;;) {
        dxt_json_space(json);
        int64_t value = 0;
        const char *next = dxt_scan_integer(json->at, json->end, &value);
        bool plain = next && (*json->at != '0' || next == json->at + 1);
        if (!plain || (next < json->end && *next != ',' && *next != ']' && !dxt_is_blank(*next))) {
            dxt_status status = take_other(rec, field, row, taken, &value);
            if (status != DXT_OK) return status;
            next = json->at;
        }
        if (taken == limit)
            return dxt_reader_fail(rec->reader,
                                   limit < DXT_MAX_RANKS ? DXT_ERR_FORMAT : DXT_ERR_LIMIT,
                                   "%s: row %u has more than %u values", field, row, limit);
        cells[taken++] = value;
        json->at = next;
        if (json->at < json->end && *json->at == ',')
            json->at++;
        else if (!dxt_json_take(json, ','))
            break;
    }
    *count = taken;
    return dxt_json_expect(json, ']') ? DXT_OK : dxt_recording_bad_json(rec);
}

/* The first row that is there says how wide the matrix is. */
static dxt_status take_first_row(dxt_recording *rec, const char *field, dxt_matrix *m)
{
    int64_t *row = rec->reader->row;
    uint32_t columns = 0;
    dxt_status status = take_row(rec, field, m->rows, row, DXT_MAX_RANKS, &columns);
    if (status != DXT_OK) return status;
    if (m->rows >= columns)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s: more than %u rows of %u values",
                               field, m->rows, columns);
    m->cells = calloc((size_t)columns * columns, sizeof *m->cells);
    if (!m->cells) return dxt_fail_memory((size_t)columns * columns * sizeof *m->cells);
    memcpy(m->cells + (size_t)m->rows * columns, row, columns * sizeof *row);
    m->columns = columns;
    return DXT_OK;
}

static dxt_status take_matrix_row(dxt_recording *rec, const char *field, dxt_matrix *m)
{
    if (m->columns == 0) return take_first_row(rec, field, m);
    uint32_t count = 0;
    int64_t *cells = m->cells + (size_t)m->rows * m->columns;
    dxt_status status = take_row(rec, field, m->rows, cells, m->columns, &count);
    if (status != DXT_OK || count == m->columns) return status;
    return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s: row %u has %u values, not %u", field,
                           m->rows, count, m->columns);
}

static dxt_status take_null_row(dxt_recording *rec, const char *field, dxt_matrix *m)
{
    if (m != &rec->matrices[DXT_FIELD_WAIT])
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s: row %u is null", field, m->rows);
    if (!m->missing) m->missing = calloc(DXT_MAX_RANKS, 1);
    if (!m->missing) return dxt_fail_memory(DXT_MAX_RANKS);
    m->missing[m->rows] = 1;
    return DXT_OK;
}

dxt_status dxt_take_matrix(dxt_recording *rec, int field)
{
    const char *name = dxt_fields[field].name;
    dxt_matrix *m = &rec->matrices[field];
    if (!dxt_json_expect(&rec->json, '[')) return dxt_recording_bad_json(rec);
    do {
        uint32_t limit = m->columns ? m->columns : DXT_MAX_RANKS;
        if (m->rows == limit)
            return dxt_reader_fail(
                rec->reader, limit < DXT_MAX_RANKS ? DXT_ERR_FORMAT : DXT_ERR_LIMIT,
                m->columns ? "%s: more than %u rows of %u values" : "%s: more than %u rows", name,
                limit, limit);
        dxt_status status = dxt_json_literal(&rec->json, "null") ? take_null_row(rec, name, m)
                                                                 : take_matrix_row(rec, name, m);
        if (status != DXT_OK) return status;
        m->rows++;
    } while (dxt_json_take(&rec->json, ','));
    return dxt_json_expect(&rec->json, ']') ? DXT_OK : dxt_recording_bad_json(rec);
}

dxt_status dxt_check_matrices(const dxt_recording *rec)
{
    const dxt_window *window = rec->window;
    for (int field = 0; field < DXT_MATRIX_FIELDS; field++) {
        const dxt_matrix *m = &rec->matrices[field];
        const char *name = dxt_fields[field].name;
        if (m->columns > 0 && m->rows != m->columns)
            return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                                   "%s is not square: %u rows of %u values", name, m->rows,
                                   m->columns);
        if (m->rows > 0 && m->rows != window->ranks)
            return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s has %u rows, but ranks is %u",
                                   name, m->rows, window->ranks);
    }
    return DXT_OK;
}
