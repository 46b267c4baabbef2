/* SPDX-License-Identifier: Apache-2.0 */
#include "render/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MOST 24

/* Marks that choose the scale; the first are the most expensive. */
#define MOST_WEIGHED 64u

static dxt_status note_marks(dxt_model *model)
{
    for (size_t i = 0; i < model->mark_count; i++) {
        const dxt_mark *mark = &model->marks[i];
        bool has_row = mark->kind == DXT_MARK_ROW || mark->kind == DXT_MARK_POINT;
        bool has_column = (unsigned)mark->kind <= DXT_MARK_NUMBER && mark->kind != DXT_MARK_ROW;
        if (!has_row && !has_column)
            return dxt_fail(DXT_ERR_INVALID, "marks[%zu].kind is %d, but must be a dxt_mark_kind",
                            i, (int)mark->kind);
        if ((has_row && mark->row >= model->ranks) || (has_column && mark->column >= model->ranks))
            return dxt_fail(DXT_ERR_INVALID,
                            "marks[%zu] is outside the picture: the ranks are 0 to %" PRIu32, i,
                            model->ranks - 1);
        bool whole = mark->kind == DXT_MARK_ROW || mark->kind == DXT_MARK_COLUMN;
        uint8_t flag = whole ? DXT_FLAG_AXIS : DXT_FLAG_POINT;
        if (has_row) model->row_marked[mark->row] |= flag;
        if (has_column) model->column_marked[mark->column] |= flag;
    }
    return DXT_OK;
}

/* A clean copy in memory of its own; NULL and failed if there is no memory. */
static char *clean_copy(const char *string, bool newlines)
{
    dxt_text text = {0};
    dxt_text_puts(&text, "");
    dxt_text_clean(&text, string, newlines);
    if (!text.failed) return text.data;
    free(text.data);
    return NULL;
}

static char *title_of(const dxt_heatmap_panel *panel)
{
    if (panel->title) return clean_copy(panel->title, false);
    dxt_text text = {0};
    dxt_text_puts(&text, "");
    dxt_text_clean(&text, panel->window->phase ? panel->window->phase : "waits", false);
    if (panel->window->index >= 0)
        dxt_text_printf(&text, ", window %" PRId64, panel->window->index);
    if (!text.failed) return text.data;
    free(text.data);
    return NULL;
}

/* What a mark points at: the longest wait of its cells, if that is not out of proportion. */
static double marked_value(const dxt_model *model, const dxt_mark *mark, double *values)
{
    double sum = 0, longest = 0;
    uint32_t count = 0, first = 0, last = model->ranks - 1;
    if (mark->kind == DXT_MARK_ROW || mark->kind == DXT_MARK_POINT) first = last = mark->row;
    for (uint32_t row = first; row <= last; row++) {
        if (mark->kind == DXT_MARK_ROW) dxt_window_row(model->window, row, values);
        uint32_t begin = mark->kind == DXT_MARK_ROW ? 0 : mark->column;
        uint32_t end = mark->kind == DXT_MARK_ROW ? last + 1 : mark->column + 1;
        if (mark->kind == DXT_MARK_ROW) end = model->ranks;
        for (uint32_t column = begin; column < end; column++) {
            double value = mark->kind == DXT_MARK_ROW
                               ? values[column]
                               : dxt_window_value(model->window, row, column);
            if (isnan(value) || row == column) continue;
            sum += value;
            longest = fmax(longest, value);
            count++;
        }
    }
    return count ? fmin(longest, 3 * sum / count) : 0;
}

/* What is named is to stand out: the scale ends near the largest of it. */
static dxt_status end_near_marks(dxt_model *model)
{
    double *values = malloc(model->ranks * sizeof *values), most = 0;
    if (!values) return dxt_fail_memory(model->ranks * sizeof *values);
    for (size_t i = 0; i < model->mark_count && i < MOST_WEIGHED; i++)
        most = fmax(most, marked_value(model, &model->marks[i], values));
    free(values);
    if (!(most > 0) || most >= model->scale.high) return DXT_OK;
    /* What everybody waits is green, whoever is named. */
    model->scale.high = fmin(model->scale.high, fmax(most, 3 * model->scale.low));
    return DXT_OK;
}

static dxt_status choose_scale(dxt_model *model, const dxt_heatmap_options *options)
{
    dxt_status status = dxt_scale_choose(model->window, &model->scale);
    if (status != DXT_OK) return status;
    model->low = model->scale.low;
    double low = options->scale_min, high = options->scale_max;
    if (low == 0 && high == 0) return end_near_marks(model);
    if (!isfinite(low) || !isfinite(high) || low < 0 || low >= high)
        return dxt_fail(
            DXT_ERR_INVALID,
            "the scale goes from %g to %g, but scale_min must be 0 or more and below scale_max",
            low, high);
    model->scale.high = high;
    /* A logarithm has no zero: three decades instead. */
    model->scale.low = low > 0 ? low : high / 1000;
    model->low = 0;
    return DXT_OK;
}

