/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explained.h"
#include "local_time.h"
#include "system/ascii.h"

#define LEAST_COLUMNS 24u
#define LEAST_ROWS 4u
/* Findings of a window that are said; of more a count. */
#define FINDINGS 6u

/* Lines under way. */
struct text {
    char *data;
    size_t size;
    bool ascii; /* of what is wrapped */
    bool failed;
};

static dxt_status append(void *context, const void *data, size_t size)
{
    struct text *text = context;
    char *grown = text->failed ? NULL : realloc(text->data, text->size + size + 1);
    if (!grown) {
        text->failed = true;
        return DXT_ERR_NO_MEMORY;
    }
    text->data = grown;
    memcpy(grown + text->size, data, size);
    text->size += size;
    grown[text->size] = '\0';
    return DXT_OK;
}

static void put(struct text *text, const char *string)
{
    append(text, string, strlen(string));
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* How much of a string takes at most so many columns, cut at a blank if there is one. */
static size_t fitting(const char *string, uint32_t columns)
{
    size_t at = 0, blank = 0;
    for (uint32_t used = 0; string[at]; at++) {
        if (begins_character(string[at]) && used++ == columns) return blank ? blank : at;
        if (string[at] == ' ') blank = at;
    }
    return at;
}

/* A paragraph, its further lines set in. */
static void wrap(struct text *text, const char *given, uint32_t columns, uint32_t indent)
{
    char *plain = text->ascii ? strdup(given) : NULL;
    const char *string = plain ? plain : given;
    if (plain) dxt_make_ascii(plain);
    for (uint32_t set = 0; *string; set = indent) {
        size_t length = fitting(string, columns - set);
        char blanks[16] = "               ";
        blanks[set < 15 ? set : 15] = '\0';
        put(text, blanks);
        append(text, string, length);
        put(text, "\n");
        string += length;
        while (*string == ' ') string++;
    }
    free(plain);
}

/* ---- what is looked at ---- */

static watched_group *group_of(const screen *s, const watched *w)
{
    if (w->count == 0) return NULL;
    return w->groups[s->group < w->count ? s->group : w->count - 1];
}

static watched_operator *operator_of(const screen *s, watched_group *g)
{
    if (!g || g->count == 0) return NULL;
    return &g->operators[s->operator_index < g->count ? s->operator_index : g->count - 1];
}

static const watched_window *window_of(screen *s, const watched_operator *o)
{
    if (s->back >= o->count) s->back = o->count - 1;
    return &o->windows[o->count - 1 - s->back];
}

/* ---- parts of the screen ---- */

static void put_head(struct text *text, const screen *s, const watched *w, const watched_group *g,
                     const watched_operator *o, const watched_window *shown)
{
    char line[512], number[32] = "", time[24] = ", ", phase[64];
    const dxt_window *window = shown->window;
    if (window->index >= 0) snprintf(number, sizeof number, " %" PRId64, window->index);
    local_time(window->begin, time + 2);
    if (!time[2]) time[0] = '\0';
    snprintf(phase, sizeof phase, "%.60s", o->phase);
    dxt_make_printable(phase);
    snprintf(line, sizeof line, "%s  %u ranks  %s  window%s%s  %s%s", g->name, window->ranks, phase,
             number, time, dxt_verdict_name(shown->findings->verdict),
             s->paused ? "  PAUSED"
             : s->back ? "  (not the newest)"
                       : "");
    dxt_make_printable(line);
    wrap(text, line, s->columns, 2);
    if (w->count > 1 || g->count > 1) {
        snprintf(line, sizeof line, "group %zu of %zu (g), operator %zu of %zu (o), ? for keys",
                 s->group < w->count ? s->group + 1 : w->count, w->count,
                 s->operator_index < g->count ? s->operator_index + 1 : g->count, g->count);
        wrap(text, line, s->columns, 2);
    }
}

static void put_findings(struct text *text, const screen *s, const watched_window *shown)
{
    char line[1024];
    const dxt_findings *findings = shown->findings;
    for (size_t i = 0; i < findings->finding_count && i < FINDINGS; i++) {
        line[0] = '*', line[1] = ' ';
        dxt_report_sentence(shown->window, findings, i, line + 2, sizeof line - 2);
        wrap(text, line, s->columns, 2);
        snprintf(line, sizeof line, "  next: %s", dxt_finding_advice(findings->findings[i].kind));
        wrap(text, line, s->columns, 4);
    }
    if (findings->finding_count > FINDINGS) {
        snprintf(line, sizeof line, "and %zu more", findings->finding_count - FINDINGS);
        wrap(text, line, s->columns, 2);
    }
}

/* Why ranks stand out that no finding names in this operator, as far as its neighbours of the same
 * moment tell. */
static void put_explained(struct text *text, const screen *s, const watched_group *g,
                          const watched_window *shown)
{
    dxt_diagnosis diagnoses[1 + DXT_HISTORY_OPERATORS] = {{shown->window, shown->findings}};
    char lines[EXPLAINED_LINES];
    size_t count = 1;
    for (size_t i = 0; i < g->count; i++) {
        const watched_operator *o = &g->operators[i];
        for (size_t k = 0; k < o->count; k++) {
            const watched_window *other = &o->windows[k];
            bool same = other->window->index == shown->window->index && other->window->index >= 0;
            if (other != shown && same && count <= DXT_HISTORY_OPERATORS)
                diagnoses[count++] = (dxt_diagnosis){other->window, other->findings};
        }
    }
    explained_lines(diagnoses, count, 0, lines);
    for (char *rest = lines, *line; *lines && (line = strsep(&rest, "\n"));)
        wrap(text, line, s->columns, 2);
}

static void put_matrix(struct text *text, const screen *s, const watched_window *shown)
{
    dxt_mark *marks = NULL;
    size_t count = 0;
    dxt_heatmap_options options = {
        .struct_size = sizeof options, .ascii = s->ascii, .color = s->color, .columns = s->columns};
    if (dxt_report_marks(shown->window, shown->findings, &marks, &count) != DXT_OK) {
        text->failed = true;
        return;
    }
    const dxt_diagnosis diagnosis = {shown->window, shown->findings};
    if (!explained_numbers(&diagnosis, &marks, &count)) text->failed = true;
    const dxt_heatmap_panel panel = {.window = shown->window, .marks = marks, .mark_count = count};
    if (dxt_heatmap_write(&panel, 1, DXT_FORMAT_TERMINAL, &options, append, text) != DXT_OK)
        text->failed = true;
    free(marks);
}

/* A slow path or link that was named in a window of the timeline. */
typedef struct seen_way {
    const watched_way *way;
    size_t window; /* of the timeline */
} seen_way;

/* @param seen  [WATCHED_WAYS]; receives them, the oldest first. @return How many. */
static size_t find_ways(const watched_operator *o, const dxt_timeline *timeline, seen_way *seen)
{
    size_t count = 0, kept = o->way_count < WATCHED_WAYS ? o->way_count : WATCHED_WAYS;
    for (size_t i = o->way_count - kept; i < o->way_count; i++) {
        const watched_way *way = &o->ways[i % WATCHED_WAYS];
        size_t k = 0;
        while (k < timeline->windows && timeline->index[k] != way->index) k++;
        if (k < timeline->windows) seen[count++] = (seen_way){way, k};
    }
    return count;
}

static size_t find_name(const dxt_timeline_strip *strips, size_t count, const char *name)
{
    size_t strip = 0;
    while (strip < count && strcmp(strips[strip].name, name) != 0) strip++;
    return strip;
}

/* A slow path or link of which nobody is late gets a row of its own below those of the ranks: of
 * too many those that were slow last.
 * @param values  [TRACK_STRIPS][windows], zeroed. @return How many. */
static size_t make_strips(const watched_operator *o, const dxt_timeline *timeline, double *values,
                          dxt_timeline_strip *strips)
{
    seen_way seen[WATCHED_WAYS];
    dxt_timeline_strip newest[TRACK_STRIPS];
    size_t count = 0, names = 0, all = find_ways(o, timeline, seen);
    for (size_t i = all; i > 0 && names < TRACK_STRIPS; i--)
        if (find_name(newest, names, seen[i - 1].way->name) == names)
            newest[names++].name = seen[i - 1].way->name;
    for (size_t i = 0; i < all; i++) {
        const watched_way *way = seen[i].way;
        if (find_name(newest, names, way->name) == names) continue;
        size_t strip = find_name(strips, count, way->name);
        double *row = values + strip * timeline->windows;
        if (strip == count)
            strips[count++] = (dxt_timeline_strip){.name = way->name, .values = row};
        row[seen[i].window] = fmax(row[seen[i].window], way->wait);
    }
    return count;
}

static void put_timeline(struct text *text, const screen *s, const watched_group *g,
                         const watched_operator *o)
{
    dxt_timeline *timeline;
    dxt_heatmap_options options = {
        .struct_size = sizeof options, .ascii = s->ascii, .color = s->color, .columns = s->columns};
    if (dxt_history_timeline(g->history, o->phase, &timeline) != DXT_OK) return;
    dxt_timeline_strip strips[TRACK_STRIPS];
    double *values = calloc(TRACK_STRIPS * timeline->windows, sizeof *values);
    text->failed = text->failed || !values;
    const dxt_timeline_panel panel = {.ranks = timeline->ranks,
                                      .windows = timeline->windows,
                                      .index = timeline->index,
                                      .values = timeline->lateness,
                                      .measure = timeline->measure,
                                      .ordinary = timeline->floor,
                                      .strips = strips,
                                      .strip_count =
                                          values ? make_strips(o, timeline, values, strips) : 0,
                                      .title = "ranks over time: how late each is"};
    if (dxt_timeline_write(&panel, 1, DXT_FORMAT_TERMINAL, &options, append, text) != DXT_OK)
        text->failed = true;
    free(values);
    free(timeline);
}

static void put_help(struct text *text, const screen *s)
{
    static const char *const lines[] = {
        "g G  next, previous group",
        "o O  next, previous operator",
        "left right, p n  window before, after",
        "end  the newest window",
        "space  stop and go on; what comes meanwhile is not lost",
        "up down, k j  the lines above, below; page up, page down  more of them",
        "?  these keys",
        "q  end",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) wrap(text, lines[i], s->columns, 4);
}

static void put_all(struct text *text, screen *s, const watched *w)
{
    watched_group *g = group_of(s, w);
    const watched_operator *o = operator_of(s, g);
    if (s->help) {
        put_help(text, s);
        return;
    }
    if (!o || o->count == 0) {
        wrap(text, w->bad ? "no window yet; there are lines that are none" : "no window yet",
             s->columns, 0);
        return;
    }
    const watched_window *shown = window_of(s, o);
    put_head(text, s, w, g, o, shown);
    put_findings(text, s, shown);
    put_explained(text, s, g, shown);
    put_matrix(text, s, shown);
    put_timeline(text, s, g, o);
}

/* That there are lines that are not on the screen, and how to see them. */
static void put_rest(struct text *text, const screen *s, uint32_t below)
{
    char line[96], above[32] = "";
    if (s->scroll > 0) snprintf(above, sizeof above, "%u lines above (k)", s->scroll);
    snprintf(line, sizeof line, "%s%s", above, above[0] && below > 0 ? ", " : "");
    size_t used = strlen(line);
    if (below > 0) snprintf(line + used, sizeof line - used, "%u lines below (j)", below);
    put(text, "\r\n-- ");
    append(text, line, fitting(line, s->columns - 3));
    put(text, "\033[K");
}

/* The lines that are on the screen. */
static char *cut(screen *s, const char *all)
{
    struct text text = {0};
    uint32_t lines = 0, line = 0;
    for (const char *at = all; *at; at++) lines += *at == '\n';
    uint32_t room = lines > s->rows ? s->rows - 1 : s->rows;
    uint32_t most = lines > room ? lines - room : 0;
    if (s->scroll > most) s->scroll = most;
    for (const char *at = all; *at && line < s->scroll + room; line++) {
        const char *end = strchrnul(at, '\n');
        if (line >= s->scroll) {
            put(&text, line > s->scroll ? "\r\n" : "");
            append(&text, at, (size_t)(end - at));
            put(&text, "\033[K");
        }
        at = *end ? end + 1 : end;
    }
    if (most > 0) put_rest(&text, s, most - s->scroll);
    put(&text, "\033[J");
    if (!text.failed) return text.data;
    free(text.data);
    return NULL;
}

char *screen_text(screen *s, const watched *w)
{
    struct text all = {.ascii = s->ascii};
    if (s->columns < LEAST_COLUMNS || s->rows < LEAST_ROWS) return strdup("too small\033[J");
    put(&all, "");
    put_all(&all, s, w);
    char *text = all.failed ? NULL : cut(s, all.data);
    free(all.data);
    return text;
}

/* ---- keys ---- */

static size_t step(size_t at, size_t count, bool back)
{
    if (count == 0) return 0;
    if (at >= count) at = count - 1;
    return (at + (back ? count - 1 : 1)) % count;
}

bool screen_key(screen *s, const watched *w, const char *key)
{
    const watched_group *g = group_of(s, w);
    bool help = s->help;
    s->help = false;
    if (strcmp(key, "q") == 0 || strcmp(key, "\003") == 0) return false;
    if (strcmp(key, "g") == 0 || strcmp(key, "G") == 0) {
        s->group = step(s->group, w->count, key[0] == 'G');
        s->back = 0;
    } else if (strcmp(key, "o") == 0 || strcmp(key, "O") == 0) {
        s->operator_index = step(s->operator_index, g ? g->count : 0, key[0] == 'O');
    } else if (strcmp(key, "p") == 0 || strcmp(key, "\033[D") == 0) {
        s->back++;
    } else if (strcmp(key, "n") == 0 || strcmp(key, "\033[C") == 0) {
        s->back -= s->back > 0;
    } else if (strcmp(key, "\033[F") == 0 || strcmp(key, "\033[4~") == 0) {
        s->back = 0;
    } else if (strcmp(key, " ") == 0) {
        s->paused = !s->paused;
    } else if (strcmp(key, "k") == 0 || strcmp(key, "\033[A") == 0) {
        s->scroll -= s->scroll > 0;
    } else if (strcmp(key, "j") == 0 || strcmp(key, "\033[B") == 0) {
        s->scroll++;
    } else if (strcmp(key, "\033[5~") == 0) {
        s->scroll -= s->scroll < s->rows / 2 ? s->scroll : s->rows / 2;
    } else if (strcmp(key, "\033[6~") == 0) {
        s->scroll += s->rows / 2;
    } else if (strcmp(key, "?") == 0) {
        s->help = !help;
    }
    return true;
}
