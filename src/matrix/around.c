/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands around a matrix and changes what its values say: a factor, "1e3 * tensor([[…",
 * "…]]) * 1000"; words for axes that are turned round; one rank in front of all rows.
 */
#include "matrix/around.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/scan.h"
#include "matrix/spot.h"

/* Bytes of a line that are looked at for words. */
#define MOST_WORDS 256
/* Lines from such words to the matrix that they are said of. */
#define MOST_LINES 8

/* ---- factors ---- */

/* Whether a factor is all there is; @p over: it divides. */
static bool take_number(const char *at, const char *end, bool over, double *factor)
{
    int64_t whole;
    bool decimal;
    if (at == end || dxt_scan_number(at, end, &whole, factor, &decimal) != end) return false;
    if (!(*factor > 0)) return false;
    if (over) *factor = 1 / *factor;
    return true;
}

/* "* 1e3" behind "]])", "]]" and "])": where the matrix ends; NULL: there is none. */
static const char *find_behind(const char *line, const char *end, double *factor)
{
    end = dxt_trim_blanks(line, end);
    const char *at = end;
    while (at > line && (dxt_is_digit(at[-1]) || strchr("eE+-.", at[-1]))) at--;
    const char *number = at;
    if (number == end || (at = dxt_trim_blanks(line, at)) == line || !strchr("*/", at[-1]))
        return NULL;
    bool over = at[-1] == '/';
    const char *last = dxt_trim_blanks(line, at - 1);
    bool matrix = last - line >= 2 && strchr("])", last[-1]) && last[-2] == ']';
    return matrix && take_number(number, end, over, factor) ? last : NULL;
}

/* "1e3 * tensor([[" and "1e3 * [[", at the beginning or behind "=" or ":": where the matrix begins;
 * NULL: there is none. @p from  Receives where the number does. */
static const char *find_before(const char *line, const char *end, const char **from, double *factor)
{
    const char *most = end - line > MOST_WORDS ? line + MOST_WORDS : end;
    const char *star = memchr(line, '*', (size_t)(most - line));
    if (!star) return NULL;
    const char *at = dxt_skip_blanks(star + 1, most), *open = at;
    while (open < most && (dxt_is_letter(*open) || dxt_is_digit(*open) || strchr("._(", *open)))
        open++;
    if (most - open < 2 || open[0] != '[' || open[1] != '[') return NULL;
    const char *to = dxt_trim_blanks(line, star), *number = to;
    while (number > line && (dxt_is_digit(number[-1]) || strchr("eE+-.", number[-1]))) number--;
    const char *front = dxt_trim_blanks(line, number);
    bool alone = front == line || strchr("=:", front[-1]);
    *from = number;
    return alone && take_number(number, to, false, factor) ? at : NULL;
}

/* Whether several matrices end, "]]]", that began in lines before. */
static bool is_end_of_several(const char *line, const char *end)
{
    while (end > line && end[-1] == ')') end--;
    bool several = end - line > 2 && end[-1] == ']' && end[-2] == ']' && end[-3] == ']';
    return several && !memmem(line, (size_t)(end - line), "[[[", 3);
}

static dxt_status take_factor(dxt_reader *reader, const char **line, size_t *size)
{
    const char *at = *line, *end = at + *size, *from;
    /* Behind a matrix it is that of what ends here; the rows of one that begins are set off. */
    if (reader->around.here || !dxt_is_blank(*at)) {
        reader->around.factor = 0;
        reader->around.here = false;
    }
    double factor;
    const char *last = find_behind(at, end, &factor), *matrix;
    if (last && last - at > 2 && !reader->document.open && is_end_of_several(at, last)) {
        *size = (size_t)(last - at);
        return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, reader->input.line,
                               "the factor on this line is not applied: the matrices above it have "
                               "been read already");
    }
    if (last) {
        reader->around.factor = factor;
        reader->around.here = true;
        *size = (size_t)(last - at);
        reader->around.line = reader->input.line;
    } else if ((matrix = find_before(at, end, &from, &factor))) {
        reader->around.factor = factor;
        reader->around.line = reader->input.line;
        /* What stands in front of it, "dispatch = ", is read as well. */
        dxt_text *rest = &reader->around.rest;
        rest->size = 0;
        dxt_text_append(rest, at, (size_t)(from - at));
        dxt_text_append(rest, matrix, (size_t)(end - matrix));
        if (rest->failed) return dxt_fail_memory(0);
        *line = rest->data;
        *size = rest->size;
    }
    return DXT_OK;
}

