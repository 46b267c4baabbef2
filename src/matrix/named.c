/* SPDX-License-Identifier: Apache-2.0 */
/* Waits of two ranks, one a line, as people and metrics say them: "rank 0 waits for rank 1: 5",
 * "rank 0 waited 5 us for rank 1", "src=0 dst=1 wait=5", wait{src="0",dst="1"} 5. */
#include <string.h>
#include <strings.h>

#include "matrix/cells.h"
#include "matrix/lines.h"
#include "matrix/members.h"
#include "matrix/scan.h"
#include "matrix/spot.h"
#include "matrix/tagged.h"

/* Words of a line with which a sentence may begin. */
#define MOST_TRIES 16
/* A longer line is no such sentence. */
#define MOST_LINE 1024

static bool is_one_of(const char *at, const char *end, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == (size_t)(end - at) &&
            strncasecmp(at, *words, (size_t)(end - at)) == 0)
            return true;
    return false;
}

/* Behind a word, if it is one of these; NULL: it is none. */
static const char *take_word(const char *at, const char *end, const char *const *words)
{
    const char *to = at;
    while (to < end && dxt_is_letter(*to)) to++;
    return to > at && is_one_of(at, to, words) ? to : NULL;
}

/* Behind "rank 3", "rank=3", "GPU3"; NULL: none stands there. */
static const char *take_rank(const char *at, const char *end, int64_t *rank)
{
    static const char *const names[] = {"rank", "gpu", "npu", "device", "worker", NULL};
    const char *to = take_word(at, end, names);
    const char *stop = to ? dxt_scan_integer(dxt_skip_any(to, end, " =:_#-"), end, rank) : NULL;
    bool whole = stop && (stop == end || !(dxt_is_letter(*stop) || *stop == '_'));
    return whole && *rank < DXT_MAX_RANKS ? stop : NULL;
}

/* Behind "e+06"; where none stands, @p at. */
static const char *skip_exponent(const char *at, const char *end)
{
    if (at == end || (*at | 32) != 'e') return at;
    const char *digits = at + 1, *to;
    digits += digits < end && (*digits == '+' || *digits == '-');
    for (to = digits; to < end && dxt_is_digit(*to);) to++;
    return to > digits ? to : at;
}

const char *dxt_skip_thousands(const char *at, const char *end)
{
    const char *to = at;
    while (to < end && dxt_is_digit(*to)) to++;
    if (to == at || to - at > 3 || *at == '0') return at;
    const char *first = to;
    while (end - to > 3 && *to == ',' && dxt_is_digit(to[1]) && dxt_is_digit(to[2]) &&
           dxt_is_digit(to[3]))
        to += 4;
    bool more =
        to < end && (dxt_is_digit(*to) || (*to == ',' && end - to > 1 && dxt_is_digit(to[1])));
    return to == first || more ? at : to;
}

/* Behind "12.5 us" and "1,234"; NULL: no number stands there. */
static const char *take_value(const char *at, const char *end, dxt_named *found)
{
    int64_t whole;
    double real;
    bool decimal, time = false;
    const char *to = dxt_skip_thousands(at, end), *parted = to;
    while (to < end && (dxt_is_digit(*to) || *to == '.')) to++;
    const char *exponent = skip_exponent(to, end);
    while (exponent == to && to > at && to[-1] == '.') to--;
    if (exponent > to) to = exponent;
    /* In "1,234.5" it is the end that may be wrong. */
    const char *number = parted > at ? parted - 1 : at;
    if (to == at || !dxt_is_digit(*at) ||
        dxt_scan_number(number, to, &whole, &real, &decimal) != to)
        return NULL;
    found->value = at;
    found->value_end = to;
    const char *from = dxt_skip_blanks(to, end), *word = from;
    while (word < end && (dxt_is_letter(*word) || (unsigned char)*word >= 0x80)) word++;
    static const char *const counters[] = {"cycles", "ticks", NULL};
    if (word > from && is_one_of(from, word, counters)) return word;
    double factor;
    size_t size = (size_t)(word - from);
    if (size == 0 || dxt_unit_length(from, word, &factor, &time) != size || !time) return to;
    found->unit = from;
    found->unit_end = word;
    return word;
}

