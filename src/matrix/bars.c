/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that are drawn: with bars, with the characters for boxes, with the ampersands of LaTeX. */
#include <string.h>

#include "matrix/cells.h"
#include "matrix/scan.h"

/* Bytes of a character of U+2500 to U+257F, with which tables are drawn; 0: it is none. */
static size_t box_length(const char *at, const char *end)
{
    if (end - at < 3 || (unsigned char)at[0] != 0xe2) return 0;
    return (unsigned char)at[1] == 0x94 || (unsigned char)at[1] == 0x95 ? 3 : 0;
}

/* Bytes of what separates columns: a bar, or the ampersand of LaTeX. */
static size_t bar_length(const char *at, const char *end)
{
    static const char bars[][4] = {"\xe2\x94\x82", "\xe2\x94\x83", "\xe2\x95\x91", "\xe2\x94\x86",
                                   "\xe2\x94\x87", "\xe2\x94\x8a", "\xe2\x94\x8b"};
    if (*at == '|' || *at == '&') return 1;
    for (size_t i = 0; i < sizeof bars / sizeof bars[0] && end - at >= 3; i++)
        if (memcmp(at, bars[i], 3) == 0) return 3;
    return 0;
}

bool dxt_is_rule(const char *at, const char *end)
{
    int strokes = 0;
    while (at < end) {
        size_t box = box_length(at, end);
        if (!box && !strchr("-=+|: \t\r", *at)) return false;
        strokes += box > 0 || *at == '=' || (*at == '-' && at + 1 < end && at[1] == '-');
        at += box ? box : 1;
    }
    return strokes > 1;
}

/* "||r0|1|2|" and "|| ||r0||r1||" of Jira: two bars stand in front of a name. */
static bool has_double(const char *at, const char *end)
{
    if (end - at < 3 || at[0] != '|' || at[1] != '|') return false;
    while (at < end && (*at == '|' || dxt_is_blank(*at))) at++;
    return at < end && dxt_is_letter(*at);
}

dxt_status dxt_clear_bars(dxt_reader *reader, const char **line, const char **end)
{
    dxt_text *cells = &reader->cells;
    const char *at = dxt_skip_blanks(*line, *end), *to = *end;
    while (to > at && dxt_is_blank(to[-1])) to--;
    if (to - at >= 2 && memcmp(to - 2, "\\\\", 2) == 0) to -= 2;
    while (to > at && dxt_is_blank(to[-1])) to--;
    size_t first = at < to ? bar_length(at, to) : 0;
    bool last = to > at + first && (to[-1] == '|' || (to - at >= 3 && bar_length(to - 3, to) == 3));
    if (last) to -= to[-1] == '|' ? 1 : 3;
    bool twice = has_double(at, *end);
    if (twice && last && to[-1] == '|') to--;
    if (twice) first++;
    cells->size = 0;
    for (at += first; at < to;) {
        size_t bar = bar_length(at, to);
        if (twice && to - at > 1 && *at == '|' && at[1] == '|') bar = 2;
        if (bar)
            dxt_text_append(cells, "\x1f", 1);
        else if (*at != '*' && *at != '`')
            dxt_text_append(cells, at, 1);
        at += bar ? bar : 1;
    }
    dxt_text_puts(cells, "");
    if (cells->failed) return dxt_fail_memory(0);
    *line = cells->data;
    *end = cells->data + cells->size;
    return DXT_OK;
}

bool dxt_has_bars(const char *at, const char *end)
{
    for (const char *c = at; c < end; c++)
        if (*c == '|' || *c == '&' || ((unsigned char)*c == 0xe2 && bar_length(c, end)))
            return true;
    return false;
}
