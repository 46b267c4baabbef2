/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/stamp.h"

#include <string.h>

#include "matrix/scan.h"

/* GitHub's names of a job and a step have at most so many bytes. */
#define MOST_NAMES 256

/* Whether two digits stand at `at`, no third one behind them, and their number is below `most`. */
static bool is_part(const char *at, const char *end, int most)
{
    if (end - at < 2 || !dxt_is_digit(at[0]) || !dxt_is_digit(at[1])) return false;
    if (end - at > 2 && dxt_is_digit(at[2])) return false;
    return (at[0] - '0') * 10 + at[1] - '0' < most;
}

/* Behind "2026-11-26T10:11:12" and what says more of the time; NULL: it does not stand there. */
static const char *scan_stamp(const char *at, const char *end)
{
    static const char form[] = "0000-00-00T00:00:00";
    size_t size = sizeof form - 1;
    if ((size_t)(end - at) <= size) return NULL;
    for (size_t i = 0; i < size; i++)
        if (form[i] == '0' ? !dxt_is_digit(at[i]) : at[i] != form[i]) return NULL;
    const char *stop = at + size;
    while (stop < end && (dxt_is_digit(*stop) || strchr(".,+-:Z", *stop))) stop++;
    return stop < end && *stop == ' ' && stop[-1] != ',' ? stop + 1 : NULL;
}

const char *dxt_skip_stamp(const char *at, const char *end)
{
    const char *behind = scan_stamp(at, end), *from = at;
    if (behind) return behind;
    const char *most = end - at > MOST_NAMES ? at + MOST_NAMES : end;
    for (int tabs = 0; tabs < 2 && from; tabs++) {
        const char *tab = memchr(from, '\t', (size_t)(most - from));
        /* The first cells of a table are no names. */
        if (!tab || tab == from || dxt_is_digit(*from) || *from == '-') return at;
        from = tab + 1;
    }
    behind = scan_stamp(from, end);
    return behind ? behind : at;
}

bool dxt_ends_in_time(const char *line, const char *end)
{
    const char *word = end;
    while (word > line && !dxt_is_blank(word[-1])) word--;
    if (word < end && (*word == '[' || *word == '(')) word++;
    /* The time behind a date. */
    if (end - word > 11 && dxt_is_digit(*word) && word[10] == 'T') word += 11;
    if (!is_part(word, end, 24) || end - word < 8 || word[2] != ':' || word[5] != ':') return false;
    if (!is_part(word + 3, end, 60) || !is_part(word + 6, end, 60)) return false;
    for (const char *at = word + 8; at < end; at++)
        if (!dxt_is_digit(*at) && !strchr(".,+-:Z", *at)) return false;
    return true;
}

bool dxt_in_time(const char *word, const char *colon, const char *end)
{
    if (colon - word < 2 || !is_part(colon - 2, colon, 60) || !is_part(colon + 1, end, 60))
        return false;
    const char *at = colon - 2;
    bool three = at - word >= 3 && at[-1] == ':' && is_part(at - 3, at - 1, 24);
    if (three) at -= 3;
    if (at == word || at[-1] == 'T' || at[-1] == '[') return true;
    /* "INFO:10:11:12"; but "diag.log.10:11:12" is line 11 of a file. */
    return three && !dxt_is_word(at[-1]);
}

bool dxt_may_be_hour(const char *at, const char *from, const char *end)
{
    return from - at == 3 && at[2] == ':' && at[0] != '0' && is_part(at, at + 2, 60) &&
           is_part(from, end, 60) && *from != '0';
}

/* The value of the digits at `at`, as many as there are up to `most`; `next` is behind them. */
static int64_t take_digits(const char *at, const char *end, int most, const char **next)
{
    int64_t value = 0;
    for (; at < end && most > 0 && dxt_is_digit(*at); at++, most--) value = 10 * value + *at - '0';
    *next = at;
    return value;
}

/* ms behind a point or comma; `stop` is behind its digits. */
static int64_t take_fraction(const char *at, const char *end, const char **stop)
{
    const char *next = at;
    *stop = at;
    if (at == end || (*at != '.' && *at != ',')) return 0;
    int64_t ms = take_digits(at + 1, end, 3, &next);
    for (long digits = next - at - 1; digits < 3; digits++) ms *= 10;
    *stop = dxt_skip_digits(next, end);
    return ms;
}

int64_t dxt_clock_of(const char *at, const char *end)
{
    int64_t day = 0;
    for (const char *next; at < end; at = next) {
        next = at + 1;
        if (!dxt_is_digit(*at)) continue;
        int64_t value = take_digits(at, end, 12, &next);
        long digits = next - at;
        bool parts = end - next >= 6 && next[0] == next[3];
        if (digits == 4 && parts && (*next == '-' || *next == '/')) {
            const char *stop;
            int64_t month = take_digits(next + 1, end, 2, &stop);
            day = (value * 12 + month) * 31 + take_digits(next + 4, end, 2, &next);
        } else if (digits == 2 && parts && *next == ':' && is_part(next + 1, end, 60) &&
                   is_part(next + 4, end, 60) && value < 24) {
            int64_t minutes = value * 60 + take_digits(next + 1, end, 2, &next);
            int64_t seconds = take_digits(next + 1, end, 2, &next);
            return ((day * 1440 + minutes) * 60 + seconds) * 1000 + take_fraction(next, end, &next);
        } else {
            const char *stop;
            int64_t ms = take_fraction(next, end, &stop);
            bool since = digits == 10 && value >= 1500000000 && value < 2100000000;
            if (since || (stop - next > 3 && stop < end && *stop == ']')) return value * 1000 + ms;
            next = dxt_skip_digits(next, end);
        }
    }
    return -1;
}