static dxt_status fill(dxt_model *model, const dxt_heatmap_panel *panel,
                       const dxt_heatmap_options *options)
{
    const dxt_window *window = panel->window;
    model->row_marked = calloc(window->ranks, 1);
    model->column_marked = calloc(window->ranks, 1);
    model->title = title_of(panel);
    if (panel->caption && panel->caption[0]) model->caption = clean_copy(panel->caption, true);
    bool caption_failed = panel->caption && panel->caption[0] && !model->caption;
    if (!model->row_marked || !model->column_marked || !model->title || caption_failed)
        return dxt_fail_memory(0);
    for (uint32_t row = 0; window->missing && row < window->ranks; row++) {
        if (!window->missing[row]) continue;
        model->silent++;
        model->row_marked[row] |= DXT_FLAG_SILENT;
    }
    dxt_status status = note_marks(model);
    return status == DXT_OK ? choose_scale(model, options) : status;
}

dxt_status dxt_model_create(const dxt_heatmap_panel *panel, const dxt_heatmap_options *options,
                            dxt_model **out)
{
    if (!panel->window || !panel->window->wait)
        return dxt_fail(DXT_ERR_INVALID, "panel.window and its wait must not be NULL");
    if (panel->window->ranks < 2 || panel->window->ranks > DXT_MAX_RANKS)
        return dxt_fail(DXT_ERR_INVALID, "panel.window.ranks is %" PRIu32 ", but must be 2 to %u",
                        panel->window->ranks, DXT_MAX_RANKS);
    if (panel->mark_count > 0 && !panel->marks)
        return dxt_fail(DXT_ERR_INVALID,
                        "panel.marks must not be NULL if panel.mark_count is above 0");
    dxt_model *model = calloc(1, sizeof *model);
    if (!model) return dxt_fail_memory(sizeof *model);
    model->window = panel->window;
    model->marks = panel->marks;
    model->mark_count = panel->mark_count;
    model->ranks = panel->window->ranks;
    model->measure = dxt_window_measure(panel->window);
    dxt_status status = fill(model, panel, options);
    if (status == DXT_OK)
        *out = model;
    else
        dxt_model_free(model);
    return status;
}

void dxt_model_free(dxt_model *model)
{
    if (!model) return;
    free(model->row_marked);
    free(model->column_marked);
    free(model->title);
    free(model->caption);
    free(model->cells);
    free(model->points);
    free(model->silent_row);
    free(model->observed);
    free(model);
}

uint32_t dxt_block_for(uint32_t ranks, uint32_t most)
{
    uint32_t block = 1;
    while ((ranks + block - 1) / block > most) block *= 2;
    return block;
}

/* Raise the cells of one row of blocks by one row of ranks, and count what was observed. */
static void add_row(dxt_model *model, uint32_t row, const double *values)
{
    size_t first = (size_t)(row / model->block) * model->side;
    for (uint32_t column = 0; column < model->ranks; column++) {
        size_t at = first + column / model->block;
        double *cell = &model->cells[at];
        if (model->observed) model->observed[at] += !isnan(values[column]);
        /* Also true as long as the cell is NaN. */
        if (!isnan(values[column]) && !(*cell >= values[column])) *cell = values[column];
    }
}

static uint32_t ranks_in(const dxt_model *model, uint32_t cell)
{
    uint32_t first = cell * model->block, left = model->ranks - first;
    return left < model->block ? left : model->block;
}

/* Counts become parts of what the ranks that are there could have observed. */
static void note_observed(dxt_model *model)
{
    const uint8_t *missing = model->window->missing;
    for (uint32_t row = 0; model->observed && row < model->side; row++) {
        uint32_t there = 0;
        for (uint32_t i = 0; i < ranks_in(model, row); i++)
            there += !missing || !missing[row * model->block + i];
        for (uint32_t column = 0; column < model->side; column++) {
            float *part = &model->observed[(size_t)row * model->side + column];
            bool some = *part > 0;
            *part = some ? *part / (float)(there * ranks_in(model, column)) : 1;
            model->sparse = model->sparse || *part < 0.5f;
            model->holed = model->holed || (*part >= 0.5f && *part < 1);
        }
    }
}

static void note_points(dxt_model *model)
{
    for (size_t i = 0; i < model->mark_count; i++) {
        const dxt_mark *mark = &model->marks[i];
        size_t row = mark->row / model->block, column = mark->column / model->block;
        if (mark->kind == DXT_MARK_POINT) model->points[row * model->side + column] = 1;
    }
}

/* The rows of silent ranks say that; those of others in their blocks are drawn as they are. */
static void note_silence(dxt_model *model)
{
    const uint8_t *missing = model->window->missing;
    for (uint32_t rank = 0; missing && rank < model->ranks; rank++)
        if (missing[rank]) model->silent_row[rank / model->block] = 1;
    for (uint32_t rank = 0; missing && rank < model->ranks; rank++)
        if (!missing[rank] && model->silent_row[rank / model->block])
            model->silent_row[rank / model->block] = 2;
    for (uint32_t row = 0; row < model->side; row++) {
        double *cells = model->cells + (size_t)row * model->side;
        for (uint32_t column = 0; column < model->side; column++) {
            if (dxt_model_silent(model, row)) cells[column] = NAN;
            model->unobserved =
                model->unobserved || (isnan(cells[column]) && !model->silent_row[row]);
        }
    }
}

