/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text that are no rows as they stand, and rows that run over several lines. */
#ifndef DXT_MATRIX_LINES_H
#define DXT_MATRIX_LINES_H

#include "matrix/reader.h"

/* ---- listed.c: what belongs to a table and is no row as it stands ---- */

/**
 * A line outside any log, for dxt_table_line(): takes "(3, 5): 17" and the like as row, column and
 * value, what YAML writes as a row (yaml.c), "[,1] [,2]" and "Columns 1 through 5" as
 * headings of blocks, "1.0e+03 *" as a factor, and leaves out "[3,]" in front of a row.
 *
 * @return DXT_OK; DXT_ERR_NO_MEMORY; what that function returns.
 */
dxt_status dxt_listed_line(dxt_reader *reader, const char *line, const char *end);
/** Whether a line is one of R's, "[3,] 1 2", whatever stands in front; then @p row is behind its
 *  name. */
bool dxt_is_listed(const char *line, const char *end, const char **row);

/* ---- named.c ---- */

/** A wait of two ranks in a line of its own. */
typedef struct dxt_named {
    int64_t cell[2];               /**< the waiting rank, the awaited one */
    const char *value, *value_end; /**< with the commas that part its thousands */
    const char *unit, *unit_end;   /**< of time; NULL: it has none */
    bool sentence;                 /**< others say such things as well */
    bool arrow;                    /**< "rank 0 -> rank 1: 5" */
    int ranks;                     /**< where it is none: ranks that it names as "src=0" */
} dxt_named;

/** Behind "1,234,567", whose commas part thousands; without such commas, @p at. */
const char *dxt_skip_thousands(const char *at, const char *end);

/** Find "rank 0 waits for rank 1: 5", "src=0 dst=1 wait=5", wait{src="0",dst="1"} 5. */
bool dxt_named_find(const char *line, const char *end, dxt_named *found);

/* ---- yaml.c ---- */

/** A line of a row that comes a value a line, or the name of such a row. */
typedef struct dxt_yaml {
    const char *at, *end; /**< its value; empty: it has none */
    int64_t rank;         /**< of the row that it names; −1: none */
    bool begins;          /**< it begins a row */
    bool keyed;           /**< its value carries a rank */
    bool own;             /**< the value of the row's own rank is left out before it */
} dxt_yaml;

bool dxt_yaml_find(const dxt_reader *reader, const char *line, const char *end, dxt_yaml *found);
/** @return DXT_OK; DXT_ERR_LIMIT; DXT_ERR_NO_MEMORY. */
dxt_status dxt_yaml_take(dxt_reader *reader, const dxt_yaml *found);
/** The row that is under way is complete. @return Whether there was one, which is in `listed`. */
bool dxt_yaml_close(dxt_reader *reader);

/* ---- behind.c: several in a line ---- */

/** Matrices behind each other. Nothing is @p done where there are none. @return DXT_OK;
 *  DXT_ERR_NO_MEMORY. */
dxt_status dxt_split_matrices(dxt_reader *reader, const char *line, const char *end, bool *done);
/** "rank=0 dispatch=[1, 2] combine=[3, 4]": a line for each operator.
 *  @param lines  Zeroed; receives them, if there are several: the caller frees them.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_split_operators(const dxt_reader *reader, const char *line, const char *end,
                               dxt_text *lines);
/** Tell, once, of lists beside the row that was found. */
dxt_status dxt_tell_lists(dxt_reader *reader, const char *line, const char *end,
                          const dxt_found *found);

/* ---- arguments.c ---- */

/** Where a line ends if what the print of a tensor has behind its rows is left out. */
const char *dxt_cut_arguments(const char *line, const char *end);

/* ---- bare.c: rows without brackets behind their rank ---- */

/** Whether the row under way, whose line has ended with @p found, may go on in the next one. */
bool dxt_bare_may_go_on(const dxt_reader *reader, const dxt_found *found);
/** Whether a line goes on with it. @p there  Whether a row was found in it, @p found. */
bool dxt_bare_part(dxt_reader *reader, const char *line, const char *end, bool there,
                   dxt_found *found);
/** A part of it was taken. */
void dxt_bare_note(dxt_row *row);
/** It has ended. @p next: the row behind it; NULL: none was found. @p whole  Receives whether it is
 *  one row, which is to be taken; else its parts were. */
dxt_status dxt_bare_close(dxt_reader *reader, const dxt_found *next, bool *whole);

/* ---- pairs.c ---- */

/** Take "0:12 1:5031" at the end of a line as a row in brackets. @return DXT_OK;
 *  DXT_ERR_NO_MEMORY. */
dxt_status dxt_take_pairs(dxt_reader *reader, const char **line, const char **end);
/** Leave out the backticks of Markdown. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_clear_ticks(dxt_reader *reader, const char **line, const char **end);

#endif
