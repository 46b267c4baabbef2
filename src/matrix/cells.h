/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a table, taken apart. */
#ifndef DXT_MATRIX_CELLS_H
#define DXT_MATRIX_CELLS_H

#include "matrix/reader.h"

/** What a line of a table holds. Its values are in dxt_reader.row and .reals. */
typedef struct dxt_cells {
    uint32_t width; /**< values that are numbers or stand in their place */
    uint32_t good;  /**< of these, counters */
    uint32_t none;  /**< of these, cells that nobody observed: "-", "nan" */
    uint32_t empty; /**< of these, empty cells; `hole` is the first */
    uint32_t hole;
    uint32_t nan; /**< of `none`, those that say "nan"; `nan_at` is the first */
    uint32_t nan_at;
    dxt_numbers numbers; /**< in the name in front */
    bool points;         /**< between tabs, commas are decimal points */
    bool thousands;      /**< commas part thousands, and nothing quotes them */
    uint32_t most;       /**< values beyond this many are passed over */
    bool label;          /**< a name stands in front */
    bool sum;            /**< and it says that these are sums or means of the rows above, or the
                              memory of a machine */
    bool decimals;       /**< a value is no whole number */
    bool rule;           /**< a line that is drawn: nothing stands in it */
    bool more;           /**< it ends in a backslash: more columns follow below */
    bool shortened;      /**< "..." stands in it */
    bool ended;          /**< a separator stands behind the last value */
    uint32_t gap;        /**< between tabs: where one cell is empty, which is not among the values
                              yet; DXT_NO_GAP: none is, or several are */
    uint32_t gaps;       /**< how many */
    uint32_t timed;      /**< values with a unit of time; they are in ns */
    uint32_t bare[2];    /**< counters above 0 without one: in the first column, in others */
    uint32_t pointed;    /**< values such as 12.345, whose point may part thousands: as such they
                              are in dxt_reader.row, else in .reals */
    uint32_t fractions;  /**< decimals that are none of these */
    uint32_t proven;     /**< decimals with a comma as their point */
    uint32_t whole;      /**< whole numbers that are none of these */
    uint32_t form;       /**< of what stands in front, dxt_skip_tag(); 0: nothing does */
    bool message;        /**< it is a sentence of somebody, dxt_tag_says() */
    bool level;          /**< it ends in the level of a message */
    int64_t clock;       /**< the time that stands in front, in ms, dxt_clock_of(); -1: none */
    bool hour;           /**< it may be an hour, and the first value minutes */
    dxt_status status;   /**< of the first value that is no counter */
    char why[160];
} dxt_cells;

/**
 * Take a line of a table apart: values with blanks, commas, semicolons, tabs or bars between them,
 * quoted or not, behind a name or not; Markdown and drawn tables as well.
 *
 * @return DXT_OK, whatever the line holds; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_take_cells(dxt_reader *reader, const char *at, const char *end, dxt_cells *line);

/** The same, of the first @p most values only. */
dxt_status dxt_take_first_cells(dxt_reader *reader, const char *at, const char *end, uint32_t most,
                                dxt_cells *line);

/* ---- gaps.c ---- */

/** Leave out the sums or means with which a row ends, if the heading has words for them.
 *  @return As dxt_take_cells(). */
dxt_status dxt_leave_sums(dxt_reader *reader, const char *at, const char *end, dxt_cells *line);

/** Whether a cell of the next row may be that of a rank for itself. Its name, or a column of
 *  numbers, may stand in front. Whether it is one is known when all rows are in their places. */
bool dxt_may_be_own(const dxt_reader *reader, const dxt_cells *line, uint32_t column);
/** An empty cell, and one that is not a number, is that of a rank for itself, or a mistake. */
void dxt_judge_holes(dxt_reader *reader, dxt_cells *line);
/** Two tabs leave a cell empty where the next row has one more, or leaves another one empty, if
 *  these cells may be those of ranks for themselves; in all other tables they are a wide column.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_settle_gap(dxt_reader *reader, dxt_cells *line);

/** Whether the line is a heading that counts the columns, above rows that begin with theirs. */
bool dxt_counts_columns(const dxt_reader *reader, const dxt_cells *line);

/* ---- bars.c ---- */

/** Where bars separate, they are written as this. */
#define DXT_BAR '\x1f'

/** Whether a line is drawn: "+-----+-----+", "|:---|---:|", "──────"; at least two strokes, and
 *  nothing else. */
bool dxt_is_rule(const char *at, const char *end);
/** Whether bars, or the ampersands of LaTeX, stand in a line. */
bool dxt_has_bars(const char *at, const char *end);
/** Write bars as separators, without those at the ends, and leave out what marks text as bold.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_clear_bars(dxt_reader *reader, const char **line, const char **end);

/* ---- quantity.c ---- */

/** Whether a word is what people write where nothing was measured: "-", "nan", "X". */
bool dxt_is_unmeasured(const char *at, const char *end);

/**
 * Find the unit with which a word ends: "us", "ms", "M".
 *
 * @param factor  Receives what it stands for, in ns or counters.
 * @param time    Receives whether it is one of time.
 * @return Its bytes; 0, and nothing received, if there is none.
 */
size_t dxt_unit_length(const char *at, const char *end, double *factor, bool *time);

/** Whether a word is a name that ends in a number: "GPU3", "rank_7", "cuda:0". */
bool dxt_names_rank(const char *at, size_t size);

#endif
