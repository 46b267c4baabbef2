/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only sort, in place, since qsort() may allocate. Quicksort without branches on the values;
 * few values by insertion; heapsort where quicksort makes no progress, as with many equal values.
 */
#ifndef DXT_NUMERIC_SORT_H
#define DXT_NUMERIC_SORT_H

#include <stdbool.h>
#include <stddef.h>

/** Up to this many values are sorted by insertion. */
#define DXT_SORT_FEW 16u
/** Splits beyond twice the logarithm before heapsort takes over. */
#define DXT_SORT_SPLITS 4u

/* clang-format off */
/**
 * Define void NAME(TYPE *values, size_t n), which sorts by a strict order, and NAME_few(), the same
 * for few values. The order: bool BEFORE(const TYPE *, const TYPE *).
 */
#define DXT_SORT(NAME, TYPE, BEFORE)                                                            \
    static inline void NAME##_swap(TYPE *a, TYPE *b)                                            \
    {                                                                                           \
        TYPE keep = *a;                                                                         \
        *a = *b;                                                                                \
        *b = keep;                                                                              \
    }                                                                                           \
    static inline void NAME##_few(TYPE *values, size_t n)                                       \
    {                                                                                           \
        for (size_t i = 1; i < n; i++) {                                                        \
            TYPE value = values[i];                                                             \
            size_t at = i;                                                                      \
            for (; at > 0 && BEFORE(&value, &values[at - 1]); at--) values[at] = values[at - 1];\
            values[at] = value;                                                                 \
        }                                                                                       \
    }                                                                                           \
    static void NAME##_sift(TYPE *values, size_t root, size_t n)                                \
    {                                                                                           \
        for (size_t child; (child = 2 * root + 1) < n; root = child) {                          \
            if (child + 1 < n && BEFORE(&values[child], &values[child + 1])) child++;           \
            if (!BEFORE(&values[root], &values[child])) return;                                 \
            NAME##_swap(&values[root], &values[child]);                                         \
        }                                                                                       \
    }                                                                                           \
    static void NAME##_heap(TYPE *values, size_t n)                                             \
    {                                                                                           \
        for (size_t root = n / 2; root-- > 0;) NAME##_sift(values, root, n);                    \
        for (size_t last = n; last-- > 1;) {                                                    \
            NAME##_swap(&values[0], &values[last]);                                             \
            NAME##_sift(values, 0, last);                                                       \
        }                                                                                       \
    }                                                                                           \
    /* Put what is before the middle of three in front. The pivot stands behind these. */       \
    static size_t NAME##_split(TYPE *values, size_t n)                                          \
    {                                                                                           \
        size_t middle = n / 2, last = n - 1, smaller = 0;                                       \
        if (BEFORE(&values[middle], &values[0])) NAME##_swap(&values[middle], &values[0]);      \
        if (BEFORE(&values[last], &values[0])) NAME##_swap(&values[last], &values[0]);          \
        if (BEFORE(&values[last], &values[middle])) NAME##_swap(&values[last], &values[middle]);\
        NAME##_swap(&values[middle], &values[last]);                                            \
        TYPE pivot = values[last];                                                              \
        for (size_t i = 0; i < last; i++) {                                                     \
            TYPE value = values[i];                                                             \
            values[i] = values[smaller];                                                        \
            values[smaller] = value;                                                            \
            smaller += BEFORE(&value, &pivot);                                                  \
        }                                                                                       \
        NAME##_swap(&values[smaller], &values[last]);                                           \
        return smaller;                                                                         \
    }                                                                                           \
    static void NAME##_part(TYPE *values, size_t n, unsigned splits)                            \
    {                                                                                           \
        while (n > DXT_SORT_FEW) {                                                              \
            if (splits-- == 0) {                                                                \
                NAME##_heap(values, n);                                                         \
                return;                                                                         \
            }                                                                                   \
            size_t smaller = NAME##_split(values, n);                                           \
            NAME##_part(values, smaller, splits);                                               \
            values += smaller + 1;                                                              \
            n -= smaller + 1;                                                                   \
        }                                                                                       \
        NAME##_few(values, n);                                                                  \
    }                                                                                           \
    static void NAME(TYPE *values, size_t n)                                                    \
    {                                                                                           \
        unsigned splits = DXT_SORT_SPLITS;                                                      \
        for (size_t left = n; left > 1; left /= 2) splits += 2;                                 \
        NAME##_part(values, n, splits);                                                         \
    }
/* clang-format on */

#endif
