/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a matrix in a line of text, whatever stands in front: "rank=3 [ 1 2 ]", "rank 3: 1 2",
 * "[ 1 2 ]", "tensor([[1, 2],". A row is what a line ends with.
 */
#include <string.h>
#include <strings.h>

#include "matrix/lines.h"
#include "matrix/reader.h"
#include "matrix/scan.h"

/* Of a number, a bracket or what separates them. */
static bool is_numeric(char c)
{
    static const bool numeric[256] = {
        [';'] = true, ['\t'] = true, ['\v'] = true, ['\f'] = true, ['\r'] = true, [' '] = true,
        ['['] = true, [']'] = true,  [','] = true,  ['+'] = true,  ['-'] = true,  ['.'] = true,
        ['e'] = true, ['E'] = true,  ['0'] = true,  ['1'] = true,  ['2'] = true,  ['3'] = true,
        ['4'] = true, ['5'] = true,  ['6'] = true,  ['7'] = true,  ['8'] = true,  ['9'] = true};
    return numeric[(unsigned char)c];
}

/* What may stand behind a row: the rest of a print, quotes, full stops. */
static const char *cut_tail(const char *at, const char *end)
{
    const char *close = memrchr(at, ']', (size_t)(end - at));
    if (!close) {
        while (end > at && dxt_is_blank(end[-1])) end--;
        return end;
    }
    const char *tail = close + 1;
    for (const char *c = tail; c < end; c++) {
        if (dxt_is_blank(*c) || strchr(",;.)\"'`\\|>", *c)) {
            /* ", device='npu:0')" */
            const char *word = dxt_skip_blanks(c + 1, end);
            if (*c == ',' && word < end && dxt_is_letter(*word)) return tail;
            if (*c == ')') return tail;
            continue;
        }
        return end;
    }
    return tail;
}

/* Behind the brackets at `at`, a number or a word in its place, and no date. */
static bool begins_row(const char *at, const char *end)
{
    while (at < end && (*at == '[' || dxt_is_blank(*at))) at++;
    if (dxt_none_length(at, end)) return true;
    const char *word = at;
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at < end && *at == '.') return end - at >= 3 && memcmp(at, "...", 3) == 0;
    const char *digits = at;
    while (at < end && (dxt_is_digit(*at) || *at == '.')) at++;
    if (at == digits) return false;
    if (at < end && (*at | 32) == 'e') return true;
    return at == end || dxt_ends_number(*at) ||
           (word == digits && *at != '-' && *at != ':' && *at != '/' && !dxt_is_letter(*at));
}

/* "[7]" and no more: a process id, a step. */
static const char *skip_single(const char *at, const char *end)
{
    const char *in = dxt_skip_blanks(at + 1, end);
    while (in < end && (dxt_is_digit(*in) || *in == '.')) in++;
    in = dxt_skip_blanks(in, end);
    return in < end && *in == ']' && in + 1 < end ? in + 1 : NULL;
}

/* Whether "shape=", "torch.Size(" or the like stands in front of a bracket. */
static bool says_shape(const char *line, const char *open)
{
    while (open > line && (dxt_is_blank(open[-1]) || strchr("=:(", open[-1]))) open--;
    if (open - line >= 5 && strncasecmp(open - 5, "shape", 5) == 0) return true;
    return open - line >= 4 && strncasecmp(open - 4, "size", 4) == 0;
}

/* The first bracket of [at, end), all of it numeric, with which a row begins. */
static const char *first_row(const char *line, const char *at, const char *end)
{
    while (at < end) {
        const char *open = memchr(at, '[', (size_t)(end - at));
        if (!open) return NULL;
        const char *single = skip_single(open, end);
        /* "Tensor(shape=[8, 8], …" */
        if (!single && says_shape(line, open)) single = memchr(open, ']', (size_t)(end - open));
        if (!single && begins_row(open, end)) return open;
        at = single ? single : open + 1;
        /* What does not begin a row here does not with fewer brackets either. */
        while (!single && at < end && (*at == '[' || dxt_is_blank(*at))) at++;
    }
    return NULL;
}

