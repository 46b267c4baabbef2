/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a recording: a JSON object. docs/formats.md lists its fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/fields.h"
#include "matrix/json.h"
#include "matrix/reader.h"
#include "matrix/scan.h"

/* An N×N array as it is read; N is what its first row says. */
typedef struct matrix {
    int64_t *cells;
    uint8_t *missing; /* DXT_MAX_RANKS flags; NULL = no row is null */
    uint32_t rows, columns;
} matrix;

/* The line under way. */
typedef struct recording {
    dxt_reader *reader;
    dxt_json json;
    dxt_window *window; /* its arrays are as long as the counts below say */
    matrix matrices[DXT_MATRIX_FIELDS];
    uint32_t ticks, nodes, hosts; /* elements */
    bool ticks_each;              /* one number for all ranks */
    uint32_t seen;                /* bit per field */
    dxt_others others;
    dxt_text extra;
} recording;

static dxt_status bad_json(const recording *rec)
{
    return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "column %zu: %s",
                           (size_t)(rec->json.at - rec->json.begin) + 1, rec->json.why);
}

/* ---- numbers and lists ---- */

/* Take an integer of 0 … most. `index` < 0: the field itself, else an element of it. */
static dxt_status take_integer(recording *rec, const char *field, int64_t index, int64_t most,
                               int64_t *value)
{
    dxt_json *json = &rec->json;
    dxt_json_space(json);
    int64_t taken;
    const char *next = dxt_scan_integer(json->at, json->end, &taken);
    bool plain = next && (*json->at != '0' || next == json->at + 1);
    if (plain && next < json->end) plain = dxt_is_blank(*next) || memchr(",]}", *next, 3);
    char why[96];
    dxt_status status = DXT_ERR_LIMIT;
    if (plain && taken <= most) {
        *value = taken;
        json->at = next;
        return DXT_OK;
    }
    if (!plain)
        status = dxt_scan_why(json->at, json->end, why, sizeof why);
    else
        snprintf(why, sizeof why, "%lld is above %lld", (long long)taken, (long long)most);
    if (index < 0) return dxt_reader_fail(rec->reader, status, "%s: %s", field, why);
    return dxt_reader_fail(rec->reader, status, "%s: element %lld: %s", field, (long long)index,
                           why);
}

/* Make room for one more element: the lists grow at 0, 16, 32, 64 … */
static dxt_status grow(void **list, uint32_t count, size_t size)
{
    if (count > 0 && (count < 16 || (count & (count - 1)) != 0)) return DXT_OK;
    size_t capacity = count == 0 ? 16 : 2 * (size_t)count;
    void *grown = realloc(*list, capacity * size);
    if (!grown) return dxt_fail_memory(capacity * size);
    *list = grown;
    return DXT_OK;
}

typedef dxt_status (*element_fn)(recording *rec, uint32_t index);

/* Take an array of one element per rank. */
static dxt_status take_list(recording *rec, const char *field, uint32_t *count, element_fn take)
{
    dxt_json *json = &rec->json;
    if (!dxt_json_expect(json, '[')) return bad_json(rec);
    do {
        if (*count == DXT_MAX_RANKS)
            return dxt_reader_fail(rec->reader, DXT_ERR_LIMIT, "%s: more than %u elements", field,
                                   DXT_MAX_RANKS);
        dxt_status status = take(rec, *count);
        if (status != DXT_OK) return status;
        ++*count;
    } while (dxt_json_take(json, ','));
    return dxt_json_expect(json, ']') ? DXT_OK : bad_json(rec);
}

static dxt_status take_tick_rate(recording *rec, uint32_t index)
{
    double rate;
    void *list = rec->window->ticks_per_second;
    dxt_status status = grow(&list, index, sizeof rate);
    if (status != DXT_OK) return status;
    rec->window->ticks_per_second = list;
    if (!dxt_json_double(&rec->json, &rate)) return bad_json(rec);
    if (!(rate >= 1 && rate <= DXT_MAX_TICKS_PER_SECOND))
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "ticks_per_second: %g is not 1 to 1e12",
                               rate);
    rec->window->ticks_per_second[index] = rate;
    return DXT_OK;
}

static dxt_status take_ticks(recording *rec)
{
    dxt_json_space(&rec->json);
    if (rec->json.at < rec->json.end && *rec->json.at == '[')
        return take_list(rec, "ticks_per_second", &rec->ticks, take_tick_rate);
    rec->ticks_each = true;
    return take_tick_rate(rec, 0);
}

