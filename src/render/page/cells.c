/* SPDX-License-Identifier: Apache-2.0 */
#include "render/page/cells.h"

#include <math.h>
#include <stdlib.h>

#include "render/model.h"

#define STEPS_MOST 16.0
#define OCTAVES_MOST 24.0
#define CODES 253.0

dxt_page_scale dxt_page_scale_for(double least, double most)
{
    double octaves = log2(most / least);
    if (octaves > OCTAVES_MOST) {
        octaves = OCTAVES_MOST;
        least = most / exp2(octaves);
    }
    double steps = octaves > 0 ? CODES / octaves : STEPS_MOST;
    return (dxt_page_scale){.low = least, .steps = steps > STEPS_MOST ? STEPS_MOST : steps};
}

unsigned char dxt_page_code(const dxt_page_scale *scale, double value)
{
    if (isnan(value)) return 0;
    if (!(value > 0)) return 1;
    double step = rint(log2(value / scale->low) * scale->steps);
    return (unsigned char)(step < 0 ? 2 : step > CODES ? 255 : 2 + step);
}

/* What of a window goes into the page, as numbers. */
struct numbers {
    double *cells, *rows, *columns; /* one block, in this order */
    size_t count;
    double *row; /* under way */
};

/* Once in the list, if there is room. */
static void keep_whole(uint32_t *list, uint32_t *count, uint32_t rank)
{
    for (uint32_t i = 0; i < *count; i++)
        if (list[i] == rank) return;
    if (*count < DXT_PAGE_WHOLE) list[(*count)++] = rank;
}

static void choose_whole(const dxt_page_window *window, dxt_page_cells *cells)
{
    for (size_t i = 0; cells->block > 1 && i < window->mark_count; i++) {
        const dxt_mark *mark = &window->marks[i];
        if (mark->kind != DXT_MARK_COLUMN) keep_whole(cells->rows, &cells->row_count, mark->row);
        if (mark->kind != DXT_MARK_ROW)
            keep_whole(cells->columns, &cells->column_count, mark->column);
    }
}

static bool is_in(const uint32_t *list, uint32_t count, uint32_t rank)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == rank) return true;
    return false;
}

/* In blocks are the others: what is there whole would hide what is beside it, and so would the
 * diagonal, which is no wait for anybody. */
static void raise_blocks(const dxt_page_cells *cells, uint32_t row, uint32_t ranks,
                         const double *values, double *to)
{
    if (is_in(cells->rows, cells->row_count, row)) return;
    for (uint32_t column = 0; column < ranks; column++) {
        if (cells->block > 1 && column == row) continue;
        if (is_in(cells->columns, cells->column_count, column)) continue;
        to[column / cells->block] = fmax(to[column / cells->block], values[column]);
    }
}

static void take_row(const dxt_page_window *window, const dxt_page_cells *cells, uint32_t row,
                     struct numbers *numbers)
{
    uint32_t ranks = window->window->ranks;
    double *to = numbers->cells + (size_t)(row / cells->block) * cells->side;
    dxt_window_row(window->window, row, numbers->row);
    raise_blocks(cells, row, ranks, numbers->row, to);
    for (uint32_t i = 0; i < cells->row_count; i++)
        if (cells->rows[i] == row)
            memcpy(numbers->rows + (size_t)i * ranks, numbers->row, ranks * sizeof(double));
    for (uint32_t i = 0; i < cells->column_count; i++)
        numbers->columns[(size_t)i * ranks + row] = numbers->row[cells->columns[i]];
}

static dxt_status read_numbers(const dxt_page_window *window, const dxt_page_cells *cells,
                               struct numbers *numbers)
{
    uint32_t ranks = window->window->ranks;
    size_t square = (size_t)cells->side * cells->side;
    numbers->count = square + (size_t)(cells->row_count + cells->column_count) * ranks;
    numbers->cells = malloc((numbers->count + ranks) * sizeof(double));
    if (!numbers->cells) return dxt_fail_memory((numbers->count + ranks) * sizeof(double));
    numbers->rows = numbers->cells + square;
    numbers->columns = numbers->rows + (size_t)cells->row_count * ranks;
    numbers->row = numbers->cells + numbers->count;
    for (size_t i = 0; i < numbers->count; i++) numbers->cells[i] = NAN;
    for (uint32_t row = 0; row < ranks; row++) take_row(window, cells, row, numbers);
    return DXT_OK;
}

static void choose_scale(const struct numbers *numbers, dxt_page_cells *cells)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < numbers->count; i++) {
        double value = numbers->cells[i];
        if (!(value > 0) || isinf(value)) continue;
        least = fmin(least, value);
        most = fmax(most, value);
    }
    cells->scale = most > 0 ? dxt_page_scale_for(least, most) : dxt_page_scale_for(1, 1);
}

static dxt_status code(const struct numbers *numbers, dxt_page_cells *cells)
{
    size_t each = cells->coding == DXT_PAGE_FLOAT ? sizeof(float) : 1;
    cells->size = numbers->count * each;
    cells->bytes = malloc(cells->size);
    if (!cells->bytes) return dxt_fail_memory(cells->size);
    if (cells->coding == DXT_PAGE_LOG) choose_scale(numbers, cells);
    for (size_t i = 0; i < numbers->count; i++) {
        float value = (float)numbers->cells[i];
        uint32_t bits;
        if (cells->coding == DXT_PAGE_LOG) {
            cells->bytes[i] = dxt_page_code(&cells->scale, numbers->cells[i]);
            continue;
        }
        memcpy(&bits, &value, sizeof bits);
        for (size_t b = 0; b < each; b++)
            cells->bytes[i * each + b] = (unsigned char)(bits >> 8 * b);
    }
    return DXT_OK;
}

dxt_status dxt_page_cells_of(const dxt_page_window *window, dxt_page_cells *cells)
{
    uint32_t ranks = window->window->ranks;
    struct numbers numbers = {0};
    dxt_page_cells made = {.block = dxt_block_for(ranks, DXT_PAGE_SIDE)};
    made.side = (ranks + made.block - 1) / made.block;
    made.coding = ranks <= DXT_PAGE_EXACT ? DXT_PAGE_FLOAT : DXT_PAGE_LOG;
    choose_whole(window, &made);
    dxt_status status = read_numbers(window, &made, &numbers);
    if (status == DXT_OK) status = code(&numbers, &made);
    free(numbers.cells);
    if (status == DXT_OK) *cells = made;
    return status;
}
