/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as JSON and Python write them: objects, arrays, tuples, "tensor([[1, 2], [3, 4]])".
 * What is a matrix in them, a recording or a text of others becomes lines that the readers know.
 */
#ifndef DXT_MATRIX_LITERAL_H
#define DXT_MATRIX_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/** Deepest nesting. */
#define DXT_LITERAL_DEPTH 64

/** What has been read of a value. Zero it to begin. */
typedef struct dxt_literal {
    char closing[DXT_LITERAL_DEPTH]; /**< of the brackets that are open */
    size_t depth;
    char quote;   /**< of the text that is open; 0 = none */
    bool escaped; /**< a backslash was before */
    bool gap;     /**< blanks were before */
    char last;    /**< w: a word or number, q: a text, c: a closing bracket, 0: anything else */
} dxt_literal;

typedef enum dxt_literal_end {
    DXT_LITERAL_OPEN,   /**< it goes on */
    DXT_LITERAL_CLOSED, /**< its last bracket has closed */
    DXT_LITERAL_NONE,   /**< this is no such value */
} dxt_literal_end;

/** Look at more of a value that begins with a bracket. @p at is moved behind what was looked at. */
dxt_literal_end dxt_literal_scan(dxt_literal *literal, const char **at, const char *end);

/**
 * Write what a whole value holds as lines: rows of matrices in brackets, "rank=R [ … ]" for rows
 * that are named, recordings, and the texts in it.
 *
 * @param rank      The rank of those rows that name none; −1: no rank.
 * @param matrices  Whether matrices are wanted.
 * @param lines     Receives them; `failed` is set where memory ends.
 */
void dxt_literal_write(const char *at, const char *end, int64_t rank, bool matrices,
                       dxt_text *lines);

#endif
