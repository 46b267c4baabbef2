/* SPDX-License-Identifier: Apache-2.0 */
#include "render/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/scale.h"

#define REPLACEMENT 0xfffdu

uint32_t dxt_utf8_next(const char *string, size_t *size)
{
    uint32_t code = dxt_utf8_decode(string, SIZE_MAX, size);
    return code == DXT_UTF8_NONE ? REPLACEMENT : code;
}

void dxt_text_clean(dxt_text *text, const char *string, bool newlines)
{
    dxt_text_puts(text, ""); /* terminated, even if nothing is left */
    for (size_t size; *string; string += size) {
        uint32_t c = dxt_utf8_next(string, &size);
        if (c == '\n')
            dxt_text_puts(text, newlines ? "\n" : " ");
        else if (c == '\t')
            dxt_text_puts(text, " ");
        else if (c == REPLACEMENT)
            dxt_text_puts(text, "\xef\xbf\xbd");
        else if (!dxt_is_unprintable(c))
            dxt_text_append(text, string, size);
    }
}

void dxt_text_escape(dxt_text *text, const char *string)
{
    for (; *string; string++) {
        switch (*string) {
        case '&': dxt_text_puts(text, "&amp;"); break;
        case '<': dxt_text_puts(text, "&lt;"); break;
        case '>': dxt_text_puts(text, "&gt;"); break;
        case '"': dxt_text_puts(text, "&quot;"); break;
        case '\'': dxt_text_puts(text, "&#39;"); break;
        default: dxt_text_append(text, string, 1);
        }
    }
}

static bool within(uint32_t c, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

/* The ranges that matter in names; every terminal has a longer table of its own. */
static bool is_combining(uint32_t c)
{
    static const uint32_t ranges[][2] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                                         {0x64b, 0x65f},   {0x200b, 0x200f}, {0x20d0, 0x20f0},
                                         {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
    return within(c, ranges, sizeof ranges / sizeof ranges[0]);
}

static bool is_wide(uint32_t c)
{
    static const uint32_t ranges[][2] = {{0x1100, 0x115f},  {0x2e80, 0x303e}, {0x3041, 0xa4cf},
                                         {0xac00, 0xd7a3},  {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
                                         {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1faff},
                                         {0x20000, 0x3fffd}};
    return within(c, ranges, sizeof ranges / sizeof ranges[0]);
}

double dxt_terminal_width(uint32_t c)
{
    return is_combining(c) ? 0 : is_wide(c) ? 2 : 1;
}

double dxt_font_width(uint32_t c)
{
    if (is_combining(c)) return 0;
    if (is_wide(c)) return 1.1;
    if (c >= 0x80) return 0.7;
    if (strchr("iljtfr.,:;|!'()[] ", (int)c)) return 0.4;
    if (strchr("mwMW%@", (int)c)) return 0.95;
    return c >= 'A' && c <= 'Z' ? 0.72 : 0.62;
}

double dxt_width_of(const char *string, double (*width)(uint32_t))
{
    double sum = 0;
    for (size_t size; *string; string += size) sum += width(dxt_utf8_next(string, &size));
    return sum;
}

/* Whether a line may end at a blank: not before "%", and not inside "2026-11-26 03:34:48 UTC". */
static bool may_end(const char *begin, const char *blank)
{
    if (blank[1] == '%' || strncmp(blank + 1, "UTC", 3) == 0) return false;
    return blank - begin < 10 || blank[-3] != '-' || blank[-6] != '-' || blank[-1] < '0' ||
           blank[-1] > '9';
}

size_t dxt_wrap(const char **text, const char **line, double fits, double (*width)(uint32_t))
{
    const char *begin = *text, *at = begin, *space = NULL;
    double used = 0;
    for (size_t size; *at && *at != '\n'; at += size) {
        used += width(dxt_utf8_next(at, &size));
        if (*at == ' ' && may_end(begin, at)) space = at;
        /* One character at least, or a narrow place would never end. */
        if (used > fits && at > begin) break;
    }
    if (*at && *at != '\n' && space && space > begin) at = space;
    *line = begin;
    size_t length = (size_t)(at - begin);
    while (length > 0 && begin[length - 1] == ' ') length--;
    if (*at == '\n')
        at++;
    else
        while (*at == ' ') at++;
    *text = *at ? at : NULL;
    return length;
}

/* printf() would take the decimal point from the locale of the program. */
static void put_fixed(char *buffer, size_t size, double value, int digits, const char *suffix)
{
    static const long powers[] = {1, 10, 100, 1000};
    if (digits == 0 || fabs(value) >= 1e12) {
        snprintf(buffer, size, "%.0f%s", value, suffix);
        return;
    }
    long scaled = lround(fabs(value) * (double)powers[digits]);
    snprintf(buffer, size, "%s%ld.%0*ld%s", value < 0 && scaled > 0 ? "-" : "",
             scaled / powers[digits], digits, scaled % powers[digits], suffix);
}

void dxt_text_fixed(dxt_text *text, double value, int decimals)
{
    char buffer[400];
    put_fixed(buffer, sizeof buffer, value, decimals, "");
    size_t length = strlen(buffer);
    if (strchr(buffer, '.')) {
        while (buffer[length - 1] == '0') length--;
        if (buffer[length - 1] == '.') length--;
    }
    dxt_text_append(text, buffer, length);
}

/* Beyond the letters: 4.6e18. */
static void put_power(char *buffer, size_t size, double value)
{
    int exponent = (int)floor(log10(value));
    char suffix[16];
    if (value / pow(10, exponent) >= 9.95) exponent++;
    snprintf(suffix, sizeof suffix, "e%d", exponent);
    put_fixed(buffer, size, value / pow(10, exponent), 1, suffix);
}

char *dxt_short_figure(double value, char *buffer, size_t size)
{
    static const struct {
        double factor;
        const char *letter;
    } thousands[] = {{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}};
    size_t i = 0;
    if (value >= 9.995e14) {
        put_power(buffer, size, value);
        return buffer;
    }
    if (value >= 9999.5)
        while (i < 4 && value / thousands[i].factor >= 999.5) i++;
    double shown = value / thousands[i].factor;
    int digits = shown < 9.995 ? 2 : shown < 99.95 ? 1 : 0;
    if (shown == floor(shown)) digits = 0;
    put_fixed(buffer, size, shown, digits, thousands[i].letter);
    return buffer;
}

char *dxt_wait_figure(dxt_measure measure, double value, char *buffer, size_t size)
{
    if (dxt_measure_is_time(measure)) return dxt_format_ns(value, buffer, size);
    char figure[DXT_FIGURE_SIZE];
    snprintf(buffer, size, "%s cycles", dxt_short_figure(value, figure, sizeof figure));
    return buffer;
}

const char *dxt_unit_note(dxt_measure measure, double largest)
{
    double shown = largest / dxt_measure_shown(measure);
    if (!dxt_measure_is_time(measure) || !(shown >= 999.5)) return NULL;
    if (shown < 9999.5) return "1000 µs = 1 ms";
    return shown < 999.5e3 ? "1k µs = 1 ms" : "1k µs = 1 ms, 1M µs = 1 s";
}
