/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/matrix.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "matrix/fields.h"
#include "matrix/json.h"
#include "matrix/scan.h"

const dxt_field dxt_fields[DXT_FIELDS] = {
    [DXT_FIELD_WAIT] = {"wait", DXT_KIND_MATRIX, true, 0},
    [DXT_FIELD_SAMPLES] = {"samples", DXT_KIND_SAMPLES, false, 0},
    [DXT_FIELD_BYTES] = {"bytes", DXT_KIND_MATRIX, false, 0},
    [DXT_FIELD_LAST] = {"last", DXT_KIND_MATRIX, false, 0},
    {"v", DXT_KIND_VERSION, true, 0},
    {"phase", DXT_KIND_PHASE, true, 0},
    {"ranks", DXT_KIND_RANKS, true, 0},
    {"unit", DXT_KIND_UNIT, false, 0},
    {"ticks_per_second", DXT_KIND_TICKS, false, 0},
    {"nodes", DXT_KIND_NODES, false, 0},
    {"hosts", DXT_KIND_HOSTS, false, 0},
    {"window", DXT_KIND_INTEGER, false, offsetof(dxt_window, index)},
    {"ops", DXT_KIND_INTEGER, false, offsetof(dxt_window, ops)},
    {"elapsed_ns", DXT_KIND_INTEGER, false, offsetof(dxt_window, elapsed_ns)},
    {"instance", DXT_KIND_STRING, false, offsetof(dxt_window, instance)},
    {"begin", DXT_KIND_STRING, false, offsetof(dxt_window, begin)},
    {"source", DXT_KIND_STRING, false, offsetof(dxt_window, source)},
    {"case", DXT_KIND_STRING, false, offsetof(dxt_window, case_name)},
};

int dxt_field_find(const char *name)
{
    for (int field = 0; field < DXT_FIELDS; field++)
        if (strcmp(dxt_fields[field].name, name) == 0) return field;
    return -1;
}

const char *dxt_others_add(dxt_others *others, char *name)
{
    const char *why = NULL;
    for (size_t i = 0; i < others->count && !why; i++)
        if (strcmp(others->names[i], name) == 0) why = "it is there twice";
    if (others->count == DXT_MAX_OTHER_FIELDS) why = "more than 256 fields that are not known";
    if (why)
        free(name);
    else
        others->names[others->count++] = name;
    return why;
}

void dxt_others_free(dxt_others *others)
{
    for (size_t i = 0; i < others->count; i++) free(others->names[i]);
    others->count = 0;
}

static dxt_status wrong(const char *field, const char *why)
{
    return dxt_fail(DXT_ERR_INVALID, "%s: %s", field, why);
}

/* ---- extra ---- */

static dxt_status check_member(dxt_json *json, dxt_others *others)
{
    char *name;
    dxt_status status = dxt_json_string(json, &name);
    if (status != DXT_OK) return status;
    bool ours = dxt_field_find(name) >= 0;
    json->why = dxt_others_add(others, name);
    if (ours) json->why = "it holds a field that has a place of its own";
    if (json->why || !dxt_json_expect(json, ':') || !dxt_json_skip(json)) return DXT_ERR_FORMAT;
    return DXT_OK;
}

static dxt_status check_members(dxt_json *json, dxt_others *others)
{
    if (!dxt_json_expect(json, '{')) return DXT_ERR_FORMAT;
    if (dxt_json_take(json, '}')) return DXT_OK;
    do {
        dxt_status status = check_member(json, others);
        if (status != DXT_OK) return status;
    } while (dxt_json_take(json, ','));
    return dxt_json_expect(json, '}') ? DXT_OK : DXT_ERR_FORMAT;
}

static dxt_status check_extra(const char *extra)
{
    dxt_json json = {extra, extra, extra + strlen(extra), NULL};
    dxt_others others = {.count = 0};
    dxt_status status = check_members(&json, &others);
    dxt_others_free(&others);
    if (status == DXT_OK && dxt_json_space(&json)) {
        json.why = "text behind the object";
        status = DXT_ERR_FORMAT;
    }
    return status == DXT_ERR_FORMAT ? wrong("extra", json.why) : status;
}

