/* SPDX-License-Identifier: Apache-2.0 */
/* Choose some of many, spread evenly. */
#ifndef DXT_NUMERIC_SPREAD_H
#define DXT_NUMERIC_SPREAD_H

#include <stddef.h>
#include <stdint.h>

/** Bits of a product that are kept: the upper half, which depends on all bits of a factor. */
#define DXT_UPPER_HALF 32

/** A number below @p width for each k, without a period: by the golden ratio. */
static inline size_t dxt_scatter(size_t k, size_t width)
{
    return (size_t)((k + 1) * UINT64_C(0x9E3779B97F4A7C15) >> DXT_UPPER_HALF) % width;
}

/** The k-th of `taken` indices below `count`, different from each other and without a period that
 * could coincide with rows or nodes; all of them, in order, when taken = count. */
static inline size_t dxt_spread_index(size_t k, size_t taken, size_t count)
{
    if (taken >= count) return k;
    size_t begin = k * count / taken, end = (k + 1) * count / taken;
    return begin + dxt_scatter(k, end - begin);
}

#endif
