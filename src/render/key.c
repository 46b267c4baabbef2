/* SPDX-License-Identifier: Apache-2.0 */
/* The sentences around a picture. */
#include "render/model.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Longer lists end in "and 7 more". */
#define LIST_MOST 12u
/* A scale that ends so many times beyond the longest wait wants a word. */
#define SPARE 1.5

const char *dxt_model_quantity(const dxt_model *model)
{
    switch (model->measure) {
    case DXT_MEASURE_NS_PER_OP: return "mean wait in µs";
    case DXT_MEASURE_NS: return "sum of waits in µs";
    case DXT_MEASURE_CYCLES_PER_OP: return "mean wait in cycles";
    default: return "sum of waits in cycles";
    }
}

/* When the window began and how long it was. */
static void put_interval(const dxt_window *window, dxt_text *text)
{
    char figure[DXT_FIGURE_SIZE];
    if (window->begin && window->begin[0]) {
        int64_t begin_ns;
        char local[DXT_LOCAL_SIZE];
        bool known = dxt_parse_time(window->begin, &begin_ns);
        dxt_text_puts(text, "; began ");
        dxt_text_clean(text, known ? dxt_format_local(begin_ns, local) : window->begin, false);
    }
    if (window->elapsed_ns > 0)
        dxt_text_printf(text, "; %s long",
                        dxt_format_ns((double)window->elapsed_ns, figure, sizeof figure));
    if (window->ops > 0) dxt_text_printf(text, "; %" PRId64 " operations", window->ops);
}

void dxt_model_subtitle(const dxt_model *model, const char *unit, dxt_text *text)
{
    const char *quantity = dxt_model_quantity(model);
    size_t named = (size_t)(strstr(quantity, " in ") - quantity);
    dxt_text_printf(text, "%" PRIu32 " ranks, ", model->ranks);
    const char *note = dxt_unit_note(model->measure, model->scale.largest);
    if (unit)
        dxt_text_printf(text, "%.*s in %s", (int)named, quantity, unit);
    else
        dxt_text_puts(text, quantity);
    if (note && !unit) dxt_text_printf(text, " (%s)", note);
    put_interval(model->window, text);
}

/* A list under way: "columns 2, 3 and 4 more". */
struct list {
    dxt_text *text;
    const char *one, *many;
    uint32_t total;         /* how many there are */
    uint32_t listed, items; /* how many were said, in how many items */
};

static void list_begin(struct list *list)
{
    dxt_text_printf(list->text, "%s ", list->total == 1 ? list->one : list->many);
}

/* Whether there is room for one more, which stands for `count`; says the comma. */
static bool list_next(struct list *list, uint32_t count)
{
    if (list->items == LIST_MOST) return false;
    if (list->items++ > 0) dxt_text_puts(list->text, ", ");
    list->listed += count;
    return true;
}

static void list_end(struct list *list)
{
    if (list->total > list->listed)
        dxt_text_printf(list->text, " and %" PRIu32 " more", list->total - list->listed);
}

static uint32_t count_set(const uint8_t *flags, uint32_t count, uint8_t mask)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < count; i++) set += (flags[i] & mask) != 0;
    return set;
}

/* Neighbours that are said as one: "8–15"; two are said one by one. */
static uint32_t run_length(const uint8_t *flags, uint32_t rank, uint32_t ranks, uint8_t mask)
{
    uint32_t end = rank;
    while (end < ranks && (flags[end] & mask)) end++;
    return end - rank == 2 ? 1 : end - rank;
}

/* Ranks with one of the flags in `mask`. */
static void list_ranks(struct list list, const uint8_t *flags, uint32_t ranks, uint8_t mask)
{
    list.total = count_set(flags, ranks, mask);
    list_begin(&list);
    for (uint32_t rank = 0; rank < ranks; rank++) {
        uint32_t run = run_length(flags, rank, ranks, mask);
        if (run > 0 && list_next(&list, run)) {
            dxt_text_printf(list.text, "%" PRIu32, rank);
            if (run > 1) dxt_text_printf(list.text, "–%" PRIu32, rank + run - 1);
        }
        if (run > 1) rank += run - 1;
    }
    list_end(&list);
}

static uint32_t count_points(const dxt_model *model)
{
    uint32_t points = 0;
    for (size_t i = 0; i < model->mark_count; i++) points += model->marks[i].kind == DXT_MARK_POINT;
    return points;
}

static bool is_point(const dxt_model *model, size_t i, uint32_t row, uint32_t column)
{
    if (i >= model->mark_count) return false;
    const dxt_mark *mark = &model->marks[i];
    return mark->kind == DXT_MARK_POINT && mark->row == row && mark->column == column;
}

/* How many rows of how many columns follow each other from a mark on, as those between two nodes
 * do. */
static uint32_t block_of(const dxt_model *model, size_t first, uint32_t *wide)
{
    uint32_t row = model->marks[first].row, column = model->marks[first].column, high = 1;
    for (*wide = 1; is_point(model, first + *wide, row, column + *wide);) ++*wide;
    for (bool whole = true; whole; high += whole)
        for (uint32_t i = 0; i < *wide && whole; i++)
            whole = is_point(model, first + (size_t)high * *wide + i, row + high, column + i);
    return high;
}

