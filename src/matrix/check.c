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
    {"ops", DXT_KIND_OPS, false, 0},
    {"origin", DXT_KIND_ORIGIN, false, 0},
    {"devices", DXT_KIND_DEVICES, false, 0},
    {"tokens", DXT_KIND_TOKENS, false, 0},
    {"min_share", DXT_KIND_SHARE, false, 0},
    {"mix", DXT_KIND_MIX, false, 0},
    {"issued", DXT_KIND_ISSUED, false, 0},
    {"run_delay_ns", DXT_KIND_RUN_DELAY, false, 0},
    {"group", DXT_KIND_STRING, false, offsetof(dxt_window, group)},
    {"elapsed_ns", DXT_KIND_INTEGER, false, offsetof(dxt_window, elapsed_ns)},
    {"instance", DXT_KIND_STRING, false, offsetof(dxt_window, instance)},
    {"begin", DXT_KIND_STRING, false, offsetof(dxt_window, begin)},
    {"source", DXT_KIND_STRING, false, offsetof(dxt_window, source)},
    {"case", DXT_KIND_STRING, false, offsetof(dxt_window, case_name)},
};

const char *const dxt_origins[DXT_ORIGINS] = {
    [DXT_ORIGIN_UNKNOWN] = NULL,
    [DXT_ORIGIN_SOURCE] = "source",
    [DXT_ORIGIN_BARRIER] = "barrier",
    [DXT_ORIGIN_DURATION] = "duration",
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
    if (ours) json->why = "it holds a field that a recording already has";
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

/* The sign bit of all values less `least` ≤ 0 at once: one pass as fast as memory allows. Of the
 * largest values it may be one that is not: then they are looked at one by one. */
static bool any_negative(const int64_t *values, size_t count, int64_t least)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++) bits |= (uint64_t)values[i] - (uint64_t)least;
    return bits >> 63 != 0;
}

/* @p least: 0, or DXT_NOT_OBSERVED where a cell may be that. */
static dxt_status check_matrix(const dxt_window *window, const char *field, const int64_t *cells,
                               int64_t least, bool *negative)
{
    size_t count = (size_t)window->ranks * window->ranks;
    *negative = cells && any_negative(cells, count, 0);
    if (!*negative || (least < 0 && !any_negative(cells, count, least))) return DXT_OK;
    for (size_t i = 0; i < count; i++)
        if (cells[i] < least)
            return dxt_fail(DXT_ERR_INVALID, "%s: row %zu, column %zu: %lld is negative", field,
                            i / window->ranks, i % window->ranks, (long long)cells[i]);
    return DXT_OK;
}

static dxt_status check_tokens(const dxt_window *window)
{
    if (!window->tokens)
        return window->local_experts == 0 ? DXT_OK : wrong("local_experts", "without tokens");
    if (window->local_experts < 1 || window->local_experts > DXT_MAX_LOCAL_EXPERTS)
        return wrong("local_experts", "not 1 to 4096");
    size_t count = (size_t)window->ranks * window->local_experts;
    for (size_t i = 0; i < count; i++)
        if (window->tokens[i] < DXT_NOT_OBSERVED) return wrong("tokens", "negative");
    return DXT_OK;
}

static bool is_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);
    return end && dxt_utf8_valid(text, (size_t)(end - text));
}

static dxt_status check_devices(const dxt_window *window)
{
    for (uint32_t i = 0; window->devices && i < window->ranks; i++) {
        const dxt_place *device = &window->devices[i];
        if (device->pid < 0) return wrong("devices", "pid must be 0 or more");
        if (device->rank < -1) return wrong("devices", "rank must be -1 or more");
        if (device->gpu < -1) return wrong("devices", "gpu must be -1 or more");
        if (!is_text(device->host, sizeof device->host) ||
            !is_text(device->uuid, sizeof device->uuid) ||
            !is_text(device->pci, sizeof device->pci))
            return wrong("devices", "a text is not UTF-8, or does not end");
    }
    return DXT_OK;
}

