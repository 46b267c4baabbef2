/* SPDX-License-Identifier: Apache-2.0 */
#include "tell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

/* Lines about ranks, and about paths, of an operator; of more a count. */
#define LINES 10u
#define COLUMNS 80u

/* ---- figures ---- */

/* "12.3 µs", "2.10M cycles". */
static const char *figure(dxt_measure measure, double value, char text[48])
{
    static const struct {
        double least;
        const char *name;
    } times[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}},
      counts[] = {{1e9, "G cycles"}, {1e6, "M cycles"}, {1e3, "k cycles"}, {1, " cycles"}};
    size_t i = 0;
    if (fabs(value) < 0.005) return "0";
    bool time = measure_is_time(measure);
    while (i < 3 && fabs(value) < times[i].least * 0.9995) i++;
    double shown = value / times[i].least;
    int digits = fabs(shown) >= 99.95 ? 0 : fabs(shown) >= 9.995 ? 1 : 2;
    snprintf(text, 48, "%s%.*f%s%s", value < 0 ? "−" : "", digits, fabs(shown), time ? " " : "",
             time ? times[i].name : counts[i].name);
    return text;
}

static const char *chance(double p, char text[32])
{
    if (p < 1e-12)
        snprintf(text, 32, "chance below 1e-12");
    else
        snprintf(text, 32, "chance %.1g", p);
    return text;
}

static const char *per(dxt_measure measure)
{
    return measure == DXT_MEASURE_NS_PER_OP || measure == DXT_MEASURE_CYCLES_PER_OP
               ? "per operation"
               : "in a window";
}

/* "200 µs ± 3 µs", or "400 µs in about 50 % of the windows after". */
static void say_by(FILE *out, dxt_measure measure, const change *c)
{
    char by[48], error[48];
    if (isnan(c->part))
        fprintf(out, "%s ± %s", figure(measure, fabs(c->by), by), figure(measure, c->error, error));
    else
        fprintf(out, "%s in about %.0f %% of the windows %s",
                figure(measure, fabs(c->by) / c->part, by), 100 * c->part,
                c->part_before ? "before" : "after");
}

/* ", its ranks by 41 µs to 125 µs". */
static void say_range(FILE *out, const comparison *o, int32_t node)
{
    double least, most;
    char first[48], last[48];
    if (!node_range(o, node, &least, &most)) return;
    dxt_measure measure = o->after->measure;
    double nearest = fmin(fabs(least), fabs(most)), farthest = fmax(fabs(least), fabs(most));
    fprintf(out, ", its ranks by %s to %s", figure(measure, nearest, first),
            figure(measure, farthest, last));
}

/* ": 2.1 to 202 µs, +200 µs ± 3 µs (chance …)". */
static void say_change(FILE *out, dxt_measure measure, const change *c)
{
    char before[48], after[48], by[48], p[32];
    fprintf(out, "%s, was %s: %s", figure(measure, c->after, after),
            figure(measure, c->before, before), c->by < 0 ? "−" : "+");
    if (isnan(c->error)) {
        fprintf(out, "%s", figure(measure, fabs(c->by), by));
        fprintf(out, " (one window each: its error is not known)");
    } else {
        say_by(out, measure, c);
        fprintf(out, " (%s)", chance(c->p, p));
    }
}

/* ---- words ---- */

static void say_rank(FILE *out, const compared *c, uint32_t rank)
{
    char **before = c->sides[0]->hosts, **after = c->sides[1]->hosts;
    fprintf(out, "rank %u", rank);
    if (!after || !after[rank][0]) return;
    fprintf(out, " (host %s", after[rank]);
    if (before && before[rank][0] && strcmp(before[rank], after[rank]) != 0)
        fprintf(out, ", was on %s", before[rank]);
    fprintf(out, ")");
}

static bool say_whole(FILE *out, const comparison *o, const char *what, const change *c)
{
    if (!is_changed(o, c, 2)) return false;
    fprintf(out, "  %s: ", what);
    say_change(out, o->after->measure, c);
    fprintf(out, "\n");
    return true;
}

