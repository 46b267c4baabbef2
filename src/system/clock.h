/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of the system in ns, for every library and program of this tree. */
#ifndef DXT_SYSTEM_CLOCK_H
#define DXT_SYSTEM_CLOCK_H

#include <stdint.h>
#include <time.h>

/** A clock, such as CLOCK_MONOTONIC, in ns. */
static inline int64_t dxt_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

#endif
