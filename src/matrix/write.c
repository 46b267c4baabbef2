/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/matrix.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "matrix/fields.h"

#define CHUNK_SIZE 16384
/* Longest number: 20 digits, or %.17g with sign, point and exponent. */
#define NUMBER_SIZE 32

/* Bytes on their way out. After a failure nothing more is handed on. */
typedef struct output {
    dxt_write_fn write;
    void *context;
    dxt_status status;
    bool first; /* the next field is the first */
    size_t used;
    char chunk[CHUNK_SIZE];
} output;

static void flush(output *out)
{
    if (out->status == DXT_OK && out->used > 0)
        out->status = out->write(out->context, out->chunk, out->used);
    out->used = 0;
}

static char *room(output *out, size_t size)
{
    if (CHUNK_SIZE - out->used < size) flush(out);
    return out->chunk + out->used;
}

static void put_bytes(output *out, const char *bytes, size_t size)
{
    while (size > 0) {
        char *to = room(out, 1);
        size_t part = CHUNK_SIZE - out->used < size ? CHUNK_SIZE - out->used : size;
        memcpy(to, bytes, part);
        out->used += part;
        bytes += part;
        size -= part;
    }
}

static void put_char(output *out, char c)
{
    *room(out, 1) = c;
    out->used++;
}

