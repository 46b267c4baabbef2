/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of bare numbers behind what a launcher, a logger or a person puts in front of each line:
 * "[1,3]<stdout>: 1 2 3", "(Worker pid=7, ip=10.0.0.1) 1 2 3", "INFO 11-26 10:11:12 [x.py:8] 1 2".
 * The row is the numbers with which the line ends.
 */
#include "matrix/tagged.h"

#include <string.h>
#include <strings.h>

#include "matrix/cells.h"
#include "matrix/scan.h"
#include "matrix/stamp.h"

/* Fewer numbers are a row only behind what no logger writes. */
#define FEW 3
/* Groups of three digits that a counter may have. */
#define MOST_GROUPS 7

static bool separates(char c)
{
    return dxt_is_blank(c) || c == ',' || c == ';';
}

static bool is_marker(char c)
{
    return strchr(":>)]|}", c) != NULL;
}

static bool is_value(const char *at, const char *end)
{
    int64_t whole;
    double real;
    bool decimal;
    if (at < end && *at == '+') at++;
    const char *next = dxt_scan_integer(at, end, &whole);
    if (next == end) return true;
    if (dxt_scan_number(at, end, &whole, &real, &decimal) == end) return true;
    size_t unit = at < end && dxt_is_digit(*at) ? dxt_unit_length(at, end, &real, &decimal) : 0;
    if (unit > 0 && dxt_scan_number(at, end - unit, &whole, &real, &decimal) == end - unit)
        return true;
    return at < end && (size_t)(end - at) == dxt_none_length(at, end);
}

/* A unit that stands apart from its number. */
static bool is_unit(const char *at, const char *end)
{
    double factor;
    bool time;
    return dxt_unit_length(at, end, &factor, &time) == (size_t)(end - at) && time;
}

/* The number at the end of "<stdout>:12" and "run.log:10:12"; NULL: there is none. */
static const char *find_glued(const char *line, const char *word, const char *end)
{
    const char *at = end;
    while (at > word && !(is_marker(at[-1]) && at[-1] != '}')) at--;
    if (at == word || at == end || !is_value(at, end)) return NULL;
    if (at[-1] != ':') return at;
    bool hour = word == line && dxt_may_be_hour(word, at, end);
    bool time = dxt_in_time(word, at - 1, end) && !hour;
    return time || dxt_names_rank(word, (size_t)(end - word)) ? NULL : at;
}

/* The numbers at the end of a line. */
typedef struct tail {
    const char *from;
    uint32_t count;
    bool glued; /* nothing stands between them and what is in front */
} tail;

static tail find_tail(const char *line, const char *end)
{
    tail found = {end, 0, false};
    for (const char *at = end;;) {
        while (at > line && separates(at[-1])) at--;
        const char *to = at;
        while (at > line && !separates(at[-1])) at--;
        if (at == to) return found;
        bool dash = to - at == 1 && *at == '-';
        if (dash) {
            /* A cell that was not observed, or what parts the message from what is in front. */
            const char *stop = at, *word;
            while (stop > line && separates(stop[-1])) stop--;
            for (word = stop; word > line && !separates(word[-1]);) word--;
            bool cell = stop > line && (is_marker(stop[-1]) || is_value(word, stop));
            if (!cell) return found;
        }
        if (is_unit(at, to)) continue;
        if (!dash && !is_value(at, to)) {
            const char *glued = find_glued(line, at, to);
            if (glued) found = (tail){glued, found.count + 1, true};
            return found;
        }
        found.from = at;
        found.count++;
    }
}

/* Each of 0 … N−1, or of 1 … N, once: the heading of a table, or a ring of ranks. */
static bool are_numbers_of_ranks(const char *at, const char *end, uint32_t count)
{
    bool seen[DXT_MAX_RANKS + 1] = {false};
    if (count < FEW || count > DXT_MAX_RANKS) return false;
    for (;;) {
        int64_t value;
        while (at < end && separates(*at)) at++;
        if (at == end) return !seen[0] || !seen[count];
        const char *stop = dxt_scan_integer(at, end, &value);
        if (!stop || value > count || seen[value]) return false;
        seen[value] = true;
        at = stop;
    }
}

/* A word of those who write how a training goes, or what NCCL has found. */
static bool says_other(const char *at, const char *end)
{
    static const char *const words[] = {
        "step", "steps",   "iter", "iteration", "epoch", "loss",  "layer",  "batch", "lr",    "acc",
        "grad", "channel", "ring", "tree",      "trees", "token", "tokens", "shape", "shapes"};
    while (at < end) {
        const char *word = at;
        while (at < end && dxt_is_letter(*at)) at++;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strlen(words[i]) == (size_t)(at - word) &&
                strncasecmp(words[i], word, (size_t)(at - word)) == 0)
                return true;
        if (at == word) at++;
    }
    return false;
}

