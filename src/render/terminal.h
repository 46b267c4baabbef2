/* SPDX-License-Identifier: Apache-2.0 */
/* Text pictures: two ways to draw the matrix. */
#ifndef DXT_RENDER_TERMINAL_H
#define DXT_RENDER_TERMINAL_H

#include "render/screen.h"

/** How figures fit into the cells. */
typedef struct dxt_figures {
    double unit;      /**< they count this many µs or cycles */
    bool compact;     /**< two digits where that suffices, else three */
    bool whole;       /**< two digits at the most */
    const char *name; /**< of the unit, where it is not that of the model; else NULL */
    size_t width;     /**< of every column, without the marker */
} dxt_figures;

/**
 * Find figures for the model's cells, which must be single ranks.
 *
 * @param figures  Receives them.
 * @return Whether there are any that fit into the columns.
 */
bool dxt_figures_fit(const dxt_screen *screen, dxt_figures *figures);
/** The matrix as figures, one line a row. */
void dxt_draw_figures(dxt_screen *screen, const dxt_figures *figures);

/** Most cells in a row when there are no figures in them. @p single: each one rank. */
uint32_t dxt_dense_most(const dxt_screen *screen, bool single);
/** The matrix as coloured or shaded cells. */
void dxt_draw_dense(dxt_screen *screen);

#endif
