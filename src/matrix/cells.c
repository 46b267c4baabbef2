/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/cells.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "matrix/scan.h"
#include "matrix/shape.h"

/* A number with marks between its digits, and the blanks around it, is not longer. */
#define MOST_DIGITS 64

/* What separates the values of a line, and what only parts their digits. */
typedef struct style {
    bool commas;    /* they separate */
    bool thousands; /* they part thousands */
    bool tabs;      /* there are tabs */
    bool separates; /* something else than tabs does */
    bool points;    /* and all commas stand within numbers */
    bool cells;     /* semicolons, tabs or bars separate: blanks may part thousands */
    bool separated; /* blanks are not all there is */
} style;

static bool is_separator(char c, const style *in)
{
    return c == ';' || c == DXT_BAR || (c == ',' && in->commas);
}

/* ---- values ---- */

static const char *word_end(const char *at, const char *end, const style *in, bool blanks)
{
    while (at < end && !is_separator(*at, in) && *at != '\t' && !(blanks && dxt_is_blank(*at)))
        at++;
    return at;
}

/* Whether marks part the digits before `end` into groups of three: "1,234,567". */
static bool is_grouped(const char *at, const char *end, char mark)
{
    const char *from = at;
    while (at < end && dxt_is_digit(*at)) at++;
    if (at == from || at - from > 3 || at == end) return false;
    for (; at < end; at += 4)
        if (end - at < 4 || *at != mark || !dxt_is_digit(at[1]) || !dxt_is_digit(at[2]) ||
            !dxt_is_digit(at[3]))
            return false;
    return true;
}

/* The mark that parts thousands and is nothing else: an apostrophe, an underscore; blanks where
 * something else separates. 0: there is none. */
static char find_mark(const char *at, const char *end)
{
    for (const char *mark = "'_ "; *mark; mark++)
        if (memchr(at, *mark, (size_t)(end - at))) return is_grouped(at, end, *mark) ? *mark : 0;
    return 0;
}

/* Digits in groups of three, without the marks between them. */
static bool scan_grouped(const char *at, const char *end, char mark, int64_t *whole, double *real)
{
    char copy[32];
    size_t size = 0;
    for (; at < end && size < sizeof copy; at++)
        if (*at != mark) copy[size++] = *at;
    if (at < end || dxt_scan_integer(copy, copy + size, whole) != copy + size) return false;
    *real = (double)*whole;
    return true;
}

/* Where semicolons separate, a comma is a decimal point, and points part thousands; in quotes and
 * between bars commas part thousands. */
static const char *scan_cell(const char *at, const char *end, const style *in, bool quoted,
                             int64_t *whole, double *real, bool *decimal)
{
    char copy[64];
    char mark = find_mark(at, end);
    if (mark) return scan_grouped(at, end, mark, whole, real) ? end : NULL;
    const char *comma = memchr(at, ',', (size_t)(end - at)), *point = comma ? comma : end;
    bool grouped = (quoted || in->thousands) && comma && is_grouped(at, end, ',');
    if (!comma || (in->commas && !grouped) || (size_t)(end - at) >= sizeof copy)
        return dxt_scan_number(at, end, whole, real, decimal);
    bool points = !grouped && is_grouped(at, point, '.');
    size_t size = 0;
    for (const char *c = at; c < end; c++)
        if (*c == ',' && !grouped)
            copy[size++] = '.';
        else if (*c != ',' && !(points && c < point && *c == '.'))
            copy[size++] = *c;
    const char *next = dxt_scan_number(copy, copy + size, whole, real, decimal);
    return next == copy + size ? end : NULL;
}

static void spoil(dxt_cells *line, dxt_status status, const char *why)
{
    if (line->status != DXT_OK) return;
    line->status = status;
    snprintf(line->why, sizeof line->why, "column %u: %s", line->width, why);
}

