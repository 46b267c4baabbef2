/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and text as they stand in files. Ends are given by pointer; nothing is terminated. */
#ifndef DXT_MATRIX_SCAN_H
#define DXT_MATRIX_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <deepxtrace/status.h>

static inline bool dxt_is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline bool dxt_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/** Behind the blanks that text begins with. */
static inline const char *dxt_skip_blanks(const char *at, const char *end)
{
    while (at < end && dxt_is_blank(*at)) at++;
    return at;
}

/** Where text ends without the blanks at its end. */
static inline const char *dxt_trim_blanks(const char *at, const char *end)
{
    while (end > at && dxt_is_blank(end[-1])) end--;
    return end;
}

static inline const char *dxt_skip_digits(const char *at, const char *end)
{
    while (at < end && dxt_is_digit(*at)) at++;
    return at;
}

/** Behind characters that are any of these. */
static inline const char *dxt_skip_any(const char *at, const char *end, const char *marks)
{
    while (at < end && strchr(marks, *at)) at++;
    return at;
}

static inline bool dxt_is_letter(char c)
{
    return (unsigned char)((c | 32) - 'a') < 26;
}

/** A character of a word or a number. */
static inline bool dxt_is_word(char c)
{
    return dxt_is_letter(c) || dxt_is_digit(c) || c == '_' || c == '.' || c == '+' || c == '-';
}

/** What may stand behind a number: a blank, a bracket, a quote, or what separates values. */
static inline bool dxt_ends_number(char c)
{
    return dxt_is_blank(c) || c == ',' || c == ']' || c == ';' || c == '"' || c == '\'' ||
           c == ')' || c == '[';
}

/**
 * Read digits as an integer of 0 … 2^63 − 1.
 *
 * @return Behind the last digit; NULL, and @p value untouched, if there is none or it is too large.
 *         What follows the digits is for the caller to look at.
 */
static inline const char *dxt_scan_integer(const char *at, const char *end, int64_t *value)
{
    const char *from = at;
    uint64_t sum = 0;
    while (at < end && dxt_is_digit(*at) && at - from < 19)
        sum = sum * 10 + (uint64_t)(*at++ - '0');
    if (at == from || sum > INT64_MAX || (at < end && dxt_is_digit(*at))) return NULL;
    *value = (int64_t)sum;
    return at;
}

/**
 * Read a number ≥ 0 as people write them: digits, a point, an exponent.
 *
 * @param whole    Receives it, if it is an integer below 2^63 (1.5e3 is).
 * @param real     Receives it in any case.
 * @param decimal  Set if it is no such integer.
 * @return Behind it; NULL, and nothing received, if there is none or something else follows.
 */
const char *dxt_scan_number(const char *at, const char *end, int64_t *whole, double *real,
                            bool *decimal);

/** dxt_scan_why() for a counter, and what a negative one means. */
dxt_status dxt_scan_why_counter(const char *at, const char *end, char *text, size_t size);

/**
 * Say why no integer of 0 … 2^63 − 1 stands at @p at, e.g. "-5 is negative".
 *
 * @param text  Receives the reason; printable whatever the input is.
 * @return DXT_ERR_LIMIT if it is too large, else DXT_ERR_FORMAT.
 */
dxt_status dxt_scan_why(const char *at, const char *end, char *text, size_t size);

/** Whether a number begins here, be it one that a counter cannot be. */
bool dxt_begins_number(const char *at, const char *end);

/** Length of a word that stands for a number that is none, such as nan, null or inf; 0: it does
 *  not. */
size_t dxt_none_length(const char *at, const char *end);

/** Whether @p size bytes are UTF-8 as RFC 3629 defines it. */
bool dxt_utf8_valid(const char *text, size_t size);

/** Whether a phase may be called so: 1 … 255 bytes of UTF-8 without control characters. */
bool dxt_phase_valid(const char *text, size_t size);

#endif