/* Multiply by the factor. */
static dxt_status multiply(dxt_reader *reader, uint64_t line, double *reals, dxt_window *window)
{
    const double factor = reader->around.factor;
    const size_t ranks = window->ranks;
    double *values = reals;
    if (!values && !(values = malloc(ranks * ranks * sizeof *values)))
        return dxt_fail_memory(ranks * ranks * sizeof *values);
    for (size_t i = 0; i < ranks * ranks; i++) {
        bool none = window->missing && window->missing[i / ranks];
        if (!reals) values[i] = none || window->wait[i] < 0 ? NAN : (double)window->wait[i];
        values[i] *= factor;
        /* "3 * 1e-3" is what somebody meant by it. */
        if (fabs(values[i] - rint(values[i])) < 1e-9 * values[i]) values[i] = rint(values[i]);
    }
    dxt_status status = reals ? DXT_OK : dxt_round(reader, line, values, window);
    if (!reals) free(values);
    if (status != DXT_OK || reader->around.told == reader->around.line) return status;
    reader->around.told = reader->around.line;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, line,
                           "the values are multiplied by %g, as line %llu says", factor,
                           (unsigned long long)reader->around.line);
}

/* ---- axes ---- */

/* Whether "columns: waiting", "cols=waiter", "rows: awaited", "rows = dst" stand at a place. */
static bool turns_axes(const char *at, const char *end)
{
    bool columns = end - at > 3 && strncasecmp(at, "col", 3) == 0;
    if (!columns && (end - at <= 3 || strncasecmp(at, "row", 3) != 0)) return false;
    while (at < end && dxt_is_letter(*at)) at++;
    const char *mark = dxt_skip_blanks(at, end);
    if (mark == end || !strchr("=:", *mark)) return false;
    at = dxt_skip_blanks(mark + 1, end);
    static const char *const names[2][4] = {{"awaited", "dst", "sender", "from"},
                                            {"wait", "src", "receiver", "to "}};
    for (int i = 0; i < 4; i++) {
        size_t size = strlen(names[columns][i]);
        bool waited = (size_t)(end - at) >= 6 && strncasecmp(at, "waited", 6) == 0;
        if ((size_t)(end - at) >= size && strncasecmp(at, names[columns][i], size) == 0)
            return !waited;
    }
    return false;
}

/* Whether the rank that waits is named right in front, "src=0 dst=1", "rank 0 waited for rank 1":
 * what has a number there may as well be a step or a time. */
static bool names_both(const char *line, const char *at, const char *end)
{
    static const char *const names[] = {"rank", "gpu",      "npu", "device", "worker",
                                        "src",  "src_rank", "row", "i",      "waiting"};
    const char *to = dxt_trim_blanks(line, at), *word;
    bool verb = end - at > 6 && strncasecmp(at, "waited", 6) == 0;
    while (to > line && dxt_is_digit(to[-1])) to--;
    if (to == dxt_trim_blanks(line, at)) return false;
    const bool equals = to > line && to[-1] == '=';
    while (to > line && strchr(" =:_#-", to[-1])) to--;
    for (word = to; word > line && (dxt_is_letter(word[-1]) || word[-1] == '_');) word--;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == (size_t)(to - word) &&
            strncasecmp(word, names[i], (size_t)(to - word)) == 0)
            return verb || equals;
    return false;
}

/* Whether a row is called after a rank that is waited for: "column 3: 1 2", "waited for rank 3". */
static bool names_column(const char *line, const char *at, const char *end)
{
    if (names_both(line, at, end)) return false;
    static const char *const words[] = {"column",  "col",        "dst",
                                        "awaited", "waited for", "from rank"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t size = strlen(words[i]);
        if ((size_t)(end - at) <= size || strncasecmp(at, words[i], size) != 0) continue;
        const char *to = dxt_skip_blanks(at + size, end);
        if (end - to > 4 && strncasecmp(to, "rank", 4) == 0) to = dxt_skip_blanks(to + 4, end);
        while (to < end && strchr("=#_", *to)) to++;
        const char *digits = to;
        while (to < end && dxt_is_digit(*to)) to++;
        if (to > digits && to < end && strchr(":=[ ", *to)) {
            while (to < end && !dxt_is_digit(*to)) to++;
            return to < end;
        }
    }
    return false;
}