/* @return How many ranks are silent more or less often. */
static uint32_t say_silence(FILE *out, const compared *c, const comparison *o)
{
    const series *before = &o->before->silent, *after = &o->after->silent;
    uint32_t changed = 0;
    for (uint32_t rank = 0; rank < o->ranks; rank++) {
        if (silence_change(o, rank) == 0 || changed++ >= LINES) continue;
        fprintf(out, "  ");
        say_rank(out, c, rank);
        fprintf(out, " is silent in %.0f of %u windows, was in %.0f of %u\n",
                after->mean[rank] * after->count[rank], after->count[rank],
                before->mean[rank] * before->count[rank], before->count[rank]);
    }
    if (changed > LINES) fprintf(out, "  and %u ranks more\n", changed - LINES);
    return changed;
}

/* Nodes, links and receivers. */
static void say_causes(FILE *out, const comparison *o)
{
    for (size_t i = 0; i < o->cause_count && i < LINES; i++) {
        char words[96];
        const cause_change *c = &o->causes[i];
        cause_words(c->what, c->direction, c->wait.by > 0, words);
        fprintf(out, "  %s: ", words);
        say_change(out, o->after->measure, &c->wait);
        if (c->what->kind == DXT_LATE_NODE) say_range(out, o, c->what->node);
        fprintf(out, "\n");
    }
    if (o->cause_count > LINES)
        fprintf(out, "  and %zu nodes and links more\n", o->cause_count - LINES);
}

/* One line about ranks: of one, or of all or most of a node. */
struct rank_line {
    uint32_t rank, count, total;
    change late;
};

static int larger_first(const void *first, const void *second)
{
    const struct rank_line *a = first, *b = second;
    double x = fabs(a->late.by), y = fabs(b->late.by);
    if (x != y) return (x < y) - (x > y);
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Whether a cause of the rank's own, or its node says it already. */
static bool is_told(const comparison *o, uint32_t rank)
{
    double by = o->late[rank].by;
    for (size_t i = 0; i < o->cause_count; i++) {
        const cause *what = o->causes[i].what;
        double told = o->causes[i].wait.by;
        if (what->rank == rank && told * by > 0) return true;
        if (what->kind == DXT_LATE_NODE && o->nodes && o->nodes[rank] == what->node &&
            told * by > 0 &&
            (fabs(by) <= fabs(told) || is_alike(o, by, told) || is_with_node(o, rank)))
            return true;
    }
    return false;
}

/* What is to be said, the largest change first. @return How many lines. */
static uint32_t rank_lines(const comparison *o, struct rank_line *lines)
{
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < o->ranks; rank++) {
        if (!is_changed(o, &o->late[rank], o->ranks) || is_told(o, rank)) continue;
        node_common common;
        if (!node_change(o, rank, &common)) {
            lines[count++] = (struct rank_line){.rank = rank, .count = 1, .late = o->late[rank]};
        } else if (common.first == rank && (common.count < common.total || o->cause_count == 0)) {
            /* That of a node is told of the node, or follows from what is told of others. */
            lines[count++] = (struct rank_line){rank, common.count, common.total, common.late};
        }
    }
    qsort(lines, count, sizeof *lines, larger_first);
    return count;
}

/* "all 8 ranks of node 1", or "7 of 8 ranks of node 1 (8–14)". */
static void say_node(FILE *out, const comparison *o, const struct rank_line *line)
{
    const int32_t *nodes = o->nodes;
    uint32_t end = line->rank, said = 0;
    if (line->count == line->total) {
        fprintf(out, "all %u ranks of node %d", line->count, nodes[line->rank]);
        return;
    }
    fprintf(out, "%u of %u ranks of node %d (", line->count, line->total, nodes[line->rank]);
    for (uint32_t rank = end; rank < o->ranks; rank = end + 1) {
        for (end = rank;
             end < o->ranks && nodes[end] == nodes[line->rank] && is_common(o, end, line->total);)
            end++;
        if (end == rank) continue;
        fprintf(out, "%s%u", said++ ? ", " : "", rank);
        if (end > rank + 1) fprintf(out, "–%u", end - 1);
    }
    fprintf(out, ")");
}

