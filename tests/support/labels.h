/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of recorded windows, against what was found. */
#ifndef DXT_TEST_LABELS_H
#define DXT_TEST_LABELS_H

#include <stdbool.h>

#include <jansson.h>

#include <deepxtrace/analysis.h>

/** Whether the ranks of a label are those of the abnormal columns or rows, in order. */
static inline bool axes_equal(const json_t *expected, const dxt_abnormal_axis *found, size_t count)
{
    if (json_array_size(expected) != count) return false;
    for (size_t k = 0; k < count; k++)
        if (json_integer_value(json_array_get(expected, k)) != found[k].rank) return false;
    return true;
}

#endif
