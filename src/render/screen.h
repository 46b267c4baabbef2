/* SPDX-License-Identifier: Apache-2.0 */
/* Text pictures: a pen that knows the colours of a terminal. */
#ifndef DXT_RENDER_SCREEN_H
#define DXT_RENDER_SCREEN_H

#include "render/model.h"

/** "The terminal's own": no colour asked for. */
#define DXT_PLAIN UINT32_MAX

/** One panel under way. */
typedef struct dxt_screen {
    const dxt_model *model;
    dxt_color color;
    bool ascii;            /**< nothing else leaves dxt_screen_flush() */
    uint32_t columns;      /**< that fit */
    dxt_text text;         /**< what is drawn; release with free() */
    uint32_t ink, ground;  /**< colours in force, 0xrrggbb or DXT_PLAIN */
    uint32_t label_digits; /**< width of a rank number; a marker follows */
} dxt_screen;

/** Lines of so many columns at most, each ended by a newline. */
void dxt_screen_wrapped(dxt_screen *screen, const char *text, bool bold);
/** Hand over what is drawn, as dxt_text_flush() does. */
dxt_status dxt_screen_flush(dxt_screen *screen, dxt_write_fn write, void *context);
/** Colours for what follows; nothing is said when they are in force already, or without colours. */
void dxt_screen_colors(dxt_screen *screen, uint32_t ink, uint32_t ground);
/** Black or white, whichever reads better on a colour as this terminal shows it. */
uint32_t dxt_screen_ink(const dxt_screen *screen, uint32_t ground);
/** Back to the terminal's own, and end the line. */
void dxt_screen_newline(dxt_screen *screen);
/** dxt_screen_newline() behind @p rows rows of cells from @p row on, @p used columns wide: if a
 * node begins in them, its name stands there where there is room. */
void dxt_screen_end_row(dxt_screen *screen, uint32_t row, uint32_t rows, size_t used);
/** @p count spaces. */
void dxt_screen_spaces(dxt_screen *screen, size_t count);
/** The number of a rank and its marker of one character, e.g. " 12*"; bold unless that is a blank.
 *  @p rank may be DXT_NO_RANK for none. */
void dxt_screen_row_label(dxt_screen *screen, uint32_t rank, const char *mark);

#endif
