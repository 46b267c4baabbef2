/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/scan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* Bytes of the UTF-8 character at `at`, 0 if it is none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        size_t length;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1, 0},
                 {0xe0, 0xc0, 2, 0x80},
                 {0xf0, 0xe0, 3, 0x800},
                 {0xf8, 0xf0, 4, 0x10000}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if ((at[0] & forms[i].mask) != forms[i].lead) continue;
        if (forms[i].length > left) return 0;
        uint32_t code = at[0] & (unsigned char)~forms[i].mask;
        for (size_t k = 1; k < forms[i].length; k++) {
            if ((at[k] & 0xc0) != 0x80) return 0;
            code = code << 6 | (at[k] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        return code < forms[i].least || surrogate || code > 0x10ffff ? 0 : forms[i].length;
    }
    return 0;
}

bool dxt_utf8_valid(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    while (size > 0) {
        size_t length = utf8_length(at, size);
        if (length == 0) return false;
        at += length;
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
