/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as JSON and Python write them, in one line or over several: {"dispatch": [[1, 2], [3,
 * 4]]}, an array of recordings, a list of tensors. They are gathered whole, and what they hold is
 * read as lines (literal.c). A line that cannot be part of one ends it: then it was text.
 */
#include <string.h>
#include <strings.h>

#include "matrix/reader.h"
#include "matrix/scan.h"
#include "system/text.h"

/* Whether a word and "(" stand at `at`: "tensor(", "np.int64(". */
static bool begins_call(const char *at, const char *end)
{
    const char *word = at;
    while (word < end && (dxt_is_letter(*word) || dxt_is_digit(*word) || *word == '.')) word++;
    return word > at && dxt_is_letter(*at) && word < end && *word == '(';
}

/* Whether "name:" stands at `at`, as JSON5 and YAML write a member. */
static bool begins_member(const char *at, const char *end)
{
    const char *word = at;
    while (word < end && (dxt_is_letter(*word) || dxt_is_digit(*word) || *word == '_')) word++;
    if (word == at || !dxt_is_letter(*at)) return false;
    word = dxt_skip_blanks(word, end);
    return end - word > 1 && *word == ':' && word[1] != ':';
}

/* Whether a bracket begins such a value, and no row, which the readers of text know. */
static bool begins_value(const char *at, const char *end)
{
    char bracket = *at;
    do at = dxt_skip_blanks(at + 1, end);
    while (at < end && bracket == '[' && *at == '[');
    if (at == end) return bracket != '(';
    if (bracket == '[') return *at == '{' || *at == '(' || begins_call(at, end);
    if (bracket == '(') return dxt_is_digit(*at) || *at == '(' || *at == '[';
    return *at == '"' || *at == '\'' || *at == '{' || *at == '(' || dxt_is_digit(*at) ||
           begins_member(at, end);
}

/* Behind "OrderedDict(" and what else stands in front of a value that is all there is to a call:
 * "defaultdict(<class 'list'>, ". */
static const char *skip_call(const char *at, const char *end)
{
    if (!begins_call(at, end)) return at;
    const char *in = memchr(at, '(', (size_t)(end - at));
    in++;
    if (in < end && *in == '<') {
        const char *close = memchr(in, '>', (size_t)(end - in));
        if (!close) return at;
        for (in = close + 1; in < end && (*in == ',' || dxt_is_blank(*in));) in++;
    }
    /* Of numbers the readers of text know more. */
    bool value = in < end && (*in == '{' || *in == '[') && begins_value(in, end);
    return value ? in : at;
}

/* "$1 = {{1, 2}," of a debugger, "w[2][2] = {{" of C: the first brace. */
static const char *skip_name(const char *at, const char *end)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    const char *brace = equals ? dxt_skip_blanks(equals + 1, end) : end;
    const char *in = brace < end && *brace == '{' ? dxt_skip_blanks(brace + 1, end) : end;
    return in < end && *in == '{' ? brace : at;
}

/* "[rank3]: ": the rank that a text names. */
static int64_t rank_in(const char *at, const char *end)
{
    int64_t rank;
    for (; end - at > 4; at++) {
        if (strncasecmp(at, "rank", 4) != 0) continue;
        at += 4;
        while (at < end && (dxt_is_blank(*at) || *at == '=' || *at == '_' || *at == ':')) at++;
        return dxt_scan_integer(at, end, &rank) ? rank : -1;
    }
    return -1;
}

bool dxt_document_find(dxt_reader *reader, const char **at, const char *end)
{
    const char *from = dxt_skip_blanks(*at, end);
    reader->document.rank = -1;
    if (reader->headers || reader->document.plain || from == end) return false;
    from = skip_name(skip_call(from, end), end);
    if (strchr("[({", *from) && begins_value(from, end)) {
        *at = from;
        return true;
    }
    /* Behind a prefix: an object, or an array of them, that ends with the line. */
    const char *last = end;
    while (last > from && dxt_is_blank(last[-1])) last--;
    const char *brace = NULL;
    if (last > from && last[-1] == '}')
        brace = memchr(from, '{', (size_t)(last - from));
    else if (last > from && last[-1] == ']')
        brace = memmem(from, (size_t)(last - from), "[{", 2);
    /* A header that was wrapped holds one, and is none. */
    if (brace && dxt_has_text(from, brace, "EPSize:")) return false;
    if (!brace || !begins_value(brace, last)) return false;
    /* "- {src: 0, dst: 1, wait: 5}" of YAML; behind other texts it holds lists. */
    bool item = brace - from > 1 && *from == '-' && dxt_skip_blanks(from + 1, brace) == brace;
    if (!item && !memchr(brace + 1, '[', (size_t)(last - brace) - 1)) return false;
    dxt_literal literal = {.depth = 0};
    const char *stop = brace;
    if (dxt_literal_scan(&literal, &stop, last) != DXT_LITERAL_CLOSED || stop != last) return false;
    reader->document.rank = rank_in(*at, brace);
    *at = brace;
    return true;
}

