/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around the lines of a log: colours, odd blanks, escapes of syslog, lines in parts. */
#include <stdlib.h>
#include <string.h>

#include "matrix/reader.h"
#include "matrix/scan.h"
#include "system/text.h"

/* So far a recording may begin with fields of others. */
#define LOOK_SIZE 4096
/* Braces in front of a recording that are looked at: labels of whoever passed the line on. */
#define MOST_BRACES 8

/* ---- colours ---- */

/* Behind an escape sequence: ESC [ … letter, ESC ] … BEL, ESC and one character. */
static const char *skip_escape(const char *at, const char *end)
{
    if (++at == end) return at;
    char kind = *at++;
    if (kind == '[') {
        while (at < end && (unsigned char)*at < '@') at++;
        return at < end ? at + 1 : at;
    }
    if (kind != ']') return at;
    while (at < end && *at != 7 && *at != 27) at++;
    return at < end && *at == 7 ? at + 1 : at;
}

/* Bytes of a character that is a blank for people: no-break, figure, thin and narrow spaces; or of
 * one that is not seen at all. 0: it is none of these. */
static size_t space_length(const char *at, const char *end, bool *seen)
{
    const unsigned char *c = (const unsigned char *)at;
    *seen = true;
    if (end - at >= 2 && c[0] == 0xc2 && c[1] == 0xa0) return 2;
    if (end - at < 3) return 0;
    if (c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0x80 && c[2] <= 0x8a) return 3;
    if (c[0] == 0xe2 && c[1] == 0x80 && c[2] == 0xaf) return 3;
    *seen = false;
    bool none = (c[0] == 0xe2 && c[1] == 0x80 && c[2] == 0x8b) ||
                (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf);
    return none ? 3 : 0;
}

/* What stands for a character of three bytes that is written for a plain one: U+2019 parts
 * thousands, U+2026, U+22EE, U+22EF and U+22F1 are dots. NULL: nothing does. */
static const char *plain_for(const char *at, const char *end)
{
    static const char dots[4][4] = {"\xe2\x80\xa6", "\xe2\x8b\xae", "\xe2\x8b\xaf", "\xe2\x8b\xb1"};
    if (end - at < 3 || (unsigned char)*at != 0xe2) return NULL;
    if (memcmp(at, "\xe2\x80\x99", 3) == 0) return "'";
    for (size_t i = 0; i < 4; i++)
        if (memcmp(at, dots[i], 3) == 0) return "...";
    return NULL;
}

/* Whether a line holds an escape or anything beyond ASCII. */
static bool is_strange(const char *at, const char *end)
{
    unsigned char all = 0, escapes = 0;
    for (; at < end; at++) {
        all |= (unsigned char)*at;
        escapes |= *at == 27;
    }
    return (all & 0x80) || escapes;
}

/* The line without colours, with blanks for what looks like one. */
static dxt_status clean_line(dxt_reader *reader, const char **line, size_t *size)
{
    dxt_text *clean = &reader->clean;
    const char *at = *line, *end = at + *size, *from = at;
    clean->size = 0;
    dxt_text_puts(clean, "");
    while (at < end) {
        bool seen = false;
        size_t space = (unsigned char)*at < 0x80 ? 0 : space_length(at, end, &seen);
        const char *plain = space ? NULL : plain_for(at, end);
        if (*at != 27 && space == 0 && !plain) {
            at++;
            continue;
        }
        dxt_text_append(clean, from, (size_t)(at - from));
        if (seen || plain) dxt_text_puts(clean, plain ? plain : " ");
        from = at = plain ? at + 3 : space ? at + space : skip_escape(at, end);
    }
    dxt_text_append(clean, from, (size_t)(end - from));
    if (clean->failed) return dxt_fail_memory(0);
    *line = clean->data;
    *size = clean->size;
    return DXT_OK;
}

/* ---- parts of lines ---- */

dxt_status dxt_keep_part(const dxt_reader *reader, dxt_text *kept, const char *at, size_t size)
{
    if (kept->size + size > reader->input.line_max)
        return dxt_reader_fail(reader, DXT_ERR_LIMIT, "the line is longer than %zu bytes",
                               reader->input.line_max);
    dxt_text_append(kept, at, size);
    return kept->failed ? dxt_fail_memory(0) : DXT_OK;
}

/* Behind "TIME stdout F " of a container's log; `part`: P instead of F; `stream`: stderr. */
static const char *skip_container(const char *at, const char *end, bool *part, bool *stream)
{
    if (end - at < 24 || !dxt_is_digit(*at) || at[4] != '-' || at[10] != 'T') return NULL;
    const char *space = memchr(at, ' ', (size_t)(end - at));
    if (!space || end - space < 10) return NULL;
    if (memcmp(space, " stdout ", 8) != 0 && memcmp(space, " stderr ", 8) != 0) return NULL;
    if ((space[8] != 'F' && space[8] != 'P') || space[9] != ' ') return NULL;
    *part = space[8] == 'P';
    *stream = space[4] == 'e';
    return space + 10;
}

dxt_status dxt_unwrap_text(dxt_reader *reader, const char **line, size_t *size)
{
    bool part = false, stream = false;
    const char *text = skip_container(*line, *line + *size, &part, &stream);
    if (text) {
        dxt_text *partial = &reader->partial[stream];
        *size -= (size_t)(text - *line);
        *line = text;
        if (part || partial->size > 0) {
            dxt_status status = dxt_keep_part(reader, partial, *line, *size);
            if (status != DXT_OK) return status;
            *line = part ? NULL : partial->data;
            *size = partial->size;
            if (part) return DXT_OK;
            partial->size = 0;
        }
    }
    bool strange = *size > 0 && is_strange(*line, *line + *size);
    return strange ? clean_line(reader, line, size) : DXT_OK;
}

/* ---- JSON ---- */

bool dxt_is_object(const char *brace, const char *end)
{
    const char *name = brace + 1;
    while (name < end && dxt_is_blank(*name)) name++;
    return name == end || *name == '"' || *name == '}';
}

bool dxt_is_recording(const char *line, const char *end)
{
    if (end - line >= 5 && memcmp(line, "{\"v\":", 5) == 0) return true;
    const char *to = end - line > LOOK_SIZE ? line + LOOK_SIZE : end;
    bool v = dxt_has_text(line, to, "\"v\""), phase = dxt_has_text(line, to, "\"phase\"");
    if (v && (phase || dxt_has_text(line, to, "\"wait\""))) return true;
    return phase && dxt_has_text(line, to, "\"ranks\"");
}

const char *dxt_find_recording(const char *line, const char *end)
{
    const char *at = line;
    for (int i = 0; i < MOST_BRACES; i++) {
        at = end > at ? memchr(at, '{', (size_t)(end - at)) : NULL;
        if (!at) return NULL;
        if (dxt_is_object(at, end) && dxt_is_recording(at, end)) return at;
        at++;
    }
    return NULL;
}
