/* SPDX-License-Identifier: Apache-2.0 */
/* Whether rows of numbers are a matrix, of how many ranks, and what stands beside it. */
#ifndef DXT_MATRIX_SHAPE_H
#define DXT_MATRIX_SHAPE_H

#include "matrix/reader.h"

/** Whether the first column (@p step: the width) counts 0, 1, 2 … or 1, 2, 3 …, or the first row
 *  (@p step: 1) 0, 1, 2 … */
bool dxt_shape_counts(const dxt_table *table, size_t step, uint32_t count);
/** Whether the row that stands behind the others is one of row, column and value, and names the
 *  cell behind the one that the row before names. */
bool dxt_shape_follows(const dxt_table *table);
/** Whether each line has row, column and value, as far as the lines go. */
bool dxt_shape_triples(const dxt_table *table);
/** Whether a heading names the ranks of lines of row, column and value: they stand in any order. */
bool dxt_shape_roles(const dxt_table *table);
/** Lines in any order: whether the next one, @p row, begins another matrix. "step,src,dst,wait":
 *  each step is one; else the pair of ranks of the first line comes again behind all others. */
bool dxt_shape_ends_step(const dxt_table *table, const int64_t *row);
/** How many ranks lines of single numbers or of row, column and value make; 0: they make no
 *  matrix. */
uint32_t dxt_shape_listed(const dxt_table *table);
/** How many ranks the table has; 0: it is not square. @p column, @p row  Receive how many of them
 *  stand in front of its matrix. */
uint32_t dxt_shape_find(const dxt_table *table, uint32_t *column, uint32_t *row);
/** Look at the row that is about to be added, for dxt_shape_find(). */
void dxt_shape_note(dxt_table *table, const int64_t *cells, const double *reals);
/** Whether a word is one for sums and means, "total", "avg". */
bool dxt_says_sum(const char *at, const char *end);
/** The line above a table as the heading of its columns. */
dxt_titles dxt_shape_titles(const char *at, const char *end);
/** What the first column holds that is in front of the matrix and says no ranks; NULL: nothing. */
const char *dxt_shape_passed_over(const dxt_table *table);
/** Why a table that is nearly one is none; NULL: nothing is known. */
const char *dxt_shape_doubt(const dxt_table *table);
/** Whether the table is a matrix as it is. */
bool dxt_shape_complete(const dxt_table *table);

#endif