/* Whether "dst\\src", "sender,receiver" stand at a place: the first is the axis of the rows. */
static bool turns_pair(const char *at, const char *end)
{
    static const char *const awaited[] = {"dst", "dst_rank", "awaited", "sender", "from"};
    static const char *const waiting[] = {"src", "src_rank", "waiting", "receiver", "to"};
    for (size_t i = 0; i < sizeof awaited / sizeof awaited[0]; i++) {
        size_t size = strlen(awaited[i]), other = strlen(waiting[i]);
        if ((size_t)(end - at) <= size || strncasecmp(at, awaited[i], size) != 0) continue;
        const char *mark = dxt_skip_blanks(at + size, end);
        /* "(dst: 8, src: 8)" of xarray */
        bool dims = mark < end && *mark == ':' && end - mark > 2 && dxt_is_digit(mark[2]);
        for (mark += dims; dims && mark < end && (dxt_is_digit(*mark) || *mark == ' ');) mark++;
        if (mark == end || !strchr("\\/,;", *mark)) continue;
        /* "dst,src,wait" is heeded; "from/to" is prose. */
        bool corner = *mark == '\\' || *mark == '/';
        if (i < 3 ? !corner && !dims : *mark == '/') continue;
        const char *word = dxt_skip_blanks(mark + 1, end);
        if ((size_t)(end - word) >= other && strncasecmp(word, waiting[i], other) == 0 &&
            (word + other == end || !dxt_is_letter(word[other])))
            return true;
    }
    return false;
}

static void note_axes(dxt_reader *reader, const char *line, size_t size)
{
    const char *end = line + (size > MOST_WORDS ? MOST_WORDS : size);
    for (const char *at = line; end - at > 1; at++) {
        bool letter = dxt_is_letter(*at), dot = *at == '.' && at[1] == 'T' && at > line;
        if (dot && ((end - at > 2 && dxt_is_word(at[2])) ||
                    !(dxt_is_letter(at[-1]) || strchr("])_", at[-1]))))
            dot = false;
        bool begins = letter && (at == line || !dxt_is_letter(at[-1]));
        if (!dot && !(begins && strchr("tcrdasfw", *at | 32))) continue;
        bool word = begins && (size_t)(end - at) >= 9 && strncasecmp(at, "transpose", 9) == 0;
        if (dot || word || turns_axes(at, end) || turns_pair(at, end) ||
            names_column(line, at, end)) {
            reader->around.turned = reader->input.line;
            return;
        }
    }
}

/* Whether a row is called after what is no rank: "step 3: [1, 2]". */
static bool counts_others(const char *line, const char *end)
{
    static const char *const words[] = {"step",  "iter",   "iteration", "epoch",
                                        "layer", "expert", "batch"};
    line = dxt_skip_blanks(line, end);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t size = strlen(words[i]);
        if ((size_t)(end - line) <= size || strncasecmp(line, words[i], size) != 0) continue;
        const char *at = line + size;
        while (at < end && strchr(" =#_", *at)) at++;
        const char *digits = at;
        while (at < end && dxt_is_digit(*at)) at++;
        if (at == digits || at == end || !strchr(":= ", *at)) continue;
        while (at < end && strchr(":= [", *at)) at++;
        return at < end && dxt_is_digit(*at);
    }
    return false;
}

/* What words of a line are about. */
enum { WAITS = 1, RATES = 2, COUNTS = 4, SHARES = 8, DIGITS = 16 };

static unsigned find_words(const char *line, const char *end)
{
    static const struct {
        const char *word;
        unsigned about;
    } words[] = {{"wait", WAITS},      {"cost", WAITS},        {"laten", WAITS},  {"stall", WAITS},
                 {"cycle", WAITS},     {"bandwidth", RATES},   {"gb/s", RATES},   {"mb/s", RATES},
                 {"gbps", RATES},      {"gib/s", RATES},       {"token", COUNTS}, {"byte", COUNTS},
                 {"distances", RATES}, {"utilization", RATES}, {"sample", COUNTS}};
    unsigned found = 0;
    for (const char *at = line; at < end; at++) {
        if (dxt_is_digit(*at)) found |= DIGITS;
        bool letter = dxt_is_letter(*at);
        /* "high-bandwidth mode" is no bandwidth. */
        bool begins = at == line || !(dxt_is_letter(at[-1]) || at[-1] == '-');
        if (letter && begins && at > line + 1 && at[-1] == '%' && dxt_is_blank(at[-2]))
            found |= SHARES;
        for (size_t i = 0; letter && begins && i < sizeof words / sizeof words[0]; i++) {
            size_t size = strlen(words[i].word);
            if ((*at | 32) == *words[i].word && (size_t)(end - at) >= size &&
                strncasecmp(at, words[i].word, size) == 0)
                found |= words[i].about;
        }
    }
    return found;
}

/* Whether a heading names something other than waits: "Bandwidth (GB/s)", "tokens sent", "%usr". */
static bool names_other(unsigned about, const char *line, const char *end)
{
    if (about & WAITS) return false;
    return (about & (RATES | SHARES)) || (about & (COUNTS | DIGITS)) == COUNTS ||
           counts_others(line, end);
}