/* Where the numbers with which the line ends begin. */
static const char *numeric_from(const char *line, const char *end)
{
    const char *at = end;
    while (at > line) {
        if (is_numeric(at[-1])) {
            at--;
            continue;
        }
        /* The end of "nan" or "inf"? */
        const char *word = at;
        while (word > line && dxt_is_letter(word[-1])) word--;
        if (word == at || !dxt_none_length(word, end)) break;
        at = word;
    }
    /* Not from within a word: "16:28:53.686] [ 1 2" begins behind the time. */
    if (at > line && at < end && at[-1] != '(')
        while (at < end && !dxt_is_blank(*at) && *at != '[') at++;
    return at;
}

/* Behind "tensor(" or "array(", if the text begins so. */
static const char *skip_call(const char *at, const char *end)
{
    static const char *const calls[] = {"tensor(", "array(", "np.array("};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t size = strlen(calls[i]);
        if ((size_t)(end - at) > size && memcmp(at, calls[i], size) == 0) return at + size;
    }
    return at;
}

/* Nothing but numbers, at least two. */
static bool is_list(const char *at, const char *end)
{
    int count = 0;
    while ((at = dxt_skip_blanks(at, end)) < end) {
        int64_t whole;
        double real;
        bool decimal;
        const char *next = dxt_scan_number(at, end, &whole, &real, &decimal);
        /* A negative counter is a number, if one that cannot be. */
        if (!next && *at == '-' && end - at > 1 && dxt_is_digit(at[1]))
            for (next = at + 1; next < end && !dxt_ends_number(*next);) next++;
        if (!next) return false;
        at = dxt_skip_blanks(next, end);
        if (at < end && (*at == ',' || *at == ';')) at++;
        count++;
    }
    return count >= 2;
}

/* "0 1 2 3" and more: behind "rank" the heading of a table. */
static bool counts_up(int64_t rank, const char *at, const char *end)
{
    int64_t next = 0, value;
    const char *stop;
    if (rank != 0) return false;
    while ((stop = dxt_scan_integer(dxt_skip_blanks(at, end), end, &value)) && value == next + 1) {
        at = stop;
        next = value;
    }
    return next > 3 && dxt_skip_blanks(at, end) == end;
}

/* What a word says that stands between a rank and its numbers. */
typedef enum meaning { OTHER, OPERATOR, COUNTERS } meaning;

static meaning meaning_of(const char *word, size_t size)
{
    static const struct {
        const char *word;
        meaning says;
    } words[] = {{"dispatch", OPERATOR}, {"combine", OPERATOR}, {"wait", COUNTERS},
                 {"waits", COUNTERS},    {"row", COUNTERS},     {"rows", COUNTERS},
                 {"cost", COUNTERS},     {"costs", COUNTERS}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].word) == size && strncasecmp(word, words[i].word, size) == 0)
            return words[i].says;
    return OTHER;
}

/* Behind "waits:", "dispatch row", if that stands between a rank and its numbers. Without a colon
 * or a bracket no other word may: "dispatch took 12 34" is no row. */
static const char *skip_words(const char *at, const char *end)
{
    const char *stop = at;
    bool all = true, counters = false;
    meaning last = OTHER;
    while (stop < end && (dxt_is_letter(*stop) || *stop == '_' || *stop == ' ')) {
        const char *word = stop;
        while (stop < end && dxt_is_letter(*stop)) stop++;
        if (stop == word) {
            stop++;
            continue;
        }
        last = meaning_of(word, (size_t)(stop - word));
        all = all && last != OTHER;
        counters = counters || last == COUNTERS;
    }
    if (stop == end || stop == at) return at;
    bool marked = *stop == ':' || *stop == '=' || *stop == '[';
    bool plain = *stop == '(' || dxt_is_digit(*stop);
    if (marked ? !counters && last != OPERATOR : !plain || !all || last == OTHER) return at;
    while (stop < end && (dxt_is_blank(*stop) || *stop == ':' || *stop == '=')) stop++;
    return stop;
}

/* "(1, 2, 3)" at `row`: what is in it. Looks no further than the next bracket: a line may have as
 * many beginnings as it likes. */
static bool open_tuple(const char **row, const char **end)
{
    if (**row != '(') return false;
    const char *close = *row + 1;
    while (close < *end && *close != '(' && *close != ')') close++;
    if (close == *end || *close != ')' || !is_list(*row + 1, close)) return false;
    ++*row;
    *end = close;
    return true;
}

