/* SPDX-License-Identifier: Apache-2.0 */
/* Values of an object that are called after ranks, as lines: of one row, or of pairs of ranks. */
#include <stdlib.h>

#include "matrix/members.h"
#include "matrix/reader.h"
#include "matrix/scan.h"

/* The unit of time of the values below; none is said of them if it is empty. */
void dxt_put_unit(dxt_spot *in, const dxt_token *unit)
{
    size_t size = (size_t)(unit->end - unit->at);
    if (!in->matrices || size > 32) return;
    dxt_text_puts(in->lines, DXT_UNIT_LINE " wait (");
    for (size_t i = 0; i < size; i++)
        if (unit->at[i] != '\n' && unit->at[i] != '\r') dxt_text_append(in->lines, unit->at + i, 1);
    dxt_text_puts(in->lines, ")\n");
}

/* A line of row, column and value. */
void dxt_put_cell(dxt_spot *in, const dxt_members *all)
{
    dxt_text_puts(in->lines, DXT_PAIRS_LINE "\n");
    if (all->phase) dxt_text_printf(in->lines, "%s,", all->phase);
    for (int i = 0; i < 3; i++) {
        dxt_text_append(in->lines, all->cell[i].at, (size_t)(all->cell[i].end - all->cell[i].at));
        dxt_text_puts(in->lines, i < 2 ? "," : "\n");
    }
}

/* Take the name of a member, up to its value.
 * @param word  Receives the first word of the value. */
static dxt_token take_name(dxt_spot *in, dxt_token *word)
{
    dxt_spot_blanks(in);
    dxt_token name = dxt_spot_token(in);
    while (in->at < in->end && (dxt_is_blank(*in->at) || *in->at == ':')) in->at++;
    dxt_spot value = *in;
    *word = dxt_spot_token(&value);
    return name;
}

/* {"0": 5, "1": 7}: the values of a row. */
void dxt_put_columns(dxt_spot in)
{
    dxt_text_puts(in.lines, "[");
    for (in.at++; in.at < in.end && *in.at != '}'; dxt_spot_blanks(&in)) {
        const char *before = in.at;
        dxt_token word, name = take_name(&in, &word);
        if (dxt_token_rank(&name) >= 0) {
            dxt_text_puts(in.lines, " ");
            dxt_text_append(in.lines, word.at, (size_t)(word.end - word.at));
        }
        dxt_spot_skip(&in);
        if (in.at == before) break;
    }
    dxt_text_puts(in.lines, "]\n");
}

void dxt_put_rank(dxt_text *lines, const dxt_members *all, int64_t rank)
{
    dxt_text_puts(lines, DXT_RANKED_LINE "\n");
    if (all->step.at && all->step.end - all->step.at < 24)
        dxt_text_printf(lines, "step=%.*s ", (int)(all->step.end - all->step.at), all->step.at);
    dxt_text_printf(lines, "rank=%lld [", (long long)rank);
}

/* Put the values of an object where their ranks belong. @return Whether each of `count` ranks has
 * one, but for @p own, which may have none. */
static bool gather(dxt_spot in, dxt_token *values, uint32_t count, int64_t own)
{
    for (uint32_t i = 0; i < count; i++) values[i] = (dxt_token){0};
    for (in.at++; in.at < in.end && *in.at != '}'; dxt_spot_blanks(&in)) {
        const char *before = in.at;
        dxt_token word, name = take_name(&in, &word);
        int64_t rank = dxt_token_rank(&name);
        if (rank >= (int64_t)count || (rank >= 0 && values[rank].at)) return false;
        if (rank >= 0) values[rank] = word;
        dxt_spot_skip(&in);
        if (in.at == before) break;
    }
    for (uint32_t i = 0; i < count; i++)
        if (values[i].at == values[i].end && (int64_t)i != own) return false;
    return true;
}

