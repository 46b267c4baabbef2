/* SPDX-License-Identifier: Apache-2.0 */
/* Lines as syslog and mails write them: "#012" for a newline, "=3D" for an equals sign, and "=" at
 * the end of a line that goes on. */
#include <string.h>

#include "matrix/reader.h"
#include "matrix/scan.h"
#include "system/text.h"

/* Lines of quoted-printable text are not longer. */
#define MAIL_WIDTH 76
/* Nor are lines that are looked at for signs of it. */
#define MOST_WIDTH 200

/* ---- syslog ---- */

/* The character that "#012" stands for; −1: it stands for none. */
static int octal(const char *at, const char *end)
{
    int value = 0;
    if (end - at < 4 || at[1] != '0') return -1;
    for (int i = 1; i < 4; i++) {
        if (at[i] < '0' || at[i] > '7') return -1;
        value = 8 * value + (at[i] - '0');
    }
    return value == '\n' || value == '\t' || value == 27 ? value : -1;
}

static dxt_status split_syslog(dxt_reader *reader, const char *at, const char *end)
{
    dxt_text *lines = &reader->document.lines;
    lines->size = 0;
    while (at < end) {
        const char *mark = memchr(at, '#', (size_t)(end - at));
        if (!mark) mark = end;
        dxt_text_append(lines, at, (size_t)(mark - at));
        int c = mark < end ? octal(mark, end) : 0;
        char plain = (char)(c < 0 ? '#' : c);
        if (mark < end) dxt_text_append(lines, &plain, 1);
        at = mark < end ? mark + (c < 0 ? 1 : 4) : end;
    }
    dxt_text_puts(lines, "\n");
    if (lines->failed) return dxt_fail_memory(0);
    dxt_serve_inner(reader, lines);
    return DXT_OK;
}

/* ---- mails ---- */

static int hex(char c)
{
    return dxt_is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Add a line; @return whether it goes on with the next one. */
static bool add_printable(dxt_text *text, const char *at, const char *end)
{
    while (at < end) {
        const char *mark = memchr(at, '=', (size_t)(end - at));
        if (!mark) mark = end;
        dxt_text_append(text, at, (size_t)(mark - at));
        if (mark < end && mark + 1 == end) return true;
        bool coded = end - mark >= 3 && hex(mark[1]) >= 0 && hex(mark[2]) >= 0;
        char c = coded ? (char)(16 * hex(mark[1]) + hex(mark[2])) : '=';
        if (mark < end) dxt_text_append(text, &c, 1);
        at = mark < end ? mark + (coded ? 3 : 1) : end;
    }
    return false;
}

/* Whether a line says or shows that the text is quoted-printable. */
static bool is_printable(const char *line, const char *end)
{
    if (dxt_has_text(line, end, "rank=3D")) return true;
    if (end - line == MAIL_WIDTH && end[-1] == '=' && dxt_has_text(line, end, "[Diagnose]"))
        return true;
    return dxt_has_text(line, end, "Transfer-Encoding: quoted-printable");
}

dxt_status dxt_unescape(dxt_reader *reader, const char **line, size_t *size)
{
    const char *end = *line + *size;
    bool within = reader->inner_at < reader->inner.size;
    if (!within && *size > 0 && memchr(*line, '#', *size) &&
        (dxt_has_text(*line, end, "#012") || dxt_has_text(*line, end, "#011") ||
         dxt_has_text(*line, end, "#033"))) {
        dxt_status status = split_syslog(reader, *line, end);
        *line = NULL;
        return status;
    }
    if (!reader->printable) {
        bool may =
            *size > 0 && *size <= MOST_WIDTH && (memchr(*line, '=', *size) || (**line | 32) == 'c');
        reader->printable = may && is_printable(*line, end);
        if (may && dxt_has_text(*line, end, "Transfer-Encoding: base64"))
            dxt_reader_hint(reader, "a mail whose text is packed as base64: save the text itself");
        if (!reader->printable) return DXT_OK;
    }
    dxt_text *text = &reader->escaped;
    if (text->size + *size > reader->input.line_max)
        return dxt_reader_fail(reader, DXT_ERR_LIMIT, "the line is longer than %zu bytes",
                               reader->input.line_max);
    bool more = add_printable(text, *line, end);
    dxt_text_puts(text, "");
    if (text->failed) return dxt_fail_memory(0);
    *line = more ? NULL : text->data;
    *size = text->size;
    if (!more) text->size = 0;
    return DXT_OK;
}
