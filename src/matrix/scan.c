/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/scan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

/* Length of the word at `at`: up to a blank, comma or closing bracket. */
static size_t word_length(const char *at, const char *end)
{
    const char *to = at;
    while (to < end && !dxt_is_blank(*to) && *to != ',' && *to != '[' && *to != ']' && *to != '}')
        to++;
    return (size_t)(to - at);
}

static size_t digits_length(const char *at, const char *end)
{
    const char *to = at;
    while (to < end && dxt_is_digit(*to)) to++;
    return (size_t)(to - at);
}

dxt_status dxt_scan_why(const char *at, const char *end, char *text, size_t size)
{
    char word[25];
    size_t length = word_length(at, end);
    if (length == 0) {
        snprintf(text, size, at < end ? "a value is missing" : "the line ends too early");
        return DXT_ERR_FORMAT;
    }
    size_t shown = length < sizeof word ? length : sizeof word - 1;
    for (size_t i = 0; i < shown; i++) word[i] = at[i] > ' ' && at[i] < 127 ? at[i] : '?';
    word[shown] = '\0';
    const char *more = shown < length ? "..." : "";

    const char *body = *at == '-' || *at == '+' ? at + 1 : at;
    size_t digits = digits_length(body, at + length);
    bool whole = body + digits == at + length;
    if (digits == 0) {
        snprintf(text, size, "%s%s is not a number", word, more);
    } else if (*at == '-') {
        snprintf(text, size, "%s%s is negative", word, more);
    } else if (body == at && whole && *at == '0' && digits > 1) {
        snprintf(text, size, "%s%s is not how an integer is written", word, more);
    } else if (body == at && whole && digits < 19) {
        snprintf(text, size, "%s has text behind it", word);
    } else if (body == at && whole) {
        snprintf(text, size, "%s%s is above 2^63 - 1", word, more);
        return DXT_ERR_LIMIT;
    } else {
        snprintf(text, size, "%s%s is not an integer", word, more);
    }
    return DXT_ERR_FORMAT;
}

dxt_status dxt_scan_why_counter(const char *at, const char *end, char *text, size_t size)
{
    dxt_status status = dxt_scan_why(at, end, text, size);
    size_t length = strlen(text), tail = strlen("is negative");
    if (length >= tail && strcmp(text + length - tail, "is negative") == 0)
        snprintf(text + length, size - length, ": the counter ran over");
    return status;
}

/* Digits with a point: the leading 18 as an integer, and the power of ten that belongs to it. */
static const char *scan_digits(const char *at, const char *end, uint64_t *digits, int *power)
{
    bool any = false, point = false;
    for (*digits = 0, *power = 0; at < end; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (!dxt_is_digit(*at)) break;
        any = true;
        if (*digits < UINT64_C(1000000000000000000)) {
            *digits = *digits * 10 + (uint64_t)(*at - '0');
            *power -= point;
        } else {
            *power += !point;
        }
    }
    return any ? at : NULL;
}

static const char *scan_exponent(const char *at, const char *end, int *power)
{
    if (at == end || (*at | 32) != 'e') return at;
    at++;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '+' || *at == '-')) at++;
    int value = 0;
    const char *from = at;
    for (; at < end && dxt_is_digit(*at); at++)
        if (value < 10000) value = value * 10 + (*at - '0');
    *power += negative ? -value : value;
    return at > from ? at : NULL;
}

const char *dxt_scan_number(const char *at, const char *end, int64_t *whole, double *real,
                            bool *decimal)
{
    uint64_t digits;
    int power;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '+' || *at == '-')) at++;
    at = scan_digits(at, end, &digits, &power);
    if (at) at = scan_exponent(at, end, &power);
    if (!at || (at < end && !dxt_ends_number(*at)) || (negative && digits > 0)) return NULL;
    while (power < 0 && digits % 10 == 0 && digits > 0) {
        digits /= 10;
        power++;
    }
    long double value = (long double)digits;
    if (digits > 0) value *= powl(10, power);
    if (value > 1e300L) return NULL;
    *real = (double)value;
    if ((power >= 0 || digits == 0) && value < 9223372036854775808.0L)
        *whole = (int64_t)value;
    else
        *decimal = true;
    return at;
}

bool dxt_begins_number(const char *at, const char *end)
{
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at < end && *at == '.') at++;
    return (at < end && dxt_is_digit(*at)) || (end - at >= 3 && strncasecmp(at, "inf", 3) == 0);
}

bool dxt_utf8_valid(const char *text, size_t size)
{
    while (size > 0) {
        size_t length;
        if (dxt_utf8_decode(text, size, &length) == DXT_UTF8_NONE) return false;
        text += length;
        size -= length;
    }
    return true;
}

bool dxt_phase_valid(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127) return false;
    return size >= 1 && size <= 255 && dxt_utf8_valid(text, size);
}

/* A word such as nan, which stands for a number that is none. */
size_t dxt_none_length(const char *at, const char *end)
{
    static const char *const words[] = {"nan", "infinity", "inf", "none", "null", "--"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t size = strlen(words[i]);
        if ((size_t)(end - at) >= size && strncasecmp(at, words[i], size) == 0 &&
            (at + size == end || dxt_ends_number(at[size])))
            return size;
    }
    return 0;
}
