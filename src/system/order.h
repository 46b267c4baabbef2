/* SPDX-License-Identifier: Apache-2.0 */
/* Orders in which things are sorted. */
#ifndef DXT_SYSTEM_ORDER_H
#define DXT_SYSTEM_ORDER_H

#include <string.h>
#include <time.h>

/** For qsort(): numbers, the least first. None is NaN. */
static inline int dxt_ascending(const void *first, const void *second)
{
    double a = *(const double *)first, b = *(const double *)second;
    return (a > b) - (a < b);
}

/** Files by the time of their last change, the oldest first; those of one time by their names. */
static inline int dxt_older_first(const struct timespec *a, const char *a_path,
                                  const struct timespec *b, const char *b_path)
{
    if (a->tv_sec != b->tv_sec) return a->tv_sec < b->tv_sec ? -1 : 1;
    if (a->tv_nsec != b->tv_nsec) return a->tv_nsec < b->tv_nsec ? -1 : 1;
    return strcmp(a_path, b_path);
}

#endif
