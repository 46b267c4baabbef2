/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/members.h"

#include <string.h>
#include <strings.h>

#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/tagged.h"

/* Which part of a cell a member of this name is: its row, its column or its value; −1: none. */
static int part_of(const dxt_token *name)
{
    static const char *const names[3][6] = {{"row", "i", "src", "src_rank", "waiting", "source"},
                                            {"col", "j", "dst", "dst_rank", "awaited", "target"},
                                            {"value", "v", "wait", "cost", "w", "val"}};
    for (int part = 0; part < 3; part++)
        for (int i = 0; i < 6; i++)
            if (dxt_token_is(name, names[part][i])) return part;
    return -1;
}

static bool is_one_of(const dxt_token *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (dxt_token_is(name, words[i])) return true;
    return false;
}

static bool ends_so(const dxt_token *name, const char *with)
{
    size_t size = strlen(with);
    return (size_t)(name->end - name->at) >= size && strncasecmp(name->end - size, with, size) == 0;
}

/* "unit", "time_unit", "timeUnit", "waits_units" */
static bool names_unit(const dxt_token *name)
{
    return ends_so(name, "unit") || ends_so(name, "units");
}

/* Whether a number of that name changes what values say: a factor, a clock, a count. */
static bool names_factor(const dxt_token *name)
{
    static const char *const parts[] = {"scale", "factor", "multipl", "divide",    "divisor",
                                        "clock", "tick",   "freq",    "resolution"};
    static const char *const words[] = {"ops", "samples", "operations", "iterations", "iters"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (dxt_token_has(name, parts[i])) return true;
    return is_one_of(name, words, sizeof words / sizeof words[0]) || ends_so(name, "hz");
}

/* Whether a text of that name says which way the matrix is turned. */
static bool names_axes(const dxt_token *name)
{
    static const char *const words[] = {"rows",        "cols",     "columns",    "axes",
                                        "axis",        "layout",   "order",      "orient",
                                        "orientation", "indexing", "transposed", "transpose"};
    return is_one_of(name, words, sizeof words / sizeof words[0]);
}

/* Whether an object of that name says something of its neighbours. */
static bool names_about(const dxt_token *name)
{
    static const char *const words[] = {"meta",   "metadata", "attrs", "attributes",
                                        "header", "info",     "config"};
    return names_unit(name) || is_one_of(name, words, sizeof words / sizeof words[0]);
}

static void note_beside(dxt_members *all, const dxt_token *name, const dxt_token *value)
{
    if (all->beside.at) return;
    all->beside = *name;
    all->beside_value = *value;
}

/* One member whose value is a word or a text: a unit, a factor, turned axes. */
static void note_word(dxt_members *all, const dxt_token *name, const dxt_token *word)
{
    bool none = !word->quote && word->end - word->at == 4 &&
                (dxt_token_is(word, "null") || dxt_token_is(word, "none"));
    if (word->end == word->at || none) return;
    bool number = !word->quote && dxt_begins_number(word->at, word->end);
    if (names_unit(name) && word->quote) {
        if (dxt_is_time_unit(word->at, word->end))
            all->unit = *word;
        else
            note_beside(all, name, word);
    } else if (((number && names_unit(name)) || ((number || word->quote) && names_factor(name))) &&
               !dxt_token_is(word, "1") && !dxt_token_is(word, "1.0")) {
        note_beside(all, name, word);
    } else if ((word->quote && names_axes(name)) ||
               (names_axes(name) && dxt_token_is(word, "true"))) {
        note_beside(all, name, word);
    }
}

/* Whether a unit that is said for several names is that of waits. */
static bool is_of_waits(const dxt_token *name)
{
    static const char *const words[] = {"value", "values", "time", "data", "duration", "durations"};
    return dxt_names_waits(name->at, name->end) ||
           is_one_of(name, words, sizeof words / sizeof words[0]);
}

/* {"units": {"wait": "us"}}, {"meta": {"unit": "us"}}: what an object says of its neighbours. */
static void look_beside(dxt_members *all, const dxt_token *about, dxt_spot in)
{
    bool units = names_unit(about);
    in.at++;
    for (dxt_spot_blanks(&in); in.at < in.end && *in.at != '}'; dxt_spot_blanks(&in)) {
        const char *before = in.at;
        dxt_token name = dxt_spot_token(&in);
        while (in.at < in.end && (dxt_is_blank(*in.at) || *in.at == ':')) in.at++;
        dxt_spot value = in;
        dxt_token word = dxt_spot_token(&value);
        if (!units) {
            note_word(all, &name, &word);
        } else if (word.quote && is_of_waits(&name)) {
            bool same = all->unit.at && word.end - word.at == all->unit.end - all->unit.at &&
                        memcmp(word.at, all->unit.at, (size_t)(word.end - word.at)) == 0;
            if (dxt_is_time_unit(word.at, word.end) && !all->unit.at)
                all->unit = word;
            else if (!same)
                note_beside(all, &name, &word);
        }
        dxt_spot_skip(&in);
        if (in.at == before) break;
    }
}

/* "op": "combine" */
static bool names_operator(const dxt_token *name)
{
    static const char *const words[] = {"phase", "op", "operator", "operation", "name", "kind"};
    return is_one_of(name, words, sizeof words / sizeof words[0]);
}

static bool names_rank(const dxt_token *name)
{
    static const char *const words[] = {"rank", "global_rank", "ep_rank", "world_rank", "rank_id"};
    return is_one_of(name, words, sizeof words / sizeof words[0]);
}

/* Whether a number of that name says which of several matrices it belongs to. */
static bool names_step(const dxt_token *name)
{
    static const char *const words[] = {"step",      "window",      "iter",
                                        "iteration", "global_step", "epoch"};
    return is_one_of(name, words, sizeof words / sizeof words[0]);
}

/* One member, whose value begins at `in`. */
static void look_at(dxt_members *all, const dxt_token *name, dxt_spot in)
{
    dxt_spot value = in;
    const char *from, *to;
    uint32_t count;
    bool list = dxt_spot_list(&value, &from, &to, &count);
    all->lists += list;
    all->phased += list && dxt_token_phase(name, NULL);
    if (in.at < in.end && *in.at == '{' && names_about(name)) look_beside(all, name, in);
    dxt_token word = dxt_spot_token(&value);
    bool none = !word.quote && word.end > word.at &&
                dxt_none_length(word.at, word.end) == (size_t)(word.end - word.at);
    bool number = none || (!word.quote && dxt_begins_number(word.at, word.end));
    bool rank = names_rank(name);
    const int64_t of = number ? dxt_token_rank(name) : -1;
    const bool ranked = of >= 0;
    all->waits += ranked;
    if (number && !none && names_step(name)) all->step = word;
    if (ranked && of == (int64_t)all->columns)
        all->columns++;
    else if (!ranked)
        all->others = all->others || !(rank || dxt_token_is(name, "index"));
    dxt_token unit = dxt_unit_of(name), bare = *name;
    if (unit.at) bare.end = unit.at - 1;
    bool text = word.quote && !dxt_token_is_number(&word);
    int part = text || word.at == word.end ? -1 : part_of(&bare);
    if (part >= 0) all->cell[part] = word;
    if (part == 2 && !all->unit.at) all->unit = unit;
    if (!list) note_word(all, name, &word);
    if (rank && word.end > word.at) all->rank = dxt_token_rank(&word);
    if (word.quote && names_operator(name)) all->phase = dxt_token_phase(&word, all->phase);
}

void dxt_members_look(dxt_spot in, dxt_members *all)
{
    unsigned known = 0, members = 0;
    *all = (dxt_members){.rank = in.rank, .ranked = true, .phase = in.phase};
    in.at++;
    for (dxt_spot_blanks(&in); in.at < in.end && *in.at != '}'; dxt_spot_blanks(&in)) {
        const char *before = in.at;
        dxt_token name = dxt_spot_token(&in);
        while (in.at < in.end && (dxt_is_blank(*in.at) || *in.at == ':')) in.at++;
        known |= dxt_token_called(&name, "v") | dxt_token_called(&name, "phase") << 1 |
                 dxt_token_called(&name, "wait") << 2;
        int64_t pair[2];
        all->ranked = all->ranked && dxt_token_rank(&name) >= 0;
        all->pairs += dxt_token_pair(&name, pair);
        look_at(all, &name, in);
        dxt_spot_skip(&in);
        members++;
        if (in.at == before) break;
    }
    all->recording = known == 7;
    all->ranked = all->ranked && members > 1;
    all->count = members;
}

bool dxt_token_pair(const dxt_token *name, int64_t pair[2])
{
    const char *at = name->at, *end = name->end;
    while (at < end && strchr("([ ", *at)) at++;
    while (end > at && strchr(")] ", end[-1])) end--;
    const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
    const char *arrow = at < end ? memmem(at, (size_t)(end - at), "->", 2) : NULL;
    const char *mark = arrow ? arrow : comma;
    if (!mark) return false;
    dxt_token ranks[2] = {{at, mark, 0}, {mark + (arrow ? 2 : 1), end, 0}};
    for (int i = 0; i < 2; i++) {
        while (ranks[i].at < ranks[i].end && *ranks[i].at == ' ') ranks[i].at++;
        while (ranks[i].end > ranks[i].at && ranks[i].end[-1] == ' ') ranks[i].end--;
        pair[i] = dxt_token_rank(&ranks[i]);
        if (pair[i] < 0 || pair[i] >= DXT_MAX_RANKS) return false;
    }
    return true;
}

bool dxt_names_places(const dxt_token *name)
{
    static const char *const names[] = {"coord", "polygon", "points", "bbox"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (dxt_token_has(name, names[i])) return true;
    return false;
}