static dxt_status take_node(recording *rec, uint32_t index)
{
    int64_t node;
    void *list = rec->window->nodes;
    dxt_status status = grow(&list, index, sizeof *rec->window->nodes);
    if (status != DXT_OK) return status;
    rec->window->nodes = list;
    status = take_integer(rec, "nodes", index, INT32_MAX, &node);
    if (status == DXT_OK) rec->window->nodes[index] = (int32_t)node;
    return status;
}

static dxt_status take_string(recording *rec, char **text)
{
    dxt_status status = dxt_json_string(&rec->json, text);
    return status == DXT_ERR_FORMAT ? bad_json(rec) : status;
}

static dxt_status take_host(recording *rec, uint32_t index)
{
    void *list = rec->window->hosts;
    dxt_status status = grow(&list, index, sizeof *rec->window->hosts);
    if (status != DXT_OK) return status;
    rec->window->hosts = list;
    return take_string(rec, &rec->window->hosts[index]);
}

/* ---- matrices ---- */

/* Take "[1, 2, …]" of at most `limit` values. */
static dxt_status take_row(recording *rec, const char *field, uint32_t row, int64_t *cells,
                           uint32_t limit, uint32_t *count)
{
    dxt_json *json = &rec->json;
    uint32_t taken = 0;
    if (!dxt_json_expect(json, '[')) return bad_json(rec);
    for (;;) {
        dxt_json_space(json);
        int64_t value;
        const char *next = dxt_scan_integer(json->at, json->end, &value);
        bool plain = next && (*json->at != '0' || next == json->at + 1);
        if (!plain || (next < json->end && *next != ',' && *next != ']' && !dxt_is_blank(*next))) {
            char why[96];
            dxt_status status = dxt_scan_why(json->at, json->end, why, sizeof why);
            return dxt_reader_fail(rec->reader, status, "%s: row %u, column %u: %s", field, row,
                                   taken, why);
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
    return dxt_json_expect(json, ']') ? DXT_OK : bad_json(rec);
}

/* The first row that is there says how wide the matrix is. */
static dxt_status take_first_row(recording *rec, const char *field, matrix *m)
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

static dxt_status take_matrix_row(recording *rec, const char *field, matrix *m)
{
    if (m->columns == 0) return take_first_row(rec, field, m);
    uint32_t count = 0;
    int64_t *cells = m->cells + (size_t)m->rows * m->columns;
    dxt_status status = take_row(rec, field, m->rows, cells, m->columns, &count);
    if (status != DXT_OK || count == m->columns) return status;
    return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s: row %u has %u values, not %u", field,
                           m->rows, count, m->columns);
}

static dxt_status take_null_row(recording *rec, const char *field, matrix *m)
{
    if (m != &rec->matrices[DXT_FIELD_WAIT])
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s: row %u is null", field, m->rows);
    if (!m->missing) m->missing = calloc(DXT_MAX_RANKS, 1);
    if (!m->missing) return dxt_fail_memory(DXT_MAX_RANKS);
    m->missing[m->rows] = 1;
    return DXT_OK;
}

static dxt_status take_matrix(recording *rec, int field)
{
    const char *name = dxt_fields[field].name;
    matrix *m = &rec->matrices[field];
    if (!dxt_json_expect(&rec->json, '[')) return bad_json(rec);
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
    return dxt_json_expect(&rec->json, ']') ? DXT_OK : bad_json(rec);
}

/* ---- fields ---- */

static dxt_status take_version(recording *rec)
{
    int64_t version;
    dxt_status status = take_integer(rec, "v", -1, INT64_MAX, &version);
    if (status == DXT_OK && version != 1)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "v: version %lld is not known, only 1",
                               (long long)version);
    return status;
}

static dxt_status take_ranks(recording *rec)
{
    int64_t ranks;
    dxt_status status = take_integer(rec, "ranks", -1, DXT_MAX_RANKS, &ranks);
    if (status != DXT_OK) return status;
    if (ranks < 2)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "ranks: %lld is below 2",
                               (long long)ranks);
    rec->window->ranks = (uint32_t)ranks;
    return DXT_OK;
}

