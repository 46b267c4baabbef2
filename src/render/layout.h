/* SPDX-License-Identifier: Apache-2.0 */
/* Where everything goes on a picture; the back ends draw it. */
#ifndef DXT_RENDER_LAYOUT_H
#define DXT_RENDER_LAYOUT_H

#include "render/pen.h"

/** Most cells in a row of a picture; a rank more and blocks are drawn. */
#define DXT_PICTURE_CELLS 128u

/** Where the matrix of a panel lies. */
typedef struct dxt_grid {
    double x, y;                    /**< of the first cell */
    double cell_width, cell_height; /**< with the gap to the next */
    double gap;
    double value_size; /**< of the figures in the cells; 0 = none */
    double label_size; /**< of the rank numbers */
    double left;       /**< room for them, left of x */
    double top;        /**< and above y */
    double right;      /**< room for the names of nodes, right of the last cell; 0 = none */
} dxt_grid;

/** Sizes for a model; x and y are left 0. */
dxt_grid dxt_grid_for(const dxt_model *model);
/** Lines between nodes, and their names at the right: hosts where they are known. */
void dxt_draw_nodes(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid);
/** Width of the longest name; 0 without nodes. */
double dxt_node_names(const dxt_model *model);

/** Room that the labels of flagged rows take, left of the matrix. */
double dxt_row_labels(const dxt_model *model, double label_size);

/** Rank numbers at one axis; flagged ones first. */
void dxt_draw_axis(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid, bool rows);

/** Draw cells, outlines, nodes and the labels of both axes. */
void dxt_grid_draw(dxt_pen *pen, const dxt_model *model, const dxt_grid *grid);

/** A pattern of slanted lines that says "silent". */
void dxt_draw_hatch(dxt_pen *pen, double x, double y, double width, double height);

/** The cells of a rank that sent nothing: hatched, with a hint that says so. */
void dxt_draw_silence(dxt_pen *pen, double x, double y, double width, double height);

/**
 * Draw panels below each other as one page.
 *
 * @param models   With their cells worked out.
 * @param heading  Clean; above all panels; NULL = none.
 * @param page     Width, height and title are filled in.
 * @return DXT_OK; DXT_ERR_NO_MEMORY; what the back end returned.
 */
dxt_status dxt_layout_draw(dxt_model *const *models, size_t count, const char *heading,
                           const dxt_backend *backend, dxt_page *page);

#endif