/* @return How many lines; UINT32_MAX: no memory. */
static uint32_t say_ranks(FILE *out, const compared *c, const comparison *o)
{
    struct rank_line *lines = malloc(o->ranks * sizeof *lines);
    if (!lines) return UINT32_MAX;
    /* Which of two it is nobody knows: see say_pair(). */
    if (o->ranks == 2 && o->path_total > 0) {
        free(lines);
        return 0;
    }
    uint32_t count = rank_lines(o, lines);
    for (uint32_t i = 0; i < count && i < LINES; i++) {
        const struct rank_line *line = &lines[i];
        const char *when = line->late.by > 0 ? "later" : "earlier";
        fprintf(out, "  ");
        if (line->count > 1)
            say_node(out, o, line);
        else
            say_rank(out, c, line->rank);
        fprintf(out, " %s %s: ", line->count > 1 ? "come" : "comes", when);
        say_change(out, o->after->measure, &line->late);
        if (line->count > 1) say_range(out, o, o->nodes[line->rank]);
        fprintf(out, "\n");
    }
    free(lines);
    if (count > LINES) fprintf(out, "  and %u ranks or nodes more\n", count - LINES);
    if (count > 0 && 2 * o->after->inherited > o->after->windows)
        fprintf(out, o->path_total > 0
                         ? "  (slow paths below, or another operator, make them late here)\n"
                         : "  (what holds ranks up in another operator makes them late here)\n");
    return count;
}

/* Of two ranks: what it comes from is not to be told. */
static void say_pair(FILE *out, const comparison *o, const path_change *path)
{
    char p[32];
    bool slower = path->wait.by > 0;
    uint32_t from = path->column, to = path->row;
    fprintf(out, "  rank %u waits %s for rank %u, by ", to, slower ? "longer" : "less", from);
    say_by(out, o->after->measure, &path->wait);
    fprintf(out, " (%s): rank %u comes %s, rank %u %s, or the path %u → %u is %s; ",
            chance(path->wait.p, p), from, slower ? "later" : "earlier", to,
            slower ? "earlier" : "later", from, to, slower ? "slower" : "faster");
    fprintf(out, "two ranks do not tell which\n");
}

static void say_paths(FILE *out, const comparison *o)
{
    for (size_t i = 0; o->ranks == 2 && i < o->path_count; i++) say_pair(out, o, &o->paths[i]);
    if (o->ranks == 2) return;
    for (size_t i = 0; i < o->path_count && i < LINES; i++) {
        const path_change *path = &o->paths[i];
        char p[32];
        fprintf(out, "  path %u → %u is %s by ", path->column, path->row,
                path->wait.by > 0 ? "slower" : "faster");
        say_by(out, o->after->measure, &path->wait);
        fprintf(out, " beyond its ranks (%s)\n", chance(path->wait.p, p));
    }
    if (o->path_total > LINES)
        fprintf(out, "  and %" PRIu64 " paths more\n", o->path_total - LINES);
}

static bool say_all(FILE *out, const compared *c)
{
    for (int i = 0; i < 2; i++) {
        uint64_t windows = c->sides[i]->windows;
        fprintf(out, "%s %s: %" PRIu64 " window%s of %u ranks",
                i ? "after: " : "before:", c->names[i], windows, windows == 1 ? "" : "s",
                c->sides[i]->ranks);
        if (c->sides[i]->left_out)
            fprintf(out, " (the last run; %" PRIu64 " windows of runs before it are left out)",
                    c->sides[i]->left_out);
        fprintf(out, "\n");
    }
    for (size_t i = 0; i < c->count; i++) {
        const comparison *o = &c->operators[i];
        fprintf(out, "%s, %s:\n", o->after->phase, per(o->after->measure));
        bool any = say_whole(out, o, "a step takes", &o->step);
        any |= say_whole(out, o, "a wait takes on average", &o->mean);
        any |= say_silence(out, c, o) > 0;
        say_causes(out, o);
        any |= o->cause_count > 0;
        uint32_t ranks = say_ranks(out, c, o);
        if (ranks == UINT32_MAX) return false;
        any |= ranks > 0;
        say_paths(out, o);
        bool one = o->before->windows == 1 || o->after->windows == 1;
        if (!any && o->path_total == 0)
            fprintf(out, "  nothing changed beyond its error%s\n",
                    one ? "; one window shows little, so compare several" : "");
    }
    for (size_t i = 0; i < c->only_count; i++)
        fprintf(out, "cannot compare %s: only one recording has it, or their units differ\n",
                c->only[i]);
    return true;
}

dxt_status tell_text(const compared *c)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return DXT_ERR_NO_MEMORY;
    bool well = say_all(out, c) && !ferror(out);
    well = fclose(out) == 0 && well;
    if (well) stdout_fold(text, COLUMNS, 4);
    free(text);
    return well ? DXT_OK : DXT_ERR_NO_MEMORY;
}