static dxt_status take_unit(recording *rec)
{
    char *unit;
    dxt_status status = take_string(rec, &unit);
    if (status != DXT_OK) return status;
    bool ns = strcmp(unit, "ns") == 0, cycles = strcmp(unit, "cycles") == 0;
    free(unit);
    if (!ns && !cycles)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "unit: neither \"cycles\" nor \"ns\"");
    rec->window->unit = ns ? DXT_UNIT_NS : DXT_UNIT_CYCLES;
    return DXT_OK;
}

static dxt_status take_phase(recording *rec)
{
    dxt_status status = take_string(rec, &rec->window->phase);
    if (status == DXT_OK && !dxt_phase_valid(rec->window->phase, strlen(rec->window->phase)))
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                               "phase: not 1 to 255 bytes without control characters");
    return status;
}

static dxt_status take_samples(recording *rec)
{
    dxt_json_space(&rec->json);
    if (rec->json.at < rec->json.end && *rec->json.at == '[')
        return take_matrix(rec, DXT_FIELD_SAMPLES);
    return take_integer(rec, "samples", -1, INT64_MAX, &rec->window->samples_each);
}

static dxt_status take_field(recording *rec, int field)
{
    const dxt_field *about = &dxt_fields[field];
    if (rec->seen & 1u << field)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s is there twice", about->name);
    rec->seen |= 1u << field;
    if (!about->required && dxt_json_literal(&rec->json, "null")) return DXT_OK;
    char *at = (char *)rec->window + about->offset;
    switch (about->kind) {
    case DXT_KIND_VERSION: return take_version(rec);
    case DXT_KIND_RANKS: return take_ranks(rec);
    case DXT_KIND_PHASE: return take_phase(rec);
    case DXT_KIND_UNIT: return take_unit(rec);
    case DXT_KIND_TICKS: return take_ticks(rec);
    case DXT_KIND_SAMPLES: return take_samples(rec);
    case DXT_KIND_NODES: return take_list(rec, "nodes", &rec->nodes, take_node);
    case DXT_KIND_HOSTS: return take_list(rec, "hosts", &rec->hosts, take_host);
    case DXT_KIND_MATRIX: return take_matrix(rec, field);
    case DXT_KIND_INTEGER:
        return take_integer(rec, about->name, -1, INT64_MAX, (int64_t *)(void *)at);
    default: return take_string(rec, (char **)(void *)at);
    }
}

/* Keep a field that is not ours as it is written. `name` is its name, quotes and all. */
static dxt_status keep_field(recording *rec, char *key, const char *name, size_t name_size)
{
    const char *why = dxt_others_add(&rec->others, key);
    if (why)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "field %.*s: %s",
                               name_size < 64 ? (int)name_size : 64, name, why);
    dxt_json_space(&rec->json);
    const char *from = rec->json.at;
    if (!dxt_json_skip(&rec->json)) return bad_json(rec);
    dxt_text_puts(&rec->extra, rec->extra.size ? "," : "{");
    dxt_text_append(&rec->extra, name, name_size);
    dxt_text_puts(&rec->extra, ":");
    dxt_text_append(&rec->extra, from, (size_t)(rec->json.at - from));
    return rec->extra.failed ? dxt_fail_memory(0) : DXT_OK;
}

static dxt_status take_member(recording *rec)
{
    char *key;
    dxt_json_space(&rec->json);
    const char *name = rec->json.at;
    dxt_status status = take_string(rec, &key);
    if (status != DXT_OK) return status;
    size_t name_size = (size_t)(rec->json.at - name);
    if (!dxt_json_expect(&rec->json, ':')) {
        free(key);
        return bad_json(rec);
    }
    int field = dxt_field_find(key);
    if (field < 0) return keep_field(rec, key, name, name_size);
    free(key);
    return take_field(rec, field);
}

/* ---- the whole line ---- */

static dxt_status wrong_count(const recording *rec, const char *field, uint32_t count)
{
    return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s has %u elements, ranks is %u", field,
                           count, rec->window->ranks);
}

/* Now that everything has been read: is it there, and as long as `ranks` says? */
static dxt_status check_shapes(const recording *rec)
{
    const dxt_window *window = rec->window;
    for (int field = 0; field < DXT_FIELDS; field++)
        if (dxt_fields[field].required && !(rec->seen & 1u << field))
            return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s is missing",
                                   dxt_fields[field].name);
    for (int field = 0; field < DXT_MATRIX_FIELDS; field++) {
        const matrix *m = &rec->matrices[field];
        const char *name = dxt_fields[field].name;
        if (m->columns > 0 && m->rows != m->columns)
            return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                                   "%s is not square: %u rows of %u values", name, m->rows,
                                   m->columns);
        if (m->rows > 0 && m->rows != window->ranks)
            return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s has %u rows, ranks is %u", name,
                                   m->rows, window->ranks);
    }
    if (rec->ticks > 0 && rec->ticks != window->ranks)
        return wrong_count(rec, "ticks_per_second", rec->ticks);
    if (window->nodes && rec->nodes != window->ranks) return wrong_count(rec, "nodes", rec->nodes);
    if (window->hosts && rec->hosts != window->ranks) return wrong_count(rec, "hosts", rec->hosts);
    return DXT_OK;
}

