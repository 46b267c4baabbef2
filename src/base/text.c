/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Make room for `size` more bytes and a terminator. */
static bool reserve(dxt_text *text, size_t size)
{
    if (text->failed) return false;
    if (text->size + size < text->capacity) return true;
    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity <= text->size + size) capacity *= 2;
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void dxt_text_append(dxt_text *text, const void *bytes, size_t size)
{
    if (!reserve(text, size)) return;
    if (size > 0) memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void dxt_text_puts(dxt_text *text, const char *string)
{
    dxt_text_append(text, string, strlen(string));
}

void dxt_text_printf(dxt_text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size >= 0 && reserve(text, (size_t)size)) {
        vsnprintf(text->data + text->size, (size_t)size + 1, format, again);
        text->size += (size_t)size;
    }
    va_end(again);
}

dxt_status dxt_text_flush(dxt_text *text, dxt_write_fn write, void *context)
{
    dxt_status status = DXT_OK;
    if (text->failed)
        status = dxt_fail_memory(0);
    else if (text->size > 0)
        status = write(context, text->data, text->size);
    free(text->data);
    *text = (dxt_text){0};
    return status;
}

char *dxt_format_ns(double ns, char *buffer, size_t size)
{
    static const struct {
        double factor;
        const char *unit;
    } scale[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}};
    size_t i = 0;
    /* The rounded figure decides, so that 999.96 µs reads "1.00 ms". */
    while (i < 3 && fabs(ns) / scale[i].factor < 0.99995) i++;
    double value = ns / scale[i].factor;
    double magnitude = fabs(value);
    int digits = i == 3 ? 0 : magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0;
    snprintf(buffer, size, "%.*f %s", digits, value, scale[i].unit);
    return buffer;
}
