/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/literal.h"

#include <string.h>

#include "matrix/scan.h"

/* ---- whether it is one ---- */

/* A bracket opens: behind a comma or colon, or "(" behind the name of a call. */
static bool push(dxt_literal *literal, char c)
{
    bool call = c == '(' && literal->last == 'w' && !literal->gap;
    if ((literal->last && !call) || literal->depth == DXT_LITERAL_DEPTH) return false;
    literal->closing[literal->depth++] = c == '[' ? ']' : c == '{' ? '}' : ')';
    literal->last = 0;
    return true;
}

/* Whether a character outside of texts fits what was before it. */
static bool take(dxt_literal *literal, char c)
{
    if (c == '"' || c == '\'') {
        literal->quote = c;
        return literal->last == 0;
    }
    if (c == '[' || c == '{' || c == '(') return push(literal, c);
    if (c == ']' || c == '}' || c == ')') {
        literal->last = 'c';
        return literal->depth > 0 && literal->closing[--literal->depth] == c;
    }
    if (c == ',' || c == ':' || c == '=') {
        literal->last = 0;
        return true;
    }
    /* Two words without anything between them are prose. */
    bool alone = literal->last == 0 || (literal->last == 'w' && !literal->gap);
    literal->last = 'w';
    return dxt_is_word(c) && alone;
}

dxt_literal_end dxt_literal_scan(dxt_literal *literal, const char **at, const char *end)
{
    for (; *at < end; ++*at) {
        char c = **at;
        if (literal->quote) {
            if (literal->escaped)
                literal->escaped = false;
            else if (c == '\\')
                literal->escaped = true;
            else if (c == literal->quote)
                literal->quote = 0, literal->last = 'q';
            continue;
        }
        if (dxt_is_blank(c)) {
            literal->gap = true;
            continue;
        }
        if (!take(literal, c)) return DXT_LITERAL_NONE;
        literal->gap = false;
        if (literal->depth == 0) {
            ++*at;
            return DXT_LITERAL_CLOSED;
        }
    }
    literal->gap = true;
    return literal->quote ? DXT_LITERAL_NONE : DXT_LITERAL_OPEN;
}