/* "[3]" of MPICH, or what ends in "<stdout>:". */
static bool is_launcher(const char *at, const char *end)
{
    static const char *const streams[] = {"<stdout>:", "<stderr>:"};
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        size_t size = strlen(streams[i]);
        if ((size_t)(end - at) > size && memcmp(end - size, streams[i], size) == 0) return true;
    }
    if (end - at < 3 || *at != '[' || end[-1] != ']') return false;
    for (at++; at < end - 1; at++)
        if (!dxt_is_digit(*at)) return false;
    return true;
}

/* "+" of a difference, ">>" of a mail. */
static bool is_mark(const char *at, const char *end)
{
    for (; at < end; at++)
        if (!strchr("+*~>", *at)) return false;
    return true;
}

bool dxt_ends_in_level(const char *line, const char *end)
{
    static const char *const levels[] = {"INFO",  "DEBUG",  "WARNING",  "WARN",  "ERROR",
                                         "TRACE", "NOTICE", "CRITICAL", "FATAL", "SUCCESS"};
    while (end > line && (dxt_is_blank(end[-1]) || end[-1] == ':')) end--;
    const char *word = end;
    while (word > line && dxt_is_letter(word[-1])) word--;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strlen(levels[i]) == (size_t)(end - word) &&
            strncasecmp(levels[i], word, (size_t)(end - word)) == 0)
            return true;
    return false;
}

/* A name of one word is read by dxt_take_cells(), sums and all. */
static bool is_name(const char *at, const char *end, bool commas)
{
    bool word = true, letters = false;
    for (const char *c = at; c < end; c++) {
        word = word && !dxt_is_blank(*c);
        letters = letters || dxt_is_letter(*c) || dxt_is_digit(*c);
    }
    if (!word || is_launcher(at, end)) return false;
    if (!letters) return !is_mark(at, end) || (end - at == 1 && *at == '>' && !commas);
    return !is_marker(end[-1]) || (end[-1] == ':' && !commas);
}

/* "     3\t1 2 3" of cat -n: behind the number. "3\t100 200" may be thousands with a blank in
 * them, unless it is the number of the line, the parts are too many, or it is set as cat does. */
static const char *skip_line_number(const char *line, const char *at, const char *end, uint64_t row)
{
    int64_t number;
    const char *stop = dxt_scan_integer(at, end, &number);
    if (!stop || stop == end || *stop != '\t') return NULL;
    bool set = at > line && stop - line == 6 && *line == ' ';
    if (memchr(stop + 1, '\t', (size_t)(end - stop) - 1)) return NULL;
    const tail found = find_tail(stop + 1, end);
    bool all = set ? found.count >= 2
                   : found.count >= FEW && ((uint64_t)number == row || found.count > MOST_GROUPS);
    for (const char *c = stop + 1; c < found.from; c++) all = all && separates(*c);
    return all ? stop + 1 : NULL;
}

/* Whether what stands in front of a bar, without the blanks between them, is a logger's, and no
 * cell or name: "rank 3 | 1 | 2 |", "rank3: | 1 | 2 |". */
static bool is_front(const char *at, const char *to, const char *bar)
{
    if (to == at) return false;
    int colons = 0;
    bool digits = true, words = false, quotes = true;
    for (const char *c = at; c < to; c++) {
        quotes = quotes && (*c == '>' || dxt_is_blank(*c));
        digits = digits && dxt_is_digit(*c);
        words = words || dxt_is_blank(*c);
        colons += *c == ':';
    }
    if (quotes) return true; /* "> | 1 |" of a mail */
    /* "12:| 1 |" of grep, "INFO:root:| 1 |". */
    if (to == bar) return to[-1] == ':' && (dxt_is_digit(*at) || colons > 1);
    /* "12\t| 1 |" of cat -n. */
    if (digits) return *to == '\t' && to + 1 == bar;
    if (dxt_ends_in_time(at, to) || dxt_ends_in_level(at, to)) return true;
    return (is_marker(to[-1]) || to[-1] == '-') && (words || dxt_is_digit(*at));
}

/* The bar behind "| module:function:12 - ", in which loguru's prefix ends; else the first one. */
static const char *skip_fields(const char *bar, const char *end)
{
    for (const char *from = bar, *next; from + 1 < end; from = next) {
        next = memchr(from + 1, '|', (size_t)(end - from) - 1);
        if (!next) break;
        if (next - from < 5 || memcmp(next - 3, " - ", 3) != 0) continue;
        const char *colon = memchr(from, ':', (size_t)(next - from));
        if (colon && memchr(colon + 1, ':', (size_t)(next - colon) - 1)) return next;
    }
    return bar;
}

