/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/spot.h"

#include <string.h>
#include <strings.h>

#include "matrix/reader.h"
#include "matrix/scan.h"

void dxt_spot_blanks(dxt_spot *in)
{
    while (in->at < in->end && (dxt_is_blank(*in->at) || *in->at == ',')) in->at++;
}

dxt_token dxt_spot_token(dxt_spot *in)
{
    dxt_token taken = {in->at, in->at, 0};
    if (in->at < in->end && (*in->at == '"' || *in->at == '\'')) {
        taken.quote = *in->at++;
        taken.at = in->at;
        while (in->at < in->end && *in->at != taken.quote) in->at += *in->at == '\\' ? 2 : 1;
        if (in->at > in->end) in->at = in->end;
        taken.end = in->at;
        if (in->at < in->end) in->at++;
        return taken;
    }
    while (in->at < in->end && dxt_is_word(*in->at)) in->at++;
    taken.end = in->at;
    return taken;
}

bool dxt_token_has(const dxt_token *name, const char *what)
{
    size_t size = strlen(what);
    for (const char *at = name->at; (size_t)(name->end - at) >= size; at++)
        if ((*at | 32) == *what && strncasecmp(at, what, size) == 0) return true;
    return false;
}

bool dxt_token_is(const dxt_token *name, const char *what)
{
    /* Most words are another one from their first letter on. */
    if (name->at == name->end || (*name->at | 32) != *what) return false;
    size_t size = (size_t)(name->end - name->at);
    return strlen(what) == size && strncasecmp(name->at, what, size) == 0;
}

const char *dxt_token_phase(const dxt_token *name, const char *known)
{
    bool dispatch = dxt_token_has(name, "dispatch"), combine = dxt_token_has(name, "combine");
    return dispatch == combine ? known : dispatch ? "dispatch" : "combine";
}

/* Behind a word with which people call a rank; `at` itself if none stands there. */
static const char *skip_rank_name(const char *at, const char *end)
{
    static const char *const names[] = {"rank", "r",      "gpu", "npu", "cuda",
                                        "dev",  "device", "pe",  "row", "worker"};
    const char *word = at;
    while (word < end && dxt_is_letter(*word)) word++;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == (size_t)(word - at) &&
            strncasecmp(at, names[i], (size_t)(word - at)) == 0)
            return word;
    return at;
}

int64_t dxt_token_rank(const dxt_token *name)
{
    int64_t rank = -1;
    const char *at = skip_rank_name(name->at, name->end);
    while (at < name->end && strchr("_ -=:", *at)) at++;
    return dxt_scan_integer(at, name->end, &rank) == name->end && at < name->end ? rank : -1;
}

/* Behind the names of calls such as "np.array(" and "tensor(". @return How many. */
int dxt_spot_open_calls(dxt_spot *in)
{
    for (int calls = 0;; calls++) {
        const char *word = in->at;
        while (word < in->end && dxt_is_word(*word)) word++;
        if (word == in->at || word == in->end || *word != '(') return calls;
        in->at = word + 1;
        dxt_spot_blanks(in);
    }
}

/* Pass over a value of any kind, brackets and texts in it. */
void dxt_spot_skip(dxt_spot *in)
{
    size_t depth = 0;
    while (in->at < in->end) {
        char c = *in->at;
        if (c == '"' || c == '\'') {
            dxt_spot_token(in);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}' || c == ')')) return;
        depth += c == '[' || c == '{' || c == '(';
        if (c == ']' || c == '}' || c == ')') depth--;
        in->at++;
    }
}

/* Behind the other arguments, ", device='cuda:0')". */
void dxt_spot_close_calls(dxt_spot *in, int calls)
{
    for (; calls > 0; calls--) {
        while (dxt_spot_skip(in), in->at < in->end && *in->at == ',') in->at++;
        if (in->at == in->end || *in->at != ')') return;
        in->at++;
    }
}

bool dxt_token_is_number(const dxt_token *text)
{
    int64_t whole;
    double real;
    bool decimal;
    return dxt_scan_number(text->at, text->end, &whole, &real, &decimal) == text->end;
}

/* Whether a bracket opens a list of numbers; then the place moves behind it, and the numbers are
 * from … to. */
bool dxt_spot_list(dxt_spot *in, const char **from, const char **to, uint32_t *count)
{
    dxt_spot ahead = *in;
    int calls = dxt_spot_open_calls(&ahead);
    if (ahead.at == ahead.end || !strchr("[({", *ahead.at)) return false;
    *from = ++ahead.at;
    *count = 0;
    for (dxt_spot_blanks(&ahead); ahead.at < ahead.end && !strchr("])}", *ahead.at);
         dxt_spot_blanks(&ahead)) {
        int scalar = dxt_spot_open_calls(&ahead);
        dxt_token number = dxt_spot_token(&ahead);
        if (number.at == number.end) return false;
        if (number.quote && !dxt_token_is_number(&number)) return false;
        if (!dxt_is_digit(*number.at) && *number.at != '-' && *number.at != '.' &&
            !dxt_none_length(number.at, ahead.end))
            return false;
        dxt_spot_close_calls(&ahead, scalar);
        ++*count;
    }
    *to = ahead.at;
    if (ahead.at < ahead.end) ahead.at++;
    dxt_spot_close_calls(&ahead, calls);
    *in = ahead;
    return *count > 0;
}