/* Whether nothing stands behind a sentence, or the operator that it is about. */
static bool is_end(const char *at, const char *end)
{
    static const char *const words[] = {"in", "during", "of", "at", NULL};
    static const char *const operators[] = {"dispatch", "combine", NULL};
    at = dxt_skip_any(at, end, " \t.,;:!)(");
    const char *to = take_word(at, end, words);
    if (to) at = dxt_skip_blanks(to, end);
    to = take_word(at, end, operators);
    return dxt_skip_any(to ? to : at, end, " \t\r.,;!)\"'") == end;
}

/* A sentence that begins with the rank that waits. */
static bool take_sentence(const char *at, const char *end, dxt_named *found)
{
    static const char *const verbs[] = {"wait", "waits", "waited", "waiting", NULL};
    static const char *const ties[] = {"for", "on", NULL};
    static const char *const fills[] = {"for", "is", "was", "took", NULL};
    const char *to = take_rank(at, end, &found->cell[0]), *value = NULL, *word;
    if (!to) return false;
    to = dxt_skip_blanks(to, end);
    found->arrow = end - to > 2 && (memcmp(to, "->", 2) == 0 || memcmp(to, "=>", 2) == 0);
    if (found->arrow) {
        to = dxt_skip_blanks(to + 2, end);
    } else {
        word = take_word(to, end, verbs);
        if (!word) return false;
        to = dxt_skip_blanks(word, end);
        value = take_value(to, end, found);
        if (value) to = dxt_skip_blanks(value, end);
        word = take_word(to, end, ties);
        if (!word) return false;
        to = dxt_skip_blanks(word, end);
    }
    to = take_rank(to, end, &found->cell[1]);
    if (!to) return false;
    if (!value) {
        to = dxt_skip_any(to, end, " \t:=,");
        word = take_word(to, end, fills);
        value = to = take_value(word ? dxt_skip_any(word, end, " \t:=") : to, end, found);
    }
    return value && is_end(to, end);
}

/* ---- names ---- */

/* Whether a name counts something beside waits: "wait_us_count", "waiters", "wait_timeouts_total";
 * but "wait_us_total" is their sum. */
static bool counts_others(const char *at, const char *end)
{
    static const char *const words[] = {"count",    "counts",  "bucket",   "buckets", "created",
                                        "waiter",   "waiters", "timeout",  "errors",  "timeouts",
                                        "retries",  "events",  "calls",    "number",  "num",
                                        "failures", "ops",     "requests", NULL};
    static const char *const times[] = {"cost", "time", "duration", "latency", "delay", NULL};
    const dxt_token name = {.at = at, .end = end};
    bool total = false, unit = false;
    for (const char *word = at, *to; word < end; word = to + (to < end)) {
        for (to = word; to < end && dxt_is_letter(*to);) to++;
        if (is_one_of(word, to, words)) return true;
        total = total || (to - word == 5 && strncasecmp(word, "total", 5) == 0);
        unit = unit || is_one_of(word, to, times) || (to > word && dxt_is_time_unit(word, to));
    }
    return (total && !unit) || dxt_names_counts(&name) != DXT_COUNTS_NONE;
}

/* Whether a metric does, or is one of the parts of a histogram; @p brace: behind its labels. */
static bool metric_counts(const char *line, const char *brace)
{
    const char *end = memchr(line, '{', (size_t)(brace - line)), *at = end;
    if (!end) return true;
    while (at > line && (dxt_is_word(at[-1]) || at[-1] == ':')) at--;
    if (counts_others(at, end)) return true;
    for (at = end; (at = memmem(at, (size_t)(brace - at), "le=", 3)); at++)
        if (!dxt_is_letter(at[-1]) && at[-1] != '_') return true;
    return false;
}

/* Which part of a wait is called so: the waiting rank, 0, the awaited one, 1, the wait, 2; 3: a
 * rank, and nothing says which; −1: none. */
