/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around the matrix: rank numbers, lines between nodes, names of hosts. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/layout.h"

#define PILL_HEIGHT 15.0
#define PILL_PADDING 5.0
#define STEM 6.0
#define OUTLINE 2.0
/* On one axis fit fewer labels than this: the axis is at most 800 long and a label at least 12. */
#define MOST_LABELS 128
#define LABEL_SIZE 40
/* Left and right of the number of a column. */
#define COLUMN_SPACE 4.0
/* Bold letters are so much wider. */
#define BOLD 1.1
#define NAME_SIZE 11.0
/* Height of a node in a picture from which its borders are lines, or thin ones. */
#define WIDE_NODE 48.0
#define THIN_NODE 20.0

/* One axis, and the stretches of it that have a label. */
struct axis {
    dxt_pen *pen;
    const dxt_model *model;
    const dxt_grid *grid;
    const uint8_t *flags;
    bool rows;
    double cell; /* length of a cell along the axis */
    size_t count;
    double begin[MOST_LABELS], end[MOST_LABELS];
};

/* Claim the stretch of a label. */
static bool claim(struct axis *axis, double middle, double length)
{
    double begin = middle - length / 2, end = middle + length / 2;
    for (size_t i = 0; i < axis->count; i++)
        if (begin < axis->end[i] && end > axis->begin[i]) return false;
    if (axis->count == MOST_LABELS) return false;
    axis->begin[axis->count] = begin;
    axis->end[axis->count++] = end;
    return true;
}

static double label_width(const struct axis *axis, const char *string)
{
    return dxt_width_of(string, dxt_font_width) * axis->grid->label_size;
}

/* How much of the axis a label takes. */
static double label_length(const struct axis *axis, const char *string, double space)
{
    return axis->rows ? fmax(PILL_HEIGHT, axis->grid->label_size + space)
                      : label_width(axis, string) + 2 * space;
}

static void draw_pill(const struct axis *axis, double middle, const char *string)
{
    double width = label_width(axis, string) + 2 * PILL_PADDING;
    double x = axis->rows ? axis->grid->x - STEM - width : middle - width / 2;
    double y = axis->rows ? middle - PILL_HEIGHT / 2 : axis->grid->y - STEM - PILL_HEIGHT;
    dxt_pen_box(axis->pen, (dxt_box){.x = x,
                                     .y = y,
                                     .width = width,
                                     .height = PILL_HEIGHT,
                                     .radius = 4,
                                     .fill = DXT_PAINT_MARK});
}

static void draw_label(const struct axis *axis, double middle, const char *string, uint8_t flag)
{
    const dxt_grid *grid = axis->grid;
    bool pill = (flag & DXT_FLAG_AXIS) != 0;
    if (pill) draw_pill(axis, middle, string);
    double inset = STEM + PILL_PADDING;
    dxt_pen_text(axis->pen, (dxt_label){.x = axis->rows ? grid->x - inset : middle,
                                        .y = axis->rows ? middle + 0.36 * grid->label_size
                                                        : grid->y - STEM - 3.5,
                                        .size = grid->label_size,
                                        .anchor = axis->rows ? DXT_ANCHOR_END : DXT_ANCHOR_MIDDLE,
                                        .bold = flag != 0,
                                        .paint = pill   ? DXT_PAINT_ON_MARK
                                                 : flag ? DXT_PAINT_MARK
                                                        : DXT_PAINT_TEXT,
                                        .string = string});
}

static void draw_stem(const struct axis *axis, double middle, dxt_paint paint, double width)
{
    double x = axis->grid->x, y = axis->grid->y;
    if (axis->rows)
        dxt_pen_line(axis->pen, (dxt_line){x - STEM, middle, x - 1, middle, width, paint});
    else
        dxt_pen_line(axis->pen, (dxt_line){middle, y - STEM, middle, y - 1, width, paint});
}

static double middle_of(const struct axis *axis, uint32_t cell)
{
    double begin = axis->rows ? axis->grid->y : axis->grid->x;
    return begin + (cell + 0.5) * axis->cell - axis->grid->gap / 2;
}

/* Draw the stems of some cells, and one label in their middle if there is room. */
static void label_cells(struct axis *axis, uint32_t first, uint32_t last, const char *string,
                        uint8_t flag)
{
    for (uint32_t cell = first; cell <= last; cell++)
        draw_stem(axis, middle_of(axis, cell), DXT_PAINT_MARK, OUTLINE);
    double middle = (middle_of(axis, first) + middle_of(axis, last)) / 2;
    if (claim(axis, middle, label_length(axis, string, PILL_PADDING)))
        draw_label(axis, middle, string, flag);
}