static dxt_status check_missing(const dxt_window *window)
{
    for (uint32_t row = 0; window->missing && row < window->ranks; row++) {
        if (window->missing[row] > 1) return wrong("missing", "must be 0 or 1");
        const int64_t *cells = window->wait + (size_t)row * window->ranks;
        for (uint32_t column = 0; window->missing[row] && column < window->ranks; column++)
            if (cells[column] != 0) return wrong("wait", "a missing row must hold only zeros");
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
        if (window->rank_ops && window->rank_ops[i] < DXT_NOT_OBSERVED)
            return wrong("rank_ops", "negative");
        if (window->issued && window->issued[i] < DXT_NOT_OBSERVED)
            return wrong("issued", "negative");
        if (window->run_delay_ns && window->run_delay_ns[i] < DXT_NOT_OBSERVED)
            return wrong("run_delay_ns", "negative");
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
    if ((unsigned)window->origin >= DXT_ORIGINS) return wrong("origin", "not known");
    if (!(window->min_share >= 0 && window->min_share <= 1))
        return wrong("min_share", "not 0 to 1");
    if (window->mix && !dxt_utf8_valid(window->mix, strlen(window->mix)))
        return wrong("mix", "not UTF-8");
    for (int field = 0; field < DXT_FIELDS; field++) {
        if (dxt_fields[field].kind != DXT_KIND_STRING) continue;
        const char *place = (const char *)window + dxt_fields[field].offset;
        const char *text = *(char *const *)(const void *)place;
        if (text && !dxt_utf8_valid(text, strlen(text)))
            return wrong(dxt_fields[field].name, "not UTF-8");
    }
    return DXT_OK;
}

/* @param sparse  Receives whether a cell was not observed; NULL = waits are not looked at. */
static dxt_status check(const dxt_window *window, bool *sparse)
{
    if (!window) return dxt_fail(DXT_ERR_INVALID, "window must not be NULL");
    if (window->struct_size < sizeof *window)
        return dxt_fail_size("window", "dxt_window", window->struct_size);
    if (window->ranks > DXT_MAX_RANKS)
        return dxt_fail(DXT_ERR_LIMIT, "ranks: %u, but must be 2 to %u", window->ranks,
                        DXT_MAX_RANKS);
    if (window->ranks < 2) return wrong("ranks", "below 2");
    if (!window->phase || !dxt_phase_valid(window->phase, strlen(window->phase)))
        return wrong("phase", "must be 1 to 255 bytes of UTF-8 without control characters");
    if (!window->wait) return wrong("wait", "missing");
    bool negative;
    dxt_status status = check_scalars(window);
    if (status == DXT_OK && sparse)
        status = check_matrix(window, "wait", window->wait, DXT_NOT_OBSERVED, sparse);
    if (status == DXT_OK) status = check_missing(window);
    if (status == DXT_OK) status = check_matrix(window, "samples", window->samples, 0, &negative);
    if (status == DXT_OK) status = check_matrix(window, "bytes", window->bytes, 0, &negative);
    if (status == DXT_OK) status = check_matrix(window, "last", window->last, 0, &negative);
    if (status == DXT_OK) status = check_ranks(window);
    if (status == DXT_OK) status = check_devices(window);
    if (status == DXT_OK) status = check_tokens(window);
    if (status == DXT_OK && window->extra) status = check_extra(window->extra);
    return status;
}

dxt_status dxt_window_look(const dxt_window *window, bool *observed)
{
    bool sparse;
    dxt_status status = check(window, &sparse);
    if (status == DXT_OK) *observed = !sparse;
    return status;
}

dxt_status dxt_window_look_around(const dxt_window *window)
{
    return check(window, NULL);
}

dxt_status dxt_window_check(const dxt_window *window)
{
    bool observed;
    return dxt_window_look(window, &observed);
}
