/* SPDX-License-Identifier: Apache-2.0 */
/* A unit of time that a heading says of all values below: "dispatch wait (ms)", "wait_us,0,1,2". */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "matrix/around.h"
#include "matrix/cells.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/spot.h"
#include "matrix/tagged.h"

/* A longer line is no heading. */
#define MOST_HEADING 65536

static bool is_letter(char c)
{
    return dxt_is_letter(c) || (unsigned char)c >= 0x80;
}

/* Whether the word before `at` is something that a program is set to, or that is no wait: the unit
 * of "timeout in s" is that one's. */
static bool is_of_setting(const char *line, const char *at)
{
    static const char *const others[] = {"timeout", "interval", "period",  "window",
                                         "step",    "elapsed",  "time-out"};
    while (at > line && dxt_is_blank(at[-1])) at--;
    const char *end = at;
    while (at > line && (dxt_is_letter(at[-1]) || at[-1] == '-')) at--;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strlen(others[i]) == (size_t)(end - at) &&
            strncasecmp(at, others[i], (size_t)(end - at)) == 0)
            return true;
    return false;
}

/* Whether what stands in front of a word makes it the unit of what follows: "(us", "wait_us",
 * "in us", "unit: us"; "row(s)" is a plural. */
static bool leads(const char *line, const char *at, const char *end)
{
    const char *before = at;
    while (before > line && dxt_is_blank(before[-1])) before--;
    if (before == line) return false;
    char c = before[-1];
    if (c == '(' || c == '[')
        return end - at > 1 || before - 1 == line || !dxt_is_letter(before[-2]);
    if (c == '_') return before == at && end - at > 1;
    if (before == at) return false;
    while (before > line && !dxt_is_letter(before[-1]) && before[-1] != '\n') before--;
    const char *word = before;
    while (word > line && dxt_is_letter(word[-1])) word--;
    size_t size = (size_t)(before - word);
    if (is_of_setting(line, word)) return false;
    return (size == 2 && strncasecmp(word, "in", 2) == 0) ||
           (size == 4 && strncasecmp(word, "unit", 4) == 0) ||
           (size == 5 && strncasecmp(word, "units", 5) == 0);
}

static bool follows_number(const char *line, const char *at)
{
    while (at > line && dxt_is_blank(at[-1])) at--;
    return at > line && dxt_is_digit(at[-1]);
}

/* Whether a value follows, "latency (us): 12.5": the unit is its own. The numbers of columns, from
 * 0 or 1, may follow a heading. */
static bool is_of_value(const char *unit, const char *at, const char *end)
{
    bool said = false, spaced = dxt_is_blank(unit[-1]);
    for (; at < end && (dxt_is_blank(*at) || strchr(")]:=", *at)); at++)
        said = said || *at == ':' || *at == '=';
    if (at == end) return false;
    /* "in s: none" */
    if (said && spaced && dxt_is_letter(*at)) return true;
    if (!dxt_is_digit(*at)) return false;
    return said || *at > '1' || (at + 1 < end && (dxt_is_digit(at[1]) || at[1] == '.'));
}

/* "unit: us" and no more. */
static bool is_unit_line(const char *line, const char *end)
{
    static const char *const names[] = {"unit", "units", "time_unit", "wait_unit", NULL};
    const char *value;
    return dxt_says_alone(line, end, names, &value);
}

/* The unit that a line says; below 0: none. Cycles may stand anywhere, "wait cycles per token". */
static double find_unit(const char *line, const char *end)
{
    double found = -1;
    if (end - line > MOST_HEADING) return -1;
    if (!dxt_names_waits(line, end) && !is_unit_line(line, end)) return -1;
    for (const char *at = line, *stop; at < end; at = stop) {
        stop = at + 1;
        if (!is_letter(*at)) continue;
        while (stop < end && is_letter(*stop)) stop++;
        double ns = dxt_unit_ns(at, stop);
        if (ns < 0) continue;
        if (leads(line, at, stop) && !is_of_value(at, stop, end)) return ns;
        if (ns == 0 && at > line && dxt_is_blank(at[-1]) && !follows_number(line, at)) found = 0;
    }
    return found;
}

static void note(dxt_reader *reader, double ns, bool value)
{
    if (ns != reader->said.ns) reader->said.told = false;
    reader->said.ns = ns;
    reader->said.value = value;
    reader->said.line = reader->input.line;
}

void dxt_note_unit(dxt_reader *reader, const char *line, const char *end, bool phase)
{
    double ns = find_unit(line, end);
    if (ns < 0) return;
    note(reader, ns, false);
    reader->said.phase = phase;
}

dxt_status dxt_end_unit(dxt_reader *reader, const char *line, const char *end, bool phase)
{
    if (!(reader->said.ns > 0) || reader->said.value || !reader->said.told) return DXT_OK;
    /* "wait (ms)" above all holds for each operator. */
    if (phase != reader->said.phase || !(phase || dxt_names_waits(line, end)) ||
        find_unit(line, end) >= 0)
        return DXT_OK;
    reader->said.ns = 0;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, reader->input.line,
                           "the unit of line %llu is not applied below this heading, which has no "
                           "unit",
                           (unsigned long long)reader->said.line);
}

bool dxt_changes_unit(const dxt_reader *reader, const char *line, const char *end, double *ns)
{
    *ns = find_unit(line, end);
    /* What a heading says holds for values whose names say nothing. */
    if (*ns < 0) *ns = reader->said.value ? 0 : reader->said.ns;
    return *ns != reader->said.ns;
}

void dxt_say_unit(dxt_reader *reader, double ns)
{
    note(reader, ns, true);
}

dxt_status dxt_take_said(dxt_reader *reader, uint64_t line, double *reals, dxt_window *window)
{
    double ns = reader->said.ns;
    size_t ranks = window->ranks;
    uint64_t lost = reader->lost;
    dxt_status status = dxt_take_around(reader, line, reals, window);
    if (status != DXT_OK || reader->lost != lost) return status;
    if (ns <= 0 || window->unit != DXT_UNIT_CYCLES) return DXT_OK;
    for (size_t i = 0; i < ranks * ranks; i++) {
        if (window->missing && window->missing[i / ranks]) continue;
        int64_t *cell = &window->wait[i];
        if (reals)
            reals[i] = rint(reals[i] * ns);
        else if (*cell > INT64_MAX / (int64_t)ns)
            return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_LIMIT, line,
                                   "%lld is above 2^63 - 1 ns", (long long)*cell);
        else if (*cell > 0)
            *cell *= (int64_t)ns;
    }
    window->unit = DXT_UNIT_NS;
    if (reader->said.told) return DXT_OK;
    reader->said.told = true;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, line,
                           "the values are in %s, as line %llu says",
                           ns < 1e3   ? "ns"
                           : ns < 1e6 ? "\xc2\xb5s"
                           : ns < 1e9 ? "ms"
                                      : "s",
                           (unsigned long long)reader->said.line);
}
