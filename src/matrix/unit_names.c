/* SPDX-License-Identifier: Apache-2.0 */
/* Units of time as words, in names and in lines of their own. */
#include <string.h>
#include <strings.h>

#include "matrix/around.h"
#include "matrix/cells.h"
#include "matrix/scan.h"
#include "matrix/spot.h"

static const struct {
    const char *word;
    double ns;
} words[] = {{"cycles", 0},      {"ticks", 0},          {"clocks", 0},
             {"nanoseconds", 1}, {"microseconds", 1e3}, {"milliseconds", 1e6},
             {"microsec", 1e3},  {"millisec", 1e6},     {"seconds", 1e9}};

double dxt_unit_ns(const char *at, const char *end)
{
    double factor = 0;
    bool time = false;
    size_t size = (size_t)(end - at);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].word) == size && strncasecmp(at, words[i].word, size) == 0)
            return words[i].ns;
    return size > 0 && dxt_unit_length(at, end, &factor, &time) == size && time ? factor : -1;
}

static bool is_letter(char c)
{
    return dxt_is_letter(c) || (unsigned char)c >= 0x80;
}

dxt_token dxt_unit_of(const dxt_token *name)
{
    const char *at = name->end;
    while (at > name->at && is_letter(at[-1])) at--;
    bool is = at > name->at && at[-1] == '_' && dxt_unit_ns(at, name->end) >= 0;
    return is ? (dxt_token){.at = at, .end = name->end} : (dxt_token){0};
}

bool dxt_is_time_unit(const char *at, const char *end)
{
    return dxt_unit_ns(at, end) >= 0;
}

bool dxt_says_alone(const char *line, const char *end, const char *const *names, const char **value)
{
    while (line < end && (dxt_is_blank(*line) || *line == '#' || *line == '-')) line++;
    while (end > line && (dxt_is_blank(end[-1]) || strchr("\"',;", end[-1]))) end--;
    const char *to = line;
    while (to < end && (dxt_is_letter(*to) || *to == '_')) to++;
    bool named = false;
    for (; *names && !named; names++) {
        size_t size = strlen(*names);
        named = (size_t)(to - line) == size && strncasecmp(line, *names, size) == 0;
    }
    while (to < end && dxt_is_blank(*to)) to++;
    if (!named || to == end || (*to != ':' && *to != '=')) return false;
    for (to++; to < end && (dxt_is_blank(*to) || *to == '"' || *to == '\'');) to++;
    *value = to;
    while (to < end && !dxt_is_blank(*to)) to++;
    return to == end && to > *value;
}

/* Behind blanks and a word of letters. @p word  Receives where it begins. */
static const char *take_word(const char *at, const char *end, const char **word)
{
    while (at < end && dxt_is_blank(*at)) at++;
    for (*word = at; at < end && is_letter(*at);) at++;
    return at;
}

static bool is_word(const char *at, const char *end, const char *word)
{
    return strlen(word) == (size_t)(end - at) && strncasecmp(at, word, strlen(word)) == 0;
}

static bool is_cycles(const char *at, const char *end)
{
    return dxt_unit_ns(at, end) == 0 || is_word(at, end, "cycle");
}

/* Whether what stands behind a factor may be what it is one of: a unit, waits, the end of a bracket
 * or of the line. It is none of waits in "thousands of iterations" and "x1000 runs". */
static bool counts_units(const char *at, const char *end)
{
    const char *word;
    at = take_word(at, end, &word);
    if (is_word(word, at, "of")) at = take_word(at, end, &word);
    if (at == word || is_word(word, at, "per") || dxt_is_time_unit(word, at)) return true;
    static const char *const waits[] = {"dispatch", "combine", "wait", "waits", NULL};
    for (const char *const *name = waits; *name; name++)
        if (is_word(word, at, *name)) return true;
    /* "clock cycles", "GPU core cycles" */
    for (int tries = 0; tries < 3 && at > word; tries++) {
        if (is_cycles(word, at)) return true;
        if (is_word(word, at, "in")) return false;
        at = take_word(at, end, &word);
    }
    return false;
}

/* Whether a factor stands at a place: "thousands", "x1000", "(100 ns)". */
static bool is_factor(const char *at, const char *end)
{
    static const char *const names[] = {"thousand",  "million",   "kcycle", "mcycle",
                                        "kilocycle", "megacycle", NULL};
    for (const char *const *word = names; *word; word++) {
        size_t size = strlen(*word);
        if ((size_t)(end - at) < size || strncasecmp(at, *word, size) != 0) continue;
        const char *to = at + size;
        if (to < end && (*to | 32) == 's') to++;
        bool whole = is_cycles(to - 5, to) || is_cycles(to - 6, to);
        return whole ? to == end || !is_letter(*to) : counts_units(to, end);
    }
    bool bracket = *at == '(' || *at == '[';
    if (!bracket && *at != 'x' && *at != '*') return false;
    const char *digits = ++at;
    while (at < end && (dxt_is_digit(*at) || (at > digits && (*at | 32) == 'e'))) at++;
    if (at - digits < 2) return false;
    if (!bracket) return counts_units(at, end);
    while (at < end && dxt_is_blank(*at)) at++;
    const char *unit = at;
    while (at < end && is_letter(*at)) at++;
    return at < end && (*at == ')' || *at == ']') && dxt_is_time_unit(unit, at);
}

bool dxt_says_factor(const char *line, const char *end)
{
    for (const char *at = line; at < end; at++) {
        bool begins = at == line || (!dxt_is_letter(at[-1]) && !dxt_is_digit(at[-1]));
        if (begins && is_factor(at, end)) return true;
    }
    return false;
}
