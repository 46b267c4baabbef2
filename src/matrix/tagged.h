/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of bare numbers behind what others put in front of each line. */
#ifndef DXT_MATRIX_TAGGED_H
#define DXT_MATRIX_TAGGED_H

#include <stdbool.h>
#include <stdint.h>

/** The row of a table in Markdown behind what a logger writes; where nothing stands in front of it,
 *  @p at. */
const char *dxt_skip_to_bar(const char *at, const char *end);

/**
 * Find the numbers with which a line ends, if what stands in front of them is no part of a row.
 *
 * @param number  Of the line, from 1 on.
 * @return Where they begin; NULL: nothing stands in front, or what dxt_take_cells() reads.
 */
const char *dxt_skip_tag(const char *line, const char *end, uint64_t number);

/** Whether what dxt_skip_tag() passed over is what somebody says of the numbers, "gpu temps",
 *  "load average:", "shape (1, 2):", and not only what a logger or a launcher writes. */
bool dxt_tag_says(const char *at, const char *end);
/** Whether a text ends in the level of a message, which is no name of a row: "03:00:00,123 INFO".
 */
bool dxt_ends_in_level(const char *line, const char *end);
/** Whether a text names waits, a matrix, or what else rows of numbers may be the waits of. */
bool dxt_names_waits(const char *at, const char *end);

#endif
