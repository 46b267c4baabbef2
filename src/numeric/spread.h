/* SPDX-License-Identifier: Apache-2.0 */
/* Some of many, spread evenly. */
#ifndef DXT_NUMERIC_SPREAD_H
#define DXT_NUMERIC_SPREAD_H

#include <stddef.h>
#include <stdint.h>

/** The k-th of `taken` indices below `count`, different from each other and without a period that
 * could coincide with rows or nodes; all of them, in order, when taken = count. */
static inline size_t dxt_spread_index(size_t k, size_t taken, size_t count)
{
    if (taken >= count) return k;
    size_t begin = k * count / taken, end = (k + 1) * count / taken;
    return begin + (size_t)((k + 1) * UINT64_C(0x9E3779B97F4A7C15) >> 32) % (end - begin);
}

#endif