/* "scale: 1000", "unit: 10ns": what a line says of the values below, and nobody applies. */
static void note_scale(dxt_reader *reader, const char *line, size_t size)
{
    static const char *const factors[] = {"scale",      "factor",     "scale_factor",
                                          "unit_scale", "multiplier", NULL};
    static const char *const units[] = {"unit", "units", "time_unit", "wait_unit", NULL};
    const char *end = line + size, *value;
    if (size > MOST_WORDS) return;
    bool factor = dxt_says_alone(line, end, factors, &value) && dxt_is_digit(*value);
    bool unit = !factor && dxt_says_alone(line, end, units, &value);
    if (unit) {
        const char *to = value;
        while (to < end && !dxt_is_blank(*to) && !strchr("\"',;", *to)) to++;
        unit = !dxt_is_time_unit(value, to);
    }
    unsigned about = find_words(line, end);
    if (names_other(about, line, end)) reader->around.other = reader->input.line;
    factor = factor || (((about & WAITS) || *line == '#') && dxt_says_factor(line, end));
    if (factor || unit) reader->around.scaled = reader->input.line;
}

dxt_status dxt_look_around(dxt_reader *reader, const char **line, size_t *size)
{
    if (reader->headers || *size == 0 || reader->inner_at < reader->inner.size) return DXT_OK;
    note_axes(reader, *line, *size);
    note_scale(reader, *line, *size);
    return take_factor(reader, line, size);
}

dxt_status dxt_take_around(dxt_reader *reader, uint64_t line, double *reals, dxt_window *window)
{
    dxt_status status = DXT_OK;
    uint64_t turned = reader->around.turned, scaled = reader->around.scaled;
    if (reader->around.factor > 0) status = multiply(reader, line, reals, window);
    uint64_t other = reader->around.other;
    reader->around.scaled = reader->around.other = 0;
    if (status == DXT_OK && other > 0 && line <= other + MOST_LINES)
        status = dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, line,
                                 "line %llu names something other than waits; the values are read "
                                 "as waits",
                                 (unsigned long long)other);
    if (status == DXT_OK && scaled > 0 && line <= scaled + MOST_LINES)
        status = dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, line,
                                 "line %llu has a factor or a unit that is not applied: the values "
                                 "are read as they stand",
                                 (unsigned long long)scaled);
    uint64_t arrow = reader->around.arrow;
    reader->around.arrow = 0;
    if (status == DXT_OK && arrow >= line && !reader->around.pointed) {
        reader->around.pointed = true;
        status = dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, line,
                                 "in \"0 -> 1\", rank 0 is read as the one that waits, as in \"src "
                                 "-> dst\"; but in --slow-path 0->1, rank 1 waits for rank 0");
    }
    if (status != DXT_OK || turned == 0) return status;
    reader->around.turned = 0;
    if (line > turned + MOST_LINES) return DXT_OK;
    return dxt_reader_lose(
        reader, DXT_REMARK_NOTE, DXT_OK, line,
        "line %llu may say that the axes are turned, but the matrix is read as it "
        "stands: rows wait, columns are waited for",
        (unsigned long long)turned);
}

/* ---- one rank in front of all rows ---- */

dxt_status dxt_judge_tag(dxt_reader *reader, int64_t rank, uint32_t ranks, uint64_t line,
                         bool bracket)
{
    /* Two pairs of numbers are no proof of a matrix. */
    if (rank >= ranks && ranks == 2 && !bracket && !reader->told)
        return dxt_reader_lose(
            reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, line,
            "both rows of 2 values are of rank %lld: they may be parts of one row; if they are a "
            "matrix, write \"dispatch:\" on a line above them",
            (long long)rank);
    if (reader->around.tagged) return DXT_OK;
    reader->around.tagged = true;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, line,
                           "each row begins with rank %lld: read as one matrix that rank %lld "
                           "printed, whose rows are ranks 0, 1, ...",
                           (long long)rank, (long long)rank);
}

int64_t dxt_tag_rank(const dxt_numbers *numbers, uint32_t rows)
{
    const uint32_t count = numbers ? numbers[0].count : 0;
    if (count == 0 || count > 2 || rows < 2) return -1;
    for (uint32_t i = 1; i < rows; i++)
        if (numbers[i].count != count ||
            memcmp(numbers[i].values, numbers[0].values, count * sizeof numbers[0].values[0]) != 0)
            return -1;
    int64_t rank = numbers[0].values[numbers[0].rank > 0 ? numbers[0].rank - 1 : count - 1];
    return rank < DXT_MAX_RANKS ? rank : -1;
}