/* Ranks from `rank` on that are flagged alike. */
static uint32_t run_of(const struct axis *axis, uint32_t rank, uint8_t mask)
{
    uint32_t end = rank;
    while (end < axis->model->ranks && (axis->flags[end] & mask)) end++;
    return end - rank;
}

/* What is flagged among the ranks of a cell: the gravest flag, and their numbers. */
static uint8_t name_cell(const struct axis *axis, uint32_t cell, char *string, size_t size)
{
    static const uint8_t masks[] = {DXT_FLAG_AXIS, DXT_FLAG_SILENT, DXT_FLAG_POINT};
    uint32_t first = cell * axis->model->block, last = first + axis->model->block;
    if (last > axis->model->ranks) last = axis->model->ranks;
    uint8_t gravest = 0, said = 0;
    size_t used = 0;
    string[0] = '\0';
    for (int i = 0; i < 3; said |= masks[i], i++)
        for (uint32_t rank = first, run; rank < last; rank += run) {
            run = 1;
            if (!(axis->flags[rank] & masks[i]) || (axis->flags[rank] & said)) continue;
            if (!gravest) gravest = masks[i];
            while (rank + run < last && (axis->flags[rank + run] & masks[i]) &&
                   !(axis->flags[rank + run] & said))
                run++;
            if (run < 3) run = 1;
            if (used + 16 >= size) continue;
            used +=
                (size_t)snprintf(string + used, size - used, "%s%" PRIu32, used ? ", " : "", rank);
            if (run > 1)
                used += (size_t)snprintf(string + used, size - used, "–%" PRIu32, rank + run - 1);
        }
    return gravest;
}

/* Whether each cell has room for its own number. */
static bool has_room(const struct axis *axis)
{
    char string[16];
    if (!axis->grid || axis->model->block > 1) return false;
    snprintf(string, sizeof string, "%" PRIu32, axis->model->ranks - 1);
    return axis->cell >= label_length(axis, string, PILL_PADDING);
}

/* The name of what is flagged from a cell on: of neighbours such as a node one for all. @return How
 * many cells have it; 0: none does. */
static uint32_t name_flagged(const struct axis *axis, uint32_t cell, uint8_t mask, char *string,
                             size_t size)
{
    const dxt_model *model = axis->model;
    uint32_t rank = cell * model->block, run = run_of(axis, rank, mask);
    /* Without an outline that holds them together, numbers are easier to find in their row. */
    bool each = mask == DXT_FLAG_POINT && has_room(axis);
    if (run >= 3 && run >= model->block && !each) {
        snprintf(string, size, "%" PRIu32 "–%" PRIu32, rank, rank + run - 1);
        return (rank + run - 1) / model->block - cell + 1;
    }
    return name_cell(axis, cell, string, size) == mask;
}

/* Flagged ranks have their labels first; where they crowd, their stems remain. */
static void label_flagged(struct axis *axis, uint8_t mask)
{
    char string[LABEL_SIZE];
    for (uint32_t cell = 0, cells; cell < axis->model->side; cell += cells ? cells : 1) {
        cells = name_flagged(axis, cell, mask, string, sizeof string);
        if (cells > 0) label_cells(axis, cell, cell + cells - 1, string, mask);
    }
}

double dxt_row_labels(const dxt_model *model, double label_size)
{
    static const uint8_t masks[] = {DXT_FLAG_AXIS, DXT_FLAG_SILENT, DXT_FLAG_POINT};
    const struct axis axis = {.model = model, .flags = model->row_marked, .rows = true};
    char string[LABEL_SIZE];
    double widest = 0;
    for (int i = 0; i < 3; i++)
        for (uint32_t cell = 0, cells; cell < model->side; cell += cells ? cells : 1) {
            cells = name_flagged(&axis, cell, masks[i], string, sizeof string);
            if (cells > 0) widest = fmax(widest, dxt_width_of(string, dxt_font_width));
        }
    return widest * BOLD * label_size + STEM + 2 * PILL_PADDING;
}

