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

/* Make the decimal point of the locale, one character of one or several bytes, a '.'. */
static size_t plain_point(char *number)
{
    size_t to = 0;
    for (size_t from = 0; number[from]; from++) {
        if (strchr("0123456789+-e", number[from]))
            number[to++] = number[from];
        else if (to == 0 || number[to - 1] != '.')
            number[to++] = '.';
    }
    number[to] = '\0';
    return to;
}

size_t dxt_format_real(double value, char *buffer)
{
    /* Both functions follow the locale, so the comparison holds in any. */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buffer, DXT_REAL_SIZE, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value) break;
    }
    return plain_point(buffer);
}

uint32_t dxt_utf8_decode(const char *at, size_t left, size_t *size)
{
    /* By number of continuation bytes: what the first byte looks like, and the least code point. */
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    unsigned char first = (unsigned char)at[0];
    *size = 1;
    for (size_t more = 0; more < sizeof forms / sizeof forms[0]; more++) {
        if ((first & forms[more].mask) != forms[more].lead) continue;
        if (more + 1 > left) return DXT_UTF8_NONE;
        uint32_t code = first & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            /* A terminator is no continuation byte, so nothing behind it is read. */
            if (((unsigned char)at[i] & 0xc0) != 0x80) return DXT_UTF8_NONE;
            code = code << 6 | ((unsigned char)at[i] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code < 0xe000;
        if (code < forms[more].least || code > 0x10ffff || surrogate) return DXT_UTF8_NONE;
        *size = more + 1;
        return code;
    }
    return DXT_UTF8_NONE;
}

bool dxt_is_unprintable(uint32_t code)
{
    static const uint32_t ranges[][2] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c}, {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfdd0, 0xfdef}, {DXT_UTF8_NONE, DXT_UTF8_NONE}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1]) return true;
    return (code & 0xfffe) == 0xfffe; /* the last two of every plane */
}

void dxt_make_printable(char *text)
{
    for (size_t size; text && *text; text += size)
        if (dxt_is_unprintable(dxt_utf8_decode(text, SIZE_MAX, &size))) memset(text, '?', size);
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
    char number[DXT_REAL_SIZE];
    snprintf(number, sizeof number, "%.*f", digits, value);
    plain_point(number);
    snprintf(buffer, size, "%s %s", number, scale[i].unit);
    return buffer;
}