const char *dxt_skip_to_bar(const char *at, const char *end)
{
    const char *bar = memchr(at, '|', (size_t)(end - at)), *to = bar, *last = end;
    while (last > at && dxt_is_blank(last[-1])) last--;
    if (!bar || bar == at || last[-1] != '|' || last - bar < 2) return at;
    while (to > at && dxt_is_blank(to[-1])) to--;
    if (!is_front(at, to, bar)) return at;
    return dxt_ends_in_time(at, to) ? skip_fields(bar, last) : bar;
}

/* Python's milliseconds in "03:00:00,123 12 13 14" are part of the time, and a dash behind them
 * parts it from the message. */
static void skip_fraction(const char *line, const char *end, tail *found)
{
    const char *at = found->from, *from = at;
    if (from == line || from[-1] != ',' || !dxt_ends_in_time(line, from - 1)) return;
    while (at < end && dxt_is_digit(*at)) at++;
    if (at == from || (at - from) % 3 != 0 || at == end || *at != ' ') return;
    for (int parts = 1;; parts++) {
        while (at < end && dxt_is_blank(*at)) at++;
        *found = (tail){at, found->count - 1, false};
        if (parts == 2 || end - at < 2 || *at != '-' || !dxt_is_blank(at[1])) return;
        at++;
    }
}

const char *dxt_skip_tag(const char *line, const char *end, uint64_t number)
{
    const char *begin = line;
    while (end > line && separates(end[-1])) end--;
    while (line < end && dxt_is_blank(*line)) line++;
    const char *word = line;
    while (word < end && !separates(*word)) word++;
    if (line == end || *line == '"' || *line == '\'') return NULL;
    if (is_value(line, word)) return skip_line_number(begin, line, end, number);
    tail found = find_tail(line, end);
    skip_fraction(line, end, &found);
    const char *to = found.from;
    bool tab = to > line && to[-1] == '\t', comma = to > line && strchr(",;", to[-1]);
    while (to > line && separates(to[-1])) {
        comma = comma || *to == ',' || *to == ';';
        to--;
    }
    if (to == line || found.count < (is_launcher(line, to) ? 2 : FEW)) return NULL;
    size_t size = (size_t)(end - found.from);
    bool commas = memchr(found.from, ',', size) || memchr(found.from, ';', size);
    bool tabs = memchr(found.from, '\t', size), time = !tab && dxt_ends_in_time(line, to);
    bool separated = commas || (tab && tabs);
    bool marked = is_marker(to[-1]) || to[-1] == '-' || is_mark(line, to) || time ||
                  dxt_ends_in_level(line, to);
    /* "rank 0,12,13": a name in the first cell. */
    if (comma || (separated && !marked)) return NULL;
    if (!found.glued && !time && is_name(line, to, commas || (tabs && !tab))) return NULL;
    if (says_other(line, to) || are_numbers_of_ranks(found.from, end, found.count)) return NULL;
    return found.from;
}

bool dxt_tag_says(const char *at, const char *end)
{
    while (end > at && separates(end[-1])) end--;
    if (end == at) return false;
    const char *to = end - (end[-1] == ':' || end[-1] == '='), *word = to;
    /* "shape (1, 2, 3):" */
    if (to > at && to[-1] == ')') {
        while (word > at && *word != '(') word--;
        const char *c = word + (*word == '(');
        while (c < to - 1 && (dxt_is_digit(*c) || separates(*c))) c++;
        return c == to - 1 && memchr(word, ',', (size_t)(to - word));
    }
    while (word > at && dxt_is_letter(word[-1])) word--;
    /* A word alone, or behind a number or a mark, may be a name. */
    if (to - word < 2 || word == at || !dxt_is_blank(word[-1]) || dxt_ends_in_level(at, to))
        return false;
    while (word > at && dxt_is_blank(word[-1])) word--;
    /* "train.py:20 throughput"; but "train-worker-3 main" of a pod's container. */
    const char *name = word;
    while (name > at && !dxt_is_blank(name[-1])) name--;
    bool place = memchr(name, ':', (size_t)(word - name)) || word[-1] == ']';
    return dxt_is_letter(word[-1]) || (to == end && place);
}

bool dxt_names_waits(const char *at, const char *end)
{
    static const char *const words[] = {"wait", "matri",  "dispatch", "combine", "recv",
                                        "cost", "latenc", "alltoall", "stall"};
    for (; at < end; at++)
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            size_t size = strlen(words[i]);
            if ((*at | 32) == words[i][0] && (size_t)(end - at) >= size &&
                strncasecmp(at, words[i], size) == 0)
                return true;
        }
    return false;
}
