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
    bool label;          /**< a name stands in front */
    bool sum;            /**< and it says that these are sums or means of the rows above */
    bool decimals;       /**< a value is no whole number */
    bool rule;           /**< a line that is drawn: nothing stands in it */
    bool more;           /**< it ends in a backslash: more columns follow below */
    bool shortened;      /**< "..." stands in it */
    bool ended;          /**< a separator stands behind the last value */
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

#endif
