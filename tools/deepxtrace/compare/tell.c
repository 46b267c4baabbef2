/* SPDX-License-Identifier: Apache-2.0 */
#include "tell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "output.h"

/* Lines about ranks, and about paths, of an operator; of more a count. */
#define LINES 10u
#define COLUMNS 80u

/* ---- figures ---- */

static bool is_time(dxt_measure measure)
{
    return measure == DXT_MEASURE_NS_PER_OP || measure == DXT_MEASURE_NS;
}

/* "12.3 µs", "2.10M cycles". */
static const char *figure(dxt_measure measure, double value, char text[48])
{
    static const struct {
        double least;
        const char *name;
    } times[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}},
      counts[] = {{1e9, "G cycles"}, {1e6, "M cycles"}, {1e3, "k cycles"}, {1, " cycles"}};
    size_t i = 0;
    bool time = is_time(measure);
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

/* The ranks that changed, the largest change first. @return How many. */
static uint32_t say_ranks(FILE *out, const compared *c, const comparison *o)
{
    uint32_t changed = 0, told = 0;
    double last = INFINITY;
    for (uint32_t rank = 0; rank < o->ranks; rank++)
        changed += is_changed(o, &o->late[rank], o->ranks);
    while (told < changed && told < LINES) {
        double next = -1;
        for (uint32_t rank = 0; rank < o->ranks; rank++) {
            double by = fabs(o->late[rank].by);
            if (is_changed(o, &o->late[rank], o->ranks) && by < last && by > next) next = by;
        }
        if (next < 0) break;
        for (uint32_t rank = 0; rank < o->ranks && told < LINES; rank++) {
            const change *late = &o->late[rank];
            if (!is_changed(o, late, o->ranks) || fabs(late->by) != next) continue;
            fprintf(out, "  ");
            say_rank(out, c, rank);
            fprintf(out, late->by > 0 ? " comes later: " : " comes earlier: ");
            say_change(out, o->after->measure, late);
            fprintf(out, "\n");
            told++;
        }
        last = next;
    }
    if (told < changed) fprintf(out, "  and %u ranks more\n", changed - told);
    if (changed > 0 && 2 * o->after->inherited > o->after->windows)
        fprintf(out, "  (what holds ranks up in another operator makes them late here)\n");
    return changed;
}

static void say_paths(FILE *out, const comparison *o)
{
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

static void say_all(FILE *out, const compared *c)
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
        any |= say_ranks(out, c, o) > 0;
        say_paths(out, o);
        bool one = o->before->windows == 1 || o->after->windows == 1;
        if (!any && o->path_total == 0)
            fprintf(out, "  nothing changed beyond its error%s\n",
                    one ? ", which one window hardly tells; compare several" : "");
    }
    for (size_t i = 0; i < c->only_count; i++)
        fprintf(out, "%s cannot be compared: only one of them has it, or in another unit\n",
                c->only[i]);
}

dxt_status tell_text(const compared *c)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return DXT_ERR_NO_MEMORY;
    say_all(out, c);
    bool well = !ferror(out);
    well = fclose(out) == 0 && well;
    if (well) stdout_fold(text, COLUMNS, 4);
    free(text);
    return well ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* ---- JSON ---- */

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* In µs or cycles. */
static json_t *change_json(const comparison *o, const change *c, double figures)
{
    double unit = is_time(o->after->measure) ? 1000 : 1;
    const char *part_of = isnan(c->part) ? NULL : c->part_before ? "before" : "after";
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:s?,s:b}", "before", real(c->before / unit),
                     "after", real(c->after / unit), "change", real(c->by / unit), "error",
                     real(c->error / unit), "chance", real(c->p), "part", real(c->part), "part_of",
                     part_of, "changed", (int)is_changed(o, c, figures));
}

/* Whether all of it went well; the list is not as it should be otherwise. */
static bool add_rank(json_t *list, const compared *c, const comparison *o, uint32_t rank)
{
    char **hosts = c->sides[1]->hosts;
    json_t *entry = change_json(o, &o->late[rank], o->ranks);
    bool well =
        json_object_set_new(entry, "rank", json_integer(rank)) == 0 &&
        json_object_set_new(entry, "silent_before", real(o->before->silent.mean[rank])) == 0 &&
        json_object_set_new(entry, "silent_after", real(o->after->silent.mean[rank])) == 0;
    if (silence_change(o, rank) != 0)
        well = well && json_object_set_new(entry, "changed", json_true()) == 0;
    if (hosts && hosts[rank][0])
        well = well && json_object_set_new(entry, "host", json_string(hosts[rank])) == 0;
    return json_array_append_new(list, entry) == 0 && well;
}

static bool add_path(json_t *list, const comparison *o, const path_change *path)
{
    json_t *entry = change_json(o, &path->wait, (double)o->ranks * (o->ranks - 1));
    json_t *ends = json_pack("[i,i]", (int)path->row, (int)path->column);
    bool well = json_object_set_new(entry, "path", ends) == 0;
    return json_array_append_new(list, entry) == 0 && well;
}

/* A list; NULL if it is not whole. */
static json_t *checked(json_t *list, bool well)
{
    if (!well) json_decref(list);
    return well ? list : NULL;
}

static json_t *ranks_json(const compared *c, const comparison *o)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (uint32_t rank = 0; well && rank < o->ranks; rank++) well = add_rank(list, c, o, rank);
    return checked(list, well);
}

static json_t *paths_json(const comparison *o)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (size_t i = 0; well && i < o->path_count; i++) well = add_path(list, o, &o->paths[i]);
    return checked(list, well);
}

static json_t *operator_json(const compared *c, const comparison *o)
{
    return json_pack("{s:s,s:s,s:b,s:o,s:o,s:o,s:o,s:I}", "phase", o->after->phase, "unit",
                     is_time(o->after->measure) ? "us" : "cycles", "slower", (int)o->slower, "step",
                     change_json(o, &o->step, 2), "wait", change_json(o, &o->mean, 2), "ranks",
                     ranks_json(c, o), "paths", paths_json(o), "path_count",
                     (json_int_t)o->path_total);
}

static json_t *operators_json(const compared *c)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (size_t i = 0; well && i < c->count; i++)
        well = json_array_append_new(list, operator_json(c, &c->operators[i])) == 0;
    return checked(list, well);
}

static json_t *only_json(const compared *c)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (size_t i = 0; well && i < c->only_count; i++)
        well = json_array_append_new(list, json_string(c->only[i])) == 0;
    return checked(list, well);
}

static json_t *side_json(const compared *c, int which)
{
    const side *s = c->sides[which];
    return json_pack("{s:s,s:I,s:i,s:I}", "file", c->names[which], "windows",
                     (json_int_t)s->windows, "ranks", (int)s->ranks, "left_out",
                     (json_int_t)s->left_out);
}

dxt_status tell_json(const compared *c)
{
    json_t *all =
        json_pack("{s:i,s:o,s:o,s:o,s:o}", "v", 1, "before", side_json(c, 0), "after",
                  side_json(c, 1), "operators", operators_json(c), "not_compared", only_json(c));
    char *text = all ? json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(all);
    if (!text) return DXT_ERR_NO_MEMORY;
    dxt_status status = stdout_printf("%s\n", text);
    free(text);
    return status;
}