/* "rank 0 waits for rank 1: 1", of which ",234" is cut, is no row of rank 1. */
static bool is_wait(const char *line, const char *end)
{
    dxt_named found;
    return dxt_named_find(line, end, &found) && found.sentence;
}

/* Behind "rank=R", "rank R", "rankR:": a row. */
static bool find_named(const char *line, const char *end, dxt_found *found)
{
    for (const char *at = line; end - at > 6; at++) {
        at = memchr(at, 'a', (size_t)(end - at));
        if (!at || end - at < 5) return false;
        if (at == line || (at[-1] | 32) != 'r' || at[1] != 'n' || at[2] != 'k') continue;
        if (at - 1 > line && (dxt_is_letter(at[-2]) || dxt_is_digit(at[-2]) || at[-2] == '_'))
            continue;
        const char *number = at + 3;
        while (number < end && (dxt_is_blank(*number) || *number == '=' || *number == ':'))
            number++;
        int64_t rank;
        const char *row = dxt_scan_integer(number, end, &rank);
        if (!row || row == end) continue;
        if (*row == '/') row = dxt_skip_blanks(dxt_skip_digits(row + 1, end), end); /* "rank 3/8" */
        if (row == end) continue;
        if (!dxt_is_blank(*row) && *row != ':' && *row != '=' && *row != ',' && *row != '[')
            continue;
        while (row < end && (dxt_is_blank(*row) || strchr(":=,|>-", *row))) row++;
        row = skip_call(skip_words(row, end), end);
        if (row == end) continue;
        const char *stop = end;
        bool bracket = *row == '[', tuple = !bracket && open_tuple(&row, &stop);
        bool wrapped = bracket && dxt_skip_blanks(row + 1, end) == end;
        if (bracket ? !wrapped && !begins_row(row, end) : !tuple && !is_list(row, end)) continue;
        bool bare = dxt_skip_blanks(dxt_skip_digits(dxt_skip_blanks(at + 3, end), end), end) == row;
        if (!bracket && bare && counts_up(rank, row, end)) continue;
        const char *comma = bracket || tuple ? NULL : memchr(row, ',', (size_t)(end - row));
        if (comma && is_wait(line, comma)) return false;
        *found = (dxt_found){at - 1, row, stop, true, bracket, rank, .pure = false};
        const char *close = bracket ? memchr(row, ']', (size_t)(end - row)) : NULL;
        if (close) found->end = close + 1;
        return true;
    }
    return false;
}

bool dxt_find_row(const char *line, const char *end, dxt_found *found)
{
    if (find_named(line, end, found)) return true;
    const char *to = cut_tail(line, end);
    const char *open = to > line ? first_row(line, numeric_from(line, to), to) : NULL;
    if (!open) return false;
    *found = (dxt_found){open, open, to, false, true, -1, .pure = false};
    return true;
}

bool dxt_find_rest(const char *line, const char *end, dxt_found *found)
{
    const char *to = cut_tail(line, end);
    const char *at = dxt_skip_blanks(numeric_from(line, to), to);
    /* "- 5 6" begins behind the dash. */
    while (at < to && *at == '-' && at + 1 < to && dxt_is_blank(at[1]))
        at = dxt_skip_blanks(at + 1, to);
    if (at == to) return false;
    *found = (dxt_found){at, at, to, false, *at == '[', -1, .pure = false};
    return true;
}

dxt_status dxt_join_thousands(dxt_reader *reader, const char **at, const char **end)
{
    if (!memchr(*at, ',', (size_t)(*end - *at)) || !dxt_parts_thousands(*at, *end)) return DXT_OK;
    dxt_text *plain = &reader->cells;
    plain->size = 0;
    for (const char *from = *at, *to; from < *end; from = to + 1) {
        to = memchr(from, ',', (size_t)(*end - from));
        if (!to) to = *end;
        dxt_text_append(plain, from, (size_t)(to - from));
    }
    if (plain->failed) return dxt_fail_memory(0);
    *at = plain->data;
    *end = plain->data + plain->size;
    return DXT_OK;
}

const char *dxt_before_call(const char *from, const char *end)
{
    static const char *const calls[] = {"tensor(", "np.array(", "array("};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t size = strlen(calls[i]);
        if ((size_t)(end - from) >= size && memcmp(end - size, calls[i], size) == 0)
            return end - size;
    }
    return end;
}
