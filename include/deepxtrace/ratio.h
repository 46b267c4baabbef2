/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The established ratio rule on a matrix of any shape and any numbers. For windows of waits there
 * is dxt_analyze() with DXT_METHOD_RATIO.
 */
#ifndef DEEPXTRACE_RATIO_H
#define DEEPXTRACE_RATIO_H

#include <stddef.h>
#include <stdint.h>

#include <deepxtrace/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A row, a column or a cell that the rule flags. Frozen. */
typedef struct dxt_ratio_place {
    uint32_t row;      /**< DXT_RATIO_WHOLE = the whole column */
    uint32_t column;   /**< DXT_RATIO_WHOLE = the whole row */
    double value;      /**< of the cell; mean of the row or column */
    double normalised; /**< value ÷ (mean + 1e-8): of the cells, of the means of rows or columns */
} dxt_ratio_place;

/** Stands for the row of a column that is flagged, and for the column of a row. */
#define DXT_RATIO_WHOLE UINT32_MAX

/** What the rule flags: all that exceed these. Zero a struct, set struct_size, then the fields;
 *  a threshold of 0 is one. */
typedef struct dxt_ratio_rule {
    size_t struct_size;
    double threshold_col;   /**< for the normalised mean of a column */
    double threshold_row;   /**< of a row */
    double threshold_point; /**< for a normalised cell */
    int keep_points;        /**< also flag cells in flagged rows and columns */
    int excluding_zeros;    /**< normalise cells by the mean of those that are not 0 */
} dxt_ratio_rule;

/**
 * Apply the rule, to the last bit as NumPy 1.24 to 2.2 computes it in float64. NumPy 2.3 and later
 * may differ in the last place of a cell under `excluding_zeros`, and in nothing else.
 *
 * @param values   [rows][columns], one row after the other; negative, infinite and NaN are allowed,
 *                 and what cannot be compared is not flagged. Not modified.
 * @param rows, columns  1 to 2^31 − 1.
 * @param rule     NULL for the usual thresholds (3, 3 and 5).
 * @param places   Receives the columns, the rows and the cells that are flagged, each in their
 *                 order; release with free(). NULL when there are none.
 * @param count    Receives how many. Both are untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT (too large); DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: reentrant. NULL: DXT_ERR_INVALID, but for @p rule. Cost: O(rows × columns)
 * time; with `excluding_zeros` a copy of the matrix.
 */
DXT_API dxt_status dxt_ratio_matrix(const double *values, size_t rows, size_t columns,
                                    const dxt_ratio_rule *rule, dxt_ratio_place **places,
                                    size_t *count);

#ifdef __cplusplus
}
#endif

#endif