static void label_others(struct axis *axis)
{
    const dxt_model *model = axis->model;
    char string[16];
    snprintf(string, sizeof string, "%" PRIu32, model->ranks - 1);
    /* No less than a label claims below, or every other one would be left out. */
    double length = label_length(axis, string, axis->rows ? 3 : COLUMN_SPACE);
    uint32_t step = 1;
    while (step * axis->cell < length) step *= 2;
    for (uint32_t cell = 0; cell < model->side; cell += step) {
        double middle = middle_of(axis, cell);
        /* Beside "24–31" no other number of these is wanted. */
        if (run_of(axis, cell * model->block, DXT_FLAG_AXIS) > 0) continue;
        snprintf(string, sizeof string, "%" PRIu32, cell * model->block);
        if (!claim(axis, middle, label_length(axis, string, axis->rows ? 0.5 : COLUMN_SPACE)))
            continue;
        draw_label(axis, middle, string, 0);
        if (step > 1) draw_stem(axis, middle, DXT_PAINT_RULE, 1);
    }
}

void dxt_draw_axis(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid, bool rows)
{
    struct axis axis = {.pen = pen,
                        .model = model,
                        .grid = grid,
                        .flags = rows ? model->row_marked : model->column_marked,
                        .rows = rows,
                        .cell = rows ? grid->cell_height : grid->cell_width};
    label_flagged(&axis, DXT_FLAG_AXIS);
    label_flagged(&axis, DXT_FLAG_SILENT);
    label_flagged(&axis, DXT_FLAG_POINT);
    label_others(&axis);
}

/* ---- nodes ---- */

/* The first rank behind those of the same node as `rank`. */
static uint32_t node_end(const dxt_model *model, uint32_t rank)
{
    int32_t node = dxt_model_node(model, rank);
    uint32_t end = rank;
    while (end < model->ranks && model->window->nodes[end] == node) end++;
    return end;
}

double dxt_node_names(const dxt_model *model)
{
    dxt_text name = {0};
    double widest = 0;
    if (dxt_model_node(model, 0) < 0) return 0;
    for (uint32_t rank = 0; rank < model->ranks; rank = node_end(model, rank)) {
        dxt_model_node_name(model, rank, &name);
        if (!name.failed) widest = fmax(widest, dxt_width_of(name.data, dxt_font_width));
    }
    free(name.data);
    return widest * NAME_SIZE + 12;
}

/* A line where a node ends; where nodes are small a thin one, and where they are tiny none, or the
 * lines would hide the cells. */
static void draw_border(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid, uint32_t cell,
                        double node)
{
    if (node < THIN_NODE) return;
    double wide = model->side * grid->cell_width - grid->gap;
    double high = model->side * grid->cell_height - grid->gap;
    double x = grid->x + cell * grid->cell_width - grid->gap / 2;
    double y = grid->y + cell * grid->cell_height - grid->gap / 2;
    dxt_paint paint = node < WIDE_NODE ? DXT_PAINT_RULE : DXT_PAINT_TEXT;
    double width = node < WIDE_NODE ? 0.5 : 1.5;
    dxt_pen_line(pen, (dxt_line){x, grid->y - 3, x, grid->y + high + 3, width, paint});
    dxt_pen_line(pen, (dxt_line){grid->x - 3, y, grid->x + wide + 3, y, width, paint});
}

void dxt_draw_nodes(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid)
{
    if (dxt_model_node(model, 0) < 0) return;
    double wide = model->side * grid->cell_width - grid->gap, free_from = -INFINITY;
    for (uint32_t rank = 0, end; rank < model->ranks; rank = end) {
        end = node_end(model, rank);
        /* Where several nodes share a block there is no line to draw. */
        if (end < model->ranks && end % model->block == 0)
            draw_border(pen, model, grid, end / model->block,
                        (end - rank) * grid->cell_height / model->block);
        double first = rank / model->block, last = (end - 1) / model->block + 1;
        double middle = grid->y + (first + last) / 2 * grid->cell_height;
        if (middle < free_from) continue;
        free_from = middle + NAME_SIZE + 2;
        dxt_model_node_name(model, rank, &pen->scratch);
        if (pen->scratch.failed) return;
        dxt_pen_text(pen, (dxt_label){.x = grid->x + wide + 8,
                                      .y = middle + 0.36 * NAME_SIZE,
                                      .size = NAME_SIZE,
                                      .paint = DXT_PAINT_MUTED,
                                      .string = pen->scratch.data});
    }
}