/* Nothing was found in a whole value. */
static void hint(dxt_reader *reader, const char *at, size_t size)
{
    if (dxt_has_text(at, at + size, "\"traceEvents\""))
        dxt_reader_hint(
            reader,
            "this looks like a trace of events (Chrome or PyTorch profiler); " DXT_WHAT_IS_READ);
    else if (*at == '{')
        dxt_reader_hint(reader,
                        "JSON, but no recording (no \"v\", \"phase\", \"ranks\", \"wait\")");
}

/* The value is whole: have what it holds read next. */
static dxt_status close_document(dxt_reader *reader, const char *at, const char *end)
{
    dxt_document *document = &reader->document;
    document->open = false;
    document->lines.size = 0;
    dxt_literal_write(at, end, document->rank, !reader->headers, &document->lines);
    document->rank = -1;
    if (document->lines.failed) return dxt_fail_memory(0);
    dxt_status status = dxt_turn_lines(&document->lines);
    if (status != DXT_OK) return status;
    if (document->lines.size == 0)
        hint(reader, at, (size_t)(end - at));
    else
        dxt_serve_inner(reader, &document->lines);
    return DXT_OK;
}

dxt_status dxt_document_begin(dxt_reader *reader, const char *at, const char *end)
{
    dxt_document *document = &reader->document;
    document->literal = (dxt_literal){.depth = 0};
    const char *stop = at;
    dxt_literal_end found = dxt_literal_scan(&document->literal, &stop, end);
    if (found == DXT_LITERAL_CLOSED) {
        const char *rest = dxt_skip_blanks(stop, end);
        while (rest < end && *rest == ')') rest++; /* of a call around it */
        bool whole = rest == end || (*rest == ',' && dxt_skip_blanks(rest + 1, end) == end);
        if (*at == '{' || (whole && begins_value(at, end))) return close_document(reader, at, stop);
        found = DXT_LITERAL_NONE;
    }
    if (found == DXT_LITERAL_NONE) {
        if (*at == '{') hint(reader, at, (size_t)(end - at));
        return *at == '{' ? DXT_OK : dxt_text_line(reader, at, end);
    }
    /* Of lines that were wrapped in another only whole values are read. */
    if (reader->inner_at < reader->inner.size) return DXT_OK;
    document->open = true;
    document->line = reader->input.line;
    document->text.size = 0;
    dxt_text_append(&document->text, at, (size_t)(end - at));
    dxt_text_puts(&document->text, "\n");
    return document->text.failed ? dxt_fail_memory(0) : DXT_OK;
}

dxt_status dxt_document_line(dxt_reader *reader, const char *line, size_t size)
{
    dxt_document *document = &reader->document;
    dxt_text *text = &document->text;
    const char *stop = line;
    if (text->size + size > reader->input.line_max)
        return dxt_reader_fail(reader, DXT_ERR_LIMIT, "the value is longer than %zu bytes",
                               reader->input.line_max);
    dxt_literal_end found = dxt_literal_scan(&document->literal, &stop, line + size);
    dxt_text_append(text, line, size);
    dxt_text_puts(text, "\n");
    if (text->failed) return dxt_fail_memory(0);
    if (found == DXT_LITERAL_OPEN) return DXT_OK;
    if (found == DXT_LITERAL_CLOSED)
        return close_document(reader, text->data,
                              text->data + text->size - 1 - (size_t)(line + size - stop));
    document->open = false;
    document->plain = true;
    dxt_serve_inner(reader, text);
    return DXT_OK;
}

dxt_status dxt_document_end(dxt_reader *reader)
{
    dxt_document *document = &reader->document;
    const dxt_text *text = &document->text;
    if (!document->open) return DXT_OK;
    document->open = false;
    if (dxt_has_text(text->data, text->data + text->size, "\"wait\"") ||
        dxt_has_text(text->data, text->data + text->size, "ispatch") ||
        dxt_has_text(text->data, text->data + text->size, "ombine"))
        return dxt_reader_lose(reader, DXT_REMARK_CUT, DXT_ERR_FORMAT, document->line,
                               "the value that begins here is cut off");
    hint(reader, text->data, text->size);
    return DXT_OK;
}
