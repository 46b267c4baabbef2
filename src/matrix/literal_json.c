/* SPDX-License-Identifier: Apache-2.0 */
/* A recording that is written as Python writes it, or with its members in any order: as a line. */
#include <string.h>

#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/spot.h"

bool dxt_token_called(const dxt_token *name, const char *what)
{
    return name->quote && dxt_token_is(name, what) && memcmp(name->at, what, strlen(what)) == 0;
}

/* A text of Python in the words of JSON: "\\'" is an apostrophe, and "\\xa0" one of two bytes. */
static void put_text(dxt_text *lines, const dxt_token *text)
{
    dxt_text_puts(lines, "\"");
    for (const char *at = text->at; at < text->end; at++) {
        bool escape = *at == '\\' && at + 1 < text->end;
        if (text->quote == '\'' && *at == '"') dxt_text_puts(lines, "\\");
        if (escape && at[1] == '\'' && text->quote == '\'') at++, escape = false;
        dxt_text_append(lines, at, 1);
        if (!escape) continue;
        at++;
        if (*at == 'x')
            dxt_text_puts(lines, "u00");
        else
            dxt_text_append(lines, at, 1);
    }
    dxt_text_puts(lines, "\"");
}

/* A value in the words of JSON: Python has texts in single quotes, None, True, tuples. */
static void put_json(dxt_spot in, const char *end)
{
    static const char *const words[][2] = {
        {"None", "null"}, {"True", "true"}, {"False", "false"}, {"nan", "null"}};
    while (in.at < end) {
        char c = *in.at;
        dxt_token token = dxt_spot_token(&in);
        if (token.quote) {
            put_text(in.lines, &token);
        } else if (token.end > token.at) {
            size_t size = (size_t)(token.end - token.at);
            const char *word = NULL;
            for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
                if (strlen(words[i][0]) == size && memcmp(token.at, words[i][0], size) == 0)
                    word = words[i][1];
            dxt_text_append(in.lines, word ? word : token.at, word ? strlen(word) : size);
        } else {
            c = c == '(' ? '[' : c == ')' ? ']' : c == '\n' || c == '\r' ? ' ' : c;
            dxt_text_append(in.lines, &c, 1);
            in.at++;
        }
    }
}

/* The members of a recording that are called "v", or the others. */
static const char *put_members(dxt_spot in, bool v)
{
    in.at++;
    for (dxt_spot_blanks(&in); in.at < in.end && *in.at != '}'; dxt_spot_blanks(&in)) {
        const char *before = in.at;
        dxt_spot member = in;
        dxt_token name = dxt_spot_token(&in);
        dxt_spot_skip(&in);
        if (in.at == before) break;
        if (dxt_token_called(&name, "v") != v) continue;
        dxt_text_puts(in.lines, v ? "{" : ",");
        put_json(member, in.at);
    }
    return in.at;
}

void dxt_put_recording(dxt_spot *in)
{
    put_members(*in, true);
    in->at = put_members(*in, false);
    if (in->at < in->end) in->at++;
    dxt_text_puts(in->lines, "}\n");
}
