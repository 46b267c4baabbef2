/* SPDX-License-Identifier: Apache-2.0 */
/* Several matrices, or rows of one rank, behind each other in a line: a line for each. */
#include <string.h>
#include <strings.h>

#include "matrix/lines.h"
#include "matrix/scan.h"

/* A longer line is not looked at for others. */
#define MOST_LINE 262144

/* The first place at which a letter stands twice; NULL if there is none. Not by memmem(), of which
 * sanitizers look at the whole text each time. */
static const char *find_twice(const char *at, const char *end, char letter)
{
    while ((at = memchr(at, letter, (size_t)(end - at)))) {
        if (end - at > 1 && at[1] == letter) return at;
        at++;
    }
    return NULL;
}

dxt_status dxt_split_matrices(dxt_reader *reader, const char *line, const char *end, bool *done)
{
    dxt_text *lines = &reader->document.lines;
    /* Each is looked for again only once it is passed: a line may have as many as it likes. */
    const char *close = line, *open = line, *word = line;
    *done = false;
    if (reader->headers || reader->inner_at < reader->inner.size) return DXT_OK;
    while ((close = find_twice(close, end, ']'))) {
        close += 2;
        if (open < close) open = find_twice(close, end, '[');
        if (!open) break;
        if (word < close) word = close;
        while (word < open && !dxt_is_letter(*word)) word++;
        if (word == open) {
            close = open;
            continue;
        }
        if (!*done) lines->size = 0;
        *done = true;
        dxt_text_append(lines, line, (size_t)(close - line));
        dxt_text_puts(lines, "\n");
        line = close;
    }
    if (!*done) return DXT_OK;
    dxt_text_append(lines, line, (size_t)(end - line));
    if (lines->failed) return dxt_fail_memory(0);
    dxt_serve_inner(reader, lines);
    return DXT_OK;
}

/* ---- rows of two operators ---- */

/* The next "dispatch" or "combine"; NULL: there is none. */
static const char *find_operator(const char *at, const char *end)
{
    for (; end - at >= 7; at++) {
        if ((*at | 32) == 'c' && strncasecmp(at, "combine", 7) == 0) return at;
        if ((*at | 32) == 'd' && end - at >= 8 && strncasecmp(at, "dispatch", 8) == 0) return at;
    }
    return NULL;
}

/* Numbers that stand in a text, as words of their own, up to a closing bracket. */
static uint32_t count_numbers(const char *at, const char *end)
{
    uint32_t count = 0;
    while (at < end && *at != ']' && *at != ')') {
        const char *word = at;
        while (at < end && dxt_is_word(*at)) at++;
        count += at > word && dxt_is_digit(*word);
        at += at == word;
    }
    return count;
}

/* Whether values stand behind the name of an operator: "dispatch: 1 2", "combine=tensor([1, 2". */
static bool has_values(const char *at, const char *end)
{
    while (at < end && !strchr(":=[(", *at)) at++;
    while (at < end && (strchr(":=[( ", *at) || dxt_is_letter(*at))) at++;
    return count_numbers(at, end) >= 2;
}

/* What stands in front of the operators, without lists of others. */
static void put_front(dxt_text *lines, const char *at, const char *end)
{
    while (at < end) {
        const char *open = memchr(at, '[', (size_t)(end - at));
        const char *close = open ? memchr(open, ']', (size_t)(end - open)) : NULL;
        bool list = close && count_numbers(open + 1, close) >= 2;
        const char *to = list ? open : close ? close + 1 : end;
        dxt_text_append(lines, at, (size_t)(to - at));
        at = list ? close + 1 : to;
    }
}

/* The lines that a line with the values of two operators stands for. @return How many. */
static uint32_t put_operators(dxt_text *lines, const char *line, const char *end)
{
    uint32_t count = 0;
    bool differ = false;
    const char *first = NULL;
    lines->size = 0;
    for (const char *at = find_operator(line, end), *next; at; at = next) {
        next = find_operator(at + 7, end);
        const char *to = next ? next : end;
        if (!has_values(at, to)) continue;
        if (!first) first = at;
        differ = differ || (*at | 32) != (*first | 32);
        if (count++ > 0) dxt_text_puts(lines, "\n");
        put_front(lines, line, first);
        while (to > at && (dxt_is_blank(to[-1]) || strchr(",;|", to[-1]))) to--;
        dxt_text_append(lines, at, (size_t)(to - at));
    }
    return differ ? count : 0;
}

dxt_status dxt_split_operators(const dxt_reader *reader, const char *line, const char *end,
                               dxt_text *lines)
{
    size_t size = (size_t)(end - line);
    if (reader->headers || size > MOST_LINE || size < 15 ||
        !(memmem(line, size, "ombine", 6) || memmem(line, size, "OMBINE", 6)))
        return DXT_OK;
    const char *other = find_operator(line, end);
    if (other) other = find_operator(other + 7, end);
    if (!other || memmem(line, size, "[[", 2)) return DXT_OK;
    if (put_operators(lines, line, end) < 2) lines->size = 0;
    return lines->failed ? dxt_fail_memory(0) : DXT_OK;
}

/* ---- several lists ---- */

static bool has_bracket(const char *at, const char *end)
{
    size_t size = at < end ? (size_t)(end - at) : 0;
    return size > 0 && (memchr(at, '[', size) || memchr(at, '(', size));
}

/* Whether a list of so many numbers stands in a part of a line. */
static bool has_list(const char *at, const char *end, uint32_t count)
{
    for (; at < end; at++) {
        if (*at != '[' && *at != '(') continue;
        const char *close = at + 1;
        bool numbers = true;
        for (; close < end && !strchr("[]()", *close); close++)
            numbers = numbers && (dxt_is_word(*close) || dxt_is_blank(*close) || *close == ',');
        if (numbers && close < end && count_numbers(at + 1, close) == count) return true;
        at = close - 1;
    }
    return false;
}

dxt_status dxt_tell_lists(dxt_reader *reader, const char *line, const char *end,
                          const dxt_found *found)
{
    if (reader->headers || reader->around.lists || end - line > MOST_LINE) return DXT_OK;
    bool tuple = !found->bracket && found->at > line && found->at[-1] == '(';
    const char *at = found->at + found->bracket, *close = found->end;
    if (!found->bracket && !tuple) return DXT_OK;
    if (found->bracket) close = memchr(at, ']', (size_t)(found->end - at));
    if (!close || memchr(at, '[', (size_t)(close - at))) return DXT_OK;
    if (!has_bracket(line, found->at) && !has_bracket(close, end)) return DXT_OK;
    uint32_t count = count_numbers(at, close);
    bool before = has_list(line, found->at, count), after = has_list(close, end, count);
    if (count < 2 || !(before || after)) return DXT_OK;
    reader->around.lists = true;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, reader->input.line,
                           "several lists of %u numbers stand in a line: of each the %s is read",
                           count, before ? "last" : "first");
}