/* A sign, a point or an exponent: no plain integer. */
static bool has_mark(const char *at, const char *end)
{
    for (; at < end; at++)
        if (memchr(".,eE+-'_ ", *at, 9)) return true;
    return false;
}

static void put(dxt_reader *reader, dxt_cells *line, int64_t whole, double real)
{
    if (line->width > DXT_MAX_RANKS) {
        spoil(line, DXT_ERR_LIMIT, "more values than the most ranks, 4096");
        return;
    }
    reader->row[line->width] = whole;
    reader->reals[line->width] = real;
    line->width++;
}

/* Of a number that is no plain integer: whether it is a decimal, and how its point is meant. */
static void weigh_point(dxt_cells *line, const char *at, const char *end, const style *in,
                        int64_t *whole, bool *decimal)
{
    double parted;
    if (in->cells && *at != '0' && memchr(at, '.', (size_t)(end - at)) &&
        is_grouped(at, end, '.') && scan_grouped(at, end, '.', whole, &parted)) {
        line->pointed++;
        *decimal = true;
    } else if (*decimal) {
        /* Behind a decimal comma, points can only part thousands. */
        const char *comma = memchr(at, ',', (size_t)(end - at));
        bool proves = in->cells && comma && !memchr(comma, '.', (size_t)(end - comma));
        *(proves ? &line->proven : &line->fractions) += 1;
    }
}

/* Put a number into its place, in ns if it has a unit of time. */
static void put_number(dxt_reader *reader, dxt_cells *line, int64_t whole, double real,
                       double factor, bool time)
{
    line->good++;
    if (time)
        line->timed++;
    else if (real > 0)
        line->bare[line->width > 0]++;
    if (factor != 0) {
        line->decimals = true;
        real *= factor;
    }
    put(reader, line, whole, real);
}

/* One value, from `at` to its separator or blank. */
static void take_cell(dxt_reader *reader, dxt_cells *line, const char *at, const char *end,
                      const style *in, bool quoted)
{
    int64_t whole = 0;
    double real = 0, factor = 0;
    bool decimal = false, time = false;
    const char *next = dxt_scan_integer(at, end, &whole);
    bool integer = next == end;
    if (!integer && dxt_is_unmeasured(at, end)) {
        line->none++;
        if ((*at | 32) == 'n' && end - at == 3 && line->nan++ == 0) line->nan_at = line->width;
        put(reader, line, DXT_NOT_OBSERVED, NAN);
        return;
    }
    const char *to = end;
    size_t unit =
        integer || at == end || !dxt_is_digit(*at) ? 0 : dxt_unit_length(at, end, &factor, &time);
    for (to -= unit; unit > 0 && to > at && dxt_is_blank(to[-1]);) to--;
    if (unit > 0) next = dxt_scan_integer(at, to, &whole);
    integer = next == to;
    if (!integer && has_mark(at, to)) {
        next = scan_cell(at, to, in, quoted, &whole, &real, &decimal);
        if (next == to) weigh_point(line, at, to, in, &whole, &decimal);
    }
    line->decimals = line->decimals || decimal;
    line->whole += next == to && !decimal;
    if (next == to) {
        put_number(reader, line, whole, integer ? (double)whole : real, factor, time);
        return;
    }
    char why[96];
    dxt_status status = dxt_scan_why_counter(at, end, why, sizeof why);
    bool share = end > at && end[-1] == '%';
    spoil(line, status, share ? "a share (%) is neither a counter nor a time" : why);
    put(reader, line, whole, integer ? (double)whole : real);
}

/* A unit that stands apart from its number, "12 us". */
static bool take_unit(dxt_reader *reader, dxt_cells *line, const char *at, const char *end)
{
    double factor;
    bool time;
    while (end > at && dxt_is_blank(end[-1])) end--;
    if (line->width == 0 || line->width > DXT_MAX_RANKS || line->good == 0 || at == end ||
        dxt_unit_length(at, end, &factor, &time) != (size_t)(end - at))
        return false;
    double *real = &reader->reals[line->width - 1];
    if (isnan(*real)) return false;
    line->decimals = true;
    if (time && *real > 0) line->bare[line->width > 1]--;
    line->timed += time;
    *real *= factor;
    return true;
}

