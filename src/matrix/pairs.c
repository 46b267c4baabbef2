/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows whose values carry their ranks, "rank 0: 0:12 1:5031", "0: {0: 12, 1: 5031}" of YAML, as
 * rows in brackets; and text that Markdown has marked as code.
 */
#include <string.h>

#include "matrix/lines.h"
#include "matrix/scan.h"

/* Digits of the largest rank. */
#define MOST_DIGITS 4
/* Fewer pairs are a row only behind a rank. */
#define FEW 3

static bool separates(char c)
{
    return dxt_is_blank(c) || c == ',' || c == ';' || c == '{';
}

/* ---- from the end of a line ---- */

/* Where the pair begins that ends at `end`, "1:5031", "rank1 = 5031"; NULL: none does.
 * @param key  Receives its rank. */
static const char *find_pair(const char *line, const char *end, int64_t *key)
{
    int64_t whole;
    double real;
    bool decimal;
    const char *value = end;
    while (value > line && (dxt_is_word(value[-1]) && !separates(value[-1]))) value--;
    if (value == end || !dxt_is_digit(*value)) return NULL;
    const char *mark = dxt_trim_blanks(line, value);
    if (mark == line || (mark[-1] != ':' && mark[-1] != '=')) return NULL;
    if (dxt_scan_number(value, end, &whole, &real, &decimal) != end) return NULL;
    const char *to = dxt_trim_blanks(line, mark - 1), *at = to;
    bool quote = at > line && (at[-1] == '"' || at[-1] == '\'');
    if (quote) at = --to;
    while (at > line && dxt_is_digit(at[-1]) && to - at <= MOST_DIGITS) at--;
    if (to == at || to - at > MOST_DIGITS) return NULL;
    if (to - at > 1 && *at == '0') return NULL; /* "00:12" is a time */
    dxt_scan_integer(at, to, key);
    while (at > line && (dxt_is_letter(at[-1]) || at[-1] == '_')) at--;
    if (quote && (at == line || (at[-1] != '"' && at[-1] != '\''))) return NULL;
    at -= quote;
    return at == line || separates(at[-1]) ? at : NULL;
}

/* The pairs with which a line ends, of ranks in order. */
typedef struct pairs {
    const char *from;
    uint32_t count;
    int64_t first, last; /* ranks */
    int64_t hole;        /* the one that is left out in between; −1: none is */
} pairs;

static pairs find_pairs(const char *line, const char *end)
{
    pairs found = {end, 0, -1, -1, -1};
    const char *to = end;
    for (;;) {
        int64_t key = 0;
        const char *at = find_pair(line, to, &key);
        if (!at || (found.count > 0 && key >= found.first)) return found;
        if (found.count > 0 && key < found.first - 1) {
            if (found.hole >= 0 || key < found.first - 2) return (pairs){.count = 0};
            found.hole = key + 1;
        }
        if (found.count++ == 0) found.last = key;
        found.first = key;
        found.from = to = at;
        if (key == 0) return found;
        while (to > line && separates(to[-1]))
            if (*--to == '{') return found;
    }
}

/* ---- a row ---- */

/* The last number in front of the pairs; −1: there is none. */
static int64_t rank_in_front(const char *at, const char *end)
{
    dxt_numbers numbers;
    dxt_take_numbers(&numbers, at, end);
    if (numbers.count == 0) return -1;
    return numbers.values[numbers.rank > 0 ? numbers.rank - 1 : numbers.count - 1];
}

/* Whether rows of this many values are under way. */
static bool wants(const dxt_reader *reader, uint32_t width)
{
    for (uint32_t i = 0; i < DXT_SHEETS; i++)
        if (reader->sheets[i].used && !reader->sheets[i].headed && reader->sheets[i].ranks == width)
            return true;
    return false;
}

/* The values of the pairs, in brackets; "nan" is that of a rank for itself. */
static void put_values(dxt_text *out, const pairs *found, const char *end, bool behind)
{
    int64_t next = found->first;
    dxt_text_puts(out, next == 1 && found->hole < 0 ? " [nan" : " [");
    for (const char *at = found->from, *value; at < end; at = value) {
        while (at < end && *at != ':' && *at != '=') at++;
        for (at += at < end; at < end && dxt_is_blank(*at);) at++;
        for (value = at; value < end && dxt_is_word(*value);) value++;
        if (next++ == found->hole) {
            dxt_text_puts(out, " nan");
            next++;
        }
        dxt_text_puts(out, " ");
        dxt_text_append(out, at, (size_t)(value - at));
    }
    dxt_text_puts(out, behind ? " nan]" : "]");
}

dxt_status dxt_take_pairs(dxt_reader *reader, const char **line, const char **end)
{
    const char *to = *end, *from = *line;
    while (to > from && (separates(to[-1]) || to[-1] == '}')) to--;
    if (to == from || !dxt_is_digit(to[-1])) return DXT_OK;
    pairs found = find_pairs(from, to);
    if (found.count < 2 || found.first > 1) return DXT_OK;
    int64_t rank = rank_in_front(from, found.from);
    if (rank < 0 && found.count < FEW) return DXT_OK;
    bool one = found.first == 1 && rank > 0; /* counted from 1 on */
    bool behind = found.first == 0 && found.hole < 0 && rank == found.last + 1 &&
                  wants(reader, found.count + 1);
    if (found.hole >= 0 && (found.first == 1 || (rank >= 0 && rank != found.hole))) return DXT_OK;
    if (one) found.first = 0;
    dxt_text *out = &reader->plain;
    const char *front = found.from;
    while (front > from && (separates(front[-1]) || front[-1] == '"')) front--;
    out->size = 0;
    dxt_text_append(out, from, (size_t)(front - from));
    put_values(out, &found, to, behind);
    if (out->failed) return dxt_fail_memory(0);
    *line = out->data;
    *end = out->data + out->size;
    return DXT_OK;
}

/* ---- Markdown ---- */

dxt_status dxt_clear_ticks(dxt_reader *reader, const char **line, const char **end)
{
    dxt_text *out = &reader->unticked;
    const char *at = *line;
    if (!memchr(at, '`', (size_t)(*end - at))) return DXT_OK;
    out->size = 0;
    dxt_text_append(out, at, (size_t)(*end - at));
    if (out->failed) return dxt_fail_memory(0);
    for (size_t i = 0; i < out->size; i++)
        if (out->data[i] == '`') out->data[i] = ' ';
    *line = out->data;
    *end = out->data + out->size;
    return DXT_OK;
}
