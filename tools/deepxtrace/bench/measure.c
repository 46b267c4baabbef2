/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "options.h"
#include "system/clock.h"
#include "system/order.h"

outcome bench_failed(const char *error)
{
    complain("bench", "%s", error);
    return EXIT_FAILED;
}

double bench_quantile(double *values, size_t count, double part)
{
    qsort(values, count, sizeof *values, dxt_ascending);
    double at = part * (double)(count - 1);
    size_t below = (size_t)at;
    size_t above = below + 1 < count ? below + 1 : below;
    return values[below] + (at - (double)below) * (values[above] - values[below]);
}

double bench_now_ns(void)
{
    return (double)dxt_clock_ns(CLOCK_MONOTONIC);
}

double bench_thread_ns(void)
{
    return (double)dxt_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

outcome bench_no_memory(void)
{
    complain("bench", "%s", strerror(ENOMEM));
    return EXIT_FAILED;
}