static void take_empty(dxt_reader *reader, dxt_cells *line)
{
    if (line->empty++ == 0) line->hole = line->width;
    put(reader, line, DXT_NOT_OBSERVED, NAN);
}

/* ---- names ---- */

/* A name in front of the values, where it cannot be anything else. */
static bool is_label(const char *at, const char *to, bool separated)
{
    if (separated) return true;
    size_t size = (size_t)(to - at);
    if (to[-1] == ':' || (size == 1 && *at == '>')) return true;
    if (size >= 10 && dxt_is_digit(*at) && at[4] == '-' && at[7] == '-') return true;
    return dxt_names_rank(at, size);
}

/* A row of sums, or what free(1) writes. */
static bool says_sum(const char *at, const char *end)
{
    while (end > at && (end[-1] == ':' || end[-1] == '*' || dxt_is_blank(end[-1]))) end--;
    while (at < end && *at == '*') at++;
    size_t size = (size_t)(end - at);
    return dxt_says_sum(at, end) || (size == 3 && strncasecmp(at, "mem", 3) == 0) ||
           (size == 4 && strncasecmp(at, "swap", 4) == 0);
}

/* ---- the line ---- */

/* Behind a value: digits in groups with blanks between them are one. */
static const char *cell_end(const char *at, const char *end, const style *in)
{
    if (in->cells) {
        /* A line may have as many words as it likes: no longer than a number can be. */
        const char *most = end - at > MOST_DIGITS ? at + MOST_DIGITS : end;
        const char *to = word_end(at, most, in, false);
        const char *next = to == most ? dxt_skip_blanks(most, end) : to;
        if (next < end && word_end(next, end, in, true) > next) to = at;
        while (to > at && dxt_is_blank(to[-1])) to--;
        if (is_grouped(at, to, ' ')) return to;
    }
    return word_end(at, end, in, true);
}

/* One word, which may be the name of the row. @return Behind it. */
static const char *take_word(dxt_reader *reader, dxt_cells *line, const char *at, const char *end,
                             bool first, const style *in)
{
    bool quoted = *at == '"' || *at == '\'';
    const char *from = at + quoted;
    const char *quote = quoted ? memchr(from, *at, (size_t)(end - from)) : NULL;
    const char *to = quote ? quote : cell_end(from, end, in);
    const char *word = dxt_skip_blanks(from, to);
    bool number = dxt_begins_number(word, to) || (to > word && dxt_is_unmeasured(word, to));
    /* In a table with separators a name may be several words. */
    if (!number && !quote && in->separated) to = word_end(from, end, in, false);
    bool named = first && to > from && is_label(from, to, in->separated) &&
                 (!number || (!in->separated && (to[-1] == ':' || is_label(from, to, false))));
    if (named) {
        line->label = true;
        line->sum = says_sum(word, to);
        dxt_take_numbers(&line->numbers, word, to);
    } else if (line->width >= line->most) {
        return quote ? quote + 1 : to;
    } else if (quote && word == to) {
        take_empty(reader, line);
    } else if (to - word == 3 && memcmp(word, "...", 3) == 0) {
        line->shortened = true;
    } else if (to - word == 1 && *word == '\\' && dxt_skip_blanks(to, end) == end) {
        line->more = true;
    } else if (quoted || !take_unit(reader, line, word, to)) {
        take_cell(reader, line, word, to, in, quoted);
    }
    return quote ? quote + 1 : to;
}