bool dxt_put_row(dxt_spot *in, const dxt_members *all)
{
    const dxt_members *owner = in->owner ? in->owner : all->rank >= 0 ? all : NULL;
    const int64_t own = owner ? owner->rank : -1;
    uint32_t count = all->waits;
    if (count >= DXT_MAX_RANKS) return false;
    dxt_token *values = malloc((count + 1) * sizeof *values);
    if (!values) {
        in->lines->failed = true;
        return false;
    }
    bool row = gather(*in, values, count, -1);
    if (own >= 0 && (!row || own == count)) row = gather(*in, values, ++count, own);
    if (row && count > 1) {
        if (in->phase) dxt_text_printf(in->lines, "# %s\n", in->phase);
        if (owner)
            dxt_put_rank(in->lines, owner, own);
        else
            dxt_text_puts(in->lines, "[");
        for (uint32_t i = 0; i < count; i++) {
            dxt_text_puts(in->lines, " ");
            if (!values[i].at) dxt_text_puts(in->lines, "nan");
            dxt_text_append(in->lines, values[i].at ? values[i].at : "",
                            (size_t)(values[i].end - values[i].at));
        }
        dxt_text_puts(in->lines, "]\n");
        dxt_spot_skip(in);
    }
    free(values);
    return row && count > 1;
}

/* Longest value that is a number. */
#define MOST_DIGITS 64

/* A name of an object, and the word that is its value. */
struct member {
    dxt_token name;
    const char *value;
    int size; /* of it, at most MOST_DIGITS */
};

/* Read a name, up to its value. */
static struct member next_member(dxt_spot *in)
{
    dxt_token name = dxt_spot_token(in);
    while (in->at < in->end && (dxt_is_blank(*in->at) || *in->at == ':')) in->at++;
    dxt_spot value = *in;
    dxt_token word = dxt_spot_token(&value);
    int size = word.end - word.at > MOST_DIGITS ? MOST_DIGITS : (int)(word.end - word.at);
    return (struct member){name, word.at, size};
}

/* {"0,1": 5, "(0, 2)": 7}: a line of row, column and value for each. */
void dxt_put_pairs(dxt_spot *in)
{
    int64_t pair[2];
    bool arrow = false;
    dxt_put_unit(in, &in->unit);
    if (in->phase) dxt_text_printf(in->lines, "# %s\n", in->phase);
    dxt_text_puts(in->lines, DXT_PAIRS_LINE "\n");
    in->at++;
    for (dxt_spot_blanks(in); in->at < in->end && *in->at != '}'; dxt_spot_blanks(in)) {
        const char *before = in->at;
        struct member member = next_member(in);
        if (!dxt_token_pair(&member.name, pair)) {
            dxt_spot_skip(in);
            if (in->at == before) break;
            continue;
        }
        if (!arrow && dxt_token_has(&member.name, "->"))
            dxt_text_puts(in->lines, DXT_ARROW_LINE "\n");
        arrow = arrow || dxt_token_has(&member.name, "->");
        dxt_text_printf(in->lines, "%lld %lld %.*s\n", (long long)pair[0], (long long)pair[1],
                        member.size, member.value);
        dxt_spot_skip(in);
        if (in->at == before) break;
    }
    if (in->at < in->end) in->at++;
}

/* {"1": 5, "2": 7} of a rank that leaves itself out: a line of row, column and value for each. */
void dxt_put_waits(dxt_spot *in)
{
    in->at++;
    for (dxt_spot_blanks(in); in->at < in->end && *in->at != '}'; dxt_spot_blanks(in)) {
        const char *before = in->at;
        struct member member = next_member(in);
        if (in->phase) dxt_text_printf(in->lines, "%s,", in->phase);
        dxt_text_printf(in->lines, "%lld,%lld,%.*s\n", (long long)in->rank,
                        (long long)dxt_token_rank(&member.name), member.size, member.value);
        dxt_spot_skip(in);
        if (in->at == before) break;
    }
    if (in->at < in->end) in->at++;
}
