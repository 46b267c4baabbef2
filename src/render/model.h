/* SPDX-License-Identifier: Apache-2.0 */
/* What every picture of a panel shows, however it is drawn: values, blocks, scale, marks, words. */
#ifndef DXT_RENDER_MODEL_H
#define DXT_RENDER_MODEL_H

#include "render/scale.h"
#include "render/words.h"

/** How a rank is flagged on an axis: as a whole, as one end of a flagged path, or because it sent
 *  nothing. */
enum { DXT_FLAG_AXIS = 1, DXT_FLAG_POINT = 2, DXT_FLAG_SILENT = 4 };

/** One panel, worked out. */
typedef struct dxt_model {
    const dxt_window *window;
    const dxt_mark *marks;
    size_t mark_count;
    uint32_t ranks;
    dxt_measure measure;
    dxt_scale scale;
    double low;          /**< of the scale where cells are single ranks; 0: given by the caller */
    uint8_t *row_marked; /**< per rank: DXT_FLAG_… */
    uint8_t *column_marked; /**< per rank: DXT_FLAG_… */
    uint32_t silent;        /**< how many rows are missing */
    bool unobserved;        /**< there are cells that nobody observed */
    bool sparse;            /**< there are blocks most of which nobody observed */
    bool holed;             /**< there are blocks of which a smaller part was not observed */
    char *title;            /**< clean, one line */
    char *caption;          /**< clean, with newlines; NULL = none */
    uint32_t block;         /**< ranks in the side of one cell of the picture; 0 = no cells yet */
    uint32_t side;          /**< cells in a row: ranks ÷ block, rounded up */
    double *cells;          /**< side × side: largest wait in each block; NaN = not observed, or in
                               a row of silent ranks */
    float *observed;        /**< side × side: the part of each block that was observed, without
                               silent ranks; NULL: of every block all or nothing */
    uint8_t *silent_row;    /**< side: 1 = all of its ranks are silent, 2 = some are */
    uint8_t *points;        /**< side × side: whether a flagged path is in it */
} dxt_model;

/**
 * Work out all but the cells.
 *
 * @param model  Receives it; release with dxt_model_free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_model_create(const dxt_heatmap_panel *panel, const dxt_heatmap_options *options,
                            dxt_model **model);

void dxt_model_free(dxt_model *model);

/** Work out the cells for blocks of @p block ranks; what was there is released. */
dxt_status dxt_model_cells(dxt_model *model, uint32_t block);

/** Smallest power of two, so that blocks and nodes meet, with at most @p most cells in a row. */
uint32_t dxt_block_for(uint32_t ranks, uint32_t most);

/** One cell. */
static inline double dxt_model_value(const dxt_model *model, uint32_t row, uint32_t column)
{
    return model->cells[(size_t)row * model->side + column];
}

/** Whether a flagged path is in a cell. */
static inline bool dxt_model_point(const dxt_model *model, uint32_t row, uint32_t column)
{
    return model->points[(size_t)row * model->side + column];
}

/** The part of a cell that was observed, 0 … 1, if something of it was. */
static inline double dxt_model_observed(const dxt_model *model, uint32_t row, uint32_t column)
{
    return model->observed ? (double)model->observed[(size_t)row * model->side + column] : 1;
}

/** Whether less than half of it was. */
static inline bool dxt_model_sparse(const dxt_model *model, uint32_t row, uint32_t column)
{
    return dxt_model_observed(model, row, column) < 0.5;
}

/** Whether all ranks in a row of cells are silent. */
static inline bool dxt_model_silent(const dxt_model *model, uint32_t row)
{
    return model->silent_row[row] == 1;
}

/** Whether some of them are, but not all. */
static inline bool dxt_model_partly_silent(const dxt_model *model, uint32_t row)
{
    return model->silent_row[row] == 2;
}

/** First rank flagged as a whole among @p count cells from @p cell on, else DXT_NO_RANK. */
uint32_t dxt_model_flagged(const dxt_model *model, const uint8_t *flags, uint32_t cell,
                           uint32_t count);

/** How many cells from @p cell on have a rank each that is flagged as a whole: one outline. */
uint32_t dxt_model_run(const dxt_model *model, const uint8_t *flags, uint32_t cell);

/** Node of a rank; −1 = not known, or there is only one. */
int32_t dxt_model_node(const dxt_model *model, uint32_t rank);

/** What the node of a rank is called: its host, cut if it is long. */
void dxt_model_node_name(const dxt_model *model, uint32_t rank, dxt_text *text);

/** Position of a cell on the scale, 0 … 1; NaN = silent or not observed. */
double dxt_model_position(const dxt_model *model, uint32_t row, uint32_t column);

/** Value of a cell in the unit shown (µs or cycles). */
double dxt_model_shown(const dxt_model *model, uint32_t row, uint32_t column);

/** "16 ranks, mean wait in µs"; in @p unit instead if it is not NULL. */
void dxt_model_subtitle(const dxt_model *model, const char *unit, dxt_text *text);
/** "mean wait in µs", "sum of waits in cycles", … Static. */
const char *dxt_model_quantity(const dxt_model *model);

/** How the key speaks of what is drawn. */
typedef struct dxt_key_words {
    const char *mark;   /**< e.g. "outlined" */
    const char *silent; /**< e.g. "hatched" */
    const char *empty;  /**< how a cell that nobody observed looks, e.g. "empty" */
    const char *sparse; /**< how a block looks most of which nobody observed, e.g. "•"; NULL: the
                             part that was observed is coloured */
    const char *usual;  /**< how the low end of the scale looks, e.g. "green"; NULL: no scale is
                             drawn */
} dxt_key_words;

/** The key below the picture, one statement a line, each ended by a newline. */
void dxt_model_key(const dxt_model *model, const dxt_key_words *words, dxt_text *text);

/** What a cell says when pointed at: "rank 3 waits for rank 2: 1.03 ms". */
void dxt_model_hint(const dxt_model *model, uint32_t row, uint32_t column, dxt_text *text);

#endif
