/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a recording: a JSON object. docs/formats.md lists its fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/recording.h"
#include "matrix/scan.h"

/* ---- fields ---- */

static dxt_status take_version(dxt_recording *rec)
{
    int64_t version;
    dxt_status status = dxt_take_integer(rec, "v", -1, INT64_MAX, &version);
    if (status == DXT_OK && version != 1)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                               "v: version %lld, but this program reads version 1",
                               (long long)version);
    return status;
}

static dxt_status take_ranks(dxt_recording *rec)
{
    int64_t ranks;
    dxt_status status = dxt_take_integer(rec, "ranks", -1, DXT_MAX_RANKS, &ranks);
    if (status != DXT_OK) return status;
    if (ranks < 2)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                               "ranks: %lld, but a window has at least 2", (long long)ranks);
    rec->window->ranks = (uint32_t)ranks;
    return DXT_OK;
}

static dxt_status take_unit(dxt_recording *rec)
{
    char *unit;
    dxt_status status = dxt_take_string(rec, &unit);
    if (status != DXT_OK) return status;
    bool ns = strcmp(unit, "ns") == 0, cycles = strcmp(unit, "cycles") == 0;
    free(unit);
    if (!ns && !cycles)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "unit: must be \"cycles\" or \"ns\"");
    rec->window->unit = ns ? DXT_UNIT_NS : DXT_UNIT_CYCLES;
    return DXT_OK;
}

static dxt_status take_phase(dxt_recording *rec)
{
    dxt_status status = dxt_take_string(rec, &rec->window->phase);
    if (status == DXT_OK && !dxt_phase_valid(rec->window->phase, strlen(rec->window->phase)))
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                               "phase: must be 1 to 255 bytes without control characters");
    return status;
}

static dxt_status take_samples(dxt_recording *rec)
{
    if (dxt_at_array(rec)) return dxt_take_matrix(rec, DXT_FIELD_SAMPLES);
    return dxt_take_integer(rec, "samples", -1, INT64_MAX, &rec->window->samples_each);
}

static dxt_status take_origin(dxt_recording *rec)
{
    char *name;
    dxt_status status = dxt_take_string(rec, &name);
    if (status != DXT_OK) return status;
    int origin = DXT_ORIGINS - 1;
    while (origin > 0 && strcmp(name, dxt_origins[origin]) != 0) origin--;
    free(name);
    if (origin == 0)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                               "origin: must be \"source\", \"barrier\" or \"duration\"");
    rec->window->origin = (dxt_origin)origin;
    return DXT_OK;
}

static dxt_status take_share(dxt_recording *rec)
{
    double share;
    if (!dxt_json_double(&rec->json, &share)) return dxt_recording_bad_json(rec);
    if (!(share > 0 && share <= 1))
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                               "min_share: %g, but must be above 0 and at most 1", share);
    rec->window->min_share = share;
    return DXT_OK;
}

/* A name; a number is the name that its digits spell. */
static dxt_status take_mix(dxt_recording *rec)
{
    dxt_json_space(&rec->json);
    if (rec->json.at < rec->json.end && *rec->json.at == '"')
        return dxt_take_string(rec, &rec->window->mix);
    int64_t number;
    dxt_status status = dxt_take_integer(rec, "mix", -1, INT64_MAX, &number);
    if (status != DXT_OK) return status;
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    rec->window->mix = strdup(digits);
    return rec->window->mix ? DXT_OK : dxt_fail_memory(sizeof digits);
}

static dxt_status take_field(dxt_recording *rec, int field)
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
    case DXT_KIND_TICKS: return dxt_take_ticks(rec);
    case DXT_KIND_SAMPLES: return take_samples(rec);
    case DXT_KIND_NODES: return dxt_take_nodes(rec);
    case DXT_KIND_HOSTS: return dxt_take_hosts(rec);
    case DXT_KIND_DEVICES: return dxt_take_devices(rec);
    case DXT_KIND_TOKENS: return dxt_take_tokens(rec);
    case DXT_KIND_OPS: return dxt_take_ops(rec);
    case DXT_KIND_ORIGIN: return take_origin(rec);
    case DXT_KIND_SHARE: return take_share(rec);
    case DXT_KIND_MIX: return take_mix(rec);
    case DXT_KIND_ISSUED: return dxt_take_issued(rec);
    case DXT_KIND_RUN_DELAY: return dxt_take_run_delay(rec);
    case DXT_KIND_MATRIX: return dxt_take_matrix(rec, field);
    case DXT_KIND_INTEGER:
        return dxt_take_integer(rec, about->name, -1, INT64_MAX, (int64_t *)(void *)at);
    default: return dxt_take_string(rec, (char **)(void *)at);
    }
}

