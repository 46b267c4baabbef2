/* SPDX-License-Identifier: Apache-2.0 */
/* Choose some of many, spread evenly. */
#ifndef DXT_NUMERIC_SPREAD_H
#define DXT_NUMERIC_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bits of a product that are kept: the upper half, which depends on all bits of a factor. */
#define DXT_UPPER_HALF 32

/** A number below @p width for each k, without a period: by the golden ratio. */
static inline size_t dxt_scatter(size_t k, size_t width)
{
    uint32_t number = (uint32_t)((k + 1) * UINT64_C(0x9E3779B97F4A7C15) >> DXT_UPPER_HALF);
    /* Short divisions take half the time. */
    return width <= UINT32_MAX ? number % (uint32_t)width : number;
}

/** The k-th of `taken` indices below `count`, different from each other and without a period that
 * could coincide with rows or nodes; all of them, in order, when taken = count. */
static inline size_t dxt_spread_index(size_t k, size_t taken, size_t count)
{
    if (taken >= count) return k;
    size_t begin = k * count / taken, end = (k + 1) * count / taken;
    return begin + dxt_scatter(k, end - begin);
}

/** dxt_spread_index() for k = 0, 1, 2, … in turn, with one division instead of three. */
typedef struct dxt_spread {
    size_t taken, count;
    size_t step, left; /**< count ÷ taken, and what is left of that */
    size_t k, begin, rest;
} dxt_spread;

static inline dxt_spread dxt_spread_begin(size_t taken, size_t count)
{
    size_t some = taken > 0 ? taken : 1;
    return (dxt_spread){.taken = taken, .count = count, .step = count / some, .left = count % some};
}

static inline size_t dxt_spread_next(dxt_spread *s)
{
    size_t begin = s->begin, k = s->k++;
    if (s->taken >= s->count) return k;
    s->rest += s->left;
    bool more = s->rest >= s->taken;
    s->rest -= more ? s->taken : 0;
    s->begin += s->step + more;
    return begin + dxt_scatter(k, s->begin - begin);
}

#endif
