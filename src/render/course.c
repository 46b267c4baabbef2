/* SPDX-License-Identifier: Apache-2.0 */
#include "render/course.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "render/model.h"

/* Where nobody is named the scale ends so many times beyond what is nothing to look at. */
#define SPAN 10
/* A scale that ends so many times beyond the data wants a word. */
#define SPARE 1.5
/* From here on the scale is red. */
#define RED 0.75

/* The largest of some columns; at least `value`. */
static double largest_of(const double *values, size_t first, size_t last, double value)
{
    for (size_t k = first; k <= last; k++)
        if (isfinite(values[k])) value = fmax(value, values[k]);
    return value;
}

/* How late those are that are marked, and how slow the strips; 0: nobody is. */
static double largest_named(const dxt_timeline_panel *panel)
{
    double largest = 0;
    for (size_t i = 0; i < panel->mark_count; i++) {
        const dxt_timeline_mark *mark = &panel->marks[i];
        largest = largest_of(panel->values + mark->rank * panel->windows, mark->first, mark->last,
                             largest);
    }
    for (size_t s = 0; s < panel->strip_count; s++)
        largest = largest_of(panel->strips[s].values, 0, panel->windows - 1, largest);
    return largest;
}

/* From a third of what is nothing to look at, over three decades at most. Noise stays green then,
 * also where there is nothing else, and where a row is the largest of many ranks. What is named is
 * red, however little that is: then the scale ends with it. */
static dxt_scale scale_of(const dxt_timeline_panel *panel)
{
    double ordinary = panel->ordinary, named = largest_named(panel), largest = named;
    largest = largest_of(panel->values, 0, (size_t)panel->ranks * panel->windows - 1, largest);
    double high = fmax(fmax(largest, named > ordinary ? 0 : SPAN * ordinary), 1e-3);
    double low = high < SPAN * ordinary ? fmin(ordinary, high / 3) : ordinary / 3;
    return (dxt_scale){.low = fmax(low, high / 1000), .high = high, .largest = largest};
}

dxt_course dxt_course_of(const dxt_timeline_panel *panel, uint32_t rows, size_t columns)
{
    dxt_course course = {.panel = panel, .block = dxt_block_for(panel->ranks, rows), .group = 1};
    while ((panel->windows + course.group - 1) / course.group > columns) course.group *= 2;
    course.rows = (panel->ranks + course.block - 1) / course.block;
    course.columns = (panel->windows + course.group - 1) / course.group;
    course.scale = scale_of(panel);
    return course;
}

static double largest(const dxt_course *course, const double *values, size_t column, double value)
{
    size_t end = (column + 1) * course->group;
    if (end > course->panel->windows) end = course->panel->windows;
    for (size_t k = column * course->group; k < end; k++) value = fmax(value, values[k]);
    return value;
}

double dxt_course_value(const dxt_course *course, uint32_t row, size_t column)
{
    const dxt_timeline_panel *panel = course->panel;
    double value = NAN;
    uint32_t end =
        (row + 1) * course->block < panel->ranks ? (row + 1) * course->block : panel->ranks;
    for (uint32_t r = row * course->block; r < end; r++) {
        /* NaN where all of them are silent; of those that are alone in that see
         * dxt_course_silent(). */
        value =
            fmax(value, largest(course, panel->values + (size_t)r * panel->windows, column, NAN));
    }
    return value;
}

bool dxt_course_is_silent(const dxt_course *course, uint32_t rank, size_t column)
{
    const double *values = course->panel->values + (size_t)rank * course->panel->windows;
    return isnan(largest(course, values, column, NAN));
}

bool dxt_course_any_silent(const dxt_course *course)
{
    for (size_t k = 0; k < course->columns; k++)
        for (uint32_t rank = 0; rank < course->panel->ranks; rank++)
            if (dxt_course_is_silent(course, rank, k)) return true;
    return false;
}

uint32_t dxt_course_silent(const dxt_course *course, uint32_t row, size_t column, uint32_t from)
{
    const dxt_timeline_panel *panel = course->panel;
    uint32_t end =
        (row + 1) * course->block < panel->ranks ? (row + 1) * course->block : panel->ranks;
    for (uint32_t r = row * course->block > from ? row * course->block : from; r < end; r++)
        if (dxt_course_is_silent(course, r, column)) return r;
    return DXT_NO_RANK;
}

double dxt_course_strip(const dxt_course *course, size_t strip, size_t column)
{
    return largest(course, course->panel->strips[strip].values, column, NAN);
}

double dxt_course_position(const dxt_course *course, double value)
{
    return dxt_scale_position(&course->scale, fmax(0, value));
}

uint32_t dxt_course_marked(const dxt_course *course, uint32_t row, uint32_t *last)
{
    const dxt_timeline_panel *panel = course->panel;
    uint32_t first = DXT_NO_RANK, end = DXT_NO_RANK;
    for (size_t i = 0; i < panel->mark_count; i++) {
        uint32_t rank = panel->marks[i].rank;
        if (rank / course->block != row) continue;
        if (first == DXT_NO_RANK) first = end = rank;
        /* Neighbours only: who is between two is not named with them. */
        if (rank == end + 1) end = rank;
    }
    if (last) *last = end;
    return first;
}

