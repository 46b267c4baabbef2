/* SPDX-License-Identifier: Apache-2.0 */
/* Names that count something other than waits: "tokens", "bytes_sent", "numSamples". */
#include <string.h>
#include <strings.h>

#include "matrix/members.h"
#include "matrix/scan.h"

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* The next word of a name, of "bytes_sent", "bytes-sent" and "bytesSent"; empty: there is none. */
static dxt_token next_word(const char **at, const char *end)
{
    while (*at < end && !dxt_is_letter(**at)) ++*at;
    dxt_token word = {.at = *at};
    while (*at < end && dxt_is_letter(**at)) {
        bool begins = is_upper(**at) && *at > word.at && !is_upper((*at)[-1]);
        if (begins) break;
        ++*at;
    }
    word.end = *at;
    return word;
}

static bool begins_with(const dxt_token *word, const char *const *with, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(with[i]);
        if ((size_t)(word->end - word->at) >= size && strncasecmp(word->at, with[i], size) == 0)
            return true;
    }
    return false;
}

/* "tokens", "nbytes", "numtokens" */
static bool counts(const dxt_token *word)
{
    static const char *const words[] = {"sample", "samples", "byte",  "bytes",
                                        "token",  "tokens",  "count", "counts"};
    static const char *const fronts[] = {"", "n", "num", "k", "m", "g"};
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        const char *front = fronts[i];
        size_t size = strlen(front);
        if ((size_t)(word->end - word->at) <= size || strncasecmp(word->at, front, size) != 0)
            continue;
        const dxt_token rest = {.at = word->at + size, .end = word->end};
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
            if (dxt_token_is(&rest, words[k])) return true;
    }
    return false;
}

/* "wait", "latency", "cycles", "us" */
static bool says_time(const dxt_token *word)
{
    static const char *const begins[] = {"wait",  "cost",  "counter",  "laten",
                                         "cycle", "stall", "duration", "delay"};
    return begins_with(word, begins, sizeof begins / sizeof begins[0]) ||
           dxt_token_is(word, "time") || dxt_token_is(word, "times") ||
           (word->end - word->at > 1 && dxt_is_time_unit(word->at, word->end));
}

dxt_counting dxt_names_counts(const dxt_token *name)
{
    static const char *const operators[] = {"dispatch", "combine"};
    bool found = false, phase = false;
    const char *at = name->at;
    for (;;) {
        dxt_token word = next_word(&at, name->end);
        if (word.at == word.end) break;
        if (dxt_token_is(&word, "per")) {
            next_word(&at, name->end); /* "cycles_per_token" counts none of these */
            continue;
        }
        if (says_time(&word)) return DXT_COUNTS_NONE;
        found = found || counts(&word);
        phase = phase || begins_with(&word, operators, 2);
    }
    return !found ? DXT_COUNTS_NONE : phase ? DXT_COUNTS_PERHAPS : DXT_COUNTS_OTHERS;
}

/* Whether an array begins, "[[5, 7]", "array([5"; a list of objects is none. */
static bool is_array(dxt_spot in)
{
    dxt_spot_open_calls(&in);
    bool opens = in.at < in.end && *in.at == '[';
    while (in.at < in.end && (dxt_is_blank(*in.at) || *in.at == '[')) in.at++;
    return opens && !(in.at < in.end && *in.at == '{');
}

/* Whether the members of an object are numbers of ranks, {"0": 5, "1": 7}. */
static bool is_row_of_ranks(dxt_spot in)
{
    dxt_members all;
    dxt_members_look(in, &all);
    return all.count > 1 && all.waits == all.count;
}

bool dxt_put_counts(dxt_spot *in, const dxt_token *name)
{
    const bool array = is_array(*in);
    if (!array && (in->at == in->end || *in->at != '{')) return false;
    const dxt_counting counting = dxt_names_counts(name);
    if (counting != DXT_COUNTS_NONE && !array && !is_row_of_ranks(*in)) return false;
    if (counting == DXT_COUNTS_NONE) return false;
    size_t first = in->lines->size;
    bool left_out = counting == DXT_COUNTS_OTHERS;
    if (in->matrices)
        dxt_text_printf(in->lines, DXT_COUNTS_LINE "%s%.*s\n", left_out ? "" : "?",
                        name->end - name->at > 40 ? 40 : (int)(name->end - name->at), name->at);
    for (size_t i = first; i + 1 < in->lines->size; i++)
        if (in->lines->data[i] == '\n') in->lines->data[i] = ' ';
    if (left_out) dxt_spot_skip(in);
    return left_out;
}