/* One clock rate for all ranks becomes one per rank. */
static dxt_status spread_ticks(recording *rec)
{
    if (!rec->ticks_each || !rec->window->ticks_per_second) return DXT_OK;
    size_t size = rec->window->ranks * sizeof *rec->window->ticks_per_second;
    double *ticks = malloc(size);
    if (!ticks) return dxt_fail_memory(size);
    for (uint32_t i = 0; i < rec->window->ranks; i++) ticks[i] = *rec->window->ticks_per_second;
    free(rec->window->ticks_per_second);
    rec->window->ticks_per_second = ticks;
    return DXT_OK;
}

/* Give the window what was read beside it. */
static dxt_status complete(recording *rec)
{
    dxt_window *window = rec->window;
    dxt_status status = check_shapes(rec);
    if (status == DXT_OK) status = spread_ticks(rec);
    if (status != DXT_OK) return status;
    matrix *wait = &rec->matrices[DXT_FIELD_WAIT];
    if (!wait->cells) {
        size_t cells = (size_t)window->ranks * window->ranks;
        wait->cells = calloc(cells, sizeof *wait->cells);
        if (!wait->cells) return dxt_fail_memory(cells * sizeof *wait->cells);
    }
    if (rec->extra.size > 0) {
        dxt_text_puts(&rec->extra, "}");
        if (rec->extra.failed) return dxt_fail_memory(0);
        window->extra = rec->extra.data;
        rec->extra = (dxt_text){0};
    }
    window->wait = wait->cells;
    window->missing = wait->missing;
    window->samples = rec->matrices[DXT_FIELD_SAMPLES].cells;
    window->bytes = rec->matrices[DXT_FIELD_BYTES].cells;
    window->last = rec->matrices[DXT_FIELD_LAST].cells;
    memset(rec->matrices, 0, sizeof rec->matrices);
    return DXT_OK;
}

static dxt_status take_object(recording *rec)
{
    dxt_json *json = &rec->json;
    if (!dxt_json_expect(json, '{')) return bad_json(rec);
    if (!dxt_json_take(json, '}')) {
        do {
            dxt_status status = take_member(rec);
            if (status != DXT_OK) return status;
        } while (dxt_json_take(json, ','));
        if (!dxt_json_expect(json, '}')) return bad_json(rec);
    }
    if (dxt_json_space(json)) {
        json->why = "text behind the object";
        return bad_json(rec);
    }
    return complete(rec);
}

static void release(recording *rec)
{
    if (rec->window && rec->window->hosts) {
        for (uint32_t i = 0; i < rec->hosts; i++) free(rec->window->hosts[i]);
        free(rec->window->hosts);
        rec->window->hosts = NULL;
    }
    dxt_window_free(rec->window);
    for (int i = 0; i < DXT_MATRIX_FIELDS; i++) {
        free(rec->matrices[i].cells);
        free(rec->matrices[i].missing);
    }
    dxt_others_free(&rec->others);
    free(rec->extra.data);
}

dxt_status dxt_next_recording(dxt_reader *reader, dxt_window **window)
{
    recording rec = {.reader = reader};
    size_t size;
    dxt_status status;
    do {
        status = dxt_input_line(&reader->input, &rec.json.begin, &size);
        if (status != DXT_OK) return status;
        rec.json.at = rec.json.begin;
        rec.json.end = rec.json.begin + size;
    } while (!dxt_json_space(&rec.json));
    reader->line = reader->input.line;
    rec.window = calloc(1, sizeof *rec.window);
    if (!rec.window) return dxt_fail_memory(sizeof *rec.window);
    rec.window->struct_size = sizeof *rec.window;
    rec.window->index = -1;
    status = take_object(&rec);
    if (status == DXT_OK) {
        *window = rec.window;
        rec.window = NULL;
    }
    release(&rec);
    return status;
}