uint32_t dxt_course_named(const dxt_course *course, uint32_t row)
{
    const dxt_timeline_panel *panel = course->panel;
    uint32_t marked = dxt_course_marked(course, row, NULL), end = (row + 1) * course->block;
    size_t most = course->columns / 10;
    for (uint32_t r = row * course->block; marked == DXT_NO_RANK && r < end && r < panel->ranks;
         r++) {
        size_t red = 0;
        const double *values = panel->values + (size_t)r * panel->windows;
        for (size_t k = 0; k < course->columns; k++)
            red += dxt_course_position(course, largest(course, values, k, 0)) > RED;
        if (red <= most) continue;
        marked = r;
    }
    return marked;
}

/* NULL: not known. */
static const char *host_of(const dxt_course *course, uint32_t rank)
{
    const char *const *hosts = course->panel->hosts;
    return hosts && hosts[rank] && hosts[rank][0] ? hosts[rank] : NULL;
}

/* Whether all are on a host; it is known of one at least. */
static bool is_one_host(const dxt_course *course, const char *host)
{
    for (uint32_t rank = 0; rank < course->panel->ranks; rank++) {
        const char *other = host_of(course, rank);
        if (!other || strcmp(other, host) != 0) return false;
    }
    return true;
}

const char *dxt_course_host(const dxt_course *course, uint32_t row)
{
    uint32_t marked = dxt_course_marked(course, row, NULL), first = row * course->block;
    uint32_t rank = marked == DXT_NO_RANK ? first : marked;
    const char *host = host_of(course, rank);
    if (!host || (marked == DXT_NO_RANK && is_one_host(course, host))) return NULL;
    uint32_t before = row == 0                ? DXT_NO_RANK
                      : marked == DXT_NO_RANK ? first - course->block
                                              : dxt_course_marked(course, row - 1, NULL);
    /* Beside a marked row its host stands once. */
    uint32_t next = marked == DXT_NO_RANK && row + 1 < course->rows
                        ? dxt_course_marked(course, row + 1, NULL)
                        : DXT_NO_RANK;
    const char *below = next == DXT_NO_RANK ? NULL : host_of(course, next);
    if (below && strcmp(below, host) == 0) return NULL;
    const char *above = before == DXT_NO_RANK ? NULL : host_of(course, before);
    return above && strcmp(above, host) == 0 ? NULL : host;
}

static int64_t first_of(const dxt_course *course, size_t column)
{
    return course->panel->index[column * course->group];
}

int64_t dxt_course_last(const dxt_course *course, size_t column)
{
    size_t k = (column + 1) * course->group;
    if (k > course->panel->windows) k = course->panel->windows;
    return (course->panel->last ? course->panel->last : course->panel->index)[k - 1];
}

int64_t dxt_course_step(const dxt_course *course, double columns)
{
    int64_t first = first_of(course, 0), last = dxt_course_last(course, course->columns - 1);
    double least = columns * (double)(last - first + 1) / (double)course->columns;
    int64_t step = 1;
    /* 1, 2, 5, 10, 20, 50 … */
    for (int i = 0; (double)step < least && step < INT64_MAX / 10; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    /* No multiple of it is there: the first window only. */
    return first % step != 0 && first / step == last / step ? 0 : step;
}

bool dxt_course_tick(const dxt_course *course, size_t column, int64_t step, int64_t *number)
{
    int64_t first = first_of(course, column), last = dxt_course_last(course, column);
    if (step == 0) {
        *number = first;
        return column == 0;
    }
    /* Windows between the columns may not be there. */
    int64_t from = column > 0 ? dxt_course_last(course, column - 1) + 1 : first;
    int64_t rest = from % step, up = rest > 0 ? step - rest : -rest;
    if (up > last - from) return false;
    *number = from + up > first ? from + up : first;
    return true;
}

void dxt_course_words(const dxt_course *course, dxt_text *text)
{
    int64_t first = first_of(course, 0), last = dxt_course_last(course, course->columns - 1);
    dxt_text_printf(text, first == last ? "window %" PRId64 : "windows %" PRId64 " to %" PRId64,
                    first, last);
    int64_t each = dxt_course_last(course, 0) - first + 1;
    if (course->columns > 1 && each > 1) dxt_text_printf(text, ", %" PRId64 " in a column", each);
    if (course->block > 1) dxt_text_printf(text, "; rows of %" PRIu32 " ranks", course->block);
    const char *note = dxt_unit_note(course->panel->measure, course->scale.largest);
    if (note) dxt_text_printf(text, "; %s", note);
}

void dxt_course_key(const dxt_course *course, const dxt_key_words *words, dxt_text *text)
{
    const dxt_scale *scale = &course->scale;
    char figure[DXT_FIGURE_SIZE];
    if (course->panel->mark_count > 0 && course->panel->caption)
        dxt_text_printf(text, "%s: named above\n", words->mark);
    if (dxt_course_any_silent(course))
        dxt_text_printf(text, "%s: silent, no counters\n", words->silent);
    if (scale->largest <= 0 || scale->high <= SPARE * scale->largest) return;
    dxt_wait_figure(course->panel->measure, scale->largest, figure, sizeof figure);
    dxt_text_printf(text,
                    "the largest lateness is %s: the scale goes on, so that usual lateness is %s\n",
                    figure, words->usual);
}

const char *dxt_course_unit(const dxt_timeline_panel *panel)
{
    return dxt_measure_is_time(panel->measure) ? "µs" : "cycles";
}