bool dxt_parts_thousands(const char *at, const char *end)
{
    int words = 0, parted = 0;
    bool numbers = true;
    while ((at = dxt_skip_blanks(at, end)) < end) {
        const char *word = at;
        while (at < end && !dxt_is_blank(*at)) {
            numbers = numbers && (dxt_is_digit(*at) || *at == ',');
            at++;
        }
        words++;
        if (!memchr(word, ',', (size_t)(at - word))) continue;
        if (!is_grouped(word, at, ',')) return false;
        parted++;
    }
    return parted >= 2 || (parted == 1 && numbers && words >= 3);
}

/* Without the quotes around a whole line of values, as a table of one column writes it. */
static void strip_quotes(const char **at, const char **end)
{
    const char *from = dxt_skip_blanks(*at, *end), *to = *end;
    while (to > from && dxt_is_blank(to[-1])) to--;
    if (to - from < 5 || *from != '"' || to[-1] != '"') return;
    from++, to--;
    if (memchr(from, '"', (size_t)(to - from)) || is_grouped(from, to, ',')) return;
    if (!memchr(from, ',', (size_t)(to - from)) && !memchr(from, ' ', (size_t)(to - from))) return;
    *at = from;
    *end = to;
}

/* Whether all commas stand between two digits. */
static bool within_digits(const char *at, const char *end)
{
    for (const char *c = at; (c = memchr(c, ',', (size_t)(end - c))); c++)
        if (c == at || !dxt_is_digit(c[-1]) || c + 1 == end || !dxt_is_digit(c[1])) return false;
    return true;
}

static style find_style(const char *at, const char *end)
{
    size_t size = (size_t)(end - at);
    style in = {.commas = false};
    if (size == 0) return in;
    bool bars = memchr(at, DXT_BAR, size), semicolons = memchr(at, ';', size);
    bool commas = memchr(at, ',', size) && !semicolons;
    in.tabs = memchr(at, '\t', size);
    in.points = in.tabs && commas && within_digits(at, end);
    in.thousands = bars || (commas && dxt_parts_thousands(at, end));
    in.commas = commas && !in.thousands && !in.points;
    in.separates = bars || semicolons || in.commas;
    in.cells = bars || semicolons || in.tabs;
    in.separated = in.cells || in.commas;
    return in;
}

/* Over blanks. Between tabs, two of them leave a cell out; several such cells are wide columns. */
static const char *skip_gap(dxt_cells *line, const char *at, const char *end, const style *in,
                            bool first)
{
    int tabs = 0;
    for (; at < end && dxt_is_blank(*at); at++) tabs += *at == '\t';
    if (!in->tabs || in->separates || tabs == 0) return at;
    if (at == end)
        line->ended = true;
    else if (tabs == 2 && !first)
        line->gap = line->gaps++ == 0 ? line->width : DXT_NO_GAP;
    return at;
}

dxt_status dxt_take_cells(dxt_reader *reader, const char *at, const char *end, dxt_cells *line)
{
    return dxt_take_first_cells(reader, at, end, UINT32_MAX, line);
}

dxt_status dxt_take_first_cells(dxt_reader *reader, const char *at, const char *end, uint32_t most,
                                dxt_cells *line)
{
    *line = (dxt_cells){.status = DXT_OK, .gap = DXT_NO_GAP, .most = most};
    line->rule = dxt_is_rule(at, end);
    if (line->rule) return DXT_OK;
    if (dxt_has_bars(at, end)) {
        dxt_status status = dxt_clear_bars(reader, &at, &end);
        if (status != DXT_OK) return status;
    }
    strip_quotes(&at, &end);
    style in = find_style(at, end);
    line->thousands = in.tabs && in.thousands;
    line->points = in.points && !in.thousands;
    bool first = true, empty = true;
    while ((at = skip_gap(line, at, end, &in, first)) < end) {
        line->ended = is_separator(*at, &in);
        if (line->ended) {
            if (empty && line->width < most) take_empty(reader, line);
            empty = true;
            at++;
            continue;
        }
        at = take_word(reader, line, at, end, first, &in);
        first = empty = false;
    }
    return DXT_OK;
}
