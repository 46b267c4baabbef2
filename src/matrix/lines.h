/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text that are no rows as they stand, and rows that run over several lines. */
#ifndef DXT_MATRIX_LINES_H
#define DXT_MATRIX_LINES_H

#include "matrix/reader.h"

/* ---- yaml.c ---- */

/** A line of a row that comes a value a line, or the name of such a row. @return Whether it is one;
 *  @p status receives DXT_OK, DXT_ERR_LIMIT or DXT_ERR_NO_MEMORY. */
bool dxt_take_yaml(dxt_reader *reader, const char *line, const char *end, dxt_status *status);
/** The row that is under way is complete. */
dxt_status dxt_end_listed(dxt_reader *reader);

/* ---- behind.c: several in a line ---- */

/** Matrices behind each other. Nothing is @p done where there are none. @return DXT_OK;
 *  DXT_ERR_NO_MEMORY. */
dxt_status dxt_split_matrices(dxt_reader *reader, const char *line, const char *end, bool *done);
/** "rank=0 dispatch=[1, 2] combine=[3, 4]": a line for each operator. @return As dxt_text_line(). */
dxt_status dxt_split_operators(dxt_reader *reader, const char *line, const char *end, bool *done);
/** Tell, once, of lists beside the row that was found. */
dxt_status dxt_tell_lists(dxt_reader *reader, const char *line, const char *end,
                          const dxt_found *found);

/* ---- bare.c: rows without brackets behind their rank ---- */

/** Whether the row under way, whose line has ended, may go on in the next one. */
bool dxt_bare_may_go_on(const dxt_reader *reader);
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
