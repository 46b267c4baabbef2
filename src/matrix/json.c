/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/json.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "matrix/scan.h"
#include "matrix/utf8.h"

/* Longest number that is converted. */
#define NUMBER_SIZE 128

static bool wrong(dxt_json *json, const char *why)
{
    json->why = json->at < json->end ? why : "the line ends too early";
    return false;
}

bool dxt_json_space(dxt_json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\t' || *json->at == '\r'))
        json->at++;
    return json->at < json->end;
}

bool dxt_json_take(dxt_json *json, char c)
{
    if (!dxt_json_space(json) || *json->at != c) return false;
    json->at++;
    return true;
}

bool dxt_json_expect(dxt_json *json, char c)
{
    if (dxt_json_take(json, c)) return true;
    return wrong(json, c == ':'   ? "a colon is missing"
                       : c == '"' ? "a name in quotes is missing"
                       : c == '[' ? "an array is missing"
                       : c == ']' ? "a comma or ] is missing"
                       : c == '}' ? "a comma or } is missing"
                                  : "an object is missing");
}

bool dxt_json_literal(dxt_json *json, const char *word)
{
    size_t size = strlen(word);
    if (!dxt_json_space(json) || (size_t)(json->end - json->at) < size) return false;
    if (memcmp(json->at, word, size) != 0) return false;
    json->at += size;
    return true;
}

/* ---- strings ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Take "\uXXXX" at `at`. */
static bool take_unit(dxt_json *json, uint32_t *unit)
{
    uint32_t sum = 0;
    if (json->end - json->at < 6 || json->at[0] != '\\' || json->at[1] != 'u') return false;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(json->at[i]);
        if (digit < 0) return false;
        sum = sum << 4 | (uint32_t)digit;
    }
    json->at += 6;
    *unit = sum;
    return true;
}

