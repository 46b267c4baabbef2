/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around a matrix and changes what its values say. */
#ifndef DXT_MATRIX_AROUND_H
#define DXT_MATRIX_AROUND_H

#include "matrix/reader.h"

/** A line of a value in JSON or Python, as DXT_UNIT_LINE: the outer keys of the objects that follow
 *  are taken for the ranks that wait. */
#define DXT_OUTER_LINE "#\002"

/** Multiply a matrix by its factor, and tell of turned axes. @p reals  As in dxt_take_said(). */
dxt_status dxt_take_around(dxt_reader *reader, uint64_t line, double *reals, dxt_window *window);
/** The rank that stands in front of all rows; -1: none does. */
int64_t dxt_tag_rank(const dxt_numbers *numbers, uint32_t rows);
/** One rank stands in front of all rows of a matrix: tell so, or lose it.
 *  @param bracket  Whether a bracket stands there as well. */
dxt_status dxt_judge_tag(dxt_reader *reader, int64_t rank, uint32_t ranks, uint64_t line,
                         bool bracket);

/** table.c: what stands in front of a row may name an operator, "combine,0,1,52": rows of the next
 *  one begin another matrix. */
dxt_status dxt_table_phase(dxt_reader *reader, const char *at, const char *end);
/** marks.c: lines of two ranks and a wait follow, in any order. */
dxt_status dxt_table_pairs(dxt_reader *reader);

/* ---- said.c, phase.c ---- */

/** Whether a heading says a factor: "(100 ns)", "x1000", "in thousands of cycles", "(kcycles)". */
bool dxt_says_factor(const char *line, const char *end);
/** Whether a line is "NAME: VALUE" with one of these names, which NULL ends, and no more. */
bool dxt_says_alone(const char *line, const char *end, const char *const *names,
                    const char **value);

/** A heading has come: a unit that the one of an earlier table said does not hold behind it. */
dxt_status dxt_end_unit(dxt_reader *reader, const char *line, const char *end, bool phase);
/** A line is a heading, or is none: it ends the unit that an earlier one has said. */
dxt_status dxt_heading_comes(dxt_reader *reader, const char *at, const char *end);

#endif
