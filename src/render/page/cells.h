/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a page as bytes: the cells of a window, the lateness of ranks over a run. */
#ifndef DXT_RENDER_PAGE_CELLS_H
#define DXT_RENDER_PAGE_CELLS_H

#include <deepxtrace/page.h>

#include "base/base.h"

/** Most rows, and columns, that are kept whole where cells are in blocks. */
#define DXT_PAGE_WHOLE 16u
/** Cells in a row of a matrix at most. */
#define DXT_PAGE_SIDE 128u
/** Ranks up to which cells are kept as float. */
#define DXT_PAGE_EXACT 32u

/** How a number becomes bytes. */
typedef enum dxt_page_coding {
    DXT_PAGE_FLOAT = 0, /**< float32, little endian; NaN = not observed */
    DXT_PAGE_LOG = 1 /**< a byte: 0 = not observed, 1 = 0, else low × 2^((byte − 2) ÷ steps) */
} dxt_page_coding;

/** Scale of DXT_PAGE_LOG. */
typedef struct dxt_page_scale {
    double low, steps;
} dxt_page_scale;

/** The finest scale from @p least to @p most, both > 0, with at most 16 steps in an octave. */
dxt_page_scale dxt_page_scale_for(double least, double most);

unsigned char dxt_page_code(const dxt_page_scale *scale, double value);

/** The cells of a window: side × side, then each whole row and each whole column of `ranks`. A
 *  block has the longest wait of those of its cells that are in no whole row or column. */
typedef struct dxt_page_cells {
    dxt_page_coding coding;
    dxt_page_scale scale;
    uint32_t side, block;
    uint32_t rows[DXT_PAGE_WHOLE], columns[DXT_PAGE_WHOLE];
    uint32_t row_count, column_count;
    unsigned char *bytes; /**< to free() */
    size_t size;
} dxt_page_cells;

/**
 * Code the cells of a window.
 *
 * @param cells  Receives them. Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_page_cells_of(const dxt_page_window *window, dxt_page_cells *cells);

#endif
