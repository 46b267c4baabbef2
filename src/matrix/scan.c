/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/scan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

bool dxt_only_numbers(const char *at, const char *end)
{
    static const char marks[] = "[],+-.eEnNaAiIfF";
    bool any = false;
    for (; at < end; at++) {
        if (dxt_is_blank(*at)) continue;
        if (!dxt_is_digit(*at) && !memchr(marks, *at, sizeof marks - 1)) return false;
        any = true;
    }
    return any;
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