static void drop_cells(dxt_model *model)
{
    free(model->cells);
    free(model->points);
    free(model->silent_row);
    free(model->observed);
    model->cells = NULL;
    model->observed = NULL;
    model->points = model->silent_row = NULL;
    model->unobserved = model->sparse = model->holed = false;
    model->block = 0;
}

dxt_status dxt_model_cells(dxt_model *model, uint32_t block)
{
    uint32_t side = (model->ranks + block - 1) / block;
    size_t count = (size_t)side * side;
    drop_cells(model);
    model->cells = malloc(count * sizeof *model->cells);
    model->points = calloc(count, 1);
    model->silent_row = calloc(side, 1);
    double *values = malloc(model->ranks * sizeof *values);
    if (block > 1) model->observed = calloc(count, sizeof *model->observed);
    bool blocks = block == 1 || model->observed;
    if (!model->cells || !model->points || !model->silent_row || !values || !blocks) {
        free(values);
        return dxt_fail_memory(count * sizeof *model->cells);
    }
    model->block = block;
    model->side = side;
    for (size_t i = 0; i < count; i++) model->cells[i] = NAN;
    for (uint32_t row = 0; row < model->ranks; row++) {
        dxt_window_row(model->window, row, values);
        add_row(model, row, values);
    }
    note_observed(model);
    note_silence(model);
    note_points(model);
    free(values);
    if (model->low > 0) model->scale.low = model->low;
    if (block == 1 || model->low == 0) return DXT_OK;
    return dxt_scale_for_blocks(&model->scale, model->cells, count);
}

uint32_t dxt_model_run(const dxt_model *model, const uint8_t *flags, uint32_t cell)
{
    uint32_t end = cell;
    while (end < model->side && dxt_model_flagged(model, flags, end, 1) != DXT_NO_RANK) end++;
    return end - cell;
}

int32_t dxt_model_node(const dxt_model *model, uint32_t rank)
{
    const int32_t *nodes = model->window->nodes;
    bool several = false;
    for (uint32_t i = 1; nodes && i < model->ranks && !several; i++) several = nodes[i] != nodes[0];
    return several ? nodes[rank] : -1;
}

/* Behind so many characters of a text, or at its end. @return How many there were. */
static size_t skip_characters(const char **at, size_t count)
{
    size_t size, taken = 0;
    for (; **at && taken < count; *at += size, taken++) (void)dxt_utf8_next(*at, &size);
    return taken;
}

/* Cut a long name at its end, where a domain is; a long first label loses its middle, since what
 * tells hosts apart often stands last: "pretrain-wo…worker-0017". */
static void shorten_host(dxt_text *text)
{
    if (text->failed) return;
    const char *rest = text->data, *label = text->data;
    if (skip_characters(&rest, NAME_MOST) < NAME_MOST || !*rest) return;
    char *dot = strchr(text->data, '.');
    if (dot) *dot = '\0';
    size_t length = skip_characters(&label, SIZE_MAX);
    if (dot) *dot = '.';
    const char *head = text->data, *tail = text->data;
    bool whole = length < NAME_MOST;
    (void)skip_characters(&head, whole ? NAME_MOST - 1 : NAME_MOST / 2 - 1);
    (void)skip_characters(&tail, whole ? length : length - NAME_MOST / 2);
    char end[4 * NAME_MOST];
    size_t kept = (size_t)(label - tail);
    memcpy(end, tail, kept);
    text->size = (size_t)(head - text->data);
    dxt_text_puts(text, "…");
    dxt_text_append(text, end, kept);
}

void dxt_model_node_name(const dxt_model *model, uint32_t rank, dxt_text *text)
{
    const dxt_window *window = model->window;
    const char *host = window->hosts ? window->hosts[rank] : NULL;
    if (!host && window->devices) host = window->devices[rank].host;
    text->size = 0;
    if (!host || !host[0]) {
        dxt_text_printf(text, "node %" PRId32, dxt_model_node(model, rank));
        return;
    }
    dxt_text_clean(text, host, false);
    shorten_host(text);
}

uint32_t dxt_model_flagged(const dxt_model *model, const uint8_t *flags, uint32_t cell,
                           uint32_t count)
{
    uint32_t end = (cell + count) * model->block;
    for (uint32_t rank = cell * model->block; rank < end && rank < model->ranks; rank++)
        if (flags[rank] & DXT_FLAG_AXIS) return rank;
    return DXT_NO_RANK;
}

double dxt_model_position(const dxt_model *model, uint32_t row, uint32_t column)
{
    double value = dxt_model_value(model, row, column);
    return isnan(value) ? NAN : dxt_scale_position(&model->scale, value);
}

double dxt_model_shown(const dxt_model *model, uint32_t row, uint32_t column)
{
    return dxt_model_value(model, row, column) / dxt_measure_shown(model->measure);
}