static void put_stretch(dxt_text *text, uint32_t first, uint32_t count)
{
    dxt_text_printf(text, "%" PRIu32, first);
    if (count > 1) dxt_text_printf(text, "–%" PRIu32, first + count - 1);
}

static void list_points(const dxt_model *model, dxt_text *text, uint32_t points)
{
    struct list list = {.text = text, .one = "path", .many = "paths", .total = points};
    list_begin(&list);
    for (size_t i = 0; i < model->mark_count; i++) {
        const dxt_mark *mark = &model->marks[i];
        if (mark->kind != DXT_MARK_POINT) continue;
        uint32_t wide, high = block_of(model, i, &wide);
        if (high == 1) wide = 1; /* no block */
        if (list_next(&list, wide * high)) {
            put_stretch(text, mark->column, wide);
            dxt_text_puts(text, " → ");
            put_stretch(text, mark->row, high);
        }
        i += (size_t)wide * high - 1;
    }
    list_end(&list);
}

static void key_marks(const dxt_model *model, const char *word, dxt_text *text)
{
    uint32_t ranks = model->ranks, points = count_points(model);
    uint32_t columns = count_set(model->column_marked, ranks, DXT_FLAG_AXIS);
    uint32_t rows = count_set(model->row_marked, ranks, DXT_FLAG_AXIS);
    if (columns + rows + points == 0) return;
    dxt_text_printf(text, "%s: ", word);
    if (columns > 0)
        list_ranks((struct list){.text = text, .one = "column", .many = "columns"},
                   model->column_marked, ranks, DXT_FLAG_AXIS);
    if (columns > 0 && rows > 0) dxt_text_puts(text, "; ");
    if (rows > 0)
        list_ranks((struct list){.text = text, .one = "row", .many = "rows"}, model->row_marked,
                   ranks, DXT_FLAG_AXIS);
    if (columns + rows > 0 && points > 0) dxt_text_puts(text, "; ");
    if (points > 0) list_points(model, text, points);
    dxt_text_puts(text, "\n");
}

void dxt_model_key(const dxt_model *model, const dxt_key_words *words, dxt_text *text)
{
    char figure[DXT_FIGURE_SIZE];
    if (model->block > 1)
        dxt_text_printf(text,
                        "one block = %" PRIu32 " × %" PRIu32 " ranks, colour: longest wait in it\n",
                        model->block, model->block);
    key_marks(model, words->mark, text);
    if (model->silent > 0) {
        dxt_text_printf(text, "%s: silent, no counters from ", words->silent);
        list_ranks((struct list){.text = text, .one = "rank", .many = "ranks"},
                   model->window->missing, model->ranks, UINT8_MAX);
        dxt_text_puts(text, "\n");
    }
    if (model->unobserved)
        dxt_text_printf(text, "%s: not observed, nobody counts these waits\n", words->empty);
    if (model->sparse && words->sparse)
        dxt_text_printf(text, "%s: most of the block was not observed\n", words->sparse);
    if (model->holed && words->sparse)
        dxt_text_puts(text, "of some blocks a part was not observed\n");
    if ((model->sparse || model->holed) && !words->sparse)
        dxt_text_puts(text, "the coloured part of a block is the part that was observed\n");
    if (words->usual && model->scale.largest > model->scale.high * 1.005) {
        dxt_wait_figure(model->measure, model->scale.largest, figure, sizeof figure);
        dxt_text_printf(text, "beyond the scale: the longest wait is %s\n", figure);
    }
    if (words->usual && model->scale.largest > 0 &&
        model->scale.high > SPARE * model->scale.largest) {
        dxt_wait_figure(model->measure, model->scale.largest, figure, sizeof figure);
        dxt_text_printf(text,
                        "the longest wait is %s: the scale goes on, so that usual waits are %s\n",
                        figure, words->usual);
    }
    if (model->scale.largest == 0 && model->silent < model->ranks)
        dxt_text_puts(text, "all waits are 0\n");
    dxt_text_puts(text, "row = the rank that waits, column = the rank it waits for\n");
}

static void hint_ranks(const dxt_model *model, uint32_t cell, dxt_text *text)
{
    uint32_t first = cell * model->block, last = first + model->block - 1;
    if (last >= model->ranks) last = model->ranks - 1;
    dxt_text_printf(text, "%" PRIu32, first);
    if (last > first) dxt_text_printf(text, "–%" PRIu32, last);
}

void dxt_model_hint(const dxt_model *model, uint32_t row, uint32_t column, dxt_text *text)
{
    char figure[DXT_FIGURE_SIZE];
    double value = dxt_model_value(model, row, column);
    dxt_text_puts(text, model->block > 1 ? "" : "rank ");
    hint_ranks(model, row, text);
    dxt_text_puts(text, model->block > 1 ? " for " : " waits for rank ");
    hint_ranks(model, column, text);
    if (isnan(value))
        dxt_text_puts(text, dxt_model_silent(model, row) ? ": silent" : ": not observed");
    else
        dxt_text_printf(text, ": %s",
                        dxt_wait_figure(model->measure, value, figure, sizeof figure));
}