static int part_of(const char *at, const char *end)
{
    static const char *const waiting[] = {"src",          "src_rank", "row",  "i", "waiting",
                                          "waiting_rank", "waiter",   "rank", NULL};
    static const char *const awaited[] = {"dst", "dst_rank", "dest",         "col",  "column",
                                          "j",   "awaited",  "awaited_rank", "peer", NULL};
    static const char *const ranks[] = {"from", "to", "source", "target", NULL};
    if (is_one_of(at, end, waiting)) return 0;
    if (is_one_of(at, end, awaited)) return 1;
    if (is_one_of(at, end, ranks)) return 3;
    static const char *const values[] = {"value", "val", "cycles", "duration", NULL};
    bool waits = dxt_names_waits(at, end) && !counts_others(at, end);
    return waits || is_one_of(at, end, values) ? 2 : -1;
}

/* Where the name of a field begins; @p at: its "=". */
static const char *name_of(const char *line, const char *at)
{
    while (at > line && (dxt_is_letter(at[-1]) || at[-1] == '_')) at--;
    return at;
}

/* Whether commas without blanks part the fields, "src=0,dst=1,wait=5": then none parts thousands.
 */
static bool parted_by_commas(const char *line, const char *end)
{
    for (const char *at = line; (at = memchr(at, '=', (size_t)(end - at))); at++) {
        const char *word = name_of(line, at);
        if (word > line && word[-1] == ',' && part_of(word, at) >= 0) return true;
    }
    return false;
}

static bool take_names(const char *line, const char *end, dxt_named *found)
{
    unsigned parts = 0;
    bool commas = parted_by_commas(line, end);
    for (const char *at = line; (at = memchr(at, '=', (size_t)(end - at))); at++) {
        const char *word = name_of(line, at);
        const char *value = at + 1 + (at + 1 < end && at[1] == '"');
        if (value == end || !dxt_is_digit(*value)) continue;
        int part = part_of(word, at);
        if (part < 0) continue;
        found->ranks += part != 2;
        if (part == 3) continue;
        if (parts >> part & 1) return false;
        parts |= 1u << part;
        int64_t rank = -1;
        const char *comma = memchr(value, ',', (size_t)(end - value));
        bool ends = commas && comma && value == at + 1;
        const char *to = part == 2 ? take_value(value, ends ? comma : end, found)
                                   : dxt_scan_integer(value, end, &rank);
        if (!to || (part < 2 && rank >= DXT_MAX_RANKS)) return false;
        /* "src=10.0.0.1", "wait=1,5" */
        if (to < end && !strchr(" \t\",;}|)", *to)) return false;
        bool parted = end - to > 1 && *to == ',' && dxt_is_digit(to[1]);
        if (part == 2 && parted && !ends) return false;
        if (part < 2) found->cell[part] = rank;
        const dxt_token name = {.at = word, .end = at}, unit = dxt_unit_of(&name);
        if (part == 2 && unit.at && !found->unit) {
            found->unit = unit.at;
            found->unit_end = unit.end;
        }
    }
    /* A metric's value stands behind its labels, and a time or an example may behind that. */
    const char *example = memmem(line, (size_t)(end - line), " # {", 4);
    if (example) end = example;
    const char *brace = memrchr(line, '}', (size_t)(end - line));
    if (parts != 3 || !brace || !dxt_names_waits(line, brace)) return parts == 7;
    if (metric_counts(line, brace)) {
        found->ranks = 0;
        return false;
    }
    const char *to = take_value(dxt_skip_blanks(brace + 1, end), end, found);
    return to && (to == end || dxt_is_blank(*to));
}

bool dxt_named_find(const char *line, const char *end, dxt_named *found)
{
    *found = (dxt_named){0};
    while (end > line && dxt_is_blank(end[-1])) end--;
    if (end - line > MOST_LINE) return false;
    const size_t size = (size_t)(end - line);
    bool says = size > 0 && (memmem(line, size, "ait", 3) || memmem(line, size, "->", 2) ||
                             memmem(line, size, "=>", 2));
    int tries = says ? 0 : MOST_TRIES;
    for (const char *at = line; at < end && tries < MOST_TRIES; at++) {
        bool begins = at == line || !(dxt_is_letter(at[-1]) || at[-1] == '_');
        if (!begins || !strchr("rgndw", *at | 32)) continue;
        tries++;
        *found = (dxt_named){0};
        found->sentence = take_sentence(at, end, found);
        if (found->sentence) return true;
    }
    *found = (dxt_named){0};
    return take_names(line, end, found);
}
