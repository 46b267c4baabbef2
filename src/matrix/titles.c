/* SPDX-License-Identifier: Apache-2.0 */
/* What the line above a table says of its columns. */
#include <string.h>
#include <strings.h>

#include "matrix/scan.h"
#include "matrix/shape.h"

/* A word for what is made of all values of a row or a column. */
bool dxt_says_sum(const char *at, const char *end)
{
    static const char *const words[] = {
        "sum", "total",  "totals", "mean", "avg",     "average",  "max",    "min",
        "std", "stddev", "median", "all",  "row_sum", "row_mean", "rowsum", "rowmean"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == (size_t)(end - at) &&
            strncasecmp(at, words[i], (size_t)(end - at)) == 0)
            return true;
    return false;
}

static bool is_drawn(char c)
{
    return dxt_is_blank(c) || strchr(",;|&\"'*", c);
}

/* In front of the columns of sums with which a heading ends. @p sums  Receives how many. */
static const char *skip_sums(const char *at, const char *end, uint32_t *sums)
{
    *sums = 0;
    for (const char *word;; end = word) {
        while (end > at && is_drawn(end[-1])) end--;
        for (word = end; word > at && !is_drawn(word[-1]);) word--;
        if (!dxt_says_sum(word, end)) return end;
        ++*sums;
    }
}

/* How many columns a heading counts, "rank r0 r1 r2": words that end in a digit, behind one other
 * at most; 0: it is none. */
static uint32_t columns_of(const char *at, const char *end)
{
    uint32_t others = 0, columns = 0;
    while (at < end) {
        const char *word = at;
        while (at < end && (unsigned char)*at > ' ' && (unsigned char)*at < 0x7f &&
               !strchr(",;|&\"'", *at))
            at++;
        if (at == word)
            at++;
        else if (dxt_is_digit(at[-1]))
            columns++;
        else if (columns > 0 || ++others > 1)
            return 0;
    }
    return columns;
}

/* Whether the numbers in which the words of a heading end are ranks, each once. @p falls  Receives
 * whether they are not in order. */
static bool names_ranks(const char *at, const char *end, uint32_t counted, bool *falls)
{
    int64_t least = INT64_MAX, most = -1, before = -1;
    uint64_t seen[DXT_MAX_RANKS / 64] = {0};
    bool doubled = false;
    *falls = false;
    if (counted < 2 || counted > DXT_MAX_RANKS) return false;
    while (at < end) {
        const char *digits = at;
        while (digits < end && !dxt_is_digit(*digits)) digits++;
        for (at = digits; at < end && dxt_is_digit(*at);) at++;
        /* Only what a word ends in. */
        bool last = at == end || (unsigned char)*at <= ' ' || strchr(",;|&\"'", *at);
        int64_t rank;
        if (at == digits || !last || !dxt_scan_integer(digits, at, &rank)) continue;
        if (rank >= DXT_MAX_RANKS) return false;
        doubled = doubled || (seen[rank / 64] >> rank % 64 & 1);
        seen[rank / 64] |= UINT64_C(1) << rank % 64;
        *falls = *falls || rank < before;
        before = rank;
        if (rank < least) least = rank;
        if (rank > most) most = rank;
    }
    return !doubled && most - least + 1 == (int64_t)counted;
}

/* Whether a heading of a column names a time or a step. */
static bool names_series(const char *at, const char *end)
{
    static const char *const words[] = {
        "time", "timestamp", "timestamps", "datetime", "date",  "ts",      "step",   "steps",
        "iter", "iters",     "iteration",  "epoch",    "batch", "elapsed", "second", "seconds",
        "sec",  "ms",        "minute",     "hour",     "day",   "sample",  "samples"};
    while (at < end) {
        const char *word = at;
        while (at < end && dxt_is_letter(*at) && *at != '_') at++;
        size_t size = (size_t)(at - word);
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strlen(words[i]) == size && strncasecmp(words[i], word, size) == 0) return true;
        if (at == word) at++;
    }
    return false;
}

/* Whether a word of a heading is the waiting rank, 0, or the awaited one, 1; −1: neither. */
static int role_of(const char *at, const char *end)
{
    static const char *const roles[][2] = {{"waiting", "awaited"},
                                           {"waiting_rank", "awaited_rank"},
                                           {"src", "dst"},
                                           {"src_rank", "dst_rank"},
                                           {"row", "col"},
                                           {"row", "column"},
                                           {"i", "j"}};
    while (at < end && (dxt_is_blank(*at) || *at == '"')) at++;
    while (end > at && (dxt_is_blank(end[-1]) || end[-1] == '"')) end--;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        for (int role = 0; role < 2; role++)
            if (strlen(roles[i][role]) == (size_t)(end - at) &&
                strncasecmp(at, roles[i][role], (size_t)(end - at)) == 0)
                return role;
    return -1;
}

dxt_titles dxt_shape_titles(const char *at, const char *end)
{
    dxt_titles titles = {0};
    const char *sums = skip_sums(at, end, &titles.sums);
    titles.counted = columns_of(at, sums);
    bool falls;
    /* Behind "p50 p90" stands a column like those, "max". */
    if (titles.sums > 0 && !names_ranks(at, sums, titles.counted, &falls)) titles.sums = 0;
    if (titles.sums > 0)
        end = sums;
    else
        titles.counted = columns_of(at, end);
    titles.disordered = names_ranks(at, end, titles.counted, &falls) && falls;
    while (at < end && (dxt_is_blank(*at) || *at == '|')) at++;
    while (end > at && (dxt_is_blank(end[-1]) || end[-1] == '|')) end--;
    if (at == end || dxt_is_digit(*at) || end[-1] == ':') return titles;
    /* Where something separates, the blanks are within the words. */
    const char *marks = " \t";
    if (memchr(at, '\t', (size_t)(end - at))) marks = "\t";
    static const char *const separators[] = {",", ";", "|", "&"};
    for (size_t i = 4; i-- > 0;)
        if (memchr(at, separators[i][0], (size_t)(end - at))) marks = separators[i];
    bool blanks = *marks == ' ';
    int before = -1;
    uint32_t both = 0;
    for (const char *word = at;; word = at) {
        while (at < end && !strchr(marks, *at)) at++;
        int role = titles.cells < 4 ? role_of(word, at) : -1;
        titles.swapped = titles.swapped || (before == 1 && role == 0);
        if (role >= 0 && before == 1 - role) both = titles.cells + 1;
        before = role;
        if (titles.cells++ == 0)
            titles.series = names_series(word, at);
        else if (dxt_begins_number(word, at)) /* "step 3", a sentence */
            titles.series = false;
        titles.roles = both > 0 && titles.cells == both + 1;
        if (at == end) return titles;
        for (at++; at < end && blanks && dxt_is_blank(*at);) at++;
    }
}
