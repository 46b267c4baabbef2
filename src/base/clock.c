/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <errno.h>

#include "system/clock.h"

int64_t dxt_now_ns(void)
{
    return dxt_clock_ns(CLOCK_MONOTONIC);
}

int64_t dxt_realtime_ns(void)
{
    return dxt_clock_ns(CLOCK_REALTIME);
}

void dxt_sleep_until_ns(int64_t monotonic_ns)
{
    struct timespec when = {.tv_sec = monotonic_ns / 1000000000,
                            .tv_nsec = monotonic_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
}