/* Keep a field that is not ours as it is written. `name` is its name, quotes and all. */
static dxt_status keep_field(dxt_recording *rec, char *key, const char *name, size_t name_size)
{
    const char *why = dxt_others_add(&rec->others, key);
    if (why)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "field %.*s: %s",
                               name_size < 64 ? (int)name_size : 64, name, why);
    dxt_json_space(&rec->json);
    const char *from = rec->json.at;
    if (!dxt_json_skip(&rec->json)) return dxt_recording_bad_json(rec);
    dxt_text_puts(&rec->extra, rec->extra.size ? "," : "{");
    dxt_text_append(&rec->extra, name, name_size);
    dxt_text_puts(&rec->extra, ":");
    dxt_text_append(&rec->extra, from, (size_t)(rec->json.at - from));
    return rec->extra.failed ? dxt_fail_memory(0) : DXT_OK;
}

static dxt_status take_member(dxt_recording *rec)
{
    char *key;
    dxt_json_space(&rec->json);
    const char *name = rec->json.at;
    dxt_status status = dxt_take_string(rec, &key);
    if (status != DXT_OK) return status;
    size_t name_size = (size_t)(rec->json.at - name);
    if (!dxt_json_expect(&rec->json, ':')) {
        free(key);
        return dxt_recording_bad_json(rec);
    }
    int field = dxt_field_find(key);
    if (field < 0) return keep_field(rec, key, name, name_size);
    free(key);
    return take_field(rec, field);
}

/* ---- the whole line ---- */

/* Now that everything has been read: is it there, and as long as `ranks` says? */
static dxt_status check_shapes(const dxt_recording *rec)
{
    for (int field = 0; field < DXT_FIELDS; field++)
        if (dxt_fields[field].required && !(rec->seen & 1u << field))
            return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "%s is missing",
                                   dxt_fields[field].name);
    return dxt_check_matrices(rec);
}

/* Give the window what was read beside it. */
static dxt_status complete(dxt_recording *rec)
{
    dxt_window *window = rec->window;
    dxt_status status = check_shapes(rec);
    if (status == DXT_OK) status = dxt_complete_ranks(rec);
    if (status != DXT_OK) return status;
    dxt_matrix *wait = &rec->matrices[DXT_FIELD_WAIT];
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

static dxt_status take_object(dxt_recording *rec)
{
    dxt_json *json = &rec->json;
    if (!dxt_json_expect(json, '{')) return dxt_recording_bad_json(rec);
    if (!dxt_json_take(json, '}')) {
        do {
            dxt_status status = take_member(rec);
            if (status != DXT_OK) return status;
        } while (dxt_json_take(json, ','));
        if (!dxt_json_expect(json, '}')) return dxt_recording_bad_json(rec);
    }
    if (dxt_json_space(json)) {
        json->why = "text behind the object";
        return dxt_recording_bad_json(rec);
    }
    return complete(rec);
}

static void release(dxt_recording *rec)
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

dxt_status dxt_read_recording(dxt_reader *reader, const char *line, size_t size,
                              dxt_window **window)
{
    dxt_recording rec = {.reader = reader, .json = {line, line, line + size, NULL}};
    rec.window = calloc(1, sizeof *rec.window);
    if (!rec.window) return dxt_fail_memory(sizeof *rec.window);
    rec.window->struct_size = sizeof *rec.window;
    rec.window->index = -1;
    dxt_status status = take_object(&rec);
    if (status == DXT_OK) {
        *window = rec.window;
        rec.window = NULL;
    }
    release(&rec);
    return status;
}
