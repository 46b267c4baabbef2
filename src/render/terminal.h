/* SPDX-License-Identifier: Apache-2.0 */
/* Text pictures: a pen that knows the colours of a terminal, two ways to draw the matrix. */
#ifndef DXT_RENDER_TERMINAL_H
#define DXT_RENDER_TERMINAL_H

#include "render/model.h"

/** "The terminal's own": no colour asked for. */
#define DXT_PLAIN UINT32_MAX

/** One panel under way. */
typedef struct dxt_screen {
    const dxt_model *model;
    dxt_color color;
    uint32_t columns;      /**< that fit */
    dxt_text text;         /**< what is drawn; release with free() */
    uint32_t ink, ground;  /**< colours in force, 0xrrggbb or DXT_PLAIN */
    uint32_t label_digits; /**< width of a rank number; a marker follows */
} dxt_screen;

/** Colours for what follows; nothing is said when they are in force already, or without colours. */
void dxt_screen_colors(dxt_screen *screen, uint32_t ink, uint32_t ground);
/** Black or white, whichever reads better on a colour as this terminal shows it. */
uint32_t dxt_screen_ink(const dxt_screen *screen, uint32_t ground);
/** Back to the terminal's own, and end the line. */
void dxt_screen_newline(dxt_screen *screen);
/** @p count spaces. */
void dxt_screen_spaces(dxt_screen *screen, size_t count);
/** The number of a rank and its marker of one character, e.g. " 12*"; bold unless that is a blank.
 *  @p rank may be DXT_NO_RANK for none. */
void dxt_screen_row_label(dxt_screen *screen, uint32_t rank, const char *mark);

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