static void put_integer(output *out, int64_t value)
{
    char digits[NUMBER_SIZE];
    size_t at = sizeof digits;
    uint64_t rest = (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    memcpy(room(out, NUMBER_SIZE), digits + at, sizeof digits - at);
    out->used += sizeof digits - at;
}

/* The fewest digits that give the same number back. */
static void put_double(output *out, double value)
{
    if (value >= 1 && value < 9e15 && value == floor(value)) {
        put_integer(out, (int64_t)value);
        return;
    }
    out->used += dxt_format_real(value, room(out, DXT_REAL_SIZE));
}

static void put_string(output *out, const char *text)
{
    put_char(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ')
            out->used += (size_t)snprintf(room(out, NUMBER_SIZE), NUMBER_SIZE, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            put_bytes(out, (char[]){'\\', *text}, 2);
        else
            put_char(out, *text);
    }
    put_char(out, '"');
}

static void put_name(output *out, const char *name)
{
    put_char(out, out->first ? '{' : ',');
    out->first = false;
    put_string(out, name);
    put_char(out, ':');
}

/* ---- fields ---- */

static void put_text_field(output *out, const char *name, const char *text)
{
    if (!text) return;
    put_name(out, name);
    put_string(out, text);
}

/* Written from `least` on. */
static void put_integer_field(output *out, const char *name, int64_t value, int64_t least)
{
    if (value < least) return;
    put_name(out, name);
    put_integer(out, value);
}

/* Numbers; what is not known is null. */
static void put_list(output *out, const int64_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put_char(out, i ? ',' : '[');
        if (values[i] < 0)
            put_bytes(out, "null", 4);
        else
            put_integer(out, values[i]);
    }
    put_char(out, ']');
}

static void put_matrix_field(output *out, const char *name, const int64_t *cells, uint32_t ranks,
                             const uint8_t *missing)
{
    if (!cells) return;
    put_name(out, name);
    for (uint32_t row = 0; row < ranks && out->status == DXT_OK; row++) {
        put_char(out, row ? ',' : '[');
        if (missing && missing[row]) {
            put_bytes(out, "null", 4);
            continue;
        }
        put_list(out, cells + (size_t)row * ranks, ranks);
    }
    put_char(out, ']');
}

static void put_nodes(output *out, const dxt_window *window)
{
    if (!window->nodes) return;
    put_name(out, "nodes");
    for (uint32_t i = 0; i < window->ranks; i++) {
        put_char(out, i ? ',' : '[');
        put_integer(out, window->nodes[i]);
    }
    put_char(out, ']');
}

static void put_ops(output *out, const dxt_window *window)
{
    if (!window->rank_ops) {
        put_integer_field(out, "ops", window->ops, 1);
        return;
    }
    put_name(out, "ops");
    put_list(out, window->rank_ops, window->ranks);
}

static void put_ranks(output *out, const char *name, const dxt_window *window,
                      const int64_t *values)
{
    if (!values) return;
    put_name(out, name);
    put_list(out, values, window->ranks);
}

static void put_tokens(output *out, const dxt_window *window)
{
    if (!window->tokens) return;
    put_name(out, "tokens");
    if (window->local_experts == 1) {
        put_list(out, window->tokens, window->ranks);
        return;
    }
    for (uint32_t i = 0; i < window->ranks; i++) {
        put_char(out, i ? ',' : '[');
        put_list(out, window->tokens + (size_t)i * window->local_experts, window->local_experts);
    }
    put_char(out, ']');
}

static void put_known(output *out, const char *name, const char *text)
{
    if (text[0]) put_text_field(out, name, text);
}

static void put_devices(output *out, const dxt_window *window)
{
    if (!window->devices) return;
    put_name(out, "devices");
    for (uint32_t i = 0; i < window->ranks; i++) {
        const dxt_place *device = &window->devices[i];
        put_char(out, i ? ',' : '[');
        out->first = true;
        put_known(out, "host", device->host);
        put_integer_field(out, "gpu", device->gpu, 0);
        put_known(out, "uuid", device->uuid);
        put_known(out, "pci", device->pci);
        put_integer_field(out, "pid", device->pid, 1);
        put_integer_field(out, "rank", device->rank, 0);
        if (out->first) put_char(out, '{');
        put_char(out, '}');
    }
    out->first = false;
    put_char(out, ']');
}

static void put_share(output *out, const dxt_window *window)
{
    if (!(window->min_share > 0)) return;
    put_name(out, "min_share");
    put_double(out, window->min_share);
}

static void put_hosts(output *out, const dxt_window *window)
{
    if (!window->hosts) return;
    put_name(out, "hosts");
    for (uint32_t i = 0; i < window->ranks; i++) {
        put_char(out, i ? ',' : '[');
        put_string(out, window->hosts[i]);
    }
    put_char(out, ']');
}

static void put_ticks(output *out, const dxt_window *window)
{
    const double *ticks = window->ticks_per_second;
    if (!ticks) return;
    uint32_t same = 1;
    while (same < window->ranks && ticks[same] == ticks[0]) same++;
    put_name(out, "ticks_per_second");
    if (same == window->ranks) {
        put_double(out, ticks[0]);
        return;
    }
    for (uint32_t i = 0; i < window->ranks; i++) {
        put_char(out, i ? ',' : '[');
        put_double(out, ticks[i]);
    }
    put_char(out, ']');
}

/* The members of the object, without its braces. */
static void put_extra(output *out, const char *extra)
{
    if (!extra) return;
    const char *from = strchr(extra, '{') + 1;
    const char *end = strrchr(extra, '}');
    from += strspn(from, " \t\r");
    if (from >= end) return;
    put_char(out, ',');
    put_bytes(out, from, (size_t)(end - from));
}

dxt_status dxt_window_write(const dxt_window *window, dxt_write_fn write, void *context)
{
    if (!window || !write) return dxt_fail(DXT_ERR_INVALID, "window and write must not be NULL");
    dxt_status status = dxt_window_check(window);
    if (status != DXT_OK) return status;
    output out;
    out.write = write;
    out.context = context;
    out.status = DXT_OK;
    out.first = true;
    out.used = 0;
    put_integer_field(&out, "v", 1, 1);
    put_text_field(&out, "source", window->source);
    put_text_field(&out, "case", window->case_name);
    put_text_field(&out, "instance", window->instance);
    put_text_field(&out, "group", window->group);
    put_text_field(&out, "begin", window->begin);
    put_text_field(&out, "phase", window->phase);
    put_integer_field(&out, "window", window->index, 0);
    put_text_field(&out, "mix", window->mix);
    put_integer_field(&out, "ranks", window->ranks, 2);
    put_nodes(&out, window);
    put_hosts(&out, window);
    put_devices(&out, window);
    put_text_field(&out, "origin", dxt_origins[window->origin]);
    put_ops(&out, window);
    if (!window->samples) put_integer_field(&out, "samples", window->samples_each, 1);
    put_text_field(&out, "unit", window->unit == DXT_UNIT_NS ? "ns" : "cycles");
    put_ticks(&out, window);
    put_integer_field(&out, "elapsed_ns", window->elapsed_ns, 1);
    put_share(&out, window);
    put_matrix_field(&out, "wait", window->wait, window->ranks, window->missing);
    put_matrix_field(&out, "samples", window->samples, window->ranks, NULL);
    put_matrix_field(&out, "bytes", window->bytes, window->ranks, NULL);
    put_matrix_field(&out, "last", window->last, window->ranks, NULL);
    put_tokens(&out, window);
    put_ranks(&out, "issued", window, window->issued);
    put_ranks(&out, "run_delay_ns", window, window->run_delay_ns);
    put_extra(&out, window->extra);
    put_bytes(&out, "}\n", 2);
    flush(&out);
    return out.status;
}