/* ---- arrays and strings ---- */

static dxt_status check_matrix(const dxt_window *window, const char *field, const int64_t *cells)
{
    size_t count = (size_t)window->ranks * window->ranks;
    if (!cells) return DXT_OK;
    /* The sign bit of all values at once: one pass as fast as memory allows. */
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++) bits |= (uint64_t)cells[i];
    if (bits >> 63 == 0) return DXT_OK;
    for (size_t i = 0; i < count; i++)
        if (cells[i] < 0)
            return dxt_fail(DXT_ERR_INVALID, "%s: row %zu, column %zu: %lld is negative", field,
                            i / window->ranks, i % window->ranks, (long long)cells[i]);
    return DXT_OK;
}

static dxt_status check_missing(const dxt_window *window)
{
    for (uint32_t row = 0; window->missing && row < window->ranks; row++) {
        if (window->missing[row] > 1) return wrong("missing", "neither 0 nor 1");
        const int64_t *cells = window->wait + (size_t)row * window->ranks;
        for (uint32_t column = 0; window->missing[row] && column < window->ranks; column++)
            if (cells[column] != 0) return wrong("wait", "a missing row does not hold zeros");
    }
    return DXT_OK;
}

static dxt_status check_ranks(const dxt_window *window)
{
    for (uint32_t i = 0; i < window->ranks; i++) {
        if (window->ticks_per_second && !(window->ticks_per_second[i] >= 1 &&
                                          window->ticks_per_second[i] <= DXT_MAX_TICKS_PER_SECOND))
            return wrong("ticks_per_second", "not 1 to 1e12");
        if (window->nodes && window->nodes[i] < 0) return wrong("nodes", "negative");
        if (!window->hosts) continue;
        const char *host = window->hosts[i];
        if (!host || !dxt_utf8_valid(host, strlen(host))) return wrong("hosts", "not UTF-8");
    }
    return DXT_OK;
}

static dxt_status check_scalars(const dxt_window *window)
{
    if (window->unit != DXT_UNIT_CYCLES && window->unit != DXT_UNIT_NS)
        return wrong("unit", "not known");
    if (window->index < -1) return wrong("index", "below -1");
    if (window->samples_each < 0) return wrong("samples_each", "negative");
    if (window->ops < 0) return wrong("ops", "negative");
    if (window->elapsed_ns < 0) return wrong("elapsed_ns", "negative");
    for (int field = 0; field < DXT_FIELDS; field++) {
        if (dxt_fields[field].kind != DXT_KIND_STRING) continue;
        const char *place = (const char *)window + dxt_fields[field].offset;
        const char *text = *(char *const *)(const void *)place;
        if (text && !dxt_utf8_valid(text, strlen(text)))
            return wrong(dxt_fields[field].name, "not UTF-8");
    }
    return DXT_OK;
}

dxt_status dxt_window_check(const dxt_window *window)
{
    if (!window || window->struct_size < sizeof *window)
        return wrong("struct_size", "not that of a window");
    if (window->ranks > DXT_MAX_RANKS)
        return dxt_fail(DXT_ERR_LIMIT, "ranks: %u is above %u", window->ranks, DXT_MAX_RANKS);
    if (window->ranks < 2) return wrong("ranks", "below 2");
    if (!window->phase || !dxt_phase_valid(window->phase, strlen(window->phase)))
        return wrong("phase", "not 1 to 255 bytes of UTF-8 without control characters");
    if (!window->wait) return wrong("wait", "missing");
    dxt_status status = check_scalars(window);
    if (status == DXT_OK) status = check_matrix(window, "wait", window->wait);
    if (status == DXT_OK) status = check_missing(window);
    if (status == DXT_OK) status = check_matrix(window, "samples", window->samples);
    if (status == DXT_OK) status = check_matrix(window, "bytes", window->bytes);
    if (status == DXT_OK) status = check_matrix(window, "last", window->last);
    if (status == DXT_OK) status = check_ranks(window);
    if (status == DXT_OK && window->extra) status = check_extra(window->extra);
    return status;
}