/* Take an escape of one code point. */
static bool take_escape(dxt_json *json, uint32_t *code)
{
    static const char names[] = "\"\\/bfnrt";
    static const char codes[] = "\"\\/\b\f\n\r\t";
    uint32_t low;
    if (json->end - json->at >= 2 && json->at[1] != 'u') {
        const char *name = json->at[1] ? strchr(names, json->at[1]) : NULL;
        if (!name) return wrong(json, "this escape does not exist");
        *code = (uint32_t)codes[name - names];
        json->at += 2;
        return true;
    }
    if (!take_unit(json, code)) return wrong(json, "an escape is incomplete");
    if (*code < 0xd800 || *code > 0xdfff) return true;
    if (*code > 0xdbff || !take_unit(json, &low) || low < 0xdc00 || low > 0xdfff)
        return wrong(json, "an escape is half a surrogate pair");
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* Take a string. `out` receives it unless NULL; it never needs more room than the text. */
static bool take_string(dxt_json *json, char *out)
{
    if (!dxt_json_expect(json, '"')) return false;
    for (;;) {
        const char *from = json->at;
        while (json->at < json->end && *json->at != '"' && *json->at != '\\' &&
               (unsigned char)*json->at >= ' ')
            json->at++;
        size_t plain = (size_t)(json->at - from);
        if (!dxt_utf8_valid(from, plain)) {
            json->at = from;
            return wrong(json, "a string is not UTF-8");
        }
        if (out && plain > 0) {
            memcpy(out, from, plain);
            out += plain;
        }
        if (json->at == json->end) return wrong(json, "");
        if (*json->at == '"') break;
        uint32_t code;
        if (*json->at != '\\') return wrong(json, "a string holds a control character");
        const char *escape = json->at;
        if (!take_escape(json, &code)) return false;
        if (!out) continue;
        if (code == 0) {
            json->at = escape;
            return wrong(json, "a string holds U+0000");
        }
        out = dxt_put_utf8(out, code);
    }
    json->at++;
    if (out) *out = '\0';
    return true;
}

dxt_status dxt_json_string(dxt_json *json, char **text)
{
    dxt_json ahead = *json;
    if (!take_string(&ahead, NULL)) {
        *json = ahead;
        return DXT_ERR_FORMAT;
    }
    size_t size = (size_t)(ahead.at - json->at);
    char *copy = malloc(size);
    if (!copy) return dxt_fail_memory(size);
    if (!take_string(json, copy)) {
        free(copy);
        return DXT_ERR_FORMAT;
    }
    *text = copy;
    return DXT_OK;
}

/* ---- numbers ---- */

static bool take_digits(dxt_json *json)
{
    const char *from = json->at;
    while (json->at < json->end && dxt_is_digit(*json->at)) json->at++;
    return json->at > from || wrong(json, "a digit is missing");
}

static bool take_number(dxt_json *json)
{
    if (json->at < json->end && *json->at == '-') json->at++;
    if (json->at < json->end && *json->at == '0') {
        json->at++;
        if (json->at < json->end && dxt_is_digit(*json->at))
            return wrong(json, "a number begins with 0");
    } else if (!take_digits(json)) {
        return false;
    }
    if (json->at < json->end && *json->at == '.') {
        json->at++;
        if (!take_digits(json)) return false;
    }
    if (json->at < json->end && (*json->at == 'e' || *json->at == 'E')) {
        json->at++;
        if (json->at < json->end && (*json->at == '+' || *json->at == '-')) json->at++;
        if (!take_digits(json)) return false;
    }
    return true;
}

bool dxt_json_double(dxt_json *json, double *value)
{
    char copy[NUMBER_SIZE];
    dxt_json_space(json);
    const char *from = json->at;
    if (from == json->end || (*from != '-' && !dxt_is_digit(*from)))
        return wrong(json, "a number is missing");
    if (!take_number(json)) return false;
    size_t size = (size_t)(json->at - from);
    json->at = from;
    if (size >= sizeof copy) return wrong(json, "a number is too long");
    memcpy(copy, from, size);
    copy[size] = '\0';
    /* The program may have set a locale whose decimal point is a comma. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale) return wrong(json, "the C locale is missing");
    double converted = strtod_l(copy, NULL, c_locale);
    freelocale(c_locale);
    if (!isfinite(converted)) return wrong(json, "a number is too large");
    json->at = from + size;
    *value = converted;
    return true;
}

/* ---- any value ---- */

static bool skip_scalar(dxt_json *json)
{
    char c = *json->at;
    if (c == '"') return take_string(json, NULL);
    if (c == '-' || dxt_is_digit(c)) return take_number(json);
    if (dxt_json_literal(json, "true") || dxt_json_literal(json, "false") ||
        dxt_json_literal(json, "null"))
        return true;
    return wrong(json, "a value is missing");
}

static bool skip_name(dxt_json *json)
{
    return take_string(json, NULL) && dxt_json_expect(json, ':');
}

bool dxt_json_skip(dxt_json *json)
{
    char closing[DXT_JSON_DEPTH];
    size_t depth = 0;
    for (;;) {
        if (!dxt_json_space(json)) return wrong(json, "");
        char c = *json->at;
        if (c == '[' || c == '{') {
            if (depth == DXT_JSON_DEPTH) return wrong(json, "the value is nested too deeply");
            json->at++;
            closing[depth++] = c == '[' ? ']' : '}';
            if (!dxt_json_take(json, closing[depth - 1])) {
                if (c == '{' && !skip_name(json)) return false;
                continue;
            }
            depth--;
        } else if (!skip_scalar(json)) {
            return false;
        }
        /* A value has ended, and with it perhaps what encloses it. */
        while (depth > 0 && !dxt_json_take(json, ',')) {
            if (!dxt_json_expect(json, closing[depth - 1])) return false;
            depth--;
        }
        if (depth == 0) return true;
        if (closing[depth - 1] == '}' && !skip_name(json)) return false;
    }
}
